"""How many consumers fit into one table policy, by the library and by the CDK's own grants, really synthesized.

Every consumer reads. The CDK's grants are measured with the feature flags that `cdk init` sets, which let it merge
statements (`cdk.json` of this repository holds them), and without any.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb, aws_iam as iam
from aws_cdk.assertions import Template

import tableguard as tg
from benchmarks.processes import ROOT
from tableguard.policy.limits import DEFAULT_LIMITS, measured

_FIRST: Final = 64
_PARTITION: Final = "aws"

Grant = Callable[[dynamodb.TableV2, int], object]


def figures() -> dict[str, float]:
    """The largest number of consumers whose policy is within the limit, by side and kind of consumer."""
    flags = {
        name: value
        for name, value in json.loads((ROOT / "cdk.json").read_text())["context"].items()
        if name.startswith("@aws-cdk/") and "validate" not in name
    }
    return {
        "accounts, library": _most(_library(_account), flags),
        "accounts, grants": _most(_grants(_account_principal), {}),
        "accounts, grants with flags": _most(_grants(_account_principal), flags),
        "roles, library": _most(_library(_role), flags),
        "roles, library by name": _most(_library(_role, name_principal=True), flags),
        "roles, grants": _most(_grants(_role_principal), {}),
        "roles, grants with flags": _most(_grants(_role_principal), flags),
    }


def _most(grant: Grant, flags: dict[str, Any]) -> int:
    """The largest number that fits, by doubling, then halving."""
    fits, too_many = 0, _FIRST
    while _fits(grant, too_many, flags):
        fits, too_many = too_many, 2 * too_many
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if _fits(grant, middle, flags):
            fits = middle
        else:
            too_many = middle
    return fits


def _fits(grant: Grant, consumers: int, flags: dict[str, Any]) -> bool:
    app = cdk.App(analytics_reporting=False, context=flags)
    stack = cdk.Stack(app, "Data", env=cdk.Environment(account="444455556666", region="us-east-1"))
    pk = dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING)
    table = dynamodb.TableV2(stack, "Orders", partition_key=pk, table_name="orders")
    try:
        grant(table, consumers)
    except tg.PolicyTooLargeError:
        return False
    (resource,) = Template.from_stack(stack).find_resources("AWS::DynamoDB::GlobalTable").values()
    (replica,) = resource["Properties"]["Replicas"]
    policy = _resolved(replica["ResourcePolicy"]["PolicyDocument"])
    return measured(policy, DEFAULT_LIMITS.table).size <= DEFAULT_LIMITS.table.size


def _resolved(value: Any) -> Any:
    match value:
        case {"Fn::Join": ["", parts]}:
            return "".join(part if isinstance(part, str) else _PARTITION for part in parts)
        case dict():
            return {key: _resolved(inner) for key, inner in value.items()}
        case list():
            return list(map(_resolved, value))
    return value


def _library(principal: Callable[[int], tg.Principal], *, name_principal: bool = False) -> Grant:
    def grant(table: dynamodb.TableV2, consumers: int) -> None:
        grants = [
            tg.TableGrant(principal(each), tg.Access.READ, reason="ADR-7", name_principal=name_principal)
            for each in range(consumers)
        ]
        tg.TableAccess(cdk.Stack.of(table), "Access", table=table, table_grants=grants)

    return grant


def _grants(principal: Callable[[int], iam.IPrincipal]) -> Grant:
    def grant(table: dynamodb.TableV2, consumers: int) -> None:
        for each in range(consumers):
            table.grants.read_data(principal(each))

    return grant


def _account_id(consumer: int) -> str:
    return f"11112222{consumer:04}"


def _account(consumer: int) -> tg.Principal:
    return tg.Account(_account_id(consumer))


def _role(consumer: int) -> tg.Principal:
    return tg.Role(account=_account_id(consumer), name="orders-reader")


def _account_principal(consumer: int) -> iam.IPrincipal:
    return iam.AccountPrincipal(_account_id(consumer))


def _role_principal(consumer: int) -> iam.IPrincipal:
    return iam.ArnPrincipal(f"arn:aws:iam::{_account_id(consumer)}:role/orders-reader")
