"""What is not open to who asks is in no answer, and no answer tells of it: personal data, other cities."""

import io
import math
from collections.abc import Iterator
from typing import Any

import pyarrow.parquet
import pytest
from sqlalchemy import select

from api.formats import OF_ITEMS
from api.security.caller import closed
from tests.api.client import Client
from tests.api.roofs import Row, roofs
from tests.api.security.asking import bearer, guarded, new_key
from tests.api.tile_client import all_contents
from twin.db.engine import Database
from twin.db.schema import feature
from twin.model.attributes import CATALOGUE

HERE, THERE = "tallinn", "helsinki"
BUILDINGS = "/collections/buildings"
ROOFS = "/collections/roofsurfaces"
SCOPES = ("read", "stats", "export")
_parquet: Any = pyarrow.parquet
PERSONAL = [attribute.name for attribute in CATALOGUE if attribute.access != "public"]


def cells(rows: list[Row], level: int) -> set[str]:
    """The vector tiles, as level, row and column, in which buildings stand."""
    found: set[str] = set()
    for row in rows:
        across = (row["west"] + 180) / 360
        down = (1 - math.asinh(math.tan(math.radians(row["south"]))) / math.pi) / 2
        found.add(f"{level}/{int(down * 2**level)}/{int(across * 2**level)}")
    return found


class Asking:
    """A client with a key; what it reads is text or bytes in which a secret would be seen."""

    def __init__(self, client: Client, key: str) -> None:
        self.app = client.app
        self._client = client
        self._key = key

    def request(self, method: str, url: str, **more: Any) -> Any:
        headers = {**bearer(self._key), "Accept-Encoding": "identity", **more.pop("headers", {})}
        return self._client.request(method, url, headers=headers, **more)

    def get(self, path: str, **params: Any) -> Any:
        return self.request("GET", path, params=params or None)

    def seen(self, path: str, **params: Any) -> bytes:
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"].startswith("private")
        if params.get("f") == "geoparquet":
            return repr(_parquet.read_table(io.BytesIO(answer.content)).to_pylist()).encode()
        return answer.content

    def everything(self, rows: list[Row]) -> Iterator[tuple[str, bytes]]:
        """All answers of which a whole collection is made, in every form."""
        for form in OF_ITEMS:
            one = {"dataset": "other"} if form.solids else {}
            for path in (BUILDINGS, ROOFS):
                if path == BUILDINGS or not form.solids:
                    yield form.name, self.seen(f"{path}/items", f=form.name, limit=1000, **one)
                if form.name not in {"html", "cityjson"} and (path == BUILDINGS or not form.solids):
                    yield f"{form.name} of all", self.seen(f"{path}/download", f=form.name, **one)
        for address in all_contents(self, f"{BUILDINGS}/3dtiles/tileset.json?profile=plain"):  # type: ignore[arg-type]
            yield address, self.seen(address)
            yield address, self.seen(address.replace(".glb", ".arrow"))
        tiles = [self.get(f"{BUILDINGS}/tiles/WebMercatorQuad/{cell}") for cell in cells(rows, 15)]
        assert {200} <= {tile.status_code for tile in tiles} <= {200, 204}
        yield from (("vector tile", tile.content) for tile in tiles)
        for path in (
            "/datasets",
            "/collections",
            *(f"{BUILDINGS}{end}" for end in ("", "/queryables", "/schema")),
        ):
            yield path, self.seen(path)


@pytest.fixture(scope="module")
def rows(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Row]]:
    with roofs(database.engine, tmp_path_factory.mktemp("access")):
        columns = [
            feature.c[name] for name in ("id", "city", "dataset", "object_id", "west", "south", *PERSONAL)
        ]
        with database.engine.connect() as connection:
            yield [dict(row) for row in connection.execute(select(*columns)).mappings()]


@pytest.fixture(scope="module")
def served(database: Database, rows: list[Row]) -> Iterator[Client]:
    assert rows
    with guarded(database, closed()) as client:
        yield client


@pytest.fixture(scope="module")
def reader(served: Client, database: Database) -> Asking:
    """Sees all cities, and nothing personal."""
    return Asking(served, new_key(database, *SCOPES))


@pytest.fixture(scope="module")
def local(served: Client, database: Database) -> Asking:
    """Sees one city, with personal data."""
    return Asking(served, new_key(database, *SCOPES, "personal", cities=[HERE]))


@pytest.fixture(scope="module")
def insider(served: Client, database: Database) -> Asking:
    """Sees everything."""
    return Asking(served, new_key(database, *SCOPES, "personal"))


def test_personal_data_are_in_no_answer(reader: Asking, insider: Asking, rows: list[Row]) -> None:
    secrets = {row["street"].encode() for row in rows if row["street"]}
    assert secrets
    # What the one saw is remembered by the process when the other asks.
    page = insider.seen(f"{BUILDINGS}/items", limit=1000)
    for _, content in reader.everything(rows):
        assert not [secret for secret in secrets if secret in content]
        assert content.startswith(b"glTF") or b'"attributes":{"' not in content
    # The same look finds them where they are open.
    assert b'"attributes":{"' in page
    assert any(secret in page for secret in secrets)


