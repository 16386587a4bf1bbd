"""The formats of features, and which of them a request asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from fastapi import Request

from api.links import CITYJSON, GEOJSON
from api.parameters import Parameter, choice
from api.query import parameters_of
from twin.db.query import Collection
from twin.formats import jsonfg
from twin.model.offered import OfferedSystem


@dataclass(frozen=True, slots=True)
class Format:
    """A format by its name in `f`; ``media_type`` is sent, and accepted without its parameters.

    ``solids``: it has what was delivered in three dimensions, so that only collections with that have it.
    """

    name: str
    media_type: str
    extension: str
    title: str
    solids: bool = False

    @property
    def accepted(self) -> str:
        return self.media_type.partition(";")[0]


JSON_FEATURES = Format("geojson", GEOJSON, "geojson", "GeoJSON")
GEOJSON_SEQUENCE = Format("geojsonseq", "application/geo+json-seq", "geojsonl", "GeoJSON text sequence")
CSV = Format("csv", "text/csv; charset=utf-8; header=present", "csv", "CSV")
ARROW = Format("arrow", "application/vnd.apache.arrow.stream", "arrows", "Arrow stream")
GEOPARQUET = Format("geoparquet", "application/vnd.apache.parquet", "parquet", "GeoParquet")
FLATGEOBUF = Format("flatgeobuf", "application/vnd.flatgeobuf", "fgb", "FlatGeobuf")
JSON_FG = Format("jsonfg", jsonfg.MEDIA_TYPE, "jsonfg.json", "JSON-FG")
CITYJSON_DOCUMENT = Format("cityjson", CITYJSON, "city.json", "CityJSON", solids=True)
CITYJSON_SEQUENCE = Format(
    "cityjsonseq", "application/city+json-seq", "city.jsonl", "CityJSONSeq", solids=True
)

GLB = Format("glb", "model/gltf-binary", "glb", "binary glTF", solids=True)

HTML = Format("html", "text/html; charset=utf-8", "html", "HTML")

OF_DOWNLOADS: tuple[Format, ...] = (
    JSON_FEATURES,
    GEOJSON_SEQUENCE,
    JSON_FG,
    CSV,
    ARROW,
    GEOPARQUET,
    FLATGEOBUF,
    CITYJSON_SEQUENCE,
)
"""What can be written while it is read, the default first."""

OF_ITEMS: tuple[Format, ...] = (*OF_DOWNLOADS, CITYJSON_DOCUMENT, HTML)
"""What pages come in, the default first."""

OF_ITEM: tuple[Format, ...] = (JSON_FEATURES, JSON_FG, CITYJSON_DOCUMENT, GLB, HTML)
"""What one feature comes in, the default first."""

OF_ALL = frozenset({*OF_ITEMS, *OF_ITEM})

_NAME = "f"
_ALIASES = {"json": JSON_FEATURES}

OF_DOCUMENT = Parameter(
    _NAME, "The format; without it, what `Accept` asks for.", {"type": "string", "enum": ["json", "html"]}
)
"""The documentation of `f` for what is no features: JSON, and HTML for people."""


def parameter(formats: Sequence[Format]) -> Parameter:
    """The documentation of `f` for a route with some formats."""
    names = [*_ALIASES, *(form.name for form in formats)]
    return Parameter(
        _NAME, "The format; without it, what `Accept` asks for.", {"type": "string", "enum": names}
    )


def responses(formats: Sequence[Format], description: str) -> dict[int | str, dict[str, object]]:
    """The documentation of an answer that comes in some formats."""
    json = {"type": "object"}
    content = {
        form.accepted: {"schema": json if form.accepted.endswith("json") else {"type": "string"}}
        for form in formats
    }
    return {200: {"description": description, "content": content}}


def headers(form: Format, system: OfferedSystem) -> dict[str, str]:
    """What all answers in a format say of it; a file of CityJSON states its reference system itself."""
    stated = {} if form.solids else {"Content-Crs": f"<{system.uri}>"}
    return {**stated, "Vary": "Accept"}


def of(collection: Collection, formats: Sequence[Format]) -> list[Format]:
    """The formats that a collection has."""
    return [form for form in formats if offers(collection, form)]


def offers(collection: Collection, form: Format) -> bool:
    """Whether a collection has a format."""
    return collection.meshes if form is GLB else collection.solids or not form.solids


def asked(request: Request, collection: Collection, formats: Sequence[Format]) -> Format:
    """The format of an answer: what `f` names, else the first that `Accept` names, else the default."""
    known = of(collection, formats)
    given = parameters_of(request)
    if _NAME in given:
        offered = {**_ALIASES, **{form.name: form for form in known}}
        return offered[choice(given, _NAME, tuple(offered), JSON_FEATURES.name)]
    return _accepted(request.headers.get("accept", ""), known)


def wants_html(request: Request) -> bool:
    """Whether a request for a document asks for HTML: by `f`, else by `Accept`, as browsers do."""
    given = parameters_of(request)
    if _NAME in given:
        return choice(given, _NAME, ("json", "html"), "json") == "html"
    return accepts_html(request)


def accepts_html(request: Request) -> bool:
    """Whether `Accept` prefers HTML to JSON, whatever `f` says."""
    return _accepted(request.headers.get("accept", ""), [HTML]) is HTML


def _accepted(header: str, known: Sequence[Format]) -> Format:
    for name in _ranges(header):
        if (found := next((form for form in known if form.accepted == name), None)) is not None:
            return found
        if name in _OF_ANY:
            break
    return JSON_FEATURES


_OF_ANY = {"application/json", "*/*"}
"""Ranges that the default meets."""


@lru_cache(maxsize=256)
def _ranges(header: str) -> tuple[str, ...]:
    """The ranges that an `Accept` names, the most wanted first, without those that it refuses."""
    found = sorted(map(weighted, header.split(",")), key=lambda found: (-found[1], found[0] == "*/*"))
    return tuple(name for name, weight in found if weight > 0)


def weighted(part: str) -> tuple[str, float]:
    """A range of a header such as `Accept` with its weight; 0 where that is no number."""
    name, *more = (piece.strip().lower() for piece in part.split(";"))
    weight = next((piece[2:] for piece in more if piece.startswith("q=")), "1")
    try:
        return name, float(weight)
    except ValueError:
        return name, 0.0
