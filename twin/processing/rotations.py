"""Rotations as matrices (n, 3, 3) and as unit quaternions x, y, z, w (n, 4)."""

import numpy as np

from twin.model.geometry import Floats


def nearest(matrices: Floats) -> Floats:
    """The rotation that is nearest to each matrix (n, 3, 3)."""
    left, _, right = np.linalg.svd(matrices)
    mirrored = np.linalg.det(left @ right) < 0.0
    left[mirrored, :, 2] *= -1.0
    return left @ right


def quaternions(rotations: Floats) -> Floats:
    """Of rotations; the largest of the four is found first, and positive, since it divides the others."""
    m = rotations
    trace = np.trace(m, axis1=1, axis2=2)
    diagonal = np.diagonal(m, axis1=1, axis2=2)
    squares = np.column_stack([1.0 - trace[:, None] + 2.0 * diagonal, 1.0 + trace])
    # Row i of each table is 4 q_i q_j for the four j.
    products = np.empty((len(m), 4, 4))
    for i in range(3):
        products[:, i, i] = squares[:, i]
        products[:, 3, i] = products[:, i, 3] = (
            m[:, (i + 2) % 3, (i + 1) % 3] - m[:, (i + 1) % 3, (i + 2) % 3]
        )
        j = (i + 1) % 3
        products[:, i, j] = products[:, j, i] = m[:, i, j] + m[:, j, i]
    products[:, 3, 3] = squares[:, 3]
    found = products[np.arange(len(m)), np.argmax(squares, axis=1)]
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def matrices(quaternions: Floats) -> Floats:
    """Of quaternions of any length but zero."""
    x, y, z, w = (quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.array(rows, dtype=np.float64).transpose(2, 0, 1)