@pytest.mark.parametrize("name", PERSONAL)
def test_nothing_can_be_asked_by_what_is_personal(reader: Asking, insider: Asking, name: str) -> None:
    asked: list[tuple[str, dict[str, str]]] = [
        *((f"{BUILDINGS}/{end}", {way: value})
          for end in ("items", "download", "statistics", "3dtiles/tileset.json")
          for way, value in (("filter", f"{name} = 'x'"), ("filter", f"CASEI({name}) LIKE 'a%'"),
                             ("filter", f"{name} IS NULL"), (name, "x"))),
        *((f"{BUILDINGS}/{end}", {way: name}) for end in ("items", "download")
          for way in ("sortby", "properties")),
        (f"{BUILDINGS}/items", {"sortby": f"-{name}"}),
        (f"{BUILDINGS}/statistics", {"groupby": name}),
        (f"{BUILDINGS}/statistics", {"aggregate": f"min({name})"}),
        (f"{BUILDINGS}/histogram", {"property": name}),
        (f"{BUILDINGS}/histogram", {"property": "height_m", "groupby": name}),
        (f"{BUILDINGS}/histogram", {"property": "height_m", "filter": f"{name} = 'x'"}),
        (f"{BUILDINGS}/3dtiles/tileset.json", {"properties": name}),
        (f"{BUILDINGS}/tiles/WebMercatorQuad/0/0/0", {"properties": name}),
        (f"{BUILDINGS}/tiles/WebMercatorQuad/0/0/0", {"filter": f"{name} = 'x'"}),
        (f"{BUILDINGS}/tiles/WebMercatorQuad/tilejson.json", {"properties": name}),
        (f"{BUILDINGS}/items", {"filter": f"{name} = 'x'", "f": "html"}),
    ]  # fmt: skip
    for path, params in asked:
        refused = reader.get(path, **params)
        assert refused.status_code == 400, (path, params, refused.text[:200])
        assert "personal" in refused.text or "may be" in refused.text, (path, params)
    body = {"filter": {"op": "=", "args": [{"property": name}, "x"]}}
    assert reader.request("POST", f"{BUILDINGS}/items", json=body).status_code == 400
    call = {"name": "items", "arguments": {"collection": "buildings", "sortby": name}}
    rpc = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    assert reader.request("POST", "/mcp", json=rpc).json()["result"]["isError"]
    assert name not in reader.get(f"{BUILDINGS}/queryables").json()["properties"]
    assert insider.get(f"{BUILDINGS}/items", filter=f"{name} = 'x'").status_code == 200


def test_originals_are_not_open_by_name(reader: Asking, insider: Asking) -> None:
    for path, way in (("items", "properties"), ("items", "sortby"), ("statistics", "groupby")):
        assert reader.get(f"{BUILDINGS}/{path}", **{way: "attributes"}).status_code == 400
    assert reader.get(f"{BUILDINGS}/items", filter="attributes IS NULL").status_code == 400
    assert b"attributes" in insider.seen(f"{BUILDINGS}/items", properties="attributes", limit=1)


def test_another_city_is_in_no_answer(local: Asking, rows: list[Row]) -> None:
    own = {row["id"] for row in rows if row["city"] == HERE}
    others = {row["id"].encode() for row in rows if row["city"] != HERE}
    assert own
    assert len(others) > len(own)
    met: set[str] = set()
    for where, content in local.everything(rows):
        assert THERE.encode() not in content, where
        assert not [id for id in others if id in content], where
        met |= {id for id in own if id.encode() in content}
    assert met == own


def test_another_city_is_as_if_it_were_not(local: Asking, insider: Asking, rows: list[Row]) -> None:
    own = sum(row["city"] == HERE for row in rows)
    other = next(row for row in rows if row["dataset"] == "first")
    for path in (f"{BUILDINGS}/items/{other['id']}", "/datasets/first/report"):
        assert insider.get(path).status_code == 200
        assert local.get(path).status_code == 404
    assert "first" not in local.get("/datasets/first/report").json()["detail"].partition("Known:")[2]
    assert insider.get(f"{BUILDINGS}/items", within=f"buildings/{other['id']}").status_code == 200
    assert local.get(f"{BUILDINGS}/items", within=f"buildings/{other['id']}").status_code == 404
    for params in ({"dataset": "first"}, {"filter": f"city = '{THERE}'"}, {"city": THERE}):
        assert local.get(f"{BUILDINGS}/items", count="exact", **params).json()["numberMatched"] == 0
    groups = local.get(f"{BUILDINGS}/statistics", groupby="city", aggregate="count").json()["groups"]
    assert groups == [{"city": HERE, "count": own}]
    spread = local.get(f"{BUILDINGS}/histogram", property="height_m", groupby="city").text
    assert THERE not in spread
    assert [row["name"] for row in local.get("/datasets").json()["datasets"]] == ["other"]
    box = local.get(BUILDINGS).json()["extent"]["spatial"]["bbox"][0]
    assert box[3] < 59.9 < insider.get(BUILDINGS).json()["extent"]["spatial"]["bbox"][0][3]


def test_what_was_told_to_one_is_not_known_to_another(local: Asking, insider: Asking, reader: Asking) -> None:
    ends = ("items", "statistics", "3dtiles/tileset.json", "histogram?property=height_m")
    for path in (f"{BUILDINGS}/{end}" for end in ends):
        tags = [asking.get(path).headers["etag"] for asking in (local, insider)]
        assert tags[0] != tags[1]
        again = insider.request("GET", path, headers={"If-None-Match": tags[0]})
        assert again.status_code == 200
    assert (
        reader.get(f"{BUILDINGS}/items").headers["etag"] != insider.get(f"{BUILDINGS}/items").headers["etag"]
    )
