"""Points, lines and templates of CityGML."""

from pathlib import Path

import pytest

from tests.importers.citygml_cube import building, model, read, refusal
from twin.model.cityobject import CityFeature

POINT = "<gml:Point><gml:pos>1 2 3</gml:pos></gml:Point>"
UNIT = "1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1"
SHAPE = (
    '<gml:MultiSurface gml:id="tree"><gml:surfaceMember><gml:Polygon><gml:exterior><gml:LinearRing>'
    "<gml:posList>0 0 0 1 0 0 1 1 0 0 0 0</gml:posList>"
    "</gml:LinearRing></gml:exterior></gml:Polygon></gml:surfaceMember></gml:MultiSurface>"
)


def only(folder: Path, *contents: str) -> list[CityFeature]:
    """Features of buildings with these contents, of which none is refused and nothing left out."""
    whole = model(*(building(content, f"B{number}") for number, content in enumerate(contents)))
    features, refused, opened = read(folder, whole)
    assert refused == []
    assert not opened.ledger
    return features


def implicit(shape: str, matrix: str = UNIT, point: str = POINT) -> str:
    return (
        "<bldg:lod2ImplicitRepresentation><core:ImplicitGeometry>"
        f"<core:transformationMatrix>{matrix}</core:transformationMatrix>"
        f"<core:relativeGMLGeometry{shape}<core:referencePoint>{point}</core:referencePoint>"
        "</core:ImplicitGeometry></bldg:lod2ImplicitRepresentation>"
    )


WITH_SHAPE = f">{SHAPE}</core:relativeGMLGeometry>"


def test_points(tmp_path: Path) -> None:
    several = f"<gml:MultiPoint><gml:pointMember>{POINT}</gml:pointMember></gml:MultiPoint>"
    (feature,) = only(tmp_path, f"<bldg:lod0Point>{POINT}</bldg:lod0Point><bldg:lod1X>{several}</bldg:lod1X>")
    found = feature.root.geometries
    assert [(g.type, g.lod, g.xyz.tolist()) for g in found] == [
        ("MultiPoint", "0", [[1.0, 2.0, 3.0]]),
        ("MultiPoint", "1", [[1.0, 2.0, 3.0]]),
    ]


def test_lines(tmp_path: Path) -> None:
    parts = (
        "<gml:curveMember><gml:LineString><gml:posList>0 0 0 1 0 0 0 0 0</gml:posList></gml:LineString>"
        "</gml:curveMember><gml:curveMember><gml:LineString><gml:pos>5 5 5</gml:pos><gml:pos>6 6 6</gml:pos>"
        "</gml:LineString></gml:curveMember>"
    )
    name = "bldg:lod2TerrainIntersection"
    (feature,) = only(tmp_path, f"<{name}><gml:MultiCurve>{parts}</gml:MultiCurve></{name}>")
    (found,) = feature.root.geometries
    assert (found.type, found.lod, found.ring_start.tolist()) == ("MultiLineString", "2", [0, 3, 5])
    assert [surface.type for surface in found.semantics] == ["+TerrainIntersection"]
    assert found.semantic.tolist() == [0, 0]


def test_templates_are_shared_by_link(tmp_path: Path) -> None:
    twice = UNIT.replace("1", "2", 1)
    one, other = only(tmp_path, implicit(WITH_SHAPE), implicit(' xlink:href="#tree"/>', twice))
    for feature, x in ((one, 2.0), (other, 3.0)):
        (found,) = feature.root.geometries
        assert (found.type, found.lod) == ("GeometryInstance", "2")
        assert found.instance is not None
        assert found.instance.placed(found.xyz[0]).xyz[1].tolist() == [x, 2.0, 3.0]


def test_a_template_may_stand_behind_those_that_link_to_it(tmp_path: Path) -> None:
    link = ' xlink:href="#tree"/>'
    first, second, third = only(tmp_path, implicit(link), implicit(WITH_SHAPE), implicit(link))
    for feature in (first, second, third):
        (found,) = feature.root.geometries
        assert found.instance is not None
        assert found.instance.template.xyz.tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0]]


