"""The notebook of the documentation runs, its cells one after the other, without Jupyter."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.api.seeding import Seeded
from tests.api.test_examples import address as _address
from tests.fixtures import ROOT

address = _address
NOTEBOOK = ROOT / "docs" / "how-to" / "compare-cities.ipynb"


def cells(kind: str) -> list[str]:
    document: dict[str, Any] = json.loads(NOTEBOOK.read_text())
    assert document["nbformat"] == 4
    return ["".join(cell["source"]) for cell in document["cells"] if cell["cell_type"] == kind]


def test_the_notebook_runs(address: str, seeded_towns: list[Seeded], tmp_path: Path) -> None:
    code = "\n".join(cells("code"))
    assert "http://127.0.0.1:8000" in code
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code.replace("http://127.0.0.1:8000", address)],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for city in ("harbour", "hill"):
        tall = sum(
            i.properties["city"] == city and (i.properties["height_m"] or 0) > 20 for i in seeded_towns
        )
        assert f"{city}: 60 buildings, {tall} above 20 m" in done.stdout
    features = json.loads((tmp_path / "density.geojson").read_text())["features"]
    assert sum(feature["properties"]["count"] for feature in features) == len(seeded_towns)
    assert (tmp_path / "density.svg").read_text().count("<path") == len(features)


def test_it_holds_no_results() -> None:
    """They are those of whoever runs it."""
    document = json.loads(NOTEBOOK.read_text())
    code = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    assert len(code) >= 4
    assert [cell for cell in code if cell["outputs"] or cell["execution_count"]] == []
    assert len(cells("markdown")) >= len(code)
