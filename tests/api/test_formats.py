"""Every format of features, read back by other programs, equals the GeoJSON of the same request."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from api.app import create_app
from api.formats import OF_DOWNLOADS
from api.security.caller import public
from tests.api.client import Client, serving
from tests.api.seeding import ALTERNATIVE, PRIMARY, Seeded
from twin.db.engine import Database
from twin.model.attributes import CATALOGUE

TOWNS = ",".join(PRIMARY)
ITEMS = "/collections/buildings/items"
DOWNLOAD = "/collections/buildings/download"
_pa: Any = pa
_pq: Any = pq
_shapely: Any = shapely
_pyogrio: Any = pyogrio

AREAS = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "id": "7",
            "geometry": {"type": "Polygon", "coordinates": [[[24.9, 60], [25, 60], [25, 61], [24.9, 60]]]},
            "properties": {"bbox": 'a, "b"', "opened": "1912-02-03", "tags": ["x", "ä"], "people": 12},
        },
        {"type": "Feature", "id": "8", "geometry": None, "properties": {"bbox": None, "people": None}},
    ],
}


@pytest.fixture(scope="module")
def areas(client: Client) -> Iterator[str]:
    put = client.request("PUT", "/collections/areas", content=orjson.dumps(AREAS))
    assert put.status_code in {200, 201}, put.text
    yield "/collections/areas"
    assert client.request("DELETE", "/collections/areas").status_code == 204


def rows_of(response: httpx.Response) -> list[dict[str, str]]:
    assert response.status_code == 200, response.text
    return list(csv.DictReader(io.StringIO(response.content.decode(), newline="")))


def arrow(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    return _pa.ipc.open_stream(response.content).read_all()


def parquet(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    return _pq.read_table(_pa.BufferReader(response.content))


def geo_metadata(response: httpx.Response) -> dict[str, Any]:
    return orjson.loads(_pq.read_metadata(_pa.BufferReader(response.content)).metadata[b"geo"])


def test_csv_is_a_table_of_the_catalogue(client: Client, seeded_towns: list[Seeded]) -> None:
    response = client.get(DOWNLOAD, f="csv", dataset=TOWNS)
    assert response.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert response.headers["content-disposition"] == 'attachment; filename="buildings.csv"'
    rows = rows_of(response)
    assert list(rows[0]) == ["id", *(attribute.name for attribute in CATALOGUE), "geometry"]
    stored = {item.id: item for item in seeded_towns}
    assert [row["id"] for row in rows] == sorted(stored)
    for row in rows:
        known = stored[row["id"]].properties
        assert row["material"] == (known["material"] or "")
        assert row["height_m"] == ("" if known["height_m"] is None else str(known["height_m"]))
        assert row["closed"] == {True: "true", False: "false", None: ""}[known["closed"]]
        assert _shapely.from_wkt(row["geometry"]).bounds == pytest.approx(stored[row["id"]].square)


@pytest.mark.parametrize("form", ["arrow", "geoparquet"])
def test_binary_tables(client: Client, seeded_towns: list[Seeded], form: str) -> None:
    response = client.get(DOWNLOAD, f=form, dataset=TOWNS)
    table = (arrow if form == "arrow" else parquet)(response)
    stored = {item.id: item for item in seeded_towns}
    found = table.to_pylist()
    assert [row["id"] for row in found] == sorted(stored)
    for row in found:
        known = stored[row["id"]]
        assert {name: row[name] for name in known.properties} == known.properties
        assert _shapely.from_wkb(row["geometry"]).bounds == pytest.approx(known.square)
    types = {name: str(table.schema.field(name).type) for name in ("surfaces", "height_m", "closed", "city")}
    assert types == {"surfaces": "int64", "height_m": "double", "closed": "bool", "city": "string"}


def test_geoparquet_metadata(client: Client, seeded_towns: list[Seeded]) -> None:
    response = client.get(DOWNLOAD, f="geoparquet", dataset=TOWNS)
    assert response.headers["content-type"] == "application/vnd.apache.parquet"
    geo = geo_metadata(response)
    assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
    column = geo["columns"]["geometry"]
    west, south, east, north = zip(*(item.square for item in seeded_towns), strict=True)
    assert column["bbox"] == pytest.approx([min(west), min(south), max(east), max(north)])
    assert (column["encoding"], column["geometry_types"], "crs" in column) == ("WKB", ["MultiPolygon"], False)
    boxes = {row["id"]: row["bbox"] for row in parquet(response).to_pylist()}
    for item in seeded_towns:
        assert list(boxes[item.id].values()) == pytest.approx(item.square)
    assert set(column["covering"]["bbox"]) == {"xmin", "ymin", "xmax", "ymax"}
    moved = client.get(DOWNLOAD, f="geoparquet", dataset=TOWNS, crs=epsg(3067))
    crs = geo_metadata(moved)["columns"]["geometry"]["crs"]
    assert crs["id"] == {"authority": "EPSG", "code": 3067}


def test_arrow_says_what_its_geometry_is(client: Client) -> None:
    field = arrow(client.get(DOWNLOAD, f="arrow", crs=epsg(3879))).schema.field("geometry")
    assert field.metadata[b"ARROW:extension:name"] == b"geoarrow.wkb"
    told = orjson.loads(field.metadata[b"ARROW:extension:metadata"])
    assert (told["crs_type"], told["crs"]["id"]["code"]) == ("projjson", 3879)


def epsg(code: int) -> str:
    return f"http://www.opengis.net/def/crs/EPSG/0/{code}"


def test_a_text_sequence(client: Client) -> None:
    whole = client.get(DOWNLOAD, dataset=TOWNS).json()["features"]
    response = client.get(DOWNLOAD, f="geojsonseq", dataset=TOWNS)
    assert response.headers["content-type"] == "application/geo+json-seq"
    first, *texts = response.content.split(b"\x1e")
    assert first == b""
    assert all(text.endswith(b"\n") and text.count(b"\n") == 1 for text in texts)
    assert [orjson.loads(text) for text in texts] == whole


def test_a_download_is_all_pages(client: Client, seeded_towns: list[Seeded]) -> None:
    whole = client.get(DOWNLOAD, dataset=TOWNS, sortby="-height_m")
    assert whole.headers["content-type"] == "application/geo+json"
    body = whole.json()
    assert (body["type"], len(body["features"])) == ("FeatureCollection", len(seeded_towns))
    assert body["timeStamp"].endswith("Z")
    assert body["features"] == client.items(dataset=TOWNS, sortby="-height_m", limit=500).json()["features"]
    assert "'limit'" in client.get(DOWNLOAD, limit=3).json()["detail"]


@pytest.mark.parametrize("form", [form.name for form in OF_DOWNLOADS if not form.solids])
def test_nothing_is_an_answer_too(client: Client, form: str) -> None:
    for path in (ITEMS, DOWNLOAD):
        response = client.get(path, f=form, dataset="nowhere")
        assert response.status_code == 200, response.text
        if form == "csv":
            assert rows_of(response) == []
            assert response.text.startswith("id,city,")
        if form in {"arrow", "geoparquet"}:
            assert (arrow if form == "arrow" else parquet)(response).num_rows == 0


@pytest.mark.parametrize("form", ["csv", "geoparquet", "geojsonseq"])
def test_pages_of_any_format_have_links(client: Client, seeded_towns: list[Seeded], form: str) -> None:
    page = client.get(ITEMS, f=form, dataset=TOWNS, limit=50, count="exact")
    assert (page.headers["ogc-numberreturned"], page.headers["ogc-numbermatched"]) == ("50", "120")
    number = 50
    while "next" in page.links:
        page = client.request("GET", page.links["next"]["url"])
        number += int(page.headers["ogc-numberreturned"])
    assert number == len(seeded_towns)


def test_the_format_may_be_asked_for_by_accept(client: Client) -> None:
    def kind(accept: str, **params: str) -> str:
        response = client.request("GET", ITEMS, params={"limit": "1", **params}, headers={"Accept": accept})
        assert "Accept" in response.headers["vary"]
        return response.headers["content-type"].partition(";")[0]

    assert kind("text/csv") == "text/csv"
    assert kind("text/html, */*;q=0.8") == "text/html"
    assert kind("*/*, text/html;q=0.8") == "application/geo+json"
    assert kind("text/csv;q=0.5, application/geo+json-seq") == "application/geo+json-seq"
    assert kind("text/csv;q=0, application/json") == "application/geo+json"
    assert kind("text/csv", f="json") == "application/geo+json"
    assert kind("text/csv;q=x") == "application/geo+json"
    assert "offered: json, geojson" in client.get(ITEMS, f="shp").json()["detail"]
    tags = {client.get(ITEMS, f=form, limit=1).headers["etag"] for form in ("csv", "json", "arrow")}
    assert len(tags) == 3


def test_chosen_properties(client: Client, seeded_towns: list[Seeded]) -> None:
    chosen = {"dataset": TOWNS, "properties": "height_m,attributes,city,height_m"}
    rows = rows_of(client.get(DOWNLOAD, f="csv", **chosen))
    assert list(rows[0]) == ["id", "height_m", "attributes", "city", "geometry"]
    assert orjson.loads(rows[0]["attributes"]) == {"owner": "a person", "kerrosluku": "3"}
    assert arrow(client.get(DOWNLOAD, f="arrow", **chosen)).column_names == list(rows[0])
    assert len(rows) == len(seeded_towns)
    for form in ("csv", "geoparquet", "json"):
        refused = client.get(DOWNLOAD, f=form, properties="heigth_m")
        assert "Did you mean 'height_m'" in refused.json()["detail"]
        assert "not in the answers" in client.get(DOWNLOAD, f=form, properties="updated").json()["detail"]


@pytest.mark.parametrize("form", [form.name for form in OF_DOWNLOADS if not form.solids])
def test_personal_data_need_their_scope(database: Database, seeded_towns: list[Seeded], form: str) -> None:
    assert seeded_towns
    app = create_app(database.reader(), database.settings, public())
    with serving(app) as outsider:
        for path in (ITEMS, DOWNLOAD):
            response = outsider.get(path, f=form, dataset=TOWNS)
            assert response.status_code == 200, response.text
            assert "private" not in response.headers["cache-control"]
            content = response.content
            if form == "geoparquet":
                content = repr(parquet(response).to_pylist()).encode()
            for secret in ("street", "Satamakatu", "Mäkitie", "a person", "attributes", "house_number"):
                assert secret.encode() not in content, secret
            for name in ("street", "height_m,attributes"):
                refused = outsider.get(path, f=form, properties=name)
                assert "personal data" in refused.json()["detail"]
            assert "personal data" in outsider.get(path, f=form, filter="street = 'Mäkitie'").json()["detail"]
            assert "personal data" in outsider.get(path, f=form, sortby="street").json()["detail"]


def test_uploaded_collections_have_the_formats(client: Client, areas: str) -> None:
    first, second = rows_of(client.get(f"{areas}/download", f="csv"))
    assert {**first, "geometry": ""} == {
        "id": "7", "bbox": 'a, "b"', "opened": "1912-02-03", "tags": '["x","ä"]', "people": "12",
        "geometry": "",
    }  # fmt: skip
    assert _shapely.from_wkt(first["geometry"]).bounds == (24.9, 60.0, 25.0, 61.0)
    assert (second["people"], second["geometry"]) == ("", "")
    table = parquet(client.get(f"{areas}/download", f="geoparquet"))
    assert table.column_names == ["id", "bbox", "opened", "tags", "people", "geometry_bbox", "geometry"]
    assert str(table.schema.field("opened").type) == "date32[day]"
    assert table.to_pylist()[1]["geometry_bbox"] is None
    seq = client.get(f"{areas}/items", f="geojsonseq").content.split(b"\x1e")[1:]
    assert [orjson.loads(text)["id"] for text in seq] == ["7", "8"]


def test_a_csv_can_be_uploaded_again(client: Client) -> None:
    written = client.get(DOWNLOAD, f="csv", dataset=TOWNS, properties="height_m,material").content
    assert client.request("PUT", "/collections/again", content=written).status_code in {200, 201}
    again = client.get("/collections/again/items", limit=1000).json()["features"]
    known = client.items(dataset=TOWNS, limit=1000, properties="height_m,material").json()["features"]
    found = {feature["properties"].pop("id"): feature for feature in again}
    assert len(found) == len(known) > 0
    for feature in known:
        copy = found[feature["id"]]
        assert copy["properties"] == feature["properties"]
        shapes = (_shapely.from_geojson(orjson.dumps(f["geometry"])) for f in (copy, feature))
        assert next(shapes).equals(next(shapes))
    assert client.request("DELETE", "/collections/again").status_code == 204


def test_the_past_in_every_format(client: Client) -> None:
    for form in ("csv", "arrow", "geoparquet", "geojsonseq"):
        past = client.get(DOWNLOAD, f=form, dataset=ALTERNATIVE, datetime="2025-01-01")
        now = client.get(DOWNLOAD, f=form, dataset=ALTERNATIVE, datetime="2026-01-02")
        assert past.status_code == now.status_code == 200
        assert len(past.content) < len(now.content)


@pytest.mark.parametrize(
    ("form", "suffix"),
    [("geojsonseq", "geojsonl"), ("csv", "csv"), ("json", "geojson"), ("flatgeobuf", "fgb")],
)
def test_gdal_reads_it(
    client: Client, seeded_towns: list[Seeded], tmp_path: Any, form: str, suffix: str
) -> None:
    file = tmp_path / f"buildings.{suffix}"
    file.write_bytes(client.get(DOWNLOAD, f=form, dataset=TOWNS).content)
    more = {"GEOM_POSSIBLE_NAMES": "geometry"} if form == "csv" else {}
    told = _pyogrio.read_info(file, **more)
    # A FlatGeobuf that is streamed does not tell its number.
    assert told["features"] == (-1 if form == "flatgeobuf" else len(seeded_towns))
    _, _, shapes, columns = _pyogrio.raw.read(file, **more)
    assert len(shapes) == len(seeded_towns)
    names = list(_pyogrio.read_info(file, **more)["fields"])
    identifiers = [f"{d}.{o}" for d, o in zip(columns[names.index("dataset")],
                                              columns[names.index("object_id")], strict=True)]  # fmt: skip
    squares = {item.id: item.square for item in seeded_towns}
    for identifier, shape in zip(identifiers, shapes, strict=True):
        assert _shapely.from_wkb(shape).bounds == pytest.approx(squares[identifier])


def test_what_has_not_changed_is_not_sent_again(client: Client) -> None:
    first = client.get(DOWNLOAD, f="csv", dataset=TOWNS)
    tag = first.headers["etag"]
    again = client.request("GET", str(first.request.url), headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)


def test_pages_link_to_the_other_formats(client: Client) -> None:
    for query in ({"dataset": PRIMARY[0]}, {"dataset": TOWNS}, {}):
        page = client.items(limit=2, **query)
        found = {link["type"]: link["href"] for link in page.json()["links"] if link["rel"] == "alternate"}
        assert len(found) == (9 if len(query.get("dataset", "").split(",")) == 1 and query else 7)
        for kind, address in found.items():
            other = client.request("GET", address)
            assert (other.status_code, other.headers["content-type"].partition(";")[0]) == (200, kind)
