"""Plain CityJSON is found piece by piece: wherever pieces are cut, the same is read, in bounded memory."""

import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from importers import json_scan, spill
from importers.reader import open_model
from tests.fixtures import ROOT
from tests.importers.cityjson_cube import building, document, geometry, read, vertices
from twin.errors import ServiceError, UnreadableFile


def family() -> dict[str, Any]:
    """Two buildings with a part each, the parts far from them and before them."""
    part = {"type": "BuildingPart", "geometry": [geometry()]}
    return {
        "P1": part | {"parents": ["B1"]},
        "P2": part | {"parents": ["B2"]},
        'B"1\\': building(attributes={"name": 'a "quoted" \\ {[text', "more": [["}"], {"x": "]"}]}),
        "B1": building(children=["P1"], geometry=[]),
        "B2": building(children=["P2"], geometry=[]),
    }


@pytest.mark.parametrize("chunk", [1, 2, 7, 64, 1 << 22])
@pytest.mark.parametrize("indent", [False, True])
def test_pieces_may_be_cut_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int, indent: bool
) -> None:
    monkeypatch.setattr(json_scan, "CHUNK", chunk)
    content = orjson.dumps(document(family()), option=orjson.OPT_INDENT_2 if indent else 0)
    features, refused, _ = read(tmp_path, content)
    assert refused == []
    assert [[item.id for item in feature] for feature in features] == [
        ['B"1\\'],
        ["B1", "P1"],
        ["B2", "P2"],
    ]
    assert features[0].root.attributes == {"name": 'a "quoted" \\ {[text', "more": [["}"], {"x": "]"}]}
    assert [len(g.xyz) for feature in features for item in feature for g in item.geometries] == [24] * 3


@pytest.mark.parametrize("block", [1, 2, 3])
def test_families_are_found_a_few_objects_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    """Whatever the share of the objects that is looked at together, the same is found."""
    monkeypatch.setattr(spill, "BLOCK", block)
    above = {"A": ["B"], "B": ["C"], "C": ["A"], "Q3": ["Q2"], "Q2": ["Q1"], "Q1": ["H1"]}
    inner = {key: {"type": "BuildingPart", "parents": parents} for key, parents in above.items()}
    text = orjson.dumps(document({**family(), **inner, "H1": building(), "H2": building()}))
    features, refused, _ = read(tmp_path, text.replace(b'"H2"', b'"B2"'))
    assert [[item.id for item in feature] for feature in features] == [
        ['B"1\\'],
        ["B1", "P1"],
        ["B2", "P2"],
        ["H1", "Q1", "Q2", "Q3"],
    ]
    assert [(entry.code, entry.object_id) for entry in refused] == [
        ("cyclic-parents", "A"),
        ("cyclic-parents", "B"),
        ("cyclic-parents", "C"),
        ("duplicate-id", "B2"),
    ]


