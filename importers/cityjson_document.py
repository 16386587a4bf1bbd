"""Plain CityJSON of any size: found in a first pass, read object by object in a second.

Vertices wait in a temporary file that is mapped into memory, so that objects may use any of them.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson

from importers.cityjson_build import read_vertices
from importers.cityjson_header import read_header
from importers.cityjson_index import ObjectIndex
from importers.cityjson_objects import Draft, ObjectReader, finished
from importers.json_scan import LARGEST_PIECE, Content, Outline, without_separator
from importers.json_values import Json, as_object
from importers.port import ModelMetadata, Refusal, Refused
from importers.spill import Spill
from twin.errors import UnreadableFile
from twin.model.cityobject import CityFeature
from twin.model.geometry import Floats, Ints

_ONES, _ZEROS = np.ones(3), np.zeros(3)
_BATCH = 1 << 19
"""Bytes of objects that are read together."""


class Vertices:
    """The vertices of a document, in a file; ``refused`` says why they cannot be used."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._spill = Spill(np.float64, 3)
        self.refused: Refused | None = None

    @property
    def xyz(self) -> Floats:
        """Shape (vertices, 3), in coordinates once they are finished."""
        return self._spill.rows

    def take(self, cuts: Ints) -> None:
        """Append the vertices between these offsets of the document."""
        start, stop = int(cuts[0]), int(cuts[-1])
        text = self._content.read(start, stop)
        try:
            raw = orjson.loads(b"[" + without_separator(text) + b"]")
        except orjson.JSONDecodeError as error:
            raise self._content.not_well_formed(start, error) from error
        try:
            self._spill.extend(read_vertices(raw, _ONES, _ZEROS))
        except Refusal:
            self._spill.extend(np.concatenate([_vertex(vertex) for vertex in raw]))

    def check(self, raw: Json) -> None:
        """What stands in place of vertices that were not handed over; anything but none is refused."""
        if raw:
            suggestion = "correct them and import again"
            self.refused = Refused(
                "invalid-vertices", None, "vertices", "the vertices are no list", suggestion
            )

    def finish(self, scale: Floats, translate: Floats) -> None:
        """Turn the numbers of the file into coordinates."""
        self._spill.finish()
        for _, block in self._spill.blocks():
            block[:] = block * scale + translate

    def release(self) -> None:
        """Give memory back; vertices are read from their file again where needed."""
        self._spill.release()


def _vertex(raw: Json) -> Floats:
    """A single vertex, shape (1, 3); NaN where it is none, which is refused where it is used."""
    try:
        return read_vertices([raw], _ONES, _ZEROS)
    except Refusal:
        return np.full((1, 3), np.nan)


@dataclass(frozen=True, slots=True)
class Scanned:
    """What the first pass found; ``rest`` is the document with no objects and vertices in it."""

    index: ObjectIndex
    vertices: Vertices
    rest: dict[str, Json]


def scan(path: Path) -> Scanned:
    """The first pass; UnreadableFile where the document is not well-formed."""
    content = Content(path)
    index, vertices = ObjectIndex(content), Vertices(content)
    takers = {("CityObjects", "{"): index.take, ("vertices", "["): vertices.take}
    rest = parse_document(path, Outline(content, takers).walk())
    return Scanned(index, vertices, rest)


class CityJSONModel:
    """An opened CityJSON document; one feature at a time is in memory."""

    def __init__(self, path: Path, scanned: Scanned) -> None:
        self.size = path.stat().st_size
        self.position = 0
        self.ledger: Counter[str] = Counter()
        self._index, self._vertices = scanned.index, scanned.vertices
        self._header = read_header(path, scanned.rest)
        self._index.resolve()
        self._vertices.check(scanned.rest.get("vertices"))
        self._vertices.finish(self._header.scale, self._header.translate)

    @property
    def metadata(self) -> ModelMetadata:
        return self._header.metadata

    def __iter__(self) -> Iterator[CityFeature | Refused]:
        self.ledger.clear()
        self.ledger.update(self._header.ledger)
        if self._vertices.refused:
            yield self._vertices.refused
            return
        reader = ObjectReader(self.ledger, self._header.resources)
        for families in self._index.batches(_BATCH):
            drafts = [draft for rows in families for draft in reader.drafts(self._index.load(rows), _place)]
            self.position = self._index.end(families[-1][-1])
            for draft in drafts:
                if isinstance(draft, Draft):
                    draft.span = (0, len(self._vertices.xyz))
            yield from finished(drafts, self._vertices.xyz, self.ledger)
            self._vertices.release()
        yield from self._left_out()
        self.position = self.size

    def _left_out(self) -> Iterator[Refused]:
        for rows, code, reason, suggestion in (
            (self._index.unrooted(), "cyclic-parents", "its parents lead back to it",
             "let the parents lead to an object without one"),
            (self._index.repeated(), "duplicate-id", "the id occurs twice in the file",
             "the first object with it was kept"),
        ):  # fmt: skip
            for row in rows:
                identifier = list(self._index.load([row]))[-1]
                yield Refused(code, identifier, _place(identifier), reason, suggestion)
        for start, stop in self._index.too_large:
            yield too_large(f"byte {start}", stop - start)


def _place(identifier: str) -> str:
    return f"CityObjects/{identifier}"


def too_large(place: str, size: int) -> Refused:
    """The entry for a feature that would not fit into the memory that an import may take."""
    return Refused(
        "too-large", None, place, f"it takes {size} bytes, more than {LARGEST_PIECE}",
        "split the object, or remove what does not belong into an attribute",
    )  # fmt: skip


def parse_document(path: Path, content: bytes) -> dict[str, Json]:
    """A JSON object; UnreadableFile with line and column where it is none."""
    try:
        document = orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise UnreadableFile(
            f"{path}: line {error.lineno} column {error.colno}: {error.msg}: the JSON is not well-formed"
            " or ends too early; fetch the file again"
        ) from error
    found = as_object(document)
    if found is None:
        raise UnreadableFile(f"{path}: line 1: the JSON document is no object, so no city model")
    return found
