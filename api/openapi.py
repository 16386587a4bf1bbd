"""The OpenAPI document: a path for each collection, and what of errors every operation shares."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import formats, problems
from api.collections import equalities, systems_of, taken
from api.links import JSON, OPENAPI_JSON, SCHEMA_JSON
from api.parameters import CRS, FILTER
from twin.db.collections import FEATURES, ROOF_SURFACES, WHOLE
from twin.db.query import Collection, View
from twin.model.offered import SYSTEMS

PROBLEMS: Mapping[int, str] = {
    400: "A parameter is unknown, given twice, or not understood",
    404: "There is no such thing",
    503: "The server is busy or without its database; try again",
}
"""What every operation may answer instead of what it documents itself."""

REFUSALS: Mapping[int, str] = {
    401: "Nothing is open here without a key or token, or the one that was sent opens nothing",
    403: "The key or token lacks the scope, or a page of another site asks",
    429: "There were too many requests; Retry-After tells when to come again",
}
"""What operations behind a scope may answer besides; 429 all of them."""

_SCHEMES: Mapping[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, or a token (JWT)."},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key."},
}
_SECURITY: tuple[Mapping[str, Any], ...] = ({}, {"bearer": []}, {"key": []})
"""None of them where the server is open, as it is to this machine."""


def document(app: FastAPI, max_limit: int) -> dict[str, Any]:
    """The API as OpenAPI 3.0, with a path for each collection, as clients expect them.

    ``max_limit`` is told as the maximum of `limit`: GDAL takes it for the size of its pages.
    """
    document = _limited(_generated(app), max_limit)
    app.state.templates = {path: of for path, of in document["paths"].items() if _PATH in path}
    plain = {
        path: _of_all(path, operations) for path, operations in document["paths"].items() if _PATH not in path
    }
    # Uploads are written at an address that is read like that of any collection.
    plain[_UPLOADS] |= {"get": _named(_UPLOADS, app.state.templates[f"/collections/{_PATH}"]["get"])}
    document["paths"] = {**plain, **_concrete(app.state.templates, (*WHOLE, ROOF_SURFACES))}
    document["components"] = {"schemas": {_PROBLEM: problems.SCHEMA}, "securitySchemes": dict(_SCHEMES)}
    return _as_version_3_0(document)


def with_collections(app: FastAPI, more: Iterable[Collection]) -> dict[str, Any]:
    """The document with the paths of further collections: of single kinds, and uploaded ones."""
    document = app.openapi()
    paths = _as_version_3_0(_concrete(app.state.templates, more))
    return {**document, "paths": {**document["paths"], **paths}}


OPEN = frozenset({"/", "/conformance", "/api", "/session", "/health/live", "/health/ready"})
"""The addresses that no scope is needed for."""

_PATH = "{collection}"
_UPLOADS = "/collections/{name}"
_PROBLEM = "Problem"


def _generated(app: FastAPI) -> dict[str, Any]:
    """What FastAPI writes, with paths that hold the name of a collection as a parameter."""
    return get_openapi(
        title=app.title,
        version=app.version,
        summary=None,
        description=app.description,
        openapi_version="3.0.3",
        routes=app.routes,
    )


def _limited(document: dict[str, Any], max_limit: int) -> dict[str, Any]:
    """The document with a maximum of each `limit`."""
    operations = (of for methods in document["paths"].values() for of in methods.values())
    parameters = (parameter for of in operations for parameter in of.get("parameters", ()))
    for parameter in parameters:
        if parameter["name"] == "limit" and parameter["in"] == "query":
            parameter["schema"] = {**parameter["schema"], "maximum": max_limit}
    return document


def _concrete(templates: dict[str, Any], collections: Iterable[Collection]) -> dict[str, Any]:
    """The paths of collections, each with the operations and parameters that it has."""
    return {
        path.replace(_PATH, collection.name): {
            method: _for_collection(path, operation, collection) for method, operation in operations.items()
        }
        for collection in collections
        for path, operations in templates.items()
        if _serves(collection, path)
    }


def _serves(collection: Collection, path: str) -> bool:
    if "/3dtiles" in path:
        return collection.meshes
    return collection.mapped or "/tiles/" not in path


def _of_all(path: str, operations: dict[str, Any]) -> dict[str, Any]:
    return {
        method: {**answered, "parameters": _parameters(answered, FEATURES)}
        if "parameters" in operation
        else answered
        for method, operation in operations.items()
        for answered in (_answered(path, operation),)
    }


def _named(path: str, operation: dict[str, Any]) -> dict[str, Any]:
    """An operation on any collection, which is called ``name`` in its path."""
    name = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    others = [p for p in operation["parameters"] if p["in"] != "path"]
    return {**_answered(path, operation), "parameters": [name, *others]}


def _for_collection(path: str, operation: dict[str, Any], collection: Collection) -> dict[str, Any]:
    name = f"{operation['operationId']}_{collection.name}"
    described = {**_answered(path, operation), "operationId": name}
    if lacking := {form.accepted for form in formats.OF_ALL if not formats.offers(collection, form)}:
        described = _without(described, lacking)
    parameters = _parameters(operation, collection)
    if "requestBody" in operation:
        body = _body(operation["requestBody"], parameters, collection)
        return {**described, "requestBody": body, "parameters": []}
    return {**described, "parameters": parameters}


def _without(operation: dict[str, Any], kinds: set[str]) -> dict[str, Any]:
    """An operation that does not answer in some media types."""
    answers: dict[str, Any] = {
        status: {**answer, "content": {k: v for k, v in answer["content"].items() if k not in kinds}}
        if "content" in answer
        else answer
        for status, answer in operation["responses"].items()
    }
    return {**operation, "responses": answers}


def _answered(path: str, operation: dict[str, Any]) -> dict[str, Any]:
    """An operation with the errors that it may answer, and without what FastAPI supposes of it."""
    named = {parameter["name"]: parameter for parameter in operation.get("parameters", ())}
    kinds = _kinds(path, named)
    answers = {
        status: _written(answer, kinds)
        for status, answer in operation["responses"].items()
        if status != "422"
    }
    if FILTER.name in named and "requestBody" not in operation:
        answers["304"] = {"description": "What the client has, by If-None-Match, is still so"}
    refusals = REFUSALS if path not in OPEN else {429: REFUSALS[429]}
    shared = {
        str(status): {"description": text, **_OF_PROBLEMS}
        for status, text in {**PROBLEMS, **refusals}.items()
    }
    own = {
        status: _or_problem(answer) if int(status) >= 400 else answer for status, answer in answers.items()
    }
    security = {} if path in OPEN else {"security": list(_SECURITY)}
    return {**operation, **security, "responses": dict(sorted({**shared, **own}.items()))}


def _or_problem(answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "content": {**answer.get("content", {}), **_OF_PROBLEMS["content"]}}


_OF_PROBLEMS = {
    "content": {
        problems.MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{_PROBLEM}"}},
        "text/html": {"schema": {"type": "string"}},
    }
}
_KINDS = {
    "/queryables": SCHEMA_JSON,
    "/sortables": SCHEMA_JSON,
    "/schema": SCHEMA_JSON,
    "/api": OPENAPI_JSON.partition(";")[0],
    ".glb": "model/gltf-binary",
    ".arrow": formats.ARROW.media_type,
    "{level}/{y}/{x}": "application/vnd.mapbox-vector-tile",
}
"""By the end of an address: what it answers where that is not plain JSON."""


def _kinds(path: str, parameters: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The media types of an address that declares none itself."""
    kind = next((kind for end, kind in _KINDS.items() if path.endswith(end)), JSON)
    described: dict[str, Any] = {kind: {"schema": {"type": "object" if "json" in kind else "string"}}}
    offered = parameters.get("f", {"schema": {}})["schema"].get("enum", ())
    if formats.HTML.name in offered:
        described[formats.HTML.accepted] = {"schema": {"type": "string"}}
    return described


