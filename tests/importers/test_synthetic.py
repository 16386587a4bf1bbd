"""The written models: the same bytes for a seed, encodings that agree, and a truth that holds."""

import tracemalloc
from pathlib import Path
from typing import Any, cast

import numpy as np
import orjson
import pytest

from importers.harmonise import harmonise
from importers.reader import open_model
from importers.sources import ESTONIA, HELSINKI, recognise
from importers.synthetic import CityName, Format, format_of, synthesise, truth_path
from importers.synthetic.city import CITIES
from tests.importers.shell_measures import measure
from tests.importers.synthetic_models import (
    ALL_FORMATS,
    BOTH,
    COUNT,
    NAMES,
    SEED,
    Models,
    features,
    shells,
    truth_of,
    write_all,
)
from twin.errors import InvalidParameter
from twin.model.attributes import CATALOGUE, Origin, Stage, of_stage
from twin.model.cityobject import CityObject
from twin.model.reference import parse_reference_system


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return write_all(tmp_path_factory.mktemp("synthetic"))


# -- files


@BOTH
@ALL_FORMATS
def test_a_seed_gives_the_same_bytes(city: CityName, format: Format, models: Models, tmp_path: Path) -> None:
    again = tmp_path / NAMES[format]
    synthesise(again, city=city, buildings=COUNT, seed=SEED)
    assert again.read_bytes() == models[city, format].read_bytes()
    assert truth_path(again).read_bytes() == truth_path(models[city, format]).read_bytes()


@BOTH
def test_another_seed_gives_other_bytes(city: CityName, models: Models, tmp_path: Path) -> None:
    other = tmp_path / NAMES["cityjsonseq"]
    synthesise(other, city=city, buildings=COUNT, seed=SEED + 1)
    assert other.read_bytes() != models[city, "cityjsonseq"].read_bytes()


@BOTH
@ALL_FORMATS
@pytest.mark.parametrize("count", [1, 2, 63])
def test_it_holds_as_many_buildings_as_asked(
    city: CityName, format: Format, count: int, tmp_path: Path
) -> None:
    path = tmp_path / NAMES[format]
    synthesise(path, city=city, buildings=count, seed=1)
    ids = [feature.root.id for feature in features(path)]
    assert len(set(ids)) == count
    assert list(truth_of(path)) == ids


@BOTH
@ALL_FORMATS
def test_the_truth_does_not_depend_on_the_format(city: str, format: Format, models: Models) -> None:
    assert truth_of(models[city, format]) == truth_of(models[city, "citygml"])


@BOTH
@ALL_FORMATS
def test_it_says_that_it_is_synthetic(city: str, format: Format, models: Models) -> None:
    path = models[city, format]
    assert open_model(path).metadata.synthetic
    assert b"SYNTHETIC" in path.read_bytes()[:600]


def test_progress_ends_at_the_count(tmp_path: Path) -> None:
    seen: list[int] = []
    synthesise(tmp_path / "a.city.jsonl", city="tallinn", buildings=610, seed=1, progress=seen.append)
    assert seen == sorted(set(seen))
    assert len(seen) > 2
    assert seen[-1] == 610


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    for name in NAMES.values():
        with pytest.raises(KeyboardInterrupt):
            synthesise(tmp_path / name, city="helsinki", buildings=300, seed=1, progress=interrupt)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.gml", "citygml"),
        ("a.city.json", "cityjson"),
        ("a.JSON", "cityjson"),
        ("a.city.jsonl", "cityjsonseq"),
    ],
)
def test_the_suffix_tells_the_format(name: str, format: str) -> None:
    assert format_of(Path(name)) == format


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="suffix"):
        synthesise(tmp_path / "a.xml", city="helsinki", buildings=1, seed=1)
    with pytest.raises(InvalidParameter, match="at least one"):
        synthesise(tmp_path / "a.gml", city="helsinki", buildings=0, seed=1)
    with pytest.raises(InvalidParameter, match="tartu"):
        synthesise(tmp_path / "a.gml", city=cast("Any", "tartu"), buildings=1, seed=1)


