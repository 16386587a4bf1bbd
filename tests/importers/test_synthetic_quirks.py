"""The quirks of the cities' own deliveries stand in their synthetic models too."""

from collections import Counter
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]

from importers.synthetic import synthesise
from tests.importers.shell_measures import Ring, area_vector
from tests.importers.synthetic_models import BOTH, COUNT, Models, features, shells, truth_of, write_all
from twin.model.cityobject import CityFeature

GML = "{http://www.opengis.net/gml}"
BLDG = "{http://www.opengis.net/citygml/building/2.0}"
GEN = "{http://www.opengis.net/citygml/generics/2.0}"
XLINK = "{http://www.w3.org/1999/xlink}"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return write_all(tmp_path_factory.mktemp("synthetic"))


def tree(path: Path) -> Any:
    return cast("Any", etree).parse(str(path)).getroot()


def test_helsinki_writes_easting_first_with_an_exponent(models: Models) -> None:
    root = tree(models["helsinki", "citygml"])
    first = root.find(f".//{GML}posList").text.split()
    assert first[0].startswith("2.5497")
    assert first[0].endswith("E7")
    assert first[1].startswith("667")
    assert "E" not in first[1] + first[2]
    assert root.find(f".//{GML}Envelope").get("srsName") == "urn:ogc:def:crs:EPSG::3879"
    assert root.find(f"{GML}boundedBy") is None


def test_helsinki_solids_refer_to_surfaces(models: Models) -> None:
    root = tree(models["helsinki", "citygml"])
    polygons = {polygon.get(f"{GML}id") for polygon in root.iter(f"{GML}Polygon")}
    links = [member.get(f"{XLINK}href") for member in root.iter(f"{GML}surfaceMember")]
    hrefs = [link.removeprefix("#") for link in links if link]
    assert sorted(hrefs) == sorted(polygons)
    assert len(list(root.iter(f"{BLDG}lod2Solid"))) > COUNT * 0.9
    names = {e.get("name") for e in root.find(f".//{BLDG}RoofSurface").iter(f"{GEN}doubleAttribute")}
    assert {"Area", "RoofPitch", "RoofOrientation", "ZMinASL", "ZMaxASL"} <= names


def test_helsinki_vintages_alternate(models: Models) -> None:
    kinds: Counter[str] = Counter()
    previous = ""
    for feature in features(models["helsinki", "citygml"]):
        attributes = feature.root.attributes
        old, new = "Rakennustunnus_(VTJ-PRT)" in attributes, "VTJ_PRT" in attributes
        assert old != new
        kind = "old" if old else "third" if "function" in attributes else "new"
        assert not (kind == previous != "old")
        assert isinstance(attributes["GroundLevel"], float if old else str)
        kinds[kind] += 1
        previous = kind
    assert min(kinds[kind] for kind in ("old", "new", "third")) >= COUNT // 5


def test_helsinki_has_empty_values_and_empty_streets(models: Models) -> None:
    root = tree(models["helsinki", "citygml"])
    empty = [value for value in root.iter(f"{GEN}value") if value.text is None]
    assert len(empty) > COUNT // 3
    assert {element.text for element in root.iter("{*}ThoroughfareName")} == {None}
    addresses = Counter(len(b.findall(f"{BLDG}address")) for b in root.iter(f"{BLDG}Building"))
    assert addresses[2] > addresses[1] > 0


def test_stated_heights_are_not_always_right(models: Models) -> None:
    for city in ("helsinki", "tallinn"):
        rows = truth_of(models[city, "citygml"]).values()
        off = np.array([abs(float(r["measured_height_m"]) - float(r["height_m"])) for r in rows])
        assert 0.5 < (off < 0.1).mean() < 0.9
        assert (off > 1).mean() > 0.1


def test_helsinki_face_attributes_are_those_of_the_face(models: Models) -> None:
    """Judged like the City's own: area within 0.06 m², pitch and orientation within 0.1 degrees."""
    for feature in features(models["helsinki", "citygml"])[:150]:
        for item in feature:
            for geometry in item.geometries:
                for face, rings in enumerate(shells(CityFeature((item,)))[0]):
                    _judge(geometry.semantics[int(geometry.semantic[face])].attributes, rings)


def _judge(attributes: dict[str, Any], face: list[Ring]) -> None:
    vector = area_vector(face)
    area = float(np.linalg.norm(vector))
    assert abs(attributes["Area"] - area) < 0.06
    assert abs(attributes["ZMinASL"] - face[0][:, 2].min()) < 0.06
    if "RoofPitch" in attributes:
        horizontal = float(np.hypot(vector[0], vector[1]))
        assert abs(attributes["RoofPitch"] - np.degrees(np.arctan2(vector[2], horizontal))) < 0.1
        if horizontal < 1e-6 * area:
            assert attributes["RoofOrientation"] == -1
        else:
            azimuth = np.degrees(np.arctan2(vector[0], vector[1]))
            assert abs((attributes["RoofOrientation"] - azimuth + 180) % 360 - 180) < 0.1


def test_planned_buildings_of_helsinki_have_a_broken_name(tmp_path: Path) -> None:
    path = tmp_path / "a.city.jsonl"
    synthesise(path, city="helsinki", buildings=1500, seed=1)
    text = path.read_text(encoding="utf-8")
    assert "SÃ¶rnÃ¤istenniemi" in text
    statuses = {row["status"] for row in truth_of(path).values()}
    assert {"functional", "planned", "underConstruction"} == statuses


def test_tallinn_writes_northing_first_and_no_semantics(models: Models) -> None:
    root = tree(models["tallinn", "citygml"])
    northing, easting, _ = root.find(f".//{GML}posList").text.split()[:3]
    assert 6_587_000 < float(northing) < 6_590_000
    assert 541_000 < float(easting) < 544_000
    tags = {element.tag for element in root.iter() if isinstance(element.tag, str)}
    unwanted = {"boundedBy", "lod2Solid", "RoofSurface", "WallSurface", "GroundSurface"}
    assert not {f"{BLDG}{name}" for name in unwanted} & tags
    assert all(b.get(f"{GML}id").startswith("etak_") for b in root.iter(f"{BLDG}Building"))


def test_tallinn_envelope_holds_all_points(models: Models) -> None:
    root = tree(models["tallinn", "citygml"])
    envelope = root.find(f"{GML}boundedBy/{GML}Envelope")
    points = np.array([text.split() for text in _positions(root)], dtype=float).reshape(-1, 3)
    low, high = (
        np.array(envelope.find(f"{GML}{n}Corner").text.split(), dtype=float) for n in ("lower", "upper")
    )
    np.testing.assert_allclose(points.min(axis=0), low)
    np.testing.assert_allclose(points.max(axis=0), high)


def _positions(root: Any) -> list[str]:
    return [
        " ".join(tokens[i : i + 3])
        for tokens in (element.text.split() for element in root.iter(f"{GML}posList"))
        for i in range(0, len(tokens), 3)
    ]


@BOTH
def test_towers_have_parts_and_no_geometry_of_their_own(city: str, models: Models) -> None:
    path = models[city, "citygml"]
    shapes = {row["object_id"]: row["shape"] for row in truth_of(path).values()}
    with_parts = [feature for feature in features(path) if len(feature.objects) > 1]
    assert {shapes[f.root.id] for f in with_parts} <= {"tower", "church"}
    assert len(with_parts) > 3
    for feature in with_parts:
        assert feature.root.geometries == ()
        assert all(o.type == "BuildingPart" and len(o.geometries) == 1 for o in feature.objects[1:])
