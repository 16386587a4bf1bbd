"""Features grouped by the cells of a grid: squares of tiles, squares in metres, hexagons of H3.

A feature is in the cell of the middle of its bounding box, of tiles in that of its centroid. The database
computes a number for each cell, from which Python makes its name and outline.
"""

from collections.abc import Hashable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Double, Integer, bindparam, case, func, literal_column

from twin.db.groupings import Grouping
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
        f"grid({level})", column, "grid", values, shown, outlines=lambda codes: list(map(outline, codes))
    )


def by_square(selection: Selection, grid: SquareGrid, title: str, index: int) -> Grouping:
    """Squares of a size in metres, named by their lower left corners."""
    name = f"size_{index}"
    size = bindparam(name, type_=Double)
    point = func.ST_Transform(
        centre(selection.collection, selection.view), literal_column(str(grid.code), Integer)
    )
    east, north = func.ST_X(point, type_=Double), func.ST_Y(point, type_=Double)
    column = _number(func.floor(east / size, type_=Double), func.floor(north / size, type_=Double))
    return Grouping(
        title,
        column,
        ("square", grid.code),
        {name: grid.size_m},
        lambda number: None if number is None else grid.name(*_pair(number)),
        outlines=lambda numbers: grid.outlines(list(map(_pair, numbers))),
    )


def by_hexagon(selection: Selection, grid: HexagonGrid, index: int) -> Grouping:
    """Cells of H3, named as that names them."""
    lng, lat = (func.radians(angle, type_=Double) for angle in lonlat(selection.collection, selection.view))
    vector = tuple(function(angle, type_=Double) for function, angle in (
        (func.cos, lng), (func.sin, lng), (func.tan, lat)
    ))  # fmt: skip
    values: dict[str, float] = {}
    over = [_form(vector, f"hex_{index}_{n}_o", face.centre, values) for n, face in enumerate(grid.faces)]
    cells = [_hexagon(vector, f"hex_{index}_{n}", face, over[n], values) for n, face in enumerate(grid.faces)]
    column = cells[0]
    if len(cells) > 1:
        nearest = func.greatest(*over, type_=Double)
        branches = [(distance == nearest, cell) for distance, cell in zip(over, cells, strict=True)]
        column = case(*branches)
    key: Hashable = ("h3", len(cells))
    return Grouping(
        f"h3({grid.resolution})",
        column,
        key,
        values,
        lambda number: None if number is None else grid.cell(*_pair(number)),
        outlines=lambda numbers: [hexagons.outline(grid.cell(*_pair(number))) for number in numbers],
    )


Vector = tuple[ColumnElement[Any], ...]


def _hexagon(
    vector: Vector, name: str, face: Face, over: ColumnElement[Any], values: dict[str, float]
) -> ColumnElement[Any]:
    """The number of the cell of a point near to a face, as `HexagonGrid` describes it."""
    forms = {"a": face.first, "b": tuple(-x for x in face.third), "c": face.second, "d": face.third}
    a, b, c, d = (
        func.floor(_form(vector, f"{name}_{letter}", form, values) / over, type_=Double)
        for letter, form in forms.items()
    )
    first = func.floor((a + b + _TWO) / _THREE, type_=Double)
    return _number(first, func.floor((c + d + _TWO) / _THREE, type_=Double))


def _form(
    vector: Vector, name: str, factors: Sequence[float], values: dict[str, float]
) -> ColumnElement[Any]:
    """The product of a vector and factors, which are bound."""
    names = [f"{name}{axis}" for axis in range(3)]
    values.update(zip(names, factors, strict=True))
    x, y, z = (bindparam(bound, type_=Double) * part for bound, part in zip(names, vector, strict=True))
    return x + y + z
