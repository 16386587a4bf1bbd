"""What the benchmark of the API asks, as each server is asked it, and the bars of the answers."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, pairwise
from math import asinh, floor, pi, radians, tan
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from benchmarks.load import Asked
from twin.model.attributes import CATALOGUE

FLAT = "peers.buildings"
"""What the peers read: a row of plain columns for each building."""

_INDEXED = ("height_m", "year_of_construction", "current_use", "national_building_id")
"""As `twin.db.schema.feature` has them, beside the id and the footprint."""

OURS, TIPG, PYGEOAPI = "ours", "tipg", "pygeoapi"


def flatten(session: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Makes the table of the peers from the read model, with the same indexes.

    It has the source's own attributes too, which our items carry.
    """
    names = sql.SQL(", ").join(sql.Identifier("f", attribute.name) for attribute in CATALOGUE)
    session.execute("DROP SCHEMA IF EXISTS peers CASCADE")
    session.execute("CREATE SCHEMA peers")
    session.execute(
        sql.SQL(
            "CREATE TABLE peers.buildings AS SELECT f.id, {}, o.attributes, f.footprint AS geom "
            "FROM feature f JOIN city_object o USING (dataset_id, object_id) "
            "WHERE f.type = 'Building' ORDER BY f.id"
        ).format(names)
    )
    session.execute("ALTER TABLE peers.buildings ADD PRIMARY KEY (id)")
    session.execute("CREATE INDEX ON peers.buildings USING gist (geom)")
    for name in _INDEXED:
        session.execute(sql.SQL("CREATE INDEX ON peers.buildings ({})").format(sql.Identifier(name)))
    session.execute("GRANT USAGE ON SCHEMA peers TO PUBLIC")
    session.execute("GRANT SELECT ON peers.buildings TO PUBLIC")
    session.execute("VACUUM ANALYZE")


@dataclass(frozen=True, slots=True)
class Sample:
    """Some buildings by id and place, for requests that differ."""

    ids: Sequence[str]
    places: Sequence[tuple[float, float]]

    def box(self, n: int) -> str:
        """About 440 by 440 metres around a building, as a bbox."""
        x, y = self.places[n % len(self.places)]
        return f"{x - 0.004:.6f},{y - 0.002:.6f},{x + 0.004:.6f},{y + 0.002:.6f}"

    def cell(self, n: int, level: int) -> tuple[int, int]:
        """The cell of WebMercatorQuad, as x and y, that a building stands in."""
        x, y = self.places[n % len(self.places)]
        side = 2**level
        return floor((x + 180) / 360 * side), floor((1 - asinh(tan(radians(y))) / pi) / 2 * side)


def sample(session: "psycopg.Connection[tuple[object, ...]]", number: int = 2000) -> Sample:
    """Buildings drawn at random, the same ones of the same data."""
    rows = session.execute(
        "SELECT id, (ST_XMin(geom) + ST_XMax(geom)) / 2, (ST_YMin(geom) + ST_YMax(geom)) / 2 "
        "FROM peers.buildings ORDER BY id"
    ).fetchall()
    chosen = random.Random(1).sample(rows, min(number, len(rows)))
    return Sample(
        [str(row[0]) for row in chosen], [(float(str(row[1])), float(str(row[2]))) for row in chosen]
    )


@dataclass(frozen=True, slots=True)
class Compared:
    """A question that the peers understand too; ``bar`` is how many times faster than tipg ours has to be."""

    name: str
    asked: Mapping[str, Asked]
    bar: float | None = None
    alone: bool = False
    """One request of each server, for what takes seconds."""


_ITEMS = {
    OURS: "/collections/buildings/items",
    TIPG: f"/collections/{FLAT}/items",
    PYGEOAPI: "/collections/buildings/items",
}
_TILES = {
    OURS: "/collections/buildings/tiles/WebMercatorQuad/{z}/{y}/{x}",
    TIPG: f"/collections/{FLAT}/tiles/WebMercatorQuad/{{z}}/{{x}}/{{y}}",
}
_TILES_ASKED = 20
_CARRIED = "?properties=height_m,current_use,year_of_construction"
"""Beside the id, which ours always carry, and of which the peer has to be asked."""


def _items(rest: Callable[[int], str], *more: str) -> dict[str, Asked]:
    """The same address below the items of ours, of tipg, and of more."""
    return {
        name: Asked(lambda n, path=_ITEMS[name]: path + rest(n), headers="Accept: application/geo+json\r\n")
        for name in (OURS, TIPG, *more)
    }


_ASKED = count()


def _filtered(condition: str) -> str:
    """A filter that no request had before, so that nothing of its answer can be remembered."""
    return f"&filter-lang=cql2-text&filter={quote(condition.format(5 + next(_ASKED) % 99_991 / 10_000))}"


