"""Features grouped by the cells of a grid: squares of tiles, squares in metres, hexagons of H3.

A feature is in the cell of the middle of its bounding box, of tiles in that of its centroid. The database
computes a number for each cell, from which Python makes its name and outline.
"""

from collections.abc import Hashable, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Double,
    Integer,
    LargeBinary,
    bindparam,
    case,
    func,
    literal_column,
)

from twin.db.groupings import VALUE, Columns, Grouping, of_column
from twin.db.places import centre, lonlat
from twin.db.query import Selection
from twin.errors import InvalidParameter
from twin.model import hexagons
from twin.model.cells import LEVEL, Cell, cell_bounds
from twin.model.hexagons import Face, HexagonGrid
from twin.model.squares import SquareGrid

_HALF_A_ROW = 1 << 25
_ROW = literal_column(str(2 * _HALF_A_ROW), Double)
_TWO, _THREE = literal_column("2", Double), literal_column("3", Double)


def _number(first: ColumnElement[Any], second: ColumnElement[Any]) -> ColumnElement[Any]:
    """Two whole numbers as one, which a double holds without loss."""
    return first * _ROW + second


def _pair(number: float) -> tuple[int, int]:
    """The two whole numbers again."""
    first, second = divmod(int(number) + _HALF_A_ROW, 2 * _HALF_A_ROW)
    return first, second - _HALF_A_ROW


def by_tile(selection: Selection, level: int, index: int) -> Grouping:
    """Squares of the WebMercatorQuad grid, named level/x/y as tiles are."""
    f = selection.source.c
    if "quadkey" not in f:
        raise InvalidParameter(
            "'grid' is of the city model; take 'square' or 'h3' of an uploaded collection."
        )
    if not 0 <= level <= LEVEL:
        raise InvalidParameter(f"'grid' takes a level from 0 to {LEVEL}; 16 are squares of about 300 m.")
    name = f"shift_{index}"
    column = f.quadkey.op(">>")(bindparam(name, type_=Integer))

    def shown(code: int | None) -> str | None:
        if code is None:
            return None
        cell = Cell.from_code(level, code)
        return f"{cell.level}/{cell.x}/{cell.y}"

    def outline(code: int) -> list[tuple[float, float]]:
        cell = Cell.from_code(level, code)
        west, south, east, north = cell_bounds(cell.level, cell.x, cell.y)
        return [(west, south), (east, south), (east, north), (west, north), (west, south)]

    values = {name: 2 * (LEVEL - level)}
    return Grouping(
        f"grid({level})",
        of_column(column),
        "grid",
        values,
        shown,
        outlines=lambda codes: list(map(outline, codes)),
    )


def by_square(selection: Selection, grid: SquareGrid, title: str, index: int) -> Grouping:
    """Squares of a size in metres, named by their lower left corners."""
    name = f"size_{index}"
    size = bindparam(name, type_=Double)
    middle = centre(selection.collection, selection.view)
    point = func.ST_Transform(middle, literal_column(str(grid.code), Integer), type_=LargeBinary)

    def square(of: Columns) -> Columns:
        east, north = (f(of["point"], type_=Double) for f in (func.ST_X, func.ST_Y))
        return {VALUE: _number(*(func.floor(along / size, type_=Double) for along in (east, north)))}

    return Grouping(
        title,
        (lambda _: {"point": point}, square),
        ("square", grid.code),
        {name: grid.size_m},
        lambda number: None if number is None else grid.name(*_pair(number)),
        outlines=lambda numbers: grid.outlines(list(map(_pair, numbers))),
        # Each process would first read what PROJ knows, which takes longer than all the points.
        shared=False,
    )


def by_hexagon(selection: Selection, grid: HexagonGrid, index: int) -> Grouping:
    """Cells of H3, named as that names them."""
    lng, lat = (func.radians(angle, type_=Double) for angle in lonlat(selection.collection, selection.view))
    vector = {
        "x": func.cos(lng, type_=Double),
        "y": func.sin(lng, type_=Double),
        "z": func.tan(lat, type_=Double),
    }
    name = f"hex_{index}"
    values: dict[str, float] = {}
    key: Hashable = ("h3", len(grid.faces))
    return Grouping(
        f"h3({grid.resolution})",
        (lambda _: vector, lambda v: _on_lattice(v, grid.faces, name, values), _cell_of),
        key,
        values,
        lambda number: None if number is None else grid.cell(*_pair(number)),
        outlines=lambda numbers: [hexagons.outline(grid.cell(*_pair(number))) for number in numbers],
    )


def _cell_of(place: Columns) -> Columns:
    """The number of the hexagon that `_on_lattice` gives the place of."""
    first, third = place["first"], place["third"]
    rounded = [
        (func.floor(first, type_=Double), func.floor(-third, type_=Double)),
        (func.floor(first + third, type_=Double), func.floor(third, type_=Double)),
    ]
    numbers = (func.floor((one + other + _TWO) / _THREE, type_=Double) for one, other in rounded)
    return {VALUE: _number(*numbers)}


def _on_lattice(
    vector: Columns, faces: Sequence[Face], name: str, values: dict[str, float]
) -> dict[str, ColumnElement[Any]]:
    """``first`` and ``third`` of a point on the face nearest to it, as `HexagonGrid` describes them."""
    over = [_form(vector, f"{name}_{n}_over", face.centre, values) for n, face in enumerate(faces)]
    nearest = func.greatest(*over, type_=Double)
    found: dict[str, ColumnElement[Any]] = {}
    for label in ("first", "third"):
        forms: list[tuple[float, ...]] = [getattr(face, label) for face in faces]
        each = [_form(vector, f"{name}_{n}_{label}", form, values) / over[n] for n, form in enumerate(forms)]
        choices = [(distance == nearest, form) for distance, form in zip(over, each, strict=True)]
        found[label] = each[0] if len(each) == 1 else case(*choices)
    return found


def _form(
    vector: Columns, name: str, factors: Sequence[float], values: dict[str, float]
) -> ColumnElement[Any]:
    """The product of a vector and factors, which are bound."""
    names = [f"{name}{axis}" for axis in "xyz"]
    values.update(zip(names, factors, strict=True))
    x, y, z = (
        bindparam(bound, type_=Double) * vector[axis] for bound, axis in zip(names, "xyz", strict=True)
    )
    return x + y + z
