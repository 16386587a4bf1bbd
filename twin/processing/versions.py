"""The versions of all that `twin process` computes, to tell what is out of date without computing."""

from typing import Any

from twin.processing.compute import VERSION
from twin.processing.neighbourhood import MARGIN
from twin.processing.stages import LATER_STAGES


def versions() -> dict[str, Any]:
    """``measured_with``, the algorithm of each later stage by its name, and ``reach_m``: how far neighbours
    are looked for."""
    halos = [stage.halo_m for stage in LATER_STAGES.values() if stage.halo_m is not None]
    return {
        "measured_with": VERSION,
        **{name: stage.algorithm for name, stage in LATER_STAGES.items()},
        "reach_m": MARGIN * max(halos),
    }
