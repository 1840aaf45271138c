"""People's restriction, the boundary and break-glass: every statement of theirs, changed in one place, decides
otherwise.

Perimeters and guardrails have theirs in test_perimeter_mutations.py and test_control_mutations.py.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from typing import Final

import pytest

from tableguard.evaluation import Document, Outcome, Policies, Request, evaluate
from tableguard.review.assuming import assuming
from tests.unit.organization.callers import CALLERS, PLACES
from tests.unit.organization.fortress import (
    ANN,
    BREAK_GLASS,
    BREAK_GLASS_SETTINGS,
    DOORS,
    EVERYTHING,
    PEOPLE,
    RESOURCES,
    SIGN_IN,
    Caller,
    Context,
    fortress,
)
from tests.unit.organization.mutants import Json, listed, mutants
from tests.unit.tables.support import NOON, OWNER, PARTNER, REGION

_FULL, _SETTINGS = (f"arn:aws:iam::{OWNER}:role/{name}" for name in (BREAK_GLASS, BREAK_GLASS_SETTINGS))
_LEDGER: Final = RESOURCES["ledger"]
_KEY: Final = f"arn:aws:kms:{REGION}:{OWNER}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
_SCALING: Final = f"arn:aws:application-autoscaling:{REGION}:{OWNER}:scalable-target/0ec1"
_BOUNDARY: Final = RESOURCES["boundary"]

DOCUMENTS: Final = (
    "a table without people",
    "its stream",
    "the boundary",
    "who may take break-glass",
    "what break-glass may do",
    "what break-glass for settings may do",
)
_DOORS: Final = ((1, "UsersWithMfa"), (1, "SourceIdentity"), (2, "PermissionSet"), (2, "SourceIdentity"))
_SAID_TWICE: Final = (
    *(f"Trusted{number}{what}: every principal" for number, what in _DOORS),
    *(f"Trusted1{what}: {ANN.arn('aws')} of every account" for number, what in _DOORS if number == 1),
    *(
        f"Trusted2{what}: {pattern} of every account"
        for number, what in _DOORS
        if number == 2
        for pattern in DOORS[1].role_patterns("aws")
    ),
)
_WIDE: Final = ("cloudwatch:*", "application-autoscaling:*")
EQUIVALENT: Final = frozenset(
    {
        # The account stands in Principal and in aws:PrincipalArn: either keeps the others out by itself.
        *(f"who may take break-glass: {change}" for change in _SAID_TWICE),
        # dynamodb:* beside them leaves the same actions out of the Deny.
        *(
            f"what break-glass may do: NothingElse: NotAction without dynamodb:{action}"
            for action in ("DescribeEndpoints", "DescribeLimits", "ListStreams", "ListTables")
        ),
        # The Deny of everything else takes away what a wider Allow gives.
        *(f"what break-glass may do: statement {number}: {wide}" for number, wide in enumerate(_WIDE, start=1)),
        "what break-glass may do: statement 4: kms:*",
        *(
            f"what break-glass for settings may do: statement {number}: {wide}"
            for number, wide in enumerate(("dynamodb:*", *_WIDE))
        ),
    }
)
"""Changes after which the document decides the same, each kind with its reason."""


@cache
def _document(name: str) -> Json:
    made = fortress()
    return {
        "a table without people": made.resources[_LEDGER],
        "its stream": made.resources[RESOURCES["ledger's stream"]],
        "the boundary": made.boundary,
        "who may take break-glass": made.resources[_FULL],
        "what break-glass may do": made.identities[_FULL],
        "what break-glass for settings may do": made.identities[_SETTINGS],
    }[name]


def _named(document: Json) -> Iterator[str]:
    for statement in document["Statement"]:
        for action in (*listed(statement.get("Action", [])), *listed(statement.get("NotAction", []))):
            if not action.endswith("*"):
                yield action


def _request(caller: Caller, action: str, resource: str, context: Context) -> Request:
    return Request(
        principal=caller.principal,
        action=action,
        resource=resource,
        resource_account=OWNER if resource == "*" else None,
        context={**context, **caller.context},
        time=NOON,
    )


def _of_people(document: Json, *resources: str) -> Iterator[Request]:
    for action in {*_named(document), "dynamodb:DescribeTable", "dynamodb:DescribeStream"}:
        for caller in _around_people():
            for resource in resources:
                yield _request(caller, action, resource, {})


def _around_people() -> Iterator[Caller]:
    for name in ("an application", "a console user", "a federated user", "a person of the SAML role", "the root user"):
        yield CALLERS[name]
    yield Caller(f"arn:aws:iam::{OWNER}:user/app")
    yield Caller(f"arn:aws:iam::{PARTNER}:role/saml-ops")
    for account in (OWNER, PARTNER):
        yield from _reserved("DataSteward", account)


def _of_boundary(document: Json) -> Iterator[Request]:
    team = CALLERS["a team's role in its boundary"]
    for action in {*_named(document), "dynamodb:DescribeTable", "iam:GetRole", "iam:UpdateUser", "iam:ListPolicies"}:
        if action.startswith("dynamodb:"):
            yield from (_request(team, action, RESOURCES["table"], place) for place in PLACES.values())
            yield _request(team, action, RESOURCES["table"], {**PLACES["Athena"], "aws:RequestedRegion": "eu-west-1"})
            yield _request(team, action, RESOURCES["table"], {**PLACES["Athena"], "aws:RequestedRegion": "eu-north-1"})
            for region in ("eu-west-1", "eu-north-1"):
                yield _request(
                    team, action, RESOURCES["table"], {**PLACES["the endpoint"], "aws:RequestedRegion": region}
                )
        else:
            policies: tuple[Context, ...] = (
                {},
                {"iam:PermissionsBoundary": _BOUNDARY},
                {"iam:PermissionsBoundary": _BOUNDARY.replace(OWNER, PARTNER)},
            )
            for carried in policies:
                for resource in (RESOURCES["new role"], _BOUNDARY, f"arn:aws:iam::{OWNER}:policy/other"):
                    yield _request(team, action, resource, carried)


def _of_assumed_by() -> Iterator[Request]:
    ann = CALLERS["ann, MFA a minute ago"]
    set_ = {"sts:SourceIdentity": "ann"}
    contexts = [{key: value for key, value in ann.context.items() if key != absent} for absent in (None, *ann.context)]
    more: list[Context] = [{}, set_, {"sts:SourceIdentity": "bob"}, {"aws:SourceIdentity": "ann", **set_}]
    others: list[Context] = [
        {"aws:MultiFactorAuthPresent": "false"},
        {"sts:RoleSessionName": "bob"},
        {"aws:MultiFactorAuthAge": "899"},
        {"aws:MultiFactorAuthAge": "900"},
        {"aws:MultiFactorAuthAge": "8999"},
    ]
    ours: list[Caller] = [
        *CALLERS.values(),
        *(Caller(ann.principal, context) for context in contexts),
        *(Caller(ann.principal, {**ann.context, **context}) for context in others),
        *(Caller(f"arn:aws:iam::{account}:user/ann", ann.context) for account in (PEOPLE, PARTNER, SIGN_IN)),
        *(
            Caller(f"arn:aws:iam::{account}:role/app", {**ann.context, "aws:username": "ann"})
            for account in (PEOPLE, SIGN_IN)
        ),
        *(caller for account in (SIGN_IN, PEOPLE, PARTNER) for caller in _reserved("Emergency", account)),
    ]
    for caller in ours:
        for action in ("sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession", "sts:AssumeRoleWithSAML"):
            yield from (_request(caller, action, _FULL, context) for context in more)


def _reserved(permission_set: str, account: str) -> Iterator[Caller]:
    """A permission set's role, with and without a region in its path."""
    name = f"AWSReservedSSO_{permission_set}_0123456789abcdef"
    for path in ("", "eu-west-1/"):
        arn = f"arn:aws:iam::{account}:role/aws-reserved/sso.amazonaws.com/{path}{name}"
        yield Caller(f"arn:aws:sts::{account}:assumed-role/{name}/ann", {"aws:PrincipalArn": arn})


