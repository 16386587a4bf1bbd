"""Undulations: how far the zero of a national height system lies above the ellipsoid.

PROJ leaves z as it is where it has no grid for a vertical system, and calls that the best available: 17.6 m
wrong in Helsinki. So heights are made here, from the first of these that covers a point:

1. the table of the Finnish geoid over Helsinki and Tallinn (package data, exact to a millimetre of its grid);
2. the grid that PROJ has for the vertical system, if the machine has one;
3. EGM2008 or EGM96 where PROJ has it, or the coarse table of EGM96 that ships here: approximate;
4. a constant given by a person: approximate;

and where none does, the point is unplaced.
"""

import json
import warnings
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from pyproj import CRS, Transformer
from pyproj.crs import CompoundCRS
from pyproj.transformer import TransformerGroup

from twin.model.geometry import Floats, Ints
from twin.model.reference import epsg

Placement: TypeAlias = Literal["exact", "approximate", "unplaced"]

PLACEMENTS: tuple[Placement, Placement, Placement] = ("exact", "approximate", "unplaced")
"""By rank: a dataset or an object is placed as well as its worst point."""

EXACT, APPROXIMATE, UNPLACED = range(3)

N2000, EH2000 = 3900, 9663
EGM2008, EGM96 = 3855, 5773
GLOBAL_ACCURACY_M = 0.5
"""Of EGM96 and EGM2008 against a national system: in Finland it holds at 97.7 % of EGM96's nodes."""

_WGS84, _WGS84_WITH_HEIGHT = 4326, 4979


class Undulations(Protocol):
    """One source of undulations."""

    @property
    def about(self) -> dict[str, Any]:
        """``method``, ``accuracy_m``, ``credit`` and ``note``, as a dataset's metadata states them."""
        ...

    @property
    def rank(self) -> int:
        """How well it places a point: EXACT or APPROXIMATE."""
        ...

    def weighted(self, lonlat: Floats) -> tuple[Floats, Floats]:
        """Undulations in metres and weights 0 to 1 at points (n, 2); weight 0 where there is none."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class GeoidTable:
    """Undulations in metres at the nodes of a regular grid, ``values`` (rows, columns) from the south-west.

    ``note`` is what people should know of the table as a whole.
    """

    title: str
    credit: str
    west: float
    south: float
    step: float
    values: Floats
    note: str | None = None

    def interpolate(self, lonlat: Floats) -> tuple[Floats, Floats]:
        """Bilinear undulations (n,), and depth (n,): cells to the nearest edge, negative outside.

        Outside, the undulation is that of the nearest cell carried on, and no one should use it.
        """
        rows, columns = self.values.shape
        x = (lonlat[:, 0] - self.west) / self.step
        y = (lonlat[:, 1] - self.south) / self.step
        # nan_to_num: a point that could not be projected must not become an index.
        column = np.clip(np.nan_to_num(x), 0, columns - 2).astype(np.int32)
        row = np.clip(np.nan_to_num(y), 0, rows - 2).astype(np.int32)
        u, v = x - column, y - row
        corner = self.values.ravel()
        at = row * columns + column
        south = corner[at] * (1 - u) + corner[at + 1] * u
        north = corner[at + columns] * (1 - u) + corner[at + columns + 1] * u
        depth = np.minimum(np.minimum(x, columns - 1 - x), np.minimum(y, rows - 1 - y))
        return south * (1 - v) + north * v, depth


@cache
def geoid_table(name: str) -> GeoidTable:
    """A table of the package data ``twin/model/geoid``: ``fin2023n2000`` or ``egm96``."""
    folder = files("twin.model") / "geoid"
    about = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    with (folder / f"{name}.npy").open("rb") as stream:
        values = np.load(stream, allow_pickle=False).astype(np.float64) * about["unit_m"]
    return GeoidTable(
        about["title"],
        about["credit"],
        about["west"],
        about["south"],
        about["step"],
        values,
        about.get("note"),
    )


@dataclass(frozen=True, slots=True)
class TableUndulations:
    """A shipped table, faded out over its outermost cell where ``fade`` is set.

    Without that a building on the edge would be torn by the difference to the source behind it.
    """

    table: str
    rank: int
    accuracy_m: float
    note: str | None = None
    fade: bool = False

    @property
    def about(self) -> dict[str, Any]:
        table = geoid_table(self.table)
        return {
            "method": f"table of geoid undulations {table.title}",
            "accuracy_m": self.accuracy_m,
            "credit": table.credit,
            "note": self.note or table.note,
        }

    def weighted(self, lonlat: Floats) -> tuple[Floats, Floats]:
        undulation, depth = geoid_table(self.table).interpolate(lonlat)
        inside = np.nan_to_num(depth, nan=-1.0)
        weight = np.clip(inside, 0, 1) if self.fade else (inside >= 0).astype(np.float64)
        return undulation, np.asarray(weight)


@dataclass(frozen=True, slots=True)
class GridUndulations:
    """A grid that PROJ has on this machine for a vertical system."""

    transformer: Transformer
    vertical: int
    rank: int
    accuracy_m: float | None

    @property
    def about(self) -> dict[str, Any]:
        grids = sorted({grid.short_name for step in self.transformer.operations or () for grid in step.grids})
        name = epsg(self.vertical).name
        return {
            "method": f"PROJ grid for {name} (EPSG:{self.vertical})"
            + (f": {', '.join(grids)}" if grids else ""),
            "accuracy_m": self.accuracy_m,
            "credit": None,
            "note": None,
        }

    def weighted(self, lonlat: Floats) -> tuple[Floats, Floats]:
        lon, lat = lonlat[:, 0], lonlat[:, 1]
        height = np.asarray(self.transformer.transform(lon, lat, np.zeros(len(lonlat)))[2], dtype=np.float64)
        return height, np.isfinite(height).astype(np.float64)


@dataclass(frozen=True, slots=True)
class ConstantUndulation:
    """One undulation for everything: a person's word, or the 0 of ellipsoidal heights."""

    undulation_m: float
    rank: int = APPROXIMATE
    method: str = "constant undulation given by a person"

    @property
    def about(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "accuracy_m": None if self.rank else 0.0,
            "credit": None,
            "note": f"{self.undulation_m:g} m everywhere",
        }

    def weighted(self, lonlat: Floats) -> tuple[Floats, Floats]:
        placed = np.isfinite(lonlat).all(axis=1)
        return np.full(len(lonlat), self.undulation_m), np.asarray(placed, dtype=np.float64)


