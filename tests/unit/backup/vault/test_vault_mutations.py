"""No part of a bucket's policy is there for nothing: without it, or turned round, some request is decided otherwise."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator
from typing import Any

import pytest

from tableguard.evaluation import Policies, Request
from tests.unit.backup.vault.vaults import (
    ARRIVED,
    ATTACKERS,
    ENCRYPTION,
    FILE,
    FULL,
    INTAKE,
    REQUESTS,
    SEALED,
    Asked,
    Json,
    decided,
    locked as _locked,
    policy_of,
    request_of,
    resources,
)

_OPPOSITE = {
    "ArnNotEquals": "ArnEquals",
    "ArnEquals": "ArnNotEquals",
    "StringNotEquals": "StringEquals",
    "NumericLessThan": "NumericGreaterThan",
    "NumericGreaterThan": "NumericLessThan",
}
# A Deny says the same of whoever replicates or reads: if either is lost, the other one holds.
_SAID_TWICE = {
    "intake": ["statement 0: without ArnEquals aws:PrincipalArn"],
    "sealed": [f"statement {number}: without ArnEquals aws:PrincipalArn" for number in (0, 1)],
    "governed": [f"statement {number}: without ArnEquals aws:PrincipalArn" for number in (0, 1)],
}
KINDS = {"intake": (INTAKE, False), "sealed": (SEALED, False), "governed": (SEALED, True)}


def _policy(kind: str) -> Json:
    """The policy without the statement on actions that S3 adds later, which has tests of its own."""
    bucket, governance = KINDS[kind]
    policy = policy_of(resources(governance=governance), bucket)
    return {**policy, "Statement": [each for each in policy["Statement"] if "NotAction" not in each]}


def _listed(value: object) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _asked(kind: str) -> tuple[Asked, ...]:
    """Those of the table, each action on its own, and some next to the bounds."""
    bucket = KINDS[kind][0]
    mode = "GOVERNANCE" if kind == "governed" else "COMPLIANCE"
    alone = {action.replace("*", "Tagging") for s in _policy(kind)["Statement"] for action in _listed(s["Action"])}
    once = {"s3:ObjectCreationOperation": "true", "s3:if-none-match": "*"}
    both = [
        Asked(bucket, action, FILE, {**context, **_locked(mode, days)})
        for days in (33, 34, 36, 37)
        for action, context in (("s3:PutObjectRetention", {}), ("s3:PutObject", once))
    ]
    other = "COMPLIANCE" if kind == "governed" else "GOVERNANCE"
    return (
        *(asked for asked in REQUESTS.values() if asked.bucket == bucket),
        *(Asked(bucket, action, key) for action in sorted(alone - {"s3:Tagging"}) for key in (None, FILE)),
        *(
            Asked(bucket, "s3:ListBucket", key, context)
            for key in (None, FILE)
            for context in ({"aws:SecureTransport": "false"}, {"s3:TlsVersion": "1.1"})
        ),
        *both,
        Asked(bucket, "s3:PutObjectRetention", FILE, _locked(other, 35)),
        Asked(bucket, "s3:PutObject", FILE, {**once, **_locked(other, 35)}),
        Asked(bucket, "s3:PutObject", FILE, {**once, "s3:object-lock-legal-hold": "ON"}),
        Asked(bucket, "s3:PutObject", FILE, {**once, "s3:x-amz-server-side-encryption": "AES256"}),
        Asked(bucket, "s3:ReplicateObject", ARRIVED, {ENCRYPTION: "AES256"}),
        *(
            Asked(bucket, action, FILE, {f"{ENCRYPTION}{ending}": "aws:kms"})
            for action in ("s3:PutObject", "s3:ReplicateObject")
            for ending in ("", "-customer-algorithm")
        ),
    )


@functools.cache
def _requests(kind: str) -> tuple[Request, ...]:
    return tuple(request_of(asked, by) for asked in _asked(kind) for by in ATTACKERS.values())


def _decided(kind: str, policy: Json) -> Iterator[object]:
    policies = Policies(identity=[FULL], resource=policy)
    for request in _requests(kind):
        decision = decided(request, policies)
        # Where several statements deny, each has to be seen by itself.
        yield decision.outcome, {reason.sid for reason in decision.because}


@functools.cache
def _usual(kind: str) -> tuple[object, ...]:
    return tuple(_decided(kind, _policy(kind)))


def mutants(policy: Json) -> Iterator[tuple[str, Json]]:
    """Every change, with what was changed."""
    for position, statement in enumerate(policy["Statement"]):
        name = statement.get("Sid", f"statement {position}")
        others = [each for each in policy["Statement"] if each is not statement]
        yield f"{name}: dropped", {**policy, "Statement": others}
        for change, elements in (*_shorter(statement), *_conditions(statement)):
            changed = {element: value for element, value in {**statement, **elements}.items() if value != {}}
            yield f"{name}: {change}", {**policy, "Statement": [*others, changed]}


def _shorter(statement: Json) -> Iterator[tuple[str, Json]]:
    for element in ("Action", "Resource"):
        values = _listed(statement[element])
        for value in values if len(values) > 1 else ():
            yield f"without {value}", {element: [other for other in values if other != value]}


def _conditions(statement: Json) -> Iterator[tuple[str, Json]]:
    condition = statement.get("Condition", {})
    for operator, keys in condition.items():
        for key, values in keys.items():
            for change, other, value in _changed(operator, key, values):
                made = copy.deepcopy(condition)
                del made[operator][key]
                if value is not None:
                    made.setdefault(other, {})[key] = value
                yield change, {"Condition": {name: left for name, left in made.items() if left}}


def _changed(operator: str, key: str, values: Any) -> Iterator[tuple[str, str, Any]]:
    yield f"without {operator} {key}", operator, None
    if operator in _OPPOSITE:
        yield f"{_OPPOSITE[operator]} {key}", _OPPOSITE[operator], values
    if values in ("true", "false"):
        yield f"{operator} {key} turned", operator, "true" if values == "false" else "false"
    if operator.startswith("Numeric") and str(values).isdigit():
        for step in (-1, 1):
            yield f"{key} {step:+}", operator, str(int(values) + step)
    listed = _listed(values)
    for value in listed if len(listed) > 1 else ():
        yield f"without {value}", operator, [other for other in listed if other != value]


@pytest.mark.parametrize("kind", KINDS)
def test_every_change_of_a_statement_changes_what_decides(kind: str) -> None:
    tried = list(mutants(_policy(kind)))
    usual = _usual(kind)
    survivors = [
        name
        for name, policy in tried
        if not any(now != before for now, before in zip(_decided(kind, policy), usual, strict=True))
    ]
    assert survivors == _SAID_TWICE[kind]
    assert len(tried) > 40
