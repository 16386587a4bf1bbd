"""Synthetic models of both cities in all formats, and how tests read them back."""

import csv
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import pytest

from importers.reader import open_model
from importers.synthetic import CityName, Format, synthesise, truth_path
from tests.importers.shell_measures import Faces
from twin.model.cityobject import CityFeature

COUNT: Final = 500
SEED: Final = 3
NAMES: Final[dict[Format, str]] = {
    "citygml": "city.gml",
    "cityjson": "city.city.json",
    "cityjsonseq": "city.city.jsonl",
}
NAMES_OF_CITIES: Final[tuple[CityName, ...]] = ("helsinki", "tallinn")
BOTH: Final = pytest.mark.parametrize("city", NAMES_OF_CITIES)
ALL_FORMATS: Final = pytest.mark.parametrize("format", NAMES)
Models: TypeAlias = dict[tuple[str, Format], Path]


def write_all(folder: Path) -> Models:
    """Both cities in all formats."""
    models: Models = {}
    for city in NAMES_OF_CITIES:
        for format, name in NAMES.items():
            path = models[city, format] = folder / f"{city}_{name}"
            synthesise(path, city=city, buildings=COUNT, seed=SEED)
    return models


def truth_of(path: Path) -> dict[str, dict[str, str]]:
    """The rows of the truth beside a model, by object id and in their order."""
    with truth_path(path).open(encoding="utf-8", newline="") as file:
        return {row["object_id"]: row for row in csv.DictReader(file)}


def features(path: Path) -> list[CityFeature]:
    """All features of a model, of which the readers refuse none."""
    found = list(open_model(path))
    assert all(isinstance(feature, CityFeature) for feature in found)
    return cast("list[CityFeature]", found)


def shells(feature: CityFeature, northing_first: bool = False) -> list[Faces]:
    """The faces of each geometry as rings of easting, northing, height."""
    found: list[Faces] = []
    for item in feature:
        for geometry in item.geometries:
            xyz = geometry.xyz[:, [1, 0, 2]] if northing_first else geometry.xyz
            rings: list[Any] = [xyz[a:b] for a, b in pairwise(geometry.ring_start.tolist())]
            found.append([rings[a:b] for a, b in pairwise(geometry.surface_start.tolist())])
    return found
