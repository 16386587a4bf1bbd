"""How loose districts are built on: row houses, villas with gardens, wooden quarters, industry."""

from collections.abc import Iterator
from dataclasses import replace

from importers.synthetic import shapes
from importers.synthetic.frames import Frame, frame_near
from importers.synthetic.plan import Lot, Site, roofed
from importers.synthetic.shapes import Form


def rows(site: Site) -> Iterator[Lot]:
    """Row houses along both long streets, gardens with sheds between them."""
    block = site.block
    for side, frame in ((0, site.frame), (2, site.frame.at(block.width, block.depth, 2))):
        at = site.units(1, 4)
        while True:
            count = site.chance.randrange(4, 8)
            frontage = site.even(6.2, 7.6)
            if at + 3 * frontage > block.width:
                break
            count = min(count, (block.width - at) // frontage)
            yield from _row(site, frame.at(at, site.units(4, 6)), (count, frontage), side)
            at += count * frontage + site.units(5)


def _row(site: Site, frame: Frame, row: tuple[int, int], side: int) -> Iterator[Lot]:
    """Houses of one height family, wall to wall; every other one has a shed in its garden."""
    count, frontage = row
    depth, roof, storeys = site.even(9.5, 11), site.roof(), site.storeys(0.5)
    for index in range(count):
        place = frame.at(index * frontage, 0)
        form = roofed(site, place, (frontage, depth), storeys, roof)
        lot = site.lot(place, form, "row_house", storeys, side)
        yield replace(lot, shape="row_house")
        if index % 3 == 1 and site.block.depth > 2 * depth + site.units(34):
            shed = place.at(site.units(1), depth + site.units(5, 7))
            yield replace(site.outbuilding(shed, 3, 2.4), side=side, number=lot.number)


def villas(site: Site) -> Iterator[Lot]:
    """Detached houses in their gardens, none quite parallel to its neighbour."""
    if site.happens(0.04):
        yield from neighbourhood_centre(site)
        return
    block = site.block
    for side, frame in ((0, site.frame), (2, site.frame.at(block.width, block.depth, 2))):
        at = 0
        while at + (plot := site.units(19, 25)) <= block.width:
            middle = frame.at(at + plot // 2, site.units(11, 14))
            if not site.happens(0.06):
                yield from _villa(site, _turned(site, middle), side)
            at += plot


def _turned(site: Site, frame: Frame) -> Frame:
    angle = frame.angle + site.chance.uniform(-0.14, 0.14)
    return frame_near(frame.x / 1000, frame.y / 1000, angle)


def _villa(site: Site, middle: Frame, side: int) -> Iterator[Lot]:
    unit, storeys = middle.unit / 1000, min(site.storeys(0.6), 3)
    use = "two_homes" if site.happens(0.12) else "house"
    if site.happens(0.22):
        arms, depth = (middle.even(12.5), middle.even(11)), middle.even(6.5)
        frame = middle.at(-arms[0] // 2, -arms[1] // 2)
        heights = site.heights(frame, arms, storeys, site.district.pitch * depth * unit / 2)
        form = shapes.corner_gable(arms, depth, heights, unit)
    else:
        size = (middle.even(site.chance.uniform(10.5, 14)), middle.even(site.chance.uniform(8.4, 10.4)))
        frame = middle.at(-size[0] // 2, -size[1] // 2)
        form = roofed(site, frame, size, storeys)
    lot = site.lot(frame, form, use, storeys, side)
    yield lot
    if site.happens(0.45):
        place = middle.at(middle.units(site.chance.uniform(-7, 3)), middle.units(9.2))
        yield replace(site.outbuilding(place, 3.4, 2.6), side=side, number=lot.number)


def neighbourhood_centre(site: Site) -> Iterator[Lot]:
    """A school in its yard, a kindergarten and a shop."""
    unit, frame = site.frame.unit / 1000, site.frame
    size = (site.even(44), site.units(28))
    place = frame.at(site.units(3), site.units(3))
    storeys = 3 if site.happens(0.5) else 2
    form = shapes.u_shape(size, (site.even(20), site.units(14)), site.heights(place, size, storeys), unit)
    yield site.lot(place, form, "school", storeys)
    place = frame.at(site.units(58), site.units(4))
    yield site.lot(place, roofed(site, place, (site.units(22), site.even(14)), 1, "hip"), "kindergarten", 1)
    place = frame.at(site.units(56), site.units(34))
    form = roofed(site, place, (site.units(26), site.even(18)), 1, "flat")
    yield site.lot(place, form, "shop", 1, 2)


def wooden(site: Site) -> Iterator[Lot]:
    """Wooden apartment houses of two or three storeys close to the street, woodsheds behind."""
    block = site.block
    for side, frame in ((0, site.frame), (2, site.frame.at(block.width, block.depth, 2))):
        at = 0
        while at + (frontage := site.units(*site.district.frontage)) <= block.width:
            place = frame.at(at, site.units(0.5, 2.5))
            storeys = site.storeys(0.7)
            form = roofed(site, place, (frontage, site.even(site.district.depth)), storeys)
            lot = site.lot(place, form, site.use(), storeys, side)
            yield lot
            if site.happens(0.6):
                shed = place.at(site.units(1, 4), site.units(site.district.depth + 6))
                building = site.outbuilding(shed, site.chance.uniform(4, 8), 3)
                yield replace(building, side=side, number=lot.number)
            at += frontage + site.units(3.5, 7)


def industry(site: Site) -> Iterator[Lot]:
    """Two or three halls: level, stepped, or with a low gable or one slope."""
    block, lane = site.block, site.units(10)
    count = 2 if site.happens(0.5) else 3
    width = (block.width - lane * (count - 1)) // count
    for index in range(count):
        frame = site.frame.at(index * (width + lane), site.units(0, 6))
        size = (width, site.even(30, 50))
        yield site.lot(frame, _hall(site, frame, size), site.use(), 1)


def _hall(site: Site, frame: Frame, size: tuple[int, int]) -> Form:
    width, depth = size
    storeys = site.chance.uniform(2, 3.2)
    roof = site.roof()
    if roof == "flat" and site.happens(0.5):
        heights = site.heights(frame, size, storeys, 4.0)
        return shapes.stepped(width * 2 // 3, width - width * 2 // 3, depth, heights, frame.unit / 1000)
    if roof == "gable":
        heights = site.heights(frame, size, storeys, 0.08 * depth * frame.unit / 1000)
        return shapes.gable(width, depth, heights, frame.unit / 1000)
    return roofed(site, frame, size, round(storeys), "flat")
