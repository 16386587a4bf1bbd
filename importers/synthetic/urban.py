"""How dense districts are built on: closed blocks, towers, slabs, narrow medieval houses."""

from collections.abc import Iterator
from dataclasses import replace

from importers.synthetic import shapes
from importers.synthetic.frames import Frame
from importers.synthetic.plan import Lot, Site, roofed


def closed_block(site: Site) -> Iterator[Lot]:
    """Houses wall to wall along all four streets around a common court, as in Kallio."""
    if site.happens(0.1):
        yield from _single_building(site)
        return
    block, depth = site.block, site.even(site.district.depth)
    lengths = (block.width, block.depth) * 2
    arm_limit = min(lengths) // 2
    arms = [min(site.units(depth * site.frame.unit / 1000 + 4, 20), arm_limit) for _ in range(4)]
    frame, storeys = site.frame, site.storeys()
    for side, length in enumerate(lengths):
        yield _corner_house(site, frame, (arms[side], depth), side, storeys)
        yield from _street_front(site, frame, (arms[side], length - arms[(side + 1) % 4], depth), side)
        frame = frame.at(length, 0, 1)
    yield from _court(site, depth)


def _corner_house(site: Site, frame: Frame, arm_depth: tuple[int, int], side: int, storeys: int) -> Lot:
    arm, depth = arm_depth
    unit = frame.unit / 1000
    if site.roof() in {"flat", "shed"}:
        heights = site.heights(frame, (arm, arm), storeys + 1)
        form = shapes.l_shape((arm, arm), (arm - depth, arm - depth), heights, unit)
    else:
        heights = site.heights(frame, (arm, arm), storeys, site.district.pitch * depth * unit / 2)
        form = shapes.corner_gable((arm, arm), depth, heights, unit)
    return site.lot(frame, form, site.use(), storeys, side)


def _street_front(site: Site, frame: Frame, reach: tuple[int, int, int], side: int) -> Iterator[Lot]:
    """Houses from ``reach[0]`` to ``reach[1]`` along a side, ``reach[2]`` deep."""
    at, end, depth = reach
    narrow = site.units(site.district.frontage[0] * 0.6)
    while end - at >= narrow:
        frontage = site.units(*site.district.frontage)
        if end - at - frontage < narrow:
            frontage = end - at
        if not site.happens(0.05):
            storeys = site.storeys()
            place = frame.at(at, 0)
            roof = site.roof()
            roof = "gable" if roof == "hip" else roof
            form = roofed(site, place, (frontage, depth), storeys, roof)
            yield site.lot(place, form, site.use(), storeys, side)
        at += frontage


def _court(site: Site, depth: int) -> Iterator[Lot]:
    """Sheds and workshops inside a block, clear of the houses around."""
    clear = depth + site.units(5)
    width, length = site.block.width - 2 * clear, site.block.depth - 2 * clear
    size = site.units(8)
    if min(width, length) < size:
        return
    for index in range(site.chance.randrange(3)):
        p = clear + index * width // 2 + site.chance.randrange(max(1, width // 2 - size))
        q = clear + site.chance.randrange(max(1, length - size))
        frame = site.frame.at(p, q)
        yield site.outbuilding(frame, site.chance.uniform(4, 7), site.chance.uniform(3, 5))


def _single_building(site: Site) -> Iterator[Lot]:
    """One institution that takes the whole block, around a court or open to one side."""
    block, unit = site.block, site.frame.unit / 1000
    size = (block.width, block.depth)
    wing = site.units(site.district.depth + 2)
    storeys = site.storeys(0.5)
    heights = site.heights(site.frame, size, storeys + 0.5)
    if site.happens(0.6):
        form = shapes.courtyard(size, wing, heights, unit)
    else:
        form = shapes.u_shape(size, (size[0] - 2 * wing, size[1] - wing), heights, unit)
    yield site.lot(site.frame, form, "school" if site.happens(0.5) else "office", storeys)


def centre(site: Site) -> Iterator[Lot]:
    """Two or four large buildings a block, some of them towers with a podium."""
    block, lane = site.block, site.units(9)
    columns, rows = (2, 2) if site.happens(0.5) else (2, 1)
    width = (block.width - lane * (columns - 1)) // columns
    depth = (block.depth - lane * (rows - 1)) // rows // 2 * 2
    for row in range(rows):
        for column in range(columns):
            frame = site.frame.at(column * (width + lane), row * (depth + lane))
            yield _large(site, frame, (width, depth), 2 * row)


