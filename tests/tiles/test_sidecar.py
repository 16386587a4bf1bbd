from typing import Any

import pyarrow

from tests.tiles.test_glb import table
from tiles import sidecar

pa: Any = pyarrow


def read(data: bytes) -> Any:
    with pa.ipc.open_stream(data) as reader:
        return reader.read_all()


def test_rows_are_the_features_in_order() -> None:
    expected = table(12)
    found = read(sidecar.encode(expected))
    assert found.column_names == [attribute.name for attribute in expected.attributes]
    assert [list(column) for column in found.to_pydict().values()] == list(expected.columns)


def test_types_and_units_come_from_the_catalogue() -> None:
    schema = read(sidecar.encode(table(1))).schema
    assert [str(field.type) for field in schema] == ["string", "string", "double", "string", "int32", "bool"]
    assert schema.field("height_m").metadata[b"unit"] == b"m"
    assert b"unit" not in schema.field("city").metadata
