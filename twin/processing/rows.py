"""Rows of the database from what was read and computed; values only, nothing is written here."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

import orjson

from twin.db import geometry as geometry_codec
from twin.db.columns import KEY_COLUMNS
from twin.db.load import DatasetSpec, Row, Rows, differs
from twin.model.attributes import CATALOGUE, Origin, Stage, of_origin, of_stage
from twin.model.cityobject import BUILDING_PART, FIRST_LEVEL_BUILDING, CityFeature, CityObject
from twin.model.crs import web_mercator
from twin.model.geometry import Geometry
from twin.model.heights import PLACEMENTS, UNPLACED
from twin.processing import planar
from twin.processing.compute import VERSION
from twin.processing.derive import Derived, Outline, Place
from twin.processing.mesh import ObjectMesh
from twin.processing.refresh import same_text
from twin.processing.values import Values

Hashes = dict[str, bytes | None]
"""Hashes of the meshes of an object by LoD; None of one without the measures of its faces."""

_SOURCE_NAMES = tuple(a.name for a in of_origin(Origin.SOURCE))
_VALUE_NAMES = tuple(a.name for a in of_stage(Stage.IMPORT) if a.name not in KEY_COLUMNS)
_NO_VALUES: Values = dict.fromkeys(_VALUE_NAMES)
_LATER: Values = dict.fromkeys(a.name for a in CATALOGUE if a.stage is not Stage.IMPORT)
_PLACE_NAMES = tuple(Place.__dataclass_fields__)
_GEOJSON_DECIMALS = 7


@dataclass(frozen=True, slots=True)
class Membership:
    """What the features of a dataset have in common."""

    dataset_id: int
    dataset: str
    city: str
    synthetic: bool
    srid: int | None

    @classmethod
    def of(cls, dataset_id: int, spec: DatasetSpec) -> "Membership":
        return cls(dataset_id, spec.name, spec.city, spec.synthetic, spec.horizontal_epsg)


@dataclass(frozen=True, slots=True)
class Entry:
    """A feature on its way into the database, with all that is known of it.

    ``harmonised`` holds values of catalogue attributes by object id, as read from the source.
    """

    feature: CityFeature
    harmonised: Mapping[str, Values]
    derived: Derived
    content_hash: bytes
    run_id: int

    @classmethod
    def stored(cls, feature: CityFeature, derived: Derived, objects: Mapping[str, Row]) -> "Entry":
        """Of a feature that is in the database, with the rows of its objects by id."""
        read = {item.id: {name: objects[item.id][name] for name in _SOURCE_NAMES} for item in feature}
        root = objects[feature.root.id]
        return cls(feature, read, derived, bytes(root["content_hash"]), root["run_id"])


def rows_of(entries: Sequence[Entry], membership: Membership) -> Rows:
    """The rows of every table for a batch of features, in the order of their cells.

    Neighbours in the city become neighbours on disk, so that a tile reads few pages.
    """
    ordered = sorted(entries, key=_quadkey)
    rows = computed_rows(ordered, membership)
    _add_geometries(rows, ordered, membership)
    rows.objects = [
        {**_read_of(entry, item, membership), **computed}
        for (entry, item), computed in zip(_each(ordered), rows.objects, strict=True)
    ]
    return rows


def computed_rows(entries: Sequence[Entry], membership: Membership) -> Rows:
    """The rows of the read model and of meshes, and of objects the keys and what was computed of them."""
    rows = Rows(objects=[_computed_of(entry, item, membership) for entry, item in _each(entries)])
    templates: dict[bytes, ObjectMesh] = {}
    outlines = [entry.derived for entry in entries]
    drawn = list(_footprints(outlines))
    for entry, (plain, outline), mercator in zip(entries, drawn, _on_map(outlines), strict=True):
        rows.meshes.extend(_mesh_row(entry, membership))
        rows.skins.extend(_skin_rows(entry, membership))
        templates.update((template.id, template.mesh) for template in entry.derived.templates)
        row = _feature_row(entry, membership, outline)
        rows.features.append({**row, "footprint": plain, "footprint_3857": mercator})
    rows.templates = [
        {
            "dataset_id": membership.dataset_id,
            "template_id": mesh.hash,
            "mesh": mesh.data,
            "faces": mesh.faces,
        }
        for _, mesh in sorted(templates.items())
    ]
    rows.parts = _part_rows(entries, drawn, membership)
    return rows


@dataclass(frozen=True, slots=True)
class StoredRows:
    """What is stored of some features: rows of objects and features by object id, of parts by their ids."""

    objects: Mapping[str, Row]
    features: Mapping[str, Row]
    meshes: Mapping[str, Hashes]
    parts: Mapping[str, Row]


def changed(rows: Rows, stored: StoredRows) -> Rows:
    """Of the rows that an import would write again those that differ from the stored ones.

    A feature that is as it was keeps what later stages computed of it; of others they compute it anew.
    Meshes come all or none of an object.
    """
    found = Rows(objects=[row for row in rows.objects if differs(row, stored.objects[row["object_id"]])])
    for row in rows.features:
        if not _is_as(row, stored.features[row["object_id"]]):
            found.features.append({**row, **_LATER})
    for row in rows.parts:
        before = stored.parts.get(row["id"])
        if before is None or not _is_as(row, before):
            found.parts.append(row)
    computed: dict[str, Hashes] = {}
    for row in rows.meshes:
        computed.setdefault(row["object_id"], {})[row["lod"]] = row["mesh_hash"]
    ids = {row["object_id"] for row in found.features}
    ids.update(object_id for object_id, hashes in computed.items() if hashes != stored.meshes.get(object_id))
    found.meshes = [row for row in rows.meshes if row["object_id"] in ids]
    found.skins = [row for row in rows.skins if row["object_id"] in ids]
    if found.meshes:
        found.templates = rows.templates
    return found


def _is_as(row: Row, stored: Row) -> bool:
    """Whether a row of a read model says what the stored one does, but for what later stages computed."""
    return not differs(_without_text(row), stored) and same_text(row, stored, _LATER)


def _without_text(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in ("geojson", "row_hash")}


def _each(entries: Sequence[Entry]) -> Iterator[tuple[Entry, CityObject]]:
    return ((entry, item) for entry in entries for item in entry.feature)


def _quadkey(entry: Entry) -> int:
    return entry.derived.place.quadkey if entry.derived.place else -1


def _add_geometries(rows: Rows, entries: Sequence[Entry], membership: Membership) -> None:
    stored: list[tuple[str, int, int | None, Geometry]] = []
    for _, item in _each(entries):
        repeats = geometry_codec.repeated(item.geometries)
        numbered = enumerate(zip(repeats, item.geometries, strict=True))
        stored.extend((item.id, number, same, geometry) for number, (same, geometry) in numbered)
    encoded = iter(geometry_codec.encode([g for *_, same, g in stored if same is None], membership.srid))
    for object_id, ordinal, same, geometry in stored:
        rows.geometries.append(
            {
                "dataset_id": membership.dataset_id,
                "object_id": object_id,
                "ordinal": ordinal,
                "same_as": same,
                "geom": next(encoded) if same is None else None,
                **geometry_codec.columns(geometry),
            }
        )


def geometry_values(geometries: Sequence[Geometry], membership: Membership) -> Iterator[Row]:
    """The columns that hold each geometry."""
    encoded = geometry_codec.encode(geometries, membership.srid)
    for geometry, geom in zip(geometries, encoded, strict=True):
        yield {"geom": geom, **geometry_codec.columns(geometry)}


_Drawn: TypeAlias = tuple[bytes | None, str | None]
"""EWKB of a footprint and its GeoJSON text; None where there is none."""


def _footprints(outlines: Sequence[Outline]) -> Iterator[_Drawn]:
    geographic = planar.as_multipolygons([outline.footprint for outline in outlines])
    return zip(planar.ewkb(geographic, 4326), planar.geojson(geographic, _GEOJSON_DECIMALS), strict=True)


def _on_map(outlines: Sequence[Outline]) -> list[bytes | None]:
    """EWKB of the footprints in Web Mercator, as vector tiles take them."""
    geographic = planar.as_multipolygons([outline.footprint for outline in outlines])
    return planar.ewkb(planar.clockwise(planar.transformed(geographic, web_mercator)), 3857)


def _computed_of(entry: Entry, item: CityObject, membership: Membership) -> dict[str, Any]:
    values = entry.derived.values.get(item.id, {})
    return {
        "dataset_id": membership.dataset_id,
        "object_id": item.id,
        "measured_with": VERSION if "volume_m3" in values else None,
        **_catalogue_values(entry, item, membership),
    }


def _read_of(entry: Entry, item: CityObject, membership: Membership) -> dict[str, Any]:
    return {
        "dataset_id": membership.dataset_id,
        "object_id": item.id,
        "parent_id": item.parent,
        "root_id": entry.feature.root.id,
        "type": item.type,
        "content_hash": entry.content_hash,
        "attributes": item.attributes,
        "addresses": geometry_codec.addresses(item.addresses),
        "extra": item.extra or None,
        "run_id": entry.run_id,
        "valid_from": _moment(item.attributes, "validFrom", "creationDate"),
        "valid_to": _moment(item.attributes, "validTo", "terminationDate"),
    }


def _catalogue_values(entry: Entry, item: CityObject, membership: Membership) -> dict[str, Any]:
    """What is known of one object by itself, keys aside, in catalogue order."""
    read = entry.harmonised.get(item.id, {})
    computed = entry.derived.values.get(item.id, {})
    known = {"city": membership.city, "synthetic": membership.synthetic, **read, **computed}
    if known.keys() <= _NO_VALUES.keys():
        return _NO_VALUES | known
    return {name: known.get(name) for name in _VALUE_NAMES}


def _moment(attributes: Mapping[str, Any], *names: str) -> datetime | None:
    """A date or time of the source as a point in time; None where it states none.

    What CityGML 3.0 says of the world goes before what its database said.
    """
    for name in names:
        if attributes.get(name) is None:
            continue
        with suppress(ValueError, OverflowError):
            moment = datetime.fromisoformat(str(attributes[name]))
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _mesh_row(entry: Entry, membership: Membership) -> list[Row]:
    mesh = entry.derived.mesh
    if mesh is None:
        return []
    row = {
        "dataset_id": membership.dataset_id,
        "object_id": entry.feature.root.id,
        "lod": entry.derived.values[entry.feature.root.id]["lod"],
        "mesh": mesh.data,
        "mesh_hash": mesh.hash,
        "faces": mesh.faces,
        "templates": mesh.templates or None,
        "instances": mesh.instances or None,
        "triangles": mesh.triangles,
        "vertices": mesh.vertices,
    }
    return [row]


def _skin_rows(entry: Entry, membership: Membership) -> list[Row]:
    mesh, root = entry.derived.mesh, entry.feature.root.id
    return [
        {
            "dataset_id": membership.dataset_id,
            "object_id": root,
            "lod": entry.derived.values[root]["lod"],
            "ordinal": ordinal,
            "theme": skin.theme,
            "skin": skin.data,
        }
        for ordinal, skin in enumerate(mesh.skins if mesh else ())
    ]


def _feature_row(entry: Entry, membership: Membership, outline: str | None) -> dict[str, Any]:
    root = entry.feature.root
    values = _catalogue_values(entry, root, membership)
    item_id = f"{membership.dataset}.{root.id}"
    place = entry.derived.place
    mesh_hash = entry.derived.mesh.hash if entry.derived.mesh else None
    properties = {
        "object_id": root.id,
        "dataset": membership.dataset,
        **values,
        **_LATER,
        "attributes": root.attributes,
    }
    geojson = feature_text(item_id, outline, properties)
    return {
        "id": item_id,
        "dataset_id": membership.dataset_id,
        "dataset": membership.dataset,
        "object_id": root.id,
        "type": root.type,
        **values,
        **{name: getattr(place, name, None) for name in _PLACE_NAMES},
        "mesh_hash": mesh_hash,
        "row_hash": hashlib.blake2b(geojson + (mesh_hash or b""), digest_size=16).digest(),
        "geojson": geojson.decode(),
    }


def _part_rows(entries: Sequence[Entry], drawn: Sequence[_Drawn], membership: Membership) -> list[Row]:
    """The read model of the parts of buildings; ``drawn`` are the footprints of the whole ones."""
    found = [
        (entry, item, entry.derived.parts.get(item.id, _NOWHERE), whole)
        for entry, whole in zip(entries, drawn, strict=True)
        if entry.feature.root.type == FIRST_LEVEL_BUILDING
        for item in entry.feature.objects[1:]
        if item.type == BUILDING_PART
    ]
    own = iter(list(_footprints([part for entry, _, part, _ in found if part is not entry.derived])))
    return [
        _part_row(entry, item, part, whole if part is entry.derived else next(own), membership)
        for entry, item, part, whole in found
    ]


_NOWHERE = Outline()


def _part_row(
    entry: Entry, item: CityObject, part: Outline, drawn: _Drawn, membership: Membership
) -> dict[str, Any]:
    root, (plain, outline) = entry.feature.root, drawn
    item_id = f"{membership.dataset}.{item.id}"
    placement = PLACEMENTS[UNPLACED] if part is _NOWHERE else entry.derived.values[root.id]["placement"]
    about = {
        "object_id": item.id,
        "dataset": membership.dataset,
        "building": f"{membership.dataset}.{root.id}",
        "parent": f"{membership.dataset}.{item.parent}",
        **_catalogue_values(entry, item, membership),
        "placement": placement,
    }
    geojson = feature_text(item_id, outline, {**about, "attributes": item.attributes})
    return {
        "id": item_id,
        "dataset_id": membership.dataset_id,
        **about,
        **{name: getattr(part.place, name, None) for name in _PLACE_NAMES},
        "footprint": plain,
        "row_hash": hashlib.blake2b(geojson, digest_size=16).digest(),
        "geojson": geojson.decode(),
    }


def feature_text(item_id: str, outline: str | None, properties: Mapping[str, Any]) -> bytes:
    """A GeoJSON Feature (RFC 7946, section 3.2) around the text of its geometry."""
    geometry = orjson.Fragment(_single(outline)) if outline else None
    return orjson.dumps({"type": "Feature", "id": item_id, "geometry": geometry, "properties": properties})


def _single(outline: str) -> str:
    """A MultiPolygon of one polygon as that Polygon, which is what people expect to read."""
    shape = orjson.loads(outline)
    if shape["type"] == "MultiPolygon" and len(shape["coordinates"]) == 1:
        return orjson.dumps({"type": "Polygon", "coordinates": shape["coordinates"][0]}).decode()
    return outline