def _of_role(document: Json, arn: str) -> Iterator[Request]:
    innocent = ("cloudwatch:PutMetricAlarm", "kms:ScheduleKeyDeletion", "application-autoscaling:PutScalingPolicy")
    contexts: tuple[Context, ...] = (
        {"kms:ViaService": f"dynamodb.{REGION}.amazonaws.com", "kms:GrantIsForAWSResource": "true"},
        {"kms:ViaService": f"dynamodb.{REGION}.amazonaws.com", "kms:GrantIsForAWSResource": "false"},
        {"kms:ViaService": f"dynamodb.{REGION}.amazonaws.com"},
        {"kms:GrantIsForAWSResource": "true"},
        {"kms:ViaService": f"s3.{REGION}.amazonaws.com", "kms:GrantIsForAWSResource": "true"},
        {"application-autoscaling:service-namespace": "dynamodb"},
        {"application-autoscaling:service-namespace": "ecs"},
        {},
    )
    actions = {*_named(document), *innocent, "dynamodb:GetItem", "dynamodb:DeleteTable", "iam:PassRole", "s3:GetObject"}
    own = {"dynamodb": RESOURCES["table"], "kms": _KEY, "application-autoscaling": _SCALING}
    for action in actions:
        resource = own.get(action.partition(":")[0], "*")
        for each in {"*", resource, resource.replace(OWNER, PARTNER), RESOURCES["stream"]}:
            yield from (_request(Caller(arn), action, each, context) for context in contexts)


