"""What the private cluster says when it cannot run."""

import os
import pwd
from pathlib import Path

import pytest

from tests.other_program import OtherProgram
from twin.db import embedded, programs
from twin.db.engine import Database
from twin.errors import DatabaseUnavailable, ToolMissing
from twin.settings import Settings


def test_lost_link_is_told(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    (settings.home / "postgres").symlink_to(settings.home / "nowhere")
    with pytest.raises(DatabaseUnavailable, match="Remove the link"), embedded.running(settings):
        pass


def test_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(DatabaseUnavailable, match="TWIN_HOME"),
        embedded.running(Settings(home=tmp_path / "file" / "home")),
    ):
        pass


def test_missing_postgis_is_told_with_the_remedy(tmp_path: Path) -> None:
    bare = tmp_path / "bin"
    bare.mkdir()
    for name in ("initdb", "pg_ctl", "postgres"):
        (bare / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 99.1'\n")
        (bare / name).chmod(0o755)
    with pytest.raises(ToolMissing, match=r"PostgreSQL 99 .* has no PostGIS\. .*(apt-get|brew|dnf) install"):
        embedded.cluster(Settings(home=tmp_path / "home", postgres_bin=bare))


def test_wrong_folder_of_programs_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolMissing, match="TWIN_POSTGRES_BIN"):
        embedded.cluster(Settings(home=tmp_path / "home", postgres_bin=tmp_path))


def test_cluster_of_a_removed_version_is_told() -> None:
    with pytest.raises(ToolMissing, match="PostgreSQL 9, which is not installed"):
        programs.of_major(9)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_cluster_of_another_user_is_refused(database: Database) -> None:
    nobody = pwd.getpwnam("nobody")
    other = OtherProgram(database.settings.home, nobody.pw_uid, nobody.pw_gid)
    output, _ = other.process.communicate(timeout=60)
    assert "ready" not in output
    assert other.process.returncode == 1
