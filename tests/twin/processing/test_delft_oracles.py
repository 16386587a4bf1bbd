"""3DBAG's own values for 159 buildings of Delft beside ours: walls, roof faces, and its wrong roof areas."""

import csv
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from importers.reader import open_model
from tests.fixtures import SHARED_DATA, needs_shared_data
from twin.model.cityobject import CityFeature, geometries_at, highest_lod
from twin.model.geometry import Bools, Floats, Geometry, SurfaceType, concatenate
from twin.processing.compute import Column, Measures, measure_core
from twin.processing.neighbours import neighbour_values

pytestmark = needs_shared_data


@dataclass(frozen=True)
class Delft:
    features: list[CityFeature]
    groups: list[list[Geometry]]
    measures: Measures
    around: dict[str, Column]

    def published(self, *names: str) -> Floats:
        return np.array([sum(f.root.attributes[name] for name in names) for f in self.features])

    def own(self, name: str) -> Floats:
        column: Any = self.around.get(name, self.measures.values.get(name))
        return np.asarray(column, dtype=np.float64)

    @property
    def interior(self) -> Bools:
        """Buildings whose neighbours are all in the file."""
        path = SHARED_DATA / "oracle" / "3dbag_delft_buildings.csv"
        with path.open(encoding="utf-8", newline="") as file:
            edge = {row["id"]: row["tile_edge"] for row in csv.DictReader(file)}
        return np.array([edge[f.root.id] == "False" for f in self.features])

    def of_faces(self, name: str) -> Floats:
        """A published attribute of each face, NaN where it has none."""
        found = [
            float(geometry.semantics[int(code)].attributes.get(name, np.nan))
            for geometries in self.groups
            for geometry in geometries
            for code in geometry.semantic
        ]
        return np.array(found)


@cache
def delft() -> Delft:
    path = SHARED_DATA / "cityjson" / "3dbag_delft_319.city.json"
    features = [item for item in open_model(path) if isinstance(item, CityFeature)]
    groups = [list(geometries_at(f, highest_lod(f.objects))) for f in features]
    measures = measure_core(concatenate(groups))
    return Delft(features, groups, measures, neighbour_values(groups, len(groups), measures.footprints))


def test_party_walls_of_the_interior_buildings() -> None:
    city = delft()
    published, own = city.published("b3_opp_scheidingsmuur"), city.own("party_wall_area_m2")
    # The published areas are rounded to centimetres.
    right = np.abs(own - published) <= np.maximum(0.01 * published, 0.0101)
    assert city.interior.sum() == 96
    assert right[city.interior].mean() >= 0.97


def test_exterior_walls_of_the_interior_buildings() -> None:
    city = delft()
    published, own = city.published("b3_opp_buitenmuur"), city.own("exterior_wall_area_m2")
    right = np.abs(own - published) <= np.maximum(0.01 * published, 0.0201)
    assert right[city.interior].mean() >= 0.97


def test_both_kinds_of_wall_are_all_walls() -> None:
    city = delft()
    both = city.own("party_wall_area_m2") + city.own("exterior_wall_area_m2")
    published = city.published("b3_opp_buitenmuur", "b3_opp_scheidingsmuur")
    assert (np.abs(both - published) <= 0.0201).mean() >= 0.95
    assert (city.own("inner_wall_area_m2") == 0.0).all()


def test_slope_and_azimuth_of_roof_faces() -> None:
    city = delft()
    slope, azimuth = city.of_faces("b3_hellingshoek"), city.of_faces("b3_azimut")
    large = np.isfinite(slope) & (city.measures.face_area_m2 > 1.0)
    assert large.sum() > 1000
    assert np.abs(city.measures.face_slope_deg - slope)[large].max() <= 0.1
    looking = large & np.isfinite(azimuth) & np.isfinite(city.measures.face_azimuth_deg)
    turn = np.abs((city.measures.face_azimuth_deg - azimuth + 180.0) % 360.0 - 180.0)
    sloped = looking & (slope > 3.0)
    assert sloped.sum() > 700
    assert turn[sloped].max() <= 0.35
    # On nearly level faces the same tilt of the normal turns the azimuth further.
    tilt = turn * np.sin(np.radians(slope))
    assert tilt[looking].max() <= 0.05


def test_published_roof_areas_are_wrong_and_ours_are_not() -> None:
    """The numbers of docs/explanation/roof-areas.md.

    A roof without overhangs covers its ground: its faces seen from above have the area of the ground.
    """
    city = delft()
    published, own = city.published("b3_opp_dak_plat", "b3_opp_dak_schuin"), city.own("roof_area_m2")
    measures = city.measures
    batch, faces = measures.boundary.batch, measures.boundary.faces
    plan = np.where(measures.surface_type == SurfaceType.ROOF, faces.vector[2], 0.0)
    covered = np.add.reduceat(plan, batch.object_start[:-1])
    ground = city.own("ground_area_m2")
    closed = np.asarray(measures.values["closed"], dtype=np.bool_)
    assert closed.sum() == 158
    assert np.abs(covered / ground - 1.0)[closed].max() <= 1e-6
    assert (own >= ground - 1e-6).all()
    assert (np.abs(published / own - 1.0) > 0.01).sum() == 49
    assert (published < ground - 0.05).sum() == 5
    assert round(published.sum()) == 57393
    assert round(own.sum()) == 53069
    ratio = published / own
    assert (round(ratio.min(), 2), round(ratio.max(), 2)) == (0.5, 1.77)
    index = {f.root.id.removeprefix("NL.IMBAG.Pand."): i for i, f in enumerate(city.features)}
    for building, stated in ROOFS.items():
        found = (column[index[building]] for column in (published, ground, own))
        assert tuple(round(float(value), 2) for value in found) == stated, building


ROOFS = {
    "0503100000030621": (408.34, 809.94, 809.94),
    "0503100000019700": (54.5, 56.13, 62.36),
    "0503100000004561": (88.25, 90.42, 99.03),
    "0503100000038367": (25.57, 25.77, 25.95),
    "0503100000038558": (7.36, 7.53, 7.54),
    "0503100000030277": (865.41, 489.68, 489.71),
}
"""Published roof, ground and our roof in m²."""


def test_published_areas_are_right_where_every_face_is_convex() -> None:
    city = delft()
    published, own = city.published("b3_opp_dak_plat", "b3_opp_dak_schuin"), city.own("roof_area_m2")
    simple = ~concave_or_pierced(city)
    assert simple.sum() > 30
    assert (np.abs(published / own - 1.0)[simple] <= 0.01).all()


def concave_or_pierced(city: Delft) -> Bools:
    """Buildings with a roof face that has a hole or a corner of more than 180 degrees."""
    batch, types = city.measures.boundary.batch, city.measures.surface_type
    owner = batch.object_of_surface()
    found = np.zeros(batch.objects, dtype=np.bool_)
    for face in np.flatnonzero(types == SurfaceType.ROOF).tolist():
        first, last = batch.surface_start[face : face + 2]
        ring = batch.xyz[batch.ring_start[first] : batch.ring_start[first + 1]]
        along = np.roll(ring, -1, axis=0) - ring
        turn = np.cross(np.roll(along, 1, axis=0), along) @ city.measures.boundary.faces.vector[:, face]
        found[owner[face]] |= bool(
            last - first > 1 or (turn < -0.01 * city.measures.face_area_m2[face]).any()
        )
    return found
