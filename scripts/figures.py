# ruff: noqa: E501
# The table of figures has one a line.
"""Draw the figures of the pages about measures, one SVG an attribute, into docs/images/measures.

Each has a light ground of its own, so that it can be read on light and on dark pages. Run it again
after a change: python scripts/figures.py
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images" / "measures"
WIDTH, HEIGHT = 360, 200
INK, LINE, FAINT, PLAIN, MARKED, STRONG = "#223", "#456", "#9ab", "#e8eef4", "#f0b79f", "#c2481d"

Point = tuple[float, float]
Corner = tuple[float, float, float]


def polygon(points: Iterable[Point], fill: str = PLAIN, stroke: str = LINE, extra: str = "") -> str:
    """A closed outline."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polygon points="{path}" fill="{fill}" stroke="{stroke}" stroke-width="1.5" {extra}/>'


def line(a: Point, b: Point, stroke: str = STRONG, extra: str = "", width: int = 2) -> str:
    """A straight line."""
    ends = f'x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}"'
    return f'<line {ends} stroke="{stroke}" stroke-width="{width}" {extra}/>'


def text(at: Point, words: str, colour: str = INK, anchor: str = "start") -> str:
    """Words, from a point on."""
    return f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" fill="{colour}" text-anchor="{anchor}">{words}</text>'


def circle(at: Point, radius: float, fill: str = "none", stroke: str = STRONG, extra: str = "") -> str:
    """A circle."""
    return (
        f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius:.1f}" fill="{fill}" '
        f'stroke="{stroke}" stroke-width="1.5" {extra}/>'
    )


def arrow(a: Point, b: Point, words: str = "", at: Point | None = None) -> str:
    """A length between two points, with what it is."""
    ends = 'marker-start="url(#tip)" marker-end="url(#tip)"'
    middle = at or ((a[0] + b[0]) / 2 + 8, (a[1] + b[1]) / 2 + 4)
    return line(a, b, STRONG, ends) + (text(middle, words, STRONG) if words else "")


def seen(corner: Corner, left: float = 40.0) -> Point:
    """Where a corner in metres is drawn: an oblique view from the south-east."""
    x, y, z = corner
    return left + 11.0 * x + 6.0 * y, 172.0 - 11.0 * z - 4.5 * y


A, B, C, D = ((0, 0, 0), (10, 0, 0), (10, 8, 0), (0, 8, 0))
E, F, G, H = ((0, 0, 6), (10, 0, 6), (10, 8, 6), (0, 8, 6))
WEST, EAST = (0, 4, 9), (10, 4, 9)
FACES: dict[str, tuple[Corner, ...]] = {
    "ground": (A, B, C, D),
    "north": (C, D, H, G),
    "west": (D, A, E, WEST, H),
    "back": (G, H, WEST, EAST),
    "south": (A, B, F, E),
    "east": (B, C, G, EAST, F),
    "roof": (E, F, EAST, WEST),
}
"""The house of the tests, 10 x 8 m, eaves at 6 m, ridge at 9 m, the hidden faces first."""


def house(*marked: str, left: float = 40.0) -> str:
    """The house with some faces marked; hidden ones show through where they are."""
    drawn: list[str] = []
    through = 0.45 if {"ground", "north", "west"} & set(marked) else 0.85
    for name, corners in FACES.items():
        hidden = name in {"ground", "north", "west", "back"}
        fill = MARKED if name in marked else ("none" if hidden else PLAIN)
        see = f'fill-opacity="{through}"' if not hidden else 'stroke-dasharray="3 3"'
        drawn.append(
            polygon([seen(corner, left) for corner in corners], fill, FAINT if hidden else LINE, see)
        )
    return "".join(drawn)


def level(z: float, words: str) -> str:
    """A height in front of the house."""
    a, b = seen((10, 4, z)), (262.0, seen((10, 4, z))[1])
    return line(a, b, STRONG, 'stroke-dasharray="4 3"') + text((b[0] + 5, b[1] + 4), words, STRONG)


