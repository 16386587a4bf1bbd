"""What the geometries of CityJSON refer to by number: appearances and templates of a document."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from importers.cityjson_appearance import Resources, dressed
from importers.cityjson_build import build, read_vertices
from importers.cityjson_geometry import unnest
from importers.json_values import Json, as_list, as_object
from importers.port import Refusal
from twin.formats.cityjson_upgrade import renamed_types
from twin.model.geometry import Floats, Geometry


def read_resources(document: Mapping[str, Json], ledger: Counter[str]) -> Resources:
    """What a document has to be referred to."""
    pools = _pools(document)
    templates = as_object(document.get("geometry-templates"))
    return replace(pools, templates=_templates(templates, pools, ledger), renamed=renamed_types(document))


def of_line(line: Mapping[str, Json], resources: Resources) -> Resources:
    """What a line of a sequence has to be referred to: appearances of its own, the others' templates."""
    return replace(_pools(line), templates=resources.templates, renamed=resources.renamed)


def _pools(document: Mapping[str, Json]) -> Resources:
    appearance = as_object(document.get("appearance")) or {}
    return Resources(
        as_list(appearance.get("materials")) or [],
        as_list(appearance.get("textures")) or [],
        as_list(appearance.get("vertices-texture")) or [],
    )


def _templates(
    raw: Mapping[str, Json] | None, pools: Resources, ledger: Counter[str]
) -> tuple[Geometry | Refusal, ...]:
    if raw is None:
        return ()
    listed = as_list(raw.get("templates")) or []
    try:
        vertices = read_vertices(raw.get("vertices-templates"), np.ones(3), np.zeros(3))
    except Refusal as refusal:
        return (refusal,) * len(listed)
    return tuple(_template(template, vertices, pools, ledger) for template in listed)


def _template(raw: Json, vertices: Floats, pools: Resources, ledger: Counter[str]) -> Geometry | Refusal:
    """A template, or why it cannot be read: then the objects that use it cannot be either."""
    try:
        nested = unnest(raw, pools)
        (geometry,) = build([nested], vertices, [(0, len(vertices))])
    except Refusal as refusal:
        return refusal
    return dressed(geometry, nested.appearance, pools, ledger)
