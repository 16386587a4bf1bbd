"""Geometries survive the way into PostGIS and back."""

import numpy as np
import pytest
from sqlalchemy import Connection, text

from tests import geometries
from twin.db import geometry as codec
from twin.model.geometry import Geometry

FAR = (25_497_123.456, 6_673_512.789, 3.21)
CASES = [geometries.cube(), geometries.courtyard(), geometries.hollow_cube(), geometries.gable(named=False)]


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