L_PLAN = [(60, 40), (210, 40), (210, 95), (110, 95), (110, 165), (60, 165)]


def plan(fill: str = PLAIN, stroke: str = LINE) -> str:
    """An L seen from above."""
    return polygon([(float(x), float(y)) for x, y in L_PLAN], fill, stroke)


def box() -> str:
    """The least rectangle around the L."""
    return polygon([(60, 40), (210, 40), (210, 165), (60, 165)], "none", STRONG, 'stroke-dasharray="5 4"')


def row(party: str = PLAIN, inner: str = PLAIN, outer: str = PLAIN, roof: str = PLAIN) -> str:
    """Two houses side by side; the right one has two parts."""

    def front(x: float, width: float, height: float, words: str) -> str:
        corners = [(x, 165), (x + width, 165), (x + width, 165 - height), (x, 165 - height)]
        return polygon(corners, PLAIN) + text((x + width / 2, 150), words, INK, "middle")

    def strip(x: float, height: float, fill: str) -> str:
        return polygon([(x - 4, 165), (x + 4, 165), (x + 4, 165 - height), (x - 4, 165 - height)], fill)

    tops = "".join(
        polygon([(x, 165 - h - 4), (x + w, 165 - h - 4), (x + w, 165 - h + 4), (x, 165 - h + 4)], roof)
        for x, w, h in ((40, 90, 90), (130, 80, 120), (210, 70, 70))
    )
    return (
        front(40, 90, 90, "a") + front(130, 80, 120, "b, part 1") + front(210, 70, 70, "b, part 2")
        + strip(130, 90, party) + strip(210, 70, inner) + strip(40, 90, outer) + strip(280, 70, outer) + tops
    )  # fmt: skip


def around(radius: float, words: str, nearest: bool = False) -> str:
    """A footprint among others, seen from above."""
    own = polygon([(165, 90), (195, 90), (195, 110), (165, 110)], MARKED)
    others = [(228, 84), (120, 130), (90, 40), (280, 130), (300, 30), (215, 150), (30, 150), (150, 25)]
    drawn = "".join(polygon([(x, y), (x + 22, y), (x + 22, y + 18), (x, y + 18)], PLAIN) for x, y in others)
    ring = circle((180, 100), radius, "none", STRONG, 'stroke-dasharray="5 4"') if radius else ""
    gap = arrow((195, 98), (228, 98), "", None) if nearest else ""
    return drawn + own + ring + gap + text((12, 190), words, STRONG)


def solid_beside(other: str, words: str) -> str:
    """The house beside what it is compared with."""
    return house(left=20.0) + other + text((230, 190), words, STRONG)


def dome() -> str:
    """Half a ball."""
    path = '<path d="M 235 165 A 50 50 0 0 1 335 165 Z" fill="#f0b79f" stroke="#456" stroke-width="1.5"/>'
    return path + '<ellipse cx="285" cy="165" rx="50" ry="9" fill="none" stroke="#456"/>'


def block() -> str:
    """A cube."""
    front = polygon([(235, 170), (305, 170), (305, 100), (235, 100)], MARKED)
    side = polygon([(305, 170), (335, 152), (335, 82), (305, 100)], MARKED)
    return front + side + polygon([(235, 100), (305, 100), (335, 82), (265, 82)], MARKED)


def hull() -> str:
    """An L with its convex hull."""
    outline = [(60, 40), (210, 40), (210, 95), (110, 165), (60, 165)]
    return polygon([(float(x), float(y)) for x, y in outline], "none", STRONG, 'stroke-dasharray="5 4"')


def table(rows: Sequence[tuple[str, str]]) -> str:
    """Values with what they stand for."""
    return "".join(
        polygon([(20, 22 + 32 * i), (130, 22 + 32 * i), (130, 46 + 32 * i), (20, 46 + 32 * i)], PLAIN)
        + text((75, 39 + 32 * i), name, STRONG, "middle")
        + text((142, 39 + 32 * i), meaning)
        for i, (name, meaning) in enumerate(rows)
    )


