"""The head of CityJSON: version, transform and metadata (2.0, sections 4 to 6)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import orjson

from importers.cityjson_appearance import Resources
from importers.cityjson_resources import read_resources
from importers.json_values import Json, as_list, as_object, as_text
from importers.port import ModelMetadata, says_synthetic
from twin.errors import UnreadableFile
from twin.formats.cityjson_upgrade import upgraded_head
from twin.model.geometry import Floats

_VERSIONS = ("1.0", "1.1", "2.0")
_READ = frozenset({"type", "CityObjects", "vertices", "id", "appearance", "geometry-templates"})
_POOLS = frozenset({"materials", "textures", "vertices-texture"})


@dataclass(frozen=True, slots=True)
class Header:
    """What holds for all features: a vertex becomes a coordinate by ``scale`` and ``translate`` (3,)."""

    metadata: ModelMetadata
    scale: Floats = field(default_factory=lambda: np.ones(3))
    translate: Floats = field(default_factory=lambda: np.zeros(3))
    ledger: Counter[str] = field(default_factory=Counter[str])
    resources: Resources = field(default_factory=Resources)


def read_header(path: Path, document: Mapping[str, Json], sequence: bool = False) -> Header:
    """The head of a document or of the first line of a sequence.

    UnreadableFile where it is no CityJSON, of a version that is not known, or without a transform.
    """
    version = _version(path, document)
    scale, translate = _transform(path, document.get("transform"), version)
    if as_object(document.get("CityObjects")) is None:
        raise UnreadableFile(f"{path}: there is no CityObjects object; the document is not whole")
    name = "CityJSONSeq" if sequence else "CityJSON"
    ledger: Counter[str] = Counter()
    resources = read_resources(document, ledger)
    metadata = replace(_metadata(f"{name} {version}", document.get("metadata")), document=_kept(document))
    return Header(metadata, scale, translate, ledger, resources)


def feature_header(_document: Mapping[str, Json]) -> Header:
    """What is assumed of features that come without a line of metadata: nothing."""
    header = Header(ModelMetadata("CityJSONFeature", document={"version": "2.0"}))
    header.ledger["transform that is not stated"] += 1
    return header


def _version(path: Path, document: Mapping[str, Json]) -> str:
    type_, version = document.get("type"), document.get("version")
    if type_ != "CityJSON":
        found = f"has the type {type_!r}" if type_ is not None else "has no type"
        raise UnreadableFile(f'{path}: the JSON document {found}; a city model has "type": "CityJSON"')
    known = next((known for known in _VERSIONS if str(version).startswith(known)), None)
    if known is None:
        raise UnreadableFile(
            f"{path}: CityJSON version {version!r} is not supported (known: {', '.join(_VERSIONS)});"
            f" upgrade the file with: cjio {path.name} upgrade save upgraded.city.json"
        )
    return known


def _transform(path: Path, raw: Json, version: str) -> tuple[Floats, Floats]:
    if raw is None and version == "1.0":
        return np.ones(3), np.zeros(3)
    transform = as_object(raw) or {}
    try:
        pair = [np.array(as_list(transform.get(key)), dtype=np.float64) for key in ("scale", "translate")]
    except (TypeError, ValueError):
        pair = []
    if len(pair) != 2 or any(part.shape != (3,) or not np.isfinite(part).all() for part in pair):
        raise UnreadableFile(
            f"{path}: transform is missing or has no scale and translate of three numbers;"
            f" CityJSON {version} needs it to place its vertices"
        )
    return pair[0], pair[1]


def _metadata(format_: str, raw: Json) -> ModelMetadata:
    metadata = as_object(raw) or {}
    contact = as_object(metadata.get("pointOfContact")) or {}
    return ModelMetadata(
        format=format_,
        title=as_text(metadata.get("title") or metadata.get("datasetTitle")),
        reference_system=as_text(metadata.get("referenceSystem")),
        synthetic=says_synthetic(orjson.dumps(metadata).decode()),
        publisher=as_text(contact.get("contactName")),
    )


def _kept(document: Mapping[str, Json]) -> dict[str, Json]:
    """The members of the document that are no pool and no object: an export gives them back."""
    kept = {key: value for key, value in upgraded_head(document).items() if key not in _READ}
    appearance = as_object(document.get("appearance")) or {}
    themes = {key: value for key, value in appearance.items() if key not in _POOLS}
    return kept | ({"appearance": themes} if themes else {})
