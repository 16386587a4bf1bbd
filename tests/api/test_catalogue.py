"""Landing page, conformance, collections, queryables, datasets and the OpenAPI document."""

from pathlib import Path
from typing import Any

import pytest

from api import ogc
from api.app import create_app
from tests.api.client import Client, serving
from tests.api.seeding import Seeded
from twin.db.engine import Database
from twin.model.attributes import CATALOGUE


def links(body: dict[str, Any]) -> dict[str, str]:
    return {link["rel"]: link["href"] for link in body["links"]}


def test_every_link_of_the_landing_page_leads_somewhere(client: Client) -> None:
    body = client.get("/").json()
    assert {"self", "service-desc", "conformance", "data"} <= links(body).keys()
    for address in links(body).values():
        assert client.request("GET", address).status_code == 200, address


def test_every_link_of_a_collection_leads_somewhere(client: Client) -> None:
    body = client.get("/collections/buildings").json()
    assert body["itemType"] == "feature"
    for address in links(body).values():
        address += "?property=city" if address.endswith("histogram") else ""
        assert client.request("GET", address).status_code == 200, address
    assert body in client.get("/collections").json()["collections"]


def test_the_extent_holds_every_primary_feature(client: Client, seeded_towns: list[Seeded]) -> None:
    extent = client.get("/collections/buildings").json()["extent"]
    west, south, east, north = extent["spatial"]["bbox"][0]
    for item in seeded_towns:
        assert west <= item.square[0] <= item.square[2] <= east
        assert south <= item.square[1] <= item.square[3] <= north
    assert extent["temporal"]["interval"] == [["2026-01-01T00:00:00Z", None]]