def compared(there: Sample, last_page: str, buildings: int, level: int = 14) -> list[Compared]:
    """The questions; ``last_page`` is our address of the page behind 99 % of all buildings.

    ``level`` is that of the tiles: over few buildings a lower one has as many.
    """

    def tile(name: str, *, new: bool = False) -> Asked:
        def path(n: int) -> str:
            x, y = there.cell(n % _TILES_ASKED, level)
            unseen = _filtered("volume_m3 > -{0:.4f}") if new else ""
            more = ",id" if name == TIPG else ""
            return _TILES[name].format(z=level, x=x, y=y) + _CARRIED + more + unseen

        return Asked(path)

    behind = _items(lambda n: f"?limit=100&offset={buildings * 99 // 100 - n % 7}", PYGEOAPI)
    return [
        Compared("bbox, 100 items", _items(lambda n: f"?bbox={there.box(n)}&limit=100", PYGEOAPI), 15),
        Compared("height AND use, 100 items", _items(
            lambda _: "?limit=100" + _filtered("height_m > {0:.4f} AND current_use = 'office'")), 10),
        Compared("one item", _items(lambda n: f"/{there.ids[n % len(there.ids)]}", PYGEOAPI), 4),
        Compared("count of a filter", {
            OURS: Asked(lambda _: _ITEMS[OURS] + "?limit=1&count=exact" + _filtered("height_m > {0:.4f}")),
            TIPG: Asked(lambda _: _ITEMS[TIPG] + "?limit=1" + _filtered("height_m > {0:.4f}")),
        }),
        Compared("page behind 99 %", {**behind, OURS: Asked(lambda _: last_page)}),
        Compared("vector tile, not cached", {OURS: tile(OURS, new=True), TIPG: tile(TIPG)}, 2.5),
        Compared("vector tile, cached", {OURS: tile(OURS), TIPG: tile(TIPG)}, 40),
        Compared("all as GeoJSON", {
            OURS: Asked(lambda _: "/collections/buildings/download?f=geojson"),
            TIPG: Asked(lambda _: f"{_ITEMS[TIPG]}?f=geojson&limit={buildings}"),
        }, alone=True),
    ]  # fmt: skip


AGGREGATES: Mapping[str, str] = {
    "city: count, sum, avg": "statistics?groupby=city&aggregate=count,sum(volume_m3),avg(height_m)",
    "city and use: count, share": "statistics?groupby=city,current_use&aggregate=count,share",
    "city and decade: count, avg": "statistics?groupby=city,decade(year_of_construction)"
    "&aggregate=count,avg(height_m)",
    "classes: count, stddev": "statistics?groupby=classes(height_m,5,10,20,30)"
    "&aggregate=count,stddev(height_m)",
    "city: median": "statistics?groupby=city&aggregate=median(height_m)",
    "grid(14): count": "statistics?groupby=grid(14)",
    "square(250): count": "statistics?groupby=square(250)",
    "h3(9): count": "statistics?groupby=h3(9)",
    "64 areas: count": "statistics?groupby=area(areas)",
    "use, of a filter": "statistics?groupby=current_use&filter=height_m%20%3E%2020",
    "histogram of heights by city": "histogram?property=height_m&groupby=city",
}
"""Questions that no peer answers, below ``/collections/buildings/``."""

AREAS_A_SIDE = 8
_BETWEEN_THE_CITIES = 60.0


def areas(there: Sample) -> dict[str, Any]:
    """Areas side by side with ragged edges, over the buildings of the north, as GeoJSON."""
    chance = random.Random(1)
    north = [place for place in there.places if place[1] > _BETWEEN_THE_CITIES]
    (west, east), (south, top) = ((min(values), max(values)) for values in zip(*north, strict=True))
    across, up = (east - west) / AREAS_A_SIDE, (top - south) / AREAS_A_SIDE
    corner = {
        (x, y): (west + (x + chance.uniform(0, 0.2)) * across, south + (y + chance.uniform(0, 0.2)) * up)
        for x in range(AREAS_A_SIDE + 1)
        for y in range(AREAS_A_SIDE + 1)
    }
    features: list[dict[str, Any]] = []
    for x in range(AREAS_A_SIDE):
        for y in range(AREAS_A_SIDE):
            ring = [corner[x, y], corner[x + 1, y], corner[x + 1, y + 1], corner[x, y + 1], corner[x, y]]
            shape = {"type": "Polygon", "coordinates": [_finer(ring)]}
            features.append({"type": "Feature", "geometry": shape, "properties": {"name": f"{x}-{y}"}})
    return {"type": "FeatureCollection", "features": features}


def _finer(ring: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same ring with fifty vertices an edge, as districts have them."""
    return [
        (a[0] + (b[0] - a[0]) * step / 50, a[1] + (b[1] - a[1]) * step / 50)
        for a, b in pairwise(ring)
        for step in range(50)
    ] + [ring[-1]]
