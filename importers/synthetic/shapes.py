"""Building shapes whose every measure has a closed form.

Lengths in plan are lattice units of ``unit`` metres (importers.synthetic.frames), heights are
millimetres in the national height system. The formulas are written out from the parameters and
never look at the shell, so that they are a truth to judge a measurement by.

Roof types, from the directions that the faces look to: level faces at one height are ``flat``, at several
``multiple flat``; one direction is ``shed``; two opposite ones ``gabled``, however often the slope breaks (a
mansard with gable ends); four around one top ``hipped``, a pyramid too; all else is ``complex``: wings at a
right angle, a spire beside a nave. The ridge is the longest level edge from which two slopes fall away,
the top of the roof where there is none.
"""

from dataclasses import dataclass, replace
from math import hypot

from importers.synthetic import shells
from importers.synthetic.shells import Shell
from twin.model.attributes import ROOF_TYPES

FLAT, MULTIPLE_FLAT, SHED, GABLED, HIPPED, COMPLEX = ROOF_TYPES


@dataclass(frozen=True, slots=True)
class Heights:
    """Ground, eaves and top in millimetres; ``top`` equals ``eave`` on a level roof."""

    ground: int
    eave: int
    top: int

    @property
    def wall(self) -> float:
        """From the ground to the eaves, in metres."""
        return (self.eave - self.ground) / 1000

    @property
    def rise(self) -> float:
        """From the eaves to the top, in metres."""
        return (self.top - self.eave) / 1000

    def triple(self) -> tuple[int, int, int]:
        return self.ground, self.eave, self.top


@dataclass(frozen=True, slots=True)
class Truth:
    """What measuring the shape must give; lengths, areas and volumes in metres.

    ``lower_ridge`` in millimetres where something stands higher than the ridge.
    """

    roof_type: str
    heights: Heights
    surfaces: int
    volume: float
    ground_area: float
    perimeter: float
    wall_area: float
    roof_flat: float = 0.0
    roof_sloped: float = 0.0
    lower_ridge: int | None = None

    @property
    def ridge(self) -> int:
        """Height of the ridge in millimetres, of the top where there is no ridge."""
        return self.heights.top if self.lower_ridge is None else self.lower_ridge


@dataclass(frozen=True, slots=True)
class Form:
    """A building's shells with its truth; several shells are parts of one building.

    ``width`` and ``depth`` are the extent along p and q in lattice units.
    """

    shape: str
    width: int
    depth: int
    shells: tuple[Shell, ...]
    truth: Truth


def rectangle(width: int, depth: int) -> list[tuple[int, int]]:
    """A ring, counter-clockwise."""
    return [(0, 0), (width, 0), (width, depth), (0, depth)]


def flat(width: int, depth: int, heights: Heights, unit: float) -> Form:
    """A box."""
    w, d, h = width * unit, depth * unit, heights.wall
    truth = Truth(FLAT, heights, 6, w * d * h, w * d, 2 * (w + d), 2 * (w + d) * h, roof_flat=w * d)
    shell = shells.prism([rectangle(width, depth)], heights.ground, heights.eave)
    return Form("flat", width, depth, (shell,), truth)


def _level(shape: str, rings: list[list[tuple[int, int]]], truth: Truth) -> Form:
    """A level roof over any footprint; ``truth`` is that of the box around it, less what is cut."""
    heights = truth.heights
    wall_area = truth.perimeter * heights.wall
    done = replace(truth, volume=truth.ground_area * heights.wall, wall_area=wall_area)
    width, depth = (max(point[axis] for point in rings[0]) for axis in (0, 1))
    shell = shells.prism(rings, heights.ground, heights.eave)
    return Form(shape, width, depth, (shell,), replace(done, roof_flat=truth.ground_area))


def l_shape(size: tuple[int, int], cut: tuple[int, int], heights: Heights, unit: float) -> Form:
    """A box less its far corner of ``cut`` units: two wings along p and q."""
    (width, depth), (a, b) = size, cut
    ring = [(0, 0), (width, 0), (width, depth - b), (width - a, depth - b), (width - a, depth), (0, depth)]
    area = (width * depth - a * b) * unit**2
    truth = Truth(FLAT, heights, 8, 0.0, area, 2 * (width + depth) * unit, 0.0)
    return _level("l_shape", [ring], truth)


