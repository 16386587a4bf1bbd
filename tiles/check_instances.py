"""What is wrong with the instances of a GLB, and where they are.

It follows EXT_mesh_gpu_instancing and EXT_instance_features.
Part of the checker: it shares no code with the writer.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Json: TypeAlias = dict[str, Any]
Problems: TypeAlias = Iterator[tuple[str, str, str]]
Values: TypeAlias = Callable[[int], Array]

INSTANCING, FEATURES = "EXT_mesh_gpu_instancing", "EXT_instance_features"

_FLOAT = 5126
_NORMALIZED = {5120: 127.0, 5122: 32767.0}
_SHAPES = {"TRANSLATION": "VEC3", "ROTATION": "VEC4", "SCALE": "VEC3"}
_UNIT_TOLERANCE = 0.001
_LEAST_SCALE = 1e-9


def check_instances(document: Json, values: Values) -> Problems:
    """Problems of all nodes as place, code and words; ``values`` reads an accessor."""
    used = False
    for number, node in enumerate(document.get("nodes", [])):
        extensions: Json = node.get("extensions", {})
        place = f"/nodes/{number}/extensions"
        if INSTANCING in extensions:
            used = True
            yield from _check_node(f"{place}/{INSTANCING}", node, document, values)
        elif FEATURES in extensions:
            yield f"{place}/{FEATURES}", "instance-features", "There are no instances that have features."
    if used and INSTANCING not in document.get("extensionsRequired", []):
        yield (
            "/extensionsRequired",
            "instancing-required",
            f"Without {INSTANCING} one instance is drawn of all.",
        )


def _check_node(place: str, node: Json, document: Json, values: Values) -> Problems:
    if "mesh" not in node:
        yield place, "instance-mesh", "The node has instances, but no mesh."
    names: dict[str, int] = node["extensions"][INSTANCING].get("attributes", {})
    if not names:
        yield place, "instance-attributes", "The instances have no attributes."
        return
    counts = {name: len(values(accessor)) for name, accessor in names.items()}
    if len(set(counts.values())) > 1:
        yield place, "instance-count", f"The attributes of the instances have different lengths: {counts}."
    for name, accessor in names.items():
        yield from _check_attribute(f"{place}/attributes/{name}", name, document["accessors"][accessor])
    if "ROTATION" in names:
        lengths = np.linalg.norm(_rotations(document, names, values), axis=1)
        off = int(np.count_nonzero(np.abs(lengths - 1.0) > _UNIT_TOLERANCE))
        if off:
            yield f"{place}/attributes/ROTATION", "instance-rotation", f"{off} are no unit quaternions."
    if "SCALE" in names and (np.abs(values(names["SCALE"])) < _LEAST_SCALE).any():
        yield f"{place}/attributes/SCALE", "instance-scale", "An instance is flat or a point."


def _check_attribute(place: str, name: str, accessor: Json) -> Problems:
    if name not in _SHAPES:
        return
    component, is_normalized = accessor["componentType"], accessor.get("normalized", False)
    packed = name == "ROTATION" and component in _NORMALIZED and is_normalized
    if accessor["type"] != _SHAPES[name] or not (component == _FLOAT or packed):
        yield place, "instance-type", f"{name} is {accessor['type']} of type {component}."


def _rotations(document: Json, names: dict[str, int], values: Values) -> Array:
    component = document["accessors"][names["ROTATION"]]["componentType"]
    return values(names["ROTATION"]).astype(np.float64) / _NORMALIZED.get(component, 1.0)


def feature_sets(node: Json) -> list[Json]:
    """The sets of feature ids that the instances of a node have."""
    return node.get("extensions", {}).get(FEATURES, {}).get("featureIds", [])


def attributes_of(node: Json) -> dict[str, int]:
    """The accessors of the attributes of a node's instances."""
    return node.get("extensions", {}).get(INSTANCING, {}).get("attributes", {})


def matrices(document: Json, node: Json, values: Values) -> Array:
    """What places the mesh of a node, inside its own transform: (instances, 4, 4), one without any."""
    names = attributes_of(node)
    if not names:
        return np.eye(4)[None]
    count = min(len(values(accessor)) for accessor in names.values())
    found = np.tile(np.eye(4), (count, 1, 1))
    if "ROTATION" in names:
        found[:, :3, :3] = _turned(_rotations(document, names, values)[:count])
    if "SCALE" in names:
        found[:, :3, :3] *= values(names["SCALE"])[:count, None, :].astype(np.float64)
    if "TRANSLATION" in names:
        found[:, :3, 3] = values(names["TRANSLATION"])[:count]
    return found


def _turned(quaternions: Array) -> Array:
    """Each axis turned by each quaternion: v + 2w (q x v) + 2 q x (q x v), axes as columns."""
    vector, real = quaternions[:, None, :3], quaternions[:, None, 3:]
    axes = np.eye(3)[None]
    once = np.cross(vector, axes)
    return (axes + 2.0 * (real * once + np.cross(vector, once))).transpose(0, 2, 1)
