"""GeoJSON (RFC 7946) from stored features.

The database keeps each feature as text, so a collection is a join of texts. Only where a request
wants some of the properties is a feature taken apart.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import orjson

MEDIA_TYPE = "application/geo+json"

ORIGINALS = "attributes"
"""The property that holds the source's own names and values."""


def feature_collection(features: Iterable[str], members: Mapping[str, Any]) -> bytes:
    """A FeatureCollection of features that are GeoJSON already, with further members of it."""
    head = orjson.dumps({"type": "FeatureCollection", **members})
    return b"".join((head[:-1], b',"features":[', ",".join(features).encode(), b"]}"))


def with_properties(feature: str, names: Collection[str]) -> str:
    """The feature with only the named properties, in their stored order."""
    return _filtered(feature, lambda name: name in names)


def without_properties(feature: str, names: Collection[str]) -> str:
    """The feature without the named properties."""
    return _filtered(feature, lambda name: name not in names)


def _filtered(feature: str, keep: Callable[[str], bool]) -> str:
    document = orjson.loads(feature)
    properties: dict[str, Any] = document["properties"]
    document["properties"] = {name: value for name, value in properties.items() if keep(name)}
    return orjson.dumps(document).decode()


def with_links(feature: str, links: list[dict[str, str]]) -> bytes:
    """The feature with a ``links`` member, as OGC API Features 7.16 asks of one item."""
    return b"".join((feature.rstrip()[:-1].encode(), b',"links":', orjson.dumps(links), b"}"))
