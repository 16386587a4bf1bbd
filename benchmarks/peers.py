"""Other programs, each in an environment of its own that is made when it is first needed.

They are for comparisons and checks alone and no dependencies of the project. The environments stand in
``TWIN_TOOLS``, else beside the data of this checkout; making one takes the package index and a minute.
"""

import os
import shutil
import subprocess
from pathlib import Path

from tests.fixtures import ROOT

PACKAGES: dict[str, tuple[str, ...]] = {
    "py3dtiles": ("py3dtiles==12.1.1", "psycopg2-binary"),
    "tipg": ("tipg==1.6.1", "uvicorn[standard]==0.54.0"),
    "pygeoapi": (
        "pygeoapi==0.21.0",
        "psycopg2-binary",
        "sqlalchemy<2.1",
        "geoalchemy2",
        "starlette",
        "uvicorn[standard]==0.54.0",
    ),
    "ogctests": ("ogctests==0.1.15",),
    "schemathesis": ("schemathesis==4.32.5",),
}


class Unavailable(Exception):
    """An environment could not be made; the message says why."""


def folder(name: str) -> Path:
    """Where the environment of a program is, or will be."""
    return Path(os.environ.get("TWIN_TOOLS", ROOT / ".twin" / "tools")) / name


def environment(name: str) -> Path:
    """The folder of the programs of an environment; Unavailable where it cannot be made."""
    there = folder(name)
    done = there / "made-of"
    wanted = "\n".join(PACKAGES[name])
    if not done.exists() or done.read_text() != wanted:
        uv = _run(str(ROOT / "scripts" / "uv")).strip()
        shutil.rmtree(there, ignore_errors=True)
        _run(uv, "venv", "--quiet", str(there))
        _run(uv, "pip", "install", "--quiet", "--python", str(there / "bin" / "python"), *PACKAGES[name])
        done.write_text(wanted)
    return there / "bin"


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        raise Unavailable(f"{' '.join(command[:3])} failed: {done.stderr.strip()[-400:]}")
    return done.stdout