def _written(answer: dict[str, Any], kinds: dict[str, Any]) -> dict[str, Any]:
    """An answer without the JSON of no schema that FastAPI adds to what is declared, or in place of it."""
    if "content" not in answer:
        return answer
    content: dict[str, Any] = answer["content"]
    told = {kind: schema for kind, schema in content.items() if schema != {"schema": {}}}
    return {**answer, "content": told or kinds}


def _body(body: dict[str, Any], parameters: list[dict[str, Any]], collection: Collection) -> dict[str, Any]:
    """A body of the parameters of GET as members, or of a filter alone."""
    members: dict[str, Any] = {parameter["name"]: parameter["schema"] for parameter in parameters}
    # A list is taken also as an address has it, separated by commas.
    members = {
        name: {"anyOf": [schema, {"type": "string"}]} if schema.get("type") == "array" else schema
        for name, schema in members.items()
    }
    members[FILTER.name] = {"anyOf": [members[FILTER.name], _EXPRESSION]}
    alone = {"type": "object", "properties": members, "additionalProperties": False}
    content: dict[str, Any] = {**body["content"][JSON], "schema": {"anyOf": [alone, _EXPRESSION]}}
    if not _is_of_buildings(collection):
        del content["example"]
    return {**body, "content": {JSON: content}}