def _large(site: Site, frame: Frame, size: tuple[int, int], side: int) -> Lot:
    width, depth = size
    storeys = site.storeys(1.5)
    chance = site.chance.random()
    unit = frame.unit / 1000
    low = max(2, storeys // 3)
    if chance < 0.6:
        heights = site.heights(frame, size, low, (storeys - low) * site.district.storey)
        form = shapes.tower(size, _tower_plan(site, size), heights, unit)
        return site.lot(frame, form, site.use(), storeys, side)
    storeys = min(storeys, 9)
    if chance < 0.75:
        heights = site.heights(frame, size, storeys - 2, 2 * site.district.storey)
        form = shapes.stepped(width // 3, width - width // 3, depth, heights, unit)
    elif chance < 0.88:
        heights = site.heights(frame, size, storeys)
        form = shapes.courtyard(size, min(site.units(11), depth // 3, width // 3), heights, unit)
    else:
        form = roofed(site, frame, size, storeys, "flat")
    return site.lot(frame, form, site.use(), storeys, side)


def _tower_plan(site: Site, size: tuple[int, int]) -> tuple[int, int]:
    """Width and depth of the tower over a podium: slender, and never the whole podium."""
    return min(site.units(20, 26), size[0] * 2 // 3), min(site.units(17, 22), size[1] * 2 // 3)


def slabs(site: Site) -> Iterator[Lot]:
    """Long parallel panel buildings with a point house or a kindergarten between them."""
    block = site.block
    depth, pitch = site.even(site.district.depth), site.units(30)
    tall = site.happens(0.35)
    for index, q in enumerate(range(0, block.depth - depth + 1, pitch)):
        offset = site.units(0, 14)
        frame = site.frame.at(offset, q)
        room = block.width - offset
        if index == 1 and site.happens(0.5):
            yield _between(site, site.frame, q)
            continue
        storeys = 9 if tall else 5
        length = min(room, site.units(48, 76))
        form = roofed(site, frame, (length, depth), storeys, "flat")
        yield site.lot(frame, form, "apartments", storeys, 2 * (index > 1))


def _between(site: Site, frame: Frame, q: int) -> Lot:
    """A nine-storey point house, or a kindergarten low between the slabs."""
    if site.happens(0.5):
        place = frame.at(site.units(20, 50), q)
        size = (site.even(17), site.even(16))
        return site.lot(place, roofed(site, place, size, 9, "flat"), "apartments", 9)
    place = frame.at(site.units(15, 35), q)
    size, unit = (site.even(30), site.units(17)), frame.unit / 1000
    form = shapes.u_shape(size, (site.even(12), site.units(8)), site.heights(place, size, 2), unit)
    return site.lot(place, form, "kindergarten", 2)


def open_block(site: Site) -> Iterator[Lot]:
    """Free-standing apartment houses of the middle of the twentieth century: slabs, angles, points."""
    block = site.block
    width, depth = block.width // 3, block.depth // 2
    for row in range(2):
        for column in range(3):
            if site.happens(0.12):
                continue
            frame = site.frame.at(column * width, row * depth)
            yield _open_house(site, frame, (width, depth), 2 * row)


def _open_house(site: Site, frame: Frame, room: tuple[int, int], side: int) -> Lot:
    unit, storeys = frame.unit / 1000, site.storeys()
    clear = site.units(4)
    width, depth = room[0] - clear, room[1] - 2 * clear
    wing = site.even(site.district.depth)
    kind = site.chance.random()
    if kind < 0.3 and depth > wing + clear:
        size = (width, min(depth, site.units(24)))
        heights = site.heights(frame, size, storeys)
        form = shapes.l_shape(size, (size[0] - wing, size[1] - wing), heights, unit)
    elif kind < 0.5:
        form = roofed(site, frame, (site.even(18), site.even(17)), storeys + 2)
    else:
        form = roofed(site, frame, (width, wing), storeys)
    return site.lot(frame, form, site.use(), storeys, side)


def medieval(site: Site) -> Iterator[Lot]:
    """Narrow houses, gable to the street, back to back, as in an old merchant town."""
    block = site.block
    for side, frame in ((0, site.frame), (2, site.frame.at(block.width, block.depth, 2))):
        at = 0
        narrow = site.even(6)
        while block.width - at >= narrow:
            frontage = site.even(*site.district.frontage)
            if block.width - at - frontage < narrow:
                frontage = (block.width - at) // 2 * 2
            yield _gable_to_street(site, frame, (at, frontage), side)
            at += frontage


def _gable_to_street(site: Site, frame: Frame, reach: tuple[int, int], side: int) -> Lot:
    at, frontage = reach
    length = site.block.depth // 2 - (site.units(2, 4) if site.happens(0.4) else 0)
    storeys = site.storeys(0.8)
    if site.happens(0.15):
        place = frame.at(at, 0)
        form = roofed(site, place, (frontage, length // 2 * 2), storeys, "gable")
    else:
        place = frame.at(at + frontage, 0, 1)
        form = roofed(site, place, (length, frontage), storeys, "gable")
    return site.lot(place, form, site.use(), storeys, side)


def wall_tower(site: Site) -> Iterator[Lot]:
    """A defence tower of the town wall under a pointed roof."""
    side = site.even(8, 10)
    frame = site.frame.at((site.block.width - side) // 2, (site.block.depth - side) // 2)
    heights = site.heights(frame, (side, side), site.storeys(), site.chance.uniform(7, 10))
    form = shapes.hip(side, side, side // 2, heights, frame.unit / 1000)
    yield site.lot(frame, form, "library", site.district.storeys[0])


def church_square(site: Site) -> Iterator[Lot]:
    """A church alone on its square; its spire is the landmark of the district."""
    block, unit = site.block, site.frame.unit / 1000
    room = min(block.width, block.frame.units(46))
    side = site.even(9)
    nave = (room - side, min(site.even(18), block.depth // 2 * 2 - 2))
    frame = site.frame.at((block.width - room) // 2, (block.depth - nave[1]) // 2)
    heights = site.heights(frame, nave, 4, 9.0)
    form = shapes.church(nave, side, heights, heights.ground + 10 * site.chance.randrange(5200, 7000), unit)
    yield replace(site.lot(frame, form, "church", 1), years=(1890, 1915))


def palace(site: Site) -> Iterator[Lot]:
    """The house of government on its hill: three wings around a forecourt."""
    block, unit = site.block, site.frame.unit / 1000
    size = (block.width // 2 * 2, block.depth)
    wing = site.units(10)
    heights = site.heights(site.frame, size, 3)
    form = shapes.u_shape(size, (size[0] - 2 * wing, size[1] - wing), heights, unit)
    yield site.lot(site.frame, form, "office", 3)