def undulation(chain: tuple[Undulations, ...], lonlat: Floats) -> tuple[Floats, Ints]:
    """Undulations (n,) in metres at points (n, 2), NaN where no source covers one, and ranks (n,)."""
    total = np.zeros(len(lonlat))
    left = np.ones(len(lonlat))
    rank = np.full(len(lonlat), EXACT, dtype=np.int64)
    for source in chain:
        open_ = np.flatnonzero(left > 0)
        if not len(open_):
            break
        value, weight = source.weighted(lonlat if len(open_) == len(lonlat) else lonlat[open_])
        used = weight > 0
        share = left[open_] * weight
        total[open_[used]] += share[used] * value[used]
        rank[open_[used]] = np.maximum(rank[open_[used]], source.rank)
        left[open_] -= share
    return _settle(total, left, rank)


def _settle(total: Floats, left: Floats, rank: Ints) -> tuple[Floats, Ints]:
    if left.any():
        faded = (left > 0) & (left < 1)
        total[faded] /= 1 - left[faded]
        total[left == 1] = np.nan
        rank[left == 1] = UNPLACED
    return total, rank


def sources(vertical: int | None, constant_m: float | None = None) -> tuple[Undulations, ...]:
    """The sources of undulations for a vertical system, best first; None is a system that is not stated."""
    chain: list[Undulations] = []
    chain += _fine(vertical)
    chain += _proj(vertical, EXACT)
    for model in (EGM2008, EGM96):
        chain += _proj(model, APPROXIMATE)
    chain.append(TableUndulations("egm96", APPROXIMATE, GLOBAL_ACCURACY_M))
    if constant_m is not None:
        chain.append(ConstantUndulation(constant_m))
    return tuple(chain)


def ellipsoidal() -> tuple[Undulations, ...]:
    """For systems whose heights are ellipsoidal already."""
    return (ConstantUndulation(0.0, EXACT, "heights are ellipsoidal in the source"),)


def _fine(vertical: int | None) -> list[Undulations]:
    table = "fin2023n2000"
    if vertical == N2000:
        return [TableUndulations(table, EXACT, 0.02, fade=True)]
    if vertical == EH2000:
        note = "N2000 and EH2000 both realise EVRS; their difference of centimetres is not verified"
        return [TableUndulations(table, EXACT, 0.05, note, fade=True)]
    if vertical is None:
        note = "no vertical system is stated; heights are taken as gravity-related"
        return [TableUndulations(table, APPROXIMATE, GLOBAL_ACCURACY_M, note, fade=True)]
    return []


def _proj(vertical: int | None, rank: int) -> list[Undulations]:
    """PROJ's grid for a vertical system, where the machine has it; never a ballpark transformation."""
    if vertical is None:
        return []
    compound: CRS = CompoundCRS(f"WGS 84 + EPSG:{vertical}", [epsg(_WGS84), epsg(vertical)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # pyproj warns where the best grid is missing
        group = TransformerGroup(compound, _WGS84_WITH_HEIGHT, always_xy=True, allow_ballpark=False)
    for transformer in group.transformers:
        if _moves_heights(transformer):
            stated = transformer.accuracy if transformer.accuracy >= 0 else None
            accuracy = stated if rank == EXACT else max(stated or 0.0, GLOBAL_ACCURACY_M)
            return [GridUndulations(transformer, vertical, rank, accuracy)]
    return []


def _moves_heights(transformer: Transformer) -> bool:
    """Whether the height really changes: PROJ also offers operations that hand it through."""
    return any(step in transformer.definition for step in ("vgridshift", "geogoffset", "proj=gridshift"))
