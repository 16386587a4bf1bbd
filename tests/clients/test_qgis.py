"""QGIS without a screen adds a collection as a layer of OGC API Features, counts it and filters it."""

import json
import os
import subprocess
import sys
from functools import cache

import pytest

from tests.api.seeding import Seeded

_ASKING = """
import json, os, sys
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from qgis.core import QgsApplication, QgsFeatureRequest, QgsRectangle, QgsVectorLayer

application = QgsApplication([], False)
application.initQgis()
source = "pagingEnabled='true' pageSize='50' srsname='OGC:CRS84' typename='buildings' url='%s/'" % sys.argv[1]
layer = QgsVectorLayer(source, "buildings", "OAPIF")
assert layer.isValid(), layer.error().message()
found = {"fields": [field.name() for field in layer.fields()]}
found["all"] = sum(1 for _ in layer.getFeatures())
found["count"] = layer.featureCount()
request = QgsFeatureRequest().setFilterRect(QgsRectangle(24.7, 59.4, 24.8, 59.5))
found["box"] = sum(1 for _ in layer.getFeatures(request))
request = QgsFeatureRequest().setFilterExpression('"height_m" > 20')
found["tall"] = sorted(feature["height_m"] for feature in layer.getFeatures(request))
assert layer.setSubsetString('{"op": ">", "args": [{"property": "height_m"}, 20]}') in (True, False)
print("found:" + json.dumps(found))
application.exitQgis()
"""


@cache
def python_of_qgis() -> str | None:
    """A Python that has QGIS: that of `QGIS_PYTHON`, this one, or that of the system."""
    for python in filter(None, (os.environ.get("QGIS_PYTHON"), sys.executable, "/usr/bin/python3")):
        try:
            done = subprocess.run([python, "-c", "import qgis.core"], capture_output=True, check=False)
        except OSError:
            continue
        if done.returncode == 0:
            return python
    return None


def test_qgis_adds_counts_and_filters(address: str, seeded_towns: list[Seeded]) -> None:
    python = python_of_qgis()
    if python is None:
        pytest.skip("QGIS (Debian's python3-qgis) is not installed; QGIS_PYTHON names a Python that has it")
    done = subprocess.run(
        [python, "-c", _ASKING, address],
        capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )  # fmt: skip
    told = [line for line in done.stdout.splitlines() if line.startswith("found:")]
    assert told, done.stdout + done.stderr
    found = json.loads(told[0].removeprefix("found:"))
    assert {"height_m", "city", "year_of_construction"} <= set(found["fields"])
    assert (found["all"], found["count"]) == (len(seeded_towns), len(seeded_towns))
    assert found["box"] == sum(item.properties["city"] == "hill" for item in seeded_towns)
    assert found["tall"] == sorted(
        item.properties["height_m"] for item in seeded_towns if (item.properties["height_m"] or 0) > 20
    )