def slope_figure(mark: str) -> str:
    """A roof from the side, with its slope or its length."""
    roof = polygon([(60, 160), (180, 70), (300, 160)], PLAIN) + line((40, 160), (320, 160), LINE)
    if mark == "slope":
        return (
            roof
            + '<path d="M 100 160 A 40 40 0 0 0 92 136" fill="none" stroke="#c2481d" stroke-width="2"/>'
            + text((110, 152), "slope", STRONG)
        )
    if mark == "plan":
        return roof + arrow((60, 176), (180, 176), "seen from above", (190, 180))
    return roof + line((60, 160), (180, 70), STRONG, width=5) + text((60, 100), "area", STRONG)


def azimuth_figure(words: str) -> str:
    """A direction on the map, clockwise from north."""
    north = arrow((120, 160), (120, 40), "north", (92, 30))
    turned = polygon([(150, 60), (250, 110), (225, 160), (125, 110)], MARKED)
    arc = '<path d="M 120 75 A 60 60 0 0 1 172 82" fill="none" stroke="#c2481d" stroke-width="2"/>'
    return (
        turned
        + north
        + line((120, 110), (255, 178), STRONG, 'marker-end="url(#tip)"')
        + arc
        + text((190, 50), words, STRONG)
    )


def _top(words: str) -> str:
    return text((12, 190), words, STRONG)


