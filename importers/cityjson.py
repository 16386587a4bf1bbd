"""CityJSON 1.0 to 2.0, CityJSONSeq and single CityJSONFeatures."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import orjson

from importers.cityjson_geometry import read_vertices
from importers.cityjson_header import Header, feature_header, read_header
from importers.cityjson_objects import ObjectReader
from importers.json_values import Json, as_object
from importers.port import Model, ModelMetadata, Refusal, Refused
from twin.errors import UnreadableFile
from twin.model.cityobject import CityFeature

_BOM = b"\xef\xbb\xbf"
_LONGEST_LINE = 1 << 28
"""Bytes; a single feature beyond a quarter of a gigabyte is a mistake or an attack."""
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
        """Read the document; UnreadableFile where it is no CityJSON."""
        return CityJSONModel(path)


class CityJSONSeqReader:
    """Reads a sequence: a line of metadata, then a feature a line."""

    name = "CityJSONSeq"

    def sniff(self, path: Path) -> bool:
        """Whether the first line is a JSON document of its own and others follow, or it is a feature."""
        with path.open("rb") as file:
            head = file.readline(_LONGEST_HEAD).removeprefix(_BOM)
            if not head.lstrip().startswith(b"{"):
                return False
            try:
                type_ = orjson.loads(head).get("type")
            except orjson.JSONDecodeError:
                return False
            if type_ == "CityJSONFeature":
                return True
            return type_ == "CityJSON" and any(line.strip() for line in _lines(path, file))

    def open(self, path: Path) -> Model:
        """Read the first line; UnreadableFile where it is no header."""
        return CityJSONSeqModel(path)


class CityJSONModel:
    """An opened CityJSON document; it is in memory whole."""

    def __init__(self, path: Path) -> None:
        self.size = path.stat().st_size
        self.position = 0
        self.ledger: Counter[str] = Counter()
        self._document = _document(path, path.read_bytes())
        self._is_feature = self._document.get("type") == "CityJSONFeature"
        self._header = (
            feature_header(self._document) if self._is_feature else read_header(path, self._document)
        )

    @property
    def metadata(self) -> ModelMetadata:
        return self._header.metadata

    def __iter__(self) -> Iterator[CityFeature | Refused]:
        self.ledger.clear()
        self.ledger.update(self._header.ledger)
        if self._is_feature:
            yield from _line_features(self._document, self._header, ObjectReader(self.ledger), "byte 0")
        else:
            yield from self._features()
        self.position = self.size

    def _features(self) -> Iterator[CityFeature | Refused]:
        objects = as_object(self._document.get("CityObjects")) or {}
        try:
            vertices = read_vertices(
                self._document.get("vertices"), self._header.scale, self._header.translate
            )
        except Refusal as refusal:
            yield refusal.refused(None, "vertices")
            return
        reader = ObjectReader(self.ledger)
        for count, feature in enumerate(
            reader.features(objects, vertices, lambda identifier: f"CityObjects/{identifier}"), 1
        ):
            self.position = self.size * count // max(len(objects), 1)
            yield feature


class CityJSONSeqModel:
    """An opened CityJSONSeq file; one line in memory at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = path.stat().st_size
        self.position = 0
        self.ledger: Counter[str] = Counter()
        with path.open("rb") as file:
            first = next(_lines(path, file), b"")
        document = _document(path, first)
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
        reader = ObjectReader(self.ledger)
        self.position = 0
        with self._path.open("rb") as file:
            for line in _lines(self._path, file):
                start, self.position = self.position, file.tell()
                if (start == 0 and self._has_header) or not line.strip():
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
    objects = as_object(document.get("CityObjects")) or {}
    if known not in objects:
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
    yield from reader.features(objects, vertices, lambda _: place)


def _unexpected(found: str, place: str, identifier: str | None = None) -> Refused:
    return Refused(
        "unexpected-type", identifier, place, f"the line has the type {found}, not CityJSONFeature",
        "put one CityJSONFeature a line",
    )  # fmt: skip


def _lines(path: Path, file: BinaryIO) -> Iterator[bytes]:
    """The remaining lines of a file; UnreadableFile for one that is absurdly long."""
    while line := file.readline(_LONGEST_LINE):
        if len(line) >= _LONGEST_LINE:
            raise UnreadableFile(
                f"{path}: byte {file.tell() - len(line)}: a line is longer than {_LONGEST_LINE} bytes"
            )
        yield line


def _document(path: Path, content: bytes) -> dict[str, Json]:
    """A JSON object; UnreadableFile with line and column where it is none."""
    try:
        document = orjson.loads(content.removeprefix(_BOM))
    except orjson.JSONDecodeError as error:
        raise UnreadableFile(
            f"{path}: line {error.lineno} column {error.colno}: {error.msg}: the JSON is not well-formed"
            " or ends too early; fetch the file again"
        ) from error
    found = as_object(document)
    if found is None:
        raise UnreadableFile(f"{path}: line 1: the JSON document is no object, so no city model")
    return found
