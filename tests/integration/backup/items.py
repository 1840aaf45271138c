"""Items of every attribute type, in rounds: what each looks like follows from its number and round alone.

How they are compared has nothing of the library: as DynamoDB JSON, but for two things that have no one form: a number
may be written in several ways, and a set has no order.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from decimal import Context, Decimal, Inexact
from typing import Any

Item = Mapping[str, Any]
Key = tuple[str, str]

CUSTOMERS = 4_000
_EXACT = Context(prec=60, traps=[Inexact])  # DynamoDB keeps 38 digits
KINDS = ("box", "letter", "pallet")
OWNERS = 500
_NUMBERS = (
    "12345678901234567890123456789012345678",
    "-99999999999999999999999999999999999999",
    "0",
    "-0.00000000000000000000000000000000000001",
    "9.9999999999999999999999999999999999999E+125",
    "1E-130",
    "-1E-130",
    "0.1",
)
_TEXTS = ('line\nbreak "quoted" \\', "\u2028\u2029\x7f\t", "ünïcødé 🗝️ \U0010ffff", "{}", '{"Item":{}}', "null")


def make(number: int, version: int = 0) -> Item:
    """An item.

    Args:
        number: Which; 0 and up.
        version: Of its writes, from 0.
    """
    item: dict[str, Any] = {
        "pk": {"S": f"customer {number % CUSTOMERS}"},
        "sk": {"N": str(number - 50_000)},
        "version": {"N": str(version)},
        # A quarter of them has what makes items large, and a test slow.
        **(_SPECIAL[(number // 4 + version) % len(_SPECIAL)](number, version) if number % 4 == 0 else {}),
    }
    # What has no such attribute is in no such index.
    if number % 10:
        item["kind"] = {"S": KINDS[(number + version) % len(KINDS)]}
    if number % 7:
        item["owner"] = {"S": f"owner {(number * 31 + version) % OWNERS}"}
        item["amount"] = {"N": str(number * 17 % 1_000 - 500)}
    return item


def key(item: Item) -> Item:
    """The key of an item."""
    return {"pk": item["pk"], "sk": item["sk"]}


def identity(item: Item) -> Key:
    """The key of an item, to look it up by."""
    return item["pk"]["S"], item["sk"]["N"]


def plain(item: Item) -> Item:
    """An item as it may be compared."""
    return {name: _plain(value) for name, value in item.items()}


def _plain(value: Mapping[str, Any]) -> Mapping[str, Any]:
    ((kind, said),) = value.items()
    if kind == "N":
        return {kind: _number(said)}
    if kind in {"SS", "NS", "BS"}:
        return {kind: sorted(map(_number, said) if kind == "NS" else said)}
    if kind == "L":
        return {kind: [_plain(each) for each in said]}
    if kind == "M":
        return {kind: plain(said)}
    return value


def _number(text: str) -> str:
    return str(_EXACT.plus(Decimal(text)).normalize(_EXACT))


def _bytes(number: int, length: int) -> str:
    return base64.b64encode(hashlib.shake_128(str(number).encode()).digest(length)).decode()


def _numbers(number: int, version: int) -> Item:
    return {"number": {"N": _NUMBERS[number % len(_NUMBERS)]}, "other": {"N": f"-{number}.{version + 1}"}}


def _binary(number: int, _version: int) -> Item:
    return {"binary": {"B": _bytes(number, number % 90)}, "nothing": {"B": ""}}


def _sets(number: int, version: int) -> Item:
    return {
        "texts": {"SS": sorted({"", f"t{version}", *_TEXTS[: number % 4]})},
        "numbers": {"NS": sorted({str(number), str(-number), _NUMBERS[number % len(_NUMBERS)]})},
        "binaries": {"BS": sorted({_bytes(number, 5), _bytes(version, 7)})},
    }


def _empty(number: int, _version: int) -> Item:
    return {
        "text": {"S": ""},
        "list": {"L": []},
        "map": {"M": {}},
        "null": {"NULL": True},
        "true": {"BOOL": True},
        "false": {"BOOL": False},
        "": {"S": "an attribute without a name"} if number % 2 else {"NULL": True},
    }


def _nested(number: int, version: int) -> Item:
    inner: Mapping[str, Any] = {"L": [{"NULL": True}, {"N": str(number)}, {"SS": ["a", "b"]}, {"B": _bytes(number, 3)}]}
    for depth in range(28 if number % 16 == 0 else 4):  # of the 32 levels that DynamoDB takes
        inner = {"M": {f"level {depth}": inner}} if depth % 2 else {"L": [inner, {"BOOL": depth % 3 == 0}]}
    return {"nested": inner, "version": {"N": str(version)}}


def _texts(number: int, version: int) -> Item:
    return {"text": {"S": f"{_TEXTS[number % len(_TEXTS)]} {version}"}, "a" * 200: {"S": "under a long name"}}


_SPECIAL: tuple[Callable[[int, int], Item], ...] = (_numbers, _binary, _sets, _empty, _nested, _texts)


def large(number: int, version: int = 0) -> Item:
    """An item near the 400 KB that DynamoDB takes."""
    return {**make(number, version), "large": {"S": "0123456789abcdef" * 24_000}}
