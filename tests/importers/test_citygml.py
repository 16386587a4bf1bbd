"""The CityGML reader on a canonical cube: what is read, and one mutation for each thing that can differ."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from importers.citygml_reader import CityGMLReader
from tests.importers.citygml_cube import (
    CUBE,
    SOLID,
    SURFACES,
    building,
    face,
    model,
    multi_surface,
    only,
    polygon,
    read,
    surface,
    write,
)
from twin.errors import UnreadableFile
from twin.model.cityobject import Address, CityFeature


def test_a_solid_that_links_to_surfaces_becomes_one_geometry_with_semantics(tmp_path: Path) -> None:
    geometry = only(tmp_path, CUBE).root.geometries[0]
    assert (geometry.type, geometry.lod) == ("Solid", "2")
    assert geometry.xyz.shape == (24, 3)
    assert geometry.ring_start.tolist() == [0, 4, 8, 12, 16, 20, 24]
    assert geometry.surface_start.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert geometry.shell_start.tolist() == [0, 6]
    assert geometry.solid_start.tolist() == [0, 1]
    assert [geometry.semantics[int(i)].type for i in geometry.semantic.tolist()] == [
        "GroundSurface", "RoofSurface", "WallSurface", "WallSurface", "WallSurface", "WallSurface",
    ]  # fmt: skip
    assert geometry.semantics[0].id == "s_ground"
    assert geometry.semantics[0].attributes == {"Area": 100.0}
    assert geometry.xyz[:4].tolist() == [[0, 0, 0], [0, 10, 0], [10, 10, 0], [10, 0, 0]]


def test_links_are_followed_backwards_too(tmp_path: Path) -> None:
    before, after = (only(tmp_path, text).root.geometries for text in (SURFACES + SOLID, SOLID + SURFACES))
    assert len(before) == len(after) == 1
    assert np.array_equal(before[0].xyz, after[0].xyz)
    assert before[0].semantic.tolist() == after[0].semantic.tolist()


def test_surfaces_without_a_solid_are_a_multisurface(tmp_path: Path) -> None:
    (geometry,) = only(tmp_path, SURFACES).root.geometries
    assert geometry.type == "MultiSurface"
    assert geometry.shell_start.tolist() == [0, 6]
    assert len(geometry.semantics) == 6


def test_a_surface_that_the_solid_leaves_out_stays_beside_it(tmp_path: Path) -> None:
    """An overhang: it belongs to the building, not to the closed shell."""
    overhang = surface("roof").replace('gml:id="roof"', 'gml:id="over"').replace("s_roof", "s_over")
    overhang = overhang.replace("0 0 10 10 0 10 10 10 10 0 10 10 0 0 10", "0 0 12 9 0 12 9 9 12 0 0 12")
    solid, rest = only(tmp_path, CUBE + overhang).root.geometries
    assert (solid.type, rest.type, rest.lod) == ("Solid", "MultiSurface", "2")
    assert len(solid.semantic) == 6
    assert [surface.id for surface in rest.semantics] == ["s_over"]


def test_a_solid_that_repeats_the_surfaces_is_not_doubled(tmp_path: Path) -> None:
    """Some exporters write the polygons twice instead of linking them; the meaning is kept, the copy not."""
    copies = "".join(
        f"<gml:surfaceMember>{face(name)}</gml:surfaceMember>"
        for name in ("ground", "roof", "south", "east", "north", "west")
    )
    solid = (
        f"<bldg:lod2Solid><gml:Solid><gml:exterior><gml:CompositeSurface>{copies}"
        "</gml:CompositeSurface></gml:exterior></gml:Solid></bldg:lod2Solid>"
    )
    (geometry,) = only(tmp_path, solid + SURFACES).root.geometries
    assert geometry.type == "Solid"
    assert [geometry.semantics[int(i)].type for i in geometry.semantic.tolist()][:3] == [
        "GroundSurface", "RoofSurface", "WallSurface",
    ]  # fmt: skip


def test_openings_are_surfaces_that_know_their_wall(tmp_path: Path) -> None:
    window = (
        '<bldg:opening><bldg:Window gml:id="w1"><bldg:lod3MultiSurface><gml:MultiSurface><gml:surfaceMember>'
        + polygon("2 0 2 4 0 2 4 0 4 2 0 4 2 0 2")
        + "</gml:surfaceMember></gml:MultiSurface></bldg:lod3MultiSurface></bldg:Window></bldg:opening>"
    )
    (geometry,) = only(tmp_path, surface("south", window, lod=3)).root.geometries
    wall, opening = geometry.semantics
    assert (wall.type, wall.attributes) == ("WallSurface", {"Area": 100.0, "children": [1]})
    assert (opening.type, opening.id, opening.attributes) == ("Window", "w1", {"parent": 0})
    assert geometry.semantic.tolist() == [0, 1]


def test_every_lod_is_a_geometry_of_its_own(tmp_path: Path) -> None:
    content = CUBE + multi_surface(face("ground"), lod=1) + "<bldg:lod0FootPrint>" + _multi("ground")
    geometries = only(tmp_path, content + "</bldg:lod0FootPrint>").root.geometries
    assert sorted((g.lod, g.type, len(g.semantic)) for g in geometries) == [
        ("0", "MultiSurface", 1),
        ("1", "MultiSurface", 1),
        ("2", "Solid", 6),
    ]
    (footprint,) = [g for g in geometries if g.lod == "0"]
    assert footprint.semantics[0].type == "GroundSurface"


def _multi(name: str) -> str:
    return f"<gml:MultiSurface><gml:surfaceMember>{face(name)}</gml:surfaceMember></gml:MultiSurface>"


def test_parts_nest_and_installations_are_children(tmp_path: Path) -> None:
    inner = f'<bldg:BuildingPart gml:id="P2">{multi_surface(face("roof"))}</bldg:BuildingPart>'
    content = (
        f'<bldg:consistsOfBuildingPart><bldg:BuildingPart gml:id="P1">{CUBE}'
        f"<bldg:consistsOfBuildingPart>{inner}</bldg:consistsOfBuildingPart>"
        "</bldg:BuildingPart></bldg:consistsOfBuildingPart>"
        '<bldg:outerBuildingInstallation><bldg:BuildingInstallation gml:id="I1">'
        f"<bldg:function>1010</bldg:function><bldg:lod2Geometry>{_multi('roof')}</bldg:lod2Geometry>"
        "</bldg:BuildingInstallation></bldg:outerBuildingInstallation>"
    )
    feature = only(tmp_path, content)
    assert [(item.id, item.type, item.parent) for item in feature] == [
        ("B1", "Building", None),
        ("P1", "BuildingPart", "B1"),
        ("P2", "BuildingPart", "P1"),
        ("I1", "BuildingInstallation", "B1"),
    ]
    assert feature.objects[3].attributes == {"function": "1010"}
    assert [len(item.geometries) for item in feature] == [0, 1, 1, 1]


def test_attributes_keep_their_names_and_types(tmp_path: Path) -> None:
    assert only(tmp_path, CUBE).root.attributes == {
        "name": "Cube",
        "creationDate": "2019-07-29",
        "VTJ_PRT": "103557252H",
        "RATU": 64497,
        "I_KEROSAL": 812.5,
        "function": "1000",
        "measuredHeight": 10.0,
    }


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('<gen:stringAttribute name="a"><gen:value/></gen:stringAttribute>', {"a": None}),
        ('<gen:stringAttribute name="a"><gen:value>  </gen:value></gen:stringAttribute>', {"a": None}),
        ('<gen:stringAttribute name="a"/>', {"a": None}),
        ('<gen:intAttribute name="a"><gen:value>12a</gen:value></gen:intAttribute>', {"a": "12a"}),
        ('<gen:intAttribute name="a"><gen:value>99999999999999999999</gen:value></gen:intAttribute>',
         {"a": "99999999999999999999"}),
        ('<gen:doubleAttribute name="a"><gen:value>NaN</gen:value></gen:doubleAttribute>', {"a": "NaN"}),
        ('<gen:dateAttribute name="a"><gen:value>2012-03-09</gen:value></gen:dateAttribute>',
         {"a": "2012-03-09"}),
        ('<gen:uriAttribute name="a"><gen:value>http://e.org/ä</gen:value></gen:uriAttribute>',
         {"a": "http://e.org/ä"}),
        ('<gen:measureAttribute name="a"><gen:value uom="m2">1.5</gen:value></gen:measureAttribute>',
         {"a": {"value": 1.5, "uom": "m2"}}),
        ('<gen:genericAttributeSet name="s"><gen:intAttribute name="a"><gen:value>1</gen:value>'
         '</gen:intAttribute><gen:genericAttributeSet name="t"><gen:intAttribute name="b"><gen:value>2'
         "</gen:value></gen:intAttribute></gen:genericAttributeSet></gen:genericAttributeSet>",
         {"s": {"a": 1, "t": {"b": 2}}}),
        ('<gen:intAttribute name="a"><gen:value>1</gen:value></gen:intAttribute>'
         '<gen:intAttribute name="a"><gen:value>2</gen:value></gen:intAttribute>', {"a": [1, 2]}),
        ("<bldg:storeysAboveGround>5</bldg:storeysAboveGround>", {"storeysAboveGround": 5}),
        ("<bldg:yearOfConstruction>1985</bldg:yearOfConstruction>", {"yearOfConstruction": 1985}),
        ("<bldg:storeyHeightsAboveGround>3.0 2.5</bldg:storeyHeightsAboveGround>",
         {"storeyHeightsAboveGround": [3.0, 2.5]}),
        ("<bldg:roofType>1000;3500;2100</bldg:roofType>", {"roofType": "1000;3500;2100"}),
        ("<core:externalReference><core:informationSystem>GID</core:informationSystem><core:externalObject>"
         "<core:name>z1</core:name></core:externalObject></core:externalReference>",
         {"externalReference": {"informationSystem": "GID", "name": "z1"}}),
        ("<ade:noise>7</ade:noise>", {"noise": "7"}),
        ('<ade:noise uom="dB">7</ade:noise>', {"noise": {"value": 7.0, "uom": "dB"}}),
        ("<ade:energy><ade:Zone><ade:area>12</ade:area></ade:Zone></ade:energy>",
         {"energy": {"Zone": {"area": "12"}}}),
    ],
)  # fmt: skip
def test_attribute_values(tmp_path: Path, content: str, expected: dict[str, object]) -> None:
    assert only(tmp_path, content).root.attributes == expected


def test_addresses_keep_what_is_not_empty(tmp_path: Path) -> None:
    details = (
        "<xAL:AddressDetails><xAL:Country><xAL:CountryName>Suomi</xAL:CountryName>"
        '<xAL:Locality Type="Town"><xAL:LocalityName>Helsinki</xAL:LocalityName>'
        "<xAL:Thoroughfare><xAL:ThoroughfareNumber>6</xAL:ThoroughfareNumber>"
        "<xAL:ThoroughfareName/></xAL:Thoroughfare><xAL:PostalCode><xAL:PostalCodeNumber>00580"
        "</xAL:PostalCodeNumber></xAL:PostalCode></xAL:Locality></xAL:Country></xAL:AddressDetails>"
    )
    lines = f"<core:xalAddress>{details}</core:xalAddress>"
    address = f"<bldg:address><core:Address>{lines}</core:Address></bldg:address>"
    empty = "<bldg:address><core:Address/></bldg:address>"
    assert only(tmp_path, address + empty).root.addresses == (
        Address(None, "6", "00580", "Helsinki", "Suomi"),
    )


def test_what_is_not_stored_stands_in_the_ledger(tmp_path: Path) -> None:
    line = (
        "<bldg:lod2MultiCurve><gml:MultiCurve><gml:curveMember/></gml:MultiCurve></bldg:lod2MultiCurve>"
        '<bldg:function codeSpace="x">1</bldg:function><app:appearance><app:Appearance/></app:appearance>'
    )
    texture = "<app:surfaceDataMember><app:GeoreferencedTexture/></app:surfaceDataMember>"
    appearance = f"<app:appearanceMember><app:Appearance>{texture}</app:Appearance></app:appearanceMember>"
    features, refused, opened = read(tmp_path, model(building(CUBE + line), appearance))
    assert (len(features), refused) == (1, [])
    where = "appearance GeoreferencedTexture without a place or image"
    assert opened.ledger == {"geometry MultiCurve": 1, where: 1}
    (feature,) = features
    assert feature.root.attributes["function.codeSpace"] == "x"


def test_other_first_level_objects_are_read_alike(tmp_path: Path) -> None:
    bridge = (
        '<core:cityObjectMember><brid:Bridge gml:id="BR1"><brid:class>1000</brid:class>'
        "</brid:Bridge></core:cityObjectMember>"
    )
    features, _, _ = read(tmp_path, model(bridge, building()))
    assert [(f.root.id, f.root.type) for f in features] == [("BR1", "Bridge"), ("B1", "Building")]


def test_an_object_without_id_gets_the_same_one_every_time(tmp_path: Path) -> None:
    anonymous = building().replace(' gml:id="B1"', "")
    first, _, _ = read(tmp_path, model(anonymous))
    again, _, _ = read(tmp_path, model(building(CUBE, "other"), anonymous))
    assert first[0].root.id == again[1].root.id
    assert first[0].root.id.startswith("content-")


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_metadata(tmp_path: Path, version: str) -> None:
    opened = CityGMLReader().open(write(tmp_path, model(building(), version=version)))
    assert opened.metadata.format == f"CityGML {version}"
    assert opened.metadata.reference_system == "urn:ogc:def:crs:EPSG::3879"
    assert not opened.metadata.synthetic
    assert len(list(opened)) == 1
    assert opened.position == opened.size


def test_a_title_marks_a_synthetic_model(tmp_path: Path) -> None:
    text = model(building()).replace(
        "<gml:boundedBy>", "<gml:name>SYNTHETIC Helsinki</gml:name><gml:boundedBy>", 1
    )
    metadata = CityGMLReader().open(write(tmp_path, text)).metadata
    assert (metadata.title, metadata.synthetic) == ("SYNTHETIC Helsinki", True)


def test_the_reference_system_may_stand_at_the_first_feature(tmp_path: Path) -> None:
    envelope = '<gml:boundedBy><gml:Envelope srsName="EPSG:3879"/></gml:boundedBy>'
    opened = CityGMLReader().open(write(tmp_path, model(building(envelope + CUBE), reference=None)))
    assert opened.metadata.reference_system == "EPSG:3879"


def test_a_reference_system_may_be_written_in_several_ways(tmp_path: Path) -> None:
    envelope = '<gml:boundedBy><gml:Envelope srsName="EPSG:3879"/></gml:boundedBy>'
    features, refused, _ = read(tmp_path, model(building(envelope + CUBE)))
    assert (len(features), refused) == (1, [])


def test_the_declared_encoding_is_honoured(tmp_path: Path) -> None:
    text = '<?xml version="1.0" encoding="ISO-8859-15"?>\n' + model(building("<gml:name>Töölö</gml:name>"))
    features, _, _ = read(tmp_path, text.encode("iso-8859-15"))
    assert features[0].root.attributes == {"name": "Töölö"}


def test_features_before_a_broken_place_are_given(tmp_path: Path) -> None:
    text = model(building(CUBE, "B1"), building(CUBE, "B2"))
    path = write(tmp_path, text[: text.index('gml:id="B2"') + 400])
    opened = iter(CityGMLReader().open(path))
    first = next(opened)
    assert isinstance(first, CityFeature)
    assert first.root.id == "B1"
    with pytest.raises(UnreadableFile, match=r"model\.gml: line \d+: .*fetch it again"):
        next(opened)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<html><body/></html>", "line 1: the root element is html, not a CityModel"),
        ("", "line 1: "),
        (model(building()).replace("</bldg:Building>", "</bldg:Castle>"), "Opening and ending tag mismatch"),
        ('<!DOCTYPE x [<!ENTITY a "b">]>' + model(building()), "declares a document type"),
    ],
)
def test_a_file_that_is_no_city_model_is_unreadable(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UnreadableFile, match=message):
        list(CityGMLReader().open(write(tmp_path, text)))


def test_entities_from_outside_are_never_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("do not read me")
    doctype = f'<!DOCTYPE core:CityModel [<!ENTITY leak SYSTEM "{secret.as_uri()}">]>'
    text = doctype + model(building("<gml:name>&leak;</gml:name>"))
    with pytest.raises(UnreadableFile) as error:
        list(CityGMLReader().open(write(tmp_path, text)))
    assert "do not read me" not in str(error.value)


def test_a_bomb_of_entities_is_refused(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 20}">' for n in range(9))
    text = f'<!DOCTYPE x [<!ENTITY e0 "ha">{entities}]><core:CityModel xmlns:core="x" a="&e9;"/>'
    with pytest.raises(UnreadableFile):
        list(CityGMLReader().open(write(tmp_path, text)))


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    text = model(building("<ade:a>" * 5000 + "</ade:a>" * 5000))
    with pytest.raises(UnreadableFile, match="line 4"):
        list(CityGMLReader().open(write(tmp_path, text)))


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Members are freed once they were read, so the tree never holds more than a few."""
    peaks: list[int] = []
    for count in (200, 2000):
        path = write(tmp_path, model(*(building(CUBE, f"B{n}") for n in range(count))))
        opened = CityGMLReader().open(path)
        tracemalloc.start()
        assert sum(1 for _ in opened) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 300_000
