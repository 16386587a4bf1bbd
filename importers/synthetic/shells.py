"""Closed shells over lattice footprints, every face counter-clockwise seen from outside.

Topology (which corner belongs to which face) is the same for all buildings of a kind, so it is
worked out once per kind and shared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["GroundSurface", "WallSurface", "RoofSurface"]
Point: TypeAlias = tuple[int, int, int]
Ring: TypeAlias = tuple[int, ...]

GROUND: Final[Kind] = "GroundSurface"
WALL: Final[Kind] = "WallSurface"
ROOF: Final[Kind] = "RoofSurface"


@dataclass(frozen=True, slots=True)
class Face:
    """A planar face: rings of indices into the vertices, the first one the exterior."""

    kind: Kind
    rings: tuple[Ring, ...]


@dataclass(frozen=True, slots=True)
class Shell:
    """A closed shell. A vertex is (p, q, z): p and q in units of a frame, z in millimetres."""

    vertices: tuple[Point, ...]
    faces: tuple[Face, ...]

    def moved(self, p: int, q: int) -> "Shell":
        """The same shell elsewhere in its frame."""
        return Shell(tuple((x + p, y + q, z) for x, y, z in self.vertices), self.faces)


def prism(rings: Sequence[Sequence[tuple[int, int]]], ground: int, roof: int) -> Shell:
    """Vertical walls over a footprint: the first ring counter-clockwise, holes clockwise."""
    flat = [point for ring in rings for point in ring]
    low = tuple((p, q, ground) for p, q in flat)
    return Shell(low + tuple((p, q, roof) for p, q in flat), _prism_faces(tuple(map(len, rings))))


@cache
def _prism_faces(sizes: tuple[int, ...]) -> tuple[Face, ...]:
    total = sum(sizes)
    rings: list[Ring] = []
    for size in sizes:
        start = sum(map(len, rings))
        rings.append(tuple(range(start, start + size)))
    walls = [
        Face(WALL, ((low, after, after + total, low + total),))
        for ring in rings
        for low, after in zip(ring, ring[1:] + ring[:1], strict=True)
    ]
    ground = Face(GROUND, tuple(ring[::-1] for ring in rings))
    roof = Face(ROOF, tuple(tuple(i + total for i in ring) for ring in rings))
    return (ground, *walls, roof)


def extrusion(profile: Sequence[tuple[int, int]], length: int) -> Shell:
    """A profile of (q, z), pushed along p.

    The profile starts at the foot of q = 0 and goes over the top to the foot of the far side.
    """
    near = tuple((0, q, z) for q, z in profile)
    return Shell(near + tuple((length, q, z) for q, z in profile), _extrusion_faces(len(profile)))


@cache
def _extrusion_faces(size: int) -> tuple[Face, ...]:
    sides = [(i, i + size, i + 1 + size, i + 1) for i in range(size - 1)]
    near, far = tuple(range(size)), tuple(range(2 * size - 1, size - 1, -1))
    return (
        Face(GROUND, ((size - 1, 2 * size - 1, size, 0),)),
        *(Face(WALL, (ring,)) for ring in (sides[0], sides[-1], near, far)),
        *(Face(ROOF, (ring,)) for ring in sides[1:-1]),
    )


def hipped(width: int, depth: int, inset: int, heights: tuple[int, int, int]) -> Shell:
    """Four roof faces that rise from all sides to a ridge along p; ``heights``: ground, eave, ridge.

    Without a ridge (``width`` is twice the ``inset``) they meet in one point.
    """
    ground, eave, ridge = heights
    corners = ((0, 0), (width, 0), (width, depth), (0, depth))
    base = tuple((p, q, z) for z in (ground, eave) for p, q in corners)
    if width == 2 * inset:
        return Shell((*base, (inset, depth // 2, ridge)), _PYRAMID)
    ends = ((inset, depth // 2, ridge), (width - inset, depth // 2, ridge))
    return Shell(base + ends, _HIPPED)


_BOX: Final = (
    Face(GROUND, ((3, 2, 1, 0),)),
    Face(WALL, ((0, 1, 5, 4),)),
    Face(WALL, ((1, 2, 6, 5),)),
    Face(WALL, ((2, 3, 7, 6),)),
    Face(WALL, ((3, 0, 4, 7),)),
)
_HIPPED: Final = (
    *_BOX,
    Face(ROOF, ((4, 5, 9, 8),)),
    Face(ROOF, ((5, 6, 9),)),
    Face(ROOF, ((6, 7, 8, 9),)),
    Face(ROOF, ((7, 4, 8),)),
)
_PYRAMID: Final = (*_BOX, *(Face(ROOF, ((4 + i, 4 + (i + 1) % 4, 8),)) for i in range(4)))


def stepped(near: int, far: int, depth: int, heights: tuple[int, int, int]) -> Shell:
    """Two flat roofs in one shell: ``near`` wide and low, then ``far`` wide and high."""
    ground, low, high = heights
    width = near + far
    outline = ((0, ground), (width, ground), (width, high), (near, high), (near, low), (0, low))
    return Shell(tuple((p, q, z) for q in (0, depth) for p, z in outline), _STEPPED)


_STEPPED: Final = (
    Face(GROUND, ((6, 7, 1, 0),)),
    Face(WALL, ((0, 1, 2, 3, 4, 5),)),
    Face(WALL, ((7, 6, 11, 10, 9, 8),)),
    Face(WALL, ((6, 0, 5, 11),)),
    Face(WALL, ((1, 7, 8, 2),)),
    Face(WALL, ((10, 4, 3, 9),)),
    Face(ROOF, ((5, 4, 10, 11),)),
    Face(ROOF, ((3, 2, 8, 9),)),
)


def corner_gable(arms: tuple[int, int], depth: int, heights: tuple[int, int, int]) -> Shell:
    """Two gabled wings that meet at a right angle: a hip on the outer corner, a valley within.

    ``arms`` are the outer lengths along p and along q, both wings ``depth`` deep.
    """
    ground, eave, ridge = heights
    a, b = arms
    half = depth // 2
    outline = ((0, 0), (a, 0), (a, depth), (depth, depth), (depth, b), (0, b))
    base = tuple((p, q, z) for z in (ground, eave) for p, q in outline)
    return Shell((*base, (half, half, ridge), (a, half, ridge), (half, b, ridge)), _CORNER_GABLE)


_CORNER_GABLE: Final = (
    Face(GROUND, ((5, 4, 3, 2, 1, 0),)),
    Face(WALL, ((0, 1, 7, 6),)),
    Face(WALL, ((1, 2, 8, 13, 7),)),
    Face(WALL, ((2, 3, 9, 8),)),
    Face(WALL, ((3, 4, 10, 9),)),
    Face(WALL, ((4, 5, 11, 14, 10),)),
    Face(WALL, ((5, 0, 6, 11),)),
    Face(ROOF, ((6, 7, 13, 12),)),
    Face(ROOF, ((8, 9, 12, 13),)),
    Face(ROOF, ((9, 10, 14, 12),)),
    Face(ROOF, ((11, 6, 12, 14),)),
)