def u_shape(size: tuple[int, int], cut: tuple[int, int], heights: Heights, unit: float) -> Form:
    """A box less a bay of ``cut`` units in the middle of its far side."""
    (width, depth), (a, b) = size, cut
    left = (width - a) // 2
    ring = [
        (0, 0), (width, 0), (width, depth), (left + a, depth), (left + a, depth - b), (left, depth - b),
        (left, depth), (0, depth),
    ]  # fmt: skip
    area = (width * depth - a * b) * unit**2
    truth = Truth(FLAT, heights, 10, 0.0, area, 2 * (width + depth + b) * unit, 0.0)
    return _level("u_shape", [ring], truth)


def courtyard(size: tuple[int, int], wing: int, heights: Heights, unit: float) -> Form:
    """Four wings around a court: an interior ring in ground and roof."""
    width, depth = size
    a, b = width - 2 * wing, depth - 2 * wing
    hole = [(wing, wing), (wing, wing + b), (wing + a, wing + b), (wing + a, wing)]
    area = (width * depth - a * b) * unit**2
    truth = Truth(FLAT, heights, 10, 0.0, area, 2 * (width + depth + a + b) * unit, 0.0)
    return _level("courtyard", [rectangle(width, depth), hole], truth)


def shed(width: int, depth: int, heights: Heights, unit: float) -> Form:
    """One slope that rises from q = 0 to the far side."""
    w, d, low, rise = width * unit, depth * unit, heights.wall, heights.rise
    truth = Truth(
        SHED, heights, 6, w * d * (low + rise / 2), w * d, 2 * (w + d),
        wall_area=2 * (w + d) * low + (w + d) * rise, roof_sloped=w * hypot(d, rise),
    )  # fmt: skip
    ground, eave, top = heights.triple()
    shell = shells.extrusion([(0, ground), (0, eave), (depth, top), (depth, ground)], width)
    return Form("shed", width, depth, (shell,), truth)


