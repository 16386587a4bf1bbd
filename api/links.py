"""Links between resources, with the relation types of IANA and OGC."""

from collections.abc import Mapping
from typing import TypeAlias
from urllib.parse import quote, unquote_plus, urlencode

from fastapi import Request

from api.query import parameters_of

Link: TypeAlias = dict[str, str]

JSON = "application/json"
GEOJSON = "application/geo+json"
CITYJSON = "application/city+json"
SCHEMA_JSON = "application/schema+json"
TILES_JSON = "application/json+3dtiles"
OPENAPI_JSON = "application/vnd.oai.openapi+json;version=3.0"
OGC = "http://www.opengis.net/def/rel/ogc/1.0/"

_BASE, _PARTS = "twin.base", "twin.query_parts"
_SAFE = "%!$&'()*+,;=:@/?[]"
"""What stays as it was sent in a query: all that needs no further encoding in a header or in JSON."""


def base(request: Request) -> str:
    """The address of the landing page, without the slash at its end; found once for a request."""
    found = request.scope.get(_BASE)
    if found is None:
        found = request.scope[_BASE] = str(request.base_url).rstrip("/")
    return found


def query_parts(request: Request, *without: str) -> list[str]:
    """The parameters of a request as they were sent, such as ``limit=10``, but for those of some names."""
    found = request.scope.get(_PARTS)
    if found is None:
        parts = quote(request.scope["query_string"], safe=_SAFE).split("&")
        found = [(unquote_plus(part.partition("=")[0]), part) for part in parts if part]
        request.scope[_PARTS] = found
    return [part for name, part in found if name not in without]


def link(href: str, rel: str, type: str, title: str) -> Link:
    """A Link Object of OGC API Common."""
    return {"href": href, "rel": rel, "type": type, "title": title}


def with_query(request: Request, changes: Mapping[str, str]) -> str:
    """The address of the request with some query parameters set anew."""
    query = {**parameters_of(request), **changes}
    return f"{base(request)}{request.url.path}?{urlencode(query)}"


def link_header(links: list[Link]) -> str:
    """The same links as a Link header (RFC 8288); titles are left to the body."""
    return ", ".join(f'<{item["href"]}>; rel="{item["rel"]}"; type="{item["type"]}"' for item in links)
