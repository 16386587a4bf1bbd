"""What CityJSON 2.0 asks of documents and features of buildings, put down as one JSON Schema.

It says what the schemas at https://www.cityjson.org/schemas/2.0.1/ say of what the service writes: which
members there are, how boundaries and the values beside them nest in each type of geometry, and which
surfaces a building has. Nothing else may be in a geometry or at the top, so it is no less strict.
"""

from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_INDEX: Schema = {"type": "integer", "minimum": 0}
_INDEX_OR_NONE: Schema = {"type": ["integer", "null"], "minimum": 0}
_DEPTHS = {
    "MultiPoint": 1, "MultiLineString": 2, "MultiSurface": 3, "CompositeSurface": 3, "Solid": 4,
    "MultiSolid": 5, "CompositeSolid": 5,
}  # fmt: skip
_FIRST_LEVEL = ("Building", "BuildingPart", "BuildingInstallation", "BuildingConstructiveElement",
                "BuildingFurniture", "BuildingStorey", "BuildingRoom", "BuildingUnit")  # fmt: skip
_SURFACES = ("RoofSurface", "GroundSurface", "WallSurface", "ClosureSurface", "OuterCeilingSurface",
             "OuterFloorSurface", "Window", "Door", "InteriorWallSurface", "CeilingSurface",
             "FloorSurface")  # fmt: skip


def _nested(item: Schema, depth: int) -> Schema:
    return item if depth == 0 else {"type": "array", "items": _nested(item, depth - 1)}


def _closed(required: tuple[str, ...], properties: Schema) -> Schema:
    return {
        "type": "object", "required": [*required], "properties": properties, "additionalProperties": False
    }  # fmt: skip


def _geometry(kind: str, depth: int) -> Schema:
    surfaces = max(depth - 2, 1)
    semantic: Schema = {
        "type": "object",
        "required": ["type"],
        "properties": {"type": _TEXT | {"pattern": rf"^({'|'.join(_SURFACES)}|\+.+)$"}},
    }
    semantics = _closed(
        ("surfaces", "values"),
        {"surfaces": _nested(semantic, 1), "values": _nested(_INDEX_OR_NONE, surfaces)},
    )
    material: Schema = {"oneOf": [
        _closed(("value",), {"value": _INDEX}),
        _closed(("values",), {"values": _nested(_INDEX_OR_NONE, surfaces)}),
    ]}  # fmt: skip
    texture = _closed(("values",), {"values": _nested(_INDEX_OR_NONE, depth)})
    members: Schema = {
        "type": {"const": kind},
        "lod": _TEXT | {"pattern": r"^([0-3])(\.[0-3])?$"},
        "boundaries": _nested(_INDEX, depth),
        "semantics": semantics,
    }
    if depth > 2:
        members |= {
            "material": {"type": "object", "additionalProperties": material},
            "texture": {"type": "object", "additionalProperties": texture},
        }
    return _closed(("type", "lod", "boundaries"), members)


def _city_object() -> Schema:
    geometries = [_geometry(kind, depth) for kind, depth in _DEPTHS.items()]
    ids: Schema = {"type": "array", "items": _TEXT, "minItems": 1}
    found: Schema = {
        "type": "object",
        "required": ["type"],
        "properties": {
            "type": {"enum": [*_FIRST_LEVEL]},
            "attributes": {"type": "object"},
            "geographicalExtent": {"type": "array", "items": _NUMBER, "minItems": 6, "maxItems": 6},
            "children": ids,
            "parents": ids,
            "address": {"type": "array", "items": {"type": "object"}},
            "geometry": {"type": "array", "items": {"oneOf": geometries}},
        },
    }
    part: Schema = {"properties": {"type": {"not": {"const": "Building"}}}}
    return {"allOf": [found, {"if": part, "then": {"required": ["parents"]}}]}


def document(name: str) -> Schema:
    """The schema of ``cityjson``, a document or the first line of a sequence, or ``cityjsonfeature``."""
    three: Schema = {"type": "array", "items": _NUMBER, "minItems": 3, "maxItems": 3}
    vertex: Schema = three | {"items": {"type": "integer"}}
    shared: Schema = {
        "CityObjects": {"type": "object", "additionalProperties": _city_object()},
        "vertices": {"type": "array", "items": vertex},
        "appearance": {"type": "object"},
    }
    if name == "cityjsonfeature":
        one: Schema = {"type": {"const": "CityJSONFeature"}, "id": _TEXT}
        return _closed(("type", "id", "CityObjects", "vertices"), one | shared)
    system = r"^https?://www\.opengis\.net/def/crs/[^/]+/[^/]+/[^/]+$"
    whole: Schema = {
        "type": {"const": "CityJSON"},
        "version": {"const": "2.0"},
        "transform": _closed(("scale", "translate"), {"scale": three, "translate": three}),
        "metadata": {"type": "object", "properties": {"referenceSystem": _TEXT | {"pattern": system}}},
        "geometry-templates": {"type": "object"},
    }
    return _closed(("type", "version", "transform", "CityObjects", "vertices"), whole | shared)
