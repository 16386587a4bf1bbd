"""Parts of buildings with what was delivered of them: as CityJSON with their building, and as JSON-FG."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from api.app import create_app
from importers.grasp import ImportOptions
from importers.ingest import Ingest
from importers.port import Refused
from importers.reader import open_model
from tests.api import parts
from tests.api.client import Client, serving
from tests.api.parts import SHAPES, Box
from tests.api.test_items import detail
from tests.importers.stored import clean
from twin.db.engine import Database
from twin.model.cityobject import CityFeature

PARTS = "/collections/buildingparts"
ITEMS = f"{PARTS}/items"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return parts.written(tmp_path_factory.mktemp("parts") / "block.city.json", parts.model())


@pytest.fixture(scope="module")
def client(database: Database, model: Path) -> Iterator[Client]:
    with clean(database.engine):
        Ingest(database.engine, ImportOptions(dataset="block")).run(model)
        with serving(create_app(database.reader(), database.settings)) as client:
            yield client


def objects_of(path: Path) -> dict[str, CityFeature]:
    """The features of a file of CityJSON by the ids of their roots; none is refused."""
    found = list(open_model(path))
    assert not [item for item in found if isinstance(item, Refused)]
    return {item.root.id: item for item in found if isinstance(item, CityFeature)}


def document(client: Client, name: str) -> dict[str, Any]:
    answer = client.get(f"{ITEMS}/block.{name}", f="cityjson")
    assert answer.headers["content-type"] == "application/city+json"
    return answer.json()


def test_cityjson_of_a_part_is_its_building_with_that_part(client: Client, tmp_path: Path) -> None:
    found = document(client, "tower")
    assert (found["type"], found["version"]) == ("CityJSON", "2.0")
    objects = found["CityObjects"]
    assert set(objects) == {"court", "hall", "tower"}
    assert objects["court"]["children"] == ["hall"]
    assert objects["hall"] == {
        "type": "BuildingPart", "attributes": {"called": "hall"}, "parents": ["court"], "children": ["tower"]
    }  # fmt: skip
    assert "geometry" not in objects["court"]
    assert [len(objects["tower"]["geometry"]), len(found["vertices"])] == [1, 8]
    # What is below a part comes with it; the building's own geometry is that of all its parts.
    assert set(document(client, "hall")["CityObjects"]) == {"court", "hall", "tower", "canopy"}
    both = document(client, "shed")["CityObjects"]
    assert (set(both), "geometry" in both["both"]) == ({"both", "shed"}, False)
    (again,) = objects_of(parts.written(tmp_path / "a.city.json", found)).values()
    assert [(o.id, o.type, o.parent, len(o.geometries)) for o in again] == [
        ("court", "Building", None, 0), ("hall", "BuildingPart", "court", 0),
        ("tower", "BuildingPart", "hall", 1),
    ]  # fmt: skip


def test_parts_of_one_building_are_one_feature_of_cityjson(
    client: Client, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = objects_of(model)
    page = client.get(ITEMS, f="cityjson", dataset="block")
    found = objects_of(parts.written(tmp_path / "page.city.json", page.json()))
    assert set(found) == {"court", "villa", "both"}
    # With all its parts a building is what it was, but for a geometry of its own.
    for root, feature in found.items():
        assert {o.id: o.attributes for o in feature} == {o.id: o.attributes for o in whole[root]}
    for rows_of_a_page in (500, 1, 2):
        monkeypatch.setattr("api.download.ROWS_OF_A_PAGE", rows_of_a_page)
        answer = client.get(f"{PARTS}/download", f="cityjsonseq", dataset="block")
        head, *lines = map(orjson.loads, answer.content.splitlines())
        assert (head["type"], head["CityObjects"]) == ("CityJSON", {})
        assert [line["id"] for line in lines] == ["both", "court", "villa"]
        file = tmp_path / "all.city.jsonl"
        file.write_bytes(answer.content)
        for root, feature in objects_of(file).items():
            assert {(o.id, len(o.geometries)) for o in feature if o.id != "both"} == {
                (o.id, len(o.geometries)) for o in whole[root] if o.id != "both"
            }
    none = client.get(f"{PARTS}/download", f="cityjsonseq", filter="height_m > 1e6").content
    assert orjson.loads(none)["type"] == "CityJSON"
    refused = client.get(f"{PARTS}/download", f="cityjsonseq", sortby="height_m")
    assert "leave 'sortby' out" in detail(refused)


def test_json_fg_has_the_solids_of_the_part(client: Client) -> None:
    found = {f["properties"]["object_id"]: f for f in client.get(ITEMS, f="jsonfg").json()["features"]}
    assert {feature["featureType"] for feature in found.values()} == {"buildingpart"}
    assert found["shed"]["place"] is None
    below = {"wing": ["wing"], "hall": ["hall", "tower", "canopy"], "tower": ["tower"], "only": ["only"]}
    for name, shown in below.items():
        place = found[name]["place"]
        solids = [place["coordinates"]] if len(shown) == 1 else place["coordinates"]
        # Northing comes first in EPSG:3879.
        assert sorted(map(points, solids)) == sorted(corners(SHAPES[other]) for other in shown)


def points(solid: Any) -> list[tuple[float, ...]]:
    """The different points of a polyhedron."""
    return sorted({tuple(p) for shell in solid for face in shell for ring in face for p in ring})


def corners(box: Box) -> list[tuple[float, ...]]:
    return sorted((y, x, z) for x, y in box.corners for z in (box.z, box.z + box.height))