def test_the_place_of_a_template_in_a_library_is_kept(tmp_path: Path) -> None:
    """CityJSON has no templates in other files, so that they are named at their place."""
    library = (
        "<core:mimeType>model/vrml</core:mimeType><core:libraryObject>trees/oak.wrl</core:libraryObject>"
    )
    content = implicit(WITH_SHAPE).replace(f"<core:relativeGMLGeometry{WITH_SHAPE}", library)
    (feature,) = only(tmp_path, content)
    (found,) = feature.root.geometries
    assert (found.type, found.lod, found.xyz.tolist()) == ("MultiPoint", "2", [[1.0, 2.0, 3.0]])
    (surface,) = found.semantics
    assert (surface.type, surface.attributes) == (
        "+ImplicitGeometry",
        {
            "libraryObject": "trees/oak.wrl",
            "mimeType": "model/vrml",
            "transformationMatrix": [float(v) for v in UNIT.split()],
        },
    )


def test_templates_have_their_colours(tmp_path: Path) -> None:
    shape = WITH_SHAPE.replace("<gml:Polygon>", '<gml:Polygon gml:id="leaf">')
    paint = (
        "<app:appearance><app:Appearance><app:surfaceDataMember><app:X3DMaterial><app:diffuseColor>0 1 0"
        "</app:diffuseColor><app:target>#leaf</app:target></app:X3DMaterial></app:surfaceDataMember>"
        "</app:Appearance></app:appearance>"
    )
    (feature,) = only(tmp_path, paint + implicit(shape))
    (found,) = feature.root.geometries
    assert found.instance is not None
    appearance = found.instance.template.appearance
    assert appearance is not None
    assert [member["diffuseColor"] for member in appearance.materials] == [[0.0, 1.0, 0.0]]


def test_a_template_that_is_not_there_is_noted(tmp_path: Path) -> None:
    (feature,), refused, opened = read(tmp_path, model(building(implicit(' xlink:href="#none"/>'))))
    assert (feature.root.geometries, refused) == ((), [])
    assert opened.ledger == {"geometry ImplicitGeometry": 1}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (implicit(WITH_SHAPE, point="<gml:Point><gml:pos>1 2</gml:pos></gml:Point>"), "invalid-coordinates"),
        ("<bldg:lod0Point><gml:Point><gml:pos>1 2 nan</gml:pos></gml:Point></bldg:lod0Point>",
         "invalid-coordinates"),
        ("<bldg:lod1X><gml:LineString><gml:pos>1 2 3</gml:pos></gml:LineString></bldg:lod1X>",
         "invalid-coordinates"),
        (implicit(WITH_SHAPE, "1 2 3"), "invalid-instance"),
    ],
)  # fmt: skip
def test_refusals(tmp_path: Path, content: str, code: str) -> None:
    assert refusal(tmp_path, content).code == code


def test_addresses_have_places_and_further_fields(tmp_path: Path) -> None:
    details = "<xAL:AddressDetails><xAL:LocalityName>Helsinki</xAL:LocalityName><xAL:Postbox>7</xAL:Postbox>"
    place = f"<core:multiPoint><gml:MultiPoint><gml:pointMember>{POINT}</gml:pointMember></gml:MultiPoint>"
    address = (
        f"<bldg:address><core:Address><core:xalAddress>{details}</xAL:AddressDetails></core:xalAddress>"
        f"{place}</core:multiPoint></core:Address></bldg:address>"
    )
    (feature,) = only(tmp_path, address)
    (found,) = feature.root.addresses
    assert (found.locality, found.fields) == ("Helsinki", {"Postbox": "7"})
    assert found.location is not None
    assert found.location.xyz.tolist() == [[1.0, 2.0, 3.0]]
