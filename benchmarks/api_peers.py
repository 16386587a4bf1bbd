"""The servers that the benchmark of the API compares, each with one worker over the same database."""

import os
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks import peers
from benchmarks.api_questions import OURS, PYGEOAPI, TIPG
from benchmarks.load import HOST, Asked, once
from benchmarks.server import Server
from tests.fixtures import ROOT
from twin.db import layout

PORTS = {OURS: 18_700, TIPG: 18_701, PYGEOAPI: 18_702}
START_S = 60


@dataclass(frozen=True, slots=True)
class Running:
    """A program that serves on a port of this machine."""

    port: int
    pid: int


@contextmanager
def serving(name: str, there: Server, home: Path) -> Generator[Running, None, None]:
    """A server for the block, with one worker; `peers.Unavailable` where it cannot be had."""
    command, ready, variables = _COMMANDS[name](there, home)
    process = subprocess.Popen(
        command,
        env={**os.environ, "TWIN_HOME": str(home), **variables},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(process, PORTS[name], ready)
        yield Running(PORTS[name], process.pid)
    finally:
        process.terminate()
        process.wait()


def _wait(process: "subprocess.Popen[bytes]", port: int, ready: str) -> None:
    """Until a server has answered."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            once(port, Asked(lambda _: ready))
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise peers.Unavailable(f"{process.args} does not serve: {process.poll()}")


_Command = tuple[Sequence[str], str, Mapping[str, str]]
"""A program, an address that it answers once it is up, and its environment."""


def _ours(_: Server, __: Path) -> _Command:
    return [sys.executable, "-m", "twin.cli", "serve", "--port", str(PORTS[OURS])], "/health/ready", {}


def _uvicorn(name: str, application: str) -> list[str]:
    program = str(peers.environment(name) / "uvicorn")
    return [program, application, "--host", HOST, "--port", str(PORTS[name]), "--no-access-log"]


def _tipg(there: Server, _: Path) -> _Command:
    sockets = str(there.sockets).replace("/", "%2F")
    variables = {
        "DATABASE_URL": f"postgresql://{layout.OWNER}@{sockets}:{layout.PORT}/{layout.DATABASE}",
        "TIPG_DB_SCHEMAS": '["peers"]',
        "TIPG_MAX_FEATURES_PER_QUERY": "1000000",
        # It would read its catalogue anew while it is measured.
        "TIPG_CATALOG_TTL": "100000",
    }
    return _uvicorn(TIPG, "tipg.main:app"), "/conformance", variables


def _pygeoapi(there: Server, home: Path) -> _Command:
    config, document = home / "pygeoapi.json", home / "pygeoapi-openapi.json"
    config.write_bytes(orjson.dumps(_pygeoapi_config(there)))
    variables = {"PYGEOAPI_CONFIG": str(config), "PYGEOAPI_OPENAPI": str(document)}
    command = [str(peers.environment(PYGEOAPI) / "pygeoapi"), "openapi", "generate", str(config),
               "--format", "json", "--output-file", str(document)]  # fmt: skip
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, check=False)
    if done.returncode:
        raise peers.Unavailable(f"pygeoapi openapi generate failed: {done.stderr.decode()[-400:]}")
    return _uvicorn(PYGEOAPI, "pygeoapi.starlette_app:APP"), "/conformance", variables


def _pygeoapi_buildings(there: Server) -> dict[str, object]:
    provider = {
        "type": "feature",
        "name": "PostgreSQL",
        "data": {
            "host": str(there.sockets),
            "port": str(layout.PORT),
            "dbname": layout.DATABASE,
            "user": layout.OWNER,
            "password": "none",
            "search_path": ["peers", "public"],
        },
        "id_field": "id",
        "table": "buildings",
        "geom_field": "geom",
    }
    return {
        "type": "collection",
        "title": "Buildings",
        "description": "Buildings",
        "keywords": ["buildings"],
        "links": [],
        "extents": {"spatial": {"bbox": [-180, -90, 180, 90]}},
        "providers": [provider],
    }


def _pygeoapi_config(there: Server) -> dict[str, object]:
    address = f"http://{HOST}:{PORTS[PYGEOAPI]}"
    return {
        "server": {
            "bind": {"host": HOST, "port": PORTS[PYGEOAPI]},
            "url": address,
            "mimetype": "application/json; charset=UTF-8",
            "encoding": "utf-8",
            "languages": ["en-US"],
            "limits": {"default_items": 100, "max_items": 10_000},
            "map": {"url": address, "attribution": "none"},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {
                "title": "x",
                "description": "x",
                "keywords": ["x"],
                "keywords_type": "theme",
                "terms_of_service": address,
                "url": address,
            },
            "license": {"name": "x", "url": address},
            "provider": {"name": "x", "url": address},
            "contact": {"name": "x", "url": address},
        },
        "resources": {"buildings": _pygeoapi_buildings(there)},
    }


_COMMANDS = {OURS: _ours, TIPG: _tipg, PYGEOAPI: _pygeoapi}
