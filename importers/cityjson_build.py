"""From vertex numbers to arrays: the geometries of many features of CityJSON built in one go."""

from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, pairwise

import numpy as np

from importers.cityjson_geometry import NestedGeometry, refuse
from importers.json_values import Json
from importers.rings import FARTHEST
from twin.model.geometry import Bools, Floats, Geometry, Ints, offsets
from twin.model.rings import fingerprints


def read_vertices(raw: Json, scale: Floats, translate: Floats) -> Floats:
    """Vertices as coordinates, shape (vertices, 3); Refusal where they are no points."""
    return read_all_vertices([raw or []], scale, translate)


def read_all_vertices(lists: Sequence[Json], scale: Floats, translate: Floats) -> Floats:
    """The vertices of several lists one behind the other, shape (vertices, 3)."""
    try:
        vertices: list[Json] = list(chain.from_iterable(lists))
        numbers: list[Json] = list(chain.from_iterable(vertices))
        sound = set(map(len, vertices)) <= {3} and set(map(type, numbers)) <= {int, float}
        found = np.array(numbers) if sound else None
    except (ValueError, TypeError, OverflowError):
        found = None
    if found is None or found.dtype.kind not in "iuf":
        refuse("invalid-vertices", "the vertices are not lists of three numbers")
    return found.reshape(-1, 3) * scale + translate


def build(
    geometries: Sequence[NestedGeometry], vertices: Floats, spans: Sequence[tuple[int, int]]
) -> list[Geometry]:
    """The arrays of geometries, without appearances.

    The vertices of each begin at the first number of its span, the second one is how many there are.
    Those with the same surfaces share their arrays. Refusal where a ring is none or names a vertex
    that is not there.
    """
    own = [number for number, geometry in enumerate(geometries) if geometry.same_as is None]
    if len(own) == len(geometries):
        return _build(geometries, vertices, spans)
    built = dict(
        zip(own, _build([geometries[i] for i in own], vertices, [spans[i] for i in own]), strict=True)
    )
    of_first = {id(geometries[number]): geometry for number, geometry in built.items()}
    return [
        built[number] if nested.same_as is None else _sharing(nested, of_first[id(nested.same_as)])
        for number, nested in enumerate(geometries)
    ]


def _sharing(nested: NestedGeometry, first: Geometry) -> Geometry:
    """A geometry with the points, rings and surfaces of another."""
    return Geometry(
        nested.type, nested.lod, first.xyz, first.ring_start, first.surface_start,
        _starts(nested.shell_lengths), _starts(nested.solid_lengths),
        np.array(nested.semantic, dtype=np.int64), nested.semantics,
    )  # fmt: skip


def _starts(lengths: Sequence[int]) -> Ints:
    """Lengths to offsets that start at 0; quicker than numpy for the few of a geometry."""
    return np.array([0, *accumulate(lengths)], dtype=np.int64)


def _build(
    geometries: Sequence[NestedGeometry], vertices: Floats, spans: Sequence[tuple[int, int]]
) -> list[Geometry]:
    rings = list(chain.from_iterable(geometry.rings for geometry in geometries))
    try:
        lengths = list(map(len, rings))
        flat = list(chain.from_iterable(rings))
    except TypeError:
        refuse("invalid-boundaries", "a ring is no list of vertex numbers")
    if not all(lengths):
        refuse("invalid-boundaries", "a ring has no point")
    ring_start = offsets(lengths)
    first_ring = offsets([len(geometry.rings) for geometry in geometries])
    index = _indices(flat, np.diff(ring_start[first_ring]), spans)
    is_open = [g.type == "MultiLineString" for g in geometries]
    may_close = ~np.repeat(is_open, np.diff(first_ring)) if any(is_open) else None
    xyz, ring_start = _without_closing(vertices[index], ring_start, may_close)
    if len(xyz) and not np.abs(xyz).max() < FARTHEST:
        if np.isnan(xyz).any():
            refuse("invalid-vertices", "a vertex that it uses is no list of three numbers")
        refuse("invalid-coordinates", "coordinates are outside of any reference system")
    built = list(_slices(geometries, xyz, ring_start))
    for geometry in built:
        _check_counts(geometry)
    return built


