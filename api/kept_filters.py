"""Filters that are too long to stand in every address of a tileset: kept as files, and named by their hash.

A tileset whose filter is longer than `LONGEST` hands on ``filter-id`` in place of the filter. All workers
share the folder. What was not asked for longest is removed, as a client asks for the tileset anew.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

import orjson
from fastapi import Request

from api.dependencies import service
from api.parameters import FILTER, FILTER_CRS, FILTER_ID, FILTER_LANG
from api.query import parameters_of
from twin.errors import InvalidParameter, NotFound

LONGEST = 1_500
"""Bytes of a filter that addresses still carry."""

KEPT = 2_000
"""Filters are up to 16 KiB, so that all together take 32 MiB at most."""

_PARTS = (FILTER.name, FILTER_LANG.name, FILTER_CRS.name)
_DIGITS = 32


def _folder(request: Request) -> Path:
    return service(request).settings.home / "filters"


def given(request: Request) -> Mapping[str, str]:
    """The query parameters, with the filter that a ``filter-id`` stands for in place of it.

    Raises InvalidParameter beside a filter, NotFound where there is none of that name.
    """
    query = parameters_of(request)
    name = query.get(FILTER_ID.name)
    if name is None:
        return query
    if any(part in query for part in _PARTS):
        raise InvalidParameter(
            f"'{FILTER_ID.name}' stands for a filter; leave the other parameters of it out."
        )
    file = _folder(request) / name
    if len(name) != _DIGITS or not set(name) <= set("0123456789abcdef"):
        raise InvalidParameter(f"'{FILTER_ID.name}' is '{name[:60]}'; expected {_DIGITS} hexadecimal digits.")
    try:
        parts = orjson.loads(file.read_bytes())
        os.utime(file)
    except OSError:
        raise NotFound(
            f"The filter '{name}' is not kept any more. Ask for tileset.json with the filter itself."
        ) from None
    return {**query, **parts}


def shortened(request: Request) -> Mapping[str, str]:
    """The query parameters as addresses hand them on: with ``filter-id`` in place of a long filter.

    Where nothing can be kept, the filter stays as it is.
    """
    query = dict(parameters_of(request))
    text = query.get(FILTER.name)
    if text is None or len(text.encode("utf-8", "surrogatepass")) <= LONGEST:
        return query
    parts = {name: query[name] for name in _PARTS if name in query}
    with suppress(OSError):
        name = _keep(_folder(request), orjson.dumps(parts, option=orjson.OPT_SORT_KEYS))
        return {FILTER_ID.name: name, **{key: value for key, value in query.items() if key not in parts}}
    return query


def _keep(folder: Path, body: bytes) -> str:
    name = blake2b(body, digest_size=_DIGITS // 2).hexdigest()
    file = folder / name
    if not file.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = folder / f"{name}.{os.getpid()}.tmp"
        unfinished.write_bytes(body)
        unfinished.replace(file)
        _forget(folder)
    return name


def _forget(folder: Path) -> None:
    """Remove what was not used longest, beyond `KEPT`."""
    with os.scandir(folder) as entries:
        files = [(entry.stat().st_mtime_ns, Path(entry.path)) for entry in entries]
    for _, path in sorted(files, reverse=True)[KEPT:]:
        with suppress(OSError):
            path.unlink()
