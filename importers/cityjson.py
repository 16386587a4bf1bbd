"""CityJSON 1.0 to 2.0, CityJSONSeq and single CityJSONFeatures."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import orjson

from importers.cityjson_document import CityJSONModel, parse_document, scan, too_large
from importers.cityjson_header import feature_header, read_header
from importers.cityjson_lines import Line, features_of, read_line
from importers.cityjson_objects import ObjectReader
from importers.json_scan import LARGEST_PIECE
from importers.json_values import as_object
from importers.port import Model, ModelMetadata, Refused
from twin.errors import UnreadableFile
from twin.memory import collecting_later
from twin.model.cityobject import CityFeature

_BOM = b"\xef\xbb\xbf"
_LONGEST_HEAD = 1 << 24
"""Bytes in which the first line of a sequence has to end."""
_BATCH = 1 << 18
"""Bytes of lines that are read together: arrays of many features cost hardly more than those of one."""


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
            if not head.lstrip().startswith(b"{") or not head.endswith(b"\n") or not _goes_on(file):
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
        line = read_line(self._document, ObjectReader(self.ledger, self._header.resources), "byte 0")
        yield from features_of([line], self._header, self.ledger)
        self.position = self.size


class CityJSONSeqModel:
    """An opened CityJSONSeq file; a few lines are in memory at a time."""

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
        self._reader = ObjectReader(self.ledger, self._header.resources)

    @property
    def metadata(self) -> ModelMetadata:
        return self._header.metadata

    def __iter__(self) -> Iterator[CityFeature | Refused]:
        self.ledger.clear()
        self.ledger.update(self._header.ledger)
        self.position = 0
        numbered = self._numbered()
        error = None
        while error is None and self.position < self.size:
            with collecting_later():
                found, error = self._some(numbered)
            yield from found
        if error is not None:
            raise error

    def _some(
        self, numbered: Iterator[tuple[int, bytes]]
    ) -> tuple[list[CityFeature | Refused], UnreadableFile | None]:
        """The features of the next lines, and why there are no more where the file cannot be read on."""
        waiting: list[Line] = []
        first, failed = self.position, None
        for start, line in numbered:
            try:
                waiting.append(self._line(line, start))
            except UnreadableFile as error:
                failed = error
                break
            if self.position - first > _BATCH:
                break
        return features_of(waiting, self._header, self.ledger), failed

    def _numbered(self) -> Iterator[tuple[int, bytes]]:
        """The lines with features, and the byte at which each begins."""
        with self._path.open("rb") as file:
            for line in _lines(file):
                start, self.position = self.position, file.tell()
                if (start > 0 or not self._has_header) and line.strip():
                    yield start, line

    def _line(self, line: bytes, start: int) -> Line:
        place = f"byte {start}"
        if self.position - start > LARGEST_PIECE:
            return Line([too_large(place, self.position - start)], place)
        try:
            document = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            if self.position >= self.size and not line.endswith(b"\n"):
                raise UnreadableFile(
                    f"{self._path}: {place}: the last line is not whole; fetch the file again"
                ) from error
            refused = Refused(
                "not-well-formed", None, place, f"the line is not well-formed JSON: {error}",
                "correct the line and import again",
            )  # fmt: skip
            return Line([refused], place)
        return read_line(as_object(document) or {}, self._reader, place)


def _goes_on(file: BinaryIO) -> bool:
    """Whether anything but blanks follows."""
    while block := file.read(1 << 16):
        if not block.isspace():
            return True
    return False


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The remaining lines of a file; of one that is absurdly long only the begin."""
    while line := file.readline(LARGEST_PIECE):
        while not line.endswith(b"\n") and (more := file.readline(LARGEST_PIECE)):
            if more.endswith(b"\n"):
                break
        yield line
