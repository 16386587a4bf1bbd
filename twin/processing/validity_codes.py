"""The errors of validity by the numbers of val3dity, each with a name and a sentence.

The numbers and their meaning are those of val3dity 2.x (its documentation, "Errors"): 303 is a shell
that is no 2-manifold, 305 one in several pieces, 306 one that crosses itself; 304 is no longer used.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """An error: its number, name and what it says of the ring, face or shell it was found in."""

    number: int
    name: str
    sentence: str


ERRORS: dict[int, ErrorCode] = {
    error.number: error
    for error in (
        ErrorCode(101, "TOO_FEW_POINTS", "the ring has fewer than 3 distinct points"),
        ErrorCode(102, "CONSECUTIVE_POINTS_SAME", "the ring repeats a point in a row"),
        ErrorCode(103, "RING_NOT_CLOSED", "the ring does not end where it starts"),
        ErrorCode(104, "RING_SELF_INTERSECTION", "the ring crosses or touches itself, or encloses nothing"),
        ErrorCode(201, "INTERSECTION_RINGS", "rings of the face cross or overlap"),
        ErrorCode(202, "DUPLICATED_RINGS", "two rings of the face are the same"),
        ErrorCode(
            203, "NON_PLANAR_POLYGON_DISTANCE_PLANE", "a point lies {value:.3f} m off the plane of the face"
        ),
        ErrorCode(
            204, "NON_PLANAR_POLYGON_NORMALS_DEVIATION", "the face is folded: part of it tilts {value:.0f}°"
        ),
        ErrorCode(205, "POLYGON_INTERIOR_DISCONNECTED", "the rings cut the face into pieces"),
        ErrorCode(206, "INNER_RING_OUTSIDE", "a hole lies outside the face"),
        ErrorCode(207, "INNER_RINGS_NESTED", "a hole lies within another hole"),
        ErrorCode(208, "ORIENTATION_RINGS_SAME", "the hole runs the same way round as the exterior ring"),
        ErrorCode(301, "TOO_FEW_POLYGONS", "the shell has fewer than 4 faces"),
        ErrorCode(302, "SHELL_NOT_CLOSED", "an edge of the face meets no other face: the shell is open"),
        ErrorCode(
            303, "NON_MANIFOLD_CASE", "at the face more than two faces meet in an edge, or pieces in a point"
        ),
        ErrorCode(305, "MULTIPLE_CONNECTED_COMPONENTS", "the shell falls into pieces that do not touch"),
        ErrorCode(
            306, "SHELL_SELF_INTERSECTION", "the face crosses, touches or covers face {other} of the shell"
        ),
        ErrorCode(
            307, "POLYGON_WRONG_ORIENTATION", "the face looks inward while its neighbours look outward"
        ),
        ErrorCode(
            401, "INTERSECTION_SHELLS", "the shell crosses shell {other}, or shares part of a face with it"
        ),
        ErrorCode(402, "DUPLICATED_SHELLS", "the shell is the same as shell {other}"),
        ErrorCode(403, "INNER_SHELL_OUTSIDE", "the void lies outside the solid"),
        ErrorCode(405, "WRONG_ORIENTATION_SHELL", "all faces of the shell look the wrong way"),
        ErrorCode(601, "BUILDINGPARTS_OVERLAP", "the interior of the solid overlaps that of shell {other}"),
        ErrorCode(999, "UNKNOWN_ERROR", "coordinates are no numbers, or farther than 100 km from the object"),
    )
}
"""Every error that ``validate`` can find, by number; 103 only the readers can see."""
