"""Tiles from PostGIS, ours and those of py3dtiles, of the same buildings on the same server.

Run ``python -m benchmarks.bench_tile_peers [BUILDINGS]``. py3dtiles gets what it can read: a table of solids
in metres, without attributes, and writes one level of tiles without compression. Ours writes meshes and
blocks with normals, two sets of feature ids and properties. Each runs as a process with one job, from its
start to its end; processor time is that of the process and of the server. Bytes are those of tiles with the
whole shape; what blocks above them add stands beside.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import brotli

from benchmarks import peers
from benchmarks.server import Server, server
from importers.synthetic import synthesise
from tests.fixtures import ROOT
from twin.db import layout

BUILDINGS = 1_000
DATABASE = "tiles"
codec: Any = brotli

_SOLIDS = """
CREATE TABLE solids AS SELECT f.id, g.geom FROM feature f JOIN object_geometry g USING (dataset_id, object_id)
WHERE f.type = 'Building' AND g.lod = f.lod AND ST_GeometryType(g.geom) = 'ST_PolyhedralSurface'
"""


@dataclass(frozen=True, slots=True)
class Made:
    """What a run took and what it left: seconds, processor seconds, tiles and their bytes."""

    seconds: float
    processor: float
    tiles: int
    plain: int
    brotli: int
    blocks: int


def main() -> None:
    buildings = int(sys.argv[1]) if len(sys.argv) > 1 else BUILDINGS
    with tempfile.TemporaryDirectory() as name, server(Path(name) / "home") as there:
        folder, program = Path(name), peers.environment("py3dtiles") / "py3dtiles"
        model, ours = folder / "model.gml", there.environment(DATABASE)
        synthesise(model, city="helsinki", buildings=buildings, seed=1)
        there.create(DATABASE)
        twin = str(Path(sys.executable).parent / "twin")
        _run([twin, "import", str(model)], ours)
        with there.session(DATABASE) as session:
            count = session.execute(_SOLIDS).rowcount
        print(f"{count} buildings", flush=True)
        _show("ours", count, _measured(there, [twin, "tiles", "build"], folder / "ours", ours))
        where = f"host={there.sockets} port={layout.PORT} user={layout.OWNER} dbname={DATABASE}"
        asked = [str(program), "export", "-D", where, "-t", "solids", "-c", "geom", "-i", "id", "-s"]
        _show("py3dtiles", count, _measured(there, asked, folder / "theirs", dict(os.environ)))


def _measured(there: Server, command: Sequence[str], out: Path, environment: Mapping[str, str]) -> Made:
    """A command that is given the folder for its tiles last."""
    before, started = os.times(), time.perf_counter()
    server_before = there.cpu()
    _run([*command, str(out)], environment)
    seconds, after = time.perf_counter() - started, os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    processor += there.cpu() - server_before
    paths = [path for path in out.rglob("*") if path.suffix in {".glb", ".b3dm"}]
    blocks = [path.read_bytes() for path in paths if path.name.startswith("blocks-")]
    whole = [path.read_bytes() for path in paths if not path.name.startswith("blocks-")]
    return Made(seconds, processor, len(paths), sum(map(len, whole)), _packed(whole), _packed(blocks))


def _packed(tiles: Sequence[bytes]) -> int:
    return sum(len(codec.compress(tile, quality=5)) for tile in tiles)


def _run(command: Sequence[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:3])} failed: {done.stderr.strip()[-800:]}")


def _show(name: str, buildings: int, made: Made) -> None:
    speed = (
        f"{buildings / made.seconds:7.0f} buildings/s, {buildings / made.processor:7.0f} a processor second"
    )
    plain, packed, blocks = (size / buildings for size in (made.plain, made.brotli, made.blocks))
    size = f"{plain:6.0f} B a building, {packed:5.0f} by brotli, blocks {blocks:5.0f}"
    print(f"{name:10}{speed}; {made.tiles:5} tiles, {size}", flush=True)


if __name__ == "__main__":
    main()
