"""Colours and images of CityGML find their surfaces and rings."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from importers.image_size import image_size
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
    assert opened.ledger == {
        "appearance texture that does not fit": 1,
        "appearance TexCoordGen that cannot be read": 1,
    }


def uv_of(geometry: Geometry, theme: str = "summer") -> list[list[float]]:
    assert geometry.appearance is not None
    return geometry.appearance.texture[theme].uv.tolist()


def projected(matrix: str) -> str:
    return (
        '<app:ParameterizedTexture><app:imageURI>a.jpg</app:imageURI><app:target uri="#all"><app:TexCoordGen>'
        f"<app:worldToTexture>{matrix}</app:worldToTexture></app:TexCoordGen></app:target>"
        "</app:ParameterizedTexture>"
    )


def test_a_projection_becomes_coordinates(tmp_path: Path) -> None:
    """u = (2x + 1) / 2 and v = (y + z) / 2 by the matrix, whichever way round the polygon is."""
    matrix = "2 0 0 1  0 1 1 0  0 0 0 2"
    found, opened = dressed(tmp_path, of_object(projected(matrix)) + SURFACE)
    assert not opened.ledger
    assert found.xyz[:4].tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]
    assert uv_of(found)[:4] == [[0.5, 0], [1.5, 0], [1.5, 0.5], [0.5, 0.5]]
    assert found.xyz[4:].tolist() == [[0, 1, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0]]
    assert uv_of(found)[4:] == [[0.5, 0.5], [1.5, 0.5], [1.5, 0], [0.5, 0]]


def test_a_projection_of_citygml_3(tmp_path: Path) -> None:
    old = (
        projected("1 0 0 0  0 1 0 0  0 0 0 4")
        .replace('<app:target uri="#all">', "@")
        .replace("</app:target>", "")
    )
    new = old.replace(
        "@",
        "<app:parameterization><app:TextureAssociation><app:target>#one</app:target><app:textureParameterization>",
    ).replace(
        "</app:ParameterizedTexture>",
        "</app:textureParameterization></app:TextureAssociation></app:parameterization></app:ParameterizedTexture>",
    )
    found, opened = dressed(tmp_path, of_object(new) + SURFACE)
    assert not opened.ledger
    assert uv_of(found)[2] == [0.25, 0.25]


def test_a_projection_with_a_vanishing_point_on_the_surface_is_noted(tmp_path: Path) -> None:
    found, opened = dressed(tmp_path, of_object(projected("1 0 0 0  0 1 0 0  1 0 0 0")) + SURFACE)
    assert found.appearance is None
    assert opened.ledger == {"appearance projection that does not fit": 2}


def on_the_ground(place: str = "0.25 3.75", orientation: str = "0.5 0 0 -0.5", image: str = "g.png") -> str:
    return (
        f"<app:GeoreferencedTexture><app:imageURI>{image}</app:imageURI><app:wrapMode>none</app:wrapMode>"
        f"<app:referencePoint><gml:Point><gml:pos>{place}</gml:pos></gml:Point></app:referencePoint>"
        f"<app:orientation>{orientation}</app:orientation><app:target>#one</app:target>"
        "</app:GeoreferencedTexture>"
    )


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + width.to_bytes(4) + height.to_bytes(4) + b"\x08\x02\0\0\0"


def test_an_image_on_the_ground_becomes_coordinates(tmp_path: Path) -> None:
    """8 x 8 pixels of half a metre with the upper left corner at (0, 4): 4 m by 4 m, v up from y = 0."""
    (tmp_path / "g.png").write_bytes(png(8, 8))
    found, opened = dressed(tmp_path, of_object(on_the_ground()) + SURFACE)
    assert not opened.ledger
    assert uv_of(found)[:4] == [[0, 0], [0.25, 0], [0.25, 0.25], [0, 0.25]]
    assert np.isnan(uv_of(found)[4:]).all(), "only its target has the image"
    turned, _ = dressed(tmp_path, of_object(on_the_ground("3.75 3.75", "0 -0.5 -0.5 0")) + SURFACE)
    assert uv_of(turned)[1] == [1.0, 0.25], "x of 1 is 6 pixels down, y of 0 is 8 to the right"


@pytest.mark.parametrize("content", [b"", b"GIF89a", png(0, 8), b"\xff\xd8\xff\xe0\0\x10JFIF"])
def test_an_image_that_has_no_size_is_noted(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "g.png").write_bytes(content)
    found, opened = dressed(tmp_path, of_object(on_the_ground()) + SURFACE)
    assert found.appearance is None
    assert opened.ledger == {"appearance GeoreferencedTexture without a place or image": 1}


@pytest.mark.parametrize("name", ["../g.png", "/etc/g.png", "http://x/g.png", "link.png", "none.png"])
def test_only_images_beside_the_model_are_looked_at(tmp_path: Path, name: str) -> None:
    (tmp_path / "g.png").write_bytes(png(8, 8))
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "link.png").symlink_to(tmp_path / "g.png")
    assert image_size(folder, name) is None
    assert image_size(tmp_path, "g.png") == (8, 8)


def test_a_jpeg_has_its_size_behind_other_segments(tmp_path: Path) -> None:
    frame = b"\xff\xc2\0\x11\x08" + (300).to_bytes(2) + (400).to_bytes(2)
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0\0\x04ab\xff\xc4\0\x03a" + frame + b"rest")
    assert image_size(tmp_path, "a.jpg") == (400, 300)


def test_surface_data_and_coordinates_are_shared_by_links(tmp_path: Path) -> None:
    """The winter theme links to what summer has, and stands before it."""
    named = texture("ring").replace("<app:ParameterizedTexture>", '<app:ParameterizedTexture gml:id="t">')
    named = named.replace("<app:TexCoordList>", '<app:TexCoordList gml:id="c">')
    other = (
        "<app:ParameterizedTexture><app:imageURI>snow.jpg</app:imageURI>"
        '<app:target uri="#two" xlink:href="#c"/></app:ParameterizedTexture>'
    )
    linked = '<app:surfaceDataMember xlink:href="#t"/>'
    winter = f"<app:Appearance><app:theme>winter</app:theme>{linked}</app:Appearance>"
    snow = appearance(other, theme="<app:theme>snow</app:theme>")
    members = [winter, snow, appearance(named)]
    found, opened = dressed(
        tmp_path, SURFACE, *(f"<app:appearanceMember>{member}</app:appearanceMember>" for member in members)
    )
    assert not opened.ledger
    assert found.appearance is not None
    images: dict[str, list[Any]] = {
        theme: [found.appearance.textures[i]["image"] for i in content.image if i >= 0]
        for theme, content in found.appearance.texture.items()
    }
    assert images == {"summer": ["wall.png"], "winter": ["wall.png"], "snow": ["snow.jpg"]}
    assert np.array_equal(uv_of(found, "winter"), uv_of(found, "snow"), equal_nan=True)


def test_links_that_lead_nowhere_and_backs_of_surfaces_are_noted(tmp_path: Path) -> None:
    lost = '<app:ParameterizedTexture><app:target uri="#one" xlink:href="#no"/></app:ParameterizedTexture>'
    back = material("one").replace("<app:target>", "<app:isFront>false</app:isFront><app:target>")
    content = of_object(lost, back).replace(
        "</app:Appearance>", '<app:surfaceDataMember xlink:href="#none"/></app:Appearance>'
    )
    found, opened = dressed(tmp_path, content + SURFACE)
    assert found.appearance is None
    assert opened.ledger == {
        "appearance link that leads nowhere": 2,
        "appearance of the back of surfaces": 1,
    }
