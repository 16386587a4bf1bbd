"""Geometries survive the way into PostGIS and back."""

from dataclasses import replace

import numpy as np
import orjson
import pytest
from sqlalchemy import Connection, text

from tests import geometries
from twin.db import geometry as codec
from twin.db.geometry_json import read_semantics, semantics_json
from twin.model.appearance import Appearance, TextureTheme
from twin.model.geometry import Geometry, Instance, SemanticSurface, curves, points

FAR = (25_497_123.456, 6_673_512.789, 3.21)
SLIVERS = geometries.boundary(
    [[[(0, 0, 0)]], [[(0, 0, 0), (1, 0, 0)], [(5, 5, 5)]], [[(0, 0, 0), (1, 0, 0), (1, 1, 0)]]],
    type="MultiSurface",
)
TREE = geometries.cube()
POINTS = points("MultiPoint", "0", np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 0.1]]))
LINES = curves("MultiLineString", "1", np.arange(15.0).reshape(5, 3), np.array([0, 3, 5]))
INSTANCE = points("GeometryInstance", "2", np.array([[7.0, 8.0, 9.0]]), Instance(TREE, np.eye(4) * 0.1))
CASES = [
    geometries.cube(),
    POINTS,
    geometries.courtyard(),
    LINES,
    geometries.hollow_cube(),
    INSTANCE,
    SLIVERS,
    geometries.gable(named=False),
]


def same(a: Geometry, b: Geometry) -> bool:
    arrays = ("xyz", "ring_start", "surface_start", "shell_start", "solid_start", "semantic")
    plain = ("type", "lod", "semantics")
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in arrays) and all(
        getattr(a, name) == getattr(b, name) for name in plain
    )


@pytest.mark.parametrize("srid", [None, 3879])
def test_a_batch_is_decoded_as_it_was(srid: int | None) -> None:
    batch = [geometries.moved(g, FAR) for g in CASES]
    encoded = codec.encode(batch, srid)
    decoded = [codec.decode({"geom": e, **codec.columns(g)}) for e, g in zip(encoded, batch, strict=True)]
    assert all(same(a, b) for a, b in zip(batch, decoded, strict=True))


@pytest.mark.parametrize("case", [POINTS, LINES, INSTANCE, SLIVERS])
def test_postgis_takes_every_kind(connection: Connection, case: Geometry) -> None:
    """COPY checks more than ST_GeomFromEWKB, such as the points of a ring; so does this function."""
    [encoded] = codec.encode([case], 3879)
    statement = text("SELECT ST_AsEWKB(CAST(CAST(:data AS text) AS geometry))")
    back = connection.execute(statement, {"data": encoded.hex()}).scalar()
    assert same(case, codec.decode({"geom": back, **codec.columns(case)}))


def test_instances_and_appearances_come_back() -> None:
    images = TextureTheme(np.array([0, -1, -1, -1, -1, -1]), np.full((24, 2), np.nan))
    images.uv[:4] = [[0.1, 0.2], [1.0, 0.0], [1 / 3, 1.0], [0.0, 1.0]]
    look = Appearance(
        ({"name": "brick"},),
        ({"type": "PNG", "image": "a.png"},),
        {"m": np.zeros(6, np.int64)},
        {"t": images},
    )
    dressed = replace(geometries.cube(), appearance=look)
    stored = orjson.loads(orjson.dumps(codec.columns(dressed)))
    back = codec.decode({"geom": codec.encode([dressed], None)[0], **stored})
    assert back.appearance is not None
    assert (back.appearance.materials, back.appearance.textures) == (look.materials, look.textures)
    assert back.appearance.material["m"].tolist() == [0] * 6
    assert np.array_equal(back.appearance.texture["t"].uv, images.uv, equal_nan=True)
    stored = orjson.loads(orjson.dumps(codec.columns(INSTANCE)))
    again = codec.decode({"geom": codec.encode([INSTANCE], None)[0], **stored}).instance
    assert again is not None
    assert again.matrix.tolist() == (np.eye(4) * 0.1).tolist()
    assert same(again.template, TREE)


def test_an_empty_batch_has_no_bytes() -> None:
    assert codec.encode([], 3879) == []


def test_postgis_reads_the_bytes_and_gives_the_same_back(connection: Connection) -> None:
    courtyard = geometries.moved(geometries.courtyard(), FAR)
    [encoded] = codec.encode([courtyard], 3879)
    statement = text(
        "SELECT ST_GeometryType(g), ST_NumPatches(g), ST_SRID(g), ST_AsEWKB(g) "
        "FROM (SELECT ST_GeomFromEWKB(:data) AS g) AS t"
    )
    kind, patches, srid, back = connection.execute(statement, {"data": encoded}).one()
    assert (kind, patches, srid) == ("ST_PolyhedralSurface", len(courtyard.semantic), 3879)
    assert same(courtyard, codec.decode({"geom": back, **codec.columns(courtyard)}))


def test_faces_of_an_object_that_are_there_before_are_found() -> None:
    solid = geometries.cube()
    surfaces = replace(solid, type="MultiSurface", semantics=(), semantic=np.full(6, -1))
    moved = geometries.moved(solid, (0.0, 0.0, 0.001))
    other_lod = replace(solid, lod="3")
    assert codec.repeated([surfaces, solid, moved, other_lod, moved]) == [None, 0, None, None, 2]
    assert codec.repeated([POINTS, POINTS]) == [None, None]


@pytest.mark.parametrize(
    "attributes",
    [
        [{}, {}, {}],
        [{"a": 1, "b": [2]}, {"a": "x", "b": {}}, {"b": False, "a": 0}],
        [{"a": 1}, {}, {"b": 2.5}],
        [{"a": 1}, {"a": None}, {}],
    ],
)
@pytest.mark.parametrize("ids", [(None, None, None), ("x", None, "")])
def test_attributes_of_surfaces_come_back(
    attributes: list[dict[str, object]], ids: tuple[str | None]
) -> None:
    surfaces = tuple(map(SemanticSurface, ["WallSurface", "+Own", "WallSurface"], ids, attributes))
    stored = orjson.loads(orjson.dumps(semantics_json(surfaces)))
    assert read_semantics(stored) == surfaces
    assert read_semantics(semantics_json(())) == ()


def test_what_is_usual_takes_no_room() -> None:
    plain = geometries.cube()
    own = replace(plain, semantic=np.arange(6), semantics=(SemanticSurface("WallSurface"),) * 6)
    none = replace(plain, semantic=np.full(6, -1), semantics=())
    for geometry in (own, none):
        stored = codec.columns(geometry)
        assert [len(stored[name]) for name in ("shell_start", "solid_start", "face_semantic")] == [0, 0, 0]
        assert same(geometry, codec.decode({"geom": codec.encode([geometry], None)[0], **stored}))
