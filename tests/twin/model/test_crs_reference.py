import pytest

from twin.errors import UnknownReferenceSystem
from twin.model.crs import ReferenceSystem, parse_reference_system


@pytest.mark.parametrize(
    ("stated", "horizontal", "vertical"),
    [
        ("urn:ogc:def:crs:EPSG::3879", 3879, None),
        ("urn:ogc:def:crs:EPSG:6.12:3068", 3068, None),
        ("urn:ogc:def:crs,crs:EPSG::25832,crs:EPSG::5783", 25832, 5783),
        ("urn:ogc:def:crs,crs:EPSG:6.12:25833,crs:EPSG:6.12:5783", 25833, 5783),
        ("http://www.opengis.net/def/crs/EPSG/0/7415", 28992, 5709),
        ("https://www.opengis.net/def/crs/EPSG/0/3301", 3301, None),
        ("http://www.opengis.net/def/crs/EPSG/6.12/3068", 3068, None),
        ("http://www.opengis.net/gml/srs/epsg.xml#4326", 4326, None),
        (
            "http://www.opengis.net/def/crs-compound?1=http://www.opengis.net/def/crs/EPSG/0/3879"
            "&2=http://www.opengis.net/def/crs/EPSG/0/3900",
            3879,
            3900,
        ),
        ("EPSG:3879+3900", 3879, 3900),
        ("EPSG:25832+EPSG:5783", 25832, 5783),
        (" epsg:3301 ", 3301, None),
        ("3067", 3067, None),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", 4326, None),
        ("http://www.opengis.net/def/crs/OGC/0/CRS84h", 4979, None),
    ],
)
def test_understands_every_way_to_state_a_reference_system(
    stated: str, horizontal: int, vertical: int | None
) -> None:
    assert parse_reference_system(stated) == ReferenceSystem(horizontal, vertical)


@pytest.mark.parametrize("stated", [None, "", "   "])
def test_nothing_stated_is_no_reference_system(stated: str | None) -> None:
    assert parse_reference_system(stated) == ReferenceSystem(None, None)


@pytest.mark.parametrize(
    "stated",
    [
        "#local-CRS-1",
        "CH1903",
        "EPSG:23632",
        "EPSG:3879 or so",
        "EPSG:3900",
        "EPSG:3879+3301",
        "EPSG:3879+3900+5783",
        "urn:adv:crs:DE_DHDN_3GK4*DE_DHHN92_NH",
    ],
)
def test_what_is_not_known_is_refused_with_advice(stated: str) -> None:
    with pytest.raises(UnknownReferenceSystem, match="--crs EPSG:n"):
        parse_reference_system(stated)


def test_reference_systems_read_as_people_write_them() -> None:
    assert str(ReferenceSystem(3879, 3900)) == "EPSG:3879+3900"
    assert str(ReferenceSystem(3301)) == "EPSG:3301"
    assert str(ReferenceSystem(None)) == "no reference system"
