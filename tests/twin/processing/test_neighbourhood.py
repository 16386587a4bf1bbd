"""Input hashes: what changes them, and what does not."""

from typing import Any

import numpy as np
import pytest

from twin.model.cells import LEVEL, quadkeys
from twin.processing.neighbourhood import Members
from twin.processing.partition import Partition, divide

METRE = 1 / 111_320  # degrees of latitude
EVERYTHING = Partition(0, 0)
NAME = "neighbours 1"


def feature(name: str, north_m: float, content: bytes = b"same") -> dict[str, Any]:
    """A feature of ten by ten metres, ``north_m`` metres from a place in Helsinki."""
    south = 60.17 + north_m * METRE
    [key] = quadkeys(np.array([[24.94, south]])).tolist()
    return {
        "object_id": name,
        "quadkey": key,
        "west": 24.94,
        "south": south,
        "east": 24.94 + 20 * METRE,
        "north": south + 10 * METRE,
        "content_hash": content,
        "input_hash": None,
        "lod": "2",
    }


def hashes(rows: list[dict[str, Any]], partition: Partition = EVERYTHING) -> dict[str, bytes]:
    members = Members.of(rows, partition)
    return {members.ids[i]: found for i, found in members.input_hashes(100.0, NAME).items()}


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> set[str]:
    return {name for name in before if after.get(name) != before[name]}


STREET = [
    feature(name, distance) for name, distance in zip("abcdef", (0, 60, 120, 180, 240, 300), strict=True)
]


def test_a_changed_feature_changes_its_own_hash_and_those_of_its_neighbours() -> None:
    street = [row | {"content_hash": b"new"} if row["object_id"] == "b" else row for row in STREET]
    assert changed(hashes(STREET), hashes(street)) == {"a", "b", "c"}


def test_a_removed_feature_changes_the_hashes_of_its_neighbours() -> None:
    assert changed(hashes(STREET), hashes([row for row in STREET if row["object_id"] != "f"])) == {"e", "f"}


@pytest.mark.parametrize(("gap_m", "concerned"), [(95, {"b"}), (105, set[str]())])
def test_the_halo_ends_where_it_is_said_to_end(gap_m: float, concerned: set[str]) -> None:
    pair = [feature("a", 0), feature("b", 60)]
    assert changed(hashes(pair), hashes([*pair, feature("c", 70 + gap_m)])) == concerned


@pytest.mark.parametrize("count", [2, 4])
def test_hashes_do_not_depend_on_the_division(count: int) -> None:
    cells = divide(np.array([row["quadkey"] for row in STREET]), count)
    assert len(cells) >= count
    found: dict[str, bytes] = {}
    for cell in cells:
        found |= hashes(STREET[::-1], cell)
    assert found == hashes(STREET)


def test_another_version_changes_every_hash() -> None:
    members = Members.of(STREET, EVERYTHING)
    one, two = members.input_hashes(None, "validity 1"), members.input_hashes(None, "validity 2")
    assert one.keys() == two.keys()
    assert not set(one.values()) & set(two.values())


def test_a_long_id_is_one_of_its_own() -> None:
    rows = [feature("x" * 300 + end, 0) for end in "ab"]
    found = hashes(rows)
    assert len(set(found.values())) == 2


def test_only_features_in_the_cell_are_owned() -> None:
    own = Members.of(STREET, Partition(LEVEL, STREET[0]["quadkey"]))
    assert [name for name, mine in zip(own.ids, own.owned, strict=True) if mine] == ["a"]
