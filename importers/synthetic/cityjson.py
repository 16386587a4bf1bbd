"""CityJSON 2.0 and CityJSONSeq of the two cities, written one building after the other."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self, TypeAlias

import orjson

from importers.synthetic.city import Building, City, Corner, Part
from importers.synthetic.faults import Broken, Fault, building_faults, in_turn
from importers.synthetic.faults_json import JSON_FAULTS, LINE_FAULTS, ONCE, Draft, JsonFault
from importers.synthetic.measured import face_attributes, face_id

_BUFFER_BYTES: Final = 1 << 20
_MILLIMETRE: Final = 0.001


def _head(city: City, vertices: bool) -> dict[str, Any]:
    """Type, metadata and transform; vertices are whole millimetres from the city's centre."""
    head: dict[str, Any] = {
        "type": "CityJSON",
        "version": "2.0",
        "metadata": {
            "title": city.title,
            "referenceSystem": f"https://www.opengis.net/def/crs/EPSG/0/{city.epsg}",
        },
        "transform": {"scale": [_MILLIMETRE] * 3, "translate": [*map(float, city.centre), 0.0]},
        "CityObjects": {},
    }
    return {**head, "vertices": []} if vertices else head


class _Objects:
    """Buildings as CityJSON objects, easting first as in every CityJSON file."""

    def __init__(self, city: City) -> None:
        self.city = city.name
        self._semantic = city.name == "helsinki"
        self._origin = city.centre[0] * 1000, city.centre[1] * 1000

    def vertices(self, building: Building) -> list[Corner]:
        """The corners of all parts, in millimetres from the centre of the city."""
        x0, y0 = self._origin
        return [(x - x0, y - y0, z) for part in building.parts for x, y, z in part.corners]

    def of(self, building: Building, first: int) -> dict[str, dict[str, Any]]:
        """The building and its parts by id; its vertices begin at index ``first``."""
        record, parts = building.record, building.parts
        root: dict[str, Any] = {"type": "Building", "attributes": attributes(building)}
        objects = {record.object_id: root}
        if len(parts) == 1:
            root["geometry"] = [self._geometry(building, 0, first)]
            return objects
        root["children"] = [building.part_id(index) for index in range(len(parts))]
        for index, part in enumerate(parts):
            geometry = [self._geometry(building, index, first)]
            objects[building.part_id(index)] = {
                "type": "BuildingPart", "parents": [record.object_id], "geometry": geometry
            }  # fmt: skip
            first += len(part.corners)
        return objects

    def _geometry(self, building: Building, index: int, first: int) -> dict[str, Any]:
        part = building.parts[index]
        surfaces = [[[first + corner for corner in ring] for ring in face.rings] for face in part.faces]
        if not self._semantic:
            return {"type": "MultiSurface", "lod": "2", "boundaries": surfaces}
        semantics = {
            "surfaces": [_surface(building, index, part, number) for number in range(len(part.faces))],
            "values": [list(range(len(part.faces)))],
        }
        return {"type": "Solid", "lod": "2", "boundaries": [surfaces], "semantics": semantics}


def attributes(building: Building) -> dict[str, Any]:
    """All attributes under the source's names; an empty value is null, a set an object."""
    record = building.record
    found: dict[str, Any] = {name: value for _, name, value in record.generic}
    for name, members in record.sets.items():
        found[name] = {member: value for _, member, value in members}
    return found | record.standard


def _surface(building: Building, index: int, part: Part, number: int) -> dict[str, Any]:
    face, record = part.faces[number], building.record
    ground = building.entry.lot.form.truth.heights.ground
    known = face_attributes(part, face, ground, record.decimals)
    face_uuid = face_id(record.object_id, index, number)
    return {"type": face.kind, **{name: value for _, name, value in known}, "FaceUUID": face_uuid}


_AnyFault: TypeAlias = Fault | JsonFault


