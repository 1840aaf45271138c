"""Every rendered statement, changed in one place: the decision on some request has to change with it."""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from tableguard.evaluation import Document, Outcome, Policies, Request, evaluate
from tableguard.policy import ACTIONS, Resource
from tableguard.policy.deny_statements import DenyStatement
from tests.unit.policy.perimeter.parties import (
    CALLERS,
    EVERYTHING,
    INSIDE,
    ORDERS,
    OUTSIDE,
    PERIMETER,
    POLLER,
    RESOURCES,
    Caller,
    Context,
    plain_policy,
    resource_policy,
)
from tests.unit.policy.support import OWNER, PARTNER, REGION

Json = dict[str, Any]

_NEXT_DOOR: Final[tuple[Context, ...]] = (
    {"aws:SourceIp": "192.0.3.9"},
    {"aws:SourceVpc": "vpc-0def5678", "aws:SourceVpce": "vpce-99999999"},
)
_NETWORKS: Final = ("the VPC", "the endpoint", "the office", "the office over IPv6", "the internet", "Athena")
_PLACES: Final[tuple[Context, ...]] = (
    *({**place, "aws:RequestedRegion": REGION} for place in (*_NEXT_DOOR, *OUTSIDE.values(), *INSIDE.values())),
    *(
        {**place, "aws:RequestedRegion": region}
        for region in ("eu-west-1", "ap-south-1")
        for place in (*_NEXT_DOOR, *({**OUTSIDE, **INSIDE}[name] for name in _NETWORKS))
    ),
)


def _everybody() -> Iterator[Caller]:
    yield from CALLERS.values()
    for caller in CALLERS.values():
        # The same name in another account.
        arn = str(caller.context.get("aws:PrincipalArn", ""))
        if f"::{OWNER}:" in arn:
            context = {**caller.context, "aws:PrincipalArn": arn.replace(f"::{OWNER}:", f"::{PARTNER}:")}
            yield Caller(caller.principal.replace(f"::{OWNER}:", f"::{PARTNER}:"), context)


_CALLERS: Final = tuple(_everybody())


@dataclass(frozen=True)
class Mutant:
    """One change of a document.

    Args:
        change: What it is.
        position: Where the changed statement stands.
        statement: The statement afterwards; None for one that is dropped.
        actions: What the change is about.
    """

    change: str
    position: int
    statement: Json | None
    actions: tuple[str, ...]


def _policies(kind: str, *documents: Document) -> Policies:
    match kind:
        case "table" | "stream":
            (document,) = documents
            return Policies(identity=[EVERYTHING], resource=document)
        case "service control":
            return Policies(
                identity=[EVERYTHING], resource=resource_policy(), service_control=[[EVERYTHING, *documents]]
            )
        case "resource control":
            return Policies(identity=[EVERYTHING], resource=resource_policy(), resource_control=[documents])
    return Policies(identity=documents, resource=resource_policy())


def _denials(kind: str) -> tuple[DenyStatement, ...]:
    """The statements that list what they deny; the one on all other actions is changed in `test_unclassified`."""
    return tuple(denial for denial in _all_denials(kind) if denial.actions)


def _all_denials(kind: str) -> tuple[DenyStatement, ...]:
    match kind:
        case "table":
            return PERIMETER.table_statements(ORDERS)
        case "stream":
            return PERIMETER.stream_statements(ORDERS)
        case "service control":
            return PERIMETER.service_control_statements()
        case "resource control":
            return PERIMETER.resource_control_statements()
    return PERIMETER.identity_statements(role=POLLER)


KINDS: Final = ("table", "stream", "service control", "resource control", "identity")


@functools.cache
def _document(kind: str) -> Json:
    denials = _denials(kind)
    return resource_policy(*denials) if kind not in ("service control", "identity") else plain_policy(*denials)


def _resources(kind: str, action: str) -> Iterable[str]:
    if action.startswith("iam:"):
        yield f"arn:aws:iam::{OWNER}:role/emergency/break-glass"
        yield f"arn:aws:iam::{PARTNER}:role/cdk-hnb659fds-cfn-exec-role-{PARTNER}-us-east-1"
        yield f"arn:aws:iam::{OWNER}:role/stream-worker"
        yield f"arn:aws:iam::{OWNER}:role/exporter"
        yield f"arn:aws:iam::{OWNER}:role/restorer"
        yield f"arn:aws:iam::{OWNER}:user/on-call"
        yield f"arn:aws:iam::{PARTNER}:role/cdk-hnb659fds-deploy-role-{PARTNER}-us-east-1"
        yield f"arn:aws:iam::{OWNER}:role/app"
        return
    kinds = ACTIONS[action.removeprefix("dynamodb:")].resources
    if Resource.TABLE in kinds and kind != "stream":
        yield RESOURCES["table"]
    if Resource.INDEX in kinds and kind != "stream":
        yield RESOURCES["index"]
    if Resource.STREAM in kinds and kind != "table":
        yield RESOURCES["stream"]


@functools.cache
def _asked(kind: str, action: str) -> tuple[tuple[str, Context, Caller], ...]:
    """What is asked about an action: the resource, from where, and who."""
    places: Iterable[Context] = [{}] if action.startswith("iam:") else _PLACES
    asked = list(itertools.product(_resources(kind, action), places, _CALLERS))
    # Most changes are noticed by many requests: in no order, one of those comes early.
    random.Random(action).shuffle(asked)  # noqa: S311 (an order, no secret)
    return tuple(asked)


@functools.cache
def _unchanged(kind: str) -> Policies:
    return _policies(kind, Document(_document(kind)))


def _of(kind: str, *statements: Json) -> Document:
    return Document({**_document(kind), "Statement": statements})


