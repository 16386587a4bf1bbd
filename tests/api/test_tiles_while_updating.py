"""Tiles and sidecars while an update of every building is committed again and again."""

import hashlib
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow
import pytest
from sqlalchemy import Engine, func, select, update

from tests.api.client import Client
from tests.api.tile_client import ROOT, all_contents, serving_cities
from tests.tiles import gltf
from twin.db.engine import Database
from twin.db.schema import dataset, feature, object_mesh

pa: Any = pyarrow

ROUNDS = 12
READERS = 4
MOVED_CM = 100
"""How far each other revision moves every mesh along the first axis."""


@pytest.fixture(scope="module")
def client(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with serving_cities(database, tmp_path_factory.mktemp("cities")) as client:
        yield client


def moved(mesh: bytes, steps: int) -> bytes:
    """A stored mesh with another anchor, of which the first number is at byte 16."""
    (anchor,) = struct.unpack_from("<i", mesh, 16)
    return mesh[:16] + struct.pack("<i", anchor + MOVED_CM * steps) + mesh[20:]


def revise(engine: Engine, meshes: dict[tuple[int, str, str], bytes], revision: int) -> None:
    """One transaction: every building has the revision as its height, and a place that goes with it.

    Like every writer it counts the revisions of the datasets up.
    """
    with engine.begin() as connection:
        connection.execute(update(dataset).values(revision=dataset.c.revision + 1))
        own = func.sha256(feature.c.row_hash)
        connection.execute(update(feature).values(height_m=float(revision), row_hash=own))
        for (number, id, lod), mesh in meshes.items():
            body = moved(mesh, revision)
            row = (object_mesh.c.dataset_id, object_mesh.c.object_id, object_mesh.c.lod)
            where = [column == value for column, value in zip(row, (number, id, lod), strict=True)]
            digest = hashlib.blake2b(body, digest_size=16).digest()
            connection.execute(update(object_mesh).where(*where).values(mesh=body, mesh_hash=digest))


def seen(client: Client, path: str) -> tuple[str, set[float], bytes]:
    """ETag, heights and a digest of the geometry of a tile; of a sidecar no geometry."""
    answer = client.request("GET", path)
    assert answer.status_code == 200, answer.text
    if ".arrow" in path:
        with pa.ipc.open_stream(answer.content) as reader:
            return answer.headers["etag"], set(reader.read_all()["height_m"].to_pylist()), b""
    tile = gltf.read(answer.content)
    geometry = tile.attribute("POSITION").tobytes() + str(tile.document["nodes"]).encode()
    return answer.headers["etag"], set(tile.column(0, "height_m")), hashlib.sha256(geometry).digest()


def test_no_reader_sees_a_tile_of_two_revisions(client: Client, database: Database) -> None:
    columns = object_mesh.c.dataset_id, object_mesh.c.object_id, object_mesh.c.lod, object_mesh.c.mesh
    with database.engine.connect() as connection:
        meshes = {(row[0], row[1], row[2]): bytes(row[3]) for row in connection.execute(select(*columns))}
    tiles = list(all_contents(client, ROOT))
    paths = [*tiles, *(path.replace(".glb", ".arrow") for path in tiles)]
    revise(database.engine, meshes, 0)
    ended = threading.Event()

    def read(number: int) -> list[tuple[str, str, set[float], bytes]]:
        found: list[tuple[str, str, set[float], bytes]] = []
        while not ended.is_set():
            path = paths[(len(found) * READERS + number) % len(paths)]
            found.append((path, *seen(client, path)))
        return found

    with ThreadPoolExecutor(READERS) as pool:
        readers = [pool.submit(read, number) for number in range(READERS)]
        try:
            for revision in range(1, ROUNDS + 1):
                revise(database.engine, meshes, revision)
        finally:
            ended.set()
        answers = [answer for reader in readers for answer in reader.result()]
    assert {len(heights) for _, _, heights, _ in answers} == {1}
    assert len({min(heights) for _, _, heights, _ in answers}) > ROUNDS / 2
    by_height: dict[tuple[str, float], set[bytes]] = {}
    by_etag: dict[str, set[float]] = {}
    for path, etag, heights, geometry in answers:
        by_height.setdefault((path, min(heights)), set()).add(geometry)
        by_etag.setdefault(etag, set()).update(heights)
    assert {len(geometries) for geometries in by_height.values()} == {1}
    assert {len(heights) for heights in by_etag.values()} == {1}
    leaves = [key for key in by_height if key[0].endswith(".glb") and "/blocks-" not in key[0]]
    assert len({(path, *by_height[path, height]) for path, height in leaves}) == len(leaves)