_EXPRESSION: dict[str, Any] = {
    "type": "object",
    "description": "A CQL2 filter as JSON.",
    "required": ["op", "args"],
    "properties": {"op": {"type": "string"}, "args": {"type": "array", "items": {}}},
    "additionalProperties": False,
}


def _is_of_buildings(collection: Collection) -> bool:
    """Whether a collection has what the examples name."""
    return {"height_m", "current_use", "city"} <= {q.name for q in collection.queryables(View())}


def _parameters(operation: dict[str, Any], collection: Collection) -> list[dict[str, Any]]:
    """The parameters of an operation for a collection, the properties of it among them."""
    given: list[dict[str, Any]] = [
        p for p in operation.get("parameters", []) if (p["in"], p["name"]) != ("path", "collection")
    ]
    names = taken([parameter["name"] for parameter in given], collection)
    known = {parameter["name"]: parameter for parameter in given}
    return [
        _offered(known[name], collection) if name in known else equalities(collection)[name].openapi()
        for name in names
    ]


def _offered(parameter: dict[str, Any], collection: Collection) -> dict[str, Any]:
    """A parameter without the formats, reference systems and examples that a collection does not have."""
    if not _is_of_buildings(collection) and parameter["in"] == "query":
        parameter = {key: value for key, value in parameter.items() if key != "example"}
    lacking = {form.name for form in formats.OF_ALL if not formats.offers(collection, form)}
    if parameter["name"] == CRS.name:
        lacking = {system.uri for system in SYSTEMS} - {system.uri for system in systems_of(collection)}
    values: list[str] = parameter["schema"].get("enum", [])
    if lacking.isdisjoint(values):
        return parameter
    return {**parameter, "schema": {**parameter["schema"], "enum": [v for v in values if v not in lacking]}}


def _as_version_3_0(node: Any) -> Any:
    """Spells what FastAPI writes for OpenAPI 3.1 as 3.0 has it: ``nullable`` instead of a null type."""
    if isinstance(node, list):
        return [_as_version_3_0(member) for member in cast(list[Any], node)]
    if not isinstance(node, dict):
        return node
    members = {key: _as_version_3_0(value) for key, value in cast(dict[str, Any], node).items()}
    choices = members.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        rest = [choice for choice in cast(list[Any], choices) if choice != {"type": "null"}]
        del members["anyOf"]
        members |= rest[0] if len(rest) == 1 else {"anyOf": rest}
        members["nullable"] = True
    if "const" in members:
        members["enum"] = [members.pop("const")]
    return members
