"""What a permissions boundary and the SCP that forces it decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from tableguard.evaluation import ContextValue, Policies, Request, evaluate
from tableguard.policy import FromVpc, InvalidInputError, Role
from tableguard.policy.boundary import Boundary
from tableguard.policy.deny_statements import denying
from tableguard.policy.perimeter import (
    Exemption,
    Forwarding,
    LambdaPoller,
    Perimeter,
    RestrictedActions,
    RoleOfEveryAccount,
)
from tests.unit.policy.support import EVERYTHING, NOON, OWNER, PARTNER, REGION, role

BOUNDARY: Final = Boundary(name="data-access-boundary", path="/platform/")
OWN: Final = BOUNDARY.arn(OWNER)
NAMESAKE: Final = f"arn:aws:iam::{OWNER}:policy/data-access-boundary"
POLLER: Final = Role(account=OWNER, name="stream-worker")
PERIMETER: Final = Perimeter(
    networks=[FromVpc("vpc-0abc1234", region=REGION)],
    exemptions=[
        Exemption(principal=LambdaPoller(POLLER), actions=RestrictedActions.STREAM, reason="the search index"),
        Exemption(principal=Forwarding("athena.amazonaws.com"), actions=RestrictedActions.ITEMS, reason="reports"),
        Exemption(principal=Role(account=OWNER, name="exporter"), actions=RestrictedActions.EXPORT, reason="nightly"),
    ],
)
GUARDIAN: Final = RoleOfEveryAccount(name="cdk-hnb659fds-cfn-exec-role-*")
TABLE: Final = f"arn:aws:dynamodb:{REGION}:{OWNER}:table/orders"
STREAM: Final = f"{TABLE}/stream/2026-11-21T10:00:00.000"
INSIDE: Final[Mapping[str, ContextValue]] = {"aws:SourceVpc": "vpc-0abc1234", "aws:RequestedRegion": REGION}
OUTSIDE: Final[Mapping[str, ContextValue]] = {"aws:RequestedRegion": REGION}
TEAM: Final = role("team", OWNER)
WIDENING: Final = ("CreateRole", "PutRolePermissionsBoundary", "AttachRolePolicy", "PutRolePolicy", "CreateUser")
EDITING: Final = (
    "CreatePolicyVersion",
    "DeletePolicy",
    "DeletePolicyVersion",
    "SetDefaultPolicyVersion",
    "CreatePolicy",
)


def carried(
    action: str,
    resource: str,
    *,
    caller: str = TEAM,
    context: Mapping[str, ContextValue] = OUTSIDE,
    boundary: Mapping[str, Any] | None = None,
) -> bool:
    """Whether a role that carries the boundary, and whose policy allows everything, may do something."""
    document = boundary or BOUNDARY.policy(PERIMETER, account=OWNER)
    request = Request(principal=caller, action=action, resource=resource, context=context, time=NOON)
    decision = evaluate(request, Policies(identity=[EVERYTHING], boundary=[document]))
    assert decision.understood, decision
    return decision.allowed


def forced(
    action: str, resource: str, *, caller: str = TEAM, context: Mapping[str, ContextValue] | None = None
) -> bool:
    """Whether somebody whose policy allows everything may do something under the SCP."""
    scp = denying(BOUNDARY.service_control_statements([GUARDIAN]))
    request = Request(principal=caller, action=action, resource=resource, context=context or {}, time=NOON)
    decision = evaluate(request, Policies(identity=[EVERYTHING], service_control=[[EVERYTHING, scp]]))
    assert decision.understood, decision
    return decision.allowed


def of(action: str) -> str:
    return f"arn:aws:iam::{OWNER}:{'user' if 'User' in action else 'role'}/new"


@pytest.mark.parametrize(
    "action", ["GetItem", "Scan", "PutItem", "ExportTableToPointInTime", "RestoreTableToPointInTime"]
)
def test_a_carrier_stays_inside(action: str) -> None:
    assert carried(f"dynamodb:{action}", TABLE, context=INSIDE)
    assert not carried(f"dynamodb:{action}", TABLE)


def test_a_carrier_does_everything_else() -> None:
    assert carried("s3:GetObject", "arn:aws:s3:::bucket/key")
    assert carried("dynamodb:DescribeTable", TABLE)


def test_it_grants_nothing() -> None:
    request = Request(principal=TEAM, action="dynamodb:GetItem", resource=TABLE, context=INSIDE, time=NOON)
    policies = Policies(identity=[], boundary=[BOUNDARY.policy(PERIMETER, account=OWNER)])
    assert not evaluate(request, policies).allowed


def test_what_carriers_may_have_at_most_can_be_said() -> None:
    document = BOUNDARY.policy(PERIMETER, account=OWNER, allowed_actions=["dynamodb:*", "logs:Put*"])
    assert carried("dynamodb:GetItem", TABLE, context=INSIDE, boundary=document)
    assert not carried("dynamodb:GetItem", TABLE, boundary=document)
    assert carried("logs:PutLogEvents", "*", boundary=document)
    assert not carried("s3:GetObject", "arn:aws:s3:::bucket/key", boundary=document)


def test_only_the_one_role_that_it_is_for_is_exempt() -> None:
    mine = BOUNDARY.policy(PERIMETER, account=OWNER, role=POLLER)
    everybodys = BOUNDARY.policy(PERIMETER, account=OWNER)
    poller = POLLER.arn("aws")
    assert carried("dynamodb:GetRecords", STREAM, caller=poller, boundary=mine)
    assert not carried("dynamodb:GetItem", TABLE, caller=poller, boundary=mine)
    assert not carried("dynamodb:GetRecords", STREAM, caller=poller, boundary=everybodys)


def test_a_forwarding_service_is_exempt_for_everybody() -> None:
    athena = {**OUTSIDE, "aws:ViaAWSService": "true", "aws:CalledViaLast": "athena.amazonaws.com"}
    assert carried("dynamodb:Query", TABLE, context=athena)
    assert not carried("dynamodb:ExportTableToPointInTime", TABLE, context=athena)


@pytest.mark.parametrize("action", WIDENING)
def test_a_carrier_passes_the_boundary_on(action: str) -> None:
    assert carried(f"iam:{action}", of(action), context={"iam:PermissionsBoundary": OWN})
    for context in ({}, {"iam:PermissionsBoundary": NAMESAKE}, {"iam:PermissionsBoundary": BOUNDARY.arn(PARTNER)}):
        assert not carried(f"iam:{action}", of(action), context=context)


@pytest.mark.parametrize("action", ["DeleteRolePermissionsBoundary", "DeleteUserPermissionsBoundary"])
def test_nobody_but_a_administrator_takes_it_off(action: str) -> None:
    context = {"iam:PermissionsBoundary": OWN}
    assert not carried(f"iam:{action}", of(action), context=context)
    assert not forced(f"iam:{action}", of(action), context=context)
    assert forced(f"iam:{action}", of(action), context=context, caller=role("cdk-hnb659fds-cfn-exec-role-x", OWNER))


@pytest.mark.parametrize("action", EDITING)
def test_nobody_but_a_administrator_changes_the_policy(action: str) -> None:
    administrator = role("cdk-hnb659fds-cfn-exec-role-x", OWNER)
    assert not carried(f"iam:{action}", OWN)
    assert carried(f"iam:{action}", f"arn:aws:iam::{OWNER}:policy/another")
    assert not forced(f"iam:{action}", OWN)
    assert forced(f"iam:{action}", OWN, caller=administrator)
    assert forced(f"iam:{action}", f"arn:aws:iam::{OWNER}:policy/another")


@pytest.mark.parametrize("action", WIDENING)
def test_the_scp_forces_it(action: str) -> None:
    assert forced(f"iam:{action}", of(action), context={"iam:PermissionsBoundary": OWN})
    for context in ({}, {"iam:PermissionsBoundary": NAMESAKE}):
        assert not forced(f"iam:{action}", of(action), context=context)
    assert forced(f"iam:{action}", of(action), caller=role("cdk-hnb659fds-cfn-exec-role-x", OWNER))


def test_the_scp_leaves_the_rest_of_iam_alone() -> None:
    for action in ("PassRole", "GetRole", "DeleteRole", "UpdateAssumeRolePolicy"):
        assert forced(f"iam:{action}", of(action))


@pytest.mark.parametrize("actions", [["dynamodb"], ["*:*"], [""], []])
def test_malformed_actions_are_refused(actions: list[str]) -> None:
    with pytest.raises(InvalidInputError):
        BOUNDARY.policy(PERIMETER, account=OWNER, allowed_actions=actions)


@pytest.mark.parametrize(("name", "path"), [("a b", "/"), ("a*", "/"), ("a", "platform")])
def test_malformed_names_are_refused(name: str, path: str) -> None:
    with pytest.raises(InvalidInputError):
        Boundary(name=name, path=path)


def test_somebody_must_be_able_to_make_the_policy() -> None:
    with pytest.raises(InvalidInputError, match="administrators of the boundary"):
        BOUNDARY.service_control_statements([])
