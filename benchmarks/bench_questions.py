"""Questions over a hundred thousand features: filters, pages, orders, statistics.

Run ``python -m benchmarks.bench_questions``. The features are squares made in the database, with
the columns that questions use; a private database is made for them and removed.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from api.app import create_app
from tests.api.client import Client, serving
from twin.db import embedded, engine
from twin.settings import Settings

FEATURES = 100_000
AREAS_A_SIDE = 8
REPEATS = 7

_DATASET = """
INSERT INTO dataset (name, title, city, role, synthetic, placement)
VALUES ('north', 'North', 'helsinki', 'primary', true, 'exact'),
    ('south', 'South', 'tallinn', 'primary', true, 'exact')
"""
_FILL = """
INSERT INTO feature (id, dataset_id, dataset, object_id, type, city, current_use, year_of_construction,
    height_m, volume_m3, footprint_area_m2, west, south, east, north, z_min, z_max, footprint,
    footprint_3857, quadkey, row_hash, geojson)
SELECT d.name || '.' || n, d.id, d.name, n::text, 'Building', d.city,
    (ARRAY['residential', 'office', 'trade', 'industry', NULL])[1 + hash % 5], 1880 + hash % 145,
    3 + hash % 400 / 10.0, 100 + hash % 20000, 40 + hash % 900, x, y, x + 0.0002, y + 0.0001, 5, 20,
    ST_Multi(box), ST_Transform(ST_Multi(box), 3857), (x * 1e6)::bigint << 8, '\\x00',
    json_build_object('type', 'Feature', 'id', d.name || '.' || n, 'geometry', NULL,
        'properties', json_build_object('height_m', hash % 400, 'filler', repeat('x', 600)))::text
FROM dataset d, generate_series(1, :half) n,
    LATERAL (SELECT abs(hashint4(n)) AS hash,
        CASE d.name WHEN 'north' THEN 24.9 ELSE 24.7 END + n % 224 * 0.0006 AS x,
        CASE d.name WHEN 'north' THEN 60.15 ELSE 59.4 END + n / 224 * 0.0004 AS y) p,
    LATERAL (SELECT ST_MakeEnvelope(x, y, x + 0.0002, y + 0.0001, 4326) AS box) s
"""

QUESTIONS: dict[str, tuple[str, dict[str, str]]] = {
    "group by city: count, sum, avg": ("statistics", {
        "groupby": "city", "aggregate": "count,sum(volume_m3),avg(height_m)"}),
    "group by city and use: count, share": ("statistics", {
        "groupby": "city,current_use", "aggregate": "count,share"}),
    "group by city and decade: count, avg": ("statistics", {
        "groupby": "city,decade(year_of_construction)", "aggregate": "count,avg(height_m)"}),
    "group by classes: count, stddev": ("statistics", {
        "groupby": "classes(height_m,5,10,20,30)", "aggregate": "count,stddev(height_m)"}),
    "group by city: median": ("statistics", {"groupby": "city", "aggregate": "median(height_m)"}),
    "group by grid(14): count": ("statistics", {"groupby": "grid(14)"}),
    "group by square(250): count": ("statistics", {"groupby": "square(250)"}),
    "group by h3(9): count": ("statistics", {"groupby": "h3(9)"}),
    "group by 64 areas: count": ("statistics", {"groupby": "area(areas)"}),
    "group by use of a filter": ("statistics", {"groupby": "current_use", "filter": "height_m > 35"}),
    "histogram of heights by city": ("histogram", {"property": "height_m", "groupby": "city"}),
    "filter, 100 items": ("items", {"filter": "height_m > 30 AND current_use = 'office'"}),
    "sorted by height, 100 items": ("items", {"sortby": "-height_m"}),
    "within one area, 100 items": ("items", {"within": "areas/9"}),
}  # fmt: skip


def fill(database: Engine) -> None:
    """The features, analysed as after an import."""
    with database.begin() as connection:
        connection.execute(text(_DATASET))
        connection.execute(text(_FILL), {"half": FEATURES // 2})
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE feature"))


def areas() -> dict[str, Any]:
    """Areas side by side with ragged edges, over the northern half."""
    chance = random.Random(1)
    corner = {
        (x, y): (24.9 + x * 0.0168 + chance.uniform(0, 0.003), 60.15 + y * 0.0112 + chance.uniform(0, 0.002))
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


def measure(client: Client) -> Iterator[tuple[str, float]]:
    """The median time of each question in milliseconds; each answer is new to the server."""
    assert client.request("PUT", "/collections/areas", json=areas()).status_code == 201
    for name, (what, params) in QUESTIONS.items():
        times: list[float] = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            response = client.request("GET", f"/collections/buildings/{what}", params=params)
            times.append((time.perf_counter() - start) * 1000)
            assert response.status_code == 200, response.text
        yield name, statistics.median(times)


def main() -> None:
    """Prints the time of every question."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        try:
            with engine.database(settings) as database:
                fill(database.engine)
                app = create_app(database.reader(), settings, writer=database.connect.owner_url)
                with serving(app) as client:
                    for name, milliseconds in measure(client):
                        print(f"{name:44} {milliseconds:10,.1f} ms", flush=True)
        finally:
            embedded.destroy(settings)


if __name__ == "__main__":
    main()
