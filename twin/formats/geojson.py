"""GeoJSON (RFC 7946) from stored features.

The database keeps each feature as text, so a collection is a join of texts. Only where a request
wants some of the properties is a feature taken apart.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

MEDIA_TYPE = "application/geo+json"

ORIGINALS = "attributes"
"""The property that holds the source's own names and values."""


RECORD_SEPARATOR = b"\x1e"
"""Before each text of a sequence (RFC 7464, section 2.2)."""


@dataclass(slots=True)
class CollectionWriter:
    """A FeatureCollection in parts, with further members of it before the features."""

    members: Mapping[str, Any]
    _separator: bytes = b""

    def start(self) -> bytes:
        return orjson.dumps({"type": "FeatureCollection", **self.members})[:-1] + b',"features":['

    def part(self, features: Sequence[bytes]) -> bytes:
        text = self._separator + b",".join(features)
        self._separator = b","
        return text

    def finish(self) -> bytes:
        return b"]}"

    def whole(self, features: Sequence[bytes]) -> bytes:
        """All in one, which is copied once: a page may have megabytes."""
        if not features:
            return self.start() + self.finish()
        *others, last = features
        texts = [*others, last + self.finish()]
        texts[0] = self.start() + texts[0]
        return b",".join(texts)


class SequenceWriter:
    """A GeoJSON text sequence (RFC 8142): each feature after a record separator, on a line of its own."""

    def start(self) -> bytes:
        return b""

    def part(self, features: Sequence[bytes]) -> bytes:
        return b"".join(b"%b%b\n" % (RECORD_SEPARATOR, feature) for feature in features)

    def finish(self) -> bytes:
        return b""


def with_geometry(feature: bytes, geometry: str | None) -> bytes:
    """The feature with another geometry, GeoJSON text; None for no geometry."""
    document = orjson.loads(feature)
    document["geometry"] = None if geometry is None else orjson.Fragment(geometry)
    return orjson.dumps(document)


def with_properties(feature: bytes, names: Collection[str]) -> bytes:
    """The feature with only the named properties, in their stored order."""
    return _filtered(feature, lambda name: name in names)


def without_properties(feature: bytes, names: Collection[str]) -> bytes:
    """The feature without the named properties."""
    return _filtered(feature, lambda name: name not in names)


def without_originals(feature: bytes) -> bytes:
    """The feature without the source's own attributes, which are the last of its properties.

    It is cut and not parsed, which takes a twentieth of the time. Within a string a quotation mark is
    escaped, and all other properties are plain values: what is found first is the member itself.
    """
    kept, found, _ = feature.partition(_BEFORE_ORIGINALS)
    return kept + b"}}" if found else feature


_BEFORE_ORIGINALS = f',"{ORIGINALS}":'.encode()


def _filtered(feature: bytes, keep: Callable[[str], bool]) -> bytes:
    document = orjson.loads(feature)
    properties: dict[str, Any] = document["properties"]
    document["properties"] = {name: value for name, value in properties.items() if keep(name)}
    return orjson.dumps(document)


def with_members(feature: bytes, **members: Any) -> bytes:
    """The feature with further members, such as ``links``, as OGC API Features 7.16 asks of one item."""
    return b"".join((feature.rstrip()[:-1], b",", orjson.dumps(members)[1:]))
