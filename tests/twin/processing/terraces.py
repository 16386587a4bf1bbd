"""A town of terraced houses in Helsinki, and what the database holds after processing it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Engine, select

from importers.ingest import ImportOptions, Ingest
from twin.db import jobs, schema

HOUSES, STREETS = 8, 6
WIDTH_M, DEPTH_M, BETWEEN_STREETS_M = 8.0, 10.0, 55.0


def house(x: float, y: float, height: float) -> tuple[list[list[float]], list[Any]]:
    """Vertices and the one shell of a box."""
    base = [(0.0, 0.0), (WIDTH_M, 0.0), (WIDTH_M, DEPTH_M), (0.0, DEPTH_M)]
    vertices = [[25496000.0 + x + a, 6672000.0 + y + b, 5.0 + z] for z in (0.0, height) for a, b in base]
    walls = [[i, (i + 1) % 4, 4 + (i + 1) % 4, 4 + i] for i in range(4)]
    return vertices, [[face] for face in ([3, 2, 1, 0], [4, 5, 6, 7], *walls)]


def town(raised: frozenset[str] = frozenset()) -> dict[str, Any]:
    """A CityJSON model of streets of houses that touch; the ``raised`` ones are two metres higher."""
    objects: dict[str, Any] = {}
    vertices: list[list[int]] = []
    for street in range(STREETS):
        for number in range(HOUSES):
            name = f"h{street}-{number}"
            height = 4.0 + (street + number) % 3 + (2.0 if name in raised else 0.0)
            points, shell = house(WIDTH_M * number, BETWEEN_STREETS_M * street, height)
            first = len(vertices)
            boundary = [[[first + i for i in ring] for ring in face] for face in shell]
            solid = {"type": "Solid", "lod": "2", "boundaries": [boundary]}
            objects[name] = {"type": "Building", "attributes": {"name": name}, "geometry": [solid]}
            vertices += [[round(value * 1000) for value in point] for point in points]
    return {
        "type": "CityJSON",
        "version": "2.0",
        "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/3879"},
        "transform": {"scale": [0.001] * 3, "translate": [0.0] * 3},
        "CityObjects": objects,
        "vertices": vertices,
    }


def build(engine: Engine, path: Path, raised: frozenset[str] = frozenset(), name: str = "town") -> None:
    """Write the model and import it."""
    path.write_text(json.dumps(town(raised)))
    Ingest(engine, ImportOptions(dataset=name)).run(path)


def snapshot(engine: Engine) -> str:
    """A hash of every byte that processing writes: read model, side tables, roof faces, repairs."""
    digest = hashlib.blake2b()
    with engine.connect() as connection:
        for table in (schema.feature, *jobs.SIDE_TABLES.values(), *jobs.DETAIL_TABLES.values()):
            rows = connection.execute(select(table).order_by(*table.primary_key.columns))
            for row in rows:
                digest.update(orjson.dumps([str(value) for value in row]))
    return digest.hexdigest()


def rows_of(engine: Engine, table: Any) -> list[dict[str, Any]]:
    """All rows of a table."""
    with engine.connect() as connection:
        found = connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
        return [{str(key): value for key, value in row.items()} for row in found]
