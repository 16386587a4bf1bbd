"""``twin tiles validate``: what is wrong with a tileset and everything that it refers to.

The rules are those of 3D Tiles 1.1: valid volumes and errors, errors that fall from parent to
child, children inside their parents, contents that are there and lie inside their tile. No code
is shared with the writer.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote, urljoin, urlsplit

import numpy as np
import numpy.typing as npt

from tiles.check_glb import Problem, inspect_glb

Json: TypeAlias = dict[str, Any]
Array: TypeAlias = npt.NDArray[Any]
Read: TypeAlias = Callable[[str], bytes]
"""Gives the bytes at an address; raises OSError where there is nothing."""

TOLERANCE_M = 0.001
"""How far a vertex may lie outside its tile's region, for what doubles round."""

_EARTH_M = 6378137.0
_FLATTENING = 1 / 298.257223563
_ECCENTRICITY_2 = _FLATTENING * (2 - _FLATTENING)
_VOLUMES = {"region": 6, "box": 12, "sphere": 4}


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: the file or address, the place in it, a code such as ``child-outside``, and words."""

    file: str
    place: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}{self.place}: {self.message} [{self.code}]"


@dataclass(frozen=True, slots=True, eq=False)
class _Parent:
    region: Array | None
    error: float
    transform: Array
    refine: str | None
    depth: int = 0


@dataclass(slots=True)
class _Walk:
    read: Read
    findings: list[Finding] = field(default_factory=list[Finding])
    seen: set[str] = field(default_factory=set[str])

    def report(self, file: str, place: str, code: str, message: str) -> None:
        self.findings.append(Finding(file, place, code, message))


def check_path(path: Path) -> list[Finding]:
    """Check a folder with a tileset.json, a tileset file, or one GLB."""
    if path.is_dir():
        path = path / "tileset.json"
    if path.suffix == ".glb":
        return [_finding(path.name, problem) for problem in inspect_glb(path.read_bytes()).problems]
    folder = path.parent
    return check_tileset(path.name, lambda address: (folder / _file_name(address)).read_bytes())


def check_tileset(address: str, read: Read) -> list[Finding]:
    """Check the tileset at an address and all that it refers to, each file once."""
    walk = _Walk(read)
    start = _Parent(region=None, error=math.inf, transform=np.eye(4), refine=None)
    _check_file(walk, address, start)
    return walk.findings


def _file_name(address: str) -> str:
    return unquote(urlsplit(address).path)


def _finding(file: str, problem: Problem) -> Finding:
    return Finding(file, problem.place, problem.code, problem.message)


def _check_file(walk: _Walk, address: str, parent: _Parent) -> None:
    """Check a tileset; a nested one gets the tile that refers to it as its parent."""
    document = _load(walk, address)
    if document is None:
        return
    if document.get("asset", {}).get("version") not in {"1.0", "1.1"}:
        walk.report(address, "/asset/version", "tileset-version", "The version is neither 1.0 nor 1.1.")
    root = document.get("root")
    if not isinstance(root, dict):
        walk.report(address, "/root", "no-root", "The tileset has no root tile.")
        return
    tile: Json = root  # pyright: ignore[reportUnknownVariableType]
    if "refine" not in tile:
        walk.report(address, "/root/refine", "refine", "A root tile says how it is refined.")
    # A tileset that is not shown misses no more than its own error, nor more than the tile around it.
    around = replace(parent, error=min(parent.error, _error_of(walk, address, "", document)))
    try:
        _check_tile(walk, address, "/root", tile, around)
    except (TypeError, AttributeError, KeyError) as wrong:
        walk.report(address, "", "structure", f"The tileset is not as it should be: {wrong!r}.")


def _load(walk: _Walk, address: str) -> Json | None:
    try:
        found = json.loads(walk.read(address))
    except OSError:
        walk.report(address, "", "dangling", "There is no such file.")
    except ValueError as error:
        walk.report(address, "", "json", f"The tileset is not JSON: {error}.")
    else:
        if isinstance(found, dict):
            return found  # pyright: ignore[reportUnknownVariableType]
        walk.report(address, "", "json", "The tileset is no JSON object.")
    return None


def _check_tile(walk: _Walk, file: str, place: str, tile: Json, parent: _Parent) -> None:
    error = _error_of(walk, file, place, tile)
    if error > parent.error:
        message = f"The error grows from {parent.error} to {error}."
        walk.report(file, f"{place}/geometricError", "error-grows", message)
    if tile.get("refine", "ADD") not in {"ADD", "REPLACE"}:
        walk.report(file, f"{place}/refine", "refine", "refine is neither ADD nor REPLACE.")
    region = _region_of(walk, file, place, tile)
    if region is not None and parent.region is not None and not _inside(region, parent.region):
        walk.report(file, f"{place}/boundingVolume", "child-outside", "The tile reaches out of its parent.")
    transform = parent.transform @ _transform_of(walk, file, place, tile)
    here = _Parent(region, error, transform, tile.get("refine", parent.refine), parent.depth + 1)
    children: list[Json] = tile.get("children", [])
    for number, content in enumerate(_contents(tile)):
        _check_content(walk, file, f"{place}/content/{number}", content, here, has_children=bool(children))
    for number, child in enumerate(children):
        _check_tile(walk, file, f"{place}/children/{number}", child, here)
    if not children and not _contents(tile) and parent.depth:
        walk.report(file, place, "empty-leaf", "The tile has neither content nor children.")


def _error_of(walk: _Walk, file: str, place: str, owner: Json) -> float:
    error = owner.get("geometricError")
    if isinstance(error, (int, float)) and math.isfinite(error) and error >= 0:
        return float(error)
    walk.report(file, f"{place}/geometricError", "geometric-error", f"The geometric error is {error!r}.")
    return 0.0


def _region_of(walk: _Walk, file: str, place: str, tile: Json) -> Array | None:
    volume: Json = tile.get("boundingVolume", {})
    here = f"{place}/boundingVolume"
    known = [name for name in _VOLUMES if name in volume]
    if not known:
        walk.report(file, here, "no-volume", "The tile has no bounding volume.")
        return None
    for name in known:
        if not _are_numbers(volume[name], _VOLUMES[name]):
            walk.report(file, here, "volume", f"The {name} is not {_VOLUMES[name]} finite numbers.")
            return None
    if "region" not in volume:
        return None
    region = np.array(volume["region"], dtype=np.float64)
    limits = np.array([math.pi, math.pi / 2, math.pi, math.pi / 2])
    if (np.abs(region[:4]) > limits).any() or region[1] > region[3] or region[4] > region[5]:
        walk.report(file, here, "volume", f"The region {region.tolist()} is not possible.")
        return None
    return region


def _are_numbers(values: Any, count: int) -> bool:
    if not isinstance(values, list):
        return False
    found: list[Any] = values  # pyright: ignore[reportUnknownVariableType]
    return len(found) == count and all(isinstance(v, (int, float)) and math.isfinite(v) for v in found)


def _inside(region: Array, outer: Array) -> bool:
    low, high = [0, 1, 4], [2, 3, 5]
    return bool((region[low] >= outer[low]).all() and (region[high] <= outer[high]).all())


def _transform_of(walk: _Walk, file: str, place: str, tile: Json) -> Array:
    transform = tile.get("transform")
    if transform is None:
        return np.eye(4)
    if not _are_numbers(transform, 16):
        walk.report(file, f"{place}/transform", "transform", "The transform is not 16 finite numbers.")
        return np.eye(4)
    matrix = np.array(transform, dtype=np.float64).reshape(4, 4).T
    if matrix[3].tolist() != [0, 0, 0, 1] or abs(np.linalg.det(matrix[:3, :3])) < 1e-12:
        walk.report(file, f"{place}/transform", "transform", "The transform is not affine.")
    return matrix


def _contents(tile: Json) -> list[Json]:
    return [tile["content"]] if "content" in tile else tile.get("contents", [])


def _check_content(
    walk: _Walk, file: str, place: str, content: Json, tile: _Parent, *, has_children: bool
) -> None:
    uri = content.get("uri")
    if not isinstance(uri, str):
        walk.report(file, place, "content-uri", "The content has no uri.")
        return
    address = urljoin(file, uri)
    if address in walk.seen:
        walk.report(file, place, "repeated", f"{uri} is referred to twice.")
        return
    walk.seen.add(address)
    if _file_name(address).endswith(".json"):
        if has_children:
            walk.report(file, place, "nested-children", "A tile with a tileset as content has children.")
        _check_file(walk, address, tile)
    else:
        _check_glb(walk, address, tile)


def _check_glb(walk: _Walk, address: str, tile: _Parent) -> None:
    try:
        data = walk.read(address)
    except OSError:
        walk.report(address, "", "dangling", "There is no such file.")
        return
    inspection = inspect_glb(data)
    walk.findings += [_finding(address, problem) for problem in inspection.problems]
    if tile.region is None or len(inspection.positions) == 0:
        return
    outside = _metres_outside(tile.region, tile.transform, inspection.positions)
    if outside > TOLERANCE_M:
        walk.report(address, "", "content-outside", f"A vertex lies {outside:.2f} m outside of its tile.")


def _metres_outside(region: Array, transform: Array, positions: Array) -> float:
    """How far the vertices (n, 3), y up, reach out of a region at most."""
    z_up = np.column_stack([positions[:, 0], -positions[:, 2], positions[:, 1]])
    place = _geodetic(z_up @ transform[:3, :3].T + transform[:3, 3])
    low, high = region[[0, 1, 4]], region[[2, 3, 5]]
    metres = np.array([_EARTH_M * math.cos((region[1] + region[3]) / 2), _EARTH_M, 1.0])
    return float((np.maximum(low - place, place - high) * metres).max())


def _geodetic(ecef: Array) -> Array:
    """Longitude and latitude in radians and height (n, 3) from EPSG:4978, by Bowring's method (1985)."""
    x, y, z = ecef.T
    distance = np.hypot(x, y)
    minor = _EARTH_M * (1 - _FLATTENING)
    reduced = np.arctan2(z * _EARTH_M, distance * minor)
    second = _ECCENTRICITY_2 / (1 - _ECCENTRICITY_2)
    latitude = np.arctan2(
        z + second * minor * np.sin(reduced) ** 3,
        distance - _ECCENTRICITY_2 * _EARTH_M * np.cos(reduced) ** 3,
    )
    normal = _EARTH_M / np.sqrt(1 - _ECCENTRICITY_2 * np.sin(latitude) ** 2)
    height = distance * np.cos(latitude) + z * np.sin(latitude) - _EARTH_M**2 / normal
    return np.column_stack([np.arctan2(y, x), latitude, height])
