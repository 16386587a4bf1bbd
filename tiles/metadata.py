"""Property tables of EXT_structural_metadata, derived from the attribute catalogue.

Types follow 3D Metadata 1.0: text is STRING, a code list is ENUM, numbers are FLOAT32 and INT32.
Each property has a noData value, since most registers have gaps. BOOLEAN allows none (3D Metadata,
"noData"), so truth values are an ENUM as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from twin.model.attributes import BY_NAME, CATALOGUE, SURFACE, Attribute, Group, Origin, Words
from twin.model.catalogue import surfaces

Json: TypeAlias = dict[str, Any]
Column: TypeAlias = Sequence[Any] | npt.NDArray[Any]

ID = Attribute(
    name="id",
    type="text",
    group=Group.IDENTITY,
    origin=Origin.TWIN,
    label=Words("Id", "Tunnus", "Tunnus", "Id"),
    meaning=Words(
        "Id of the object, the same in every delivery.",
        "Kohteen tunnus, sama joka toimituksessa.",
        "Objekti tunnus, sama igas tarnes.",
        "Objektets id, samma i varje leverans.",
    ),
)
"""The first property of every table: the id of the item in the API."""

DEFAULT_PROPERTIES = tuple(attribute.name for attribute in CATALOGUE if attribute.in_tiles)

UNKNOWN = "unknown"
NO_INTEGER = -(2**31)
NO_NUMBER = float(np.finfo(np.float32).min)

SURFACE_CLASS = "surface"
SURFACE_TYPE = surfaces.TYPE
SURFACE_PROPERTIES = {attribute.name: attribute for attribute in SURFACE if attribute is not SURFACE_TYPE}
"""What surfaces have where it is asked for, by name; their type they have always."""

_TRUTH = ("false", "true")


@dataclass(frozen=True, slots=True, eq=False)
class FeatureTable:
    """One row per feature of a tile: ``columns`` hold the values of ``attributes``.

    No value is None in a sequence and NaN in an array of numbers; an array of small codes stands for
    a code list. ``kind`` names the class of the features in the schema, such as ``building``; ``types``
    are those of the features in CityJSON, none where all are buildings.
    """

    kind: str
    attributes: tuple[Attribute, ...]
    columns: tuple[Column, ...]
    types: tuple[str, ...] = ()

    @classmethod
    def from_rows(
        cls, kind: str, properties: Sequence[str], rows: Sequence[Mapping[str, Any]]
    ) -> "FeatureTable":
        """Rows that hold ``id`` and the named catalogue properties, and perhaps ``type`` and more."""
        attributes = (ID, *(BY_NAME[name] for name in properties))
        columns = tuple([row[attribute.name] for row in rows] for attribute in attributes)
        return cls(kind, attributes, columns, tuple(row["type"] for row in rows if "type" in row))

    @property
    def count(self) -> int:
        return len(self.columns[0])

    @property
    def told(self) -> "FeatureTable":
        """Without text that no feature has: a column has a byte at least, and just those of its strings."""
        pairs = zip(self.attributes, self.columns, strict=True)
        told = [pair for pair in pairs if pair[0].type != "text" or pair[0].codes or any(pair[1])]
        return replace(self, attributes=tuple(a for a, _ in told), columns=tuple(c for _, c in told))


@dataclass(frozen=True, slots=True)
class BinaryColumn:
    """The bytes of a property table column; ``offsets`` delimit strings, one more than rows."""

    values: bytes
    offsets: bytes | None = None
    offset_type: str = "UINT32"


@cache
def schema(classes: tuple[tuple[str, tuple[Attribute, ...]], ...]) -> Json:
    """The schema of a tile: a class for each table, by its kind and attributes."""
    found = [item for _, attributes in classes for item in attributes if _is_enum(item)]
    return {
        "id": "finest_twin",
        "classes": {
            kind: {"properties": {item.name: _property(item) for item in attributes}}
            for kind, attributes in classes
        },
        "enums": {item.name: _enum(item.label.en, _enum_values(item)) for item in found},
    }


def binary_column(attribute: Attribute, values: Column) -> BinaryColumn:
    """Values of an attribute in the form that `schema` declares; None and NaN become noData."""
    if isinstance(values, np.ndarray):
        return BinaryColumn(_packed(values))
    if _is_enum(attribute):
        codes = dict(_enum_values(attribute))
        return BinaryColumn(bytes(codes.get(_enum_name(value), 0) for value in values))
    if attribute.type == "text":
        return _strings(values)
    missing = NO_INTEGER if attribute.type == "integer" else NO_NUMBER
    filled = [missing if value is None else value for value in values]
    return BinaryColumn(np.array(filled, dtype="<i4" if attribute.type == "integer" else "<f4").tobytes())


def _packed(values: npt.NDArray[Any]) -> bytes:
    if values.dtype == np.uint8:
        return values.tobytes()
    return np.where(np.isnan(values), NO_NUMBER, values).astype("<f4").tobytes()


def _strings(values: Sequence[Any]) -> BinaryColumn:
    encoded = [b"" if value is None else str(value).encode() for value in values]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    short = int(offsets[-1]) < 1 << 16
    return BinaryColumn(
        values=b"".join(encoded),
        offsets=offsets.astype("<u2" if short else "<u4").tobytes(),
        offset_type="UINT16" if short else "UINT32",
    )


def _property(attribute: Attribute) -> Json:
    unit = f" Unit: {attribute.unit}." if attribute.unit else ""
    named = {"name": attribute.label.en, "description": f"{attribute.meaning.en}{unit}"}
    if attribute is ID:
        return {**named, "type": "STRING", "required": True}
    return {**named, **_type(attribute)}


def _type(attribute: Attribute) -> Json:
    if _is_enum(attribute):
        return _enum_type(attribute.name)
    if attribute.type == "text":
        return {"type": "STRING", "noData": ""}
    if attribute.type == "integer":
        return {"type": "SCALAR", "componentType": "INT32", "noData": NO_INTEGER}
    return {"type": "SCALAR", "componentType": "FLOAT32", "noData": NO_NUMBER}


def _is_enum(attribute: Attribute) -> bool:
    return bool(attribute.codes) or attribute.type == "boolean"


def _enum_type(name: str) -> Json:
    return {"type": "ENUM", "enumType": name, "noData": UNKNOWN}


def _enum_values(attribute: Attribute) -> list[tuple[str, int]]:
    names = attribute.codes or _TRUTH
    return [(UNKNOWN, 0), *((name, code) for code, name in enumerate(names, start=1))]


def _enum_name(value: Any) -> str:
    return _TRUTH[value] if isinstance(value, bool) else str(value)


def _enum(name: str, values: Sequence[tuple[str, int]]) -> Json:
    return {
        "name": name,
        "valueType": "UINT8",
        "values": [{"name": label, "value": code} for label, code in values],
    }
