"""The sidecar of a tile: its attributes alone, as an Arrow IPC stream.

Row i describes the feature with id i of the tile's GLB, so that a viewer can colour by any
attribute without fetching geometry again.
"""

from typing import Any

import pyarrow

from tiles.metadata import FeatureTable
from twin.model.attributes import Attribute

pa: Any = pyarrow  # it ships no types

MEDIA_TYPE = "application/vnd.apache.arrow.stream"

_TYPES: dict[str, Any] = {
    "text": pa.utf8(),
    "integer": pa.int32(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
}


def encode(table: FeatureTable) -> bytes:
    """The table as one record batch in an Arrow stream; label, meaning and unit as field metadata."""
    schema = pa.schema([_field(attribute) for attribute in table.attributes])
    arrays = [pa.array(values, type=field.type) for field, values in zip(schema, table.columns, strict=True)]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(pa.record_batch(arrays, schema=schema))
    return sink.getvalue().to_pybytes()


def _field(attribute: Attribute) -> Any:
    described = {"title": attribute.label.en, "description": attribute.meaning.en}
    if attribute.unit:
        described["unit"] = attribute.unit
    return pa.field(attribute.name, _TYPES[attribute.type], metadata=described)
