"""cjdb, the importer of 3D geoinformation at TU Delft, in an environment of its own.

https://github.com/cityjson/cjdb; it needs SQLAlchemy before 2.1, which this project does not.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Missing(Exception):
    """Why there is no cjdb to compare with."""


def install(folder: Path) -> Path:
    """The program ``cjdb``; Missing where no package index can be reached."""
    environment = folder / "cjdb"
    try:
        uv = _run([str(ROOT / "scripts" / "uv")])
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(environment)])
        python = environment / "bin" / "python"
        _run([uv, "pip", "install", "--quiet", "--python", str(python), "cjdb", "sqlalchemy<2.1"])
    except (OSError, subprocess.SubprocessError) as error:
        words = getattr(error, "stderr", None) or str(error)
        raise Missing(f"cjdb cannot be installed: {words.strip().splitlines()[-1]}") from error
    return environment / "bin" / "cjdb"


def version(program: Path) -> str:
    """Such as ``cjdb 2.3.0``."""
    return _run([str(program), "--version"])


def _run(command: list[str]) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    return done.stdout.strip()
