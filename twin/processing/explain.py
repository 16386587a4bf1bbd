"""How the values of one building came to be, with the numbers in between.

Computed anew from the stored geometry by the very functions that the stages use, so that what is
shown is what was done.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from twin.model.attributes import BY_NAME
from twin.model.cityobject import CityFeature, geometries_at
from twin.model.geometry import Floats, SurfaceType, concatenate
from twin.processing.compute import Measures, measure
from twin.processing.heights import heights
from twin.processing.roof import roof_edges
from twin.processing.solid import volumes
from twin.processing.surfaces import Levels
from twin.processing.values import Values, plain

LATER = ("neighbours", "validity", "repair")
"""Sections that later stages tell."""

_FACES_SHOWN = 60
"""More faces than that are in the JSON alone."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """``document`` holds everything, ready for JSON; ``lines`` tell it to a person."""

    document: dict[str, Any]

    def lines(self) -> Iterator[str]:
        """The explanation as text."""
        whole = self.document
        yield f"{whole['id']}: LoD {whole['lod']}, {len(whole['faces'])} faces"
        yield from _state_lines(whole["stages"])
        yield "faces"
        yield "  face  type                  area m2   slope deg  azimuth deg   low m   high m"
        yield from (_face_line(face) for face in whole["faces"][:_FACES_SHOWN])
        if len(whole["faces"]) > _FACES_SHOWN:
            yield f"  … and {len(whole['faces']) - _FACES_SHOWN} more; --json has them all"
        yield "areas"
        yield from (f"  {name}: {_number(value)} m2" for name, value in whole["areas"].items())
        yield "volume"
        yield from (f"  {name}: {_number(value)}" for name, value in whole["volume"].items())
        for title in LATER:
            yield from _section(title, whole.get(title))
        yield "values"
        yield from (_value_line(name, value) for name, value in whole["values"].items())


def explain(
    feature: CityFeature,
    lod: str,
    stored: Mapping[str, Any],
    stages: Sequence[Mapping[str, Any]],
    sections: Mapping[str, Sequence[Values]],
) -> Explanation:
    """The explanation of a feature from its geometry; ``stored`` are its values in the database.

    ``stages`` say of each stage by which algorithm the stored values were computed and whether
    they are out of date; ``sections`` hold what later stages tell of their values.
    """
    measures = measure(concatenate([geometries_at(feature, lod)]))
    document = {
        "id": stored["id"],
        "lod": lod,
        "stages": [dict(stage) for stage in stages],
        "faces": _faces(measures),
        "areas": _areas(measures),
        "volume": _volume(measures),
        **sections,
        "values": {name: stored[name] for name in BY_NAME if name in stored},
    }
    return Explanation(document)


def _faces(measures: Measures) -> list[Values]:
    batch, faces = measures.boundary.batch, measures.boundary.faces
    base = float(batch.origin[0, 2])
    low, high = Levels(batch).of_surfaces(np.arange(batch.surfaces))
    rows: list[Values] = []
    for face in range(batch.surfaces):
        rows.append(
            {
                "face": face,
                "type": SurfaceType(int(measures.surface_type[face])).cityjson_name,
                "named_by": "source" if batch.surface_type[face] != SurfaceType.UNKNOWN else "geometry",
                "area_m2": plain(measures.face_area_m2[face]),
                "slope_deg": plain(measures.face_slope_deg[face]),
                "azimuth_deg": plain(measures.face_azimuth_deg[face]),
                "z_min_m": plain(low[face] + base),
                "z_max_m": plain(high[face] + base),
                "normal_area_m2": [plain(faces.vector[axis, face]) for axis in range(3)],
            }
        )
    return rows


def _areas(measures: Measures) -> Values:
    """Sums by type, and what ought to be equal or nothing in a closed shell."""
    vector, types = measures.boundary.faces.vector, measures.surface_type
    known = sorted({int(kind) for kind in types})
    sums: Values = {
        SurfaceType(kind).cityjson_name or "unknown": plain(measures.face_area_m2[types == kind].sum())
        for kind in known
    }
    plan: Floats = vector[2]
    sums["plan of upward faces"] = plain(plan[plan > 0.0].sum())
    sums["plan of downward faces"] = plain(-plan[plan < 0.0].sum())
    sums["sum of area vectors"] = plain(np.linalg.norm(vector.sum(axis=1)))
    return sums


def _volume(measures: Measures) -> Values:
    """Both volumes, what they differ by, and why one of them was taken."""
    boundary, types = measures.boundary, measures.surface_type
    ground = heights(boundary, types, roof_edges(boundary, types)).ground
    found = volumes(boundary, types, ground)
    return {
        "divergence_m3": plain(found.divergence[0]),
        "roof_ground_integral_m3": plain(found.integral[0]),
        "disagreement": plain(found.disagreement[0]),
        "closed": bool(boundary.closed[0]),
        "edges_without_partner": int(boundary.unmatched_edges[0]),
        "faces_turned": int((boundary.ring_sign[boundary.batch.surface_start[:-1]] < 0.0).sum()),
        "ground_m": plain(ground[0] + boundary.batch.origin[0, 2]),
        "method": found.methods()[0],
        "volume_m3": plain(found.value[0]),
        "quality": found.quality()[0],
    }


def _state_lines(stages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for stage in stages:
        how = stage["algorithm"] or "never computed"
        late = "; OUT OF DATE: run twin process" if stage["outdated"] else ""
        yield f"  stage {stage['stage']}: {how}{late}"


def _face_line(face: Mapping[str, Any]) -> str:
    numbers = (face["area_m2"], face["slope_deg"], face["azimuth_deg"], face["z_min_m"], face["z_max_m"])
    columns = "".join(f"{_number(number):>11}" for number in numbers)
    return f"  {face['face']:>4}  {face['type'] or '':<19}{columns}"


def _section(title: str, content: Any) -> Iterator[str]:
    if content is None:
        return
    yield title
    for row in content:
        yield "  " + ", ".join(f"{name} {_text(value)}" for name, value in row.items() if value != [])
    if not content:
        yield "  none"


def _value_line(name: str, value: Any) -> str:
    attribute = BY_NAME[name]
    unit = f" {attribute.unit}" if attribute.unit and value is not None else ""
    how = f": {attribute.method}" if attribute.method else ""
    return f"  {name}: {_number(value)}{unit}  ({attribute.origin}{how})"


def _text(value: Any) -> str:
    """A value, a list of such, or what belongs together."""
    if isinstance(value, list):
        return "; ".join(map(_text, cast("list[Any]", value)))
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value).items()
        return " ".join(f"{name} {_text(member)}" for name, member in members)
    return _number(value)


def _number(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