@functools.cache
def _one_by_one(kind: str) -> tuple[Document, ...]:
    return tuple(_of(kind, statement) for statement in _document(kind)["Statement"])


def _changed(kind: str, mutant: Mutant) -> Policies:
    """The policies after a change: those that may be several documents have one for each statement, read once."""
    at = mutant.position
    changed = [mutant.statement] if mutant.statement is not None else []
    if kind in ("table", "stream"):
        written = _document(kind)["Statement"]
        return _policies(kind, _of(kind, *written[:at], *changed, *written[at + 1 :]))
    alone = _one_by_one(kind)
    return _policies(kind, *alone[:at], *(_of(kind, each) for each in changed), *alone[at + 1 :])


@functools.cache
def _decided(kind: str, action: str, number: int) -> tuple[Request, Outcome]:
    """One of the requests, made when a change gets to it, and what is decided without the change."""
    resource, place, caller = _asked(kind, action)[number]
    context = {**place, **caller.context}
    request = Request(principal=caller.principal, action=action, resource=resource, context=context)
    return request, evaluate(request, _unchanged(kind)).outcome


def _noticed(kind: str, mutant: Mutant) -> bool:
    policies = _changed(kind, mutant)
    for action in mutant.actions:
        for number in range(len(_asked(kind, action))):
            request, outcome = _decided(kind, action, number)
            if evaluate(request, policies).outcome is not outcome:
                return True
    return False


def _listed(value: object) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


_OPPOSITE: Final = {
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "ArnEquals": "ArnNotEquals",
    "StringNotEquals": "StringEquals",
    "StringEquals": "StringNotEquals",
    "NotIpAddress": "IpAddress",
}


def mutants(kind: str) -> Iterator[Mutant]:
    document = _document(kind)
    for position, statement in enumerate(document["Statement"]):
        if statement["Effect"] == "Allow":
            continue

        def changed(change: str, actions: tuple[str, ...], at: int = position, **elements: Any) -> Mutant:
            written = document["Statement"][at]
            return Mutant(f"{written['Sid']}: {change}", at, {**written, **elements}, actions)

        actions = tuple(_listed(statement["Action"]))
        yield Mutant(f"{statement['Sid']}: dropped", position, None, actions)
        for action in actions if len(actions) > 1 else ():
            yield changed(f"without {action}", actions=(action,), Action=[a for a in actions if a != action])
        wide = "iam:*" if actions[0].startswith("iam:") else "dynamodb:*"
        innocent = (
            "iam:GetRole"
            if wide == "iam:*"
            else ("dynamodb:DescribeStream" if kind == "stream" else "dynamodb:UpdateTable")
        )
        yield changed(f"for {wide}", actions=(innocent,), Action=wide)
        resources = _listed(statement["Resource"])
        for resource in resources if len(resources) > 1 else ():
            left = [r for r in resources if r != resource]
            yield changed(f"without {resource}", actions=actions, Resource=left)
        yield from _conditions(statement, changed, actions)


def _conditions(statement: Json, changed: Any, actions: tuple[str, ...]) -> Iterator[Mutant]:
    condition = statement["Condition"]
    for operator, keys in condition.items():
        others = {name: value for name, value in condition.items() if name != operator}
        for key, values in keys.items():
            rest = {name: value for name, value in keys.items() if name != key}

            def with_key(
                value: object, operator: str = operator, rest: Any = rest, others: Any = others, key: str = key
            ) -> Json:
                return {**others, operator: {**rest, key: value}}

            yield changed(
                f"without {operator} {key}", actions=actions, Condition={**others, **({operator: rest} if rest else {})}
            )
            listed = _listed(values)
            for value in listed if len(listed) > 1 else ():
                kept = [v for v in listed if v != value]
                yield changed(f"without {value} of {key}", actions=actions, Condition=with_key(kept))
            if operator in _OPPOSITE:
                flipped = {**others, **({operator: rest} if rest else {})}
                flipped[_OPPOSITE[operator]] = {**flipped.get(_OPPOSITE[operator], {}), key: values}
                yield changed(f"{_OPPOSITE[operator]} {key}", actions=actions, Condition=flipped)
            if values in ("true", "false"):
                yield changed(
                    f"{operator} {key} turned",
                    actions=actions,
                    Condition=with_key("true" if values == "false" else "false"),
                )
            if operator == "BoolIfExists":
                strict = {**others, "Bool": {**others.get("Bool", {}), key: values}}
                yield changed(f"Bool {key}", actions=actions, Condition=strict)
            yield from _wider(operator, key, listed, with_key, changed, actions)


def _wider(
    operator: str, key: str, listed: list[str], with_key: Any, changed: Any, actions: tuple[str, ...]
) -> Iterator[Mutant]:
    if key == "aws:PrincipalArn" and operator != "ArnEquals":
        app = f"arn:aws:iam::{OWNER}:role/app"
        yield changed("one exemption more", actions=actions, Condition=with_key([*listed, app]))
        for arn in listed:
            foreign = [other for other in listed if other != arn] + [arn.replace(f"::{OWNER}:", f"::{PARTNER}:")]
            if foreign[-1] != arn:
                yield changed(f"{arn} of another account", actions=actions, Condition=with_key(foreign))
    if key == "aws:SourceIp":
        yield changed("a wider network", actions=actions, Condition=with_key(["192.0.2.0/23", *listed]))


@pytest.mark.parametrize("kind", KINDS)
def test_every_change_of_a_statement_changes_a_decision(kind: str) -> None:
    tried = list(mutants(kind))
    survivors = [mutant.change for mutant in tried if not _noticed(kind, mutant)]
    assert survivors == []
    assert len(tried) > len(_denials(kind)) * 8
