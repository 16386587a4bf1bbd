"""The real deliveries, as far as this project has them."""

from collections import Counter
from pathlib import Path

from importers.harmonise import Harmonised, harmonise
from importers.reader import open_model
from importers.sources import recognise
from tests.fixtures import SHARED_DATA, needs_shared_data
from twin.model.cityobject import CityFeature
from twin.model.crs import parse_reference_system

pytestmark = needs_shared_data

KALASATAMA = SHARED_DATA / "helsinki" / "kalasatama_2549_6674.gml"
TARTU_JSON = SHARED_DATA / "tallinn" / "ee_tartu_kvissentali_6_lod2.city.json"
TARTU_GML = SHARED_DATA / "tallinn" / "ee_tartu_kvissentali_6_lod2_maaamet_style.gml"


def harmonised(path: Path) -> dict[str, Harmonised]:
    model = open_model(path)
    roots = [entry.root for entry in model if isinstance(entry, CityFeature)]
    reference = parse_reference_system(model.metadata.reference_system)
    source = recognise(model.metadata, reference, roots, None, None)
    return {root.id: harmonise(source, root) for root in roots}


def test_kalasatama_in_all_three_vintages() -> None:
    results = harmonised(KALASATAMA)
    assert len(results) == 61
    filled = Counter(name for result in results.values() for name in result.values)
    assert filled == {
        "measured_height_m": 61, "status": 51, "national_building_id": 36, "municipal_id": 36,
        "current_use": 31, "storeys_above_ground": 31, "floor_area_m2": 31, "year_of_construction": 23,
        "material": 23, "street": 22, "house_number": 22,
    }  # fmt: skip
    assert not any(result.unknown_codes for result in results.values())
    statuses = Counter(result.values.get("status") for result in results.values())
    assert statuses == {"functional": 40, "planned": 6, "underConstruction": 5, None: 10}


def test_both_estonian_files_agree_wherever_both_say_something() -> None:
    one, other = harmonised(TARTU_JSON), harmonised(TARTU_GML)
    assert one.keys() == other.keys()
    assert len(one) == 6
    for object_id, result in other.items():
        known = one[object_id].values
        assert result.values == {name: known[name] for name in result.values}
        assert result.values["municipal_id"] == object_id.split("_")[1]
        assert {"municipal_id", "measured_height_m", "street"} <= result.values.keys()


def test_the_register_s_attributes_in_the_estonian_file() -> None:
    dwelling = harmonised(TARTU_JSON)["etak_727990_hooned"].values
    assert dwelling["current_use"] == "individualResidence"
    assert dwelling["year_of_construction"] == 1969
    assert (dwelling["street"], dwelling["house_number"]) == ("Madruse tn", "22")
