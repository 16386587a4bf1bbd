"""Groups of CityGML, and what belongs to an object beside its own attributes and geometry."""

from pathlib import Path

from importers.port import Model, Refused
from tests.importers.citygml_cube import CUBE, building, face, model, polygon, read
from twin.model.cityobject import CityFeature

_SPACE = "http://www.opengis.net/citygml/cityobjectgroup"
_BROKEN = f'<bldg:Building gml:id="bad"><bldg:lod1X>{polygon("0 0 0 1")}</bldg:lod1X></bldg:Building>'


def group(folder: Path, members: str, *others: str) -> tuple[list[CityFeature], list[Refused], Model]:
    content = f'<grp:CityObjectGroup xmlns:grp="{_SPACE}/2.0" gml:id="G">{members}</grp:CityObjectGroup>'
    member = f"<core:cityObjectMember>{content}</core:cityObjectMember>"
    return read(folder, model(member, *others))


def linked(target: str, role: str = "") -> str:
    known = f' role="{role}"' if role else ""
    return f'<grp:groupMember{known} xlink:href="#{target}"/>'


def test_members_and_their_roles(tmp_path: Path) -> None:
    surface = f"<gml:MultiSurface><gml:surfaceMember>{face('roof')}</gml:surfaceMember></gml:MultiSurface>"
    shape = f"<grp:geometry>{surface}"
    parent = '<grp:parent xlink:href="#B9"/>'
    members = f"<grp:class>x</grp:class>{linked('B1', 'main')}{linked('B2')}{parent}{shape}</grp:geometry>"
    features, refused, opened = group(tmp_path, members, building())
    assert (refused, dict(opened.ledger)) == ([], {})
    found = features[0].root
    assert (found.id, found.type) == ("G", "CityObjectGroup")
    assert found.extra == {"children": ["B1", "B2"], "children_roles": ["main", None]}
    assert found.attributes == {"class": "x", "parent": "#B9"}
    assert [(g.type, g.lod, len(g.semantic)) for g in found.geometries] == [("MultiSurface", "0", 1)]


def test_members_in_place_are_features_of_their_own(tmp_path: Path) -> None:
    inner = f'<bldg:Building gml:id="I">{CUBE}</bldg:Building>'
    nested = f'<grp:CityObjectGroup gml:id="H">{linked("I")}</grp:CityObjectGroup>'
    members = "".join(f"<grp:groupMember>{item}</grp:groupMember>" for item in (inner, _BROKEN, nested))
    features, refused, _ = group(tmp_path, members, building())
    assert [feature.root.id for feature in features] == ["G", "I", "H", "B1"]
    assert features[0].root.extra["children"] == ["I", "bad", "H"]
    assert [feature.root.geometries[0].type for feature in features if feature.root.id == "I"] == ["Solid"]
    assert [entry.object_id for entry in refused] == ["bad"], "one bad member costs one member"


def test_a_member_without_id_is_known_by_its_content(tmp_path: Path) -> None:
    features, _, _ = group(
        tmp_path,
        "<grp:groupMember><bldg:Building><bldg:class>1</bldg:class></bldg:Building></grp:groupMember>",
    )
    assert features[0].root.extra["children"] == [features[1].root.id]


def test_roles_of_citygml_3(tmp_path: Path) -> None:
    member = (
        "<grp:groupMember><grp:Role><grp:role>main</grp:role>"
        f"{linked('B1')}</grp:Role></grp:groupMember><grp:groupMember><grp:Role>{linked('B2')}</grp:Role>"
        "</grp:groupMember>"
    )
    content = f'<grp:CityObjectGroup xmlns:grp="{_SPACE}/3.0" gml:id="G">{member}</grp:CityObjectGroup>'
    whole = model(f"<core:cityObjectMember>{content}</core:cityObjectMember>", version="3.0")
    (feature,), _, opened = read(tmp_path, whole)
    assert feature.root.extra == {"children": ["B1", "B2"], "children_roles": ["main", None]}
    assert not opened.ledger


