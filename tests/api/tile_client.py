"""What tests of tiles share: a client over two cities, and a crawler of tilesets."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from api.app import create_app
from tests.api.client import Client, serving
from tests.tiles import gltf
from tests.tiles.cities import cities
from twin.db.engine import Database

ROOT = "/collections/buildings/3dtiles/tileset.json"
BUILDINGS = "/collections/buildings/items"


@contextmanager
def serving_cities(database: Database, folder: Path) -> Generator[Client, None, None]:
    """The application over both cities, for the block."""
    with cities(database.engine, folder), serving(create_app(database.reader(), database.settings)) as client:
        yield client


def tiles(tile: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A tile and all below it in the same tileset."""
    yield tile
    for child in tile.get("children", []):
        yield from tiles(child)


def all_contents(client: Client, address: str) -> Iterator[str]:
    """The addresses of all GLBs of a tileset, nested ones opened as a client does."""
    answer = client.request("GET", address)
    assert answer.status_code == 200, answer.text
    for tile in tiles(answer.json()["root"]):
        if "content" not in tile:
            continue
        found = urljoin(address, tile["content"]["uri"])
        if found.partition("?")[0].endswith(".json"):
            yield from all_contents(client, found)
        else:
            yield found


def contents(client: Client, address: str) -> Iterator[str]:
    """The addresses of the leaves of a tileset."""
    return (found for found in all_contents(client, address) if "/blocks-" not in found)


def blocks(client: Client, address: str) -> Iterator[str]:
    """The addresses of the tiles of blocks of a tileset."""
    return (found for found in all_contents(client, address) if "/blocks-" in found)


def glb(client: Client, address: str) -> gltf.Glb:
    """A tile, taken apart."""
    answer = client.request("GET", address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "model/gltf-binary"
    return gltf.read(answer.content)


def item_ids(client: Client, **params: Any) -> list[str]:
    """The ids of all items that a query finds."""
    answer = client.get(BUILDINGS, limit=10_000, **params)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["features"]]
