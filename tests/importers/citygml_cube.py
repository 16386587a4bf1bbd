"""A small CityGML 2.0 building, canonical: a cube of 10 m whose solid links to its surfaces."""

from pathlib import Path

from importers.citygml_reader import CityGMLReader
from importers.port import Model, Refused
from twin.model.cityobject import CityFeature

ATTRIBUTES = """
<gml:name>Cube</gml:name>
<core:creationDate>2019-07-29</core:creationDate>
<gen:stringAttribute name="VTJ_PRT"><gen:value>103557252H</gen:value></gen:stringAttribute>
<gen:intAttribute name="RATU"><gen:value>64497</gen:value></gen:intAttribute>
<gen:doubleAttribute name="I_KEROSAL"><gen:value>812.5</gen:value></gen:doubleAttribute>
<bldg:function>1000</bldg:function>
<bldg:measuredHeight uom="m">10.0</bldg:measuredHeight>
"""

_FACES = {
    "ground": ("GroundSurface", "0 0 0 0 10 0 10 10 0 10 0 0 0 0 0"),
    "roof": ("RoofSurface", "0 0 10 10 0 10 10 10 10 0 10 10 0 0 10"),
    "south": ("WallSurface", "0 0 0 10 0 0 10 0 10 0 0 10 0 0 0"),
    "east": ("WallSurface", "10 0 0 10 10 0 10 10 10 10 0 10 10 0 0"),
    "north": ("WallSurface", "10 10 0 0 10 0 0 10 10 10 10 10 10 10 0"),
    "west": ("WallSurface", "0 10 0 0 0 0 0 0 10 0 10 10 0 10 0"),
}
ROOF_RING = f"<gml:posList>{_FACES['roof'][1]}</gml:posList>"

LINKS = "".join(f'<gml:surfaceMember xlink:href="#{name}"/>' for name in _FACES)
SOLID = f"""
<bldg:lod2Solid><gml:Solid><gml:exterior><gml:CompositeSurface>{LINKS}</gml:CompositeSurface>
</gml:exterior></gml:Solid></bldg:lod2Solid>
"""


def polygon(positions: str, identifier: str = "", inside: str = "") -> str:
    """A gml:Polygon of one ring, with anything else that belongs inside."""
    known = f' gml:id="{identifier}"' if identifier else ""
    return (
        f"<gml:Polygon{known}><gml:exterior><gml:LinearRing><gml:posList>{positions}</gml:posList>"
        f"</gml:LinearRing></gml:exterior>{inside}</gml:Polygon>"
    )


def surface(name: str, extra: str = "", lod: int = 2) -> str:
    """The thematic surface of one face of the cube."""
    type_, positions = _FACES[name]
    return (
        f'<bldg:boundedBy><bldg:{type_} gml:id="s_{name}">'
        f'<gen:doubleAttribute name="Area"><gen:value>100.0</gen:value></gen:doubleAttribute>'
        f"<bldg:lod{lod}MultiSurface><gml:MultiSurface><gml:surfaceMember>{polygon(positions, name)}"
        f"</gml:surfaceMember></gml:MultiSurface></bldg:lod{lod}MultiSurface>{extra}"
        f"</bldg:{type_}></bldg:boundedBy>"
    )


SURFACES = "".join(surface(name) for name in _FACES)
CUBE = ATTRIBUTES + SOLID + SURFACES


def multi_surface(*polygons: str, lod: int = 2) -> str:
    """A bldg:lodNMultiSurface of polygons."""
    members = "".join(f"<gml:surfaceMember>{item}</gml:surfaceMember>" for item in polygons)
    name = f"bldg:lod{lod}MultiSurface"
    return f"<{name}><gml:MultiSurface>{members}</gml:MultiSurface></{name}>"


def face(name: str) -> str:
    """A face of the cube as a polygon without id."""
    return polygon(_FACES[name][1])


def building(content: str = CUBE, identifier: str = "B1") -> str:
    """A member with one building."""
    return (
        f'<core:cityObjectMember>\n<bldg:Building gml:id="{identifier}">{content}</bldg:Building>\n'
        "</core:cityObjectMember>\n"
    )


def model(*members: str, reference: str | None = "urn:ogc:def:crs:EPSG::3879", version: str = "2.0") -> str:
    """A CityModel; ``reference`` goes to its envelope."""
    space = "http://www.opengis.net/citygml"
    envelope = f'<gml:boundedBy><gml:Envelope srsName="{reference}"/></gml:boundedBy>\n' if reference else ""
    return (
        f'<core:CityModel xmlns:core="{space}/{version}" xmlns:bldg="{space}/building/{version}"'
        f' xmlns:gen="{space}/generics/{version}" xmlns:brid="{space}/bridge/{version}"'
        f' xmlns:app="{space}/appearance/{version}" xmlns:gml="http://www.opengis.net/gml"'
        ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:xAL="urn:oasis:names:tc:ciq:xsdschema:xAL:2.0"'
        ' xmlns:ade="http://example.org/ade">\n'
        f"{envelope}{''.join(members)}</core:CityModel>\n"
    )


def write(folder: Path, text: str | bytes) -> Path:
    """The text as a file."""
    path = folder / "model.gml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read(folder: Path, text: str | bytes) -> tuple[list[CityFeature], list[Refused], Model]:
    """What the reader makes of the text: features, refused ones, and the model."""
    opened = CityGMLReader().open(write(folder, text))
    found = list(opened)
    return (
        [item for item in found if isinstance(item, CityFeature)],
        [item for item in found if isinstance(item, Refused)],
        opened,
    )


def only(folder: Path, content: str) -> CityFeature:
    """The one feature of a model with one building of that content."""
    features, refused, _ = read(folder, model(building(content)))
    assert refused == []
    (feature,) = features
    return feature


def refusal(folder: Path, content: str) -> Refused:
    """The refusal of a building of that content between two sound ones, which are read."""
    sound = building(CUBE, "before"), building(CUBE, "after")
    features, refused, _ = read(folder, model(sound[0], building(content, "bad"), sound[1]))
    assert [feature.root.id for feature in features] == ["before", "after"]
    (entry,) = refused
    assert entry.object_id == "bad"
    return entry