def gable(width: int, depth: int, heights: Heights, unit: float) -> Form:
    """Two slopes to a ridge along p; ``depth`` is even."""
    w, d, wall, rise = width * unit, depth * unit, heights.wall, heights.rise
    ground, eave, top = heights.triple()
    truth = Truth(
        GABLED, heights, 7, w * d * (wall + rise / 2), w * d, 2 * (w + d),
        wall_area=2 * (w + d) * wall + d * rise, roof_sloped=2 * w * hypot(d / 2, rise),
    )  # fmt: skip
    profile = [(0, ground), (0, eave), (depth // 2, top), (depth, eave), (depth, ground)]
    return Form("gable", width, depth, (shells.extrusion(profile, width),), truth)


def mansard(width: int, depth: int, heights: Heights, unit: float) -> Form:
    """A gabled roof with a kink: three quarters of the rise over the outer fifth of each side."""
    inset = depth // 5
    ground, eave, top = heights.triple()
    kink = eave + (top - eave) * 3 // 4
    w, d, i, wall = width * unit, depth * unit, inset * unit, heights.wall
    lower, upper = (kink - eave) / 1000, (top - kink) / 1000
    profile_area = d * wall + (d - i) * lower + (d / 2 - i) * upper
    truth = Truth(
        GABLED, heights, 9, w * profile_area, w * d, 2 * (w + d),
        wall_area=2 * w * wall + 2 * profile_area,
        roof_sloped=2 * w * (hypot(i, lower) + hypot(d / 2 - i, upper)),
    )  # fmt: skip
    profile = [
        (0, ground), (0, eave), (inset, kink), (depth // 2, top), (depth - inset, kink), (depth, eave),
        (depth, ground),
    ]  # fmt: skip
    return Form("mansard", width, depth, (shells.extrusion(profile, width),), truth)


def hip(width: int, depth: int, inset: int, heights: Heights, unit: float) -> Form:
    """Four slopes; the ridge along p begins ``inset`` from both ends, none is left in a pyramid."""
    w, d, s, wall, rise = width * unit, depth * unit, inset * unit, heights.wall, heights.rise
    pyramid = width == 2 * inset
    truth = Truth(
        HIPPED, heights, 9, w * d * wall + rise * d * (w / 2 - s / 3), w * d, 2 * (w + d),
        wall_area=2 * (w + d) * wall,
        roof_sloped=2 * (w - s) * hypot(d / 2, rise) + d * hypot(s, rise),
    )  # fmt: skip
    shell = shells.hipped(width, depth, inset, heights.triple())
    return Form("pyramid" if pyramid else "hip", width, depth, (shell,), truth)


def corner_gable(arms: tuple[int, int], depth: int, heights: Heights, unit: float) -> Form:
    """Two gabled wings at a right angle, as on the corner of a city block.

    Both wings have the same profile, so the roof is that profile along the mitred centre line.
    """
    a, b, d = arms[0] * unit, arms[1] * unit, depth * unit
    wall, rise, line = heights.wall, heights.rise, a + b - d
    truth = Truth(
        COMPLEX, heights, 11, d * line * (wall + rise / 2), d * line, 2 * (a + b),
        wall_area=2 * (a + b) * wall + d * rise, roof_sloped=2 * line * hypot(d / 2, rise),
    )  # fmt: skip
    shell = shells.corner_gable(arms, depth, heights.triple())
    return Form("corner_gable", arms[0], arms[1], (shell,), truth)


def stepped(near: int, far: int, depth: int, heights: Heights, unit: float) -> Form:
    """Two level roofs: ``near`` units wide at the eaves, ``far`` units at the top."""
    w1, w2, d = near * unit, far * unit, depth * unit
    low, rise = heights.wall, heights.rise
    high = low + rise
    front = w1 * low + w2 * high
    truth = Truth(
        MULTIPLE_FLAT, heights, 8, d * front, d * (w1 + w2), 2 * (w1 + w2 + d),
        wall_area=2 * front + d * (low + high + rise), roof_flat=d * (w1 + w2),
    )  # fmt: skip
    shell = shells.stepped(near, far, depth, heights.triple())
    return Form("stepped", near + far, depth, (shell,), truth)


def joined(
    shape: str, roof_type: str, forms: list[tuple[Form, int, int]], perimeter: int, unit: float
) -> Form:
    """Parts side by side, each moved by (p, q); measures add up, ``perimeter`` is that of the union."""
    truths = [form.truth for form, _, _ in forms]
    heights = Heights(
        min(t.heights.ground for t in truths),
        min(t.heights.eave for t in truths),
        max(t.heights.top for t in truths),
    )
    truth = Truth(
        roof_type, heights, sum(t.surfaces for t in truths), sum(t.volume for t in truths),
        sum(t.ground_area for t in truths), perimeter * unit, sum(t.wall_area for t in truths),
        sum(t.roof_flat for t in truths), sum(t.roof_sloped for t in truths),
    )  # fmt: skip
    moved = tuple(shell.moved(p, q) for form, p, q in forms for shell in form.shells)
    width = max(form.width + p for form, p, _ in forms)
    depth = max(form.depth + q for form, _, q in forms)
    return Form(shape, width, depth, moved, truth)


def tower(size: tuple[int, int], cut: tuple[int, int], heights: Heights, unit: float) -> Form:
    """A podium up to ``heights.eave`` with a tower up to ``heights.top`` in its far corner.

    Two parts that share walls, not floors: every roof is under the sky.
    """
    width, depth = size
    low = l_shape(size, cut, Heights(heights.ground, heights.eave, heights.eave), unit)
    high = flat(*cut, Heights(heights.ground, heights.top, heights.top), unit)
    parts = [(low, 0, 0), (high, width - cut[0], depth - cut[1])]
    return joined("tower", MULTIPLE_FLAT, parts, 2 * (width + depth), unit)


def church(nave: tuple[int, int], side: int, heights: Heights, spire: int, unit: float) -> Form:
    """A gabled nave with a square tower of ``side`` units before its gable and a pointed roof on it.

    ``spire`` is the height of its top in mm. The pointed roof rises four in one (76 degrees: still
    a roof, not a wall) or less where it would begin below the ridge of the nave. ``side`` and the depth of
    the nave are even.
    """
    length, depth = nave
    eave = max(heights.top + 2000, spire - 2 * round(side * unit * 1000))
    hall = gable(length, depth, heights, unit)
    steeple = hip(side, side, side // 2, Heights(heights.ground, eave, spire), unit)
    parts = [(hall, side, 0), (steeple, 0, (depth - side) // 2)]
    form = joined("church", COMPLEX, parts, 2 * (length + side + depth), unit)
    return replace(form, truth=replace(form.truth, lower_ridge=heights.top))
