"""A park of 6,000 trees of three templates beside the same trees as meshes of their own.

Run ``python -m benchmarks.bench_templates``. Both are imported into a private database and tiled, in turns,
in one process; processor time is that of this process. ``--worth`` prints from how many repeated vertices on
a template takes fewer bytes as instances.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import brotli
from sqlalchemy import text

from benchmarks.bench_whole_path import Result
from importers.ingest import ImportOptions, Ingest
from importers.reader import open_model
from tests.tiles.park import Json, park, written
from tiles import instances
from tiles.batch import write_tileset
from tiles.build import TileRequest, build_tile, limits_of, snapshot
from tiles.tileset import Tile
from twin.db import engine
from twin.db.collections import KINDS
from twin.db.query import Collection, Selection, View
from twin.model.cells import Cell
from twin.model.cityobject import CityFeature, highest_lod, shapes_at
from twin.settings import Settings

codec: Any = brotli

TREES = 6_000
ROUNDS = 3
VEGETATION: Collection = next(kind for kind in KINDS if kind.name == "vegetation")


def main() -> None:
    with tempfile.TemporaryDirectory() as name, engine.database(Settings(home=Path(name) / "home")) as opened:
        if "--worth" in sys.argv:
            worth(opened.engine, Path(name))
            return
        for result in measure(opened.engine, Path(name)):
            print(result, flush=True)


def measure(database: Any, folder: Path) -> Iterator[Result]:
    shared = park("helsinki", TREES)
    models = {"templates": shared, "meshes": spread(shared)}
    for kind, model in models.items():
        path = written(folder, model, kind)
        started = time.process_time()
        Ingest(database, ImportOptions(dataset=kind)).run(path)
        yield Result(f"{kind}: import", TREES / (time.process_time() - started), "trees/s")
    yield from stored(database)
    seconds = dict.fromkeys(models, float("inf"))
    for number in range(ROUNDS):
        for kind in models:
            started = time.process_time()
            tiled(database, kind, folder / f"{kind}{number}")
            seconds[kind] = min(seconds[kind], time.process_time() - started)
    sizes = {kind: packed(folder / f"{kind}0") for kind in models}
    for kind in models:
        yield Result(f"{kind}: tiles, bytes a tree", sizes[kind][0] / TREES, "B")
        yield Result(f"{kind}: the same by brotli", sizes[kind][1] / TREES, "B")
        yield Result(f"{kind}: tiles", TREES / seconds[kind], "trees/s")
    yield Result("meshes over templates, brotli", sizes["meshes"][1] / sizes["templates"][1], "x")
    yield Result("meshes over templates, time", seconds["meshes"] / seconds["templates"], "x")


def spread(model: Json) -> Json:
    """The same model without templates: each tree has faces of its own."""
    with tempfile.TemporaryDirectory() as name:
        trees = [t for t in open_model(written(Path(name), model)) if isinstance(t, CityFeature)]
    shapes = shapes_at(trees, [highest_lod(tree.objects) for tree in trees])
    corner = model["transform"]["translate"]
    vertices: list[list[int]] = []
    objects: Json = {}
    for tree, shape in zip(trees, shapes, strict=True):
        (whole,) = shape.whole()
        first = len(vertices)
        vertices += ((whole.xyz - corner) * 1000).round().astype(int).tolist()
        ends = (whole.ring_start + first).tolist()
        boundaries = [[list(range(a, b))] for a, b in pairwise(ends)]
        own = {"type": "MultiSurface", "lod": "2", "boundaries": boundaries}
        objects[tree.root.id] = {**model["CityObjects"][tree.root.id], "geometry": [own]}
    rest = {name: value for name, value in model.items() if name != "geometry-templates"}
    return {**rest, "CityObjects": objects, "vertices": vertices}


def stored(database: Any) -> Iterator[Result]:
    """What the database keeps of meshes, by dataset."""
    for row in _rows(database):
        yield Result(f"{row.name}: stored meshes, bytes a tree", row.size / TREES, "B")


def _rows(database: Any) -> Any:
    with database.connect() as connection:
        return connection.execute(
            text(
                "SELECT d.name, sum(pg_column_size(m.*)) + coalesce((SELECT sum(pg_column_size(t.*)) "
                "FROM template_mesh t WHERE t.dataset_id = d.id), 0) AS size "
                "FROM object_mesh m JOIN dataset d ON d.id = m.dataset_id GROUP BY d.id ORDER BY d.name"
            )
        ).all()


def _asked(dataset: str) -> TileRequest:
    asked = TileRequest(Selection(View(), VEGETATION, (dataset,)))
    return replace(asked, limits=limits_of(VEGETATION))


def tiled(database: Any, dataset: str, folder: Path) -> None:
    assert write_tileset(database, folder, _asked(dataset)).objects == TREES


def packed(folder: Path) -> tuple[int, int]:
    """Bytes of all tiles as they are, and by brotli 5."""
    bodies = [path.read_bytes() for path in folder.rglob("*.glb")]
    return sum(map(len, bodies)), sum(len(codec.compress(body, quality=5)) for body in bodies)


def worth(database: Any, folder: Path) -> None:
    """Tiles of a few trees of one template, as instances and as meshes."""
    for template in range(3):
        for trees in (2, 3, 4, 6, 10, 20):
            model = park("helsinki", trees)
            for tree in model["CityObjects"].values():
                tree["geometry"][0]["template"] = template
            name = f"few_{template}_{trees}"
            Ingest(database, ImportOptions(dataset=name)).run(written(folder, model, name))
            asked = _asked(name)
            with snapshot(database) as state:
                rows = state(asked.members(Tile(Cell(0, 0, 0)), mesh=True))
            tile = Tile(Cell.from_code(16, rows[0]["quadkey"] >> 16))
            sizes: list[int] = []
            for threshold in (0, 10**9):
                instances._WORTH_VERTICES = threshold  # pyright: ignore[reportPrivateUsage]
                sizes.append(len(codec.compress(build_tile(asked, tile, rows), quality=5)))
            (group,) = instances.groups_of(rows)
            repeated = (trees - 1) * len(group.mesh.positions)
            print(f"{trees} of {len(group.mesh.positions)} vertices, {repeated} repeated: {sizes} B")


if __name__ == "__main__":
    main()
