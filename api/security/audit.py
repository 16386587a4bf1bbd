"""What is kept of requests that were refused, that write, or that take whole collections away.

A line of JSON for each: no secrets, no values of parameters, nothing of the answer.
"""

import logging
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import orjson

from twin.db.keys import FORM
from twin.errors import ServiceError

OFF, STDERR = "off", "stderr"
REFUSED = frozenset({401, 403, 429})


class Audit:
    """Writes to a file, which may be moved away at any time, or to standard error."""

    def __init__(self, target: str) -> None:
        if target == STDERR:
            self._handler: logging.Handler = logging.StreamHandler(sys.stderr)
        else:
            self._handler = _file(Path(target))
        self._handler.setFormatter(logging.Formatter("%(message)s"))

    def close(self) -> None:
        """Closes the file."""
        self._handler.close()

    def write(self, **told: Any) -> None:
        """Adds a line."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = orjson.dumps({"time": now, **told}, default=str).decode()
        self._handler.handle(logging.LogRecord("audit", logging.INFO, "", 0, line, None, None))


def _file(path: Path) -> logging.Handler:
    try:
        # Only who serves may read it: it tells who asked from where.
        os.close(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
        return WatchedFileHandler(path)
    except OSError as error:
        raise ServiceError(f"TWIN_AUDIT_LOG: {path} cannot be written ({error.strerror}).") from None


def what(scope: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for: the method, the path and the names of the parameters, without their values."""
    query: bytes = scope["query_string"]
    named = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    # A name may be a secret that somebody sent by mistake.
    names = sorted({name for name, _ in named if len(name) <= 32})
    clean = [name.encode("utf-8", "replace").decode() for name in names]
    # Nor does a key that somebody wrote into an address end up here.
    path = FORM.sub("twin_…", scope["path"])
    return {
        "method": scope["method"],
        "path": path.encode("utf-8", "replace").decode()[:500],
        "parameters": clean[:40],
    }
