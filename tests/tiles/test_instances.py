"""Templates in tiles: where their corners are, whose they are, and when they are meshes like any other."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, func, select, update

from importers.ingest import Ingest
from importers.reader import open_model
from tests.importers.stored import clean
from tests.tiles import gltf
from tests.tiles.park import PLACES, TEMPLATES, Json, park, written
from tiles import build, glb
from tiles.batch import write_tileset
from tiles.build import TileRequest, build_object, build_tile, lack_templates, limits_of, snapshot
from tiles.check import check_path
from tiles.check_glb import inspect_glb
from tiles.frame import Frame
from tiles.instances import groups_of
from tiles.tileset import Tile
from twin.db import collections, schema
from twin.db.engine import Database
from twin.db.query import Selection, View
from twin.db.template_tables import template_mesh
from twin.model.cells import Cell
from twin.model.cityobject import CityFeature, highest_lod, shapes_at
from twin.model.crs import Placer, ReferenceSystem
from twin.processing.derive import Derived, derive
from twin.processing.mesh import decode
from twin.processing.pipeline import process

SYSTEMS = {"helsinki": (3879, 3900), "tallinn": (3301, 9663)}
HELSINKI = Placer.create(ReferenceSystem(*SYSTEMS["helsinki"]))
TREES = 60
WORLD = Tile(Cell(0, 0, 0))


def features(folder: Path, model: Json) -> list[CityFeature]:
    return [each for each in open_model(written(folder, model)) if isinstance(each, CityFeature)]


def members(found: Sequence[Derived]) -> list[dict[str, Any]]:
    """Rows as the database has them for a tile."""
    seen: set[bytes] = set()
    rows: list[dict[str, Any]] = []
    for number, derived in enumerate(found):
        mesh, place = derived.mesh, derived.place
        assert mesh is not None
        assert place is not None
        fresh = mesh.templates and mesh.templates not in seen
        seen.add(mesh.templates)
        rows.append(
            {
                "id": f"park.{number}",
                "type": "SolitaryVegetationObject",
                "mesh": mesh.data,
                "faces": mesh.faces,
                "templates": mesh.templates or None,
                "instances": mesh.instances or None,
                "template_mesh": [each.mesh.data for each in derived.templates] if fresh else None,
                "template_faces": [each.mesh.faces for each in derived.templates] if fresh else None,
                **dict.fromkeys(build.DEFAULT_PROPERTIES),
            }
        )
    return rows


def request(**more: Any) -> TileRequest:
    return TileRequest(Selection(View(), collections.FEATURES), **more)


def tile_around(found: Sequence[Derived]) -> Tile:
    place = found[0].place
    assert place is not None
    return Tile(Cell.from_code(16, place.quadkey >> 16))


def in_earth(tile: Tile, points: gltf.Array) -> gltf.Array:
    """EPSG:4978 of points in the frame of a tile, as a client gets it from the transform."""
    transform = np.array(Frame.of_cell(tile.cell).matrix()).reshape(4, 4).T
    return points @ transform[:3, :3].T + transform[:3, 3]


@pytest.mark.parametrize("upright", [True, False], ids=["upright", "tilted"])
@pytest.mark.parametrize("city", SYSTEMS)
def test_instances_are_where_the_reference_system_puts_them(tmp_path: Path, city: str, upright: bool) -> None:
    """Within half a centimetre of PROJ, which is nearer than meshes in centimetres are."""
    placer = Placer.create(ReferenceSystem(*SYSTEMS[city]))
    trees = features(tmp_path, park(city, TREES, seed=7, upright=upright))
    found = derive(trees, placer)
    assert all(each.mesh and each.mesh.instances and not each.mesh.data for each in found)
    tile = tile_around(found)
    data = build_tile(request(), tile, members(found))
    assert inspect_glb(data).problems == []
    shown = gltf.read(data)
    assert ["EXT_mesh_gpu_instancing" in node.get("extensions", {}) for node in shown.document["nodes"]] == [
        True
    ] * len(TEMPLATES)
    points, owner = shown.drawn()
    placed = in_earth(tile, points)
    shapes = shapes_at(trees, [highest_lod(tree.objects) for tree in trees])
    for number, shape in enumerate(shapes):
        (tree,) = shape.whole()
        exact = placer.ecef(tree.xyz)
        mine = placed[owner == number]
        distance = np.linalg.norm(mine[:, None] - exact[None], axis=2)
        assert max(distance.min(axis=0).max(), distance.min(axis=1).max()) < 0.005
        assert len(mine) == len(exact), "each corner once"


def never(_shapes: object) -> bool:
    return False


@pytest.mark.parametrize("city", SYSTEMS)
def test_instances_are_where_meshes_would_be(
    tmp_path: Path, city: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    placer = Placer.create(ReferenceSystem(*SYSTEMS[city]))
    trees = features(tmp_path, park(city, TREES, seed=8))
    found = derive(trees, placer)
    monkeypatch.setattr("twin.processing.derive.shares_templates", never)
    meshes = derive(trees, placer)
    assert not any(each.mesh and each.mesh.instances for each in meshes)
    tile = tile_around(found)
    shown, plain = (gltf.read(build_tile(request(), tile, members(each))) for each in (found, meshes))
    assert [len(each.document["nodes"]) for each in (shown, plain)] == [len(TEMPLATES), 1]
    stored = decode([each.mesh.data for each in meshes if each.mesh])
    points, owner = shown.drawn()
    placed = in_earth(tile, points)
    for number in range(TREES):
        expected = stored.positions[stored.object_of_vertex == number] / 100
        assert np.abs(placed[owner == number] - expected).max() < 0.01
    assert shown.column(0, "id") == plain.column(0, "id")


def test_one_of_a_kind_is_a_mesh(tmp_path: Path) -> None:
    """As a template it would take more bytes."""
    found = derive(features(tmp_path, park("helsinki", 1)), HELSINKI)
    shown = gltf.read(build_tile(request(), tile_around(found), members(found)))
    assert "EXT_mesh_gpu_instancing" not in shown.document["extensionsUsed"]
    assert len(shown.drawn()[0]) == len(shown.attribute("POSITION")) > 0


def test_normals_turn_with_the_instance(tmp_path: Path) -> None:
    """Those of templates that became meshes are those of the triangles, however they were stretched."""
    placer = Placer.create(ReferenceSystem(*SYSTEMS["tallinn"]))
    found = derive(features(tmp_path, park("tallinn", 12, seed=3, upright=False)), placer)
    tile = tile_around(found)
    shown = gltf.read(build_tile(request(surface_properties=("area_m2",)), tile, members(found)))
    corners = shown.accessor(shown.primitive["indices"]).reshape(-1, 3)
    a, b, c = np.moveaxis(shown.attribute("POSITION").astype(np.float64)[corners], 1, 0)
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1)
    stated = shown.attribute("NORMAL")[corners[:, 0]] / 127
    large = length > np.median(length)
    assert (np.einsum("ij,ij->i", normal[large] / length[large, None], stated[large]) > 0.99).all()


@pytest.mark.parametrize("profile", glb.PROFILES)
def test_every_profile_has_instances(tmp_path: Path, profile: glb.Profile) -> None:
    found = derive(features(tmp_path, park("helsinki", TREES)), HELSINKI)
    data = build_tile(request(profile=profile), tile_around(found), members(found))
    assert inspect_glb(data).problems == []
    shown = gltf.read(data)
    assert len(shown.document["nodes"]) == len(TEMPLATES)
    has_normals = ["NORMAL" in mesh["primitives"][0]["attributes"] for mesh in shown.document["meshes"]]
    assert has_normals == [profile in {"standard", "plain", "textured"}] * len(TEMPLATES)
    types = shown.column(1, "surface_type")
    if profile == "lean":
        assert "GroundSurface" not in types
    else:
        assert len(types) == sum(len(faces) for _, faces in TEMPLATES)


@pytest.fixture(scope="module")
def parks(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A park in each city; in Helsinki with a house that has bushes on its roof."""
    folder = tmp_path_factory.mktemp("parks")
    with clean(database.engine) as engine:
        for city in PLACES:
            report = Ingest(engine).run(written(folder, _with_house(park(city, TREES)), city))
            assert (report.added, report.refused) == (TREES + 1, [])
        yield engine


