"""Whether two CityJSON models say the same, however they write it.

The canonical form of a model resolves every number that only points elsewhere: vertices, materials,
textures, templates. Two models are equal if their canonical forms are. What does not count:

- the order of members, of vertices and of pools, and pool entries and vertices that nothing uses;
- the ``transform``: coordinates are compared on the grid of the first model;
- a document or a sequence of lines, and the words of version 1.0 and 1.1 for what 2.0 calls otherwise;
- ``children`` beside ``parents``, which say the same twice, and whether a member of a group names it;
- a type that is not in 2.0, with or without the "+" that marks types of Extensions;
- null, a list of nulls, or nothing where nested values say that no face has any; ``value`` for all
  faces or ``values`` of each; rings of a texture that are left out where they have none;
- repetitions of a ring's first point at its end; members that are empty lists or objects.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from twin.formats.cityjson_names import GROUP, TYPES
from twin.formats.cityjson_upgrade import renamed_types, upgraded_head

Json: TypeAlias = dict[str, Any]
_DEPTH = {"MultiPoint": -2, "MultiLineString": -1, "Solid": 1, "MultiSolid": 2, "CompositeSolid": 2}
"""How many levels stand above the surfaces; those of points and lines that are missing below are negative."""
_POOLS = {"materials", "textures", "vertices-texture"}
_APART = {"type", "version", "transform", "CityObjects", "vertices", "appearance", "geometry-templates", "id"}


@dataclass(frozen=True, slots=True)
class Grid:
    """Scale and translation of a transform."""

    scale: Sequence[float] = (1.0, 1.0, 1.0)
    translate: Sequence[float] = (0.0, 0.0, 0.0)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Grid":
        """The grid of a document, millimetres where it has none."""
        transform = document.get("transform")
        if transform is None:
            return cls((0.001, 0.001, 0.001))
        return cls(transform["scale"], transform["translate"])

    def place(self, vertex: Sequence[float]) -> list[float]:
        return [v * s + t for v, s, t in zip(vertex, self.scale, self.translate, strict=True)]

    def number(self, point: Sequence[float]) -> tuple[float, ...]:
        """The cell of a point; a scale of 0 leaves no cells, so that the point itself stands."""
        pairs = zip(point, self.scale, self.translate, strict=True)
        return tuple(float(round((v - t) / s)) if s else v for v, s, t in pairs)


def canonical(lines: Sequence[Json], grid: Grid | None = None) -> Json:
    """The canonical form of a document, or of a first line and its features.

    ``grid`` is that of the model to compare with. KeyError, IndexError or TypeError where the model
    refers to what it has not.
    """
    head = lines[0]
    renamed = renamed_types(head)
    rest = {key: value for key, value in upgraded_head(head).items() if key not in _APART}
    appearance: Json = head.get("appearance", {})
    rest["appearance"] = {key: value for key, value in appearance.items() if key not in _POOLS}
    objects: Json = {}
    for line in lines:
        reader = _Reader(head, line, grid or Grid.of(head))
        for identifier, item in line.get("CityObjects", {}).items():
            objects[identifier] = reader.city_object(item, renamed)
    _relate(objects, lines)
    return cast("Json", _without_empty(rest | {"CityObjects": objects}))


def differences(one: Sequence[Json], other: Sequence[Json], most: int = 20) -> list[str]:
    """Where the second model does not say what the first does; empty if they are equal."""
    grid = Grid.of(one[0])
    found = _compare(canonical(one, grid), canonical(other, grid), "")
    return [text for _, text in zip(range(most), found, strict=False)]


def _compare(one: Any, other: Any, path: str) -> Iterator[str]:
    values: tuple[object, object] = one, other
    if isinstance(one, dict) and isinstance(other, dict):
        left, right = cast("Json", one), cast("Json", other)
        for key in sorted(left.keys() | right.keys()):
            yield from _compare(left.get(key), right.get(key), f"{path}/{key}")
    elif isinstance(one, list) and isinstance(other, list):
        ours, theirs = cast("list[Any]", one), cast("list[Any]", other)
        if len(ours) != len(theirs):
            yield f"{path}: {len(ours)} entries are {len(theirs)}"
        for place, pair in enumerate(zip(ours, theirs, strict=False)):
            yield from _compare(*pair, f"{path}/{place}")
    elif one != other or isinstance(one, bool) != isinstance(other, bool):
        yield f"{path}: {str(values[0])[:80]} is {str(values[1])[:80]}"


def _without_empty(value: Any) -> Any:
    """The value without members that are empty objects or lists; lists keep theirs."""
    if isinstance(value, dict):
        members = {key: _without_empty(inner) for key, inner in cast("Json", value).items()}
        return {key: inner for key, inner in members.items() if inner not in ({}, [])}
    if isinstance(value, list):
        return [_without_empty(inner) for inner in cast("list[Any]", value)]
    return value


def _relate(objects: Json, lines: Sequence[Json]) -> None:
    """Parents of each object, from both sides, and members of each group; children go."""
    raw = {key: item for line in lines for key, item in line.get("CityObjects", {}).items()}
    groups = {key for key, item in raw.items() if item["type"] == GROUP}
    for key, item in raw.items():
        listed: list[str] = item.get("children") or item.get("members") or []
        objects[key].pop("members", None)
        objects[key].pop("children", None)
        if key in groups:
            objects[key]["children"] = sorted(listed)
    for item in objects.values():
        item["parents"] = sorted(set(item.get("parents", [])) - groups)


class _Reader:
    """Reads the objects of one document or line."""

    def __init__(self, head: Json, line: Json, grid: Grid) -> None:
        own = Grid.of(head) if "transform" in head else Grid()
        self._points = [grid.number(own.place(vertex)) for vertex in line.get("vertices", [])]
        self._appearance: Json = line.get("appearance", {})
        self._templates: Json = head.get("geometry-templates", {})
        self._template_appearance: Json = head.get("appearance", {})

    def city_object(self, item: Json, renamed: Mapping[str, str]) -> Json:
        content = dict(item)
        type_: str = renamed.get(item["type"], item["type"])
        content["type"] = type_ if type_ in TYPES else f"+{type_.removeprefix('+')}"
        geometries: list[Json] = item.get("geometry") or []
        content["geometry"] = [self._geometry(geometry) for geometry in geometries]
        stated: Any = item.get("address") or []
        addresses: list[Json] = [stated] if isinstance(stated, dict) else stated
        content["address"] = [self._address(address) for address in addresses]
        return content

    def _address(self, address: Json) -> Json:
        location = address.get("location")
        return address | ({} if location is None else {"location": self._geometry(location)})

    def _geometry(self, geometry: Json) -> Json:
        if geometry["type"] != "GeometryInstance":
            return resolved(geometry, self._points, self._appearance)
        template = self._templates["templates"][geometry["template"]]
        vertices = [tuple(map(float, vertex)) for vertex in self._templates["vertices-templates"]]
        return {
            "type": "GeometryInstance",
            "point": [self._points[index] for index in geometry["boundaries"]],
            "matrix": list(map(float, geometry["transformationMatrix"])),
            "template": resolved(template, vertices, self._template_appearance),
        }


def resolved(geometry: Json, points: Sequence[tuple[float, ...]], appearance: Json) -> Json:
    """A geometry that refers to nothing: faces one after the other, each with its own values."""
    depth = _DEPTH.get(geometry["type"], 0)
    boundaries = _deepened(geometry["boundaries"], -depth)
    faces = list(_faces(boundaries, depth))
    rings = [[_ring(ring, points, depth) for ring in face] for face in faces]
    semantics: Json = geometry.get("semantics") or {}
    material: dict[str, Json] = geometry.get("material") or {}
    texture: dict[str, Json] = geometry.get("texture") or {}
    return {
        "type": geometry["type"],
        "lod": str(geometry["lod"]),
        "faces": rings,
        "nesting": _nesting(boundaries, depth),
        "surfaces": semantics.get("surfaces") or [],
        "semantic": _by_face(semantics.get("values"), boundaries, depth) if semantics.get("surfaces") else [],
        "material": {
            theme: _materials(content, boundaries, depth, appearance.get("materials", []))
            for theme, content in material.items()
        },
        "texture": {
            theme: _textures(content, boundaries, depth, rings, appearance)
            for theme, content in texture.items()
        },
    }


def _deepened(boundaries: list[Any], levels: int) -> list[Any]:
    """Lines and points as faces of one ring."""
    for _ in range(max(levels, 0)):
        boundaries = [[inner] for inner in boundaries]
    return boundaries


def _faces(boundaries: list[Any], depth: int) -> Iterator[Any]:
    if depth <= 0:
        yield from boundaries
    else:
        for inner in boundaries:
            yield from _faces(inner, depth - 1)


def _nesting(boundaries: list[Any], depth: int) -> list[Any] | int:
    """How many faces each shell of each solid has."""
    return len(boundaries) if depth <= 0 else [_nesting(inner, depth - 1) for inner in boundaries]


def _ring(ring: list[int], points: Sequence[tuple[float, ...]], depth: int) -> list[tuple[float, ...]]:
    resolved_points = [points[index] for index in ring]
    while depth >= 0 and len(resolved_points) > 1 and resolved_points[-1] == resolved_points[0]:
        resolved_points.pop()
    return resolved_points


def _by_face(values: Any, boundaries: list[Any], depth: int) -> list[Any]:
    """Nested values face by face; null stands for null of all below."""
    if values is None:
        return [None for _ in _faces(boundaries, depth)]
    if depth <= 0:
        return list(values)
    pairs = zip(values, boundaries, strict=True)
    return [value for inner, below in pairs for value in _by_face(inner, below, depth - 1)]


def _materials(content: Json, boundaries: list[Any], depth: int, pool: Sequence[Json]) -> list[Any]:
    if "value" in content:
        values = [content["value"] for _ in _faces(boundaries, depth)]
    else:
        values = _by_face(content.get("values"), boundaries, depth)
    return [None if value is None else pool[value] for value in values]


def _textures(
    content: Json, boundaries: list[Any], depth: int, rings: list[list[Any]], appearance: Json
) -> list[Any]:
    """For each face its rings, each None or an image and the corners within it."""
    values = _by_face(content.get("values"), boundaries, depth)
    shown: list[Any] = []
    for face, listed in zip(rings, values, strict=True):
        known: list[Any] = [*(listed or []), *([None] * len(face))]
        pairs = zip(face, known, strict=False)
        shown.append([_textured(value, len(ring), appearance) for ring, value in pairs])
    return shown


def _textured(value: list[Any] | None, length: int, appearance: Json) -> list[Any] | None:
    if not value or value[0] is None:
        return None
    corners = [list(map(float, appearance["vertices-texture"][index])) for index in value[1 : length + 1]]
    return [appearance["textures"][value[0]], corners]
