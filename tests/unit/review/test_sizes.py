"""Policies beside their limits: inline policies count together, and white space not at all."""

from __future__ import annotations

from typing import Any

import pytest

from tableguard.policy import minified
from tableguard.review.sizes import sized
from tests.unit.review.support import (
    CONSUMER,
    READER,
    Json,
    allow,
    document,
    findings,
    reviewed,
    role,
    stack,
    table,
    to,
    warnings,
)


def policy(size: int, **more: Any) -> Json:
    """An identity policy of so many characters."""
    made = document({**allow(), "Sid": "", **more})
    made["Statement"][0]["Sid"] = "x" * (size - len(minified(made)))
    assert len(minified(made)) == size
    return made


def inline(*sizes: int) -> list[Json]:
    return [{"PolicyName": f"p{number}", "PolicyDocument": policy(size)} for number, size in enumerate(sizes)]


def owner(kind: str, *sizes: int) -> Json:
    return {"Type": f"AWS::IAM::{kind}", "Properties": {f"{kind}Name": "own", "Policies": inline(*sizes)}}


def attached(size: int, **properties: Any) -> Json:
    return {"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "p", "PolicyDocument": policy(size), **properties}}


@pytest.mark.parametrize(
    ("resource", "close", "over"),
    [
        (owner("Role", 4_000, 4_191), False, False),
        (owner("Role", 4_000, 4_192), True, False),
        (owner("Role", 5_000, 5_240), True, False),
        (owner("Role", 5_000, 5_241), False, True),
        (owner("User", 1_000, 1_048), True, False),
        (owner("User", 1_000, 1_049), False, True),
        (owner("Group", 2_500, 2_620), True, False),
        (owner("Group", 2_500, 2_621), False, True),
        ({"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": policy(6_144)}}, True, False),
        ({"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": policy(6_145)}}, False, True),
        (table(to(READER, Sid="x" * 20_500), TableName="other"), False, True),
    ],
)
def test_a_limit_that_is_near_is_a_warning_and_one_that_is_passed_a_finding(
    resource: Json, close: bool, over: bool
) -> None:
    found = reviewed(stack(T=table(), R=resource))

    assert ("close to a limit" in warnings(found)) is close
    assert ("too large" in findings(found)) is over


def test_inline_policies_of_a_role_count_together_wherever_they_are_attached() -> None:
    made = {**owner("Role", 3_000)}
    by_reference = attached(3_000, Roles=[{"Ref": "R"}])
    by_name = {
        "Type": "AWS::IAM::RolePolicy",
        "Properties": {"RoleName": "own", "PolicyName": "n", "PolicyDocument": policy(5_000)},
    }

    found = reviewed(stack("One", CONSUMER, R=made, P=by_reference), stack("Two", CONSUMER, N=by_name))

    said = "the 3 inline policies of role own of 222233334444: 11,000 of 10,240 characters (107 %)"
    assert [each.message.partition(", which")[0] for each in found.findings] == [said]
    assert not [each for each in sized([stack("Other", "111122223333", N=by_name)]) if each.share > 1]


def test_a_policy_counts_for_each_of_its_owners() -> None:
    both = attached(2_100, Roles=["one", "two"], Users=["jo"])

    found = {each.what.rpartition(" of ")[0]: each.size > each.limit.size for each in sized([stack(P=both)])}

    assert found == {
        "the inline policy of role one": False,
        "the inline policy of role two": False,
        "the inline policy of user jo": True,
    }


def test_white_space_does_not_count_for_iam() -> None:
    condition = {"StringEquals": {"aws:PrincipalTag/team": " ".join("abc")}}
    padded = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": policy(6_146, Condition=condition)}}

    (found,) = sized([stack(M=padded)])

    assert found.size == 6_144


def test_one_whose_owner_the_deployment_knows_is_measured_alone() -> None:
    unknown = attached(9_000, Roles=[{"Fn::ImportValue": "role"}])

    found = list(sized([stack(A=unknown, B=unknown)]))

    assert [(each.what, each.size) for each in found] == [
        ("the inline policy of Data/A", 9_000),
        ("the inline policy of Data/B", 9_000),
    ]


def test_a_role_is_where_its_sum_stands() -> None:
    (found,) = sized([stack(P=attached(500, Roles=[{"Ref": "R"}]), R=role(allow()))])

    assert found.place.logical_id == "R"
