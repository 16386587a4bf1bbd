"""The landing page, collections, properties and conformance classes as pages."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

from fastapi import Request, Response

from api.html.language import Words, language, unit_text, words_of
from api.html.render import Crumb, address, answer
from api.links import SCHEMA_JSON
from twin.model.attributes import Group

_OTHER = "other"


class PropertyRow(NamedTuple):
    """A property as a row of a table."""

    name: str
    label: str
    meaning: str
    type: str
    unit: str
    term: str
    origin: str
    codes: tuple[str, ...]


def landing(request: Request, document: dict[str, Any]) -> Response:
    """The landing page."""
    return answer(request, "landing.html", document, crumbs=())


def conformance(request: Request, document: dict[str, Any]) -> Response:
    """The conformance classes."""
    title = words_of(language(request))("conformance")
    return answer(request, "conformance.html", document, crumbs=trail(request, Crumb(title)))


def session(request: Request, document: dict[str, Any]) -> Response:
    """Who asks, and the form to sign in."""
    title = words_of(language(request))("session")
    return answer(request, "session.html", document, crumbs=trail(request, Crumb(title)))


def collections(request: Request, document: dict[str, Any], scopes: frozenset[str]) -> Response:
    """All collections."""
    words = words_of(language(request))
    shown = [_titled(words, collection) for collection in document["collections"]]
    crumbs = trail(request, Crumb(words("collections")))
    return answer(request, "collections.html", document, scopes=scopes, crumbs=crumbs, collections=shown)


def collection(request: Request, document: dict[str, Any], scopes: frozenset[str]) -> Response:
    """One collection."""
    words = words_of(language(request))
    shown = _titled(words, document)
    bounds = document["extent"].get("spatial", {}).get("bbox", [None])[0]
    downloads = [link for link in document["links"] if link["rel"] == "enclosure"]
    return answer(
        request,
        "collection.html",
        document,
        scopes=scopes,
        crumbs=trail(request, *to_collections(request), Crumb(shown["title"])),
        collection=shown,
        bounds=None if bounds is None else [words.number(number, 5) for number in bounds],
        downloads=downloads,
    )


def properties(request: Request, document: dict[str, Any], kind: str, scopes: frozenset[str]) -> Response:
    """What can be filtered by, sorted by or read of the features of a collection.

    ``kind`` is the last part of the address, and the key of the title.
    """
    words = words_of(language(request))
    name: str = request.path_params["collection"]
    titled = _titled(words, {**document, "id": name})
    about = Crumb(titled["title"], address(request, f"/collections/{name}"))
    return answer(
        request,
        "properties.html",
        document,
        SCHEMA_JSON,
        scopes,
        crumbs=trail(request, *to_collections(request), about, Crumb(words(kind))),
        heading=words(kind),
        groups=list(_groups(words, document["properties"])),
    )


def to_collections(request: Request) -> tuple[Crumb]:
    """The step to the collections."""
    return (Crumb(words_of(language(request))("collections"), address(request, "/collections")),)


def trail(request: Request, *crumbs: Crumb) -> tuple[Crumb, ...]:
    """The steps from the landing page on."""
    home = Crumb(words_of(language(request))("home"), address(request, "/", {"f": "html"}))
    return (home, *crumbs)


def _titled(words: Words, document: Mapping[str, Any]) -> dict[str, Any]:
    """A collection with its title and description in the reader's language, where there are such."""
    key = f"collection_{document['id']}"
    text = words.either(f"{key}_text", document["description"])
    return {**document, "title": words.either(key, document["title"]), "description": text}


def _groups(words: Words, found: Mapping[str, dict[str, Any]]) -> Iterator[tuple[str, Sequence[PropertyRow]]]:
    """The properties in their groups; those of no group come last."""
    for group in (*Group, _OTHER):
        rows = [_row(words, name, of) for name, of in found.items() if of.get("x-group", _OTHER) == group]
        if rows:
            yield words("other") if group == _OTHER else words(f"group_{group}"), rows


def _row(words: Words, name: str, of: Mapping[str, Any]) -> PropertyRow:
    kind: str = of.get("type", "geometry")
    labels, meanings = of.get("x-labels", {}), of.get("x-meanings", {})
    origin: str | None = of.get("x-origin")
    return PropertyRow(
        name=name,
        label=labels.get(words.lang, of["title"]),
        meaning=meanings.get(words.lang, of.get("description", "")),
        type=words(f"type_{kind}"),
        unit=unit_text(of.get("x-unit")),
        term=of.get("x-term", ""),
        origin="" if origin is None else words(f"origin_{origin}"),
        codes=tuple(map(words.code, cast(list[str], of.get("enum", ())))),
    )
