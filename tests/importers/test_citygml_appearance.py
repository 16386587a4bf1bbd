"""Colours and images of CityGML find their surfaces and rings."""

from pathlib import Path

import numpy as np

from importers.port import Model
from tests.importers.citygml_cube import building, model, read
from twin.model.geometry import Geometry

SQUARE = "0 0 0 1 0 0 1 1 0 0 1 0 0 0 0"
CORNERS = "0 0 1 0 1 1 0 1 0 0"
SURFACE = (
    '<bldg:lod2MultiSurface><gml:MultiSurface gml:id="all"><gml:surfaceMember><gml:Polygon gml:id="one">'
    f'<gml:exterior><gml:LinearRing gml:id="ring"><gml:posList>{SQUARE}</gml:posList></gml:LinearRing>'
    "</gml:exterior></gml:Polygon></gml:surfaceMember><gml:surfaceMember><gml:OrientableSurface"
    ' orientation="-"><gml:baseSurface><gml:Polygon gml:id="two"><gml:exterior><gml:LinearRing gml:id="back">'
    f"<gml:posList>{SQUARE}</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon></gml:baseSurface>"
    "</gml:OrientableSurface></gml:surfaceMember></gml:MultiSurface></bldg:lod2MultiSurface>"
)


def material(target: str, name: str = "red") -> str:
    return (
        f'<app:X3DMaterial gml:id="{name}"><app:transparency>0.5</app:transparency>'
        f"<app:diffuseColor>1 0 0</app:diffuseColor><app:isSmooth>true</app:isSmooth>"
        f"<app:target>#{target}</app:target></app:X3DMaterial>"
    )


def texture(ring: str, corners: str = CORNERS) -> str:
    return (
        "<app:ParameterizedTexture><app:imageURI>wall.png</app:imageURI><app:mimeType>image/png</app:mimeType>"
        "<app:wrapMode>wrap</app:wrapMode><app:borderColor>1 1 1 0.5</app:borderColor>"
        f'<app:target uri="#any"><app:TexCoordList><app:textureCoordinates ring="#{ring}">{corners}'
        "</app:textureCoordinates></app:TexCoordList></app:target></app:ParameterizedTexture>"
    )


def texture_of_3_0(ring: str) -> str:
    return (
        texture(ring)
        .replace(f' ring="#{ring}"', "")
        .replace("</app:textureCoordinates>", f"</app:textureCoordinates><app:ring>#{ring}</app:ring>")
    )


def appearance(*data: str, theme: str = "<app:theme>summer</app:theme>") -> str:
    members = "".join(f"<app:surfaceDataMember>{item}</app:surfaceDataMember>" for item in data)
    return f"<app:Appearance>{theme}{members}</app:Appearance>"


def of_object(*data: str, theme: str = "<app:theme>summer</app:theme>") -> str:
    return f"<app:appearance>{appearance(*data, theme=theme)}</app:appearance>"


def dressed(folder: Path, content: str, *members: str) -> tuple[Geometry, Model]:
    features, refused, opened = read(folder, model(building(content), *members))
    assert refused == []
    (found,) = features[0].root.geometries
    return found, opened


def test_materials_reach_the_surfaces_of_their_target(tmp_path: Path) -> None:
    found, opened = dressed(tmp_path, of_object(material("all"), material("two", "blue")) + SURFACE)
    assert found.appearance is not None
    assert not opened.ledger
    names = [member["name"] for member in found.appearance.materials]
    assert [names[i] for i in found.appearance.material["summer"]] == ["red", "blue"]
    assert found.appearance.materials[0] == {
        "name": "red",
        "transparency": 0.5,
        "diffuseColor": [1.0, 0.0, 0.0],
        "isSmooth": True,
    }


def test_images_follow_their_rings_in_both_directions(tmp_path: Path) -> None:
    for kind in (texture, texture_of_3_0):
        found, _ = dressed(tmp_path, SURFACE + of_object(kind("ring"), kind("back"), theme=""))
        assert found.appearance is not None
        theme = found.appearance.texture["default"]
        image = {"type": "PNG", "image": "wall.png", "wrapMode": "wrap", "borderColor": [1.0, 1.0, 1.0, 0.5]}
        assert [found.appearance.textures[i] for i in theme.image] == [image, image]
        expected = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=np.float64)
        assert np.array_equal(theme.uv[:4], expected)
        assert np.array_equal(theme.uv[4:], found.xyz[4:, :2]), "corners turn with the reversed ring"


def test_appearances_of_the_model_stand_behind_its_objects(tmp_path: Path) -> None:
    member = f"<app:appearanceMember>{appearance(material('one'), texture('back'))}</app:appearanceMember>"
    found, opened = dressed(tmp_path, SURFACE, member)
    assert found.appearance is not None
    assert found.appearance.material["summer"].tolist() == [0, -1]
    assert found.appearance.texture["summer"].image.tolist() == [-1, 0]
    assert not opened.ledger
    again = [item for item in opened if hasattr(item, "root")]
    assert len(again) == 1


def test_what_does_not_fit_is_noted(tmp_path: Path) -> None:
    generated = texture("ring").replace("TexCoordList", "TexCoordGen")
    found, opened = dressed(tmp_path, SURFACE + of_object(texture("ring", "0 0 1 0"), generated))
    assert found.appearance is None
    assert opened.ledger == {"appearance texture that does not fit": 1, "appearance TexCoordGen": 1}
