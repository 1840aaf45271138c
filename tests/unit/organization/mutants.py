"""A policy document with one thing less, more or turned round."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any, Final

from tests.unit.tables.support import PARTNER

Json = dict[str, Any]

_OPPOSITE: Final = {
    "ArnLike": "ArnNotLike",
    "ArnNotLike": "ArnLike",
    "ArnEquals": "ArnNotEquals",
    "StringEquals": "StringNotEquals",
    "StringLike": "StringNotLike",
    "StringNotEquals": "StringEquals",
    "NumericLessThan": "NumericGreaterThanEquals",
}
_ACCOUNT: Final = re.compile(r":\d{12}:")


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def mutants(document: Json) -> Iterator[tuple[str, Json]]:
    """Every change, with what was changed."""
    for position, statement in enumerate(document["Statement"]):
        name = statement.get("Sid", f"statement {position}")
        others = [each for number, each in enumerate(document["Statement"]) if number != position]
        yield f"{name}: dropped", {**document, "Statement": others}
        for change, changed in _changed(statement):
            yield f"{name}: {change}", {**document, "Statement": [*others, changed]}


def _changed(statement: Json) -> Iterator[tuple[str, Json]]:
    for element in ("Action", "NotAction", "Resource"):
        values = listed(statement.get(element, []))
        for value in values if len(values) > 1 else ():
            yield f"{element} without {value}", {**statement, element: [other for other in values if other != value]}
    if "NotAction" in statement:
        yield "one action more", {**statement, "NotAction": [*statement["NotAction"], "iam:PassRole"]}
    for service in sorted({action.partition(":")[0] for action in listed(statement.get("Action", []))} - {"*"}):
        wide = [*listed(statement["Action"]), f"{service}:*"]
        if f"{service}:*" not in listed(statement["Action"]):
            yield f"{service}:*", {**statement, "Action": wide}
    if statement.get("Resource", "*") != "*":
        yield "every resource", {**statement, "Resource": "*"}
    principal = statement.get("Principal", "*")
    if principal != "*":
        yield "every principal", {**statement, "Principal": {"AWS": "*"}}
        yield "another account", {**statement, "Principal": {"AWS": PARTNER}}
    for operator, keys in statement.get("Condition", {}).items():
        for key, value in keys.items():
            yield from _of_condition(statement, operator, key, listed(value))


def _of_condition(statement: Json, operator: str, key: str, values: list[str]) -> Iterator[tuple[str, Json]]:
    def made(*, operator_: str = operator, values_: list[str] | None = None) -> Json:
        changed = copy.deepcopy(statement)
        del changed["Condition"][operator][key]
        if values_ is not None:
            changed["Condition"].setdefault(operator_, {})[key] = values_
        changed["Condition"] = {name: keys for name, keys in changed["Condition"].items() if keys}
        return changed

    yield f"without {operator} {key}", made()
    if operator in _OPPOSITE:
        yield f"{_OPPOSITE[operator]} {key}", made(operator_=_OPPOSITE[operator], values_=values)
    if statement["Effect"] == "Allow" and not operator.startswith(("Arn", "Null")):
        yield f"{operator}IfExists {key}", made(operator_=f"{operator}IfExists", values_=values)
    for change, changed in _of_values(operator, key, values):
        yield change, made(values_=changed)


def _of_values(operator: str, key: str, values: list[str]) -> Iterator[tuple[str, list[str]]]:
    if values in (["true"], ["false"]):
        yield f"{key} turned", ["false" if values == ["true"] else "true"]
    if operator.startswith("Numeric"):
        yield f"a larger {key}", [str(int(values[0]) * 10)]
    accounts = {value: _ACCOUNT.search(value) for value in values}
    for value, found in accounts.items():
        rest = [other for other in values if other != value]
        if rest:
            yield f"{key} without {value}", rest
        if found:
            yield f"{value} of every account", [*rest, value.replace(found[0], ":*:")]
    if key == "aws:PrincipalArn":
        # An exemption of somebody whom the statement is about, or somebody more whom it is about.
        account = next(found[0] for found in accounts.values() if found)
        yield "one principal more", [*values, f"arn:aws:iam:{account}{'user' if 'Not' in operator else 'role'}/app"]
