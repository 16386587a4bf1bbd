"""Pages of features: tables with a plan, and one feature with all that is known of it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson
from fastapi import Request

from api.html.documents import to_collections, trail
from api.html.language import LANG, Words, language, unit_text, words_of
from api.html.plan import plan
from api.html.render import Crumb, address, kept, render
from api.links import Link, base, with_query
from api.query import parameters_of
from twin.db.query import Collection, View
from twin.db.queryables import UNORDERED, UPDATED, Queryable
from twin.formats.geojson import ORIGINALS
from twin.model.attributes import Attribute, Group

MAX_COLUMNS = 8
_FIRST = (
    "city", "street", "house_number", "current_use", "year_of_construction", "height_m", "volume_m3",
    "footprint_area_m2", "building", "slope_deg", "azimuth_deg", "area_m2",
)  # fmt: skip
"""What the table shows of the catalogue where no properties are named, as far as a collection has it."""

_PER_PAGE = (20, 100, 500)


class Fact(NamedTuple):
    """A property of a feature as a row of a table."""

    name: str
    label: str
    value: str
    meaning: str
    unit: str
    term: str


class Column(NamedTuple):
    """A property as a column; ``href`` sorts by it, ``order`` is how it is sorted already."""

    name: str
    label: str
    href: str | None
    order: str
    number: bool


def items(request: Request, view: View, collection: Collection, body: bytes) -> bytes:
    """The page of a FeatureCollection of ours, given as GeoJSON."""
    document = orjson.loads(body)
    words = words_of(language(request))
    features: list[dict[str, Any]] = document["features"]
    title = _title(words, collection)
    about = f"/collections/{collection.name}"
    queryables = _columns(request, view, collection)
    return render(
        request,
        "items.html",
        crumbs=trail(
            request, *to_collections(request), Crumb(title, address(request, about)), Crumb(words("features"))
        ),
        title=title,
        action=f"{base(request)}{about}/items",
        start=address(request, f"{about}/items"),
        first=address(request, f"{about}/items", _without(request, "cursor")),
        given=dict(parameters_of(request)),
        hidden=[(n, v) for n, v in parameters_of(request).items() if n not in _OF_THE_FORM],
        example=_example(collection),
        per_page=_PER_PAGE,
        columns=[_column(request, words, queryable) for queryable in queryables],
        sortable=[q for q in collection.queryables(view) if q.type not in UNORDERED],
        labels={q.name: _label(words, q.attribute, q.name) for q in collection.queryables(view)},
        rows=[_row(request, words, queryables, collection, feature) for feature in features],
        plan=plan(_shapes(features)),
        places={str(f["id"]): _address_of(request, collection, f["id"]) for f in features},
        counted=with_query(request, {"count": "exact"}),
        document=document,
        next=next((link["href"] for link in document["links"] if link["rel"] == "next"), None),
        alternates=[link for link in document["links"] if link["rel"] == "alternate"],
    )


_OF_THE_FORM = {"filter", "sortby", "limit", "cursor", "f", LANG.name}
"""What the form asks for itself, or what does not go with another question."""


def _columns(request: Request, view: View, collection: Collection) -> list[Queryable]:
    """Those that `properties` names, else the first ones."""
    found = {q.name: q for q in collection.queryables(view) if q.type != "geometry" and q.name != "id"}
    named = parameters_of(request).get("properties")
    if named is not None:
        return [found[name.strip()] for name in named.split(",") if name.strip() in found]
    chosen = [found[name] for name in _FIRST if name in found] if collection.attributes else [*found.values()]
    return chosen[:MAX_COLUMNS]


def _column(request: Request, words: Words, queryable: Queryable) -> Column:
    label = _label(words, queryable.attribute, queryable.name)
    if queryable.attribute is not None and queryable.attribute.unit:
        label = f"{label} ({unit_text(queryable.attribute.unit)})"
    sorted_by = parameters_of(request).get("sortby", "").lstrip("+ ")
    ascending, descending = sorted_by == queryable.name, sorted_by == f"-{queryable.name}"
    query = _without(request, "cursor")
    query["sortby"] = f"-{queryable.name}" if ascending else queryable.name
    href = None if queryable.type in UNORDERED else address(request, request.url.path, query)
    order = "ascending" if ascending else "descending" if descending else "none"
    return Column(queryable.name, label, href, order, queryable.type in {"integer", "number"})


def _without(request: Request, name: str) -> dict[str, str]:
    return {key: value for key, value in parameters_of(request).items() if key != name}


def _row(
    request: Request,
    words: Words,
    columns: Sequence[Queryable],
    collection: Collection,
    feature: Mapping[str, Any],
) -> tuple[str, str, list[str]]:
    """Id, address and values of a feature; units are in the heads of the columns."""
    values = feature["properties"]
    texts = [_cell(words, values.get(q.name), q.attribute) for q in columns]
    return feature["id"], _address_of(request, collection, feature["id"]), texts


def _cell(words: Words, value: Any, attribute: Attribute | None) -> str:
    text = words.value(value, attribute)
    return text.removesuffix(unit_text(attribute.unit)).rstrip() if attribute and attribute.unit else text


def _address_of(request: Request, collection: Collection, id: object) -> str:
    return address(request, f"/collections/{collection.name}/items/{quote(str(id), safe=':')}")


def item(request: Request, view: View, collection: Collection, body: bytes) -> bytes:
    """The page of one Feature of ours, given as GeoJSON."""
    document = orjson.loads(body)
    words = words_of(language(request))
    id = str(document["id"])
    title = _title(words, collection)
    about = f"/collections/{collection.name}"
    drawn = id if collection.meshes else str(document["properties"].get("building") or "")
    facts = list(_facts(words, view, collection, document["properties"]))
    return render(
        request,
        "item.html",
        crumbs=trail(
            request,
            *to_collections(request),
            Crumb(title, address(request, about)),
            Crumb(words("features"), address(request, f"{about}/items")),
            Crumb(id),
        ),
        title=title,
        id=id,
        groups=[(name, [f for f in rows if f.value != _NONE]) for name, rows in facts],
        missing=[fact.label for _, rows in facts for fact in rows if fact.value == _NONE],
        originals=_originals(words, document["properties"]),
        plan=plan(_shapes([document]), 360, 280),
        places={},
        viewer=f"{base(request)}/#id={quote(drawn, safe=':')}&lang={words.lang}" if drawn else None,
        alternates=[link for link in document["links"] if link["rel"] == "alternate"],
        own=next(link for link in document["links"] if link["rel"] == "self"),
        related=[_related(request, words, link) for link in document["links"] if link["rel"] in _RELATED],
    )


_RELATED = {"related", "up"}


def _related(request: Request, words: Words, link: Link) -> Link:
    """A link with its title in the reader's language, if that is known, and to a page in it."""
    key = f"link_{link['title'].lower().replace(' ', '_')}"
    return {**link, "title": words.either(key, link["title"]), "href": kept(request, link["href"])}


