"""Real models laid side by side until they are large: shifted coordinates and ids of their own.

What is real of a sample stays: attributes, shapes, how a city writes them. One copy at a time is in memory.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson

STEP_M: Final = 1000
"""How far copies stand from each other; the samples are smaller."""
A_ROW: Final = 8


def replicate_sequence(source: Path, out: Path, copies: int) -> int:
    """Copies of a CityJSONSeq file in one; returns how many features that are."""
    head, *lines = source.read_bytes().splitlines(keepends=True)
    scale = orjson.loads(head)["transform"]["scale"]
    with out.open("wb") as file:
        file.write(head)
        for copy in range(copies):
            x, y = (round(metres / scale[axis]) for axis, metres in enumerate(_shift(copy)))
            for line in lines:
                feature = _renamed(orjson.loads(line), copy)
                feature["vertices"] = [[a + x, b + y, c] for a, b, c in feature["vertices"]]
                file.write(orjson.dumps(feature, option=orjson.OPT_APPEND_NEWLINE))
    return copies * len(lines)


def _shift(copy: int) -> tuple[int, int]:
    return copy % A_ROW * STEP_M, copy // A_ROW * STEP_M


def _renamed(feature: dict[str, Any], copy: int) -> dict[str, Any]:
    """The feature with the number of the copy at the end of each id."""
    objects: dict[str, Any] = {}
    for identifier, item in feature["CityObjects"].items():
        links = {
            key: [f"{other}-{copy}" for other in item[key]] for key in ("parents", "children") if key in item
        }
        objects[f"{identifier}-{copy}"] = item | links
    return feature | {"id": f"{feature['id']}-{copy}", "CityObjects": objects}


_UUID = re.compile(r"(?<![0-9a-f])([0-9a-f]{8})(?=-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")
_POINTS = re.compile(r"(<gml:(?:posList|lowerCorner|upperCorner)[^>]*>)([^<]*)")
_MIXER: Final = 0x9E3779B1


def replicate_helsinki(source: Path, out: Path, copies: int) -> int:
    """Copies of a CityGML file of Helsinki, easting first, in one; returns how many buildings that are."""
    text = source.read_text(encoding="utf-8")
    start, stop = text.index("<cityObjectMember>"), text.rindex("</cityObjectMember>")
    stop += len("</cityObjectMember>\n")
    members = text[start:stop]
    with out.open("w", encoding="utf-8") as file:
        file.write(text[:start])
        for copy in range(copies):
            shifted = _POINTS.sub(
                lambda found, copy=copy: found[1] + _moved(found[2], *_shift(copy)), members
            )
            file.write(_UUID.sub(lambda found, copy=copy: _other(found[1], copy), shifted))
        file.write(text[stop:])
    return copies * members.count("<bldg:Building ")


def _moved(points: str, x: int, y: int) -> str:
    return " ".join(_numbers(points.split(), (x, y, 0)))


def _numbers(texts: list[str], shift: tuple[int, int, int]) -> Iterator[str]:
    """Coordinates as the delivery prints them: an exponent from ten millions on."""
    for place, text in enumerate(texts):
        by = shift[place % 3]
        if not by:
            yield text
        elif "E" in text:
            yield f"{(float(text) + by) / 1e7:.11f}E7"
        else:
            yield f"{float(text) + by:.4f}"


def _other(digits: str, copy: int) -> str:
    """The first digits of a UUID, others for each copy; copy 0 keeps them."""
    return f"{int(digits, 16) ^ (copy * _MIXER & 0xFFFFFFFF):08x}"
