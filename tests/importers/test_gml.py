"""Geometry types of GML, each in its smallest form."""

from pathlib import Path

import pytest

from tests.importers.citygml_cube import SURFACES, building, face, model, multi_surface, only, polygon, read
from twin.model.geometry import Geometry

FLOOR = "0 0 0 10 0 0 10 10 0 0 10 0 0 0 0"
HOLE = (
    "<gml:interior><gml:LinearRing><gml:posList>2 2 0 2 4 0 4 4 0 2 2 0</gml:posList></gml:LinearRing>"
    "</gml:interior>"
)
FACES = ("ground", "roof", "south", "east", "north", "west")


def _member(content: str, name: str = "surfaceMember") -> str:
    return f"<gml:{name}>{content}</gml:{name}>"


def _composite(names: tuple[str, ...] = FACES) -> str:
    members = "".join(_member(face(name)) for name in names)
    return f"<gml:CompositeSurface>{members}</gml:CompositeSurface>"


def _solid(interior: str = "", identifier: str = "") -> str:
    exterior = f"<gml:exterior>{_composite()}</gml:exterior>"
    return f"<gml:Solid{identifier}>{exterior}{interior}</gml:Solid>"


def _geometry(folder: Path, content: str, name: str = "lod2Geometry") -> Geometry:
    (geometry,) = only(folder, f"<bldg:{name}>{content}</bldg:{name}>").root.geometries
    return geometry


def test_interior_rings_stay_rings(tmp_path: Path) -> None:
    (geometry,) = only(tmp_path, multi_surface(polygon(FLOOR, inside=HOLE))).root.geometries
    assert geometry.ring_start.tolist() == [0, 4, 7]
    assert geometry.surface_start.tolist() == [0, 2]


def test_positions_one_by_one_or_as_coordinates(tmp_path: Path) -> None:
    listed = multi_surface(polygon("0 0 0 10 0 0 10 10 0 0 0 0"))
    points = ["0 0 0", "10 0 0", "10 10 0", "0 0 0"]
    single = "".join(f"<gml:pos>{point}</gml:pos>" for point in points)
    commas = f"<gml:coordinates>{' '.join(point.replace(' ', ',') for point in points)}</gml:coordinates>"
    expected = only(tmp_path, listed).root.geometries[0].xyz.tolist()
    for other in (single, commas):
        text = listed.replace("<gml:posList>0 0 0 10 0 0 10 10 0 0 0 0</gml:posList>", other)
        assert only(tmp_path, text).root.geometries[0].xyz.tolist() == expected


@pytest.mark.parametrize(
    "positions",
    [
        "2.5500913019E7 6674555.691 3.1805 25500923.019 6674555.691 3.1805 25500923.019 6674565.691 3.1805"
        " 2.5500913019E7 6674555.691 3.1805",
        "\n  25500913.019  6674555.691\t3.1805\n 25500923.019 6674555.691 3.1805 25500923.019 6674565.691"
        "\n3.1805 25500913.019 6674555.691 3.1805 \n",
        "+25500913.019 6674555.691 3.1805 25500923.019 6674555.691 03.1805 25500923.019 6674565.691 3.1805"
        " 25500913.019 6674555.691 3.1805",
    ],
)
def test_numbers_in_all_their_forms(tmp_path: Path, positions: str) -> None:
    (geometry,) = only(tmp_path, multi_surface(polygon(positions))).root.geometries
    assert geometry.xyz.tolist() == [
        [25500913.019, 6674555.691, 3.1805],
        [25500923.019, 6674555.691, 3.1805],
        [25500923.019, 6674565.691, 3.1805],
    ]


def test_an_interior_shell_is_a_second_shell(tmp_path: Path) -> None:
    geometry = _geometry(tmp_path, _solid(f"<gml:interior>{_composite()}</gml:interior>"), "lod2Solid")
    assert geometry.type == "Solid"
    assert geometry.shell_start.tolist() == [0, 6, 12]
    assert geometry.solid_start.tolist() == [0, 2]


@pytest.mark.parametrize("name", ["CompositeSolid", "MultiSolid"])
def test_several_solids(tmp_path: Path, name: str) -> None:
    content = _member(_solid(), "solidMember") * 2
    geometry = _geometry(tmp_path, f"<gml:{name}>{content}</gml:{name}>")
    assert geometry.type == name
    assert geometry.solid_start.tolist() == [0, 1, 2]
    assert geometry.shell_start.tolist() == [0, 6, 12]


def test_a_solid_may_be_a_link(tmp_path: Path) -> None:
    identifier = ' gml:id="S"'
    solid = f"<bldg:lod2Solid>{_solid(identifier=identifier)}</bldg:lod2Solid>"
    first, second = only(tmp_path, solid + '<bldg:lod3Solid xlink:href="#S"/>').root.geometries
    assert (second.type, second.lod) == ("Solid", "3")
    assert second.xyz.tolist() == first.xyz.tolist()


