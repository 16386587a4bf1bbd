"""What is wrong with deliveries: broken buildings to write among the good ones of a synthetic city.

A broken building is a copy of a good one, far outside the city, with one fault. The fault is made in the
building itself, where every format can hold it, or in what a format makes of the building.
"""

import csv
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, cycle
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self, TypeAlias, TypeVar

from importers.synthetic.city import Building, Part
from importers.synthetic.register import Attribute
from importers.synthetic.shells import Face, Ring

_T = TypeVar("_T")
Outcome: TypeAlias = Literal["refused", "flagged", "repaired", "stored"]

COLUMNS: Final = ("object_id", "kind", "outcome", "code", "place")
_SUFFIX: Final = "_broken"
_AWAY_MM: Final = 20_000_000
"""Farther east than a city of a million buildings reaches."""


@dataclass(frozen=True, slots=True)
class Broken:
    """What an import says of a broken building; a row of the list beside the model.

    ``code`` is that of the import report where the building is refused, the numbers of
    `validity_codes` or ``open`` where it is flagged. ``object_id`` is empty where the id cannot be known.
    """

    object_id: str
    kind: str
    outcome: Outcome
    code: str
    place: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of broken building that every format can hold.

    ``change`` breaks the building. ``solid_code`` is the flag where the city delivers solids,
    ``surface_code`` where it delivers bare surfaces; None: such a city cannot have the fault.
    """

    kind: str
    outcome: Outcome
    change: Callable[[Building], Building]
    solid_code: str | None = ""
    surface_code: str | None = ""

    def code(self, city: str) -> str | None:
        """What is said of such a building of a city."""
        return self.solid_code if city == "helsinki" else self.surface_code


def moved_away(building: Building) -> Building:
    """A copy of its first part with an id of its own, where it touches nothing."""
    first = building.parts[0]
    corners = tuple((x + _AWAY_MM, y, z) for x, y, z in first.corners)
    record = replace(building.record, object_id=f"{building.record.object_id}{_SUFFIX}")
    return replace(building, record=record, parts=(replace(first, corners=corners),))


def good_id(identifier: str) -> str:
    """The id of the good building that a broken one is a copy of."""
    return identifier.removesuffix(_SUFFIX)


def due(buildings: int, broken: int) -> Iterator[bool]:
    """For each building whether a broken one follows it, so that they are spread evenly."""
    for index in range(buildings):
        yield (index + 1) * broken // buildings > index * broken // buildings


# -- faults of the building


def _with_faces(building: Building, faces: Sequence[Face]) -> Building:
    return replace(building, parts=(Part(building.parts[0].corners, tuple(faces)),))


def _with_ring(building: Building, change: Callable[[Ring], Ring]) -> Building:
    """The first face that has four corners and no hole gets another ring."""
    faces = list(building.parts[0].faces)
    place = next(i for i, face in enumerate(faces) if [len(ring) for ring in face.rings] == [4])
    faces[place] = replace(faces[place], rings=(change(faces[place].rings[0]),))
    return _with_faces(building, faces)


def _open(building: Building) -> Building:
    return _with_faces(building, building.parts[0].faces[:-1])


def _inverted(building: Building) -> Building:
    faces = building.parts[0].faces
    return _with_faces(building, [replace(face, rings=tuple(r[::-1] for r in face.rings)) for face in faces])


def _bow_tie(building: Building) -> Building:
    return _with_ring(building, lambda ring: (ring[0], ring[2], ring[1], ring[3]))


def _two_points(building: Building) -> Building:
    return _with_ring(building, lambda ring: ring[:2])


def _repeated_point(building: Building) -> Building:
    return _with_ring(building, lambda ring: (*ring[:2], *ring[1:]))


GARBLED: Final = {"helsinki": ("Katuosoite", "Mäkelänkatu 7"), "tallinn": ("lahiaadress", "Sõpruse pst 7")}
"""The attribute with street and house number, and what stands there before it is garbled."""


def _garbled(building: Building) -> Building:
    """An address in UTF-8 that was read as Latin-1."""
    record = building.record
    city = "helsinki" if record.object_id.startswith("BID_") else "tallinn"
    name, text = GARBLED[city]
    address: Attribute = ("string", name, text.encode().decode("latin-1"))
    others = (attribute for attribute in record.generic if attribute[1] != name)
    return replace(building, record=replace(record, generic=(*others, address)))


FAULTS: Final = (
    Fault("open-shell", "flagged", _open, "302", "open"),
    Fault("inverted-shell", "flagged", _inverted, "405", None),
    Fault("bow-tie", "flagged", _bow_tie, "104", "104"),
    Fault("ring-of-two-points", "flagged", _two_points, "101", "101"),
    Fault("repeated-point", "flagged", _repeated_point, "102", "102"),
    Fault("mojibake", "repaired", _garbled),
)


def building_faults(city: str) -> list[Fault]:
    """The faults of buildings that the deliveries of a city can have."""
    return [fault for fault in FAULTS if fault.code(city) is not None]


def in_turn(faults: Iterable[_T], once: Collection[_T] = ()) -> Iterator[_T]:
    """The faults without end, those of ``once`` only the first time round."""
    first = list(faults)
    return chain(first, cycle([fault for fault in first if fault not in once]))


class BrokenWriter:
    """Writes the list of broken buildings; there is none for a delivery without them."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file, lineterminator="\n")

    def __enter__(self) -> Self:
        self._rows.writerow(COLUMNS)
        return self

    def write(self, broken: Sequence[Broken]) -> None:
        """Append what an import says of one broken building."""
        for row in broken:
            self._rows.writerow([getattr(row, column) for column in COLUMNS])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
