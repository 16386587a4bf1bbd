"""What CityJSON 1.0 and 1.1 call differently, in the words of 2.0 (as ``cjio upgrade`` does it).

Members that 2.0 does not know are kept: it allows further ones.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

VERSION = "2.0"
_METADATA_OF_1_0 = {
    "citymodelIdentifier": "identifier",
    "datasetPointOfContact": "pointOfContact",
    "datasetTitle": "title",
    "datasetReferenceDate": "referenceDate",
}
_EPSG = re.compile(r"^(?:urn:ogc:def:crs:EPSG::|EPSG:)(\d+)$", re.IGNORECASE)
_GENERIC = "cityjson.org/extensions/download/generic.ext.json"
_OLD_TYPES = {"BridgeConstructionElement": "BridgeConstructiveElement"}


def upgraded_head(document: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a document beside its objects, vertices and pools, as 2.0 has them."""
    version = str(document.get("version", VERSION))
    head: dict[str, Any] = {**document, "version": VERSION}
    metadata = head.get("metadata")
    if isinstance(metadata, dict):
        head["metadata"] = _metadata(cast("dict[str, Any]", metadata), version)
    if _has_generic_extension(document):
        extensions = cast("dict[str, Any]", head.pop("extensions"))
        others = {name: value for name, value in extensions.items() if name != "Generic"}
        head |= {"extensions": others} if others else {}
    return head


def _metadata(metadata: Mapping[str, Any], version: str) -> dict[str, Any]:
    names = _METADATA_OF_1_0 if version.startswith("1.0") else {}
    renamed = {names.get(key, key): value for key, value in metadata.items()}
    if "referenceSystem" in renamed:
        renamed["referenceSystem"] = reference_url(renamed["referenceSystem"])
    contact = renamed.get("pointOfContact")
    if not version.startswith("2") and isinstance(contact, dict):
        known = cast("dict[str, Any]", contact)
        if isinstance(known.get("address"), str):
            renamed["pointOfContact"] = known | {"address": {"address": known["address"]}}
    return renamed


def reference_url(reference: Any) -> Any:
    """An EPSG code in the form of 2.0; everything else as it is."""
    match = _EPSG.match(reference) if isinstance(reference, str) else None
    return f"https://www.opengis.net/def/crs/EPSG/0/{match[1]}" if match else reference


def _has_generic_extension(document: Mapping[str, Any]) -> bool:
    extensions = document.get("extensions")
    if str(document.get("version", VERSION)).startswith("2") or not isinstance(extensions, dict):
        return False
    generic = cast("dict[str, Any]", extensions).get("Generic")
    url: Any = cast("dict[str, Any]", generic).get("url") if isinstance(generic, dict) else None
    return isinstance(url, str) and _GENERIC in url


def renamed_types(document: Mapping[str, Any]) -> dict[str, str]:
    """Object types of the document that are called differently in 2.0."""
    if str(document.get("version", VERSION)).startswith("2"):
        return {}
    generic = {"+GenericCityObject": "GenericCityObject"} if _has_generic_extension(document) else {}
    return _OLD_TYPES | generic