def test_a_shell_may_be_a_link(tmp_path: Path) -> None:
    shell = f'<gml:MultiSurface gml:id="all">{_member(face("roof"))}</gml:MultiSurface>'
    content = (
        f"<bldg:lod1MultiSurface>{shell}</bldg:lod1MultiSurface>"
        '<bldg:lod2Solid><gml:Solid><gml:exterior xlink:href="#all"/></gml:Solid></bldg:lod2Solid>'
    )
    _, solid = only(tmp_path, content).root.geometries
    assert (solid.type, len(solid.semantic)) == ("Solid", 1)


def test_an_orientable_surface_turns_its_base_round(tmp_path: Path) -> None:
    base = polygon(FLOOR, inside=HOLE)
    member = _member(base, "baseSurface")
    turned = f'<gml:OrientableSurface orientation="-">{member}</gml:OrientableSurface>'
    plain = only(tmp_path, multi_surface(base)).root.geometries[0].xyz.tolist()
    geometry = only(tmp_path, multi_surface(turned)).root.geometries[0]
    assert geometry.xyz.tolist() == plain[3::-1] + plain[:3:-1]
    twice = turned.replace(base, turned)
    assert only(tmp_path, multi_surface(twice)).root.geometries[0].xyz.tolist() == plain


def test_an_orientable_surface_may_turn_a_link(tmp_path: Path) -> None:
    turned = (
        '<bldg:lod3MultiSurface><gml:MultiSurface><gml:surfaceMember><gml:OrientableSurface orientation="-">'
        '<gml:baseSurface xlink:href="#roof"/></gml:OrientableSurface></gml:surfaceMember></gml:MultiSurface>'
        "</bldg:lod3MultiSurface>"
    )
    geometries = {g.lod: g for g in only(tmp_path, SURFACES + turned).root.geometries}
    roof = geometries["2"].xyz[4:8].tolist()
    assert geometries["3"].xyz.tolist() == roof[::-1]
    assert geometries["3"].semantics[0].type == "RoofSurface"


@pytest.mark.parametrize(
    ("outer", "member"),
    [
        ("MultiSurface", "surfaceMembers"),
        ("TriangulatedSurface", "trianglePatches"),
        ("Surface", "patches"),
        ("PolyhedralSurface", "polygonPatches"),
    ],
)
def test_other_collections_of_surfaces(tmp_path: Path, outer: str, member: str) -> None:
    content = _member(face("roof") + face("ground"), member)
    geometry = _geometry(tmp_path, f"<gml:{outer}>{content}</gml:{outer}>")
    assert geometry.type in {"MultiSurface", "CompositeSurface"}
    assert geometry.surface_start.tolist() == [0, 1, 2]


def test_a_surface_of_surfaces_is_flattened(tmp_path: Path) -> None:
    geometry = _geometry(
        tmp_path, f"<gml:MultiSurface>{_member(_composite())}{_member(face('roof'))}</gml:MultiSurface>"
    )
    assert len(geometry.semantic) == 7


def test_an_element_of_another_namespace_may_wrap_a_surface(tmp_path: Path) -> None:
    """The TexturedSurface of CityGML 1.0."""
    wrapped = f"<ade:TexturedSurface>{_member(face('roof'), 'baseSurface')}<ade:look/></ade:TexturedSurface>"
    (geometry,) = only(tmp_path, multi_surface(wrapped)).root.geometries
    assert len(geometry.semantic) == 1


def test_geometry_of_no_known_kind_is_noted(tmp_path: Path) -> None:
    content = "<bldg:lod2Geometry><ade:Cloud><ade:points>1 2 3</ade:points></ade:Cloud></bldg:lod2Geometry>"
    (feature,), refused, opened = read(tmp_path, model(building(content)))
    assert (feature.root.geometries, refused) == ((), [])
    assert opened.ledger == {"geometry Cloud": 1}


def test_colours_of_citygml_1_within_surfaces_are_noted(tmp_path: Path) -> None:
    """The surface is kept: a TexturedSurface is one with its looks, which later versions have apart."""
    textured = (
        '<tex:TexturedSurface xmlns:tex="http://www.opengis.net/citygml/texturedsurface/1.0">'
        f"<gml:baseSurface>{face('roof')}</gml:baseSurface><tex:appearance/></tex:TexturedSurface>"
    )
    (feature,), _, opened = read(tmp_path, model(building(multi_surface(textured)), version="1.0"))
    (geometry,) = feature.root.geometries
    assert len(geometry.semantic) == 1
    assert opened.ledger == {"appearance TexturedSurface": 1}
