"""Small processed cities, for tests of roof surfaces: as imported, then `twin process`."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import shapely
from sqlalchemy import Engine, select

from importers.grasp import ImportOptions
from importers.ingest import Ingest
from importers.synthetic import synthesise
from tests.importers.stored import clean
from twin.db.schema import roof_face
from twin.processing.pipeline import process

BUILDINGS = 40
"""Of each dataset."""

Row = dict[str, Any]
_shapely: Any = shapely


@contextmanager
def roofs(engine: Engine, folder: Path) -> Generator[list[Row], None, None]:
    """Two cities, the first in two datasets of which one is primary; their rows of ``roof_face``."""
    with clean(engine):
        synthesise(folder / "a.gml", city="helsinki", buildings=BUILDINGS, seed=1)
        synthesise(folder / "b.city.jsonl", city="tallinn", buildings=BUILDINGS, seed=2)
        synthesise(folder / "c.gml", city="helsinki", buildings=BUILDINGS, seed=3)
        for name, file in (("first", "a.gml"), ("other", "b.city.jsonl"), ("second", "c.gml")):
            Ingest(engine, ImportOptions(dataset=name)).run(folder / file)
        process(engine)
        yield stored(engine)


def stored(engine: Engine) -> list[Row]:
    """All rows of ``roof_face`` in order of id, with ``shape`` as shapely has it."""
    r = roof_face.c
    columns = [c for c in roof_face.c if c.name not in {"footprint", "footprint_3857", "geojson"}]
    with engine.connect() as connection:
        query = select(*columns, r.footprint.ST_AsBinary().label("wkb")).order_by(r.id)
        rows: Sequence[Any] = connection.execute(query).mappings().all()
        return [{**row, "shape": _shapely.from_wkb(bytes(row["wkb"]))} for row in rows]
