"""The port of the readers: what every format offers to the ingest.

A reader recognises a file by its content and opens it as a model; iterating a model gives one
feature at a time, or the reason why a feature is left out. Coordinates come in the order of the
file and heights untouched: axis order and reference systems are the ingest's business.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from twin.model.cityobject import CityFeature


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """What a file says about itself; ``reference_system`` is as stated, None where it is not.

    ``format`` names the encoding and its version, such as ``CityGML 2.0`` or ``CityJSONSeq 2.0``.
    ``synthetic`` is true where title or description say SYNTHETIC. ``document`` are the members of
    the head of a CityJSON file, which an export gives back.
    """

    format: str
    title: str | None = None
    reference_system: str | None = None
    synthetic: bool = False
    publisher: str | None = None
    document: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Refused:
    """A feature that cannot be read as it is; the features around it are not affected.

    ``code`` is a stable word for programs, ``place`` is where in the file (``line 812``,
    ``byte 40211``, ``CityObjects/<id>``).
    """

    code: str
    object_id: str | None
    place: str
    reason: str
    suggestion: str


class Model(Protocol):
    """An opened file. Iterating reads it from its start, one feature in memory at a time.

    ``size`` and ``position`` are bytes, for progress. ``ledger`` counts what was in the input and
    is not in the features (``appearance``, ``geometry MultiPoint``); it is complete once the
    iteration has ended.

    Iteration raises UnreadableFile where the file stops being well-formed; features before that
    place have been given by then.
    """

    @property
    def metadata(self) -> ModelMetadata: ...
    @property
    def size(self) -> int: ...
    @property
    def position(self) -> int: ...
    @property
    def ledger(self) -> Counter[str]: ...
    def __iter__(self) -> Iterator[CityFeature | Refused]: ...


class Reader(Protocol):
    """One format: ``sniff`` looks at the first bytes only, ``open`` raises UnreadableFile."""

    @property
    def name(self) -> str: ...
    def sniff(self, path: Path) -> bool: ...
    def open(self, path: Path) -> Model: ...


class Refusal(Exception):
    """Raised inside a reader when a feature cannot be read; the reader turns it into Refused."""

    def __init__(self, code: str, reason: str, suggestion: str, place: str | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.suggestion = suggestion
        self.place = place

    def refused(self, object_id: str | None, place: str) -> Refused:
        """The entry of the report; a place that the refusal knows itself is the nearer one."""
        return Refused(self.code, object_id, self.place or place, self.reason, self.suggestion)


def says_synthetic(*texts: str | None) -> bool:
    """Whether a title or description marks its model as synthetic, in capitals as this twin does."""
    return any(text is not None and "SYNTHETIC" in text for text in texts)
