"""Where the images of textures are: in the folder or the archive of their model.

Nothing is fetched, and no name leads out of there.
"""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from importers.spill import no_space
from twin.model.image_names import plain_name

MOST_BYTES = 32 << 20


class ImageSource(Protocol):
    """Where the images of a model are; ``read`` raises Unusable."""

    def read(self, name: str, /) -> bytes: ...


class Unusable(Exception):
    """Why an image cannot be had."""


@dataclass(frozen=True, slots=True)
class NoImages:
    """A model from a pipe has nothing beside it."""

    def read(self, _name: str) -> bytes:
        """Raises Unusable."""
        raise Unusable("a model from a pipe has no folder")


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder that a model is in."""

    folder: Path

    def read(self, name: str) -> bytes:
        """The bytes of an image within the folder; links may not lead out of it either."""
        path = self.folder / _plain(name)
        try:
            if not path.resolve().is_relative_to(self.folder.resolve()):
                raise Unusable("its name leads out of the folder of the model")
            if not path.is_file():
                raise Unusable("there is no such file beside the model")
            _check_length(path.stat().st_size)
            return path.read_bytes()
        except OSError as error:
            raise Unusable(f"it cannot be read ({error.strerror})") from no_space(error)


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive with a model as a member."""

    path: Path
    member: str

    def read(self, name: str) -> bytes:
        """The bytes of an image in or below the folder of the model in the archive."""
        wanted = str(PurePosixPath(self.member).parent / _plain(name))
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(wanted) as file:
                data = file.read(MOST_BYTES + 1)
        except KeyError as error:
            raise Unusable("there is no such file beside the model in the archive") from error
        except (OSError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
            raise Unusable(f"it cannot be unpacked ({error})") from error
        _check_length(len(data))
        return data


def _plain(name: str) -> str:
    """A relative path without steps upwards, with the separators of this system."""
    plain = plain_name(name)
    if plain is None:
        raise Unusable("its name is no path within the folder of the model")
    return plain


def _check_length(length: int) -> None:
    if length > MOST_BYTES:
        raise Unusable(f"it has more than {MOST_BYTES >> 20} MB")