ALL_WALLS = ("south", "east", "north", "west")
FIGURES: dict[str, Callable[[], str]] = {
    "height_m": lambda: house() + arrow((275, seen((0, 4, 9))[1]), (275, seen((0, 4, 0))[1]), "height"),
    "height_ground_m": lambda: house("ground") + level(0, "ground"),
    "height_eave_m": lambda: house("roof", "back") + line(seen(E), seen(F)) + level(6, "eaves"),
    "height_ridge_m": lambda: house("roof", "back") + line(seen(WEST), seen(EAST)) + level(9, "ridge"),
    "height_max_m": lambda: house() + level(9, "top"),
    "volume_m3": lambda: house(*FACES) + _top("what the faces enclose"),
    "footprint_area_m2": lambda: plan(MARKED) + _top("area of the union of all grounds"),
    "footprint_perimeter_m": lambda: plan(PLAIN, STRONG) + _top("length of the outlines"),
    "box_length_m": lambda: plan() + box() + arrow((60, 25), (210, 25), "length", (222, 29)),
    "box_width_m": lambda: plan() + box() + arrow((228, 40), (228, 165), "width"),
    "box_azimuth_deg": lambda: azimuth_figure("of the longer side"),
    "storeys_estimated": lambda: house() + "".join(level(z, f"{z} m") for z in (0, 3, 6, 9)),
    "floor_area_estimated_m2": lambda: house("ground") + "".join(polygon([seen((x, y, z)) for x, y, _ in (A, B, C, D)], MARKED, LINE, 'fill-opacity="0.5"') for z in (0, 3)) + _top("footprint times storeys"),
    "elongation": lambda: plan() + box() + text((225, 100), "1 − W / L", STRONG),
    "rectangularity": lambda: plan(MARKED) + box() + text((225, 100), "A / (L · W)", STRONG),
    "circularity": lambda: plan(MARKED) + circle((135, 100), 58) + text((225, 100), "4πA / P²", STRONG),
    "hemisphericality": lambda: solid_beside(dome(), "1 for a half ball"),
    "cubeness": lambda: solid_beside(block(), "1 for a cube"),
    "convexity": lambda: plan(MARKED) + hull() + text((225, 100), "V / V of the hull", STRONG),
    "roof_type": lambda: table([("flat", "one level"), ("shed", "one way down"), ("gabled", "two ways down"), ("hipped", "four ways down"), ("complex", "anything else")]),
    "roof_area_m2": lambda: house("roof", "back") + _top("all roof faces, in their planes"),
    "roof_area_flat_m2": lambda: polygon([(60, 165), (280, 165), (280, 80), (60, 80)]) + line((60, 80), (280, 80), STRONG, width=6) + _top("slope up to 3°"),
    "roof_area_sloped_m2": lambda: house("roof", "back") + _top("slope over 3°"),
    "wall_area_m2": lambda: house(*ALL_WALLS) + _top("all walls"),
    "ground_area_m2": lambda: house("ground") + _top("all grounds"),
    "party_wall_area_m2": lambda: row(party=STRONG) + _top("between buildings"),
    "inner_wall_area_m2": lambda: row(inner=STRONG) + _top("between parts of one building"),
    "exterior_wall_area_m2": lambda: row(outer=STRONG) + _top("in the open"),
    "envelope_area_m2": lambda: row(outer=STRONG, roof=STRONG) + line((40, 167), (280, 167), STRONG, width=5) + _top("roof, exterior walls, ground"),
    "surface_to_volume": lambda: row(outer=STRONG, roof=STRONG) + _top("envelope / volume"),
    "touching_neighbours": lambda: row(party=STRONG) + _top("a touches one building"),
    "nearest_distance_m": lambda: around(0, "least distance to another footprint", nearest=True),
    "neighbours_50m": lambda: around(55, "within 50 m of the footprint"),
    "neighbours_100m": lambda: around(95, "within 100 m of the footprint"),
    "closed": lambda: house() + _top("each edge has two faces"),
    "volume_method": lambda: table([("divergence", "of a closed shell"), ("integral", "roofs above grounds")]),
    "volume_disagreement": lambda: table([("V₁", "by divergence"), ("V₂", "by the integral"), ("|V₁ − V₂|", "over the volume given")]),
    "quality": lambda: table([("exact", "closed shell"), ("prism", "open, roofs on grounds"), ("estimated", "neither")]),
    "footprint_method": lambda: table([("ground surfaces", "seen from above"), ("roof plan", "where there is no ground")]),
    "neighbours_quality": lambda: around(95, "edge: nobody on one side"),
    "valid": lambda: table([("true", "all checks passed"), ("false", "an error was found"), ("none", "checks left out for size")]),
    "validity_codes": lambda: table([("1xx", "rings"), ("2xx", "polygons"), ("3xx", "shells"), ("4xx", "solids"), ("601", "parts that overlap")]),
    "repair": lambda: table([("none", "nothing was wrong"), ("repaired", "by safe steps, kept beside"), ("not repairable", "no safe step makes it valid")]),
    "lod": lambda: table([("1", "blocks"), ("2", "roofs"), ("3", "openings")]),
    "surfaces": lambda: house("roof", "south", "east") + _top("7 faces, hidden ones too"),
    "placement": lambda: table([("exact", "known grid and geoid"), ("approximate", "height or grid assumed"), ("unplaced", "no reference system")]),
    "surface_type": lambda: house("roof", "back") + _top("roof, wall, ground or opening"),
    "slope_deg": lambda: slope_figure("slope"),
    "azimuth_deg": lambda: azimuth_figure("clockwise from north"),
    "area_m2": lambda: slope_figure("area"),
    "plan_area_m2": lambda: slope_figure("plan"),
    "height_min_m": lambda: house("roof") + level(6, "lowest point"),
    "height_max_m.face": lambda: house("roof") + level(9, "highest point"),
}  # fmt: skip


def document(name: str, body: str) -> str:
    """A whole SVG."""
    tip = (
        '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" '
        f'orient="auto-start-reverse"><path d="M0 0 L8 4 L0 8 z" fill="{STRONG}"/></marker>'
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">'
    ground = f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#fafcfe"/>'
    return f"{head}<title>{name}</title><defs>{tip}</defs>{ground}{body}</svg>\n"


def main() -> None:
    """Write every figure."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, draw in FIGURES.items():
        (FOLDER / f"{name}.svg").write_text(document(name, draw()), encoding="utf-8")


if __name__ == "__main__":
    main()
