"""Turn faces so that they look outward.

A Solid promises outward faces (ISO 19107, 6.3.18); a MultiSurface promises nothing, and published
models come inverted as a whole or in part. Faces that share an edge must run along it in opposite
directions, which ties them to each other; one look at each connected patch then settles it:

- a closed patch encloses a positive volume, unless it is the void of a patch around it;
- an open patch follows the roofs and grounds that the source names, else the higher of its faces
  look up and the lower ones down.
"""

from dataclasses import dataclass, replace

import numpy as np

from twin.model.geometry import Bools, Floats, GeometryBatch, Ints, SurfaceType, offsets
from twin.processing import edges as edge_matching
from twin.processing import segments
from twin.processing.edges import Edges, Matches
from twin.processing.surfaces import Integrals, Levels, faces_of, hole_signs, ring_integrals
from twin.processing.vertices import Hashes, joined_hashes, vertex_hashes

SIDE = np.zeros(len(SurfaceType))
"""By SurfaceType: 1 for those that look up, -1 for those that look down, 0 for all others."""
SIDE[[SurfaceType.ROOF, SurfaceType.OUTER_FLOOR]] = 1.0
SIDE[[SurfaceType.GROUND, SurfaceType.OUTER_CEILING]] = -1.0

CONTRADICTION_M2 = 0.01
"""What speaks against the direction of a face or a patch counts from this area on."""

WALL_NORMAL_Z = 0.17
"""A face within 10 degrees of upright is a wall; spires are rarely steeper than 80 degrees."""

BALANCE = 0.01
"""Faces that look to opposite sides balance each other when their areas differ by no more than this share."""

FACES_OF_A_SOLID = 4
"""A patch of fewer faces, such as a sliver folded onto itself, encloses nothing."""

