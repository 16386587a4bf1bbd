"""Volumes by two methods, and how far each can be trusted."""

from dataclasses import dataclass

import numpy as np

from twin.model.attributes import QUALITY_FLAGS, VOLUME_METHODS
from twin.model.geometry import Bools, Floats, Ints, SurfaceType
from twin.processing import segments
from twin.processing.columns import named
from twin.processing.orientation import BALANCE, SIDE, Boundary

_LEVEL = SIDE != 0.0
_LEVEL[SurfaceType.CLOSURE] = True


@dataclass(frozen=True, slots=True, eq=False)
class Volumes:
    """Volumes in m³ of each object, shape (objects,); NaN where there is nothing to measure.

    ``divergence`` is a third of the sum over rings of area vector times point, right for closed
    shells only. ``integral`` is the sum of z dA_z over all faces but walls, above the ground: it
    needs no walls. ``covered`` tells whether roofs and grounds cover the same plan.
    """

    divergence: Floats
    integral: Floats
    closed: Bools
    covered: Bools

    @property
    def by_divergence(self) -> Bools:
        """Whether each object is closed and encloses something."""
        return self.closed & (self.divergence > 0.0)

    @property
    def value(self) -> Floats:
        """The volume to give: by divergence where the shell is closed, else by the integral."""
        integral = np.where(self.integral > 0.0, self.integral, np.nan)
        return np.where(self.by_divergence, self.divergence, integral)

    @property
    def disagreement(self) -> Floats:
        """Difference of both methods relative to the volume given; NaN where there is none."""
        return np.abs(self.divergence - self.integral) / self.value

    def methods(self) -> list[str | None]:
        """How each volume was found, as in the catalogue's VOLUME_METHODS."""
        return named(VOLUME_METHODS, np.where(self.by_divergence, 0, 1), self._known)

    def quality(self) -> list[str | None]:
        """How far each value can be trusted, as in the catalogue's QUALITY_FLAGS.

        ``exact`` for a closed shell; ``prism`` for an open one whose roofs stand on grounds of the
        same plan, so that the integral over prisms is its volume; else ``estimated``.
        """
        flag = np.where(self.by_divergence, 0, np.where(self.covered, 1, 2))
        return named(QUALITY_FLAGS, flag, self._known)

    @property
    def _known(self) -> Bools:
        return np.isfinite(self.value)


def volumes(boundary: Boundary, types: Ints, ground: Floats) -> Volumes:
    """Measure every object; ``ground`` (objects,) is the local height of its ground in m."""
    batch, faces = boundary.batch, boundary.faces
    level = _LEVEL[types]
    plan = np.where(level, faces.vector[2], 0.0)
    rows = np.stack([faces.volume, np.where(level, faces.moment, 0.0), plan, np.abs(plan)])
    divergence, moment, balance, total = segments.sums(rows, batch.object_start)
    base = np.where(np.isfinite(ground), ground, 0.0)
    empty = np.diff(batch.object_start) == 0
    divergence[empty] = moment[empty] = np.nan
    return Volumes(
        divergence=divergence,
        integral=moment - base * balance,
        closed=boundary.closed,
        covered=np.abs(balance) <= BALANCE * total / 2.0,
    )
