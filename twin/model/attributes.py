"""The attribute catalogue: every harmonised or computed attribute, declared once.

Database column, queryable, tile metadata property, viewer label and docs page are derived from
the declarations under ``twin/model/catalogue``. To add an attribute, add it there and give it a
value in ``importers.harmonise`` (from the source) or ``twin.processing.compute`` (from geometry).

Terms are those of INSPIRE's Data Specification on Buildings 3.0 (``bu-…``) and of CityGML 2.0
(``bldg:``) and 3.0 (``con:``, ``core:``).
"""

from collections.abc import Iterator

from twin.model.attribute import Access, Attribute, Group, Origin, Stage, ValueType, Words
from twin.model.catalogue import (
    dimensions,
    envelope,
    identity,
    quality,
    shape,
    surfaces,
    surroundings,
    use,
)
from twin.model.catalogue.envelope import ROOF_TYPES
from twin.model.catalogue.parts import BUILDING, PARENT
from twin.model.catalogue.quality import (
    FOOTPRINT_METHODS,
    PLACEMENTS,
    QUALITY_FLAGS,
    REPAIRS,
    VOLUME_METHODS,
)
from twin.model.catalogue.surfaces import SURFACE
from twin.model.catalogue.use import CURRENT_USE, STATUS

__all__ = [
    "BUILDING_PART",
    "BY_NAME",
    "CATALOGUE",
    "CURRENT_USE",
    "FOOTPRINT_METHODS",
    "PLACEMENTS",
    "QUALITY_FLAGS",
    "REPAIRS",
    "ROOF_SURFACE",
    "ROOF_TYPES",
    "STATUS",
    "SURFACE",
    "VOLUME_METHODS",
    "Access",
    "Attribute",
    "Group",
    "Origin",
    "Stage",
    "ValueType",
    "Words",
    "of_origin",
    "of_stage",
]

CATALOGUE: tuple[Attribute, ...] = (
    *identity.ATTRIBUTES,
    *use.ATTRIBUTES,
    *dimensions.ATTRIBUTES,
    *shape.ATTRIBUTES,
    *envelope.ATTRIBUTES,
    *surroundings.ATTRIBUTES,
    *quality.ATTRIBUTES,
)
"""All attributes of buildings, in the order in which people see them."""

BY_NAME: dict[str, Attribute] = {attribute.name: attribute for attribute in CATALOGUE}

BUILDING_PART: tuple[Attribute, ...] = (
    *(a for a in CATALOGUE if a.group is Group.IDENTITY),
    BUILDING,
    PARENT,
    *(a for a in CATALOGUE if a.group is not Group.IDENTITY and a.stage is Stage.IMPORT),
)
"""All attributes of parts of buildings: those that follow from the part alone, and what it is a part of."""

ROOF_SURFACE: tuple[Attribute, ...] = (
    *(BY_NAME[name] for name in ("city", "dataset", "object_id", "synthetic")),
    *surfaces.ROOF_FACE,
)
"""All attributes of roof surfaces; those that a surface shares with its building come first."""


def of_origin(*origins: Origin) -> Iterator[Attribute]:
    """The attributes of buildings with one of the given origins, in catalogue order."""
    return (attribute for attribute in CATALOGUE if attribute.origin in origins)


def of_stage(*stages: Stage) -> Iterator[Attribute]:
    """The attributes of buildings that become known in one of the given stages, in catalogue order."""
    return (attribute for attribute in CATALOGUE if attribute.stage in stages)
