"""Every condition, exemption and statement of the guardrails decides something: without it, an answer changes."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tableguard.evaluation import Policies, Request, evaluate
from tests.unit.organization.guarded import (
    DATA,
    DEVELOPMENT,
    FULL_ACCESS,
    FULL_ACCESS_TO_RESOURCE,
    GUARDIAN_ARNS,
    INSIDE,
    OTHER_ARNS,
    PARTNER,
    REGION,
    STRANGER,
    TABLE,
    UNBOUND,
    everything,
    role,
    session,
)
from tests.unit.organization.test_control_decisions import PROTECTED, PUBLIC

Json = dict[str, Any]

_ELSEWHERE: Final = {"aws:RequestedRegion": "us-west-2"}
_CALLERS: Final = (
    *GUARDIAN_ARNS.values(),
    *OTHER_ARNS.values(),
    role("backup-plan"),
    role("admin", account=DEVELOPMENT),
    role("cdk-hnb659fds-cfn-exec-role-x", account=STRANGER),
    f"arn:aws:iam::{STRANGER}:root",
    UNBOUND["a service"],
)
_MORE: Final = (
    ("dynamodb:DeleteResourcePolicy", TABLE),
    ("dynamodb:DeleteResourcePolicy", TABLE.replace(DATA, PARTNER)),
    ("dynamodb:DeleteTable", TABLE.replace(DATA, DEVELOPMENT)),
    ("dynamodb:DeleteResourcePolicy", TABLE.replace(DATA, DEVELOPMENT)),
    ("kms:DisableKey", f"arn:aws:kms:{REGION}:{DEVELOPMENT}:key/1"),
    ("ec2:RunInstances", "*"),
    ("organizations:LeaveOrganization", "*"),
    ("s3:CreateBucket", "*"),
    ("iam:GetRole", "*"),
)


def _requests() -> Iterator[Request]:
    for action, resource in (*_MORE, *PROTECTED, *PUBLIC):
        for arn in _CALLERS:
            principal, carried = session(arn)
            for place in (INSIDE, _ELSEWHERE):
                yield Request(
                    principal=principal,
                    action=action,
                    resource=resource,
                    resource_account=DATA if resource == "*" else None,
                    context={**place, **carried},
                )


REQUESTS: Final = tuple(_requests())


def _values(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def weakened(statement: Json) -> Iterator[tuple[str, Json | None]]:
    """The statement with one thing less, more or turned round."""
    yield "no statement", None
    for operator, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            less = copy.deepcopy(statement)
            del less["Condition"][operator][key]
            yield f"no {operator} {key}", less
            for value in _values(values):
                rest = [other for other in _values(values) if other != value]
                if rest:
                    fewer = copy.deepcopy(statement)
                    fewer["Condition"][operator][key] = rest
                    yield f"{operator} {key} without {value}", fewer
            if key == "aws:PrincipalArn":
                yield from _loosened(statement, operator, _values(values))
            flipped = copy.deepcopy(statement)
            value = flipped["Condition"][operator].pop(key)
            other = operator.replace("Not", "") if "Not" in operator else operator
            if other != operator:
                flipped["Condition"].setdefault(other, {})[key] = value
                yield f"{operator} {key} turned round", flipped
    if _values(statement["Resource"]) != ["*"]:
        yield "every resource", {**statement, "Resource": "*"}
        for resource in _values(statement["Resource"]):
            rest = [other for other in _values(statement["Resource"]) if other != resource]
            yield f"not {resource}", {**statement, "Resource": rest}


def _loosened(statement: Json, operator: str, arns: list[str]) -> Iterator[tuple[str, Json]]:
    """The statement with more principals exempt."""
    loosened = {
        "an administrator exempt": [*arns, role("admin")],
        "administrators of every account": [arn.replace(DATA, "*") for arn in arns],
        "roles of every account instead of the resource's": [
            arn.replace("${aws:ResourceAccount}", "*") for arn in arns
        ],
    }
    for name, values in loosened.items():
        if values != arns:
            mutant = copy.deepcopy(statement)
            mutant["Condition"][operator]["aws:PrincipalArn"] = values
            yield name, mutant


def _policies(kind: str, documents: list[Json]) -> Policies:
    if kind == "scp":
        return Policies(
            identity=[FULL_ACCESS], resource=FULL_ACCESS_TO_RESOURCE, service_control=[[FULL_ACCESS, *documents]]
        )
    return Policies(
        identity=[FULL_ACCESS],
        resource=FULL_ACCESS_TO_RESOURCE,
        resource_control=[[FULL_ACCESS_TO_RESOURCE, *documents]],
    )


def _documents(kind: str) -> list[Json]:
    """The statements that are the guardrails', each by itself: the perimeter's are weakened where it is tested."""
    found = everything()[0 if kind == "scp" else 1]
    return [
        {"Version": "2012-10-17", "Statement": [statement]}
        for document in found
        for statement in document["Statement"]
        if not statement["Sid"].startswith("Perimeter")
    ]


@pytest.mark.parametrize("kind", ["scp", "rcp"])
def test_no_weakened_statement_goes_unnoticed(kind: str) -> None:
    survivors = []
    count = 0
    for document in _documents(kind):
        (statement,) = document["Statement"]
        # By itself, since another statement would deny some of it as well.
        before = _policies(kind, [document])
        answers = [(request, evaluate(request, before).outcome) for request in REQUESTS]
        for name, mutant in weakened(statement):
            count += 1
            after = _policies(kind, [{**document, "Statement": [mutant]}] if mutant is not None else [])
            if all(evaluate(request, after).outcome is outcome for request, outcome in answers):
                survivors.append(f"{statement['Sid']}: {name}")
    assert count > (60 if kind == "scp" else 20)
    assert survivors == [], "\n".join(survivors)
