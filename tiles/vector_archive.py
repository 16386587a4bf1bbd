"""Footprints as vector tiles in one file: PMTiles 3, which a web server only has to send parts of."""

import gzip
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from tiles.build import Snapshot, VectorRequest, snapshot
from twin.errors import InputError
from twin.model.cells import MAX_LATITUDE, Cell
from twin.model.geometry import Floats, Ints

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the tiles written so far and the tiles in all."""

MAX_ZOOM = 14
"""Clients enlarge tiles of this zoom; it holds all footprints, in steps of 0.3 m at 60 degrees north."""

_BUFFER = 64 / 4096
_E7 = 1e7


def write(engine: Any, out: Path, request: VectorRequest, progress: Progress | None = None) -> int:
    """Write the vector tiles of all zooms, of one moment, into a new file; the number of tiles in it.

    Raises InputError where ``out`` is not called ``.pmtiles`` or the request finds nothing.
    """
    if out.suffix != ".pmtiles":
        raise InputError(f"'{out.name}' has no suffix .pmtiles, the format that vector tiles are packed in.")
    unfinished = out.with_name(f"{out.name}.tmp")
    with snapshot(engine) as state:
        bounds = _bounds(state(request.bounds()))
        with unfinished.open("wb") as file:
            writer: Any = Writer(file)
            written = _write_tiles(writer, state, request, bounds, progress or _silent)
            writer.finalize(_header(bounds), request.description)
    unfinished.replace(out)
    return written


def _bounds(rows: Sequence[Mapping[str, Any]]) -> Floats:
    if not rows:
        raise InputError("The selection finds nothing with a place.")
    sides = [[row[side] for side in ("west", "south", "east", "north")] for row in rows]
    return np.array(sides, dtype=np.float64)


def _write_tiles(
    writer: Any, state: Snapshot, request: VectorRequest, bounds: Floats, progress: Progress
) -> int:
    cells = sorted((zxy_to_tileid(z, x, y), Cell(z, x, y)) for z, x, y in _cells(bounds))
    written = 0
    for number, (place, cell) in enumerate(cells, start=1):
        (row,) = state(request.tile(cell))
        (tile,) = row.values()
        if tile:
            writer.write_tile(place, gzip.compress(bytes(tile), mtime=0))
            written += 1
        progress(number, len(cells))
    return written


def _cells(bounds: Floats) -> Iterator[tuple[int, int, int]]:
    """The cells of all zooms that the bounds (n, 4) of footprints reach, as far as tiles hold more than
    their cell."""
    for zoom in range(MAX_ZOOM + 1):
        last = (1 << zoom) - 1
        low = np.clip(np.floor(_place(bounds[:, [0, 3]], zoom) - _BUFFER), 0, last).astype(np.int64)
        high = np.clip(np.floor(_place(bounds[:, [2, 1]], zoom) + _BUFFER), 0, last).astype(np.int64)
        for x, y in _within(low, high):
            yield zoom, x, y


def _place(lonlat: Floats, zoom: int) -> Floats:
    """Columns and rows (n, 2), with fractions, of points in degrees."""
    latitude = np.radians(np.clip(lonlat[:, 1], -MAX_LATITUDE, MAX_LATITUDE))
    x = (lonlat[:, 0] + 180.0) / 360.0
    y = (1.0 - np.arcsinh(np.tan(latitude)) / np.pi) / 2.0
    return np.column_stack([x, y]) * (1 << zoom)


def _within(low: Ints, high: Ints) -> set[tuple[int, int]]:
    """The columns and rows of all boxes from ``low`` to ``high`` (n, 2), both included."""
    boxes = np.unique(np.hstack([low, high]), axis=0).tolist()
    return {
        (x, y)
        for west, north, east, south in boxes
        for x in range(west, east + 1)
        for y in range(north, south + 1)
    }


def _header(bounds: Floats) -> dict[str, Any]:
    west, south = bounds[:, :2].min(axis=0).tolist()
    east, north = bounds[:, 2:].max(axis=0).tolist()
    sides = {"min_lon": west, "min_lat": south, "max_lon": east, "max_lat": north}
    middle = {"center_lon": (west + east) / 2, "center_lat": (south + north) / 2}
    return {
        "tile_type": TileType.MVT,
        "tile_compression": Compression.GZIP,
        "center_zoom": 10,
        **{f"{name}_e7": round(value * _E7) for name, value in (sides | middle).items()},
    }


def _silent(_done: int, _total: int) -> None:
    return None
