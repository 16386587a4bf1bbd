import pytest

from importers.port import ModelMetadata
from importers.sources import ELSEWHERE, ESTONIA, HELSINKI, SOURCES, Source, recognise
from twin.model.cityobject import Address, CityObject
from twin.model.reference import ReferenceSystem

METADATA = ModelMetadata("CityJSON 2.0")
KALASATAMA, RAEKOJA, KVISSENTALI = (24.981, 60.184), (24.7453, 59.4372), (26.69, 58.41)
GK25, L_EST, RD = ReferenceSystem(3879), ReferenceSystem(3301), ReferenceSystem(28992, 5709)


def root(id_: str = "b1", *addresses: Address, **attributes: object) -> CityObject:
    return CityObject(id_, "Building", dict(attributes), addresses=addresses)


def found(
    reference: ReferenceSystem,
    *roots: CityObject,
    lonlat: tuple[float, float] | None = None,
    city: str | None = None,
    title: str | None = None,
) -> Source:
    return recognise(ModelMetadata("CityJSON 2.0", title), reference, roots, lonlat, city)


def test_helsinki_by_its_attributes_in_any_reference_system() -> None:
    source = found(ReferenceSystem(3067), root(VTJ_PRT="1", RATU=3), lonlat=KALASATAMA)
    assert (source.name, source.city, source.schema) == ("helsinki_lod2", "helsinki", "helsinki")
    assert source.publisher == "City of Helsinki"
    assert found(RD, root(register={"RATU": 3})).schema == "helsinki"


def test_helsinki_by_reference_system_and_place() -> None:
    assert found(GK25, root(function="039"), lonlat=KALASATAMA).schema == "helsinki"
    assert found(GK25, root(), lonlat=None).schema == "helsinki"
    vantaa = found(GK25, root("b", Address(locality="Vantaa")), lonlat=(25.04, 60.31))
    assert (vantaa.schema, vantaa.city) == ("generic", "vantaa")


def test_estonia_by_ids_attributes_or_reference_system() -> None:
    for item in (root("etak_581316_hooned"), root(etak_id=1), root(tyyp_tekst="Vare")):
        assert found(ReferenceSystem(None), item).schema == "estonia"
    assert found(L_EST, root()).name == "estonia_lod2"
    assert found(L_EST, root(), lonlat=RAEKOJA).name == "tallinn_lod2"


@pytest.mark.parametrize(
    ("lonlat", "locality", "city"),
    [
        (RAEKOJA, "Kesklinna linnaosa", "tallinn"),
        (RAEKOJA, None, "tallinn"),
        (KVISSENTALI, "Tartu", "tartu"),
        (KVISSENTALI, None, "tartu"),
        ((24.5, 58.38), "Pärnu linn", "parnu_linn"),
        ((24.5, 58.38), None, ELSEWHERE),
        (None, None, ELSEWHERE),
        ((float("nan"), float("nan")), None, ELSEWHERE),
    ],
)
def test_the_city_of_a_national_product_is_where_it_lies(
    lonlat: tuple[float, float] | None, locality: str | None, city: str
) -> None:
    assert found(L_EST, root("etak_1_hooned", Address(locality=locality)), lonlat=lonlat).city == city


def test_a_person_names_the_city() -> None:
    assert found(L_EST, root(), lonlat=RAEKOJA, city="pirita").city == "pirita"
    assert found(L_EST, root(), lonlat=RAEKOJA, city="pirita").name == "pirita_lod2"
    assert found(RD, root(), city="delft").city == "delft"


def test_anything_else_is_generic_and_takes_no_ones_publisher() -> None:
    source = found(RD, root(), lonlat=(4.37, 52.0), title="3DBAG: Delft, 2023")
    assert (source.schema, source.city, source.name) == ("generic", ELSEWHERE, "3dbag_delft_2023")
    assert source.title == "3DBAG: Delft, 2023"
    assert source.publisher is None
    assert found(RD, root()).name == ELSEWHERE


def test_most_addresses_decide_the_locality() -> None:
    roots = [root(str(n), Address(locality=name)) for n, name in enumerate(["Delft", "Rijswijk", "Delft"])]
    assert found(RD, *roots).city == "delft"


def test_only_the_vertical_system_is_completed() -> None:
    assert HELSINKI.complete(ReferenceSystem(3879)) == ReferenceSystem(3879, 3900)
    assert ESTONIA.complete(ReferenceSystem(3301)) == ReferenceSystem(3301, 9663)
    assert ESTONIA.complete(ReferenceSystem(3301, 5705)) == ReferenceSystem(3301, 5705)
    assert HELSINKI.complete(ReferenceSystem(None)) == ReferenceSystem(None)
    assert Source("x", "X").complete(GK25) == GK25


def test_declared_sources_can_be_credited() -> None:
    for source in SOURCES:
        assert source.publisher
        assert source.licence
        assert (source.page or "").startswith("https://")
        assert source.reference.vertical
