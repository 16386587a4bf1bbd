"""Lines of CityJSONSeq: CityJSONFeature objects to features, many lines at once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from importers.cityjson_build import read_all_vertices
from importers.cityjson_header import Header
from importers.cityjson_objects import Draft, Drafts, ObjectReader, finished
from importers.json_values import Json, as_object
from importers.port import Refusal, Refused
from twin.model.cityobject import CityFeature


@dataclass(frozen=True, slots=True)
class Line:
    """What a line holds: its features, their vertices as the line has them, and its own id."""

    drafts: Drafts
    place: str
    vertices: Json = ()
    id: str | None = None


def read_line(document: Mapping[str, Json], reader: ObjectReader, place: str) -> Line:
    """The feature of a CityJSONFeature object."""
    identifier = document.get("id")
    known = identifier if isinstance(identifier, str) else None
    objects = as_object(document.get("CityObjects")) or {}
    if document.get("type") != "CityJSONFeature":
        return Line([_unexpected(repr(document.get("type")), place, known)], place)
    if known not in objects:
        refused = Refused(
            "root-unresolved", known, place, f"the feature's id {identifier!r} is none of its CityObjects",
            "let the id name the first-level object of the feature",
        )  # fmt: skip
        return Line([refused], place)
    drafts = reader.of_line(document).drafts(objects, lambda _: place)
    return Line(drafts, place, document.get("vertices") or (), known)


def _unexpected(found: str, place: str, identifier: str | None = None) -> Refused:
    return Refused(
        "unexpected-type", identifier, place, f"the line has the type {found}, not CityJSONFeature",
        "put one CityJSONFeature a line",
    )  # fmt: skip


def features_of(lines: Sequence[Line], header: Header, ledger: Counter[str]) -> list[CityFeature | Refused]:
    """The features of lines; where one has no proper vertices, each is tried by itself."""
    try:
        vertices = read_all_vertices([line.vertices for line in lines], header.scale, header.translate)
    except Refusal as refusal:
        if len(lines) == 1:
            return [refusal.refused(lines[0].id, lines[0].place)]
        return [feature for line in lines for feature in features_of([line], header, ledger)]
    first = 0
    for line in lines:
        span = (first, len(line.vertices))
        first += len(line.vertices)
        for draft in line.drafts:
            if isinstance(draft, Draft):
                draft.span = span
    return finished([draft for line in lines for draft in line.drafts], vertices, ledger)
