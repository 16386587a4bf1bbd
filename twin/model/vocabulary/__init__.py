"""Code lists as data files: what a publisher's codes mean in the harmonised vocabulary.

One ``.tsv`` a list, with ``code``, ``label`` and ``value``. Comment lines give its source and date, and what
its values are. Other labels of a code stand behind `` | ``. An empty value is a code that is known and has no
counterpart, which is something else than a code that is not known.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

_COMMENT = "#"
_OTHER_LABEL = " | "


@dataclass(frozen=True, slots=True)
class CodeList:
    """One list. ``value`` finds by code or label, whatever the case of its letters.

    ``prefix`` is the number of leading characters by which a code that is not listed is read, 0 for none.
    """

    name: str
    source: str
    date: str
    labels: dict[str, str]
    values: dict[str, str | None]
    prefix: int = 0
    by_label: dict[str, str] = field(default_factory=dict[str, str])

    def code_of(self, text: str) -> str | None:
        """The code that a code or a label stands for; None where the list has neither."""
        key = text.strip().casefold()
        if key in self.values:
            return key
        if key in self.by_label:
            return self.by_label[key]
        if self.prefix and len(key) > self.prefix and key[: self.prefix] in self.values:
            return key[: self.prefix]
        return None

    def value(self, text: str) -> str | None:
        """The harmonised value of a code or a label; None where there is none."""
        code = self.code_of(text)
        return None if code is None else self.values[code]


@cache
def code_list(name: str) -> CodeList:
    """The list of a data file, ``fi_use_1994`` for ``fi_use_1994.tsv``."""
    text = (files(__name__) / f"{name}.tsv").read_text(encoding="utf-8")
    lines = text.splitlines()
    about = [line.lstrip("# ") for line in lines if line.startswith(_COMMENT)]
    rows = [line.split("\t") for line in lines if line and not line.startswith(_COMMENT)][1:]
    keyed = [(code.casefold(), label, value) for code, label, value in rows]
    prefix = re.match(r"\d+", _about(about, "prefix"))
    return CodeList(
        name=name,
        source=_about(about, "source"),
        date=_about(about, "date"),
        labels={code: label.split(_OTHER_LABEL)[0] for code, label, _ in keyed},
        values={code: value or None for code, _, value in keyed},
        prefix=int(prefix[0]) if prefix else 0,
        by_label={
            single.casefold(): code for code, label, _ in keyed for single in label.split(_OTHER_LABEL)
        },
    )


def code_lists() -> tuple[str, ...]:
    """The names of all lists."""
    names = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".tsv") for name in names if name.endswith(".tsv")))


def _about(lines: list[str], key: str) -> str:
    return "; ".join(line.split(":", 1)[1].strip() for line in lines if line.startswith(f"{key}:"))
