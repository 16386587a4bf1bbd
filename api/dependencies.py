"""What routes depend on: the database, the view, and the selection that a request asks for."""

from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import Depends, FastAPI, Request

from api import parameters
from api.conditional import Datasets, Revisions
from twin.db.cql2 import Node
from twin.db.filters import Encoding, all_of, compile_filter, equals, parse
from twin.db.pool import ReadPool
from twin.db.query import COLLECTIONS, Condition, Selection, View, collection_type, intersects
from twin.db.queryables import Queryables, feature_queryables
from twin.errors import InvalidParameter
from twin.settings import Settings


@dataclass(frozen=True, slots=True)
class Service:
    """What the application was made with, for the routes."""

    pool: ReadPool
    settings: Settings
    scopes: frozenset[str]
    revisions: Revisions
    datasets: Datasets


def service(request: Request) -> Service:
    """The service that answers the request."""
    return cast(Service, request.app.state.service)


async def reader(request: Request) -> ReadPool:
    """Connections that may only read."""
    return service(request).pool


async def current_view(request: Request) -> View:
    """The time, the scenario and the scopes of a request."""
    given = request.query_params
    when = given.get(parameters.DATETIME.name)
    return View(
        as_of=None if when is None else parameters.moment(when),
        scenario=given.get(parameters.SCENARIO.name),
        scopes=service(request).scopes,
    )


Reader = Annotated[ReadPool, Depends(reader)]
CurrentView = Annotated[View, Depends(current_view)]


async def filter_condition(request: Request, view: CurrentView) -> Condition | None:
    """The condition of ``filter`` and of parameters named as attributes; None without any."""
    queryables = feature_queryables(view)
    tree = filter_tree(request, queryables)
    return None if tree is None else compile_filter(tree, queryables)


def filter_tree(request: Request, queryables: Queryables) -> Node | None:
    """All conditions on attributes of a request as one tree."""
    given = request.query_params
    encoding = parameters.choice(given, "filter-lang", parameters.ENCODINGS, parameters.ENCODINGS[0])
    trees = [equals(name, value, queryables) for name, value in sorted(given.items()) if name in _EQUALITIES]
    if (text := given.get(parameters.FILTER.name)) is not None:
        trees.append(parse(text, cast(Encoding, encoding)))
    return all_of(trees)


_EQUALITIES = {parameter.name for parameter in parameters.ATTRIBUTES}


async def selected(
    request: Request, view: CurrentView, condition: Annotated[Condition | None, Depends(filter_condition)]
) -> Selection:
    """The features that a request asks for: of the collection in its path, or of all without one."""
    collection: str | None = request.path_params.get("collection")
    if collection is not None:
        collection_type(collection)
    conditions = [] if condition is None else [condition]
    if (text := request.query_params.get(parameters.BBOX.name)) is not None:
        box = parameters.bbox(text)
        conditions.append(intersects(view, box.area, box.heights))
    datasets = parameters.names(request.query_params, parameters.DATASET.name) or ()
    return Selection(view, collection, datasets, tuple(conditions))


Selected = Annotated[Selection, Depends(selected)]


async def known_parameters(request: Request) -> None:
    """Refuses parameters that the route does not document, that come twice, or that no text can hold."""
    given = request.query_params.multi_items()
    if not given:
        return
    known = _documented(cast(FastAPI, request.app), request.scope["route"].path_format, request.method)
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