def _indices(raw: list[int], counts: Ints, spans: Sequence[tuple[int, int]]) -> Ints:
    """Where the vertices of rings are; ``counts`` says how many of them each geometry has."""
    if not raw:
        return np.zeros(0, dtype=np.int64)
    try:
        index = np.array(raw, dtype=np.int64) if set(map(type, raw)) == {int} else None
    except OverflowError:
        index = None
    if index is None:
        refuse("invalid-boundaries", "a ring is no list of vertex numbers")
    first, many = np.array(spans, dtype=np.int64).T
    limit = np.repeat(many, counts)
    wrong = (index < 0) | (index >= limit)
    if wrong.any():
        at = int(np.argmax(wrong))
        reason = f"a ring uses vertex {index[at]}, but there are {limit[at]} vertices"
        refuse("vertex-out-of-range", reason)
    return index + np.repeat(first, counts)


def _slices(geometries: Sequence[NestedGeometry], xyz: Floats, ring_start: Ints) -> Iterator[Geometry]:
    """Each geometry's share of the arrays of all, its offsets counted from 0."""
    lengths = [
        [geometry.surface_lengths for geometry in geometries],
        [geometry.shell_lengths for geometry in geometries],
        [geometry.solid_lengths for geometry in geometries],
    ]
    starts = [ring_start, *(offsets(list(chain.from_iterable(level))) for level in lengths)]
    counts = [[len(geometry.rings) for geometry in geometries], *(list(map(len, level)) for level in lengths)]
    firsts = [offsets(count) for count in counts]
    rings, surfaces, shells, solids = map(_shares, starts, firsts)
    points = _pairs(ring_start[firsts[0]])
    semantic = np.array(list(chain.from_iterable(g.semantic for g in geometries)), dtype=np.int64)
    faces = _pairs(firsts[1])
    for nested, (a, b), ring, surface, shell, solid, (c, d) in zip(
        geometries, points, rings, surfaces, shells, solids, faces, strict=True
    ):
        yield Geometry(
            nested.type, nested.lod, xyz[a:b], ring, surface, shell, solid, semantic[c:d], nested.semantics,
            None, nested.instance,
        )  # fmt: skip


def _shares(start: Ints, first: Ints) -> Iterator[Ints]:
    """Offsets of all as offsets of each, counted from 0; ``first`` says which are the first of each."""
    counts = np.diff(first) + 1
    index = np.arange(int(first[-1]) + len(counts)) - np.repeat(np.arange(len(counts)), counts)
    local = start[index] - np.repeat(start[first[:-1]], counts)
    return (local[a:b] for a, b in _pairs(offsets(counts)))


def _pairs(cuts: Ints) -> Iterator[tuple[int, int]]:
    found: list[int] = cuts.tolist()
    return pairwise(found)


def _without_closing(xyz: Floats, start: Ints, may_close: Bools | None) -> tuple[Floats, Ints]:
    """Rings without repetitions of their first point at the end, which CityJSON does not ask for."""
    if not len(xyz):
        return xyz, start
    key = fingerprints(xyz)
    last = start[1:] - 1
    first = start[:-1]
    closed = (key[first] == key[last]) & (last > first)
    if may_close is not None:
        closed &= may_close
    if not closed.any():
        return xyz, start
    closed &= (xyz[first] == xyz[last]).all(axis=1)
    if not closed.any():
        return xyz, start
    keep = np.ones(len(xyz), dtype=np.bool_)
    keep[last[closed]] = False
    return _without_closing(xyz[keep], offsets(np.diff(start) - closed), may_close)


def _check_counts(geometry: Geometry) -> None:
    """Lines have two points at least, and an instance has one reference point."""
    if geometry.type == "MultiLineString" and (np.diff(geometry.ring_start) < 2).any():
        refuse("invalid-boundaries", "a line has fewer than 2 points")
    if geometry.instance is not None and len(geometry.xyz) != 1:
        refuse("invalid-boundaries", "an instance has not exactly one reference point")
