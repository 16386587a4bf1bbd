"""What runs in a process of its own to be measured: ``python -m benchmarks.probes NAME ARGUMENT…``.

Prints one line of JSON with the processor seconds of the work itself, without the start of the program.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

_MEMBER = "{http://www.opengis.net/citygml/2.0}cityObjectMember"


def read(path: str) -> dict[str, Any]:
    """The reader alone, from the file to typed arrays."""
    from importers.port import Refused
    from importers.reader import open_model

    features = objects = points = 0
    started = time.process_time()
    for entry in open_model(Path(path)):
        assert not isinstance(entry, Refused), entry
        features += 1
        for item in entry:
            objects += 1
            points += sum(len(geometry.xyz) for geometry in item.geometries)
    return {
        "seconds": time.process_time() - started, "features": features, "objects": objects, "points": points
    }  # fmt: skip


def json_lines(path: str) -> dict[str, Any]:
    """Only the JSON parser."""
    started = time.process_time()
    with Path(path).open("rb") as file:
        for line in file:
            orjson.loads(line)
    return {"seconds": time.process_time() - started}


def xml_elements(path: str) -> dict[str, Any]:
    """Only the XML parser, forgetting each member."""
    from importers.xml_stream import forget, stream

    started = time.process_time()
    with Path(path).open("rb") as file:
        for _, element in stream(Path(path), file, ("end",), (_MEMBER,)):
            forget(element)
    return {"seconds": time.process_time() - started}


def transform(points: str) -> dict[str, Any]:
    """Only PROJ, on arrays, from EPSG:3879 to degrees."""
    import numpy as np
    from pyproj import Transformer

    transformer: Any = Transformer.from_crs(3879, 4326, always_xy=True)
    east = np.linspace(25_490_000.0, 25_510_000.0, int(points))
    north = np.linspace(6_670_000.0, 6_690_000.0, int(points))
    started = time.process_time()
    transformer.transform(east, north)
    return {"seconds": time.process_time() - started}


def stored(path: str, *options: str) -> dict[str, Any]:
    """A whole import in this process; ``measuring`` are the seconds that measuring and meshing took of it."""
    from importers import prepare
    from importers.grasp import ImportOptions
    from importers.ingest import Ingest
    from twin.db.engine import database
    from twin.settings import load

    measuring = 0.0
    derive = prepare.derive

    def timed(*given: Any) -> Any:
        nonlocal measuring
        before = time.process_time()
        try:
            return derive(*given)
        finally:
            measuring += time.process_time() - before

    prepare.derive = timed
    crs = options[0] if options else None
    with database(load()) as opened:
        started = time.process_time()
        report = Ingest(opened.engine, ImportOptions(crs=crs, undulation_m=200.2 if crs else None)).run(
            Path(path)
        )
    return {
        "seconds": time.process_time() - started, "measuring": measuring, "features": report.added
    }  # fmt: skip


PROBES: dict[str, Callable[..., dict[str, Any]]] = {
    probe.__name__: probe for probe in (read, json_lines, xml_elements, transform, stored)
}

if __name__ == "__main__":
    print(orjson.dumps(PROBES[sys.argv[1]](*sys.argv[2:])).decode())
