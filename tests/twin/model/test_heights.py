import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyproj import Transformer

from tests.fixtures import SHARED_DATA, needs_shared_data
from twin.model import heights
from twin.model.geometry import Floats
from twin.model.heights import EH2000, N2000, geoid_table, sources, undulation


@pytest.mark.parametrize(
    ("lon", "lat", "expected"),
    [(24.7453, 59.4370, 17.893), (24.941104, 60.165381, 17.610), (25.0, 60.0, 17.480)],
    ids=["Tallinn", "Helsinki", "between"],
)
@pytest.mark.parametrize("vertical", [N2000, EH2000])
def test_undulations_at_the_test_points(lon: float, lat: float, expected: float, vertical: int) -> None:
    value, rank = undulation(sources(vertical), np.array([[lon, lat]]))
    assert value[0] == pytest.approx(expected, abs=0.01)
    assert rank[0] == heights.EXACT


def finnish_grid(lonlat: Floats) -> Floats:
    grid = SHARED_DATA / "grids" / "fi_nls_fin2023n2000.tif"
    transformer = Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
        f"+step +proj=vgridshift +grids={grid} +multiplier=1"
    )
    return np.asarray(transformer.transform(lonlat[:, 0], lonlat[:, 1], np.zeros(len(lonlat)))[2])


@needs_shared_data
def test_the_table_is_the_grid_to_a_millimetre() -> None:
    random = np.random.default_rng(7)
    points = random.uniform([24.41, 59.31], [25.39, 60.39], (20_000, 2))
    value, rank = undulation(sources(N2000), points)
    assert np.abs(value - finnish_grid(points)).max() < 0.0015
    assert (rank == heights.EXACT).all()


@needs_shared_data
def test_egm96_is_as_far_from_the_finnish_geoid_as_its_metadata_says() -> None:
    about: dict[str, Any] = json.loads((files("twin.model") / "geoid" / "egm96.json").read_text())
    lon = about["west"] + about["step"] * np.arange(55)
    lat = about["south"] + about["step"] * np.arange(57)
    nodes = np.column_stack([np.tile(lon, len(lat)), np.repeat(lat, len(lon))])
    apart = geoid_table("egm96").interpolate(nodes)[0] - finnish_grid(nodes)
    apart = apart[np.isfinite(apart)]
    stated = about["difference"]
    assert len(apart) == stated["nodes"]
    assert apart.mean() == pytest.approx(stated["mean_m"], abs=0.001)
    assert np.abs(apart).max() == pytest.approx(stated["max_absolute_m"], abs=0.001)
    assert (np.abs(apart) <= heights.GLOBAL_ACCURACY_M).mean() > 0.97


def test_interpolation_is_bilinear() -> None:
    table = heights.GeoidTable("", "", 10.0, 50.0, 0.5, np.array([[0.0, 1.0, 2.0], [4.0, 5.0, 8.0]]))
    value, depth = table.interpolate(np.array([[10.0, 50.0], [10.25, 50.25], [11.0, 50.5], [10.75, 50.25]]))
    assert value == pytest.approx([0.0, 2.5, 8.0, 4.0])
    assert depth == pytest.approx([0.0, 0.5, 0.0, 0.5])
    assert table.interpolate(np.array([[9.9, 50.0]]))[1][0] < 0


def test_the_edge_of_the_fine_table_tears_no_building() -> None:
    west = np.column_stack([np.linspace(24.39, 24.42, 3001), np.full(3001, 59.9)])
    value, rank = undulation(sources(N2000), west)
    # 0.5 m at most over a cell of 0.01 degrees, which is 1000 of the steps of 0.00001 degrees.
    assert np.abs(np.diff(value)).max() < 0.001
    assert rank[0] == rank[1500] == heights.APPROXIMATE
    assert rank[-1] == heights.EXACT
    assert (np.diff(rank) <= 0).all()


def test_outside_every_table_there_is_nothing() -> None:
    value, rank = undulation(sources(N2000), np.array([[4.4, 52.0], [24.9, 60.2], [np.nan, np.nan]]))
    assert np.isnan(value).tolist() == [True, False, True]
    assert rank.tolist() == [heights.UNPLACED, heights.EXACT, heights.UNPLACED]


def test_a_constant_fills_what_is_left() -> None:
    value, rank = undulation(sources(N2000, 43.0), np.array([[4.4, 52.0], [24.9, 60.2]]))
    assert value[0] == 43.0
    assert value[1] == pytest.approx(17.6, abs=0.3)
    assert rank.tolist() == [heights.APPROXIMATE, heights.EXACT]


WITH_GRID = """
import json, struct, sys
from pathlib import Path
import numpy as np
import pyproj
from twin.model.heights import geoid_table
folder = Path(sys.argv[1])
values = geoid_table("egm96").values + 1.0
header = struct.pack(">ddddii", 57.0, 19.0, 0.25, 0.25, *values.shape)
(folder / "egm96_15.gtx").write_bytes(header + values.astype(">f4").tobytes())
pyproj.datadir.append_data_dir(str(folder))
from twin.model.crs import Placer, ReferenceSystem
tartu = np.array([[657083.33, 6477379.09, 33.0]])
out = []
for vertical in (9663, 5773):
    placer = Placer.create(ReferenceSystem(3301, vertical))
    out.append([placer.place(tartu), placer.geodetic(tartu)[0, 2], placer.heights_at(tartu)["method"]])
print(json.dumps(out))
"""


def test_a_grid_that_proj_has_goes_before_the_coarse_table(tmp_path: Path) -> None:
    # In a process of its own, for PROJ's search path is the process's. The grid is EGM96 raised by a metre.
    output = subprocess.run(
        [sys.executable, "-c", WITH_GRID, str(tmp_path)], check=True, capture_output=True, text=True
    ).stdout
    national, model = json.loads(output)
    tartu, _ = geoid_table("egm96").interpolate(np.array([[26.68799, 58.40849]]))
    for height in (national[1], model[1]):
        assert height == pytest.approx(33.0 + float(tartu[0]) + 1.0, abs=0.01)
    assert national[0] == "approximate"  # EGM96 stands in for EH2000
    assert model[0] == "exact"  # the heights are EGM96 heights
    assert national[2].startswith("PROJ grid for EGM96 height (EPSG:5773)")


def test_proj_without_the_grid_is_never_taken_at_its_word() -> None:
    # PROJ calls leaving the height as it is the best available operation from N2000.
    methods = [source.about["method"] for source in sources(N2000)]
    assert not any(method.startswith("PROJ grid for N2000") for method in methods)
    assert methods[0] == "table of geoid undulations FIN2023N2000"


def test_every_source_tells_where_it_is_from() -> None:
    for vertical in (N2000, EH2000, None):
        for source in sources(vertical, 17.0):
            assert set(source.about) == {"method", "accuracy_m", "credit", "note"}
    assert "CC BY 4.0" in sources(N2000)[0].about["credit"]
    assert "public domain" in sources(None)[-1].about["credit"]
