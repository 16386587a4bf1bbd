"""From a template and its values to a page, with the headers that keep it harmless."""

from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import orjson
from fastapi import FastAPI, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.conditional import cache_headers, matches, not_modified
from api.formats import HTML, wants_html
from api.html.language import LANG, LANGUAGES, language, words_of
from api.links import JSON, base, with_query
from api.query import parameters_of
from api.static import PageFiles

_HERE = Path(__file__).parent
_FILES = "/pages"

HEADERS = {
    # Nothing of another site, and no script whatever: text that got in as markup could do nothing.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Crumb(NamedTuple):
    """A step on the way from the landing page to a page; the last one has no address."""

    title: str
    href: str | None = None


def install(app: FastAPI) -> None:
    """Serve the style of the pages."""
    app.mount(_FILES, PageFiles(directory=_HERE / "files"), name="pages")


@cache
def _environment() -> Environment:
    # Everything is escaped, also in templates that are not called .html.
    return Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def address(request: Request, path: str, query: Mapping[str, str] | None = None) -> str:
    """An address of the service that keeps to the language that was asked for."""
    members = dict(query or {})
    if (lang := parameters_of(request).get(LANG.name)) in LANGUAGES:
        members[LANG.name] = str(lang)
    return f"{base(request)}{path}" + (f"?{urlencode(members)}" if members else "")


def kept(request: Request, href: str) -> str:
    """A link of an answer, which keeps to the language that was asked for."""
    lang = parameters_of(request).get(LANG.name)
    return f"{href}{'&' if '?' in href else '?'}{LANG.name}={lang}" if lang in LANGUAGES else href


def render(request: Request, template: str, **values: Any) -> bytes:
    """A page in the reader's language; every value becomes text, whatever it holds."""
    words = words_of(language(request))

    def url(path: str, **query: str) -> str:
        return address(request, path, query)

    text = _environment().get_template(template).render(
        t=words,
        url=url,
        in_language={code: with_query(request, {LANG.name: code}) for code in LANGUAGES},
        languages=LANGUAGES,
        files=f"{base(request)}{_FILES}",
        **values,
    )  # fmt: skip
    return text.encode("utf-8", "replace")


def headers(request: Request) -> dict[str, str]:
    """What every page is sent with."""
    return {**HEADERS, "Content-Language": language(request), "Vary": "Accept, Accept-Language"}


def answer(
    request: Request,
    template: str,
    document: dict[str, Any],
    media_type: str = JSON,
    scopes: frozenset[str] = frozenset(),
    **values: Any,
) -> Response:
    """A document as it is, or as the page of a template, which has it as ``document``.

    Tagged by what is sent, so that a client that has it already gets 304.
    """
    html = wants_html(request)
    if html:
        as_json = with_query(request, {"f": "json"})
        body = render(request, template, document=document, as_json=as_json, **values)
    else:
        body = orjson.dumps(document)
    tag = f'W/"{blake2b(body, digest_size=12).hexdigest()}"'
    sent = cache_headers(tag, scopes) | (headers(request) if html else {"Vary": "Accept"})
    if matches(request, tag):
        return not_modified(sent)
    return Response(body, headers=sent, media_type=HTML.media_type if html else media_type)
