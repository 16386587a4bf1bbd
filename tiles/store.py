"""Tiles without a filter, kept in a folder by what they hold.

The name of a file is made of the ETag of its tile, which covers all that is in it: a file is right or is
not asked for. So a server may read while `tiles.batch.update_store` writes, and takes what it finds.
"""

from dataclasses import dataclass
from pathlib import Path

from tiles.output import content_name


def folder_of(home: Path, collection: str) -> Path:
    """Where the tiles of a collection, by its name, are kept in the data folder."""
    return home / "tiles" / collection


@dataclass(frozen=True, slots=True)
class TileStore:
    """Tiles of one collection by their ETags."""

    folder: Path

    def read(self, etag: str) -> bytes | None:
        """A tile, None where it is not kept."""
        try:
            return (self.folder / content_name(etag)).read_bytes()
        except OSError:
            return None
