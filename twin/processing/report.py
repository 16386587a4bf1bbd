"""What came of processing, for people and for programs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

Progress: TypeAlias = Callable[[int, int], None]
"""Called with features done and features in all, over all stages."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a job; ``computed`` are those of its ``features`` that were out of date."""

    stage: str
    features: int
    computed: int
    rows_written: int
    problems: list[str]


@dataclass(slots=True)
class ProcessReport:
    """What `process` did with one dataset; ``computed`` counts features by stage.

    ``invalid`` and ``repaired`` count all features of the dataset, computed now or before.
    """

    dataset: str
    computed: dict[str, int] = field(default_factory=dict[str, int])
    partitions: int = 0
    rows_written: int = 0
    problems: list[str] = field(default_factory=list[str])
    invalid: int = 0
    repaired: int = 0

    @property
    def outdated(self) -> int:
        """Features of which something was out of date, at least."""
        return max(self.computed.values(), default=0)
