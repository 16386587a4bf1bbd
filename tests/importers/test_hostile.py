"""Hostile input is refused or quarantined within ten seconds and 300 MB, never with a traceback."""

import gzip
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures import ROOT
from tests.importers.cityjson_cube import building, document, geometry, sequence, vertices
from tests.importers.test_ingest import document as cubes
from twin.db.engine import Database

SECONDS, MEGABYTES = 10, 300

_READ = """
import json, resource, sys
from importers.inputs import sources
from importers.port import Refused
from importers.reader import open_model
from twin.errors import InputError
codes, error, features = [], None, 0
try:
    for source in sources(sys.argv[1:]):
        with source.unpacked() as path:
            for entry in open_model(path):
                if isinstance(entry, Refused):
                    codes.append(entry.code)
                else:
                    features += 1
except InputError as refused:
    error = str(refused)
usage = resource.getrusage(resource.RUSAGE_SELF)
seconds = usage.ru_utime + usage.ru_stime
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
print(json.dumps([features, codes, error, peak / 1024, seconds]))
"""

GML = (
    '<core:CityModel xmlns:core="http://www.opengis.net/citygml/2.0" xmlns:gml="http://www.opengis.net/gml"'
    ' xmlns:bldg="http://www.opengis.net/citygml/building/2.0" xmlns:xlink="http://www.w3.org/1999/xlink"'
    ' xmlns:gen="http://www.opengis.net/citygml/generics/2.0">'
    "<core:cityObjectMember>{}</core:cityObjectMember></core:CityModel>"
)
BUILDING = '<bldg:Building gml:id="b">{}</bldg:Building>'
RING = (
    "<gml:MultiSurface><gml:surfaceMember><gml:Polygon><gml:exterior><gml:LinearRing><gml:posList>"
    "{}</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon></gml:surfaceMember></gml:MultiSurface>"
)


def gml(inner: str) -> str:
    return GML.format(BUILDING.format(inner))


def surface(points: str) -> str:
    return gml(f"<bldg:lod2MultiSurface>{RING.format(points)}</bldg:lod2MultiSurface>")


def laughs() -> str:
    lines = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    return f'<!DOCTYPE x [<!ENTITY a0 "ha">{lines}]>' + gml("<gml:name>&a11;</gml:name>")


def outside(address: str) -> str:
    return f'<!DOCTYPE x [<!ENTITY e SYSTEM "{address}">]>' + gml("<gml:name>&e;</gml:name>")


def surfaces_of_each_other() -> str:
    link = '<gml:surfaceMember xlink:href="#{}"/>'
    composite = '<gml:CompositeSurface gml:id="{}">{}</gml:CompositeSurface>'
    pairs = [composite.format(a, link.format(b)) for a, b in (("s", "t"), ("t", "s"))]
    members = "".join(f"<gml:surfaceMember>{pair}</gml:surfaceMember>" for pair in pairs)
    return gml(
        f"<bldg:lod2MultiSurface><gml:MultiSurface>{members}</gml:MultiSurface></bldg:lod2MultiSurface>"
    )


def twice() -> str:
    return json.dumps(document({"B1": building(), "B2": building()})).replace('"B2"', '"B1"')


def with_vertex(value: str) -> str:
    return json.dumps(document()).replace(json.dumps(vertices()[0]), f"[0, 0, {value}]")


def cyclic() -> dict[str, Any]:
    part = {"type": "BuildingPart", "geometry": [geometry()]}
    return document({"a": part | {"parents": ["b"]}, "b": part | {"parents": ["a"]}, "c": building()})


def deep_features() -> str:
    count = 20_000
    part: dict[str, Any] = {"type": "BuildingPart"}
    chain = {f"p{n}": part | {"parents": [f"p{n - 1}"]} for n in range(1, count)}
    return json.dumps(document({"p0": {"type": "Building"}, **chain}))


LONG = 100_000_000

