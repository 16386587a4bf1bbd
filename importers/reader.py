"""Opens any supported city model; the formats are the tuple ``READERS``."""

from pathlib import Path

from importers.citygml_reader import CityGMLReader
from importers.cityjson import CityJSONReader, CityJSONSeqReader
from importers.port import Model, ModelMetadata, Reader, Refused
from twin.errors import UnreadableFile

__all__ = ["READERS", "Model", "ModelMetadata", "Reader", "Refused", "open_model"]

READERS: tuple[Reader, ...] = (CityGMLReader(), CityJSONSeqReader(), CityJSONReader())


def open_model(path: Path) -> Model:
    """The model in a file, by its content; UnreadableFile where no reader knows it."""
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as error:
        raise UnreadableFile(f"{path}: cannot be opened: {error.strerror}") from error
    for reader in READERS:
        if reader.sniff(path):
            return reader.open(path)
    known = ", ".join(reader.name for reader in READERS)
    raise UnreadableFile(f"{path}: {_found(head)}, not a city model; known formats: {known}")


def _found(head: bytes) -> str:
    if not head:
        return "the file is empty"
    if head.startswith(b"\x1f\x8b"):
        return "the file is gzip-compressed"
    if head.startswith(b"PK\x03\x04"):
        return "the file is a zip archive"
    return f"the file begins with {head[:16]!r}"
