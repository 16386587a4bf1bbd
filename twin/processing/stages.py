"""The stages after the import: what each looks at, what it computes, and its version.

A stage is a pure function of a *site*: the features to be computed, and those around them as far
as the stage's halo reaches. Raise a stage's version when its values change, and the next
`twin process` computes them anew.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from twin.model.attributes import CATALOGUE
from twin.model.cityobject import CityFeature, shapes_at
from twin.model.crs import Placer
from twin.model.geometry import Geometry, concatenate
from twin.processing import neighbours, planar, repair_features
from twin.processing.compute import VERSION, measure_core
from twin.processing.partition import UNPLACED, Partition
from twin.processing.party_walls import shared_walls
from twin.processing.planar import Shapes
from twin.processing.roof_faces import roof_face_rows
from twin.processing.rows import Membership
from twin.processing.validity import ALGORITHM, delivered, validate
from twin.processing.values import Values, plain, plain_rows

IMPORT = "import"
"""The first stage: what an import computes of a feature."""


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """Features to be computed (the first ``wanted`` ones) and what is near them.

    ``features`` have their geometry, those within the stage's ``touch_m`` of a wanted one
    included; ``lods`` say at which LoD each is measured. ``outlines`` are the footprints, in native
    coordinates, of wanted features and of all within the halo; ``outline_ids`` whose they are, the
    wanted ones first. ``ordinals`` number each object's geometries as they are stored.
    """

    features: Sequence[CityFeature]
    lods: Sequence[str]
    wanted: int
    placer: Placer
    membership: Membership
    outlines: Shapes
    outline_ids: Sequence[str]
    ordinals: Mapping[str, Sequence[int]]

    @property
    def groups(self) -> list[tuple[Geometry, ...]]:
        """The measured geometries of each feature."""
        return [shapes.whole() for shapes in shapes_at(self.features, self.lods)]

    @property
    def delivered(self) -> list[tuple[Geometry, ...]]:
        """The geometries of each feature with the faces that measuring leaves out."""
        return [delivered(feature, lod) for feature, lod in zip(self.features, self.lods, strict=True)]

    @property
    def roots(self) -> list[str]:
        """Ids of the wanted features."""
        return [feature.root.id for feature in self.features[: self.wanted]]


@dataclass(frozen=True, slots=True)
class Computed:
    """Values of a stage by root id: for the side table and, of those in the catalogue, the read model.

    ``details`` are rows for the table of what a feature has any number of, if the stage has one.
    """

    values: dict[str, Values]
    details: list[Values] = field(default_factory=list[Values])


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage; a feature's values depend on others within ``halo_m``, None: on itself alone.

    Of those within ``touch_m`` the whole geometry is read, of the others the footprint. ``explain``
    tells of a site with one wanted feature what its values were made of, row by row in sections.
    """

    name: str
    version: str
    compute: Callable[[Site], Computed]
    explain: Callable[[Site], dict[str, list[Values]]] | None = None
    halo_m: float | None = None
    touch_m: float = 0.0

    @property
    def algorithm(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def shown(self) -> tuple[str, ...]:
        """The names of the values that the read model shows."""
        return tuple(a.name for a in CATALOGUE if a.stage == self.name)

    def serves(self, partition: Partition) -> bool:
        """Whether there is something to compute: without a place there are no neighbours."""
        return self.halo_m is None or partition != UNPLACED


def _roof_faces(site: Site) -> Computed:
    rows = roof_face_rows(site.features, site.lods, site.placer, site.membership)
    values: dict[str, Values] = {root: {"roof_faces": len(faces)} for root, faces in rows.items()}
    return Computed(values, [face for faces in rows.values() for face in faces])


def _neighbours(site: Site) -> Computed:
    columns = neighbours.neighbour_values(site.groups, site.wanted, site.outlines)
    return Computed(dict(zip(site.roots, plain_rows(columns), strict=True)))


def _explain_neighbours(site: Site) -> dict[str, list[Values]]:
    """The others within the halo, nearest first: distance, and what walls they share."""
    measures = measure_core(concatenate(site.groups))
    batch, types = measures.boundary.batch, measures.surface_type
    only = np.arange(batch.objects) < site.wanted
    part = neighbours.parts_of(site.groups)
    shared = shared_walls(batch, measures.boundary.faces, types, part, only)
    owner = batch.object_of_surface()[shared.other]
    first = batch.object_start[owner]
    found: dict[str, list[Values]] = {}
    indices: list[int] = owner.tolist()
    for pair, index in enumerate(indices):
        wall = {
            "wall": int(shared.wall[pair]),
            "faces": int(shared.other[pair] - first[pair]),
            "gap_m": plain(shared.gap_m[pair]),
            "area_m2": plain(shared.area_m2[pair]),
        }
        found.setdefault(site.features[index].root.id, []).append(wall)
    others = site.outlines[1:]
    distances = planar.distances(np.repeat(site.outlines[:1], len(others)), others).tolist()
    near = sorted(zip(distances, site.outline_ids[1:], strict=True))
    rows: list[Values] = [
        {"object_id": other, "distance_m": plain(distance), "shared_walls": found.get(other, [])}
        for distance, other in near
        if distance <= neighbours.HALO_M
    ]
    inner = found.get(site.features[0].root.id)
    own = site.features[0].root.id
    if inner is not None:
        rows.insert(0, {"object_id": own, "distance_m": 0.0, "shared_walls": inner})
    return {"neighbours": rows}


def _validity(site: Site) -> Computed:
    verdict = validate(site.delivered)
    repairs = repair_features.outcomes(site.features, site.lods, verdict)
    columns = zip(site.roots, verdict.valid, verdict.codes, verdict.unchecked, repairs, strict=True)
    values: dict[str, Values] = {
        root: {
            "valid": valid,
            "codes": codes,
            "unchecked": unchecked,
            "validity_codes": " ".join(map(str, codes)),
            "repair": outcome.repair,
        }
        for root, valid, codes, unchecked, outcome in columns
    }
    rows = [
        row
        for root, outcome in zip(site.roots, repairs, strict=True)
        if outcome.mended
        for row in repair_features.rows(root, outcome, site.ordinals, site.membership)
    ]
    return Computed(values, rows)


def _explain_validity(site: Site) -> dict[str, list[Values]]:
    """Every error with its place, and what came of repairing them."""
    verdict = validate(site.delivered)
    [outcome] = repair_features.outcomes(site.features, site.lods, verdict)
    return {
        "validity": [asdict(finding) for finding in verdict.details(0)],
        "repair": repair_features.explained(outcome),
    }


LATER_STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage("roof_faces", f"{VERSION}.1", _roof_faces),
        Stage(
            "neighbours",
            f"{VERSION}.{neighbours.VERSION}",
            _neighbours,
            _explain_neighbours,
            halo_m=neighbours.HALO_M,
            touch_m=neighbours.TOUCH_M,
        ),
        Stage("validity", ALGORITHM, _validity, _explain_validity),
    )
}
"""By name, in the order in which they run. What ``compute`` measures counts into the versions."""


def together() -> list[list[str]]:
    """The stages in their order, together those that read the same."""
    alone = [name for name, stage in LATER_STAGES.items() if stage.halo_m is None]
    return [[IMPORT, *alone], *([name] for name in LATER_STAGES if name not in alone)]


def served(stages: Sequence[str], partition: Partition) -> list[str]:
    """Those of the stages that have something to compute in a partition."""
    return [stage for stage in stages if stage == IMPORT or LATER_STAGES[stage].serves(partition)]


def algorithm_of(stage: str) -> str:
    """Name and version of a stage as one text."""
    return f"{IMPORT} {VERSION}" if stage == IMPORT else LATER_STAGES[stage].algorithm
