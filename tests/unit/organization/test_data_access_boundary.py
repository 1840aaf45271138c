"""The boundary of the roles that teams make, decided from the synthesized template."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template

import tableguard as tg
from tableguard.evaluation import Policies, Request, evaluate
from tableguard.policy.deny_statements import denying
from tableguard.testing import assert_allowed, assert_denied
from tests.unit.network.support import EVERYTHING, HERE, INSIDE, OUTSIDE
from tests.unit.tables.support import NOON, ORDERS, OWNER, app, resolved, role, stack

PERIMETER = tg.Perimeter(networks=[HERE])
TEAM = role("team", OWNER)
MANAGEMENT: Final = "999988887777"
DEVELOPMENT: Final = "333344445555"
GUARDIAN = tg.RoleOfEveryAccount(name="cdk-hnb659fds-cfn-exec-role-*")


def team_role(data: cdk.Stack) -> iam.Role:
    made = iam.Role(data, "Team", role_name="team", assumed_by=iam.AccountRootPrincipal())
    made.add_to_policy(iam.PolicyStatement(actions=["dynamodb:*"], resources=["*"]))
    return made


def test_a_role_that_carries_it_stays_inside() -> None:
    data = stack()
    boundary = tg.DataAccessBoundary(data, "Boundary", perimeter=PERIMETER)
    team = team_role(data)
    iam.PermissionsBoundary.of(team).apply(boundary.policy)
    assert_allowed(data, principal=TEAM, action="dynamodb:GetItem", resource=ORDERS, context=INSIDE, table_policy="any")
    for place in OUTSIDE.values():
        assert_denied(data, principal=TEAM, action="dynamodb:GetItem", resource=ORDERS, context=place)


def test_a_role_that_does_not_carry_it_does_not() -> None:
    data = stack()
    tg.DataAccessBoundary(data, "Boundary", perimeter=PERIMETER)
    team_role(data)
    assert_allowed(
        data,
        principal=TEAM,
        action="dynamodb:GetItem",
        resource=ORDERS,
        context=OUTSIDE["no endpoint"],
        table_policy="any",
    )


def test_the_template_names_the_policy_in_a_stack_without_an_environment() -> None:
    data = cdk.Stack(app(), "Data")
    boundary = tg.DataAccessBoundary(data, "Boundary", perimeter=PERIMETER, path="/platform/")
    (policy,) = Template.from_stack(data).find_resources("AWS::IAM::ManagedPolicy").values()
    properties = policy["Properties"]
    assert (properties["Path"], properties["ManagedPolicyName"]) == ("/platform/", "data-access-boundary")
    (unchanged,) = [s for s in properties["PolicyDocument"]["Statement"] if s.get("Sid") == "BoundaryIsUnchanged"]
    assert unchanged["Resource"]["Fn::Join"][1][-1] == ":policy/platform/data-access-boundary"
    assert policy["Metadata"]["tableguard"]["perimeter"]["inside"][0]["label"] == HERE.label
    assert boundary.policy.managed_policy_name


EXECUTION = role(f"cdk-hnb659fds-cfn-exec-role-{OWNER}-us-east-1", OWNER)
BREAK_GLASS = tg.Role(account=OWNER, name="break-glass")
NEW, NEW_USER = role("new", OWNER), f"arn:aws:iam::{OWNER}:user/new"
CARRIED = f"arn:aws:iam::{OWNER}:policy/inside"


@cache
def forced(*, from_elsewhere: bool = False) -> tuple[dict[str, Any], ...]:
    """The SCPs of the synthesized template, of the same app or of one that knows the boundary by name alone."""
    one = app()
    boundary = tg.DataAccessBoundary(stack(one), "Boundary", perimeter=PERIMETER, policy_name="inside")
    org = stack(one, "Org", account=MANAGEMENT)
    tg.BreakGlassSCP(
        org,
        "Scp",
        targets=["r-ab12"],
        guardrails=[tg.ForceBoundary(policy_name="inside") if from_elsewhere else boundary.guardrail],
        administrators=[GUARDIAN, BREAK_GLASS],
        pass_role_principals=[tg.RoleOfEveryAccount(name="cdk-hnb659fds-deploy-role-*")],
        excluded_accounts={DEVELOPMENT: "development"},
    )
    found = Template.from_stack(org).find_resources("AWS::Organizations::Policy").values()
    return tuple(policy["Properties"]["Content"] for policy in found)


def may(action: str, resource: str = NEW, *, caller: str = TEAM, carried: str | None = None) -> bool:
    """Whether somebody whose own policy allows everything may, under the SCP."""
    request = Request(
        principal=caller,
        action=f"iam:{action}",
        resource=resource,
        context={} if carried is None else {"iam:PermissionsBoundary": carried},
        time=NOON,
    )
    decision = evaluate(request, Policies(identity=[EVERYTHING], service_control=[[EVERYTHING, *forced()]]))
    assert decision.understood, decision
    return decision.allowed


@pytest.mark.parametrize(
    "action",
    ["CreateRole", "PutRolePermissionsBoundary", "PutRolePolicy", "AttachRolePolicy", "DeleteRolePolicy",
     "CreateUser", "PutUserPermissionsBoundary", "PutUserPolicy", "AttachUserPolicy"],
)  # fmt: skip
def test_under_the_scp_roles_and_users_are_made_and_widened_with_the_boundary_alone(action: str) -> None:
    made = NEW_USER if "User" in action else NEW
    assert may(action, made, carried=CARRIED)
    assert not may(action, made)
    for other in (f"arn:aws:iam::{OWNER}:policy/other", f"arn:aws:iam::{OWNER}:policy/mine/inside", f"{CARRIED}-2"):
        assert not may(action, made, carried=other)


@pytest.mark.parametrize("action", ["DeleteRolePermissionsBoundary", "DeleteUserPermissionsBoundary"])
def test_under_the_scp_nobody_takes_the_boundary_off(action: str) -> None:
    assert not may(action, NEW_USER if "User" in action else NEW, carried=CARRIED)


def test_under_the_scp_nobody_edits_the_boundary_and_other_policies_are_nobodys_business() -> None:
    for action in ("CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicy", "CreatePolicy"):
        assert not may(action, CARRIED)
        assert may(action, f"arn:aws:iam::{OWNER}:policy/other")


@pytest.mark.parametrize("caller", [EXECUTION, BREAK_GLASS.arn("aws"), role("team", DEVELOPMENT)])
def test_administrators_and_accounts_that_are_excluded_are_not_forced(caller: str) -> None:
    account = caller.split(":")[4]
    new = role("new", account)
    assert may("CreateRole", new, caller=caller)
    assert may("DeleteRolePermissionsBoundary", new, caller=caller)
    assert may("CreatePolicyVersion", f"arn:aws:iam::{account}:policy/inside", caller=caller)


def test_a_role_without_the_boundary_is_still_used_and_deleted() -> None:
    assert may("DeleteRole")
    assert may("PassRole")
    assert may("UpdateAssumeRolePolicy")


def test_administrators_are_guarded_as_with_every_guardrail() -> None:
    assert not may("UpdateAssumeRolePolicy", EXECUTION, carried=CARRIED)
    assert may("UpdateAssumeRolePolicy", EXECUTION, caller=BREAK_GLASS.arn("aws"))


def test_the_name_is_enough_where_the_boundary_is_of_another_app() -> None:
    assert forced(from_elsewhere=True) == forced()
    defaults = tg.DataAccessBoundary(stack(), "Boundary", perimeter=PERIMETER, path="/platform/").guardrail
    assert defaults == tg.ForceBoundary(path="/platform/")
    assert defaults.details == {"boundary": ["/platform/data-access-boundary"]}


def test_the_statements_alone_are_those_of_the_guardrail() -> None:
    boundary = tg.DataAccessBoundary(stack(), "Boundary", perimeter=PERIMETER, policy_name="inside")
    (alone,) = [denying(boundary.service_control_statements([GUARDIAN]))]
    assert [statement["Sid"] for statement in alone["Statement"]] == [
        "ForceBoundary",
        "KeepBoundary",
        "GuardBoundaryPolicy",
    ]
    sids = [statement["Sid"] for document in forced() for statement in document["Statement"]]
    assert {statement["Sid"] for statement in alone["Statement"]} < set(sids)


REFUSED: dict[str, Callable[[cdk.Stack], object]] = {
    "the perimeter of Data/B": lambda data: tg.DataAccessBoundary(data, "B", perimeter=HERE),  # type: ignore[arg-type]
    "allowed_actions of Data/B": lambda data: tg.DataAccessBoundary(
        data, "B", perimeter=PERIMETER, allowed_actions="dynamodb:*"
    ),
    "limits of Data/B": lambda data: tg.DataAccessBoundary(data, "B", perimeter=PERIMETER, limits=6144),  # type: ignore[arg-type]
    "the name of a Boundary": lambda data: tg.DataAccessBoundary(data, "B", perimeter=PERIMETER, policy_name="a b"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(what: str) -> None:
    with pytest.raises(tg.InvalidInputError) as caught:
        REFUSED[what](stack())
    assert caught.value.what == what


def test_a_policy_over_its_limit_is_refused() -> None:
    everywhere = [tg.FromVpc("vpc-0abc1234", region=region) for region in ("eu-west-1", "eu-west-2", "eu-west-3")]
    more = [*everywhere, *(tg.FromVpc("vpc-0abc1234", region=f"ap-south-{n}") for n in range(1, 6)), HERE]
    with pytest.raises(tg.PolicyTooLargeError, match="managed policy of Data/Boundary"):
        tg.DataAccessBoundary(stack(), "Boundary", perimeter=tg.Perimeter(networks=more))


def test_there_is_room_for_what_aws_adds_later_beside_two_regions() -> None:
    elsewhere, endpoint = tg.FromVpc("vpc-0abc1234", region="eu-west-1"), tg.FromVpcEndpoint("vpce-1a2b3c4d")
    data = stack()
    tg.DataAccessBoundary(data, "Boundary", perimeter=tg.Perimeter(networks=[HERE, elsewhere, endpoint]))
    (policy,) = Template.from_stack(data).find_resources("AWS::IAM::ManagedPolicy").values()
    boundary = resolved(policy["Properties"]["PolicyDocument"])
    for place, passes in ((INSIDE, True), *((place, False) for place in OUTSIDE.values())):
        request = Request(principal=TEAM, action="dynamodb:TeleportItems", resource=ORDERS, context=place, time=NOON)
        assert evaluate(request, Policies(identity=[EVERYTHING], boundary=[boundary])).allowed is passes


def test_where_there_is_no_room_the_error_says_how_to_leave_it_out() -> None:
    three = [HERE, *(tg.FromVpc("vpc-0abc1234", region=region) for region in ("eu-west-1", "eu-west-2"))]
    perimeter = tg.Perimeter(networks=three)
    with pytest.raises(tg.PolicyTooLargeError, match="unclassified_open=why"):
        tg.DataAccessBoundary(stack(), "Boundary", perimeter=perimeter)
    tg.DataAccessBoundary(stack(), "Boundary", perimeter=replace(perimeter, unclassified_open="no room"))
