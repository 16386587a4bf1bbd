"""Faults that are made in the CityJSON objects of a building, or in the line of a sequence."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from importers.synthetic.faults import Outcome, good_id

_TOO_MANY: Final = 68_000_000
"""Bytes of a text that no reader holds in memory."""


@dataclass(slots=True)
class Draft:
    """A building before it is written; faults change it in place.

    ``listed`` are the ids under which an import lists it, "" where it cannot know one.
    """

    id: str
    objects: dict[str, Any]
    vertices: list[Any]
    listed: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.listed = [self.id]

    @property
    def root(self) -> dict[str, Any]:
        return self.objects[self.id]

    @property
    def geometry(self) -> dict[str, Any]:
        return self.root["geometry"][0]

    @property
    def surfaces(self) -> list[list[list[Any]]]:
        boundaries = self.geometry["boundaries"]
        return boundaries[0] if self.geometry["type"] == "Solid" else boundaries


@dataclass(frozen=True, slots=True)
class JsonFault:
    """A kind of broken building in CityJSON; ``cut`` breaks the bytes of its line."""

    kind: str
    outcome: Outcome
    code: str
    change: Callable[[Draft], None] = lambda _: None
    cut: Callable[[bytes], bytes] | None = None


def _outside(draft: Draft) -> None:
    draft.surfaces[0][0][0] = 2_000_000_000


def _negative(draft: Draft) -> None:
    draft.surfaces[0][0][0] = -1


def _no_index(draft: Draft) -> None:
    draft.surfaces[0][0][0] = "0"


def _too_flat(draft: Draft) -> None:
    draft.geometry["boundaries"] = draft.surfaces[0]


def _no_ring(draft: Draft) -> None:
    draft.surfaces[0].clear()


def _sphere(draft: Draft) -> None:
    draft.geometry["type"] = "Sphere"


def _no_lod(draft: Draft) -> None:
    del draft.geometry["lod"]


def _semantics(draft: Draft) -> None:
    """A value fewer than there are surfaces."""
    values = [0] * (len(draft.surfaces) - 1)
    values = [values] if draft.geometry["type"] == "Solid" else values
    draft.geometry["semantics"] = {"surfaces": [{"type": "RoofSurface"}], "values": values}


def _no_type(draft: Draft) -> None:
    del draft.root["type"]


def _attributes(draft: Draft) -> None:
    draft.root["attributes"] = "none"


def _empty(draft: Draft) -> None:
    attributes = draft.root["attributes"]
    name = next(name for name, value in attributes.items() if isinstance(value, str))
    attributes[name] = ""


def _circle(draft: Draft) -> None:
    """A building that is part of its part."""
    part = f"{draft.id}_1"
    draft.objects[part] = {**draft.root, "type": "BuildingPart", "parents": [draft.id]}
    draft.root.update(parents=[part])
    draft.listed = [draft.id, part]


def _orphan(draft: Draft) -> None:
    draft.root.update(type="BuildingPart", parents=["nowhere"])


def _same_id(draft: Draft) -> None:
    """The id of the good building that this one was copied from."""
    taken = good_id(draft.id)
    draft.objects = {taken: draft.root}
    draft.id, draft.listed = taken, [taken]


def _too_large(draft: Draft) -> None:
    draft.root["attributes"] = {"text": "x" * _TOO_MANY}
    draft.listed = [""]


def _far(draft: Draft) -> None:
    draft.vertices[0] = [1e308, *draft.vertices[0][1:]]


def _two_numbers(draft: Draft) -> None:
    draft.vertices[0] = draft.vertices[0][:2]


def _text_for_number(draft: Draft) -> None:
    draft.vertices[0] = [*draft.vertices[0][:2], "4,2"]


def _no_id(draft: Draft) -> None:
    """Only the line has no id; writing it leaves an empty one out."""
    draft.id, draft.listed = "", [""]


def _no_number(line: bytes) -> bytes:
    """A NaN, which JSON has not, for the first number of a vertex."""
    head, found, rest = line.partition(b'"vertices":[[')
    return head + found + b"NaN" + rest[rest.index(b",") :]


_TOO_LARGE: Final = JsonFault("attribute-too-large", "refused", "too-large", _too_large)
ONCE: Final = (_TOO_LARGE,)
"""Faults that take a lot of room."""

JSON_FAULTS: Final = (
    JsonFault("vertex-out-of-range", "refused", "vertex-out-of-range", _outside),
    JsonFault("negative-vertex", "refused", "vertex-out-of-range", _negative),
    JsonFault("vertex-no-number", "refused", "invalid-boundaries", _no_index),
    JsonFault("boundaries-too-flat", "refused", "invalid-boundaries", _too_flat),
    JsonFault("surface-without-ring", "refused", "invalid-boundaries", _no_ring),
    JsonFault("unknown-geometry", "refused", "unknown-geometry", _sphere),
    JsonFault("missing-lod", "refused", "invalid-lod", _no_lod),
    JsonFault("semantics-length", "refused", "invalid-semantics", _semantics),
    JsonFault("far-coordinate", "refused", "invalid-coordinates", _far),
    JsonFault("missing-type", "refused", "missing-type", _no_type),
    JsonFault("attributes-no-object", "refused", "invalid-attributes", _attributes),
    JsonFault("cyclic-parents", "refused", "cyclic-parents", _circle),
    JsonFault("orphan", "refused", "orphan", _orphan),
    JsonFault("duplicate-id", "refused", "duplicate-id", _same_id),
    JsonFault("empty-value", "stored", "", _empty),
    _TOO_LARGE,
)
"""Faults of a building in a document or a line; the others are read all the same."""

LINE_FAULTS: Final = (
    JsonFault("vertex-of-two-numbers", "refused", "invalid-vertices", _two_numbers),
    JsonFault("no-number", "refused", "invalid-vertices", _text_for_number),
    JsonFault("missing-id", "refused", "root-unresolved", _no_id),
    JsonFault("nan", "refused", "not-well-formed", cut=_no_number),
    JsonFault("truncated-line", "refused", "not-well-formed", cut=lambda line: line[: len(line) // 2]),
)
"""Faults that cost a line of a sequence, but would cost a whole document."""
