"""Geometries on their way to another process."""

import pickle
from dataclasses import replace

import numpy as np

from tests import geometries
from twin.model.appearance import Appearance
from twin.model.geometry import Geometry, Instance, points

CUBE = geometries.cube()
LEVELS = ("xyz", "ring_start", "surface_start", "shell_start", "solid_start", "semantic")


def sent(geometry: Geometry) -> Geometry:
    return pickle.loads(pickle.dumps(geometry))


def test_a_geometry_arrives_whole() -> None:
    look = Appearance(({"name": "red"},), (), {"winter": np.zeros(6, dtype=np.int64)})
    for geometry in (CUBE, replace(CUBE, appearance=look), points("MultiPoint", "1", np.zeros((0, 3)))):
        arrived = sent(geometry)
        for name in LEVELS:
            before, after = getattr(geometry, name), getattr(arrived, name)
            assert (after.dtype, after.shape, after.tolist()) == (before.dtype, before.shape, before.tolist())
        assert (arrived.type, arrived.lod, arrived.semantics) == (
            geometry.type,
            geometry.lod,
            geometry.semantics,
        )
        assert all(type(surface) is type(CUBE.semantics[0]) for surface in arrived.semantics)
        assert (arrived.appearance is None) == (geometry.appearance is None)


def test_an_instance_arrives_with_its_template() -> None:
    instance = Instance(CUBE, np.diag([2.0, 2.0, 2.0, 1.0]))
    arrived = sent(points("GeometryInstance", "2", np.ones((1, 3)), instance)).instance
    assert arrived is not None
    assert arrived.matrix.tolist() == instance.matrix.tolist()
    assert arrived.template.xyz.tolist() == CUBE.xyz.tolist()
