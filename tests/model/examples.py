"""Documents made from the structures that decoders read, with every field that they know."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec.inspect as shapes

_WORDS = "example"


def example_of(kind: object) -> Any:
    """A JSON document that a structure can be read from."""
    return _value(shapes.type_info(kind), ())


def _value(shape: shapes.Type, above: tuple[type, ...]) -> Any:
    match shape:
        case shapes.StructType(cls=cls, fields=fields):
            if cls in above:
                return {}
            return {part.encode_name: _value(part.type, (*above, cls)) for part in fields}
        case shapes.UnionType(types=types):
            known = [part for part in types if not isinstance(part, shapes.NoneType)]
            return _value(known[0], above)
        case shapes.VarTupleType(item_type=item) | shapes.ListType(item_type=item):
            return [_value(item, above)]
        case shapes.SetType(item_type=item) | shapes.FrozenSetType(item_type=item):
            return [_value(item, above)]
        case shapes.DictType(value_type=value):
            return {_WORDS: _value(value, above)}
        case shapes.IntType():
            return 7
        case shapes.FloatType():
            return 1.5
        case shapes.BoolType():
            return True
        case shapes.DateTimeType():
            return datetime(2026, 11, 23, 1, 2, 3).isoformat() + "Z"
        case shapes.EnumType(cls=cls):
            return next(iter(cls)).value
        case shapes.RawType() | shapes.AnyType():
            return {_WORDS: [1]}
    return _WORDS
