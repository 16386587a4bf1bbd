"""Links between resources, with the relation types of IANA and OGC."""

from collections.abc import Mapping
from typing import TypeAlias
from urllib.parse import urlencode

from fastapi import Request

Link: TypeAlias = dict[str, str]

JSON = "application/json"
GEOJSON = "application/geo+json"
CITYJSON = "application/city+json"
SCHEMA_JSON = "application/schema+json"
TILES_JSON = "application/json+3dtiles"
OPENAPI_JSON = "application/vnd.oai.openapi+json;version=3.0"
OGC = "http://www.opengis.net/def/rel/ogc/1.0/"


def base(request: Request) -> str:
    """The address of the landing page, without the slash at its end."""
    return str(request.base_url).rstrip("/")


def link(href: str, rel: str, type: str, title: str) -> Link:
    """A Link Object of OGC API Common."""
    return {"href": href, "rel": rel, "type": type, "title": title}


def with_query(request: Request, changes: Mapping[str, str]) -> str:
    """The address of the request with some query parameters set anew."""
    query = {**request.query_params, **changes}
    return f"{base(request)}{request.url.path}?{urlencode(query)}"


def link_header(links: list[Link]) -> str:
    """The same links as a Link header (RFC 8288); titles are left to the body."""
    return ", ".join(f'<{item["href"]}>; rel="{item["rel"]}"; type="{item["type"]}"' for item in links)
