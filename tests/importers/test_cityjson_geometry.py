"""Points, lines, templates and appearances of CityJSON."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.importers.cityjson_cube import Json, building, document, read
from twin.model.appearance import Appearance
from twin.model.cityobject import CityFeature


def only(tmp_path: Path, content: Json) -> CityFeature:
    """The feature of a document in which nothing is refused."""
    (feature,), refused, _ = read(tmp_path, content)
    assert refused == []
    return feature


def test_points_and_lines(tmp_path: Path) -> None:
    meaning = {"surfaces": [{"type": "TransportationMarking"}], "values": [None, 0]}
    points = {"type": "MultiPoint", "lod": "1", "boundaries": [0, 1], "semantics": meaning}
    lines = {"type": "MultiLineString", "lod": "1", "boundaries": [[0, 1, 2, 0], [4, 5]]}
    found = only(tmp_path, document({"B1": building(geometry=[points, lines])})).root.geometries
    assert [(g.type, g.dimension) for g in found] == [("MultiPoint", 0), ("MultiLineString", 1)]
    assert found[0].xyz[:, 1].tolist() == [6674000.0, 6674000.0]
    assert found[0].semantic.tolist() == [-1, 0]
    assert found[1].ring_start.tolist() == [0, 4, 6], "a closed line keeps its last point"


def test_templates(tmp_path: Path) -> None:
    template = {"type": "MultiSurface", "lod": "2.1", "boundaries": [[[0, 1, 2]]]}
    pool = {"templates": [template], "vertices-templates": [[0, 0, 0], [1.5, 0, 0], [0, 1, 0]]}
    twice = [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]
    instance = {"type": "GeometryInstance", "template": 0, "boundaries": [1], "transformationMatrix": twice}
    content = document({"B1": building(geometry=[instance])}, **{"geometry-templates": pool})
    (found,) = only(tmp_path, content).root.geometries
    assert (found.type, found.lod, found.dimension) == ("GeometryInstance", "2.1", 0)
    assert found.instance is not None
    placed = found.instance.placed(found.xyz[0])
    assert (placed.type, placed.xyz.tolist()[1]) == ("MultiSurface", [25500013.0, 6674000.0, 0.0])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"template": 1}, "template-out-of-range"),
        ({"template": None}, "template-out-of-range"),
        ({"transformationMatrix": [1, 2]}, "invalid-instance"),
        ({"boundaries": [0, 1]}, "invalid-boundaries"),
        ({"template": 2}, "invalid-lod"),
    ],
)
def test_instances_that_are_none(tmp_path: Path, change: Json, code: str) -> None:
    unit = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    instance = {"type": "GeometryInstance", "template": 0, "boundaries": [1], "transformationMatrix": unit}
    sound = {"type": "MultiPoint", "lod": "1", "boundaries": [0]}
    pool = {"templates": [sound], "vertices-templates": [[0, 0, 0]]}
    if change == {"template": 2}:
        pool["templates"] = [sound, sound, {"type": "MultiPoint", "boundaries": [0]}]
    content = document({"B1": building(geometry=[instance | change])}, **{"geometry-templates": pool})
    _, (refused,), _ = read(tmp_path, content)
    assert refused.code == code


def _looks(tmp_path: Path, look: Json) -> tuple[Appearance | None, Counter[str]]:
    pools = {
        "materials": [{"name": "brick"}, {"name": "tin"}],
        "textures": [{"type": "PNG", "image": "a.png"}],
        "vertices-texture": [[0.0, 0.0], [1.0, 0.0], [1.0, 0.5]],
    }
    boundaries = [[[0, 1, 2, 0], [4, 5, 6]], [[4, 5, 6]]]
    shape = {"type": "MultiSurface", "lod": "2", "boundaries": boundaries} | look
    (feature,), _, opened = read(tmp_path, document({"B1": building(geometry=[shape])}, appearance=pools))
    return feature.root.geometries[0].appearance, opened.ledger


def test_appearances_stand_by_value(tmp_path: Path) -> None:
    material = {"old": {"values": [1, None]}, "new": {"value": 0}}
    texture = {"summer": {"values": [[[0, 0, 1, 2, 0], [None]], [[None]]]}, "winter": {"values": None}}
    found, ledger = _looks(tmp_path, {"material": material, "texture": texture})
    assert found is not None
    assert not ledger
    assert found.materials == ({"name": "tin"}, {"name": "brick"})
    assert {theme: faces.tolist() for theme, faces in found.material.items()} == {
        "old": [0, -1],
        "new": [1, 1],
    }
    summer, winter = found.texture["summer"], found.texture["winter"]
    assert (summer.image.tolist(), winter.image.tolist()) == ([0, -1, -1], [-1, -1, -1])
    assert summer.uv[:3].tolist() == [[0.0, 0.0], [1.0, 0.0], [1.0, 0.5]], "the closing point is left out"
    assert np.isnan(summer.uv[3:]).all()


@pytest.mark.parametrize(
    "look",
    [
        {"material": {"a": {"value": 2}}},
        {"material": {"a": {"values": [0]}}},
        {"texture": {"a": {"values": [[[0, 0, 1]], None]}}},
        {"texture": {"a": {"values": [[[1, 0, 1, 2]], None]}}},
        {"texture": {"a": {"values": [[[0, 0, 1, 3]], None]}}},
        {"texture": {"a": {"values": [[[0, 0.5, 1, 2]], None]}}},
        {"texture": {"a": {"values": [7, 7]}}},
    ],
)
def test_an_appearance_that_does_not_fit_costs_itself_only(tmp_path: Path, look: Json) -> None:
    found, ledger = _looks(tmp_path, look)
    assert found is None
    assert sum(ledger.values()) == 1
    assert "does not fit" in next(iter(ledger))
