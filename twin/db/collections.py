"""The collections of the city model: what can be read of the twin, by name.

A further one is a value here, over a table that has the columns that `Collection` names, with
its attributes from the catalogue; all that the API offers of it follows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, DateTime, FromClause, Table, Text, any_, bindparam, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY

from twin.db.part_tables import building_part, building_part_history
from twin.db.query import Collection, View
from twin.db.queryables import GEOMETRY, UPDATED, Queryable, Queryables
from twin.db.schema import feature, feature_history, roof_face
from twin.errors import InvalidParameter, NotFound
from twin.model.attributes import BUILDING_PART, CATALOGUE, ROOF_SURFACE, Attribute


@dataclass(frozen=True, slots=True, eq=False)
class _Versions:
    """The rows of a read model and those that they superseded, with what is declared of them."""

    current: Table
    past: Table
    attributes: tuple[Attribute, ...]

    def rows(self, view: View) -> FromClause:
        """The rows that a view shows."""
        if view.scenario is not None:
            raise NotFound(f"There is no scenario '{view.scenario}'.")
        if view.valid_at is not None:
            raise InvalidParameter("What stood in the world at a time is given whole; leave filters out.")
        return _current(self) if view.as_of is None else _recorded(self)

    def queryables(self, view: View) -> Queryables:
        """What may be named of the rows that a view shows."""
        self.rows(view)
        return _queryables(self, view.as_of is not None, view.scopes)


@cache
def _current(versions: _Versions) -> FromClause:
    return versions.current.alias("f")


@cache
def _recorded(versions: _Versions) -> FromClause:
    """Rows as the database held them at ``:as_of``; they were superseded later or never."""
    moment = bindparam("as_of", type_=DateTime(timezone=True))
    now, past = versions.current.c, versions.past.c
    return union_all(
        select(versions.current).where(now.recorded_from <= moment),
        select(*(past[column.name] for column in now)).where(
            past.recorded_from <= moment, past.recorded_to > moment
        ),
    ).subquery("f")


@lru_cache(maxsize=32)
def _queryables(versions: _Versions, past: bool, scopes: frozenset[str]) -> Queryables:
    f = _recorded(versions) if past else _current(versions)
    updated = Queryable(UPDATED, "timestamp", f.c.recorded_from)
    return _declared(f, versions.attributes, scopes, updated)


_FEATURES = _Versions(feature, feature_history, CATALOGUE)
_PARTS = _Versions(building_part, building_part_history, BUILDING_PART)


def _declared(
    f: FromClause, attributes: tuple[Attribute, ...], scopes: frozenset[str], *more: Queryable
) -> Queryables:
    """The queryables of a table of features: those of the catalogue, id, footprint and some more."""
    opened = [attribute for attribute in attributes if attribute.access in scopes]
    return Queryables(
        [
            Queryable("id", "text", f.c.id),
            *(Queryable(a.name, a.type, f.c[a.name], a) for a in opened),
            Queryable(
                GEOMETRY,
                "geometry",
                f.c.footprint,
                heights=(f.c.z_min, f.c.z_max),
                bounds=(f.c.west, f.c.south, f.c.east, f.c.north),
            ),
            *more,
        ],
        hidden=[attribute.name for attribute in attributes if attribute.access not in scopes],
    )


def _roof_faces(view: View) -> FromClause:
    if view.as_of is not None or view.scenario is not None:
        raise InvalidParameter("Roof surfaces are known of the present only; leave 'datetime' out.")
    return _current_roof_faces()


@cache
def _current_roof_faces() -> FromClause:
    return roof_face.alias("f")


def _roof_face_queryables(view: View) -> Queryables:
    return _queryables_of_roof_faces(view.scopes)


@lru_cache(maxsize=4)
def _queryables_of_roof_faces(scopes: frozenset[str]) -> Queryables:
    return _declared(_current_roof_faces(), ROOF_SURFACE, scopes)


def _is_of_type(f: FromClause) -> ColumnElement[bool]:
    return f.c.type == bindparam("collection_type", type_=Text)


def _is_of_types(f: FromClause) -> ColumnElement[bool]:
    return f.c.type == any_(bindparam("collection_types", type_=ARRAY(Text)))


def _is_of_another_type(f: FromClause) -> ColumnElement[bool]:
    return f.c.type != bindparam("collection_type", type_=Text)


FEATURES = Collection(
    name="features",
    title="Features",
    description="All first-level objects of all cities.",
    kind="feature",
    key="features",
    rows=_FEATURES.rows,
    queryables=_FEATURES.queryables,
    attributes=CATALOGUE,
    history=True,
    solids=True,
    meshes=True,
)
"""Every row of the read model, whatever its type; not served by itself."""

BUILDINGS = replace(
    FEATURES,
    name="buildings",
    title="Buildings",
    description="Buildings of all cities, with their parts and installations.",
    kind="building",
    key="features of a type",
    member=_is_of_type,
    bound={"collection_type": "Building"},
)

SURROUNDINGS = replace(
    FEATURES,
    name="surroundings",
    title="Surroundings",
    description=(
        "What is no building: terrain, roads, water, vegetation, land use, bridges, tunnels, furniture."
    ),
    kind="cityobject",
    key="features of other types",
    member=_is_of_another_type,
    bound={"collection_type": "Building"},
)

BUILDING_PARTS = Collection(
    name="buildingparts",
    title="Parts of buildings",
    description=(
        "The parts of which buildings of all cities are made, one by one; together they are the buildings, "
        "which are in a collection of their own."
    ),
    kind="buildingpart",
    key="building parts",
    rows=_PARTS.rows,
    queryables=_PARTS.queryables,
    attributes=BUILDING_PART,
    history=True,
    solids=True,
)

ROOF_SURFACES = Collection(
    name="roofsurfaces",
    title="Roof surfaces",
    description=(
        "The faces of the roofs of all buildings, one by one, with slope, azimuth and area, as the newest "
        "'twin process' measured them."
    ),
    kind="roofsurface",
    key="roof surfaces",
    rows=_roof_faces,
    queryables=_roof_face_queryables,
    attributes=ROOF_SURFACE,
)


def _of_types(name: str, title: str, description: str, *types: str) -> Collection:
    return replace(
        FEATURES,
        name=name,
        title=title,
        description=description,
        kind=types[0].lower(),
        key="features of some types",
        member=_is_of_types,
        bound={"collection_types": list(types)},
    )


KINDS = (
    _of_types(
        "roads",
        "Roads",
        "Roads and squares of all cities.",
        "Road",
        "TransportSquare",
        "Track",
        "TransportationComplex",
    ),
    _of_types("railways", "Railways", "Railways of all cities.", "Railway"),
    _of_types("waterbodies", "Water", "Water bodies and waterways of all cities.", "WaterBody", "Waterway"),
    _of_types(
        "vegetation",
        "Vegetation",
        "Trees and plant covers of all cities.",
        "SolitaryVegetationObject",
        "PlantCover",
    ),
    _of_types("landuse", "Land use", "Areas by their use, of all cities.", "LandUse"),
    _of_types("relief", "Terrain", "The terrain of all cities.", "TINRelief", "ReliefFeature"),
    _of_types("bridges", "Bridges", "Bridges of all cities, with their parts.", "Bridge"),
    _of_types("tunnels", "Tunnels", "Tunnels of all cities, with their parts.", "Tunnel"),
    _of_types("furniture", "City furniture", "Lamps, benches, signs of all cities.", "CityFurniture"),
)
"""What surrounds buildings, kind by kind."""

WHOLE = (BUILDINGS, SURROUNDINGS)
"""Collections that have every feature of the city model, each in one of them."""

COLLECTIONS: Mapping[str, Collection] = {
    collection.name: collection for collection in (*WHOLE, BUILDING_PARTS, ROOF_SURFACES, *KINDS)
}
"""The collections of the city model that are served, by name."""


def is_held(collection: Collection, about: Mapping[str, Any]) -> bool:
    """Whether a dataset has features of a collection, by what `twin.db.dataset_query` tells about it."""
    if collection in _COUNTED:
        return about[_COUNTED[collection]] > 0
    own = set(collection.bound.get("collection_types", (BUILDINGS.bound["collection_type"],)))
    types = set(about["types"])
    return bool(types - own if collection is SURROUNDINGS else own & types)


_COUNTED = {ROOF_SURFACES: "roof_faces", BUILDING_PARTS: "building_parts"}
"""Collections of what is no first-level object, by which column counts it."""


def collection_named(name: str) -> Collection:
    """A collection of the city model; raises NotFound with the known names."""
    if name not in COLLECTIONS:
        raise NotFound(f"There is no collection '{name[:60]}'. Known: {', '.join(COLLECTIONS)}.")
    return COLLECTIONS[name]