def _asked(name: str, document: Json) -> Iterator[Request]:
    match name:
        case "a table without people":
            return _of_people(document, _LEDGER, f"{_LEDGER}/index/by-date", RESOURCES["table"])
        case "its stream":
            return _of_people(document, RESOURCES["ledger's stream"])
        case "the boundary":
            return _of_boundary(document)
        case "who may take break-glass":
            return _of_assumed_by()
    return _of_role(document, _FULL if name == "what break-glass may do" else _SETTINGS)


@cache
def _requests(name: str) -> tuple[Request, ...]:
    found = list(_asked(name, _document(name)))
    # Most changes are noticed by many requests: in no order, one of those comes early.
    random.Random(name).shuffle(found)  # noqa: S311 (an order, no secret)
    return tuple(found)


_ALL: Final = Document(EVERYTHING)
_OF_KEY, _OF_TABLE = (
    Document({**EVERYTHING, "Statement": [{**EVERYTHING["Statement"][0], "Principal": principal}]})
    for principal in ({"AWS": OWNER}, "*")
)


def _outcomes(name: str, document: Json) -> Iterator[Outcome]:
    compiled = Document(document)
    for request in _requests(name):
        match name:
            case "a table without people" | "its stream":
                policies = Policies(identity=[_ALL], resource=compiled)
            case "the boundary":
                policies = Policies(identity=[_ALL], boundary=[compiled])
            case "who may take break-glass":
                yield assuming(request, compiled, Policies(identity=[_ALL])).outcome
                continue
            case _:
                policies = Policies(identity=[compiled], resource=_grant_of_others(request))
        yield evaluate(request, policies).outcome


def _grant_of_others(request: Request) -> Document | None:
    """The key's policy, which leaves the decision to its account; and whatever a table's policy may allow."""
    if ":kms:" in request.resource:
        return _OF_KEY
    return _OF_TABLE if request.context == {} else None


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_change_changes_a_decision(name: str) -> None:
    document = _document(name)
    before = list(_outcomes(name, document))
    survivors = [
        f"{name}: {change}"
        for change, mutant in mutants(document)
        if all(now is outcome for now, outcome in zip(_outcomes(name, mutant), before, strict=True))
    ]
    assert sorted(survivors) == sorted(each for each in EQUIVALENT if each.startswith(f"{name}: "))
    assert len(set(before)) > 1


def test_all_but_a_few_are_noticed() -> None:
    tried = sum(1 for name in DOCUMENTS for _ in mutants(_document(name)))
    assert tried > 400
    assert len(EQUIVALENT) <= 0.05 * tried
