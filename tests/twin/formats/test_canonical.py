"""What counts as the same model, and what does not."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from twin.formats.canonical import canonical, differences

Json = dict[str, Any]


def model() -> Json:
    """A textured, painted, meaningful face, its neighbour, a template, a group and an address."""
    face: Json = {
        "type": "MultiSurface",
        "lod": "2",
        "boundaries": [[[0, 1, 2]], [[0, 2, 3]]],
        "semantics": {"surfaces": [{"type": "RoofSurface", "slope": 3.5}], "values": [0, None]},
        "material": {"day": {"values": [0, 0]}},
        "texture": {"day": {"values": [[[0, 0, 1, 2]], [[None]]]}},
    }
    unit = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    tree = {"type": "GeometryInstance", "template": 0, "boundaries": [3], "transformationMatrix": unit}
    location = {"type": "MultiPoint", "lod": "0", "boundaries": [1]}
    return {
        "type": "CityJSON",
        "version": "2.0",
        "transform": {"scale": [0.001] * 3, "translate": [100.0, 200.0, 0.0]},
        "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/3879"},
        "extensions": {"X": {"url": "https://example.org/x.json", "version": "1"}},
        "+root": [1, {"deep": True}],
        "appearance": {
            "materials": [{"name": "brick"}, {"name": "tin"}],
            "textures": [{"type": "PNG", "image": "a.png"}],
            "vertices-texture": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]],
            "default-theme-material": "day",
        },
        "geometry-templates": {
            "templates": [{"type": "MultiPoint", "lod": "1", "boundaries": [0]}],
            "vertices-templates": [[0.5, 0, 0]],
        },
        "CityObjects": {
            "a": {
                "type": "Building",
                "attributes": {"n": 1, "flag": True},
                "children": ["b"],
                "geometry": [face],
                "address": [{"locality": "Tallinn", "location": location}],
            },
            "b": {"type": "BuildingPart", "parents": ["a"], "+x": 1},
            "c": {"type": "SolitaryVegetationObject", "geometry": [tree], "parents": ["g"]},
            "g": {"type": "CityObjectGroup", "children": ["c"]},
        },
        "vertices": [[0, 0, 0], [1000, 0, 0], [1000, 1000, 0], [0, 1000, 0]],
    }


def _face(whole: Json) -> Json:
    return whole["CityObjects"]["a"]["geometry"][0]


def _other_grid(whole: Json) -> None:
    whole["transform"] = {"scale": [0.5, 0.25, 0.001], "translate": [0.0, 0.0, 0.0]}
    whole["vertices"] = [[200, 800, 0], [202, 800, 0], [202, 804, 0], [200, 804, 0]]


def _renumbered(whole: Json) -> None:
    whole["vertices"].insert(0, [9, 9, 9])
    _face(whole)["boundaries"] = [[[1, 2, 3]], [[1, 3, 4]]]
    whole["CityObjects"]["a"]["address"][0]["location"]["boundaries"] = [2]
    whole["CityObjects"]["c"]["geometry"][0]["boundaries"] = [4]


def _old_words(whole: Json) -> None:
    whole["version"] = "1.1"
    whole["metadata"]["referenceSystem"] = "urn:ogc:def:crs:EPSG::3879"


def _same(change: str) -> Callable[[Json], None]:
    def apply(whole: Json) -> None:
        exec(change, {"whole": whole, "face": _face(whole), "objects": whole["CityObjects"]})

    return apply


@pytest.mark.parametrize(
    "change",
    [
        _other_grid,
        _renumbered,
        _old_words,
        _same(
            "face['boundaries'][0] = [[0, 1, 2, 0]]; face['texture']['day']['values'][0] = [[0, 0, 1, 2, 0]]"
        ),
        _same("face['material']['day'] = {'value': 0}"),
        _same("face['texture']['day']['values'][1] = None"),
        _same("del objects['a']['children'], objects['c']['parents']"),
        _same("objects['b']['attributes'] = {}; objects['b']['geometry'] = []"),
        _same("whole['appearance']['materials'].append({'name': 'unused'})"),
    ],
)
def test_the_same_in_other_words(change: Callable[[Json], None]) -> None:
    other = deepcopy(model())
    change(other)
    assert differences([model()], [other]) == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ("whole['vertices'][0][2] = 1", "faces/0/0/0"),
        ("face['boundaries'][0] = [[2, 1, 0]]", "faces/0/0/0"),
        ("face['boundaries'] = [[[0, 1, 2], [0, 2, 3]]]; face['semantics'] = face['material'] = None;"
         "face['texture'] = None", "faces"),
        ("face['semantics']['values'] = [None, 0]", "semantic/0"),
        ("face['semantics']['surfaces'][0]['slope'] = 3.6", "surfaces/0/slope"),
        ("face['material']['day']['values'] = [1, 0]", "material/day/0"),
        ("face['texture']['day']['values'][0][0][3] = 1", "texture/day/0/0/1"),
        ("whole['appearance']['textures'][0]['image'] = 'b.png'", "texture/day/0/0/0/image"),
        ("whole['geometry-templates']['vertices-templates'][0][0] = 0.6", "template/faces"),
        ("objects['c']['geometry'][0]['transformationMatrix'][0] = 2", "matrix/0"),
        ("objects['b']['parents'] = []; objects['a']['children'] = []", "CityObjects/b/parents"),
        ("objects['g']['children'] = []", "CityObjects/g/children"),
        ("objects['a']['attributes']['n'] = True", "attributes/n"),
        ("objects['a']['address'][0]['location']['boundaries'] = [0]", "address/0/location"),
        ("objects['b']['+x'] = 2", "CityObjects/b/+x"),
        ("del whole['+root']", "/+root"),
        ("whole['extensions']['X']['version'] = '2'", "extensions/X/version"),
        ("whole['appearance']['default-theme-material'] = 'night'", "appearance/default-theme-material"),
        ("del objects['b']; objects['a']['children'] = []", "CityObjects/b"),
    ],
)  # fmt: skip
def test_every_difference_is_found(change: str, path: str) -> None:
    other = deepcopy(model())
    _same(change)(other)
    found = differences([model()], [other])
    assert found
    assert any(path in text for text in found), found


def test_a_sequence_says_the_same_as_its_document() -> None:
    whole = model()
    objects = whole.pop("CityObjects")
    vertices = whole.pop("vertices")
    head: Json = whole | {"CityObjects": {}, "vertices": []}
    families = [["a", "b"], ["c"], ["g"]]
    lines: list[Json] = [
        {
            "type": "CityJSONFeature",
            "id": family[0],
            "CityObjects": {name: objects[name] for name in family},
            "vertices": vertices,
            "appearance": whole["appearance"],
        }
        for family in families
    ]
    assert differences([model()], [head, *lines]) == []


def test_what_points_nowhere_is_no_model() -> None:
    broken = model()
    _face(broken)["boundaries"] = [[[0, 1, 99]], [[0, 2, 3]]]
    with pytest.raises(IndexError):
        canonical([broken])
