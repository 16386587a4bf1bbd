"""CityJSON 1.0 to 2.0, CityJSONSeq and single CityJSONFeatures."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import orjson

from importers.cityjson_document import CityJSONModel, parse_document, scan, too_large
from importers.cityjson_geometry import read_vertices
from importers.cityjson_header import Header, feature_header, read_header
from importers.cityjson_objects import ObjectReader
from importers.json_scan import LARGEST_PIECE
from importers.json_values import Json, as_object
from importers.port import Model, ModelMetadata, Refusal, Refused
from twin.errors import UnreadableFile
from twin.model.cityobject import CityFeature

_BOM = b"\xef\xbb\xbf"
_LONGEST_HEAD = 1 << 24
"""Bytes in which the first line of a sequence has to end."""


class CityJSONReader:
    """Reads one JSON document."""

    name = "CityJSON"

    def sniff(self, path: Path) -> bool:
        """Whether the file is a JSON object of any kind; ``open`` says what it is if no city model."""
        with path.open("rb") as file:
            return file.read(256).removeprefix(_BOM).lstrip().startswith(b"{")

    def open(self, path: Path) -> Model:
        """Scan the document; UnreadableFile where it is no CityJSON."""
        scanned = scan(path)
        if scanned.rest.get("type") == "CityJSONFeature":
            return CityJSONFeatureModel(path)
        return CityJSONModel(path, scanned)


class CityJSONSeqReader:
    """Reads a sequence: a line of metadata, then a feature a line."""

    name = "CityJSONSeq"

    def sniff(self, path: Path) -> bool:
        """Whether the first line is a JSON document of its own, and others follow."""
        with path.open("rb") as file:
            head = file.readline(_LONGEST_HEAD).removeprefix(_BOM)
            if not head.lstrip().startswith(b"{") or not any(line.strip() for line in _lines(file)):
                return False
            try:
                return orjson.loads(head).get("type") in ("CityJSON", "CityJSONFeature")
            except orjson.JSONDecodeError:
                return False

    def open(self, path: Path) -> Model:
        """Read the first line; UnreadableFile where it is no header."""
        return CityJSONSeqModel(path)


class CityJSONFeatureModel:
    """A file that holds a single CityJSONFeature; it is a line without a file around it."""

    def __init__(self, path: Path) -> None:
        self.size = path.stat().st_size
        if self.size > LARGEST_PIECE:
            raise UnreadableFile(f"{path}: a single feature of more than {LARGEST_PIECE} bytes is not read")
        self.position = 0
        self.ledger: Counter[str] = Counter()
        self._document = parse_document(path, path.read_bytes())
        self._header = feature_header(self._document)

    @property
    def metadata(self) -> ModelMetadata:
        return self._header.metadata

    def __iter__(self) -> Iterator[CityFeature | Refused]:
        self.ledger.clear()
        self.ledger.update(self._header.ledger)
        yield from _line_features(
            self._document, self._header, ObjectReader(self.ledger, self._header.resources), "byte 0"
        )
        self.position = self.size


class CityJSONSeqModel:
    """An opened CityJSONSeq file; one line in memory at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = path.stat().st_size
        self.position = 0
        self.ledger: Counter[str] = Counter()
        with path.open("rb") as file:
            first = next(_lines(file), b"")
        document = parse_document(path, first)
        self._has_header = document.get("type") == "CityJSON"
        self._header = (
            read_header(path, document, sequence=True) if self._has_header else feature_header(document)
        )

    @property
    def metadata(self) -> ModelMetadata:
        return self._header.metadata

    def __iter__(self) -> Iterator[CityFeature | Refused]:
        self.ledger.clear()
        self.ledger.update(self._header.ledger)
        reader = ObjectReader(self.ledger, self._header.resources)
        self.position = 0
        with self._path.open("rb") as file:
            for line in _lines(file):
                start, self.position = self.position, file.tell()
                if (start == 0 and self._has_header) or not line.strip():
                    continue
                if self.position - start > LARGEST_PIECE:
                    yield too_large(f"byte {start}", self.position - start)
                    continue
                yield from self._line(line, start, reader)

    def _line(self, line: bytes, start: int, reader: ObjectReader) -> Iterator[CityFeature | Refused]:
        place = f"byte {start}"
        try:
            document = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            if self.position >= self.size and not line.endswith(b"\n"):
                raise UnreadableFile(
                    f"{self._path}: {place}: the last line is not whole; fetch the file again"
                ) from error
            yield Refused(
                "not-well-formed", None, place, f"the line is not well-formed JSON: {error}",
                "correct the line and import again",
            )  # fmt: skip
            return
        yield from _line_features(as_object(document) or {}, self._header, reader, place)


def _line_features(
    document: Mapping[str, Json], header: Header, reader: ObjectReader, place: str
) -> Iterator[CityFeature | Refused]:
    """The feature of a CityJSONFeature object."""
    identifier = document.get("id")
    known = identifier if isinstance(identifier, str) else None
    if document.get("type") != "CityJSONFeature":
        yield _unexpected(repr(document.get("type")), place, known)
        return
    if known not in (as_object(document.get("CityObjects")) or {}):
        yield Refused(
            "root-unresolved", known, place, f"the feature's id {identifier!r} is none of its CityObjects",
            "let the id name the first-level object of the feature",
        )  # fmt: skip
        return
    try:
        vertices = read_vertices(document.get("vertices"), header.scale, header.translate)
    except Refusal as refusal:
        yield refusal.refused(known, place)
        return
    yield from reader.line_features(document, vertices, lambda _: place)


def _unexpected(found: str, place: str, identifier: str | None = None) -> Refused:
    return Refused(
        "unexpected-type", identifier, place, f"the line has the type {found}, not CityJSONFeature",
        "put one CityJSONFeature a line",
    )  # fmt: skip


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The remaining lines of a file; of one that is absurdly long only the begin."""
    while line := file.readline(LARGEST_PIECE):
        while not line.endswith(b"\n") and (more := file.readline(LARGEST_PIECE)):
            if more.endswith(b"\n"):
                break
        yield line
