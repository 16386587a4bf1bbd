"""Templates of map tiles that the viewer lays on the ground, as a setting names them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

_NAMES: Mapping[str, str] = {
    **{"z": "z", "x": "x", "y": "y", "-y": "-y"},
    **{"TileMatrix": "z", "TileCol": "x", "TileRow": "y"},
}
"""The gaps of a template, as tile services and WMTS call them, by the names that the viewer fills in."""
_GAP = re.compile(r"\{([^{}]*)\}")
_CITY = re.compile(r"([\w-]+)=(https?://.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TileTemplate:
    """Addresses of tiles in WebMercatorQuad: ``{z}``, ``{x}`` and ``{y}``, or ``{-y}`` from the south."""

    city: str | None
    """The city around which the tiles are shown; None: around all that have none of their own."""
    url: str


def read(text: str) -> tuple[TileTemplate, ...]:
    """Templates separated by spaces, each alone or as ``city=template``; ValueError tells what is wrong."""
    templates = tuple(_one(part) for part in text.split())
    if not templates:
        raise ValueError("there is no template; leave the variable out for no base map")
    cities = [template.city for template in templates]
    for city in cities:
        if cities.count(city) > 1:
            raise ValueError(f"two templates are for {city or 'all cities'}; one alone can be shown")
    return templates


def _one(part: str) -> TileTemplate:
    named = _CITY.fullmatch(part)
    city, url = (named[1].lower(), named[2]) if named else (None, part)
    _check_address(url)
    found = [_filled_by(name, url) for name in _GAP.findall(url)]
    if sorted(name.lstrip("-") for name in found) != ["x", "y", "z"]:
        raise ValueError(
            f"{url} needs {{z}}, {{x}} and {{y}} (or {{-y}}) each once, "
            "or {TileMatrix}, {TileCol} and {TileRow}"
        )
    return TileTemplate(city, _GAP.sub(lambda gap: f"{{{_NAMES[gap[1]]}}}", url))


def _check_address(url: str) -> None:
    address = urlsplit(url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ValueError(f"{url} is no http or https address")
    if "@" in address.netloc:
        raise ValueError(f"{address.hostname} has a name or password before it, which browsers do not send")
    if _GAP.search(address.netloc):
        raise ValueError(f"{url} leaves its host open; write one of them out")


def _filled_by(name: str, url: str) -> str:
    if name not in _NAMES:
        raise ValueError(f"{{{name}}} of {url} is not known; write its value out")
    return _NAMES[name]
