"""Adapter of cjio, the reference of the tests for CityJSON.

Importing cjio changes how Python's own JSON encoder writes numbers, everywhere in the process: six
decimals at most. That is undone here, so that no other test sees it.
"""

import json.encoder
from importlib import import_module
from typing import Any

_encoder: Any = json.encoder
_MISSING = object()
_before = {name: getattr(_encoder, name, _MISSING) for name in ("c_make_encoder", "float")}

cityjson: Any = import_module("cjio.cityjson")
"""The module ``cjio.cityjson``."""

for _name, _value in _before.items():
    if _value is _MISSING:
        delattr(_encoder, _name)
    else:
        setattr(_encoder, _name, _value)
