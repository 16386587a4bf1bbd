"""Random trees of CQL2 JSON: mostly sensible, often of the wrong type, sometimes nonsense."""

import random
from typing import Any

OPERATORS = {
    "logic": ["and", "or", "not"],
    "compare": ["=", "<>", "<", "<=", ">", ">=", "like", "between", "in", "isNull"],
    "arithmetic": ["+", "-", "*", "/", "%", "^", "div"],
    "text": ["casei", "accenti"],
    "space": ["s_intersects", "s_equals", "s_disjoint", "s_touches", "s_within", "s_overlaps", "s_crosses",
              "s_contains"],
    "time": ["t_after", "t_before", "t_contains", "t_disjoint", "t_during", "t_equals", "t_finishedby",
             "t_finishes", "t_intersects", "t_meets", "t_metby", "t_overlappedby", "t_overlaps",
             "t_startedby", "t_starts"],
    "lists": ["a_contains", "a_containedby", "a_equals", "a_overlaps"],
    "nonsense": ["pg_sleep", "; DROP TABLE feature", "f.id", "lower", "", "st_buffer", "interval"],
}  # fmt: skip
TEXTS = ["office", "'", "\\", "%", "$1", "--", "a'; DROP TABLE feature; --", "\u0130", "Mäki%", "", "\\%"]
NUMBERS: list[float] = [0, 1, -1, 2.5, 1e308, -1e308, 5e-324, 2**53, 2**63, -(2**63), 0.1, 20, 1950]
DATES = ["2026-01-01", "0001-01-01", "9999-12-31", "2026-02-30", "x", ".."]
TIMES = ["2026-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "2026-01-01T00:00:00"]
_POINT = {"type": "Point", "coordinates": [24.9502, 60.1702]}
_LINE = {"type": "LineString", "coordinates": [[24.9, 60.17], [25, 60.18]]}
SHAPES: list[dict[str, Any]] = [
    _POINT,
    _LINE,
    {"type": "Polygon", "coordinates": [[[24, 59], [26, 59], [26, 61], [24, 61], [24, 59]]]},
    {"type": "Polygon", "coordinates": [[[24, 59], [26, 61], [26, 59], [24, 61], [24, 59]]]},
    {"type": "GeometryCollection", "geometries": [_POINT, _LINE]},
    {"type": "MultiPoint", "coordinates": [[24.9502, 60.1702], [24.9502, 60.1702]]},
    {"type": "Point", "coordinates": [90, 180]},
    {"bbox": [24, 59, 26, 61]},
    {"bbox": [170, -10, -170, 10]},
    {"bbox": [24, 59, -5, 26, 61, 12]},
]


class RandomFilters:
    """Trees over some properties; the same seed gives the same ones."""

    def __init__(self, seed: int, properties: dict[str, list[str]]) -> None:
        self._chance = random.Random(seed)
        self._properties = properties

    def tree(self, depth: int = 4) -> Any:
        """A condition, as CQL2 JSON."""
        kind = self._pick(["logic", "compare", "compare", "space", "time", "lists", "text"])
        if self._chance.random() < 0.02:
            kind = "nonsense"
        op = self._pick(OPERATORS[kind])
        if kind == "logic":
            number = 1 if op == "not" else self._chance.randint(1, 3)
            args = [self.tree(depth - 1) if depth else self._compared() for _ in range(number)]
            return {"op": op, "args": args}
        if kind in {"compare", "text", "nonsense"}:
            return self._compared() if kind != "nonsense" else {"op": op, "args": [self._value("text", 1)]}
        return {"op": op, "args": [self._value(kind, depth), self._value(kind, depth)]}

    def _compared(self) -> Any:
        op = self._pick(OPERATORS["compare"])
        kind = self._pick(["text", "number", "number", "boolean", "date", "timestamp"])
        if op == "in":
            return {"op": op, "args": [self._value(kind, 2), [self._value(kind, 1) for _ in range(3)]]}
        if op == "like":
            pattern = self._pick(TEXTS)
            return {"op": op, "args": [self._value("text", 2), self._folded(pattern)]}
        number = {"isNull": 1, "between": 3}.get(op, 2)
        return {"op": op, "args": [self._value(kind, 2) for _ in range(number)]}

    def _folded(self, value: Any) -> Any:
        return (
            {"op": self._pick(OPERATORS["text"]), "args": [value]} if self._chance.random() < 0.5 else value
        )

    def _value(self, kind: str, depth: int) -> Any:
        """A value, in one of twenty cases of another kind than was asked for."""
        if self._chance.random() < 0.05:
            kind = self._pick(["text", "number", "boolean", "date", "timestamp", "space", "lists"])
        if self._chance.random() < 0.4 and (names := self._properties.get(kind)):
            return {"property": self._pick(names)}
        return getattr(self, f"_{kind}")(depth)

    def _text(self, depth: int) -> Any:
        value = self._pick(TEXTS)
        return self._folded(self._value("text", depth - 1)) if depth > 0 else value

    def _number(self, depth: int) -> Any:
        if depth > 0 and self._chance.random() < 0.5:
            args = [self._value("number", depth - 1) for _ in range(2)]
            return {"op": self._pick(OPERATORS["arithmetic"]), "args": args}
        return self._pick(NUMBERS)

    def _boolean(self, depth: int) -> Any:
        return self._pick([True, False, None])

    def _date(self, depth: int) -> Any:
        return {"date": self._pick(DATES)}

    def _timestamp(self, depth: int) -> Any:
        return {"timestamp": self._pick(TIMES)}

    def _space(self, depth: int) -> Any:
        return self._pick(SHAPES)

    def _time(self, depth: int) -> Any:
        kind = self._pick(["date", "timestamp", "interval"])
        if kind != "interval":
            return self._value(kind, depth)
        ends = [self._pick([*DATES, *TIMES, ".."]) for _ in range(2)]
        return {
            "interval": [{"property": self._pick(["updated", "city"])} if end == "x" else end for end in ends]
        }

    def _lists(self, depth: int) -> Any:
        return [self._pick([*TEXTS, *NUMBERS, True]) for _ in range(self._chance.randint(0, 3))]

    def _pick(self, choices: Any) -> Any:
        return self._chance.choice(choices)
