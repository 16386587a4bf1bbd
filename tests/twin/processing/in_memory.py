"""What import and `twin process` compute of features, without a database."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# shapely's functions take untyped keywords.

from collections.abc import Iterable
from itertools import islice
from typing import Any

import numpy as np
import shapely

from twin.model.cityobject import CityFeature
from twin.model.crs import Placer, ReferenceSystem
from twin.model.geometry import Ints
from twin.processing import planar
from twin.processing.derive import Derived, Values, derive
from twin.processing.rows import Membership
from twin.processing.stages import LATER_STAGES, Site

BATCH = 2000


class Town:
    """Features measured by themselves, some at a time; ``process`` adds what the later stages compute.

    ``values`` hold the attributes of each feature by root id, ``roof_faces`` the rows of its roof
    faces and ``repairs`` those of its repairs, ``problems`` what features could not be shown.
    """

    def __init__(self, features: Iterable[CityFeature], reference: ReferenceSystem, city: str) -> None:
        self.placer = Placer.create(reference)
        self.membership = Membership(1, city, city, synthetic=True, srid=reference.horizontal)
        self.features: list[CityFeature] = []
        self.values: dict[str, Values] = {}
        self.problems: dict[str, str | None] = {}
        self.roof_faces: dict[str, list[Values]] = {}
        self.repairs: list[Values] = []
        footprints: list[Any] = []
        source = iter(features)
        while batch := list(islice(source, BATCH)):
            for feature, derived in zip(batch, derive(batch, self.placer), strict=True):
                self._take(feature, derived)
                footprints.append(derived.footprint)
        shapes = np.empty(len(footprints), dtype=object)
        shapes[:] = footprints
        self.outlines = planar.transformed(shapes, self.placer.native)
        self._boxes = shapely.STRtree(self.outlines)

    def _take(self, feature: CityFeature, derived: Derived) -> None:
        root = feature.root.id
        self.features.append(feature)
        self.values[root] = dict(derived.values[root])
        self.problems[root] = derived.problem
        self.roof_faces[root] = []

    def process(self) -> None:
        """All stages after the import, some buildings at a time with those around them."""
        for first in range(0, len(self.features), BATCH):
            wanted = np.arange(first, min(first + BATCH, len(self.features)))
            for stage in LATER_STAGES.values():
                touching = self._around(wanted, stage.touch_m) if stage.halo_m else wanted[:0]
                near = self._around(wanted, stage.halo_m) if stage.halo_m else wanted[:0]
                computed = stage.compute(self._site(wanted, touching, near))
                for root, values in computed.values.items():
                    self.values[root].update({name: values[name] for name in stage.shown})
                if stage.name == "validity":
                    self.repairs += computed.details
                for row in computed.details if stage.name == "roof_faces" else ():
                    self.roof_faces[row["object_id"]].append(row)

    def _around(self, wanted: Ints, distance: float) -> Ints:
        boxes: Any = shapely.bounds(self.outlines[wanted]) + np.array([-1, -1, 1, 1]) * distance
        found: Any = self._boxes.query(shapely.box(*boxes[np.isfinite(boxes).all(axis=1)].T))[1]
        return np.setdiff1d(found, wanted)

    def _site(self, wanted: Ints, touching: Ints, near: Ints) -> Site:
        indices: list[int] = np.concatenate([wanted, touching]).tolist()
        chosen = [self.features[i] for i in indices]
        around: list[int] = np.concatenate([wanted, near]).tolist()
        return Site(
            features=chosen,
            lods=[self.values[feature.root.id]["lod"] for feature in chosen],
            wanted=len(wanted),
            placer=self.placer,
            membership=self.membership,
            outlines=self.outlines[around],
            outline_ids=[self.features[i].root.id for i in around],
            ordinals={item.id: range(len(item.geometries)) for feature in chosen for item in feature},
        )
