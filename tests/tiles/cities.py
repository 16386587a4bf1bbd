"""Two synthetic cities in a database, imported as a person would import them."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from importers.ingest import Ingest
from importers.synthetic import synthesise
from tests.importers.stored import clean

BUILDINGS = 350
"""Of each city: enough for tilesets inside tilesets, and more than one tile."""


@contextmanager
def cities(engine: Engine, folder: Path) -> Generator[Engine, None, None]:
    """Both cities as the only datasets, for the block."""
    with clean(engine):
        synthesise(folder / "helsinki.gml", city="helsinki", buildings=BUILDINGS, seed=1)
        synthesise(folder / "tallinn.city.jsonl", city="tallinn", buildings=BUILDINGS, seed=2)
        for path in (folder / "helsinki.gml", folder / "tallinn.city.jsonl"):
            report = Ingest(engine).run(path)
            assert (report.added, report.refused) == (BUILDINGS, [])
        yield engine
