"""Who is near whom, and by that what a value that depends on neighbours was computed from.

A feature's *input hash* is made of its own content and of the content of all features that its
stage may look at. It is the same whatever partition it is computed in, so that comparing it with
the stored one tells which values are out of date: those of a changed feature and of its
neighbours, and no others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.model.crs import web_mercator
from twin.model.geometry import Bools, Floats, Ints
from twin.processing import planar
from twin.processing.partition import Partition

MARGIN = 1.02
"""A metre of a projected system and of Web Mercator differ by far less, so nobody near is left out."""

Words = npt.NDArray[np.uint64]

_ALL = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Features of a partition and of its halo, in order of their ids.

    ``boxes`` (n, 4) are west, south, east, north in Web Mercator metres and ``scale`` (n,) metres
    of the map for one on the ground. ``tokens`` (n, 2) stand for the content of each feature,
    ``stored`` are the input hashes of the values that there are, ``lods`` the measured LoDs.
    """

    ids: list[str]
    owned: Bools
    boxes: Floats
    scale: Floats
    tokens: Words
    stored: list[bytes | None]
    lods: list[str]

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]], partition: Partition | None) -> "Members":
        """From rows of ``twin.db.jobs.members``, of which those of the partition are owned; None: all."""
        ordered = sorted(rows, key=lambda row: row["object_id"])
        degrees = np.array(
            [(r["west"], r["south"], r["east"], r["north"]) for r in ordered], dtype=np.float64
        ).reshape(-1, 4)
        keys = np.array([-1 if r["quadkey"] is None else r["quadkey"] for r in ordered], dtype=np.int64)
        low, high = (-1, _ALL) if partition is None else partition.quadkeys or (-1, 0)
        return cls(
            ids=[row["object_id"] for row in ordered],
            owned=(keys >= low) & (keys < high),
            boxes=np.hstack([web_mercator(degrees[:, :2]), web_mercator(degrees[:, 2:])]),
            scale=map_scale(degrees[:, 3]),
            tokens=_tokens(ordered),
            stored=[row["input_hash"] for row in ordered],
            lods=[row["lod"] for row in ordered],
        )

    def around(self, chosen: Sequence[int], halo_m: float) -> list[int]:
        """The others whose boxes are within a distance of one of the chosen features, sorted."""
        _, other = self.near(np.array(chosen, dtype=np.int64), halo_m)
        return np.setdiff1d(other, chosen).tolist()

    def near(self, own: Ints, halo_m: float) -> tuple[Ints, Ints]:
        """Pairs of one of the given features and another whose boxes are within a distance."""
        reach = (halo_m * MARGIN * self.scale[own])[:, None] * np.array([-1.0, -1.0, 1.0, 1.0])
        first, other = planar.overlapping_boxes(self.boxes[own] + reach, self.boxes)
        first = own[first]
        apart = first != other
        return first[apart], other[apart]

    def input_hashes(self, halo_m: float | None, algorithm: str) -> dict[int, bytes]:
        """Input hash (16 bytes) of each owned feature, by its index; no halo: of itself alone."""
        around = np.zeros_like(self.tokens)
        if halo_m is not None:
            first, other = self.near(np.flatnonzero(self.owned), halo_m)
            # Sums modulo 2**64 do not depend on the order of neighbours.
            np.add.at(around, first, self.tokens[other])
        own: list[int] = np.flatnonzero(self.owned).tolist()
        inputs = np.hstack([self.tokens, around])
        key = algorithm.encode()
        return {i: blake2b(inputs[i].tobytes(), key=key, digest_size=16).digest() for i in own}


def map_scale(latitude: Floats) -> Floats:
    """Metres of Web Mercator for one metre on the ground, at degrees of latitude."""
    return 1.0 / np.cos(np.radians(latitude))


def _tokens(rows: Sequence[Mapping[str, Any]]) -> Words:
    joined = b"".join(
        blake2b(bytes(row["content_hash"]), key=_key(row["object_id"]), digest_size=16).digest()
        for row in rows
    )
    return np.frombuffer(joined, dtype="<u8").reshape(-1, 2)


def _key(object_id: str) -> bytes:
    """A key of at most 64 bytes, as blake2b takes them."""
    text = object_id.encode()
    return text if len(text) <= 64 else blake2b(text).digest()
