"""Collections that people bring are written, replaced, served and removed."""

from collections.abc import Iterator
from typing import Any

import pytest

from api import uploads
from api.app import create_app
from tests.api.client import Client, serving
from twin.db.engine import Database

ADDRESS = "/collections/my-areas"


def _feature(number: int, **properties: Any) -> dict[str, Any]:
    shape = {"type": "Point", "coordinates": [24.9 + number / 100, 60.2]}
    return {"type": "Feature", "id": f"f{number}", "geometry": shape, "properties": properties}


def _put(client: Client, *features: dict[str, Any], **params: str) -> Any:
    body = {"type": "FeatureCollection", "features": list(features)}
    return client.request("PUT", ADDRESS, json=body, params=params)


@pytest.fixture(autouse=True)
def _tidy(client: Client) -> Iterator[None]:
    yield
    client.request("DELETE", ADDRESS)


def test_an_upload_is_served_and_replaced(client: Client) -> None:
    made = _put(client, _feature(1, tags=["a", "b"], limit=3), _feature(2, tags=["c"], limit=4), title="Mine")
    assert made.status_code == 201
    assert made.headers["location"].endswith(ADDRESS)
    assert made.json() == {
        "id": "my-areas", "title": "Mine", "count": 2, "properties": {"tags": "list", "limit": "integer"}
    }  # fmt: skip
    page = client.get(f"{ADDRESS}/items")
    assert [f["id"] for f in page.json()["features"]] == ["f1", "f2"]
    assert page.json()["features"][0]["properties"] == {"tags": ["a", "b"], "limit": 3}
    again = client.request("GET", f"{ADDRESS}/items", headers={"If-None-Match": page.headers["etag"]})
    assert again.status_code == 304
    assert _put(client, _feature(3, name="new")).status_code == 200
    changed = client.request("GET", f"{ADDRESS}/items", headers={"If-None-Match": page.headers["etag"]})
    assert [f["id"] for f in changed.json()["features"]] == ["f3"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A_CONTAINS(tags, ('a'))", ["f1", "f2"]),
        ("A_CONTAINS(tags, ('a', 'b'))", ["f1"]),
        ("A_CONTAINEDBY(tags, ('a', 'c'))", ["f2"]),
        ("A_EQUALS(tags, ('b', 'a'))", ["f1"]),
        ("A_OVERLAPS(tags, ('b', 'c'))", ["f1", "f2"]),
        ("A_OVERLAPS(('x', 5), tags)", ["f3"]),
        ("NOT A_OVERLAPS(tags, ('a'))", ["f3"]),
        ("tags IS NULL", ["f4"]),
        ("A_CONTAINS(('a', 'b', 'c'), tags)", ["f1", "f2"]),
    ],
)
def test_lists_are_compared_as_sets(client: Client, text: str, expected: list[str]) -> None:
    tagged = [["a", "b"], ["a", "c"], [5, True], None]
    assert _put(client, *(_feature(n, tags=t) for n, t in enumerate(tagged, start=1))).status_code == 201
    found = client.get(f"{ADDRESS}/items", filter=text)
    assert [feature["id"] for feature in found.json()["features"]] == expected, found.text


def test_days_among_times(client: Client) -> None:
    _put(
        client,
        _feature(1, at="2026-01-31T23:30:00Z", day="2026-01-31"),
        _feature(2, at="2026-02-01T00:00:00Z"),
    )

    def ids(text: str) -> list[str]:
        response = client.get(f"{ADDRESS}/items", filter=text)
        assert response.status_code == 200, response.text
        return [feature["id"] for feature in response.json()["features"]]

    assert ids("T_INTERSECTS(at, DATE('2026-01-31'))") == ["f1"]
    assert ids("T_AFTER(at, DATE('2026-01-31'))") == ["f2"]
    assert ids("T_INTERSECTS(at, day)") == ["f1"]
    assert ids("T_DURING(at, INTERVAL(day, '..'))") == ["f1"]
    assert ids("at > TIMESTAMP('2026-01-31T23:45:00Z')") == ["f2"]
    assert [f["id"] for f in client.get(f"{ADDRESS}/items", day="2026-01-31").json()["features"]] == ["f1"]