TEXTS: dict[str, tuple[str, Callable[[], str]]] = {
    "billion laughs": ("DOCTYPE|ntity", laughs),
    "entity of a file": ("DOCTYPE", lambda: outside("file:///etc/passwd")),
    "entity of the network": ("DOCTYPE", lambda: outside("http://127.0.0.1:9/x")),
    "nested XML": ("Excessive depth in document: 256; no city", lambda: gml("<gml:name>" * 1_000_000)),
    "nested JSON": ("not well-formed", lambda: '{"type": "CityJSON", "a": ' + "[" * 1_000_000),
    "nested object": (
        "not well-formed",
        lambda: json.dumps(document()).replace('"RATU"', '"x": ' + "[" * 10**6 + "]" * 10**6 + ', "RATU"'),
    ),
    "nested line": ("not-well-formed", lambda: _line('{"a": ' + "[" * 1_000_000 + "]" * 1_000_000 + "}")),
    "long text in XML": ("Text node too long; no city", lambda: gml(f"<gml:name>{'x' * LONG}</gml:name>")),
    "long text in JSON": (
        "too-large", lambda: json.dumps(document({"a": building(attributes={"n": "x" * LONG})})),
    ),
    "long text in a line": ("too-large", lambda: _line('{"n": "' + "x" * LONG + '"}')),
    "NaN in JSON": ("not well-formed", lambda: with_vertex("NaN")),
    "infinite in JSON": ("invalid-coordinates|not well-formed", lambda: with_vertex("1e999")),
    "far in JSON": ("invalid-coordinates", lambda: with_vertex("1e308")),
    "NaN in XML": ("invalid-coordinates", lambda: surface("0 0 0 1 0 0 1 1 NaN 0 0 0")),
    "infinite in XML": ("invalid-coordinates", lambda: surface("0 0 0 1 0 0 1 1 inf 0 0 0")),
    "far in XML": ("invalid-coordinates", lambda: surface("0 0 0 1 0 0 1 1 1e308 0 0 0")),
    "links in a circle": ("xlink|cyclic|circle", surfaces_of_each_other),
    "parents in a circle": ("cyclic-parents", lambda: json.dumps(cyclic())),
    "the same id twice": ("duplicate-id", twice),
}  # fmt: skip


def _line(line: str) -> str:
    return sequence(line.encode()).decode()


def read(path: Path) -> tuple[int, str]:
    """Features read, and what was said of the rest, by a process that keeps to the bounds."""
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(path)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    features, codes, error, megabytes, seconds = json.loads(done.stdout)
    assert megabytes < MEGABYTES
    assert seconds < SECONDS
    return features, " ".join([*codes, error or ""])


@pytest.mark.parametrize(("said", "make"), TEXTS.values(), ids=TEXTS.keys())
def test_hostile_files(tmp_path: Path, said: str, make: Callable[[], str]) -> None:
    path = tmp_path / "hostile"
    path.write_text(make())
    _, reasons = read(path)
    assert any(word in reasons for word in said.split("|")), reasons


def test_a_deep_family_is_read_in_time(tmp_path: Path) -> None:
    path = tmp_path / "deep"
    path.write_text(deep_features())
    assert read(path)[0] == 1


def test_archives_that_are_bombs(tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.gml", "w") as out,
    ):
        for _ in range(30):
            out.write(bytes(10_000_000))
    assert "unpacks to more" in read(tmp_path / "a.zip")[1]
    with gzip.open(tmp_path / "b.gml.gz", "wb") as out:
        for _ in range(30):
            out.write(bytes(10_000_000))
    assert "unpacks to more" in read(tmp_path / "b.gml.gz")[1]


@pytest.mark.parametrize("name", ["../../a.gml", "/tmp/a.gml", "x/../../a.gml", "..\\a.gml"])
def test_archives_that_point_elsewhere(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "deep" / "deeper"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr(name, surface("0 0 0 1 0 0 1 1 0 0 0 0"))
    assert "points out of the archive" in read(folder / "a.zip")[1]
    assert [path.name for path in tmp_path.rglob("*.gml")] == []


_IMPORT = """
import json, sys, time
import typer
from twin import cli
from twin.errors import TwinError
seconds = {}
for path in sys.argv[1:]:
    before = time.process_time()
    try:
        cli.app(["import", path, "--dry-run", "--crs", "EPSG:3879+3900"], standalone_mode=False)
    except (TwinError, typer.Exit):
        pass
    seconds[path] = time.process_time() - before
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
print(json.dumps([peak / 1024, seconds]))
"""


def test_whole_imports_keep_to_the_bounds(tmp_path: Path, database: Database) -> None:
    """All of them one after the other through the command, in one process; the first pays the start."""
    paths = [tmp_path / f"{number:02}" for number in range(len(TEXTS))]
    for path, (_, make) in zip(paths, TEXTS.values(), strict=True):
        path.write_text(make())
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT, *map(str, paths)],
        cwd=ROOT, env=os.environ | {"TWIN_HOME": str(database.settings.home)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    megabytes, seconds = json.loads(done.stdout)
    assert megabytes < MEGABYTES
    assert max(seconds.values()) < SECONDS, seconds
    assert len(seconds) == len(TEXTS)


def test_the_command_says_a_line_and_no_traceback(tmp_path: Path, twin_home: Path) -> None:
    for name, make in (("laughs.gml", laughs), ("deep.gml", lambda: gml("<gml:name>" * 1_000_000))):
        (tmp_path / name).write_text(make())
    whole = cubes(3.0)
    whole["CityObjects"]["a"]["attributes"] = {"x": {"y": [1e308]}}
    (tmp_path / "fine.json").write_text(json.dumps(whole))
    done = subprocess.run(
        [sys.executable, "-c", "from twin.cli import main; main()", "import", str(tmp_path), "--dry-run"],
        cwd=ROOT, env=os.environ | {"TWIN_HOME": str(twin_home)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.count("FAILED") == 2