def _broken(fault: _AnyFault, building: Building, objects: _Objects, first: int) -> tuple[Draft, str]:
    """A building with a fault, and the code that it has in an import."""
    code = fault.code(objects.city) or "" if isinstance(fault, Fault) else fault.code
    if isinstance(fault, Fault):
        building = fault.change(building)
    draft = Draft(building.record.object_id, objects.of(building, first), [*objects.vertices(building)])
    if isinstance(fault, JsonFault):
        fault.change(draft)
    return draft, code


class CityJSONSeqWriter:
    """One feature a line after a first line with metadata and transform."""

    def __init__(self, path: Path, city: City) -> None:
        self._city = city
        self._objects = _Objects(city)
        self._faults = in_turn((*building_faults(city.name), *LINE_FAULTS, *JSON_FAULTS), ONCE)
        self._file: BinaryIO = path.open("wb", buffering=_BUFFER_BYTES)

    def __enter__(self) -> Self:
        self._line(_head(self._city, vertices=True))
        return self

    def write(self, building: Building) -> None:
        """Append one building."""
        objects, vertices = self._objects.of(building, 0), self._objects.vertices(building)
        self._line(_feature(building.record.object_id, objects, vertices))

    def write_broken(self, building: Building) -> list[Broken]:
        """Append a line with the next fault; returns what an import says of it."""
        fault = next(self._faults)
        draft, code = _broken(fault, building, self._objects, 0)
        place = f"byte {self._file.tell()}"
        feature = _feature(draft.id, draft.objects, draft.vertices)
        if isinstance(fault, JsonFault) and fault.cut:
            self._file.write(fault.cut(orjson.dumps(feature)) + b"\n")
            draft.listed = [""]
        else:
            self._line(feature)
        return [Broken(identifier, fault.kind, fault.outcome, code, place) for identifier in draft.listed]

    def _line(self, value: dict[str, Any]) -> None:
        self._file.write(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _feature(identifier: str, objects: dict[str, Any], vertices: Sequence[Any]) -> dict[str, Any]:
    known = {"id": identifier} if identifier else {}
    return {"type": "CityJSONFeature", **known, "CityObjects": objects, "vertices": vertices}


class CityJSONWriter:
    """One document. Its vertices come last, so they wait in a temporary file, not in memory."""

    def __init__(self, path: Path, city: City) -> None:
        self._city = city
        self._objects = _Objects(city)
        self._faults = in_turn((*building_faults(city.name), *JSON_FAULTS), ONCE)
        self._file: BinaryIO = path.open("wb", buffering=_BUFFER_BYTES)
        self._vertices = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115 - closed with the writer
        self._count = 0

    def __enter__(self) -> Self:
        head = orjson.dumps(_head(self._city, vertices=False))
        self._file.write(head.removesuffix(b"}}") + b"\n")
        return self

    def write(self, building: Building) -> None:
        """Append one building."""
        self._append(self._objects.of(building, self._count), self._objects.vertices(building))

    def write_broken(self, building: Building) -> list[Broken]:
        """Append a building with the next fault; returns what an import says of it."""
        fault = next(self._faults)
        draft, code = _broken(fault, building, self._objects, self._count)
        start = self._file.tell()
        self._append(draft.objects, draft.vertices)
        return [
            Broken(i, fault.kind, fault.outcome, code, f"CityObjects/{i}" if i else f"byte {start}")
            for i in draft.listed
        ]

    def _append(self, objects: dict[str, Any], vertices: Sequence[Any]) -> None:
        separator = b",\n" if self._count else b""
        self._file.write(separator + orjson.dumps(objects)[1:-1])
        self._vertices.write(separator + orjson.dumps(vertices)[1:-1])
        self._count += len(vertices)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file, self._vertices:
            if kind is not None:
                return
            self._file.write(b'\n},\n"vertices":[')
            self._vertices.seek(0)
            shutil.copyfileobj(self._vertices, self._file)
            self._file.write(b"]}\n")
