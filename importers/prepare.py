"""From features, easting first, to rows: harmonise, measure, mesh. Pure."""

from collections import Counter
from collections.abc import Sequence

from importers.batches import Candidate, Prepared, Understanding
from importers.harmonise import harmonise
from importers.port import Refused
from importers.sources import Source
from twin.memory import collecting_later
from twin.model.cityobject import CityFeature
from twin.model.crs import Placer
from twin.processing.derive import Derived, derive
from twin.processing.rows import Entry, Membership, rows_of
from twin.processing.values import Values


def prepare(candidates: Sequence[Candidate], understanding: Understanding) -> Prepared:
    """The rows of a batch. A feature that cannot be measured is refused by itself."""
    with collecting_later():
        return _prepared(candidates, understanding)


def _prepared(candidates: Sequence[Candidate], understanding: Understanding) -> Prepared:
    derived, refused = _derive_each([c.feature for c in candidates], understanding.placer)
    prepared = Prepared(refused=refused)
    entries: list[Entry] = []
    for candidate, result in zip(candidates, derived, strict=True):
        if result is None:
            continue
        values = _harmonised(candidate.feature, understanding.source, prepared.unknown_codes)
        entries.append(Entry(candidate.feature, values, result, candidate.content_hash, understanding.run_id))
        if result.problem:
            prepared.problems.append(_without_mesh(candidate.feature, result.problem))
    membership = Membership.of(understanding.dataset_id, understanding.spec)
    prepared.rows = rows_of(entries, membership).packed()
    return prepared


def _derive_each(
    features: Sequence[CityFeature], placer: Placer
) -> tuple[list[Derived | None], list[Refused]]:
    """Derive a batch at once; if that fails, one by one, so that one bad feature costs one feature."""
    try:
        return list[Derived | None](derive(features, placer)), []
    except Exception as error:  # whatever the cause, the others are to be kept
        if len(features) > 1:
            halves = [_derive_each([feature], placer) for feature in features]
            return [d for ds, _ in halves for d in ds], [r for _, rs in halves for r in rs]
        return [None], [_unmeasurable(features[0], error)]


def _unmeasurable(feature: CityFeature, error: Exception) -> Refused:
    reason = f"its geometry cannot be measured ({type(error).__name__}: {error})"
    return Refused("not-measurable", feature.root.id, feature.place, reason, "check it with a validator")


def _without_mesh(feature: CityFeature, reason: str) -> Refused:
    suggestion = "it is stored and can be queried, but tiles do not show it"
    return Refused("no-mesh", feature.root.id, feature.place, reason, suggestion)


def _harmonised(feature: CityFeature, source: Source, unknown: Counter[str]) -> dict[str, Values]:
    values: dict[str, Values] = {}
    for item in feature:
        harmonised = harmonise(source, item)
        values[item.id] = harmonised.values
        unknown.update(f"{name} {code}" for name, code in harmonised.unknown_codes)
    return values
