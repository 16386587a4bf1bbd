import pickle
import re

import numpy as np
import pytest
from pyproj import Transformer

from tests.fixtures import SHARED_DATA, needs_shared_data
from twin.errors import InputError, UnknownReferenceSystem
from twin.model.crs import Placer, ReferenceSystem, earth_centred, web_mercator
from twin.model.geometry import Floats

HELSINKI = ReferenceSystem(3879, 3900)
ESTONIA = ReferenceSystem(3301, 9663)
TARTU_POINT = np.array([[657083.33, 6477379.09, 33.0]])

GK25FIN = "+proj=tmerc +lat_0=0 +lon_0=25 +k=1 +x_0=25500000 +y_0=0 +ellps=GRS80"
L_EST97 = (
    "+proj=lcc +lat_0=57.5175539305556 +lon_0=24 +lat_1=59.3333333333333 +lat_2=58 "
    "+x_0=500000 +y_0=6375000 +ellps=GRS80"
)


def pipeline(projection: str) -> Transformer:
    """The way to EPSG:4978 that shares nothing with the placer: PROJ and the whole grid."""
    grid = SHARED_DATA / "grids" / "fi_nls_fin2023n2000.tif"
    return Transformer.from_pipeline(
        f"+proj=pipeline +step +inv {projection} +step +proj=vgridshift +grids={grid} +multiplier=1 "
        "+step +proj=cart +ellps=GRS80"
    )


def through(transformer: Transformer, xyz: Floats) -> Floats:
    return np.column_stack(transformer.transform(xyz[:, 0], xyz[:, 1], xyz[:, 2]))


def scattered(west: float, south: float, east: float, north: float) -> Floats:
    random = np.random.default_rng(42)
    return random.uniform([west, south, -5.0], [east, north, 150.0], (5000, 3))


def test_helsinki_test_point() -> None:
    lon, lat, height = Placer.create(HELSINKI).geodetic(np.array([[25496730.0, 6672500.0, 10.0]]))[0]
    assert lon == pytest.approx(24.941104, abs=1e-6)
    assert lat == pytest.approx(60.165381, abs=1e-6)
    assert height == pytest.approx(27.608, abs=0.01)


@needs_shared_data
@pytest.mark.parametrize(
    ("reference", "projection", "points"),
    [
        (HELSINKI, GK25FIN, scattered(25486000, 6643000, 25514000, 6688000)),
        (ESTONIA, L_EST97, scattered(533000, 6580000, 553000, 6604000)),
    ],
    ids=["Helsinki", "Tallinn"],
)
def test_points_are_where_an_independent_pipeline_puts_them(
    reference: ReferenceSystem, projection: str, points: Floats
) -> None:
    placer = Placer.create(reference)
    expected = through(pipeline(projection), points)
    assert np.isfinite(expected).all()
    assert np.linalg.norm(placer.ecef(points) - expected, axis=1).max() < 0.01
    assert placer.place(points) == "exact"


@needs_shared_data
def test_every_vertex_of_kalasatama_is_where_the_pipeline_puts_it() -> None:
    text = (SHARED_DATA / "helsinki" / "kalasatama_2549_6674.gml").read_text(encoding="utf-8")
    lists = re.findall(r"<gml:posList[^>]*>([^<]+)<", text)
    points = np.array(" ".join(lists).split(), dtype=np.float64).reshape(-1, 3)
    assert len(points) > 5000
    offset = Placer.create(HELSINKI).ecef(points) - through(pipeline(GK25FIN), points)
    assert np.linalg.norm(offset, axis=1).max() < 0.01


