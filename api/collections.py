"""Which collection a request is about, what it may ask of it, and which features it chooses."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, cast

from cachetools import LRUCache
from fastapi import Depends, Request

from api import kept_filters, parameters
from api.dependencies import CurrentView, Reader, service
from api.parameters import Parameter
from api.query import parameters_of
from api.security.caller import caller_of, seen_by
from twin.db.collections import BUILDINGS, COLLECTIONS, FEATURES, collection_named, is_held
from twin.db.cql2 import Node
from twin.db.filters import Encoding, all_of, compile_filter, equals, parse
from twin.db.places import geometry_of, within
from twin.db.pool import ReadPool, Row
from twin.db.query import Collection, Condition, Selection, View, intersects
from twin.db.queryables import GEOMETRY, UNORDERED, Queryable, Queryables
from twin.db.uploads import uploaded_collection
from twin.errors import InvalidParameter, NotFound
from twin.model.offered import OfferedSystem, offered

_RESERVED = {parameter.name for parameter in parameters.SELECTION} | {
    "id", "limit", "cursor", "properties", "count", "f", "sortby", "property", "groupby", "bins", "aggregate",
    "lod", "crs", "lang",
}  # fmt: skip


@lru_cache(maxsize=128)
def equalities(collection: Collection) -> Mapping[str, Parameter]:
    """The properties of a collection as parameters that ask for equality, by name."""
    return {
        queryable.name: _equality(queryable)
        for queryable in collection.queryables(View())
        if queryable.type not in UNORDERED
        and queryable.name not in _RESERVED
        and (queryable.attribute is not None or not collection.attributes)
    }


def _equality(queryable: Queryable) -> Parameter:
    schema: dict[str, Any] = {"type": parameters.JSON_TYPES[queryable.type]}
    if queryable.attribute is None:
        return Parameter(queryable.name, f"Equal to: {queryable.name}", schema)
    if queryable.attribute.codes:
        schema["enum"] = list(queryable.attribute.codes)
    return Parameter(queryable.name, f"Equal to: {queryable.attribute.meaning.en}", schema)


def taken(documented: Sequence[str], collection: Collection) -> list[str]:
    """Of the parameters that a route documents, and of the properties, those that a collection takes."""
    missing: set[str] = set()
    if not collection.history:
        missing |= {parameters.DATETIME.name, parameters.SCENARIO.name}
    if not collection.of_datasets:
        missing.add(parameters.DATASET.name)
    more = equalities(collection) if parameters.FILTER.name in documented else ()
    return [*(name for name in documented if name not in missing), *more]


async def collection_of(request: Request, name: str | None) -> Collection:
    """A collection by its name, all features without one; NotFound with the known names."""
    if name is None:
        return FEATURES
    if name not in COLLECTIONS and (uploaded := (await service(request).revisions.uploads()).get(name)):
        return uploaded_collection(uploaded)
    return collection_named(name)


async def datasets_of(request: Request) -> Sequence[Row]:
    """The datasets of the cities that the caller may see."""
    known = service(request)
    return seen_by(caller_of(request), await known.datasets.at(await known.revisions.digest()))


async def city_model(request: Request) -> list[Collection]:
    """The collections of the city model in which the caller may find something, and buildings always."""
    rows = await datasets_of(request)
    return [
        collection
        for collection in COLLECTIONS.values()
        if collection is BUILDINGS or any(is_held(collection, row) for row in rows)
    ]


async def asked_collection(request: Request) -> Collection:
    """The collection in the path."""
    return await collection_of(request, request.path_params.get("collection"))


Asked = Annotated[Collection, Depends(asked_collection)]


def filter_tree(request: Request, collection: Collection, queryables: Queryables) -> Node | None:
    """All conditions on properties of a request as one tree."""
    given = kept_filters.given(request)
    encoding = parameters.choice(given, "filter-lang", parameters.ENCODINGS, parameters.ENCODINGS[0])
    named = equalities(collection)
    wanted = sorted((name, value) for name, value in given.items() if name in named)
    system = parameters.system(given, parameters.FILTER_CRS.name)
    trees = [equals(name, value, queryables) for name, value in wanted]
    text = given.get(parameters.FILTER.name)
    # The form of a page sends its field also where nothing is written in it.
    if text is not None and (text or given.get("f") != "html"):
        trees.append(parse(text, cast(Encoding, encoding), system))
    return all_of(trees)


async def chosen(request: Request, view: CurrentView, collection: Asked, pool: Reader) -> Selection:
    """The features that a request asks for, of any collection."""
    given = parameters_of(request)
    conditions: list[Condition] = []
    queryables = collection.queryables(view)
    if (tree := filter_tree(request, collection, queryables)) is not None:
        conditions.append(compile_filter(tree, queryables))
    geometry = queryables.get(GEOMETRY)
    if (text := given.get(parameters.BBOX.name)) is not None:
        box = parameters.bbox(text, parameters.system(given, parameters.BBOX_CRS.name))
        conditions.append(intersects(geometry, box))
    else:
        parameters.system(given, parameters.BBOX_CRS.name)
    if (place := given.get(parameters.WITHIN.name)) is not None:
        area = await _area(request, view, place, pool)
        conditions.append(within(collection, view, area))
    datasets = parameters.names(given, parameters.DATASET.name) or ()
    return Selection(view, collection, datasets, tuple(conditions))


async def _area(request: Request, view: View, place: str, pool: ReadPool) -> bytes:
    """The geometry of a feature ``collection/id`` as EWKB."""
    name, slash, id = place.partition("/")
    if not slash or not id:
        raise InvalidParameter(
            f"'{parameters.WITHIN.name}' is '{place[:60]}'; expected a collection, a slash and an id, "
            "such as districts/7."
        )
    other = await collection_of(request, name)
    # Areas without a history are as they are, whatever the time of what stands in them.
    seen = view if other.history else view.of_now
    area = await pool.fetch_value(geometry_of(seen, other, id))
    if area is None:
        raise NotFound(f"There is no item '{id[:80]}' with a geometry in the collection '{name}'.")
    return area


Chosen = Annotated[Selection, Depends(chosen)]


@lru_cache(maxsize=64)
def systems_of(collection: Collection) -> tuple[OfferedSystem, ...]:
    """The reference systems in which a collection is given."""
    return offered(heights="z_min" in collection.rows(View()).c)


async def solid(selection: Chosen) -> Selection:
    """As `chosen`, of collections with 3D Tiles."""
    if not selection.collection.meshes:
        raise NotFound(f"The collection '{selection.collection.name}' has no 3D Tiles; ask for its items.")
    return selection


async def mapped(selection: Chosen) -> Selection:
    """As `chosen`, of collections with vector tiles."""
    if not selection.collection.mapped:
        raise NotFound(f"The collection '{selection.collection.name}' has no tiles; ask for its items.")
    return selection


ChosenSolid = Annotated[Selection, Depends(solid)]
ChosenMapped = Annotated[Selection, Depends(mapped)]


async def known_parameters(request: Request) -> None:
    """Refuses parameters that the route does not document, that come twice, or that no text can hold."""
    given = request.query_params.multi_items()
    if not given:
        return
    extra: dict[str, Any] = request.scope["route"].openapi_extra or {}
    documented: Sequence[dict[str, Any]] = extra.get("parameters", ())
    collection = None
    if "collection" in request.path_params or any(p["name"] == parameters.FILTER.name for p in documented):
        collection = await asked_collection(request)
    key = request.scope["endpoint"], collection
    if (known := _TAKEN.get(key)) is None:
        known = _TAKEN[key] = _schemas(documented, collection)
    _check(given, known)
    for name, _ in given:
        if offered := known[name].get("enum"):
            parameters.choice(parameters_of(request), name, offered, "")


_TAKEN: LRUCache[Any, Mapping[str, Any]] = LRUCache(512)
"""The parameters that an endpoint takes of a collection, with their schemas."""


def _schemas(documented: Sequence[dict[str, Any]], collection: Collection | None) -> Mapping[str, Any]:
    schemas: dict[str, Any] = {p["name"]: p["schema"] for p in documented}
    if collection is None:
        return schemas
    named = {name: parameter.schema for name, parameter in equalities(collection).items()} | schemas
    return {name: named[name] for name in taken(list(schemas), collection)}


def _check(given: list[tuple[str, str]], known: Mapping[str, Any]) -> None:
    seen: set[str] = set()
    for name, value in given:
        if name not in known:
            raise InvalidParameter(
                f"There is no parameter '{name[:60]}' here. Known: {', '.join(sorted(known)) or 'none'}."
            )
        if name in seen:
            raise InvalidParameter(f"The parameter '{name}' is given more than once.")
        if "\0" in value:
            raise InvalidParameter(f"The parameter '{name}' holds the character U+0000.")
        seen.add(name)
