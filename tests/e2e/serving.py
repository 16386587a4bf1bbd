"""The service over two small synthetic cities, and a browser to look at it."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Playwright

from tests.fixtures import ROOT, SHARED_DATA, unused_port
from twin.db import embedded
from twin.settings import Settings

VIEWER = ROOT / "api" / "viewer" / "dist" / "index.html"
CITIES = ("helsinki", "tallinn")
NEW_BUILDING = "new-building"
"""The id of a building that every import refuses."""
REFUSED_SOME = 3
REAL = {
    ("helsinki/kalasatama_2549_6674.gml", "kalasatama"): 61,
    ("tallinn/ee_tartu_kvissentali_6_lod2.city.json", "tartu"): 6,
}
"""Buildings of real models with the name each is served under, beside the synthetic cities: under the name
of its city, a real model would take their place."""
MEASURED = "kalasatama"
"""The one dataset of which ``twin process`` has measured surfaces and neighbours."""
REAL_BUILDINGS = sum(REAL.values()) if SHARED_DATA.is_dir() else 0
_START_S = 60

_ARGUMENTS = (
    "--no-sandbox",
    # WebGL without a graphics card; the page around it is put together without WebGL, which is quicker.
    "--disable-gpu-compositing",
    "--enable-unsafe-swiftshader",
    # Nothing but the page itself asks for anything.
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium(playwright: Playwright) -> Path | None:
    """The machine's Chromium, else Playwright's own where it was fetched."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return Path(found)
    own = Path(playwright.chromium.executable_path)
    return own if own.exists() else None


def launch(playwright: Playwright, executable: Path) -> Browser:
    """A headless browser that draws in software."""
    return playwright.chromium.launch(executable_path=executable, args=_ARGUMENTS)


@contextmanager
def served(home: Path, buildings: int) -> Generator[str, None, None]:
    """The address of a service over ``buildings`` buildings of each city; its database goes in the end."""
    settings = Settings(home=home)
    models = [home / f"{city}.city.jsonl" for city in CITIES]
    home.mkdir(parents=True, exist_ok=True)
    try:
        for city, model in zip(CITIES, models, strict=True):
            _twin(home, "synth", str(model), "--city", city, "--buildings", str(buildings))
        _twin(home, "import", "--jobs", "2", *map(str, models))
        for model, name in REAL if REAL_BUILDINGS else ():
            _twin(home, "import", str(SHARED_DATA / model), "--city", name, "--dataset", name)
        if REAL_BUILDINGS:
            _twin(home, "process", "--dataset", MEASURED)
        _twin(home, "import", str(_correction(models[1])), outcome=REFUSED_SOME)
        with _serving(home) as address:
            yield address
    finally:
        embedded.destroy(settings)


@contextmanager
def served_model(home: Path, model: Path, city: str) -> Generator[str, None, None]:
    """The address of a service over one model; its database goes in the end."""
    try:
        _twin(home, "import", str(model), "--city", city, "--dataset", city)
        with _serving(home) as address:
            yield address
    finally:
        embedded.destroy(Settings(home=home))


@contextmanager
def served_models(home: Path, models: Sequence[Path]) -> Generator[str, None, None]:
    """The address of a service over models, each a dataset; its database goes in the end."""
    try:
        _twin(home, "import", *map(str, models))
        with _serving(home) as address:
            yield address
    finally:
        embedded.destroy(Settings(home=home))


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "TWIN_HOME": str(home)}


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "twin.cli", *arguments]


def _correction(model: Path) -> Path:
    """A second file of the city: a building twice, one that is broken now, and a new one that is broken."""
    head, first, second, third, *_ = model.read_text(encoding="utf-8").splitlines()
    path = model.with_name("correction.city.jsonl")
    changed = first.replace('"attributes":{', '"attributes":{"korrigeeritud":1,', 1)
    broken: dict[str, Any] = {**json.loads(second), "vertices": []}
    unknown = json.dumps({**json.loads(third), "vertices": []}).replace(json.loads(third)["id"], NEW_BUILDING)
    path.write_text("\n".join((head, changed, first, json.dumps(broken), unknown, "")), encoding="utf-8")
    return path


def _twin(home: Path, *arguments: str, outcome: int = 0) -> None:
    done = subprocess.run(
        _command(*arguments), cwd=ROOT, env=_environment(home), capture_output=True, text=True, check=False
    )
    assert done.returncode == outcome, f"twin {' '.join(arguments)}: {done.stderr}"


@contextmanager
def _serving(home: Path) -> Generator[str, None, None]:
    port = unused_port()
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(_command("serve", "--port", str(port)), cwd=ROOT, env=_environment(home))
    try:
        _wait_until_ready(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_until_ready(address: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        assert process.poll() is None, "the service ended at its start"
        try:
            with urllib.request.urlopen(f"{address}/health/ready", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise AssertionError(f"the service at {address} was not ready within {_START_S} s")


def main() -> None:
    """Serve the cities of the tests until interrupted."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--buildings", type=int, default=2000, help="of each city")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, served(Path(folder) / "twin", given.buildings) as address:
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        with suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    # The cluster and the service end with the process, however that is ended.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    main()
