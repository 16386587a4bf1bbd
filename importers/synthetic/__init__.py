"""Synthetic cities: a model in a city's own delivery schema, and the truth of every building.

``corrupt`` broken buildings among the good ones try an importer; what it has to say of each is written
beside the model too (``OUT.corrupt.csv``).

The layout is that of a city that could exist where the real one does; each building has a shape of
closed form, so that what measuring must give is known exactly (``OUT.truth.csv``). The same seed
gives the same bytes, and a larger city is the smaller one with more blocks around it.
"""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

from importers.synthetic.city import CITIES
from importers.synthetic.citygml import CityGMLWriter
from importers.synthetic.cityjson import CityJSONSeqWriter, CityJSONWriter
from importers.synthetic.faults import BrokenWriter, due, moved_away
from importers.synthetic.truth import TruthWriter
from twin.errors import InvalidParameter

__all__ = ["CityName", "Format", "Target", "broken_path", "format_of", "synthesise", "truth_path"]

CityName: TypeAlias = Literal["helsinki", "tallinn"]
Format: TypeAlias = Literal["citygml", "cityjson", "cityjsonseq"]

_WRITERS: Final[dict[Format, type[CityGMLWriter] | type[CityJSONWriter] | type[CityJSONSeqWriter]]] = {
    "citygml": CityGMLWriter,
    "cityjson": CityJSONWriter,
    "cityjsonseq": CityJSONSeqWriter,
}
_SUFFIXES: Final[dict[str, Format]] = {".gml": "citygml", ".json": "cityjson", ".jsonl": "cityjsonseq"}
_PROGRESS_EVERY: Final = 250


def format_of(path: Path) -> Format:
    """The format that a file's suffix stands for; InvalidParameter where it stands for none."""
    found = _SUFFIXES.get(path.suffix.lower())
    if found is None:
        known = ", ".join(_SUFFIXES)
        raise InvalidParameter(f"{path.name}: the suffix tells no format; use {known} or give the format")
    return found


def truth_path(path: Path) -> Path:
    """Where the truth of a model stands: beside it."""
    return path.with_name(f"{path.name}.truth.csv")


def broken_path(path: Path) -> Path:
    """Where the list of broken buildings of a model stands, if it has any."""
    return path.with_name(f"{path.name}.corrupt.csv")


class Target(NamedTuple):
    """A file to write in a format that its name need not tell."""

    path: Path
    format: Format


def synthesise(
    out: Path | Target,
    *,
    city: CityName,
    buildings: int,
    seed: int,
    corrupt: int = 0,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write a model of ``buildings`` buildings to ``out``, by its suffix, and its truth beside it.

    ``corrupt`` broken buildings are written among them, one of each kind in turn, and listed beside the
    model. ``progress`` is told now and then how many buildings are written. All files appear whole or not
    at all. Raises InvalidParameter for an unknown city or format, for fewer than one building, and for
    more broken buildings than good ones.
    """
    _check(city, buildings, corrupt)
    plan = CITIES[city]
    path, format = out if isinstance(out, Target) else Target(out, format_of(out))
    paths = [path, truth_path(path), *([broken_path(path)] if corrupt else ())]
    unfinished = [whole.with_name(f".{whole.name}.unfinished") for whole in paths]
    try:
        with ExitStack() as stack:
            model = stack.enter_context(_WRITERS[format](unfinished[0], plan))
            truth = stack.enter_context(TruthWriter(unfinished[1], plan))
            listed = stack.enter_context(BrokenWriter(unfinished[2])) if corrupt else None
            breaks = due(buildings, corrupt)
            for written, building in enumerate(plan.buildings(buildings, seed), start=1):
                model.write(building)
                truth.write(building)
                if next(breaks) and listed:
                    listed.write(model.write_broken(moved_away(building)))
                if progress and (written % _PROGRESS_EVERY == 0 or written == buildings):
                    progress(written)
        for part, whole in zip(unfinished, paths, strict=True):
            part.replace(whole)
    finally:
        for part in unfinished:
            part.unlink(missing_ok=True)


def _check(city: str, buildings: int, corrupt: int) -> None:
    if buildings < 1:
        raise InvalidParameter(f"{buildings} buildings: at least one is needed")
    if city not in CITIES:
        raise InvalidParameter(f"{city}: there is a synthetic city for {' and '.join(get_args(CityName))}")
    if not 0 <= corrupt <= buildings:
        raise InvalidParameter(f"{corrupt} broken buildings: each is a copy of one of the {buildings} others")
