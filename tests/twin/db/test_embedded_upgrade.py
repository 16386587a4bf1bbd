"""Moving the private cluster to another version; one version is enough to prove the way."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from twin.db import embedded, layout, programs, upgrade
from twin.db.embedded import Cluster
from twin.errors import DatabaseUnavailable
from twin.settings import Settings


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    settings = Settings(home=tmp_path_factory.mktemp("upgrade") / "home")
    _run(
        settings,
        "CREATE EXTENSION postgis",
        "CREATE TABLE places AS SELECT 'SRID=3879;POINT(1 2)'::geometry AS geom",
    )
    yield settings
    embedded.destroy(settings)


def _run(settings: Settings, *statements: str) -> object:
    with embedded.running(settings) as connect:
        engine = create_engine(connect.owner_url)
        try:
            with engine.begin() as connection:
                results = [connection.execute(text(statement)) for statement in statements]
                return results[-1].scalar() if results[-1].returns_rows else None
        finally:
            engine.dispose()


def _cluster(settings: Settings) -> Cluster:
    there = embedded.existing(settings)
    assert there is not None
    return there


def _identity(settings: Settings) -> object:
    return _run(settings, "SELECT system_identifier FROM pg_control_system()")


PLACES = "SELECT ST_AsEWKT(geom) FROM places"


def test_data_moves_into_a_new_cluster(settings: Settings) -> None:
    before = _identity(settings)
    upgrade.move(_cluster(settings), programs.newest())
    assert _identity(settings) != before
    assert _run(settings, PLACES) == "SRID=3879;POINT(1 2)"
    left = {path.name for path in _cluster(settings).folder.iterdir()}
    assert left <= {"data", "socket", "postgres.log", "start.lock", "users.lock", "home"}


def test_failed_move_leaves_the_cluster_as_it_was(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _identity(settings)
    monkeypatch.setattr(upgrade, "DATABASE", "no_such_database")
    with pytest.raises(
        DatabaseUnavailable, match=r"pg_dump failed, the database is as it was: .*no_such_database"
    ):
        upgrade.move(_cluster(settings), programs.newest())
    assert not _cluster(settings).server.lives()
    assert _identity(settings) == before


def test_interruption_between_the_last_steps_is_mended(settings: Settings) -> None:
    before = _identity(settings)
    data: Path = _cluster(settings).folder / "data"
    data.rename(data.with_name("data.old"))
    assert _identity(settings) == before


def test_cluster_in_use_is_not_moved(settings: Settings) -> None:
    with embedded.running(settings), pytest.raises(DatabaseUnavailable, match="in use"):
        upgrade.move(_cluster(settings), programs.newest())


def test_newest_version_stays(settings: Settings) -> None:
    done = upgrade.upgrade(_cluster(settings))
    assert done.before == done.after == programs.newest().major


def test_replacing_removes_the_old_data(tmp_path: Path) -> None:
    for name in ("data", "fresh"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "is").write_text(name)
    layout.replace_data(tmp_path, tmp_path / "fresh")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert (tmp_path / "data" / "is").read_text() == "fresh"