MAX_REACH_M = 100_000.0
"""No object reaches this far from its local origin: its coordinates are wrong, or not numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Boundary:
    """A batch with every face measured and turned outward.

    ``measurable`` (objects,) tells which objects have points, all of them within MAX_REACH_M; the
    points of the others lie at their origin in this ``batch``. ``ring_sign`` (rings,) is -1 for the
    rings that run against the order of their points in the batch. ``unmatched_edges`` (objects,)
    counts edges without an opposite one after turning.
    """

    batch: GeometryBatch
    rings: Integrals
    faces: Integrals
    ring_sign: Floats
    vertices: Hashes
    unmatched_edges: Ints
    measurable: Bools

    @property
    def closed(self) -> Bools:
        """Whether every edge of an object is met by an opposite one, shape (objects,)."""
        return (self.unmatched_edges == 0) & (np.diff(self.batch.object_start) > 0)

    @property
    def ring_sign_of_points(self) -> Floats:
        """``ring_sign`` of the ring of each point, shape (points,)."""
        return np.repeat(self.ring_sign, np.diff(self.batch.ring_start))

    def edges_of(self, chosen: Ints) -> Edges:
        """The directed edges of the chosen surfaces, as turned."""
        return edge_matching.edges_of(self.batch, chosen, self.vertices, self.ring_sign)

    def of_objects(self, chosen: Ints) -> "Boundary":
        """The chosen objects only."""
        batch = self.batch
        surfaces = segments.expand(batch.object_start, chosen)
        rings = segments.expand(batch.surface_start, surfaces)
        points = segments.expand(batch.ring_start, rings)
        return Boundary(
            batch=GeometryBatch(
                origin=batch.origin[chosen],
                xyz=batch.xyz.take(points, axis=0),
                ring_start=offsets(np.diff(batch.ring_start)[rings]),
                surface_start=offsets(np.diff(batch.surface_start)[surfaces]),
                object_start=offsets(np.diff(batch.object_start)[chosen]),
                surface_type=batch.surface_type[surfaces],
            ),
            rings=self.rings.of(rings),
            faces=self.faces.of(surfaces),
            ring_sign=self.ring_sign[rings],
            vertices=self.vertices[points],
            unmatched_edges=self.unmatched_edges[chosen],
            measurable=self.measurable[chosen],
        )


def orient(batch: GeometryBatch) -> Boundary:
    """Measure the faces of a batch and turn them outward where there is evidence that they are not."""
    batch, measurable = _within_reach(batch)
    rings = ring_integrals(batch)
    sign = hole_signs(batch, rings)
    rings = rings.turned(sign)
    vertices = vertex_hashes(batch)
    unbalanced = edge_matching.fingerprints(batch, vertices, sign) != 0
    faces = faces_of(batch, rings)
    unmatched = np.zeros(batch.objects, dtype=np.int64)
    boundary = Boundary(batch, rings, faces, sign, vertices, unmatched, measurable)
    doubtful = np.flatnonzero(unbalanced | _contradicted(boundary))
    return _turn_outward(boundary, doubtful) if len(doubtful) else boundary


def _within_reach(batch: GeometryBatch) -> tuple[GeometryBatch, Bools]:
    """The batch with the points of unmeasurable objects at their origin, and which objects are fine."""
    start = batch.ring_start[batch.surface_start[batch.object_start]]
    measurable = np.diff(start) > 0
    if not len(batch.xyz) or (batch.xyz.max() <= MAX_REACH_M and batch.xyz.min() >= -MAX_REACH_M):
        return batch, measurable
    x, y, z = np.abs(batch.xyz.T)
    measurable &= segments.maxima(np.maximum(np.maximum(x, y), z), start) <= MAX_REACH_M
    xyz = np.where(np.repeat(measurable, np.diff(start))[:, None], batch.xyz, 0.0)
    return replace(batch, xyz=xyz), measurable


def oriented_points(boundary: Boundary) -> Ints:
    """Indices that put the points of turned rings into their new order, shape (points,)."""
    start = boundary.batch.ring_start
    length = np.diff(start)
    points = np.arange(start[-1], dtype=np.int64)
    if (boundary.ring_sign > 0).all():
        return points
    backwards = np.repeat(boundary.ring_sign < 0, length)
    mirrored = np.repeat(start[:-1] + start[1:] - 1, length) - points
    return np.where(backwards, mirrored, points)


def _contradicted(boundary: Boundary) -> Bools:
    """Objects of which some face is named against its direction, is not named, or which are inside out."""
    batch, faces = boundary.batch, boundary.faces
    against = SIDE[batch.surface_type] * faces.vector[2] < -CONTRADICTION_M2
    doubts = (against | (batch.surface_type == SurfaceType.UNKNOWN)).astype(np.float64)
    volume, doubt = segments.sums(np.stack([faces.volume, doubts]), batch.object_start)
    return (doubt > 0.0) | (volume < 0.0)


def _turn_outward(boundary: Boundary, doubtful: Ints) -> Boundary:
    """Close seams of the doubtful objects, turn their faces, and count the edges that stay unmatched."""
    batch = boundary.batch
    every = len(doubtful) == batch.objects
    part, matches = _closed_seams(boundary if every else boundary.of_objects(doubtful))
    vertices, sign = boundary.vertices.copy(), np.ones(batch.surfaces)
    surfaces = segments.expand(batch.object_start, doubtful)
    vertices[segments.expand(batch.ring_start[batch.surface_start], surfaces)] = part.vertices
    sign[surfaces] = _outward(part, matches)
    unmatched = np.zeros_like(boundary.unmatched_edges)
    unmatched[doubtful] = _unmatched(part, matches, sign[surfaces])
    ring_sign = sign[batch.surface_of_ring()]
    return replace(
        boundary,
        rings=boundary.rings.turned(ring_sign),
        faces=boundary.faces.turned(sign),
        ring_sign=boundary.ring_sign * ring_sign,
        vertices=vertices,
        unmatched_edges=unmatched,
    )


def _closed_seams(boundary: Boundary) -> tuple[Boundary, Matches]:
    """The boundary with points joined that are near each other along open edges, and its edges."""
    surfaces = np.arange(boundary.batch.surfaces)
    matches = edge_matching.match(boundary.edges_of(surfaces))
    edges = matches.edges
    group = np.repeat(matches.unmatched(np.ones(len(surfaces))) > 0, np.diff(matches.start))
    lonely = matches.order[group]
    points = np.unique(np.concatenate([edges.point[lonely], edges.next_point[lonely]]))
    vertices = joined_hashes(boundary.batch, points, boundary.vertices)
    if vertices is boundary.vertices:
        return boundary, matches
    closed = replace(boundary, vertices=vertices)
    return closed, edge_matching.match(closed.edges_of(surfaces))


def _unmatched(boundary: Boundary, matches: Matches, sign: Floats) -> Ints:
    """How many edges of each object have no partner (objects,), faces turned by ``sign``."""
    owner = boundary.batch.object_of_surface()[matches.group_face]
    return segments.totals(owner, matches.unmatched(sign), boundary.batch.objects).astype(np.int64)


def _outward(boundary: Boundary, matches: Matches) -> Floats:
    """-1 for each face that is to be turned, else 1, shape (surfaces,)."""
    batch = boundary.batch
    patch, sign = _patches(matches, batch.surfaces)
    open_patch = matches.edges.open_groups(patch, sign)
    open_patch |= np.bincount(patch, minlength=batch.surfaces) < FACES_OF_A_SOLID
    faces = boundary.faces.turned(sign)
    inward = _inward(faces, batch, patch, open_patch)
    inward = _with_voids(inward, batch, faces, patch, np.flatnonzero(~open_patch[patch]))
    return sign * np.where(inward[patch], -1.0, 1.0)


def _patches(matches: Matches, surfaces: int) -> tuple[Ints, Floats]:
    """The patch of each face (its lowest face number) and the sign that makes each patch agree.

    Labels spread along edges of exactly two faces. The lowest bit of a label tells whether the
    face is turned against the first face of its patch; the least label wins, so this ends.
    """
    edges = matches.edges
    a, b = edges.face[matches.first], edges.face[matches.second]
    against = (edges.sign[matches.first] == edges.sign[matches.second]).astype(np.int64)
    label = 2 * np.arange(surfaces, dtype=np.int64)
    while True:
        before = label.copy()
        np.minimum.at(label, a, before[b] ^ against)
        np.minimum.at(label, b, before[a] ^ against)
        np.minimum(label, label[label >> 1] ^ (label & 1), out=label)
        if np.array_equal(label, before):
            break
    # A patch with a single side (a Moebius strip) contradicts itself: it stays as given.
    torn = np.zeros(surfaces, dtype=np.bool_)
    torn[label[a][((label[a] ^ label[b]) & 1) != against] >> 1] = True
    sign: Floats = 1.0 - 2.0 * (label & 1).astype(np.float64)
    sign[torn[label >> 1]] = 1.0
    return label >> 1, sign


def _inward(faces: Integrals, batch: GeometryBatch, patch: Ints, open_patch: Bools) -> Bools:
    """Whether a patch looks inward, judged by itself, shape (surfaces,) indexed by patch."""
    owner = batch.object_of_surface()
    low, high = Levels(batch).of_objects()
    middle = (np.where(low <= high, low, 0.0) + np.where(low <= high, high, 0.0))[owner] / 2.0
    by_name, by_place, enclosed = (
        segments.totals(patch, weights, batch.surfaces)
        for weights in (
            SIDE[batch.surface_type] * faces.vector[2],
            faces.moment - middle * faces.vector[2],
            faces.volume,
        )
    )
    by_walls = _around_by_walls(faces, patch, np.flatnonzero(open_patch[patch]))
    unnamed = np.where(by_walls != 0.0, by_walls, by_place)
    of_open = np.where(np.abs(by_name) > CONTRADICTION_M2, by_name, unnamed)
    return np.where(open_patch, of_open < -CONTRADICTION_M2, enclosed < 0.0)


def _around_by_walls(faces: Integrals, patch: Ints, chosen: Ints) -> Floats:
    """What the walls of patches lie around, in m³, shape (surfaces,) indexed by patch; 0 where they do not.

    Of a patch that lacks level faces only, the integral of x dA_x + y dA_y is twice its volume
    wherever the origin is, however low the roof of a nave lies beside its tower.
    """
    found = np.zeros(len(patch))
    if not len(chosen):
        return found
    of_chosen = faces.of(chosen)
    x, y, _ = of_chosen.vector
    level = np.hypot(x, y)
    of_walls = np.where(np.abs(of_chosen.normal_z) <= WALL_NORMAL_Z, level, 0.0)
    east, north, size, walls, around = (
        segments.totals(patch[chosen], weights, len(patch))
        for weights in (x, y, level, of_walls, 3.0 * of_chosen.volume - of_chosen.moment)
    )
    shut = (np.hypot(east, north) <= BALANCE * size) & (walls > CONTRADICTION_M2)
    return np.where(shut & (np.abs(around) > CONTRADICTION_M2), around, found)


def _with_voids(
    inward: Bools, batch: GeometryBatch, faces: Integrals, patch: Ints, closed_faces: Ints
) -> Bools:
    """Let a closed patch inside another follow that one: a void looks inward rightly.

    Only objects of several closed patches, one of which looks inward, are looked at one by one.
    """
    patches = np.unique(patch[closed_faces])
    owner = batch.object_of_surface()[patches]
    several = np.bincount(owner, minlength=batch.objects) > 1
    mixed = segments.totals(owner, inward[patches], batch.objects) > 0
    judged = inward.copy()
    for item in np.flatnonzero(several & mixed):
        first, last = batch.object_start[item], batch.object_start[item + 1]
        members = patches[owner == item]
        faces_of_member = [first + np.flatnonzero(patch[first:last] == member) for member in members]
        boxes = np.stack([_box(batch, chosen) for chosen in faces_of_member])
        volume = np.array([abs(faces.volume[chosen].sum()) for chosen in faces_of_member])
        for index, (low, high) in enumerate(boxes):
            around = (boxes[:, 0] < low).all(axis=1) & (boxes[:, 1] > high).all(axis=1)
            if around.any():
                outermost = members[np.argmax(np.where(around, volume, -1.0))]
                judged[members[index]] = inward[outermost]
    return judged


def _box(batch: GeometryBatch, chosen: Ints) -> Floats:
    """Least and greatest coordinates of some surfaces, shape (2, 3)."""
    rings = segments.expand(batch.surface_start, chosen)
    xyz = batch.xyz[segments.expand(batch.ring_start, rings)]
    return np.stack([xyz.min(axis=0), xyz.max(axis=0)])