@ALL_FORMATS
def test_memory_does_not_grow_with_the_model(format: Format, tmp_path: Path) -> None:
    peaks: dict[int, int] = {}
    for count in (100, 250, 1000):
        tracemalloc.start()
        synthesise(tmp_path / NAMES[format], city="helsinki", buildings=count, seed=1)
        peaks[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    # Four times the buildings: caches of streets and walls fill, while the model itself grows by megabytes.
    assert peaks[1000] < peaks[250] + 700_000


# -- truth


@BOTH
@ALL_FORMATS
def test_the_truth_is_what_the_file_holds(city: str, format: Format, models: Models) -> None:
    """Within 1e-9: corners are whole millimetres by construction, so nothing was rounded."""
    path = models[city, format]
    northing_first = city == "tallinn" and format == "citygml"
    truths = truth_of(path)
    for feature in features(path):
        truth = truths[feature.root.id]
        found = measure(shells(feature, northing_first))
        measured = {
            "height_m": found.top_z - found.ground_z,
            "height_ground_m": found.ground_z,
            "height_eave_m": found.eave_z,
            "height_max_m": found.top_z,
            "volume_m3": found.volume,
            "footprint_area_m2": found.ground_area,
            "footprint_perimeter_m": found.perimeter,
            "roof_area_m2": found.roof_flat + found.roof_sloped,
            "roof_area_flat_m2": found.roof_flat,
            "roof_area_sloped_m2": found.roof_sloped,
            "wall_area_m2": found.wall_area,
            "ground_area_m2": found.ground_area,
            "surfaces": found.surfaces,
        }
        stated = {name: float(truth[name]) for name in measured}
        np.testing.assert_allclose(list(measured.values()), list(stated.values()), rtol=1e-7, atol=2e-6)
        assert found.closed
        assert truth["closed"] == "true"
        if truth["shape"] != "church":
            assert float(truth["height_ridge_m"]) == pytest.approx(found.ridge_z)  # pyright: ignore[reportUnknownMemberType]


@BOTH
def test_the_truth_holds_every_attribute_it_can_know(city: str, models: Models) -> None:
    truths = list(truth_of(models[city, "citygml"]).values())
    columns = set(truths[0])
    of_method = {
        "volume_disagreement", "quality", "placement", "convexity", "nearest_distance_m", "neighbours_50m",
        "neighbours_100m", "neighbours_quality",
    }  # fmt: skip
    known = [a for a in of_stage(Stage.IMPORT, Stage.NEIGHBOURS) if a.name not in of_method]
    assert {a.name for a in known if a.origin is not Origin.TWIN} <= columns
    always = {a.name for a in known if a.origin is Origin.COMPUTED}
    assert all(row[name] for row in truths for name in always)


@BOTH
@ALL_FORMATS
def test_harmonised_values_are_those_of_the_truth(city: str, format: Format, models: Models) -> None:
    path = models[city, format]
    source = HELSINKI if city == "helsinki" else ESTONIA
    truths = truth_of(path)
    names = [a.name for a in CATALOGUE if a.origin is Origin.SOURCE]
    for feature in features(path):
        found = harmonise(source, feature.root)
        truth = truths[feature.root.id]
        assert found.unknown_codes == []
        assert {n: "" if found.values.get(n) is None else str(found.values[n]) for n in names} == {
            n: truth[n] for n in names
        }


@BOTH
@ALL_FORMATS
def test_the_source_is_recognised(city: str, format: Format, models: Models) -> None:
    model = open_model(models[city, format])
    reference = parse_reference_system(model.metadata.reference_system)
    assert reference.horizontal == CITIES[city].epsg
    roots = [feature.root for feature in features(models[city, format])[:20]]
    source = recognise(
        model.metadata, reference, roots, None if city == "helsinki" else (24.745, 59.437), None
    )
    assert source.schema == ("helsinki" if city == "helsinki" else "estonia")
    assert source.city == city


# -- formats


def comparable(item: CityObject) -> dict[str, Any]:
    """Attributes that both encodings carry; an empty value is one that is not there."""
    only_in_gml = {"creationDate", "externalReference"}
    return {k: v for k, v in item.attributes.items() if k not in only_in_gml and v is not None}


@BOTH
@pytest.mark.parametrize("format", ["cityjson", "cityjsonseq"])
def test_encodings_agree(city: str, format: Format, models: Models) -> None:
    for gml, json in zip(features(models[city, "citygml"]), features(models[city, format]), strict=True):
        assert [o.id for o in gml] == [o.id for o in json]
        assert [(o.type, o.parent) for o in gml] == [(o.type, o.parent) for o in json]
        for one, other in zip(gml, json, strict=True):
            assert comparable(one) == comparable(other)
            assert [g.type for g in one.geometries] == [g.type for g in other.geometries]
            for a, b in zip(one.geometries, other.geometries, strict=True):
                xyz = a.xyz[:, [1, 0, 2]] if city == "tallinn" else a.xyz
                np.testing.assert_allclose(xyz, b.xyz, atol=1e-6)
                np.testing.assert_array_equal(a.ring_start, b.ring_start)
                np.testing.assert_array_equal(a.surface_start, b.surface_start)
                np.testing.assert_array_equal(a.surface_types(), b.surface_types())
                assert [s.attributes for s in a.semantics] == [s.attributes for s in b.semantics]


@BOTH
@pytest.mark.parametrize("format", ["cityjson", "cityjsonseq"])
def test_vertices_are_all_used(city: str, format: Format, models: Models) -> None:
    lines = models[city, format].read_bytes().splitlines() if format == "cityjsonseq" else []
    documents = [orjson.loads(line) for line in lines[1:]] or [
        orjson.loads(models[city, format].read_bytes())
    ]
    for document in documents:
        used: set[int] = set()
        for item in document["CityObjects"].values():
            for geometry in item.get("geometry", []):
                used |= set(np.ravel(_flat(geometry["boundaries"])).tolist())
        assert used == set(range(len(document["vertices"])))


def _flat(nested: Any) -> list[int]:
    if isinstance(nested, int):
        return [nested]
    return [number for item in nested for number in _flat(item)]
