"""What is wrong with property tables and their schema (EXT_structural_metadata, 3D Metadata 1.0)."""

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Json: TypeAlias = dict[str, Any]
Problems: TypeAlias = Iterator[tuple[str, str, str]]
ReadView: TypeAlias = Callable[[int], bytes]

_BASE = "/extensions/EXT_structural_metadata"
_IDENTIFIER = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_COMPONENTS = {
    "INT8": "i1", "UINT8": "u1", "INT16": "<i2", "UINT16": "<u2", "INT32": "<i4", "UINT32": "<u4",
    "INT64": "<i8", "UINT64": "<u8", "FLOAT32": "<f4", "FLOAT64": "<f8",
}  # fmt: skip
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_TYPES = {*_WIDTHS, "STRING", "BOOLEAN", "ENUM"}
_OFFSETS = {"UINT8", "UINT16", "UINT32", "UINT64"}


def check_metadata(metadata: Json, view: ReadView) -> Problems:
    """Problems as place, code and words; ``view`` gives the bytes of a buffer view."""
    schema: Json = metadata.get("schema", {})
    yield from _check_schema(schema)
    for number, table in enumerate(metadata.get("propertyTables", [])):
        place = f"{_BASE}/propertyTables/{number}"
        declared = schema.get("classes", {}).get(table.get("class"))
        if declared is None:
            yield place, "unknown-class", f"There is no class '{table.get('class')}' in the schema."
            continue
        yield from _check_table(place, table, declared.get("properties", {}), schema, view)


def _check_schema(schema: Json) -> Problems:
    place = f"{_BASE}/schema"
    if not _IDENTIFIER.fullmatch(str(schema.get("id", ""))):
        yield f"{place}/id", "schema-id", "The schema has no proper id."
    enums: Json = schema.get("enums", {})
    for name, enum in enums.items():
        yield from _check_enum(f"{place}/enums/{name}", enum)
    for class_name, declared in schema.get("classes", {}).items():
        for name, item in declared.get("properties", {}).items():
            yield from _check_property(f"{place}/classes/{class_name}/properties/{name}", name, item, enums)


def _check_enum(place: str, enum: Json) -> Problems:
    values: list[Json] = enum.get("values", [])
    for key in ("name", "value"):
        found = [value.get(key) for value in values]
        if len(set(found)) != len(found):
            yield place, "enum-duplicate", f"Two values of the enum have the same {key}."
    if not values:
        yield place, "enum-empty", "The enum has no values."


def _check_property(place: str, name: str, item: Json, enums: Json) -> Problems:
    kind = item.get("type")
    if not _IDENTIFIER.fullmatch(name):
        yield place, "property-name", f"'{name}' is no identifier."
    if "semantic" in item:
        yield place, "semantic", f"No semantic {item['semantic']!r} of single properties is defined."
    if kind not in _TYPES:
        yield place, "property-type", f"There is no type {kind!r}."
    elif kind == "ENUM" and item.get("enumType") not in enums:
        yield place, "unknown-enum", f"There is no enum {item.get('enumType')!r}."
    elif kind in _WIDTHS and item.get("componentType") not in _COMPONENTS:
        yield place, "component-type", f"There is no component type {item.get('componentType')!r}."
    elif "noData" in item:
        yield from _check_no_data(place, item, enums)


def _check_no_data(place: str, item: Json, enums: Json) -> Problems:
    no_data, kind = item["noData"], item["type"]
    if item.get("required"):
        yield place, "no-data", "A required property has no noData value."
    if kind == "ENUM":
        fits = no_data in [value["name"] for value in enums[item["enumType"]]["values"]]
    elif kind == "STRING":
        fits = isinstance(no_data, str)
    elif kind == "SCALAR":
        fits = isinstance(no_data, (int, float)) and _representable(no_data, item["componentType"])
    else:
        fits = kind != "BOOLEAN"
    if not fits:
        yield place, "no-data", f"noData {no_data!r} does not fit the type {kind}."


def _representable(value: float, component: str) -> bool:
    kind = np.dtype(_COMPONENTS[component])
    if kind.kind == "f":
        return bool(np.isfinite(value)) and abs(value) <= float(np.finfo(kind).max)
    limits = np.iinfo(kind)
    return int(value) == value and int(limits.min) <= value <= int(limits.max)


def _check_table(place: str, table: Json, declared: Json, schema: Json, view: ReadView) -> Problems:
    columns: Json = table.get("properties", {})
    if table.get("count", 0) < 1:
        yield place, "table-count", "A property table has at least one row."
        return
    for name in declared.keys() - columns.keys():
        if declared[name].get("required"):
            yield place, "required-property", f"The required property '{name}' has no column."
    for name, column in columns.items():
        here = f"{place}/properties/{name}"
        if name not in declared:
            yield here, "undeclared-property", f"The class has no property '{name}'."
        elif "array" not in declared[name]:
            yield from _check_column(here, column, declared[name], schema, table["count"], view)


def _check_column(place: str, column: Json, item: Json, schema: Json, count: int, view: ReadView) -> Problems:
    values = view(column["values"])
    kind = item.get("type")
    if kind == "STRING":
        yield from _check_strings(place, column, values, count, view)
        return
    component = item.get("componentType")
    if kind == "ENUM":
        enum = schema.get("enums", {}).get(item.get("enumType"), {})
        component = enum.get("valueType", "UINT16")
    if component not in _COMPONENTS:
        return
    dtype = np.dtype(_COMPONENTS[component])
    expected = count * dtype.itemsize * _WIDTHS.get(str(kind), 1)
    if len(values) != expected:
        yield place, "column-length", f"The column has {len(values)} bytes where {expected} are needed."
        return
    data = np.frombuffer(values, dtype=dtype)
    if kind == "ENUM":
        yield from _check_codes(place, data, schema["enums"][item["enumType"]])
    elif dtype.kind == "f" and not np.isfinite(data).all():
        yield place, "not-finite", "The column holds NaN or infinity."


def _check_codes(place: str, data: npt.NDArray[Any], enum: Json) -> Problems:
    known = {value["value"] for value in enum["values"]}
    strange = set(data.tolist()) - known
    if strange:
        yield place, "enum-value", f"The enum has no value {min(strange)}."


def _check_strings(place: str, column: Json, values: bytes, count: int, view: ReadView) -> Problems:
    component = column.get("stringOffsetType", "UINT32")
    if "stringOffsets" not in column or component not in _OFFSETS:
        yield place, "string-offsets", "A column of strings has no proper offsets."
        return
    raw = view(column["stringOffsets"])
    dtype = np.dtype(_COMPONENTS[component])
    if len(raw) != (count + 1) * dtype.itemsize:
        yield place, "string-offsets", f"{count} strings need {count + 1} offsets of {component}."
        return
    offsets = np.frombuffer(raw, dtype=dtype).astype(np.int64)
    if offsets[0] != 0 or (np.diff(offsets) < 0).any() or offsets[-1] != len(values):
        yield place, "string-offsets", "The offsets do not divide the strings."
        return
    try:
        values[: offsets[-1]].decode()
    except UnicodeDecodeError:
        yield place, "string-utf8", "The strings are not UTF-8."
