"""Templates that stand in many places: which shapes are a template turned, scaled and put somewhere.

A template's mesh is stored once, in its own axes; an object keeps where it has it. Whether a template
may be shown so is not concluded from its matrix: what it would look like is compared with the shape in
its place, point by point, so that shear, mirrors and whatever else no rotation and scale gives stay
meshes of their own. See `docs/decisions/0018-templates-stay-templates.md`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.model.crs import Placer
from twin.model.geometry import Floats, Geometry, Instance, Ints
from twin.processing import template_meshes
from twin.processing.instance_format import RECORD, placed
from twin.processing.mesh import ObjectMesh
from twin.processing.rotations import nearest, quaternions
from twin.processing.template_meshes import STEPS, Template

TOLERANCE_M = 0.002
"""How far a point of an instance may be from where the reference system puts it; meshes have centimetres."""

_STEP = 10.0
"""Over so many units the axes of a reference system are compared with those of the ellipsoid: beyond the
rounding of coordinates, and short enough to be straight."""


@dataclass(frozen=True, slots=True, eq=False)
class Instances:
    """Where one object has templates: which, each once, and a record for each place."""

    templates: tuple[Template, ...]
    records: npt.NDArray[Any]

    @property
    def ids(self) -> bytes:
        """The 16 bytes of each template, one behind the other."""
        return b"".join(template.id for template in self.templates)

    def added_to(self, own: ObjectMesh | None) -> ObjectMesh:
        """The mesh of an object with what it has beside them, or of them alone."""
        mesh = own or ObjectMesh(b"", b"", b"", 0, 0)
        numbers: list[int] = self.records["template"].tolist()
        shown = [self.templates[number].mesh for number in numbers]
        ids, places = self.ids, self.records.tobytes()
        return ObjectMesh(
            data=mesh.data,
            faces=mesh.faces,
            hash=blake2b(mesh.data + mesh.faces + ids + places, digest_size=16).digest(),
            triangles=mesh.triangles + sum(each.triangles for each in shown),
            vertices=mesh.vertices + sum(each.vertices for each in shown),
            templates=ids,
            instances=places,
        ).with_skins(mesh.skins)


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    """A shape that came from a template, and whose it is."""

    feature: int
    shape: Geometry
    instance: Instance
    at: Floats
    template: Template


@dataclass(slots=True)
class Parted:
    """The shapes of each feature that are meshed, with their types (surfaces,), and its instances."""

    shapes: list[list[Geometry]]
    types: list[Ints]
    instances: list[Instances | None]


def parted(shapes: Sequence[Sequence[Geometry]], types: Sequence[Ints], placer: Placer) -> Parted:
    """What stays a mesh of its own, and what is an instance; all features have a place on the ellipsoid."""
    candidates = [
        candidate
        for feature, geometries in enumerate(shapes)
        for candidate in _candidates(feature, geometries)
    ]
    records = _records(candidates, placer) if candidates else []
    chosen: list[list[tuple[Template, npt.NDArray[Any]]]] = [[] for _ in shapes]
    instanced: set[int] = set()
    for candidate, record in zip(candidates, records, strict=True):
        if record is not None:
            chosen[candidate.feature].append((candidate.template, record))
            instanced.add(id(candidate.shape))
    return Parted(
        [[shape for shape in geometries if id(shape) not in instanced] for geometries in shapes],
        [_without(g, n, instanced) for g, n in zip(shapes, types, strict=True)],
        [_joined(found) if found else None for found in chosen],
    )


def _without(shapes: Sequence[Geometry], types: Ints, instanced: set[int]) -> Ints:
    """The types of the shapes that are no instances."""
    kept = [id(shape) not in instanced for shape in shapes]
    return types[np.repeat(kept, [len(shape.semantic) for shape in shapes])]


def _candidates(feature: int, shapes: Sequence[Geometry]) -> Iterator[_Candidate]:
    for shape in shapes:
        instance = shape.instance
        # What has a look of its own is meshed with it.
        if instance is None or instance.at is None or instance.template.appearance is not None:
            continue
        template = template_meshes.template_of(instance.template)
        # Degenerate surfaces may be other ones in the template than in its place.
        if template is not None and len(shape.xyz) == len(template.points) and _is_affine(instance.matrix):
            yield _Candidate(feature, shape, instance, instance.at, template)


def _is_affine(matrix: Floats) -> bool:
    return not matrix[3, :3].any() and matrix[3, 3] != 0.0


def _joined(found: Sequence[tuple[Template, npt.NDArray[Any]]]) -> Instances:
    templates = list({template.id: template for template, _ in found}.values())
    numbers = {template.id: number for number, template in enumerate(templates)}
    records = np.concatenate([record for _, record in found])
    records["template"] = [numbers[template.id] for template, _ in found]
    return Instances(tuple(templates), records)


def _records(candidates: Sequence[_Candidate], placer: Placer) -> list[npt.NDArray[Any] | None]:
    """The record of each candidate; None where it cannot be shown as an instance."""
    native = np.array([_native(candidate) for candidate in candidates])
    middle = np.array(
        [
            c.at + (c.instance.matrix[:3] @ [*c.template.middle, 1.0]) / c.instance.matrix[3, 3]
            for c in candidates
        ]
    )
    place, axes = _axes(middle, placer)
    turned = axes @ native
    scale = np.linalg.norm(turned, axis=1)
    sound = np.isfinite(turned).all(axis=(1, 2)) & (scale > 0.0).all(axis=1)
    turned[~sound], scale[~sound] = np.eye(3), 1.0
    rotation = nearest(turned / scale[:, None])
    records = np.zeros(len(candidates), dtype=RECORD)
    records["position"] = place
    records["rotation"] = quaternions(rotation)
    records["scale"] = scale / STEPS
    # Without negative zeros, which the database does not keep in matrices.
    records["native"] = native + 0.0
    sound &= _deviations(candidates, records, placer) <= TOLERANCE_M
    return [records[i : i + 1] if sound[i] else None for i in range(len(candidates))]


def _native(candidate: _Candidate) -> Floats:
    """The matrix (3, 3) from the template as its mesh has it to the axes of the reference system."""
    matrix = candidate.instance.matrix
    return matrix[:3, :3] / (matrix[3, 3] * candidate.template.enlarged)


def _axes(native: Floats, placer: Placer) -> tuple[Floats, Floats]:
    """Points (n, 3) in EPSG:4978 and what one unit along each axis is there (n, 3, 3), axes as columns."""
    steps = np.concatenate([np.zeros((1, 3)), np.eye(3) * _STEP])
    located = placer.ecef((native[:, None] + steps).reshape(-1, 3)).reshape(-1, 4, 3)
    return located[:, 0], (located[:, 1:] - located[:, :1]).transpose(0, 2, 1) / _STEP


def _deviations(candidates: Sequence[_Candidate], records: npt.NDArray[Any], placer: Placer) -> Floats:
    """How far the points of each instance are from where the reference system puts them, at most (n,)."""
    lengths = [len(candidate.shape.xyz) for candidate in candidates]
    expected = placer.ecef(np.concatenate([candidate.shape.xyz for candidate in candidates]))
    first = 0
    off = np.zeros(len(candidates))
    for number, (candidate, length) in enumerate(zip(candidates, lengths, strict=True)):
        shown = placed(records[number : number + 1], candidate.template.points)[0]
        distance = np.linalg.norm(shown - expected[first : first + length], axis=1)
        off[number] = np.inf if np.isnan(distance).any() else distance.max()
        first += length
    return off


def shares_templates(shapes: Sequence[Sequence[Geometry]]) -> bool:
    """Whether any shape came from a template."""
    return any(shape.instance is not None for geometries in shapes for shape in geometries)
