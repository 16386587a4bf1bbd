"""Joins what was read of a CityGML feature: solids get the semantics of the surfaces they link to.

CityGML says what a wall is at the surface and what is closed at the solid, which refer to the same
polygons; in CityJSON, and here, it is one geometry with a semantic surface for each face.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from importers.citygml_appearance import Paint
from importers.citygml_dressing import Dresser
from importers.gml import GmlGeometry, GmlPool, ResolvedGeometry
from twin.model.cityobject import Address, CityObject
from twin.model.geometry import Geometry, SemanticSurface

_TOLERANCE_DECIMALS = 4


@dataclass(slots=True)
class SurfaceDraft:
    """A thematic surface; ``parent`` is the surface that an opening is part of."""

    type: str
    id: str | None = None
    parent: int | None = None
    attributes: dict[str, Any] = field(default_factory=lambda: cast("dict[str, Any]", {}))
    """Made without an alias such as ``dict[str, Any]``, which takes four times as long."""


@dataclass(slots=True)
class ObjectDraft:
    """A city object before its links are resolved.

    ``geometries`` are its own (LoD, geometry, thematic surface or None), ``thematic`` those of its
    thematic surfaces, ``simple`` points, lines and instances; ``lod`` applies to geometry properties
    without one in their name (relief).
    """

    id: str
    type: str
    parent: str | None
    lod: str = "0"
    attributes: dict[str, Any] = field(default_factory=dict[str, Any])
    geometries: list[tuple[str, GmlGeometry, int | None]] = field(
        default_factory=list[tuple[str, GmlGeometry, "int | None"]]
    )
    thematic: list[tuple[str, GmlGeometry, int]] = field(default_factory=list[tuple[str, GmlGeometry, int]])
    simple: list[Geometry] = field(default_factory=list[Geometry])
    addresses: list[Address] = field(default_factory=list[Address])
    extra: dict[str, Any] = field(default_factory=dict[str, Any])


def assemble(
    drafts: list[ObjectDraft],
    surfaces: list[SurfaceDraft],
    pool: GmlPool,
    paints: Sequence[Paint],
    ledger: Counter[str],
) -> tuple[CityObject, ...]:
    """The objects with their geometries; Refusal where a link cannot be resolved."""
    joiner = _Joiner(surfaces, pool, ledger, Dresser(pool, paints, ledger))
    own = [joiner.own(draft) for draft in drafts]
    thematic = [joiner.thematic(draft) for draft in drafts]
    return tuple(
        CityObject(
            draft.id,
            draft.type,
            draft.attributes,
            (*joiner.geometries(geometries, faces), *draft.simple),
            draft.parent,
            tuple(draft.addresses),
            draft.extra,
        )
        for draft, geometries, faces in zip(drafts, own, thematic, strict=True)
    )


@dataclass(slots=True)
class _Joiner:
    surfaces: list[SurfaceDraft]
    pool: GmlPool
    ledger: Counter[str]
    dresser: Dresser
    semantic: dict[int, int] = field(default_factory=dict[int, int])
    referenced: dict[str, set[int]] = field(default_factory=dict[str, set[int]])

    def own(self, draft: ObjectDraft) -> list[tuple[str, ResolvedGeometry]]:
        """The object's own geometries resolved, those that only repeat another left out."""
        resolved: list[tuple[str, ResolvedGeometry]] = []
        for lod, geometry, surface in draft.geometries:
            found = self.pool.resolve(geometry)
            faces = set(map(_number, found.faces()))
            known = self.referenced.setdefault(lod, set())
            if surface is not None:
                self.semantic.update(dict.fromkeys(faces, surface))
            if "Solid" not in found.type and faces <= known:
                if faces:
                    self.ledger["geometry repeated"] += 1
                continue
            known |= faces
            resolved.append((lod, found))
        return resolved

    def thematic(self, draft: ObjectDraft) -> dict[str, list[int]]:
        """The polygons of the object's thematic surfaces by LoD, each now knowing its surface."""
        faces: dict[str, list[int]] = {}
        for lod, geometry, surface in draft.thematic:
            found = self.pool.resolve(geometry).faces()
            faces.setdefault(lod, []).extend(found)
            for face in found:
                self.semantic.setdefault(face if face >= 0 else ~face, surface)
        return faces

    def geometries(
        self, own: list[tuple[str, ResolvedGeometry]], thematic: dict[str, list[int]]
    ) -> list[Geometry]:
        """Own geometries with semantics, then what no geometry of that LoD refers to."""
        rest = {lod: self._unreferenced(lod, faces) for lod, faces in thematic.items()}
        for lod, geometry in own:
            if rest.get(lod):
                rest[lod] = self._match(geometry, rest[lod])
        built = [self._build(geometry, lod) for lod, geometry in own]
        for lod, faces in rest.items():
            if faces:
                built.append(self._build(ResolvedGeometry("MultiSurface", [[faces]]), lod))
        return built

    def _unreferenced(self, lod: str, faces: list[int]) -> list[int]:
        known = self.referenced.get(lod, set())
        return [face for face in dict.fromkeys(faces) if _number(face) not in known]

    def _match(self, geometry: ResolvedGeometry, faces: list[int]) -> list[int]:
        """Give semantics to a geometry that repeats the surfaces' polygons instead of linking.

        Returns the polygons that are not in it.
        """
        bare = [face for face in geometry.faces() if _number(face) not in self.semantic]
        if not bare:
            return faces
        surfaces = {self._key(face): self.semantic[_number(face)] for face in faces}
        matched: set[bytes] = set()
        for face in bare:
            key = self._key(face)
            if key in surfaces:
                self.semantic[_number(face)] = surfaces[key]
                matched.add(key)
        return [face for face in faces if self._key(face) not in matched]

    def _key(self, face: int) -> bytes:
        """The same for polygons with the same points, wherever they start and whichever way round."""
        xyz, _, _ = self.pool.rings.select([_number(face)], self.pool.face_start)
        points = np.unique(np.round(xyz, _TOLERANCE_DECIMALS) + 0.0, axis=0)
        return points.tobytes()

    def _build(self, geometry: ResolvedGeometry, lod: str) -> Geometry:
        semantic = self.semantic
        used = {semantic[number] for number in map(_number, geometry.faces()) if number in semantic}
        if any(self.surfaces[index].parent is not None for index in used):
            used = self._with_parents(used)
        order = sorted(used)
        place = {index: position for position, index in enumerate(order)}
        children: dict[int, list[int]] = {}
        for index in order:
            parent = self.surfaces[index].parent
            if parent is not None:
                children.setdefault(parent, []).append(place[index])
        surfaces = tuple(self._semantic_surface(index, place, children.get(index)) for index in order)
        faces = {face: place[index] for face, index in semantic.items() if index in place}
        return self.dresser.dress(self.pool.build(geometry, lod, faces, surfaces), geometry.faces())

    def _with_parents(self, indices: Iterable[int]) -> set[int]:
        found: set[int] = set()
        for index in indices:
            current: int | None = index
            while current is not None:
                found.add(current)
                current = self.surfaces[current].parent
        return found

    def _semantic_surface(
        self, index: int, place: dict[int, int], children: list[int] | None
    ) -> SemanticSurface:
        """A surface; parent and children are indices into the semantics, as in CityJSON."""
        draft = self.surfaces[index]
        links: dict[str, Any] = {}
        if draft.parent is not None:
            links["parent"] = place[draft.parent]
        if children:
            links["children"] = children
        return SemanticSurface(draft.type, draft.id, draft.attributes | links if links else draft.attributes)


def _number(face: int) -> int:
    """The polygon, whichever way round it is used."""
    return face if face >= 0 else ~face