def test_queryables_describe_the_whole_catalogue(client: Client) -> None:
    response = client.get("/collections/buildings/queryables")
    assert response.headers["content-type"] == "application/schema+json"
    body = response.json()
    assert body["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert body["$id"].endswith("/collections/buildings/queryables")
    found = body["properties"]
    assert set(found) == {"id", "geometry", "updated", *(attribute.name for attribute in CATALOGUE)}
    height = found["height_m"]
    assert (height["type"], height["x-unit"], height["x-group"]) == ("number", "m", "dimensions")
    assert (height["title"], height["x-labels"]["fi"], height["x-origin"]) == (
        "Height",
        "Korkeus",
        "computed",
    )
    assert found["current_use"]["enum"][0] == "residential"
    assert found["geometry"]["x-ogc-role"] == "primary-geometry"


def test_the_schema_has_the_originals_too(client: Client) -> None:
    found = client.get("/collections/buildings/schema").json()["properties"]
    assert found["attributes"]["type"] == "object"
    assert found["id"]["x-ogc-role"] == "id"


def test_datasets(client: Client) -> None:
    found = {row["name"]: row for row in client.get("/datasets").json()["datasets"]}
    assert found["seed_harbour"] == {
        "name": "seed_harbour", "title": "Seed Harbour", "city": "harbour", "role": "primary",
        "synthetic": True, "placement": "exact", "heights": {"method": "none"}, "horizontal_epsg": 3879,
        "vertical_epsg": 3900, "publisher": None, "licence": None, "themes": [],
        "count": 60,
        "bbox": [24.95, 60.17, 24.9576, 60.1744], "processing": {"pending": 0, "since": None},
    }  # fmt: skip
    assert (found["seed_harbour_lod1"]["role"], found["seed_harbour_lod1"]["count"]) == ("alternative", 5)


def test_the_api_document_is_openapi_3_0_with_concrete_paths(client: Client) -> None:
    response = client.get("/api")
    assert response.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    document = response.json()
    assert document["openapi"].startswith("3.0")
    assert not [path for path in document["paths"] if "{collection}" in path]
    items = document["paths"]["/collections/buildings/items"]["get"]
    assert items["summary"]
    declared = {parameter["name"]: parameter for parameter in items["parameters"]}
    assert {"bbox", "datetime", "limit", "filter", "filter-lang", "height_m"} <= declared.keys()
    assert declared["filter-lang"]["schema"]["enum"] == ["cql2-text", "cql2-json", "cql-text"]
    assert declared["limit"]["schema"]["minimum"] == 1
    assert '"null"' not in response.text


def test_the_api_document_tells_what_is_answered(client: Client) -> None:
    document = client.get("/api").json()
    assert list(document["components"]["schemas"]) == ["Problem"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            answers = operation["responses"]
            assert {"400", "404", "503"} <= answers.keys(), (method, path)
            assert "422" not in answers, (method, path)
            assert "application/problem+json" in answers["400"]["content"]
    paths = document["paths"]
    assert set(paths["/collections/{name}"]) == {"get", "put", "delete"}
    queryables = paths["/collections/buildings/queryables"]["get"]["responses"]["200"]["content"]
    assert set(queryables) == {"application/schema+json", "text/html"}
    roofs = paths["/collections/roofsurfaces/items"]
    assert "application/city+json" not in roofs["get"]["responses"]["200"]["content"]
    assert not any("example" in p for p in roofs["get"]["parameters"] if p["in"] == "query")
    members = roofs["post"]["requestBody"]["content"]["application/json"]["schema"]["anyOf"][0]
    assert {"filter", "limit", "slope_deg"} <= members["properties"].keys()


def test_a_method_that_is_not_offered_is_answered_with_those_that_are(client: Client) -> None:
    response = client.request("PATCH", "/collections/districts")
    assert (response.status_code, response.headers["allow"]) == (405, "DELETE, GET, HEAD, PUT")
    assert client.request("PATCH", "/collections/buildings").headers["allow"] == "GET, HEAD"


def test_conformance_names_what_the_tests_prove(client: Client) -> None:
    found = client.get("/conformance").json()["conformsTo"]
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in found
    assert "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2" in found


def test_health(client: Client) -> None:
    assert client.get("/health/live").json() == {"status": "pass"}
    assert client.get("/health/ready").json()["datasets"] >= 3


def test_a_browser_gets_the_viewer_and_a_client_the_landing_page(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "index.html").write_text("<title>viewer</title>")
    (tmp_path / "app.js").write_text("1")
    monkeypatch.setattr(ogc, "VIEWER", tmp_path)
    with serving(create_app(database.reader(), database.settings)) as client:
        page = client.request("GET", "/", headers={"Accept": "text/html,*/*"})
        assert page.text == "<title>viewer</title>"
        assert "Accept" in page.headers["vary"].split(", ")
        assert client.request("GET", "/viewer/app.js").text == "1"
        assert client.request("GET", "/viewer/missing.js").json()["status"] == 404
        assert client.get("/").headers["content-type"] == "application/json"


def test_without_a_built_viewer_a_browser_gets_the_landing_page(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ogc, "VIEWER", tmp_path)
    assert "<h1>FinEst twin</h1>" in client.request("GET", "/", headers={"Accept": "text/html"}).text


@pytest.mark.parametrize(
    "path",
    ["/", "/conformance", "/collections/buildings/items?limit=5", "/collections/buildings/items?limit=0",
     "/collections/buildings/items/no", "/collections/buildings/download?f=csv"],
)  # fmt: skip
def test_head_is_get_without_the_body(client: Client, path: str) -> None:
    head, whole = client.request("HEAD", path), client.request("GET", path)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    assert head.headers == whole.headers


def test_part_5_is_kept_where_it_is_declared(client: Client) -> None:
    """OGC 23-058r1: links to the schemas of a collection, and the roles of id and geometry."""
    ogc_rel = "http://www.opengis.net/def/rel/ogc/1.0/"
    for collection in client.get("/collections").json()["collections"]:
        links = {link["rel"]: link["href"] for link in collection["links"]}
        found = {
            name: client.get(links[ogc_rel + name]).json() for name in ("schema", "queryables", "sortables")
        }
        for name, schema in found.items():
            assert schema["$id"] == links[ogc_rel + name]
            assert (schema["type"], bool(schema["properties"])) == ("object", True)
        roles = [p["x-ogc-role"] for p in found["schema"]["properties"].values() if "x-ogc-role" in p]
        assert sorted(roles) == ["id", "primary-geometry"]
        page = client.request("HEAD", f"/collections/{collection['id']}/items")
        assert page.links[ogc_rel + "queryables"]["url"] == links[ogc_rel + "queryables"]