_NONE = Words("en", {}).value(None)


def _facts(
    words: Words, view: View, collection: Collection, values: Mapping[str, Any]
) -> Iterator[tuple[str, list[Fact]]]:
    """What is known, group by group in the order of the catalogue; what is in no group comes last."""
    declared = {q.name: q for q in collection.queryables(view) if q.name in values}
    for group in Group:
        rows = [
            _fact(words, name, values[name], q.attribute)
            for name, q in declared.items()
            if q.attribute is not None and q.attribute.group is group
        ]
        if rows:
            yield words(f"group_{group}"), rows
    told = {name for name, q in declared.items() if q.attribute is not None}
    rest = [_fact(words, n, v, None) for n, v in values.items() if n not in {*told, ORIGINALS, UPDATED}]
    if rest:
        yield words("property" if not told else "other"), rest


def _fact(words: Words, name: str, value: Any, attribute: Attribute | None) -> Fact:
    meaning = "" if attribute is None else words.meaning(attribute)
    term = "" if attribute is None else attribute.term or ""
    unit = "" if attribute is None else unit_text(attribute.unit)
    label = _label(words, attribute, name)
    return Fact(name, label, words.value(value, attribute), meaning, unit, term)


def _originals(words: Words, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    found: dict[str, Any] | None = values.get(ORIGINALS)
    return [(name, words.value(value)) for name, value in (found or {}).items()]


def _shapes(features: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    return ((str(feature["id"]), feature["geometry"]) for feature in features)


def _title(words: Words, collection: Collection) -> str:
    return words.either(f"collection_{collection.name}", collection.title)


def _label(words: Words, attribute: Attribute | None, name: str) -> str:
    return name if attribute is None else words.label(attribute)


def _example(collection: Collection) -> str:
    names = {attribute.name for attribute in collection.attributes}
    if "height_m" in names:
        return "height_m > 20 AND current_use = 'office'"
    return "slope_deg < 3" if "slope_deg" in names else "id > 'a'"
