"""One bad building costs one building: what is refused, why, and where it stands."""

import re
from pathlib import Path

import pytest

from tests.importers.citygml_cube import (
    CUBE,
    ROOF_RING,
    SOLID,
    building,
    model,
    multi_surface,
    polygon,
    read,
    refusal,
)
from twin.model.cityobject import geometries_at

RING = "0 0 0 10 0 0 10 10 0 0 0 0"


def _roof(ring: str) -> str:
    return CUBE.replace(ROOF_RING, ring)


def _numbers(positions: str) -> str:
    return _roof(f"<gml:posList>{positions}</gml:posList>")


def _envelope(reference: str) -> str:
    return f'<gml:boundedBy><gml:Envelope srsName="{reference}"/></gml:boundedBy>'


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        (_numbers("1.0 2.0 3.0 4.0 5.0"), "invalid-coordinates", "5 numbers"),
        (_roof("<gml:posList/>"), "invalid-coordinates", "0 numbers"),
        (_numbers("a 2 3 4 5 6 7 8 9 a 2 3"), "invalid-coordinates", "'a' is no number"),
        (_numbers("true 2 3 4 5 6 7 8 9 true 2 3"), "invalid-coordinates", "no number"),
        (_numbers("NaN 0 0 1 0 0 1 1 0 NaN 0 0"), "invalid-coordinates", "nan"),
        (_numbers("INF 0 0 1 0 0 1 1 0 INF 0 0"), "invalid-coordinates", "inf"),
        (_numbers("1e308 0 0 1 0 0 1 1 0 1e308 0 0"), "invalid-coordinates", "1e\\+308"),
        (_numbers("1e300 0 0 1 0 0 1 1 0 1e300 0 0"), "invalid-coordinates", "1e\\+300"),
        (_numbers("0 0 0 10 0 0 10 10 0 5 5 5"), "ring-not-closed", "not its first"),
        (_roof('<gml:posList srsDimension="2">0 0 1 0 1 1 0 0</gml:posList>'), "two-dimensional", "heights"),
        (_roof('<gml:pos srsDimension="2">0 0</gml:pos>'), "two-dimensional", "heights"),
        (_roof("<gml:pointProperty/>"), "unsupported-ring", "pointProperty"),
        (CUBE.replace("LinearRing", "Ring"), "unsupported-ring", "curves"),
        (multi_surface("<gml:Polygon/>"), "invalid-polygon", "no ring"),
        (multi_surface("<gml:LineString/>"), "unsupported-geometry", "LineString"),
        (multi_surface(polygon(RING).replace("exterior", "interior")), "invalid-polygon", "hole before"),
        (SOLID, "unresolved-xlink", "#ground leads to no surface"),
        (_envelope("EPSG:3301"), "other-reference-system", "3301"),
        (_envelope("here"), "other-reference-system", "here"),
    ],
)  # fmt: skip
def test_refusals(tmp_path: Path, content: str, code: str, reason: str) -> None:
    entry = refusal(tmp_path, content)
    assert entry.code == code
    assert entry.place.startswith("line ")
    assert entry.suggestion
    assert re.search(reason, entry.reason)


def test_the_line_is_that_of_the_faulty_ring(tmp_path: Path) -> None:
    content = _roof("\n\n<gml:posList>1 2 3 4</gml:posList>")
    text = model(building(content, "bad"))
    _, (entry,), _ = read(tmp_path, text)
    expected = text[: text.index("<gml:posList>1 2 3 4<")].count("\n") + 1
    assert entry.place in {f"line {expected}", f"line {expected - 2}"}


def test_cyclic_links_are_refused(tmp_path: Path) -> None:
    loop = (
        '<bldg:lod2MultiSurface><gml:MultiSurface gml:id="m"><gml:surfaceMember xlink:href="#m"/>'
        "</gml:MultiSurface></bldg:lod2MultiSurface>"
    )
    assert refusal(tmp_path, loop).code == "cyclic-xlink"


def test_links_that_multiply_are_refused(tmp_path: Path) -> None:
    """The billion laughs of links: each level repeats the one below ten times."""
    levels = "".join(
        f'<bldg:lod2MultiSurface><gml:MultiSurface gml:id="m{level + 1}">'
        + f'<gml:surfaceMember xlink:href="#m{level}"/>' * 10
        + "</gml:MultiSurface></bldg:lod2MultiSurface>"
        for level in range(12)
    )
    content = f'<bldg:lod2MultiSurface><gml:MultiSurface gml:id="m0"><gml:surfaceMember>{polygon(RING)}'
    entry = refusal(
        tmp_path, content + "</gml:surfaceMember></gml:MultiSurface></bldg:lod2MultiSurface>" + levels
    )
    assert entry.code == "unresolved-xlink"
    assert "over and over" in entry.reason


def test_slivers_are_kept_and_not_measured(tmp_path: Path) -> None:
    """A face between two points encloses nothing; the building is sound without it."""
    sliver = polygon("0 0 0 10 0 0 10 0 0 0 0 0")
    point = polygon("3 3 3")
    ring = "<gml:LinearRing><gml:posList>1 1 0 1 1 0 1 1 0</gml:posList></gml:LinearRing>"
    hole = f"<gml:interior>{ring}</gml:interior>"
    content = multi_surface(polygon(RING, inside=hole), sliver, point)
    (feature,), refused, opened = read(tmp_path, model(building(content)))
    (stored,) = feature.root.geometries
    (measured,) = geometries_at(feature, "2")
    assert refused == []
    assert stored.ring_start.tolist() == [0, 3, 5, 8, 9]
    assert measured.ring_start.tolist() == [0, 3]
    assert measured.surface_start.tolist() == [0, 1]
    assert measured.shell_start.tolist() == [0, 1]
    assert not opened.ledger


def test_a_building_of_slivers_shows_nothing(tmp_path: Path) -> None:
    (feature,), _, _ = read(tmp_path, model(building(multi_surface(polygon("1 1 1 2 2 2 1 1 1")))))
    assert len(feature.root.geometries) == 1
    assert geometries_at(feature, "2") == ()
