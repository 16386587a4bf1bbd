"""Synthetic cities: a model in a city's own delivery schema, and the truth of every building.

The layout is that of a city that could exist where the real one does; each building has a shape of
closed form, so that what measuring must give is known exactly (``OUT.truth.csv``). The same seed
gives the same bytes, and a larger city is the smaller one with more blocks around it.
"""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from importers.synthetic.city import CITIES
from importers.synthetic.citygml import CityGMLWriter
from importers.synthetic.cityjson import CityJSONSeqWriter, CityJSONWriter
from importers.synthetic.truth import TruthWriter
from twin.errors import InvalidParameter

__all__ = ["CityName", "Format", "format_of", "synthesise", "truth_path"]

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


def synthesise(
    out: Path,
    *,
    city: CityName,
    buildings: int,
    seed: int,
    format: Format | None = None,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write a model of ``buildings`` buildings to ``out`` and its truth beside it.

    ``progress`` is told now and then how many buildings are written. Both files appear whole or not
    at all. Raises InvalidParameter for an unknown city or format and for fewer than one building.
    """
    if buildings < 1:
        raise InvalidParameter(f"{buildings} buildings: at least one is needed")
    if city not in CITIES:
        raise InvalidParameter(f"{city}: there is a synthetic city for {' and '.join(get_args(CityName))}")
    plan = CITIES[city]
    writer = _WRITERS[format or format_of(out)]
    unfinished = [path.with_name(f".{path.name}.unfinished") for path in (out, truth_path(out))]
    try:
        with ExitStack() as stack:
            model = stack.enter_context(writer(unfinished[0], plan))
            truth = stack.enter_context(TruthWriter(unfinished[1], plan))
            for written, building in enumerate(plan.buildings(buildings, seed), start=1):
                model.write(building)
                truth.write(building)
                if progress and (written % _PROGRESS_EVERY == 0 or written == buildings):
                    progress(written)
        unfinished[0].replace(out)
        unfinished[1].replace(truth_path(out))
    finally:
        for path in unfinished:
            path.unlink(missing_ok=True)
