"""The verdicts of val3dity that the publisher stored with every building of the 3DBAG."""

from importers.reader import open_model
from tests.fixtures import SHARED_DATA, needs_shared_data
from twin.model.cityobject import CityFeature
from twin.model.geometry import Geometry
from twin.processing.validity import delivered, validate

pytestmark = needs_shared_data

LODS = ("1.2", "1.3", "2.2")


def stored() -> tuple[list[tuple[Geometry, ...]], list[list[int]]]:
    """The solids of each building at each LoD, and the codes that val3dity gave them."""
    solids: list[tuple[Geometry, ...]] = []
    codes: list[list[int]] = []
    for feature in open_model(SHARED_DATA / "cityjson" / "3dbag_delft_319.city.json"):
        assert isinstance(feature, CityFeature)
        for lod in LODS:
            text = str(feature.root.attributes["b3_val3dity_lod" + lod.replace(".", "")])
            codes.append([int(code) for code in text.strip("[]").split(",") if code])
            solids.append(delivered(feature, lod))
    return solids, codes


def test_delft_has_the_verdicts_of_val3dity() -> None:
    solids, expected = stored()
    verdict = validate(solids)
    assert len(expected) == 477
    assert verdict.valid == [not codes for codes in expected]
    # val3dity turns faces back before it looks for edges of several faces, hence 307 beside 303; and
    # it counts a ring of two points, left by the closing one, as one that repeats a point.
    kinds = [sorted({102 if code == 101 else code for code in codes}) for codes in verdict.codes]
    different = [(found, told) for found, told in zip(kinds, expected, strict=True) if found != told]
    assert different == [([303], [303, 307])]
    assert not any(verdict.unchecked)


def test_codes_do_not_depend_on_what_else_is_checked() -> None:
    solids, _ = stored()
    together = validate(solids[:60]).codes
    assert together == [validate([item]).codes[0] for item in solids[:60]]
