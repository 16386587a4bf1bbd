"""Links between resources, with the relation types of IANA and OGC."""

from collections.abc import Mapping
from functools import lru_cache
from typing import TypeAlias
from urllib.parse import urlencode

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

_BASE = "twin.base"


def base(request: Request) -> str:
    """The address of the landing page, without the slash at its end; found once for a request."""
    scope = request.scope
    found = scope.get(_BASE)
    if found is None:
        host = next((value for name, value in scope["headers"] if name == b"host"), None)
        root = scope.get("app_root_path", scope.get("root_path", ""))
        server = scope.get("server")
        found = _base(scope["scheme"], host, server and tuple(server), root)
        scope[_BASE] = found
    return found


@lru_cache(maxsize=256)
def _base(scheme: str, host: bytes | None, server: tuple[str, int | None] | None, root: str) -> str:
    headers = [] if host is None else [(b"host", host)]
    scope = {"type": "http", "scheme": scheme, "server": server, "headers": headers, "root_path": root}
    return str(Request({**scope, "path": "", "query_string": b""}).base_url).rstrip("/")


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