def test_values_that_change_with_time_stay_with_their_object(tmp_path: Path) -> None:
    pairs = "".join(
        "<dyn:timeValuePair><dyn:TimeValuePair>"
        f'<dyn:timestamp>2026-01-0{day}</dyn:timestamp><dyn:doubleValue uom="kWh">{value}</dyn:doubleValue>'
        "</dyn:TimeValuePair></dyn:timeValuePair>"
        for day, value in ((1, 2.5), (2, 3.5))
    )
    content = (
        '<core:dynamizer xmlns:dyn="http://www.opengis.net/citygml/dynamizer/3.0"><dyn:Dynamizer gml:id="D">'
        "<dyn:attributeRef>heat</dyn:attributeRef><dyn:dynamicData><dyn:GenericTimeseries>"
        f"<dyn:valueType>double</dyn:valueType>{pairs}</dyn:GenericTimeseries></dyn:dynamicData>"
        '<dyn:sensorConnection xlink:href="http://x/sensor"/></dyn:Dynamizer></core:dynamizer>'
    )
    (feature,), _, opened = read(tmp_path, model(building(content), version="3.0"))
    series = [
        {"TimeValuePair": {"timestamp": f"2026-01-0{day}", "doubleValue": {"value": value, "uom": "kWh"}}}
        for day, value in ((1, 2.5), (2, 3.5))
    ]
    assert feature.root.attributes["dynamizer"] == {
        "Dynamizer": {
            "id": "D",
            "attributeRef": "heat",
            "dynamicData": {"GenericTimeseries": {"valueType": "double", "timeValuePair": series}},
            "sensorConnection": "http://x/sensor",
        }
    }
    assert opened.ledger == {"dynamizer as attributes": 1}


def test_versions_of_the_model_are_noted(tmp_path: Path) -> None:
    version = "<core:versionMember><core:Version/></core:versionMember>"
    link = '<core:cityObjectMember xlink:href="other.gml#B1"/>'
    features, _, opened = read(tmp_path, model(building(), link, version))
    assert len(features) == 1
    assert opened.ledger == {"Version": 1, "link cityObjectMember": 1}


def test_links_to_other_objects_are_attributes(tmp_path: Path) -> None:
    content = CUBE + '<bldg:interiorRoom xlink:href="#R"/><core:generalizesTo xlink:href="#L1"/>'
    (feature,), _, opened = read(tmp_path, model(building(content)))
    found = feature.root.attributes
    assert (found["interiorRoom"], found["generalizesTo"]) == ("#R", "#L1")
    assert not opened.ledger


def test_geometry_within_properties_of_an_extension_is_kept(tmp_path: Path) -> None:
    shaped = f"<ade:lod1Shape>{face('ground')}</ade:lod1Shape>"
    inner = f'<ade:Cellar gml:id="C"><ade:depth uom="cm">250</ade:depth>{shaped}</ade:Cellar>'
    noise = f"<ade:lod2Noise>{face('roof')}</ade:lod2Noise>"
    content = f"<ade:more><ade:More>{noise}<ade:below>{inner}</ade:below></ade:More></ade:more>"
    (feature,), _, opened = read(tmp_path, model(building(content)))
    root, cellar = feature.objects
    assert root.attributes == {"more": {"More": {"lod2Noise": {}, "below": {"Cellar": "#C"}}}}
    (found,) = root.geometries
    assert (found.type, found.lod, [s.type for s in found.semantics]) == ("MultiSurface", "2", ["+lod2Noise"])
    assert (cellar.id, cellar.type, cellar.parent) == ("C", "+Cellar", "B1")
    assert cellar.attributes == {"depth": {"value": 250.0, "uom": "cm"}}
    assert [(g.type, g.lod) for g in cellar.geometries] == [("MultiSurface", "1")]
    assert set(opened.ledger) == {"ADE http://example.org/ade"}
