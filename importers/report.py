"""What came of an import, for people and for programs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from importers.port import Refused


@dataclass(slots=True)
class Report:
    """The result of importing one file; `as_dict` is the JSON report, `lines` the readable one.

    Counts are of features, that is first-level city objects with all that is below them, but
    ``rows_written``, which counts database rows. ``problems`` are features that were stored without
    a mesh, ``not_stored`` counts what the file held and the database does not.
    """

    source: str
    format: str
    dataset: str = ""
    city: str = ""
    reference_system: str = "not stated"
    axis_order: str = ""
    axis_reason: str = ""
    placement: str = ""
    heights: dict[str, Any] = field(default_factory=dict[str, Any])
    bytes: int = 0
    read: int = 0
    added: int = 0
    geometry_changed: int = 0
    attributes_changed: int = 0
    unchanged: int = 0
    removed: int = 0
    rows_written: int = 0
    refused: list[Refused] = field(default_factory=list[Refused])
    problems: list[Refused] = field(default_factory=list[Refused])
    unknown_codes: Counter[str] = field(default_factory=Counter[str])
    not_stored: Counter[str] = field(default_factory=Counter[str])
    seconds: float = 0.0
    dry_run: bool = False

    def repeat(self, before: dict[str, Any]) -> None:
        """Take over what the report of the same import said; nothing had to be written this time."""
        self.read = self.unchanged = before["read"]
        self.refused = [Refused(**entry) for entry in before["refused"]]
        self.problems = [Refused(**entry) for entry in before["problems"]]
        self.unknown_codes.update(before["unknown_codes"])
        self.not_stored.update(before["not_stored"])

    def as_dict(self) -> dict[str, Any]:
        """The whole report, ready for JSON."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """The report as a person reads it, most important first."""
        yield f"{self.source}: {self.format}, dataset {self.dataset}, city {self.city}"
        yield f"  reference system {self.reference_system}; {self.axis_reason}"
        yield f"  placement {self.placement}: {self.heights.get('method', 'heights unknown')}"
        changed = f"{self.geometry_changed} geometry changed, {self.attributes_changed} attributes changed"
        yield f"  {self.read} read: {self.added} new, {changed}, {self.unchanged} unchanged"
        if self.removed:
            yield f"  {self.removed} ended, because the delivery is complete without them"
        rate = self.read / self.seconds if self.seconds else 0.0
        written = "would be written" if self.dry_run else "written"
        yield f"  {self.rows_written} rows {written} in {self.seconds:.1f} s ({rate:.0f} features/s)"
        for title, counts in (("unknown codes", self.unknown_codes), ("not stored", self.not_stored)):
            if counts:
                yield f"  {title}: " + ", ".join(f"{name} ({count})" for name, count in counts.most_common())
        yield from _listed("refused", self.refused)
        yield from _listed("stored without a mesh", self.problems)


def _listed(title: str, entries: list[Refused], most: int = 20) -> Iterator[str]:
    if not entries:
        return
    yield f"  {title}: {len(entries)}"
    for entry in entries[:most]:
        what = f"{entry.object_id or '(no id)'}: {entry.reason} [{entry.code}]"
        yield f"    {entry.place} {what}. {entry.suggestion}"
    if len(entries) > most:
        yield f"    … and {len(entries) - most} more; the JSON report (--report FILE) has them all"
