"""Two small towns of square buildings, written straight into the read model."""

import random
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import orjson
from sqlalchemy import Engine, delete, func, insert

from twin.db.schema import dataset, feature, feature_history
from twin.model.attributes import CATALOGUE

PRIMARY = ("seed_harbour", "seed_hill")
ALTERNATIVE = "seed_harbour_lod1"
CITIES = {"seed_harbour": "harbour", "seed_hill": "hill", ALTERNATIVE: "harbour"}
CORNERS = {"harbour": (24.95, 60.17), "hill": (24.74, 59.43)}
RECORDED = datetime(2026, 1, 1, tzinfo=UTC)
_SIDE = 0.0004
_USES = ("office", "residential", "trade", None)
_MATERIALS = ("brick", "Brick", "puu", "100%_ö", "it's", None)


@dataclass(frozen=True)
class Seeded:
    """A feature as it was seeded: what the API has to give back."""

    id: str
    dataset: str
    square: tuple[float, float, float, float]
    z: tuple[float, float]
    properties: dict[str, Any]

    @property
    def geojson(self) -> dict[str, Any]:
        west, south, east, north = self.square
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        return {
            "type": "Feature",
            "id": self.id,
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "properties": {**self.properties, "attributes": {"owner": "a person", "kerrosluku": "3"}},
        }


def seeded(name: str, number: int) -> list[Seeded]:
    """The features of a dataset, the same ones at every call."""
    chance = random.Random(name)
    return [_one(name, index, chance) for index in range(number)]


def _one(name: str, index: int, chance: random.Random) -> Seeded:
    city = CITIES[name]
    west, south = (
        round(corner + 2 * _SIDE * step, 7)
        for corner, step in zip(CORNERS[city], (index % 10, index // 10), strict=True)
    )
    properties: dict[str, Any] = {attribute.name: None for attribute in CATALOGUE}
    properties |= {
        "city": city,
        "dataset": name,
        "object_id": f"b{index:03}",
        "synthetic": index % 3 == 0,
        "street": chance.choice(("Satamakatu", "Mäkitie")),
        "current_use": chance.choice(_USES),
        "material": chance.choice(_MATERIALS),
        "year_of_construction": chance.choice((None, 1900, 1950, 1985, 2020)),
        "height_m": chance.choice((None, 3.0, 10.5, 20.0, 20.25, 48.0)),
        "measured_height_m": chance.choice((None, 10.5, 20.0)),
        "closed": chance.choice((True, False, None)),
        "surfaces": chance.randrange(6, 12),
    }
    return Seeded(
        id=f"{name}.b{index:03}",
        dataset=name,
        square=(west, south, round(west + _SIDE, 7), round(south + _SIDE, 7)),
        z=(float(index % 7), float(index % 7) + 10.0),
        properties=properties,
    )


def row_of(item: Seeded, dataset_id: int, recorded_from: datetime = RECORDED) -> dict[str, Any]:
    """The row of ``feature`` that stands for a seeded building."""
    west, south, east, north = item.square
    flat = func.ST_Multi(func.ST_MakeEnvelope(west, south, east, north, 4326))
    text = orjson.dumps(item.geojson).decode()
    return {
        **item.properties,
        "id": item.id,
        "dataset_id": dataset_id,
        "type": "Building",
        "footprint": flat,
        "footprint_3857": func.ST_Transform(flat, 3857),
        "west": west, "south": south, "east": east, "north": north,
        "z_min": item.z[0], "z_max": item.z[1],
        "row_hash": blake2b(text.encode(), digest_size=16).digest(),
        "geojson": text,
        "recorded_from": recorded_from,
    }  # fmt: skip


def dataset_row(name: str, role: str = "primary") -> dict[str, Any]:
    """A row of ``dataset``."""
    return {
        "name": name,
        "title": name.replace("_", " ").title(),
        "city": CITIES[name],
        "role": role,
        "synthetic": True,
        "horizontal_epsg": 3879,
        "vertical_epsg": 3900,
        "placement": "exact",
        "heights": {"method": "none"},
    }


@contextmanager
def towns(engine: Engine, number: int = 60) -> Generator[list[Seeded], None, None]:
    """Both towns and an alternative of the first, for the block; the primary features are given."""
    primary = [item for name in PRIMARY for item in seeded(name, number)]
    alternative = seeded(ALTERNATIVE, 5)
    try:
        _write(engine, primary, "primary")
        _write(engine, alternative, "alternative")
        yield primary
    finally:
        with engine.begin() as connection:
            for table in (feature, feature_history):
                connection.execute(delete(table).where(table.c.dataset.in_(CITIES)))
            connection.execute(delete(dataset).where(dataset.c.name.in_(CITIES)))


def _write(engine: Engine, items: Sequence[Seeded], role: str) -> None:
    with engine.begin() as connection:
        for name in {item.dataset for item in items}:
            new = insert(dataset).values(dataset_row(name, role)).returning(dataset.c.id)
            dataset_id = connection.execute(new).scalar_one()
            for item in items:
                if item.dataset == name:
                    connection.execute(insert(feature).values(row_of(item, dataset_id)))


def overlaps(item: Seeded, west: float, south: float, east: float, north: float) -> bool:
    """Whether the square of a building meets a box, edges included."""
    w, s, e, n = item.square
    return w <= east and e >= west and s <= north and n >= south
