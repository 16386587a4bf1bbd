"""Which reader takes a file: by its content, whatever it is called."""

from pathlib import Path

import orjson
import pytest

from importers.reader import READERS, open_model
from tests.importers import citygml_cube, cityjson_cube
from twin.errors import UnreadableFile

GML = citygml_cube.model(citygml_cube.building())
PRETTY = orjson.dumps(cityjson_cube.document(), option=orjson.OPT_INDENT_2)


@pytest.mark.parametrize(
    ("content", "format_"),
    [
        (GML.encode(), "CityGML 2.0"),
        (b"\xef\xbb\xbf\n" + GML.encode(), "CityGML 2.0"),
        (('<?xml version="1.0" encoding="UTF-16"?>' + GML).encode("utf-16"), "CityGML 2.0"),
        (orjson.dumps(cityjson_cube.document()), "CityJSON 2.0"),
        (orjson.dumps(cityjson_cube.document()) + b"\n\n", "CityJSON 2.0"),
        (b"\xef\xbb\xbf" + PRETTY, "CityJSON 2.0"),
        (cityjson_cube.sequence(cityjson_cube.line()), "CityJSONSeq 2.0"),
        (orjson.dumps(cityjson_cube.line()), "CityJSONFeature"),
        (orjson.dumps(cityjson_cube.line(), option=orjson.OPT_INDENT_2), "CityJSONFeature"),
    ],
)
def test_formats_are_known_by_content(tmp_path: Path, content: bytes, format_: str) -> None:
    path = tmp_path / "anything.txt"
    path.write_bytes(content)
    opened = open_model(path)
    assert opened.metadata.format == format_
    assert opened.size == len(content)
    assert len(list(opened)) == 1
    assert len(list(opened)) == 1, "a model can be read again"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "the file is empty"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"PK\x03\x04....", "zip archive"),
        (b"id;name\n1;x\n", "begins with b'id;name"),
        (b"[1, 2]", "begins with b'\\[1, 2\\]'"),
    ],
)
def test_a_file_of_no_known_format_is_described(tmp_path: Path, content: bytes, found: str) -> None:
    path = tmp_path / "model.gml"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=found) as error:
        open_model(path)
    message = str(error.value)
    assert str(path) in message
    assert "\n" not in message
    assert all(reader.name in message for reader in READERS)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="cannot be opened"):
        open_model(tmp_path / "nothing.gml")
