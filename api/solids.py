"""Formats with the delivered geometries: CityJSON, its sequence and JSON-FG."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import orjson
from anyio import to_thread

from twin.db import objects, stored_features
from twin.db.feature_query import Output, dataset_value, sources
from twin.db.pool import ReadPool, Row
from twin.db.query import Selection, Statement, View
from twin.errors import InvalidParameter
from twin.formats import jsonfg
from twin.formats.cityjson import Transform, cityjson_document, cityjson_feature, cityjson_header
from twin.formats.cityjson_geometry import Templates
from twin.model.cityobject import CityFeature, CityObject, with_part
from twin.model.geometry import Geometry

Whole: TypeAlias = tuple[Row, CityFeature | None]
"""A row of the read model with its objects; None where there are none of the time."""

EPSG = "https://www.opengis.net/def/crs/EPSG/0/"

_COLUMNS = ("id", "dataset_id", "object_id")
_BUILDING = "building"


def columns(selection: Selection) -> tuple[str, ...]:
    """What tells which objects belong to a row of the read model."""
    return (*_COLUMNS, _BUILDING) if are_parts(selection) else _COLUMNS


def are_parts(selection: Selection) -> bool:
    """Whether the features are parts of buildings, of which several may be of one."""
    return _BUILDING in selection.source.c


def reference_outputs(selection: Selection) -> tuple[Output, ...]:
    """``horizontal_epsg`` and ``vertical_epsg`` of the dataset of each feature."""
    return tuple(dataset_value(selection, name) for name in ("horizontal_epsg", "vertical_epsg"))


async def whole_features(pool: ReadPool, view: View, rows: Sequence[Row]) -> list[Whole]:
    """The rows with all their objects and geometries, as the view shows them; parts with their building."""
    by_dataset: dict[int, dict[str, None]] = {}
    for row in rows:
        by_dataset.setdefault(row["dataset_id"], {})[_root_id(row)] = None
    found: dict[tuple[int, str], CityFeature] = {}
    for dataset_id, root_ids in by_dataset.items():
        of_objects, of_geometries = _statements(view, dataset_id, list(root_ids))
        read = await pool.fetch(of_objects), await pool.fetch(of_geometries)
        for feature in await to_thread.run_sync(objects.features, *read):
            found[dataset_id, feature.root.id] = _open(view, feature)
    return [(row, _shown(row, found.get((row["dataset_id"], _root_id(row))))) for row in rows]


def _root_id(row: Row) -> str:
    building: str | None = row.get(_BUILDING)
    if building is None:
        return row["object_id"]
    return building.removeprefix(row["id"].removesuffix(row["object_id"]))


def _shown(row: Row, feature: CityFeature | None) -> CityFeature | None:
    """The feature, or of a building what a row of one of its parts stands for."""
    return feature if feature is None or _BUILDING not in row else with_part(feature, row["object_id"])


def _statements(view: View, dataset_id: int, root_ids: list[str]) -> tuple[Statement, Statement]:
    chosen = dataset_id, root_ids
    if view.as_of is None:
        return objects.object_rows(*chosen), objects.geometry_rows(*chosen)
    moment = view.as_of
    return stored_features.objects_at(*chosen, moment), stored_features.geometries_at(*chosen, moment)


def _open(view: View, feature: CityFeature) -> CityFeature:
    """The feature without what may be personal, where the view does not show that."""
    if "personal" in view.scopes:
        return feature
    return CityFeature(tuple(replace(o, attributes={}, addresses=(), extra={}) for o in feature.objects))


async def one_reference(pool: ReadPool, selection: Selection) -> str | None:
    """The reference system of a selection of one dataset.

    A file of CityJSON has one reference system, and ids that are unique in it.
    """
    found = await pool.fetch(sources(selection))
    if len(found) > 1:
        names = ", ".join(row["name"] for row in found)
        raise InvalidParameter(
            f"CityJSON is of one dataset and the features are of several: {names}. Choose one with 'dataset'."
        )
    return None if not found else reference(found[0]["horizontal_epsg"])


def reference(horizontal: int | None) -> str | None:
    """The URL of a reference system, as CityJSON writes it."""
    return None if horizontal is None else f"{EPSG}{horizontal}"


@dataclass(frozen=True, slots=True)
class Places:
    """The solids of JSON-FG, all of an answer in one system, which is what ``coordRefSys`` says."""

    system: str | list[str] | None

    def of(self, found: Whole) -> jsonfg.Json | None:
        """The place of a row with its objects; None where its system is not stated."""
        row, feature = found
        horizontal, vertical = row["horizontal_epsg"], row["vertical_epsg"]
        if feature is None or self.system is None or horizontal is None or vertical is None:
            return None
        if self.system == jsonfg.SHARED:
            return jsonfg.place(feature, jsonfg.shared(horizontal, vertical))
        return jsonfg.place(feature, jsonfg.delivered(horizontal))


async def places(pool: ReadPool, selection: Selection) -> Places:
    """As delivered where all datasets of a selection have one system, else in one for all."""
    return common_places(await pool.fetch(sources(selection)))


def common_places(datasets: Iterable[Mapping[str, Any]]) -> Places:
    """The same for rows with ``horizontal_epsg`` and ``vertical_epsg``."""
    systems = {(row["horizontal_epsg"], row["vertical_epsg"]) for row in datasets}
    if len(systems) > 1:
        return Places(jsonfg.SHARED)
    return Places(jsonfg.compound_system(*next(iter(systems), (None, None))))


@dataclass(slots=True)
class DocumentWriter:
    """One CityJSON document of all features, which it keeps until the end."""

    reference: str | None
    _objects: dict[str, CityObject] = field(default_factory=dict[str, CityObject])

    def start(self) -> bytes:
        return b""

    def part(self, features: Sequence[Whole]) -> bytes:
        for _, feature in features:
            _join(self._objects, feature or ())
        return b""

    def finish(self) -> bytes:
        return orjson.dumps(cityjson_document([*self._objects.values()], self.reference))


def _join(known: dict[str, CityObject], more: Iterable[CityObject]) -> None:
    """Add objects to those that are known; what two parts are parts of may have its geometry in one alone."""
    for item in more:
        if item.id not in known or item.geometries:
            known[item.id] = item


@dataclass(slots=True)
class SequenceWriter:
    """A CityJSONSeq, feature by feature; instances of templates are put in place.

    Its first line would have to tell all templates before the first feature is known. Parts of a building
    that follow each other are one feature: the last one waits for what comes.
    """

    reference: str | None
    _transform: Transform | None = None
    _waiting: dict[str, CityObject] = field(default_factory=dict[str, CityObject])

    def start(self) -> bytes:
        return b""

    def part(self, features: Sequence[Whole]) -> bytes:
        whole = [tuple(map(_in_place, feature)) for _, feature in features if feature is not None]
        if self._transform is not None:
            return self._lines(self._transform, whole)
        self._transform = Transform.around(item for members in whole for item in members)
        return self._head(self._transform) + self._lines(self._transform, whole)

    def _lines(self, transform: Transform, whole: Iterable[Sequence[CityObject]]) -> bytes:
        by_root: dict[str, dict[str, CityObject]] = {}
        for members in (*([[*self._waiting.values()]] if self._waiting else ()), *whole):
            _join(by_root.setdefault(members[0].id, {}), members)
        if not by_root:
            return b""
        *ready, self._waiting = by_root.values()
        return b"".join(_line(members.values(), transform) for members in ready)

    def finish(self) -> bytes:
        if self._transform is None:
            return self._head(Transform())
        return _line(self._waiting.values(), self._transform) if self._waiting else b""

    def _head(self, transform: Transform) -> bytes:
        head: Mapping[str, Any] = cityjson_header(self.reference, transform, templates=Templates())
        return orjson.dumps(head, option=orjson.OPT_APPEND_NEWLINE)


def _line(members: Iterable[CityObject], transform: Transform) -> bytes:
    return orjson.dumps(cityjson_feature([*members], transform), option=orjson.OPT_APPEND_NEWLINE)


def _in_place(item: CityObject) -> CityObject:
    if all(geometry.instance is None for geometry in item.geometries):
        return item
    return replace(item, geometries=tuple(map(_placed, item.geometries)))


def _placed(geometry: Geometry) -> Geometry:
    return geometry if geometry.instance is None else geometry.instance.placed(geometry.xyz[0])
