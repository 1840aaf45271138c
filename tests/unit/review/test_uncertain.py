"""What may not be there, and whose other policies are not known: neither grants nor protects for certain."""

from __future__ import annotations

from typing import Any

import pytest

from tableguard.review.assembly import SynthesizedStack
from tableguard.review.kinds import KINDS
from tableguard.review.matrix import cell
from tableguard.review.report import Review
from tests.unit.review.support import (
    LOCAL,
    READER,
    allow,
    consumer,
    deny,
    document,
    only_row,
    reviewed,
    role,
    stack,
    table,
    to,
)

PARAMETER = {"Parameters": {"Stage": {"Type": "String"}}}
UNKNOWN = {**PARAMETER, "Conditions": {"Maybe": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}}}
CERTAIN = {**PARAMETER, "Conditions": {"Maybe": {"Fn::Equals": ["prod", "prod"]}}}


def cells(found: Review) -> dict[str, str]:
    row = only_row(found)
    return {kind: cell(row, found.tables[0].table, kind) for kind in KINDS}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Condition": "Maybe", "Properties": properties}


def group(*statements: dict[str, Any], sure: bool) -> SynthesizedStack:
    """A user of the table's account, whom an addition under a condition puts into a group."""
    made = {
        "Type": "AWS::IAM::Group",
        "Properties": {
            "GroupName": "staff",
            "Policies": [{"PolicyName": "p", "PolicyDocument": document(*statements)}],
        },
    }
    user = {
        "Type": "AWS::IAM::User",
        "Properties": {
            "UserName": "jo",
            "Policies": [{"PolicyName": "own", "PolicyDocument": document(allow("dynamodb:GetItem"))}],
        },
    }
    addition = resource("AWS::IAM::UserToGroupAddition", GroupName="staff", Users=["jo"])
    return stack(T=table(), G=made, U=user, A=addition, template=CERTAIN if sure else UNKNOWN)


@pytest.mark.parametrize("sure", [True, False])
def test_being_in_a_group_perhaps_grants_nothing_for_certain(sure: bool) -> None:
    found = reviewed(group(allow("dynamodb:PutItem"), sure=sure))

    assert cells(found)["read"] == "some"
    assert cells(found)["write"] == ("some" if sure else "?")


@pytest.mark.parametrize("sure", [True, False])
def test_being_in_a_group_perhaps_takes_nothing_for_certain(sure: bool) -> None:
    found = reviewed(group(deny("dynamodb:GetItem"), sure=sure))

    rows = found.tables[0].rows
    assert [cell(row, found.tables[0].table, "read") for row in rows] == ([] if sure else ["?"])


@pytest.mark.parametrize("own_policy", [True, False])
@pytest.mark.parametrize("sure", [True, False])
def test_an_endpoint_that_may_not_be_there_lets_nobody_through_for_certain(own_policy: bool, sure: bool) -> None:
    policy = {"PolicyDocument": document(allow("*", "*", Principal="*"))} if own_policy else {}
    endpoint = resource(
        "AWS::EC2::VPCEndpoint", ServiceName="com.amazonaws.eu-west-1.dynamodb", VpcId="vpc-1", **policy
    )
    inside = {"StringEquals": {"aws:SourceVpce": {"Ref": "E"}}}
    local = role(allow(Condition=inside), name="local")

    found = reviewed(stack(T=table(), E=endpoint, R=local, template=CERTAIN if sure else UNKNOWN))

    assert cells(found)["read"] == ("some*" if sure else "?")


@pytest.mark.parametrize("made_here", [True, False])
@pytest.mark.parametrize("inside", [True, False])
def test_what_a_role_made_elsewhere_may_have_besides_is_not_known(inside: bool, made_here: bool) -> None:
    name = "local" if inside else "reader"
    attached = {
        "Type": "AWS::IAM::RolePolicy",
        "Properties": {"RoleName": name, "PolicyName": "p", "PolicyDocument": document(allow())},
    }
    made = role(allow(), name=name) if made_here else attached
    grant = to(LOCAL if inside else READER, ["dynamodb:GetItem", "dynamodb:PutItem"])

    found = reviewed(*([stack(T=table(), R=made)] if inside else [stack(T=table(grant)), consumer(R=made)]))

    # Across accounts the table's policy, which is known, sets the limit.
    perhaps = {"write", "settings", "policy", "delete"} if inside else {"write"}
    assert cells(found)["read"] == ("some" if made_here else "some?")
    others = {kind: "?" if kind in perhaps and not made_here else "-" for kind in KINDS if kind != "read"}
    assert cells(found) == {"read": cells(found)["read"], **others}


@pytest.mark.parametrize("denied", [True, False])
def test_a_deny_of_the_table_is_known_whatever_else_a_role_may_have(denied: bool) -> None:
    managed = role(allow(), name="local", ManagedPolicyArns=["arn:aws:iam::aws:policy/PowerUserAccess"])
    restriction = [deny(["dynamodb:Delete*", "dynamodb:Disassociate*"], Principal="*")] if denied else []

    found = reviewed(stack(T=table(to(LOCAL), *restriction), R=managed))

    assert cells(found)["write"] == "?"
    assert cells(found)["delete"] == ("-" if denied else "?")