def test_parameters_are_those_of_the_collection(client: Client) -> None:
    _put(client, _feature(1, name="x", height=2.5))
    assert len(client.get(f"{ADDRESS}/items", name="x", height="2.5").json()["features"]) == 1
    unknown = client.get(f"{ADDRESS}/items", height_m="2.5")
    assert unknown.status_code == 400
    assert "height" in unknown.json()["detail"]
    assert client.get(f"{ADDRESS}/items", datetime="2026-01-01").status_code == 400
    assert client.get(f"{ADDRESS}/items/f1", f="cityjson").status_code == 400
    assert client.get(f"{ADDRESS}/items/f9").status_code == 404
    assert client.get(f"{ADDRESS}/3dtiles/tileset.json").status_code == 404
    assert client.get(f"{ADDRESS}/statistics", groupby="name").json()["groups"] == [{"name": "x", "count": 1}]
    assert client.get(f"{ADDRESS}/items", sortby="-height,name").status_code == 200


@pytest.mark.parametrize("name", ["Areas", "1st", "a b", "x" * 64, "a'b"])
def test_names_are_plain(client: Client, name: str) -> None:
    assert client.request("PUT", f"/collections/{name}", content=b"{}").status_code == 400


def test_collections_of_the_city_model_stay(client: Client) -> None:
    body = {"type": "FeatureCollection", "features": [_feature(1)]}
    taken = client.request("PUT", "/collections/buildings", json=body)
    assert taken.status_code == 400
    assert client.request("DELETE", "/collections/buildings").status_code == 404
    assert client.items().status_code == 200


def test_bad_files_and_pages_of_other_sites_are_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.request("PUT", ADDRESS, content=b"").status_code == 400
    assert "no JSON" in client.request("PUT", ADDRESS, content=b"{").json()["detail"]
    foreign = client.request("PUT", ADDRESS, content=b"{}", headers={"Origin": "http://evil.example"})
    assert foreign.status_code == 403
    own = {"Origin": "http://localhost", "Host": "localhost"}
    assert client.request("PUT", ADDRESS, content=b"{}", headers=own).status_code == 400
    for host in ("evil.example", "127.0.0.1.evil.example", "evil.example:8000", "", "[", "[::1"):
        bent = {"Origin": f"http://{host}", "Host": host}
        assert client.request("PUT", ADDRESS, content=b"{}", headers=bent).status_code in {401, 403}
    monkeypatch.setattr(uploads, "MAX_UPLOAD_BYTES", 10)
    assert client.request("PUT", ADDRESS, content=b" " * 10).status_code == 400
    assert client.request("PUT", ADDRESS, content=b" " * 11).status_code == 413


def test_characters_that_no_database_text_can_hold_are_left_out(client: Client) -> None:
    assert _put(client, _feature(1, **{"na\0me": "x\0y", "list": ["a\0b"]})).status_code == 201
    (found,) = client.get(f"{ADDRESS}/items", name="xy").json()["features"]
    assert found["properties"] == {"name": "xy", "list": ["ab"]}


def test_without_a_writer_nothing_is_uploaded(database: Database) -> None:
    with serving(create_app(database.reader(), database.settings)) as reader:
        assert reader.request("PUT", ADDRESS, content=b"{}").status_code == 403
        assert reader.request("DELETE", ADDRESS).status_code == 403


def test_the_api_document_has_the_collection(client: Client) -> None:
    _put(client, _feature(1, name="x", height=2.5))
    paths = client.get("/api").json()["paths"]
    items = paths["/collections/my-areas/items"]["get"]
    names = {parameter["name"] for parameter in items["parameters"]}
    assert {"name", "height", "filter", "limit", "sortby"} <= names
    assert not {"height_m", "datetime", "dataset"} & names
    assert "/collections/my-areas/statistics" in paths
    assert not [path for path in paths if "my-areas" in path and "tiles" in path]
    ids = [operation["operationId"] for path in paths.values() for operation in path.values()]
    assert len(set(ids)) == len(ids)