def test_tartu_is_approximate_on_every_machine() -> None:
    placer = Placer.create(ESTONIA)
    assert placer.place(TARTU_POINT) == "approximate"
    lon, lat, height = placer.geodetic(TARTU_POINT)[0]
    assert (lon, lat) == (pytest.approx(26.68799, abs=1e-5), pytest.approx(58.40849, abs=1e-5))
    assert height - 33.0 == pytest.approx(18.84, abs=0.05)
    about = placer.heights_at(TARTU_POINT)
    assert "EGM96" in about["method"]
    assert about["accuracy_m"] == 0.5
    assert about["vertical"] == "EH2000 height (EPSG:9663)"


def test_the_metadata_of_tallinn_says_what_is_not_verified() -> None:
    about = Placer.create(ESTONIA).heights_at(np.array([[542292.0, 6589053.0, 30.0]]))
    assert "FIN2023N2000" in about["method"]
    assert "National Land Survey of Finland" in about["credit"]
    assert "not verified" in about["note"]
    assert "also" not in about


def test_a_sample_in_two_regions_names_both_sources_the_worst_first() -> None:
    both = np.vstack([TARTU_POINT, [[542292.0, 6589053.0, 30.0]]])
    about = Placer.create(ESTONIA).heights_at(both)
    assert "EGM96" in about["method"]
    assert ["FIN2023N2000" in other["method"] for other in about["also"]] == [True]
    assert Placer.create(ESTONIA).place(both) == "approximate"
    assert Placer.create(ESTONIA).placements(both).tolist() == [1, 0]


def test_a_vertical_system_that_is_not_stated_is_approximate_and_said_so() -> None:
    point = np.array([[25496730.0, 6672500.0, 10.0]])
    placer = Placer.create(ReferenceSystem(3879))
    assert placer.place(point) == "approximate"
    assert placer.geodetic(point)[0, 2] == pytest.approx(27.608, abs=0.01)
    assert "no vertical system is stated" in placer.heights_at(point)["note"]


def test_ellipsoidal_heights_are_taken_as_they_are() -> None:
    point = np.array([[24.94, 60.17, 27.6]])
    placer = Placer.create(ReferenceSystem(4979))
    assert placer.geodetic(point).tolist() == point.tolist()
    assert placer.place(point) == "exact"
    assert placer.heights_at(point)["vertical"] == "ellipsoidal"


DELFT = np.array([[85000.0, 446000.0, 10.0]])


def test_without_a_grid_a_place_is_only_horizontal() -> None:
    placer = Placer.create(ReferenceSystem(28992, 5709))
    assert placer.place(DELFT) == "unplaced"
    assert placer.lonlat(DELFT)[0] == pytest.approx([4.3681, 51.9987], abs=1e-3)
    assert np.isnan(placer.ellipsoidal_heights(DELFT, placer.lonlat(DELFT))).all()
    with pytest.raises(InputError, match=r"EPSG:28992\+5709"):
        placer.geodetic(DELFT)
    assert "no geoid grid" in placer.heights_at(DELFT)["note"]


def test_a_person_may_give_a_constant() -> None:
    placer = Placer.create(ReferenceSystem(28992, 5709), undulation_m=43.6)
    assert placer.geodetic(DELFT)[0, 2] == pytest.approx(53.6)
    assert placer.place(DELFT) == "approximate"
    assert "constant" in placer.heights_at(DELFT)["method"]


def test_a_constant_does_not_replace_a_table() -> None:
    placer = Placer.create(HELSINKI, undulation_m=0.0)
    assert placer.geodetic(np.array([[25496730.0, 6672500.0, 10.0]]))[0, 2] == pytest.approx(27.608, abs=0.01)


def test_without_a_reference_system_nothing_is_placed() -> None:
    placer = Placer.create(ReferenceSystem(None))
    points = np.array([[1.0, 2.0, 3.0]])
    assert not placer.has_lonlat
    assert placer.place(points) == "unplaced"
    assert np.isnan(placer.lonlat(points)).all()
    with pytest.raises(InputError, match="no reference system is stated"):
        placer.ecef(points)


