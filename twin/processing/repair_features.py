"""Repairs of whole features: what came of each, and the rows that keep it beside the original."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TypeAlias

from twin.model.cityobject import CityFeature
from twin.model.geometry import Geometry
from twin.processing.derive import Values
from twin.processing.repair import MAX_POINTS, Repaired, beyond_repair, repair_all
from twin.processing.rows import Membership, geometry_values
from twin.processing.validity import Validity, delivered_by_object, validate

Place: TypeAlias = tuple[str, int, Geometry]
"""Id of the object, the how manieth of its geometries, and the geometry."""

NONE = "none"
REPAIRED = "repaired"
NOT_REPAIRABLE = "not repairable"


@dataclass(frozen=True, slots=True, eq=False)
class Mended:
    """One repaired geometry: of which object of the feature, and the how manieth of its geometries."""

    part: str
    number: int
    result: Repaired


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What came of repairing a feature; ``why`` says why it could not be, ``mended`` what was."""

    repair: str
    why: str | None = None
    mended: tuple[Mended, ...] = ()


def outcomes(features: Sequence[CityFeature], lods: Sequence[str], verdict: Validity) -> list[Outcome]:
    """Repair the features that ``verdict`` found invalid: each as a whole, or not at all."""
    found = [_hopeless(verdict.valid[i], verdict.codes[i]) for i in range(len(features))]
    hopeful = [i for i, outcome in enumerate(found) if outcome is None]
    parts = [list(_places(features[i], lods[i])) for i in hopeful]
    results = iter(repair_all([geometry for places in parts for _, _, geometry in places]))
    attempts = [[(place, next(results)) for place in places] for places in parts]
    whole = [
        [result.geometry if result else geometry for (_, _, geometry), result in attempt]
        for attempt in attempts
    ]
    verdicts = validate(whole).valid
    for i, attempt, valid in zip(hopeful, attempts, verdicts, strict=True):
        mended = tuple(Mended(part, number, result) for (part, number, _), result in attempt if result)
        found[i] = Outcome(REPAIRED, None, mended) if valid else Outcome(NOT_REPAIRABLE, _why(attempt))
    return [outcome or Outcome(NONE) for outcome in found]


def _hopeless(valid: bool | None, codes: Sequence[int]) -> Outcome | None:
    """The outcome of a feature that no repair is tried of."""
    if valid is not False:
        return Outcome(NONE)
    if beyond := beyond_repair(codes):
        return Outcome(NOT_REPAIRABLE, f"no safe repair answers {', '.join(map(str, beyond))}")
    return None


def _places(feature: CityFeature, lod: str) -> Iterator[Place]:
    """The checked geometries of a feature: id of the object, number among its geometries, geometry."""
    for item, geometries in delivered_by_object(feature, lod):
        for geometry in geometries:
            number = next(n for n, own in enumerate(item.geometries) if own is geometry)
            yield item.id, number, geometry


def _why(attempt: Sequence[tuple[Place, Repaired | None]]) -> str:
    if any(len(geometry.xyz) > MAX_POINTS for (_, _, geometry), _ in attempt):
        return f"it has more than {MAX_POINTS} points"
    return "what safe repairs give is not valid, or measures otherwise"


def rows(
    root: str, outcome: Outcome, ordinals: Mapping[str, Sequence[int]], membership: Membership
) -> list[Values]:
    """Rows of ``object_repair``; ``ordinals`` number each object's geometries as they are stored."""
    encoded = geometry_values([mended.result.geometry for mended in outcome.mended], membership)
    return [
        {
            "dataset_id": membership.dataset_id,
            "object_id": root,
            "part_id": mended.part,
            "ordinal": ordinals[mended.part][mended.number],
            **values,
            **_told(mended.result),
        }
        for mended, values in zip(outcome.mended, encoded, strict=True)
    ]


def _told(result: Repaired) -> Values:
    """The steps of a repair and what was measured before and after them."""
    return {
        "steps": [asdict(step) for step in result.steps],
        "volume_before_m3": result.volume_m3[0],
        "volume_after_m3": result.volume_m3[1],
        "area_before_m2": result.area_m2[0],
        "area_after_m2": result.area_m2[1],
    }


def explained(outcome: Outcome) -> list[Values]:
    """What there is to tell of an outcome, row by row: each step of each geometry, or why there is none."""
    if outcome.why:
        return [{"repair": outcome.repair, "why": outcome.why}]
    return [
        {"part": mended.part, "geometry": mended.number, **asdict(step)}
        for mended in outcome.mended
        for step in mended.result.steps
    ]
