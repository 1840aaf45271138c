"""One text for one item, however DynamoDB, an export or a client writes it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from .errors import Rejected

_DIGITS: Final = 38  # significant digits of a number: DynamoDB developer guide, "Data types"
_LONGEST_NUMBER: Final = 200  # characters: 1E+125 and 1E-130 with 38 digits each, written out
_DEPTH: Final = 32  # levels of nesting: the same, "Document types"


def canonical(item: Mapping[str, Any]) -> bytes:
    """The item as one text: attributes and sets in order, numbers and binary values in one notation.

    Args:
        item: Attribute values by name, as DynamoDB JSON writes them. Binary values may be base64 or bytes.

    Raises:
        Rejected: It is no item.
    """
    if not isinstance(item, Mapping):
        raise Rejected("An item is not a map of attributes.")
    ordered = {name: _value(value, 0) for name, value in item.items()}
    return json.dumps(ordered, sort_keys=True, separators=(",", ":")).encode("ascii")


def _value(value: Any, depth: int) -> dict[str, Any]:  # noqa: C901 - one case for each type that DynamoDB has
    if not isinstance(value, Mapping) or len(value) != 1:
        raise Rejected("An attribute value does not have exactly one type.")
    if depth > _DEPTH:
        raise Rejected(f"An item is nested deeper than {_DEPTH} levels.")
    ((kind, inner),) = value.items()
    match kind, inner:
        case "S", str():
            return {"S": inner}
        case "N", str():
            return {"N": _number(inner)}
        case "B", str() | bytes():
            return {"B": _binary(inner)}
        case "BOOL", bool():
            return {"BOOL": inner}
        case "NULL", True:
            return {"NULL": True}
        case "M", Mapping():
            return {"M": {name: _value(one, depth + 1) for name, one in inner.items()}}
        case "L", list():
            return {"L": [_value(one, depth + 1) for one in inner]}
        case "SS", list():
            return {"SS": _set(inner, _string)}
        case "NS", list():
            return {"NS": _set(inner, _number)}
        case "BS", list():
            return {"BS": _set(inner, _binary)}
    raise Rejected(f"An attribute value says it is {str(kind)[:8]!r}, and is not.")


def _set(values: list[Any], normal: Any) -> list[str]:
    ordered = sorted(normal(value) for value in values)
    if not ordered or len(set(ordered)) < len(ordered):
        raise Rejected("A set is empty or holds a value twice.")
    return ordered


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise Rejected("A set of strings holds something else.")
    return value


def _number(value: Any) -> str:
    """Digits without zeros at either end, and an exponent; zero has no sign."""
    try:
        number = Decimal(value) if isinstance(value, str) and len(value) <= _LONGEST_NUMBER else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise Rejected("A number is not a number.")
    sign, digits, exponent = number.as_tuple()
    written = "".join(map(str, digits))
    significant = written.rstrip("0")
    if not significant:
        return "0"
    if len(significant) > _DIGITS or not isinstance(exponent, int):
        raise Rejected(f"A number has more than {_DIGITS} digits.")
    return f"{'-' if sign else ''}{significant}E{exponent + len(written) - len(significant)}"


def _binary(value: Any) -> str:
    try:
        raw = value if isinstance(value, bytes) else base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise Rejected("A binary value is not base64.") from error
    return base64.b64encode(raw).decode("ascii")
