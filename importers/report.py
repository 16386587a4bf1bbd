"""What came of an import, for people and for programs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from importers.port import Refused

KINDS = ("added", "geometry_changed", "attributes_changed")
"""Why a feature is written, as counted in the report."""

SCHEMA: tuple[tuple[str, str, str], ...] = (
    ("source", "string", "the file, as it was named; `archive.zip/member` for what is in an archive"),
    ("format", "string", "format and version, such as `CityGML 2.0`"),
    ("dataset", "string", "the dataset that the file belongs to"),
    ("city", "string", "the city that its objects stand in"),
    ("reference_system", "string", "horizontal and vertical, or `not stated`"),
    ("axis_order", "string", "`en` easting first, `ne` northing first"),
    ("axis_reason", "string", "why that order"),
    ("placement", "string", "`exact`, `approximate` or `unplaced`"),
    ("heights", "object", "method, accuracy and credit of ellipsoidal heights"),
    ("bytes", "integer", "size of the file, unpacked"),
    ("read", "integer", "features that are stored or unchanged"),
    ("added", "integer", "new features"),
    ("geometry_changed", "integer", "features whose geometry is another one"),
    ("attributes_changed", "integer", "features of which something else is"),
    ("unchanged", "integer", "features that are stored as they are already"),
    ("removed", "integer", "features ended because a complete delivery lacks them"),
    ("left_out", "integer", "features that `--only` did not ask for"),
    ("rows_written", "integer", "rows of the database"),
    ("resumed_after", "integer", "features that an interrupted import had stored"),
    ("refused", "array", "features that are not stored, see below"),
    ("problems", "array", "features that are stored without a mesh, see below"),
    ("images", "integer", "images of textures that are kept"),
    ("images_lost", "array", "images of textures that are not: name as `place`, and why, see below"),
    ("unknown_codes", "object", "how often a code occurred that no list knows, by list and code"),
    ("changes", "object", "ids of features by kind of change, where the dataset was there before"),
    ("not_stored", "object", "the ledger: what the file held and the database does not, with its number"),
    ("seconds", "number", "time that it took"),
    ("dry_run", "boolean", "whether nothing was written because that was asked for"),
)
"""Members of the JSON report of a file: name, type and meaning."""


@dataclass(slots=True)
class Tally:
    """What a batch adds to the report; it is committed with the batch, so that nothing is counted twice.

    ``changes`` lists ids by kind, as far as the dataset was there before.
    """

    read: int = 0
    added: int = 0
    geometry_changed: int = 0
    attributes_changed: int = 0
    unchanged: int = 0
    left_out: int = 0
    rows_written: int = 0
    refused: list[Refused] = field(default_factory=list[Refused])
    problems: list[Refused] = field(default_factory=list[Refused])
    unknown_codes: Counter[str] = field(default_factory=Counter[str])
    changes: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> "Tally":
        """What ``as_dict`` made of a tally."""
        read: dict[str, Any] = {
            **stored,
            "refused": [Refused(**entry) for entry in stored["refused"]],
            "problems": [Refused(**entry) for entry in stored["problems"]],
            "unknown_codes": Counter(stored["unknown_codes"]),
        }
        return cls(**read)

    def as_dict(self) -> dict[str, Any]:
        """The tally, ready for JSON."""
        return _plain(self)

    def add(self, other: "Tally") -> None:
        """Add what another batch counted."""
        add(self, other)

    def count(self, kind: str, object_id: str, *, listed: bool) -> None:
        """Count a feature that is written."""
        setattr(self, kind, getattr(self, kind) + 1)
        if listed:
            self.changes.setdefault(kind, []).append(object_id)


def _plain(entry: "Tally | Report") -> dict[str, Any]:
    """The entry ready for JSON; ``asdict`` alone counts the pairs of a Counter anew."""
    counters = {name: dict(value) for name in _COUNTERS if (value := getattr(entry, name, None)) is not None}
    return asdict(entry) | counters


_COUNTERS = ("unknown_codes", "not_stored")


def add(whole: "Tally | Report", part: Tally) -> None:
    """Add a tally to another, or to a report."""
    for name in ("read", *KINDS, "unchanged", "left_out", "rows_written"):
        setattr(whole, name, getattr(whole, name) + getattr(part, name))
    whole.refused.extend(part.refused)
    whole.problems.extend(part.problems)
    whole.unknown_codes.update(part.unknown_codes)
    for kind, ids in part.changes.items():
        whole.changes.setdefault(kind, []).extend(ids)


@dataclass(slots=True)
class Report:
    """The result of importing one file; `as_dict` is the JSON report, `lines` the readable one.

    Counts are of features, that is first-level city objects with all that is below them, but
    ``rows_written``, which counts database rows. ``problems`` are features that were stored without
    a mesh, ``images_lost`` images of textures that could not be kept, ``not_stored`` counts what the file
    held and the database does not. ``left_out`` counts features that were not asked for. ``changes`` has
    the ids of features by what happened to them, where the dataset was there before. ``resumed_after`` is
    how many features an interrupted import had stored.
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
    left_out: int = 0
    rows_written: int = 0
    resumed_after: int = 0
    refused: list[Refused] = field(default_factory=list[Refused])
    problems: list[Refused] = field(default_factory=list[Refused])
    images: int = 0
    images_lost: list[Refused] = field(default_factory=list[Refused])
    unknown_codes: Counter[str] = field(default_factory=Counter[str])
    changes: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    not_stored: Counter[str] = field(default_factory=Counter[str])
    seconds: float = 0.0
    dry_run: bool = False

    def take(self, tally: Tally) -> None:
        """Add what a batch counted."""
        add(self, tally)

    def repeat(self, before: dict[str, Any]) -> None:
        """Take over what the report of the same import said; nothing had to be written this time."""
        self.read = self.unchanged = before["read"]
        self.refused = [Refused(**entry) for entry in before["refused"]]
        self.problems = [Refused(**entry) for entry in before["problems"]]
        self.unknown_codes.update(before["unknown_codes"])
        self.not_stored.update(before["not_stored"])

    def as_dict(self) -> dict[str, Any]:
        """The whole report, ready for JSON."""
        return _plain(self)

    def lines(self) -> Iterator[str]:
        """The report as a person reads it, most important first."""
        yield f"{self.source}: {self.format}, dataset {self.dataset}, city {self.city}"
        yield f"  {self._reference()}"
        yield f"  placement {self.placement}: {self.heights.get('method') or self.heights.get('note')}"
        yield f"  {self._counted()}"
        if self.resumed_after:
            yield f"  {self.resumed_after} features were stored by an import that was interrupted"
        if self.left_out:
            yield f"  {self.left_out} left out, because they were not asked for"
        if self.removed:
            yield f"  {self.removed} ended, because the delivery is complete without them"
        rate = self.read / self.seconds if self.seconds else 0.0
        written = "would be written" if self.dry_run else "written"
        yield f"  {self.rows_written} rows {written} in {self.seconds:.1f} s ({rate:.0f} features/s)"
        kept = Counter({name: number for name, number in self.not_stored.items() if is_kept(name)})
        for title, counts in (
            ("unknown codes", self.unknown_codes),
            ("not stored", self.not_stored - kept),
            ("stored in another form", kept),
        ):
            if counts:
                yield f"  {title}: " + ", ".join(f"{name} ({count})" for name, count in counts.most_common())
        yield from _listed("refused", self.refused)
        yield from _listed("stored without a mesh", self.problems)
        yield from _listed("textures without their image", self.images_lost)

    def _reference(self) -> str:
        """The reference system and why the axes are in that order; one sentence where there is none."""
        stated = self.reference_system.startswith("EPSG")
        return f"reference system {self.reference_system}; {self.axis_reason}" if stated else self.axis_reason

    def _counted(self) -> str:
        """What became of the features, as far as there is anything to say."""
        kinds = (
            (self.added, "new"),
            (self.geometry_changed, "with another geometry"),
            (self.attributes_changed, "with other attributes"),
            (self.unchanged, "unchanged"),
        )
        said = ", ".join(f"{number} {kind}" for number, kind in kinds if number)
        read = f"{_number(self.read, 'feature')} read"
        return f"{read}: {said}" if said else read


def is_kept(entry: str) -> bool:
    """Whether an entry of the ledger tells of what is stored after all, as attributes or objects."""
    return entry.startswith("ADE ") or entry.endswith(" as attributes")


def summary(reports: list[Report], errors: list[str]) -> str:
    """One line on all files of a command."""
    read = sum(report.read for report in reports)
    refused = sum(len(report.refused) for report in reports)
    written = sum(report.rows_written for report in reports)
    failed = f", {len(errors)} failed" if errors else ""
    files = f"{len(reports) + len(errors)} files: {len(reports)} imported{failed}"
    is_dry = any(report.dry_run for report in reports)
    rows = f"{written} rows would be written" if is_dry else f"{written} rows written"
    return f"{files}; {_number(read, 'feature')} read, {refused} refused, {rows}"


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _listed(title: str, entries: list[Refused], most: int = 20) -> Iterator[str]:
    if not entries:
        return
    yield f"  {title}: {len(entries)}"
    for entry in entries[:most]:
        what = f"{entry.object_id or '(no id)'}: {entry.reason} [{entry.code}]"
        yield f"    {entry.place} {what}. {entry.suggestion}"
    if len(entries) > most:
        yield f"    … and {len(entries) - most} more; the JSON report (--report FILE) has them all"