def _with_house(model: Json) -> Json:
    """The park with a block of 10 m and two bushes on it, which are of the same object."""
    corners = [
        (x, y, z) for z in (0, 10_000) for x, y in ((0, 0), (10_000, 0), (10_000, 10_000), (0, 10_000))
    ]
    first = len(model["vertices"])
    faces = [[3, 2, 1, 0], [4, 5, 6, 7], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]]
    solid = [[[[corner + first for corner in face]] for face in faces]]
    vertices = [*model["vertices"], *([x - 30_000, y, z] for x, y, z in corners), [-25_000, 5_000, 10_000]]
    last = len(vertices) - 1
    bushes = [
        {
            "type": "GeometryInstance",
            "template": 2,
            "boundaries": [last],
            "transformationMatrix": [1, 0, 0, x, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
        }
        for x in (-2, 2)
    ]
    house = {"type": "Building", "geometry": [{"type": "Solid", "lod": "2", "boundaries": solid}, *bushes]}
    return {**model, "vertices": vertices, "CityObjects": {**model["CityObjects"], "house": house}}


def test_the_database_keeps_templates_once(parks: Engine) -> None:
    m = schema.object_mesh.c
    with parks.connect() as connection:
        kept = connection.execute(select(func.count()).select_from(template_mesh)).scalar_one()
        rows = connection.execute(select(m.object_id, m.mesh, m.instances, m.triangles)).all()
    assert kept == 2 * len(TEMPLATES)
    own = {row.object_id for row in rows if row.mesh}
    assert own == {"house"}
    assert all(row.instances for row in rows)
    (house, *_) = [row for row in rows if row.object_id == "house"]
    bush = sum(len(face) - 2 for face, *_ in TEMPLATES[2][1])
    assert (len(house.instances), house.triangles) == (2 * 92, 12 + 2 * bush)


def test_a_house_with_bushes_is_one_feature_of_both(parks: Engine) -> None:
    with snapshot(parks) as state:
        rows = state(request().members(WORLD, mesh=True))
    (house,) = [row for row in rows if row["id"].startswith("helsinki") and row["id"].endswith(".house")]
    data = build_tile(request(), tile_of_row(house), rows)
    number = rows.index(house)
    points, owner = gltf.read(data).drawn()
    mine = points[owner == number]
    bush = sum(len(face) for face, *_ in TEMPLATES[2][1])
    assert len(mine) == 6 * 4 + 2 * bush
    assert np.ptp(mine[:, 2]) == pytest.approx(11.4, abs=0.02), "the block and what stands on it"
    assert gltf.read(data).column(0, "id") == [row["id"] for row in rows]


def tile_of_row(row: Any) -> Tile:
    return Tile(Cell.from_code(16, row["quadkey"] >> 16))


def test_templates_travel_once(parks: Engine) -> None:
    with snapshot(parks) as state:
        rows = state(request().members(WORLD, mesh=True))
    assert sum(row["template_mesh"] is not None for row in rows) == len({r["templates"] for r in rows}) == 3
    assert sum(len(group.owner) for group in groups_of(rows)) == 2 * (TREES + 2)


def test_templates_of_buildings_are_asked_for_where_some_have_any(parks: Engine) -> None:
    buildings = TileRequest(Selection(View(), collections.BUILDINGS))
    first, second = buildings.meshes(WORLD)
    with snapshot(parks) as state:
        rows, whole = state(first), state(second)
    assert lack_templates(rows)
    assert not lack_templates(whole)
    assert [row["id"] for row in rows] == [row["id"] for row in whole]
    assert all(group.mesh.positions.size for group in groups_of(whole))
    assert not lack_templates([row for row in rows if row["templates"] is None])
    assert len(request().meshes(WORLD)) == 1, "of trees most have templates"


def test_both_checkers_find_nothing(parks: Engine, tmp_path: Path) -> None:
    """With templates as instances, and with what their surfaces measure in each of their places."""
    for name, properties in (("plain", ()), ("measured", ("area_m2", "slope_deg", "azimuth_deg"))):
        for collection in (collections.FEATURES, collections.BUILDINGS):
            asked = TileRequest(Selection(View(), collection), surface_properties=properties)
            asked = replace(asked, limits=limits_of(collection))
            written_tiles = write_tileset(parks, tmp_path / name / collection.name, asked)
            assert written_tiles.objects > 0
            assert [str(each) for each in check_path(tmp_path / name / collection.name)] == []
    report = gltf.validate(tmp_path)
    assert (report["errors"], report["warnings"]) == (0, 0), report["messages"]


def test_one_object_alone_is_a_plain_mesh(parks: Engine) -> None:
    with snapshot(parks) as state:
        rows = state(request().members(WORLD, mesh=True))
    (first, *_) = [row for row in rows if row["template_mesh"] is not None]
    data = build_object(request(profile="plain"), first, (24.95, 60.17))
    assert inspect_glb(data).problems == []
    assert "EXT_mesh_gpu_instancing" not in gltf.read(data).document["extensionsRequired"]


def test_a_tile_is_named_by_its_instances(parks: Engine) -> None:
    """Its digest changes with what its objects show."""
    with snapshot(parks) as state:
        rows = state(request().members(WORLD, mesh=True))
        (digest,) = state(request().digest(WORLD))
    assert build.digest_of(rows) == digest["digest"]
    assert len({row["mesh_hash"] for row in rows}) == len(rows), "no two stand at the same place"


def test_processing_keeps_templates(parks: Engine) -> None:
    """What an import and what `twin process` make of an object is the same."""
    m = schema.object_mesh
    keys = select(m).order_by(m.c.dataset_id, m.c.object_id)
    with parks.connect() as connection:
        before = connection.execute(keys).all()
    with parks.begin() as connection:
        connection.execute(update(m).values(instances=None, templates=None, mesh_hash=b"old"))
        connection.execute(template_mesh.delete())
    process(parks, force=True)
    with parks.connect() as connection:
        assert connection.execute(keys).all() == before
        kept = connection.execute(select(func.count()).select_from(template_mesh)).scalar_one()
    assert kept == 2 * len(TEMPLATES)


def test_templates_that_nothing_shows_go(database: Database, tmp_path: Path) -> None:
    with clean(database.engine) as engine:
        model = park("tallinn", 12)
        Ingest(engine).run(written(tmp_path, model))
        for geometry in (o["geometry"][0] for o in model["CityObjects"].values()):
            geometry["template"] = 1
        Ingest(engine).run(written(tmp_path, model))
        with engine.connect() as connection:
            assert connection.execute(select(func.count()).select_from(template_mesh)).scalar_one() == 1
    with database.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(template_mesh)).scalar_one() == 0
