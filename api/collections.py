"""Which collection a request is about: one of the city model or an uploaded one."""

from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import Depends, FastAPI, Request

from api import parameters
from api.dependencies import CurrentView, Reader, service
from api.parameters import Parameter
from twin.db.cql2 import Node
from twin.db.filters import Encoding, all_of, compile_filter, equals, parse
from twin.db.places import geometry_of, within
from twin.db.pool import ReadPool
from twin.db.query import COLLECTIONS, Condition, Selection, View, collection_type, intersects
from twin.db.queryables import GEOMETRY, Queryables, feature_queryables
from twin.db.uploads import Uploaded, uploaded_queryables
from twin.errors import InvalidParameter, NotFound


@dataclass(frozen=True, slots=True, eq=False)
class Collection:
    """A collection as a request sees it; ``name`` is None for all of the city model."""

    name: str | None
    queryables: Queryables
    uploaded: Uploaded | None = None

    @property
    def equalities(self) -> set[str]:
        """The parameters of an address that ask for equality with a property."""
        if self.uploaded is None:
            return _CATALOGUE
        plain = {q.name for q in self.queryables if q.type not in {"geometry", "list"}}
        return plain - {"id"} - _RESERVED


_CATALOGUE = {parameter.name for parameter in parameters.ATTRIBUTES}
_RESERVED = {parameter.name for parameter in parameters.SELECTION} - _CATALOGUE | {
    "limit", "cursor", "properties", "count", "f", "sortby", "property", "groupby", "bins", "aggregate"
}  # fmt: skip


async def collection_of(request: Request, name: str | None, view: View) -> Collection:
    """A collection by its name; NotFound with the known names."""
    if name is None or name in COLLECTIONS:
        return Collection(name, feature_queryables(view))
    uploaded = (await service(request).revisions.uploads()).get(name)
    if uploaded is None:
        collection_type(name)
        raise NotFound(f"There is no collection '{name}'.")
    return Collection(name, uploaded_queryables(uploaded), uploaded)


async def asked_collection(request: Request, view: CurrentView) -> Collection:
    """The collection in the path."""
    return await collection_of(request, request.path_params.get("collection"), view)


Asked = Annotated[Collection, Depends(asked_collection)]


def filter_tree(request: Request, collection: Collection) -> Node | None:
    """All conditions on properties of a request as one tree."""
    given = request.query_params
    encoding = parameters.choice(given, "filter-lang", parameters.ENCODINGS, parameters.ENCODINGS[0])
    wanted = sorted((name, value) for name, value in given.items() if name in collection.equalities)
    trees = [equals(name, value, collection.queryables) for name, value in wanted]
    if (text := given.get(parameters.FILTER.name)) is not None:
        trees.append(parse(text, cast(Encoding, encoding)))
    return all_of(trees)


async def chosen(request: Request, view: CurrentView, collection: Asked, pool: Reader) -> Selection:
    """The features that a request asks for, of any collection."""
    given = request.query_params
    conditions: list[Condition] = []
    if (tree := filter_tree(request, collection)) is not None:
        conditions.append(compile_filter(tree, collection.queryables))
    geometry = collection.queryables.get(GEOMETRY)
    if (text := given.get(parameters.BBOX.name)) is not None:
        conditions.append(intersects(geometry.column, parameters.bbox(text), geometry.heights))
    if (place := given.get(parameters.WITHIN.name)) is not None:
        conditions.append(await _within(request, view, collection, place, pool))
    datasets = parameters.names(given, parameters.DATASET.name) or ()
    number = None if collection.uploaded is None else collection.uploaded.id
    return Selection(view, collection.name, datasets, tuple(conditions), number)


async def _within(
    request: Request, view: View, collection: Collection, place: str, pool: ReadPool
) -> Condition:
    """Features that stand within a feature ``collection/id``."""
    name, slash, id = place.partition("/")
    if not slash or not id:
        raise InvalidParameter(
            f"'{parameters.WITHIN.name}' is '{place[:60]}'; expected a collection, a slash and an id, "
            "such as districts/7."
        )
    other = await collection_of(request, name, view)
    area = await pool.fetch_value(geometry_of(view, name, other.uploaded, id))
    if area is None:
        raise NotFound(f"There is no item '{id[:80]}' with a geometry in the collection '{name}'.")
    return within(view, area, uploaded=collection.uploaded is not None)


Chosen = Annotated[Selection, Depends(chosen)]


async def selected(selection: Chosen, collection: Asked) -> Selection:
    """As `chosen`, of the city model only."""
    if collection.uploaded is not None:
        raise NotFound(
            f"The collection '{collection.name}' was uploaded and has no tiles; ask for its items."
        )
    return selection


Selected = Annotated[Selection, Depends(selected)]


async def known_parameters(request: Request) -> None:
    """Refuses parameters that the route does not document, that come twice, or that no text can hold."""
    given = request.query_params.multi_items()
    if not given:
        return
    known = _documented(cast(FastAPI, request.app), request.scope["route"].path_format, request.method)
    name: str | None = request.path_params.get("collection")
    uploaded = None if name is None else (await service(request).revisions.uploads()).get(name)
    if uploaded is not None:
        known = (
            known - _CATALOGUE - ONLY_OF_CITIES
            | Collection(name, uploaded_queryables(uploaded), uploaded).equalities
        )
    _check(given, known)


ONLY_OF_CITIES = {parameters.DATETIME.name, parameters.SCENARIO.name, parameters.DATASET.name}


"""Parameters that an uploaded collection, which has no history, does not take."""


def upload_parameters(uploaded: Uploaded) -> list[Parameter]:
    """The properties of an uploaded collection as parameters that ask for equality."""
    collection = Collection(uploaded.name, uploaded_queryables(uploaded), uploaded)
    return [
        Parameter(q.name, f"Equal to: {q.name}", {"type": parameters.JSON_TYPES[q.type]})
        for q in collection.queryables
        if q.name in collection.equalities
    ]


def _check(given: list[tuple[str, str]], known: set[str]) -> None:
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


def _documented(app: FastAPI, path: str, method: str) -> set[str]:
    """The query parameters of an operation, from the OpenAPI document, read once."""
    cache: dict[tuple[str, str], set[str]] = app.state.documented
    path = path.replace("{collection}", next(iter(COLLECTIONS)))
    if (path, method) not in cache:
        operations: dict[str, Any] = app.openapi()["paths"].get(path, {})
        found = operations.get(method.lower(), {}).get("parameters", [])
        cache[path, method] = {parameter["name"] for parameter in found if parameter["in"] == "query"}
    return cache[path, method]
