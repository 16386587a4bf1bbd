"""The grid that vector tiles round outlines to, and what is known of outlines on it beforehand."""

from sqlalchemy import Computed

GRID_ZOOMS = range(12, 17)
"""The zooms of vector tiles for which it is known beforehand whether an outline fits the grid."""

MVT_EXTENT = 4096
"""Steps of the grid of a vector tile, in either direction."""

HALF_WORLD_M = 20037508.342789244
"""From the middle of the world to its edge in Web Mercator."""


def grid_zooms() -> Computed:
    """A bit for each zoom at which an outline is still valid when its vertices are moved to the grid.

    The grids of all tiles of a zoom are one, from the corner of the world. Outlines that are not
    clockwise have no bits: they would have to be turned.
    """
    corner = -HALF_WORLD_M
    valid = " | ".join(
        "(COALESCE(ST_IsValidReason(ST_SnapToGrid(footprint_3857, "
        f"{corner}, {corner}, {step}, {step})) = 'Valid Geometry', false)::int << {zoom})"
        for zoom in GRID_ZOOMS
        if (step := -2 * corner / (MVT_EXTENT << zoom))
    )
    return Computed(f"CASE WHEN ST_IsPolygonCW(footprint_3857) THEN {valid} ELSE 0 END", persisted=True)
