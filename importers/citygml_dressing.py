"""Gives geometries of CityGML what appearances say about their surfaces and rings."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from importers.citygml_appearance import Paint, Projection
from importers.gml import GmlPool, gml_id
from twin.model.appearance import Appearance, Member, TextureTheme
from twin.model.geometry import Floats, Geometry, Ints

_UV_DECIMALS = 6
"""Finer than a pixel of any image; noise of coordinates in millions of metres is coarser."""


class Dresser:
    """Gives the geometries of one feature what its own and the model's appearances say."""

    def __init__(self, pool: GmlPool, paints: Sequence[Paint], ledger: Counter[str]) -> None:
        self._pool = pool
        self._ledger = ledger
        self._face: dict[int, list[tuple[str, Member]]] = {}
        self._ring: dict[int, list[tuple[str, Member, list[float]]]] = {}
        self._projected: dict[int, list[tuple[str, Member, Projection]]] = {}
        for paint in paints:
            if paint.surfaces:
                for identifier, face in pool.faces_by_id(paint.surfaces):
                    self._face.setdefault(face, []).extend(paint.surfaces[identifier])
            if paint.rings:
                for place, element in enumerate(pool.rings.elements):
                    known = paint.rings.get(gml_id(element) or "")
                    if known:
                        self._ring.setdefault(place, []).extend(known)
            if paint.projected:
                for identifier, face in pool.faces_by_id(paint.projected):
                    self._projected.setdefault(face, []).extend(paint.projected[identifier])

    def dress(self, geometry: Geometry, faces: Sequence[int]) -> Geometry:
        """The geometry, whose polygons are ``faces``, with its appearance."""
        if not self._face and not self._ring and not self._projected:
            return geometry
        materials, textures = _Members(), _Members()
        material = self._materials(faces, materials)
        texture = self._textures(geometry, faces, textures)
        found = Appearance(tuple(materials.members), tuple(textures.members), material, texture)
        return geometry if found.is_empty else replace(geometry, appearance=found)

    def _materials(self, faces: Sequence[int], members: "_Members") -> dict[str, Ints]:
        themes: dict[str, Ints] = {}
        for place, face in enumerate(faces):
            for theme, member in self._face.get(face if face >= 0 else ~face, ()):
                themes.setdefault(theme, np.full(len(faces), -1, dtype=np.int64))
                if themes[theme][place] < 0:  # the nearest target stands first, and counts
                    themes[theme][place] = members.number(member)
        return themes

    def _textures(
        self, geometry: Geometry, faces: Sequence[int], members: "_Members"
    ) -> dict[str, TextureTheme]:
        themes: dict[str, TextureTheme] = {}
        cuts: list[int] = geometry.ring_start.tolist()
        for place, (ring, face) in enumerate(self._rings_of(faces)):
            low, high = cuts[place], cuts[place + 1]
            for theme, member, uv in self._looks(ring, face, geometry.xyz[low:high]):
                if theme not in themes:
                    image = np.full(len(cuts) - 1, -1, dtype=np.int64)
                    themes[theme] = TextureTheme(image, np.full((cuts[-1], 2), np.nan))
                themes[theme].image[place] = members.number(member)
                themes[theme].uv[low:high] = uv
        return themes

    def _looks(self, ring: int, face: int, xyz: Floats) -> Iterator[tuple[str, Member, Floats]]:
        """Themes with the image on a ring and the coordinates within it; the last of a theme counts."""
        for theme, member, projection in self._projected.get(face if face >= 0 else ~face, ()):
            uv = _project(xyz, projection)
            if uv is None:
                self._ledger["appearance projection that does not fit"] += 1
            else:
                yield theme, member, uv
        for theme, member, corners in self._ring.get(ring, ()):
            uv = np.array(corners[: len(corners) // 2 * 2]).reshape(-1, 2)[: len(xyz)]
            if len(uv) != len(xyz):
                self._ledger["appearance texture that does not fit"] += 1
            else:
                yield theme, member, uv[::-1] if face < 0 else uv

    def _rings_of(self, faces: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Rings with their polygons, ``~number`` being reversed ones."""
        spans = list(pairwise(self._pool.face_start))
        for face in faces:
            low, high = spans[face if face >= 0 else ~face]
            for ring in range(low, high):
                yield ring, face


def _project(xyz: Floats, projection: Projection) -> Floats | None:
    """Texture coordinates of points (n, 3); None where a point has none."""
    projected = np.column_stack([xyz, np.ones(len(xyz))]) @ projection.T
    if not projected[:, 2].all():
        return None
    uv = np.round(projected[:, :2] / projected[:, 2:], _UV_DECIMALS) + 0.0
    return uv if np.isfinite(uv).all() else None


class _Members:
    """Materials or textures, each once."""

    def __init__(self) -> None:
        self._place: dict[int, int] = {}
        self.members: list[Member] = []

    def number(self, member: Member) -> int:
        if id(member) not in self._place:
            self._place[id(member)] = len(self.members)
            self.members.append(member)
        return self._place[id(member)]
