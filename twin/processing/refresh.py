"""Rows of the read model and of side tables with values that a later stage computed."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from twin.processing.values import Values

Row = Mapping[str, Any]


def refreshed(stored: Row, values: Values) -> dict[str, Any]:
    """A row of ``feature`` with new values, in its columns as well as in its GeoJSON text.

    ``stored`` holds id, geojson and mesh_hash.
    """
    document = orjson.loads(stored["geojson"])
    document["properties"].update(values)
    text = orjson.dumps(document)
    return {
        "id": stored["id"],
        **values,
        "row_hash": row_hash(text, stored["mesh_hash"]),
        "geojson": text.decode(),
    }


def same_text(row: Row, stored: Row, later: Iterable[str]) -> bool:
    """Whether the GeoJSON texts of two rows say the same but for the values named ``later``.

    The order of attributes counts for nothing: that of the source is lost when they are read back.
    """
    documents = [orjson.loads(given["geojson"]) for given in (row, stored)]
    for document in documents:
        document["properties"].update(dict.fromkeys(later))
    return documents[0] == documents[1]


def row_hash(text: bytes, mesh_hash: bytes | None) -> bytes:
    """Hash (16 bytes) of all that is served of a feature."""
    return hashlib.blake2b(text + (mesh_hash or b""), digest_size=16).digest()
