"""Geometry as GML 3.1: polygons once, solids and surfaces that hold them or link to them."""

from collections.abc import Container, Iterable
from itertools import pairwise
from xml.sax.saxutils import quoteattr

import numpy as np

from twin.model.geometry import Floats, Geometry


class Gml:
    """One geometry; its polygons and rings have ids where ``named`` says so.

    ``linked`` are faces whose polygon stands elsewhere, at a thematic surface.
    """

    def __init__(self, identifier: str, geometry: Geometry, named: Container[int] = ()) -> None:
        self._id = identifier
        self.geometry = geometry
        self._named = named
        self._points: list[list[float]] = geometry.xyz.tolist()
        self._starts: list[int] = geometry.ring_start.tolist()
        self._rings: list[int] = geometry.surface_start.tolist()
        self._shells: list[int] = geometry.shell_start.tolist()
        self._solids: list[int] = geometry.solid_start.tolist()

    def face_id(self, face: int) -> str:
        """The gml:id of a polygon."""
        return f"{self._id}_{face}"

    def ring_id(self, ring: int) -> str:
        """The gml:id of a ring, by its number in the geometry."""
        return f"{self._id}_r{ring}"

    @property
    def faces(self) -> range:
        return range(len(self._rings) - 1)

    def polygon(self, face: int) -> str:
        """A polygon with its holes."""
        is_named = face in self._named
        rings = [self._ring(ring, is_named) for ring in range(self._rings[face], self._rings[face + 1])]
        inner = "".join(f"<gml:interior>{ring}</gml:interior>" for ring in rings[1:])
        name = f" gml:id={quoteattr(self.face_id(face))}" if is_named else ""
        return f"<gml:Polygon{name}><gml:exterior>{rings[0]}</gml:exterior>{inner}</gml:Polygon>"

    def _ring(self, ring: int, is_named: bool) -> str:
        low, high = self._starts[ring], self._starts[ring + 1]
        name = f" gml:id={quoteattr(self.ring_id(ring))}" if is_named else ""
        text = coordinates([*self._points[low:high], self._points[low]])
        return f"<gml:LinearRing{name}><gml:posList>{text}</gml:posList></gml:LinearRing>"

    def triangles(self) -> str:
        """A TIN; every face has three points."""
        rings = (self._ring(self._rings[face], False) for face in self.faces)
        patches = (f"<gml:exterior>{ring}</gml:exterior>" for ring in rings)
        triangles = "".join(f"<gml:Triangle>{patch}</gml:Triangle>" for patch in patches)
        inner = f"<gml:trianglePatches>{triangles}</gml:trianglePatches>"
        return f"<gml:TriangulatedSurface>{inner}</gml:TriangulatedSurface>"

    def whole(self, linked: Container[int] = ()) -> str:
        """The geometry as the type that it is."""
        kind = self.geometry.type
        if kind == "Solid":
            return self.solids(linked)[0]
        if self.geometry.is_solid:
            return collected(kind, "solidMember", self.solids(linked))
        if self.geometry.dimension == 2:
            return self.surface(self.faces, linked, kind)
        return points(self.geometry.xyz) if self.geometry.dimension == 0 else self.curves()

    def composite_solid(self, linked: Container[int]) -> str:
        """The solids as one, which is what a property for a single solid may hold."""
        return collected("CompositeSolid", "solidMember", self.solids(linked))

    def solids(self, linked: Container[int]) -> list[str]:
        """Each solid with its shells."""
        return [self._solid(range(low, high), linked) for low, high in pairwise(self._solids)]

    def _solid(self, shells: range, linked: Container[int]) -> str:
        written: list[str] = []
        for shell in shells:
            side = "interior" if written else "exterior"
            faces = range(self._shells[shell], self._shells[shell + 1])
            surface = self.surface(faces, linked, "CompositeSurface")
            written.append(f"<gml:{side}>{surface}</gml:{side}>")
        return f"<gml:Solid>{''.join(written)}</gml:Solid>"

    def surface(self, faces: Iterable[int], linked: Container[int] = (), kind: str = "MultiSurface") -> str:
        """Faces as one surface."""
        members = [
            f"<gml:surfaceMember xlink:href={quoteattr('#' + self.face_id(face))}/>"
            if face in linked
            else f"<gml:surfaceMember>{self.polygon(face)}</gml:surfaceMember>"
            for face in faces
        ]
        return f"<gml:{kind}>{''.join(members)}</gml:{kind}>"

    def curves(self, kind: str = "MultiCurve", member: str = "curveMember") -> str:
        """Lines."""
        lines = [
            f"<gml:LineString><gml:posList>{coordinates(self._points[low:high])}</gml:posList></gml:LineString>"
            for low, high in pairwise(self._starts)
        ]
        return collected(kind, member, lines)


def points(xyz: Floats) -> str:
    """A MultiPoint."""
    return collected("MultiPoint", "pointMember", map(point, xyz.tolist()))


def point(position: Iterable[float]) -> str:
    """A Point."""
    return f"<gml:Point><gml:pos>{coordinates([position])}</gml:pos></gml:Point>"


def coordinates(positions: Iterable[Iterable[float]]) -> str:
    """Numbers with as many digits as tell them from every other."""
    return " ".join(repr(value) for position in positions for value in position)


def collected(name: str, member: str, parts: Iterable[str]) -> str:
    """A collection of GML."""
    inner = "".join(f"<gml:{member}>{part}</gml:{member}>" for part in parts)
    return f"<gml:{name}>{inner}</gml:{name}>"


def is_triangulated(geometry: Geometry) -> bool:
    """Whether every face is a triangle without a hole."""
    return bool((np.diff(geometry.surface_start) == 1).all() and (np.diff(geometry.ring_start) == 3).all())