def test_a_disk_without_space_is_said_to_be_so(tmp_path: Path) -> None:
    path = large(tmp_path / "large.json", 5_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(ServiceError, match=r"no space.*TMPDIR"):
            list(open_model(path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_vertices_and_transform_may_stand_anywhere(tmp_path: Path) -> None:
    whole = document()
    turned = dict(reversed(whole.items()))
    first, second = (read(tmp_path, content)[0][0].root.geometries[0] for content in (whole, turned))
    assert first.xyz.tolist() == second.xyz.tolist()


@pytest.mark.parametrize("vertex", [[1, 2], "x", None, [1, 2, "3"], [True, 0, 0], [[1], 2, 3], {"a": 1}])
def test_a_bad_vertex_costs_the_features_that_use_it(tmp_path: Path, vertex: Any) -> None:
    moved = geometry()
    moved["boundaries"] = [[[[i + 8 for i in ring] for ring in face] for face in moved["boundaries"][0]]]
    objects = {"B1": building(), "B2": building(geometry=[moved])}
    corners = [*vertices(), *vertices()]
    features, [refused], _ = read(
        tmp_path, document(objects, vertices=[*corners[:10], vertex, *corners[11:]])
    )
    assert [feature.root.id for feature in features] == ["B1"]
    assert (refused.code, refused.object_id) == ("invalid-vertices", "B2")


def test_an_id_that_occurs_twice(tmp_path: Path) -> None:
    text = orjson.dumps(document({"B1": building(), "B2": building()})).replace(b'"B2"', b'"B1"')
    features, [refused], _ = read(tmp_path, text)
    assert [feature.root.id for feature in features] == ["B1"]
    assert (refused.code, refused.object_id) == ("duplicate-id", "B1")


def test_a_group_is_no_parent(tmp_path: Path) -> None:
    objects = {
        "G": {"type": "CityObjectGroup", "children": ["B1"]},
        "B1": building(parents=["G"]),
    }
    features, refused, _ = read(tmp_path, document(objects))
    assert (sorted(f.root.id for f in features), refused) == (["B1", "G"], [])


@pytest.mark.parametrize("broken", [b'"a": 1 "b": 2', b'"a": tru', b'"a": {},,"b": {}', b'"a": {"b": NaN}'])
def test_a_fault_within_an_object_has_a_line(tmp_path: Path, broken: bytes) -> None:
    head, tail = orjson.dumps(document({}), option=orjson.OPT_INDENT_2).split(b'"CityObjects": {}')
    with pytest.raises(UnreadableFile, match=r"line \d+.*not well-formed"):
        read(tmp_path, head + b'"CityObjects": {\n' + broken + b"\n}" + tail)


def test_an_object_that_is_absurdly_large_is_refused_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("importers.cityjson_index", "importers.cityjson_document"):
        monkeypatch.setattr(f"{module}.LARGEST_PIECE", 10_000)
    large = building(attributes={"name": "x" * 20_000})
    features, [refused], _ = read(tmp_path, document({"B1": large, "B2": building()}))
    assert [feature.root.id for feature in features] == ["B2"]
    assert refused.code == "too-large"


_PEAK = """
import resource, sys
from pathlib import Path
from importers.reader import open_model
count = sum(1 for _ in open_model(Path(sys.argv[1])))
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


_FROM_A_SMALL_PARENT = """
import subprocess, sys
sys.exit(subprocess.call([sys.executable, "-c", *sys.argv[1:]]))
"""
# A new process counts what its parent took at the fork, so the parent has to be small.


def large(path: Path, buildings: int) -> Path:
    """A document of many cubes, each with a part and vertices of its own."""
    objects: list[bytes] = []
    for number in range(buildings):
        shape = geometry()
        first = 8 * number
        shape["boundaries"] = [
            [[[first + i for i in ring] for ring in face] for face in shell] for shell in shape["boundaries"]
        ]
        pair = {
            f"building-{number}": building(geometry=[], children=[f"part-{number}"]),
            f"part-{number}": {
                "type": "BuildingPart",
                "parents": [f"building-{number}"],
                "geometry": [shape],
            },
        }
        objects.append(orjson.dumps(pair)[1:-1])
    head = orjson.dumps(document({}, vertices=[])).removesuffix(b',"vertices":[]}').replace(b"{}", b"{%s}")
    corners = orjson.dumps(vertices())[1:-1]
    with path.open("wb") as file:
        file.write(head % b",".join(objects))
        file.write(b',"vertices":[' + b",".join([corners] * buildings) + b"]}")
    return path


def peak(path: Path) -> tuple[int, int]:
    """Features read and megabytes taken at most, by a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _FROM_A_SMALL_PARENT, _PEAK, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    count, megabytes = map(int, done.stdout.split())
    return count, megabytes


def test_memory_grows_far_less_than_by_parsing_the_document(tmp_path: Path) -> None:
    small = peak(large(tmp_path / "small.json", 500))
    many = peak(large(tmp_path / "large.json", 25_000))
    assert (tmp_path / "large.json").stat().st_size > 17_000_000
    assert (small[0], many[0]) == (500, 25_000)
    assert many[1] < 150
    # Parsed whole, it would be a gigabyte.
    assert many[1] - small[1] < 50
