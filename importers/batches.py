"""Batches of features on their way to rows."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from importers.port import Refused
from importers.report import Tally
from importers.sources import Source
from twin.db.load import DatasetSpec, PackedRows
from twin.model.cityobject import CityFeature
from twin.model.crs import Placer

Kind: TypeAlias = Literal["added", "geometry_changed", "attributes_changed"]
"""Why a feature has to be written."""


@dataclass(frozen=True, slots=True)
class Understanding:
    """How the features of one file are to be understood, and what they become part of."""

    source: Source
    placer: Placer
    dataset_id: int
    spec: DatasetSpec
    run_id: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A feature that is new or changed, easting first, with its content hash."""

    feature: CityFeature
    content_hash: bytes


@dataclass(slots=True)
class Prepared:
    """Rows of a batch and what there is to say about it."""

    rows: PackedRows = field(default_factory=PackedRows)
    refused: list[Refused] = field(default_factory=list[Refused])
    problems: list[Refused] = field(default_factory=list[Refused])
    unknown_codes: Counter[str] = field(default_factory=Counter[str])


@dataclass(slots=True)
class Batch:
    """Features that have to be written, why, by the id of their root, and what else was read up to there.

    ``entries`` counts what was read of the source from its start; ``images`` are those that they show.
    """

    candidates: list[Candidate]
    kinds: dict[str, Kind]
    entries: int
    tally: Tally
    images: set[str] = field(default_factory=set[str])

    def hand_over(self) -> list[Candidate]:
        """The features, which are not kept here any longer."""
        handed, self.candidates = self.candidates, []
        return handed
