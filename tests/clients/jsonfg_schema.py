"""What JSON-FG 1.0 asks of documents (OGC 21-045r1, annex of schemas), put down as one JSON Schema.

It says what the schemas at https://schemas.opengis.net/json-fg say of features and their collections:
which members there are, which of them only the outermost object has, and which geometries a place may
be. Texts of kinds that the service never writes (prisms, arcs) are left out, so it is no less strict.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]

_CORE = "http://www.opengis.net/spec/json-fg-1/1.0/conf/core"
_NUMBER: Schema = {"type": "number"}
_NULL: Schema = {"type": "null"}
_TEXT: Schema = {"type": "string"}
_DATE: Schema = _TEXT | {"pattern": r"^\d{4}-\d{2}-\d{2}$"}
_TIMESTAMP: Schema = _TEXT | {"pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z$"}


def _array(items: Schema, least: int = 0, most: int | None = None) -> Schema:
    found: Schema = {"type": "array", "minItems": least, "items": items}
    return found if most is None else found | {"maxItems": most}


def _object(required: Sequence[str], properties: Schema) -> Schema:
    return {"type": "object", "required": [*required], "properties": properties}


def _only_outside(*names: str) -> list[Schema]:
    """Members that an object within another one has not."""
    return [{"not": {"type": "object", "required": [name]}} for name in names]


_INSIDE = _only_outside("coordRefSys", "measures", "conformsTo")

_REFERENCE: Schema = {
    "oneOf": [
        _TEXT | {"format": "uri-reference"},
        _object(["type", "href"], {"type": {"const": "Reference"}, "href": _TEXT, "epoch": _NUMBER}),
        _object(["type"], {"type": _TEXT | {"not": {"const": "Reference"}}}),
    ]
}
_SYSTEM: Schema = {"oneOf": [_REFERENCE, _array(_REFERENCE, 2)]}
_MEASURES = _object(["enabled"], {"enabled": {"type": "boolean"}, "unit": _TEXT})
_BOXES: dict[int, Schema] = {n: _array(_NUMBER, n, n) for n in (4, 6)}


def _geometry(kind: str, member: str, value: Schema, box: Schema) -> Schema:
    known: Schema = {"type": {"const": kind}, "coordRefSys": _SYSTEM, "measures": _MEASURES}
    return _object(["type", member], known | {member: value, "bbox": box})


def _flat() -> list[Schema]:
    position = _array(_NUMBER, 2, 4)
    line, ring = _array(position, 2), _array(position, 4)
    shapes = {"Point": position, "LineString": line, "Polygon": _array(ring)}
    many = {f"Multi{kind}": _array(shape) for kind, shape in shapes.items()}
    either: Schema = {"oneOf": [*_BOXES.values()]}
    plain = [_geometry(kind, "coordinates", shape, either) for kind, shape in (shapes | many).items()]
    members = _array({"allOf": [{"oneOf": plain}, *_INSIDE]})
    return [*plain, _geometry("GeometryCollection", "geometries", members, either)]


def _solid() -> list[Schema]:
    polyhedron = _array(_array(_array(_array(_array(_NUMBER, 3, 4), 4), 1), 1), 1)
    return [
        _geometry("Polyhedron", "coordinates", polyhedron, _BOXES[6]),
        _geometry("MultiPolyhedron", "coordinates", _array(polyhedron), _BOXES[6]),
    ]


def _time() -> Schema:
    ends = [{"oneOf": [kind, {"const": ".."}]} for kind in (_DATE, _TIMESTAMP)]
    members: Schema = {"date": _DATE, "timestamp": _TIMESTAMP, "interval": _array({"anyOf": ends}, 2, 2)}
    return {"oneOf": [_NULL, _object([], members) | {"minProperties": 1}]}


def _feature() -> Schema:
    flat = _flat()
    return _object(
        ["type", "geometry", "properties"],
        {
            "type": {"const": "Feature"},
            "id": {"type": ["number", "string"]},
            "featureType": _TEXT,
            "time": _time(),
            "coordRefSys": _SYSTEM,
            "place": {"allOf": [{"oneOf": [_NULL, *flat, *_solid()]}, *_INSIDE]},
            "geometry": {"allOf": [{"oneOf": [_NULL, *flat]}, *_INSIDE]},
            "properties": {"type": ["object", "null"]},
        },
    )


def _collection() -> Schema:
    inside: Schema = {"allOf": [_feature(), *_only_outside("coordRefSys", "conformsTo")]}
    return _object(
        ["type", "features"],
        {
            "type": {"const": "FeatureCollection"},
            "featureType": _TEXT,
            "geometryDimension": {"type": "integer", "minimum": 0, "maximum": 3},
            "coordRefSys": _SYSTEM,
            "features": _array(inside),
        },
    )


def document(name: str) -> Schema:
    """The schema of a document, ``feature`` or ``featurecollection``, which tells what it conforms to."""
    told = _array(_TEXT | {"format": "uri"}, 1) | {"contains": {"const": _CORE}, "uniqueItems": True}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "allOf": [
            {"feature": _feature, "featurecollection": _collection}[name](),
            _object(["conformsTo"], {"conformsTo": told}),
        ],
    }
