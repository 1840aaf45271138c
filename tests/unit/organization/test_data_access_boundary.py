"""The boundary of the roles that teams make, decided from the synthesized template."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template

import tableguard as tg
from tableguard.policy.denials import denying
from tableguard.policy.evaluation import Policies, Request, evaluate
from tableguard.testing import assert_allowed, assert_denied
from tests.unit.network.support import EVERYTHING, HERE, INSIDE, OUTSIDE
from tests.unit.tables.support import NOON, ORDERS, OWNER, app, role, stack

PERIMETER = tg.Perimeter(networks=[HERE])
TEAM = role("team", OWNER)
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
    assert policy["Metadata"]["tableguard"]["perimeter"]["inside"] == [HERE.label]
    assert boundary.policy.managed_policy_name


def test_the_scp_forces_the_policy_of_that_name() -> None:
    boundary = tg.DataAccessBoundary(stack(), "Boundary", perimeter=PERIMETER, policy_name="inside")
    scp = denying(boundary.service_control_statements([GUARDIAN]))

    def may_create(carried: str) -> bool:
        request = Request(
            principal=role("team", OWNER),
            action="iam:CreateRole",
            resource=role("new", OWNER),
            context={"iam:PermissionsBoundary": carried},
            time=NOON,
        )
        return evaluate(request, Policies(identity=[EVERYTHING], service_control=[[EVERYTHING, scp]])).allowed

    assert may_create(f"arn:aws:iam::{OWNER}:policy/inside")
    assert not may_create(f"arn:aws:iam::{OWNER}:policy/other")


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