def test_absurd_points_cost_only_themselves() -> None:
    points = np.array([[25496730.0, 6672500.0, 10.0]] * 20 + [[1e300, -1e300, 0.0], [np.nan, 0.0, 0.0]])
    placer = Placer.create(HELSINKI)
    assert placer.placements(points).tolist() == [0] * 20 + [2, 2]
    assert placer.place(points) == "exact"
    assert np.isfinite(placer.geodetic(points)[:20]).all()
    assert np.isnan(placer.geodetic(points)[20:]).all()
    assert placer.place(points[15:]) == "unplaced"


def test_no_points_are_nowhere() -> None:
    placer = Placer.create(HELSINKI)
    nothing = np.zeros((0, 3))
    assert placer.place(nothing) == "unplaced"
    assert placer.geodetic(nothing).shape == (0, 3)


def test_heights_in_feet_become_metres() -> None:
    feet = Placer.create(ReferenceSystem(2263, 6360), undulation_m=-32.0)
    height = feet.geodetic(np.array([[985000.0, 200000.0, 100.0]]))[0, 2]
    assert height == pytest.approx(100 * 1200 / 3937 - 32.0, abs=1e-6)


def test_a_rough_datum_shift_makes_a_placement_approximate() -> None:
    # DHDN to WGS 84 without the national grid: two metres.
    berlin = np.array([[20000.0, 21000.0, 40.0]])
    placer = Placer.create(ReferenceSystem(3068, 5783), undulation_m=39.5)
    assert placer.place(berlin) == "approximate"
    assert placer.heights_at(berlin)["horizontal_accuracy_m"] == 2.0


@pytest.mark.parametrize("horizontal", [4978, 999999])
def test_systems_that_cannot_be_used_are_refused(horizontal: int) -> None:
    with pytest.raises(UnknownReferenceSystem, match="--crs"):
        Placer.create(ReferenceSystem(horizontal))


def test_a_placer_travels_to_another_process() -> None:
    placer = Placer.create(ESTONIA)
    copy: Placer = pickle.loads(pickle.dumps(placer))
    assert copy.ecef(TARTU_POINT).tolist() == placer.ecef(TARTU_POINT).tolist()


def test_earth_centred_agrees_with_proj() -> None:
    random = np.random.default_rng(1)
    geodetic = random.uniform([-180, -89, -100], [180, 89, 9000], (1000, 3))
    to_4978 = Transformer.from_crs(4979, 4978, always_xy=True)
    assert np.abs(earth_centred(geodetic) - through(to_4978, geodetic)).max() < 1e-6


def test_web_mercator_agrees_with_proj_and_ends_at_the_square() -> None:
    lonlat = np.array([[24.94, 60.17], [-179.9, -80.0], [0.0, 0.0]])
    to_3857 = Transformer.from_crs(4326, 3857, always_xy=True)
    expected = np.column_stack(to_3857.transform(lonlat[:, 0], lonlat[:, 1]))
    assert np.abs(web_mercator(lonlat) - expected).max() < 1e-6
    assert web_mercator(np.array([[0.0, 90.0]]))[0, 1] == pytest.approx(20037508.34, abs=0.01)


def test_points_are_located_together_as_each_by_itself() -> None:
    placer = Placer.create(ReferenceSystem(3879, 3900))
    corners = np.array([[25496000.0, 6672000.0], [25496010.5, 6672000.0], [25496000.0, 6672020.25]])
    xyz = np.column_stack([np.tile(corners, (4, 1)), np.arange(12.0)])
    together = placer.located(xyz)
    for index, point in enumerate(xyz):
        alone = placer.located(point[None])
        assert (together.lonlat[index] == alone.lonlat[0]).all()
        assert together.height[index] == alone.height[0]
        assert together.rank[index] == alone.rank[0]
    assert (together.lonlat == placer.lonlat(xyz)).all()
    assert (together.height == placer.ellipsoidal_heights(xyz, together.lonlat)).all()
