"""Adapter of meshopt: vertices and indices in the bitstreams of EXT_meshopt_compression (version 0)."""

from typing import Any

import meshopt
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

codec: Any = meshopt  # it ships no types


def vertices(rows: Array) -> bytes:
    """Rows (n, columns) of a multiple of 4 bytes each, for mode ATTRIBUTES."""
    return codec.encode_gltf_buffer(rows, "ATTRIBUTES", 0)


def indices(triangles: Array) -> bytes:
    """Indices (n,) for mode INDICES.

    TRIANGLES makes a third of the bytes of it, yet more after brotli or zstd: corners of faces that
    share no vertices follow a pattern, which it hides.
    """
    return codec.encode_gltf_buffer(triangles.astype(np.uint32), "INDICES")
