"""Deny statements: written as IAM reads them, joined and packed without changing a decision."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tableguard.evaluation import Policies, Request, evaluate
from tableguard.policy import Clause, PolicyTooLargeError, measured
from tableguard.policy.deny_statements import DenyStatement, denying, joined, packed
from tableguard.policy.limits import DEFAULT_LIMITS, Limit
from tests.unit.policy.support import OWNER, Refusal, assert_refused

ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
SMALL = replace(DEFAULT_LIMITS.service_control, size=420)
ACTIONS = ("dynamodb:GetItem", "dynamodb:PutItem", "iam:CreateRole", "ec2:RunInstances")
RESOURCES = tuple(f"arn:aws:dynamodb:us-east-1:{OWNER}:table/{name}" for name in ("orders", "other"))
REGIONS = ("us-east-1", "eu-west-1")
CLAUSES = (
    Clause("StringEquals", "aws:RequestedRegion", ("us-east-1",)),
    Clause("StringNotEquals", "aws:RequestedRegion", ("us-east-1",)),
    Clause("Bool", "aws:SecureTransport", ("false",)),
)


SOME = st.tuples(
    st.sets(st.sampled_from(ACTIONS), min_size=1).map(tuple),
    st.booleans(),
    st.sets(st.sampled_from((*RESOURCES, "*")), min_size=1).map(tuple),
    st.sets(st.sampled_from(CLAUSES), max_size=2).map(tuple),
)
DENIALS = st.lists(SOME, min_size=1, max_size=6).map(
    lambda drawn: [
        DenyStatement(
            sid=f"D{number}",
            actions=() if inverted else actions,
            but_actions=actions if inverted else (),
            resources=resources,
            clauses=clauses,
        )
        for number, (actions, inverted, resources, clauses) in enumerate(drawn)
    ]
)
REQUESTS = [
    Request(
        principal=f"arn:aws:iam::{OWNER}:role/app",
        action=action,
        resource=resource,
        context={"aws:RequestedRegion": region, "aws:SecureTransport": secure},
    )
    for action in ACTIONS
    for resource in RESOURCES
    for region in REGIONS
    for secure in ("true", "false")
]


def decisions(*documents: dict[str, Any]) -> list[object]:
    policies = Policies(identity=[ALLOW], service_control=[[ALLOW, *documents]])
    return [evaluate(request, policies).outcome for request in REQUESTS]


@given(DENIALS)
def test_joining_keeps_every_decision(made: list[DenyStatement]) -> None:
    fewer = joined(made)
    assert len(fewer) <= len(made)
    assert joined(fewer) == fewer
    assert decisions(denying(fewer)) == decisions(denying(made))


@given(DENIALS)
def test_packing_keeps_every_decision_and_every_limit(made: list[DenyStatement]) -> None:
    documents = packed(made, SMALL, owner="the test")
    assert all(measured(document, SMALL).size <= SMALL.size for document in documents)
    assert decisions(*documents) == decisions(denying(made))
    assert sorted(s["Sid"] for d in documents for s in d["Statement"]) == sorted(d.sid for d in made)
    assert packed(list(made), SMALL, owner="the test") == documents


def test_joining_joins_actions_and_then_resources() -> None:
    one = DenyStatement(sid="A", actions=("dynamodb:GetItem",), resources=RESOURCES[:1], clauses=CLAUSES[:2])
    fewer = joined(
        [
            one,
            replace(one, sid="B", actions=("dynamodb:PutItem",), clauses=CLAUSES[1::-1]),
            replace(one, sid="C", actions=("dynamodb:PutItem", "dynamodb:GetItem"), resources=RESOURCES[1:]),
            replace(one, sid="D", clauses=()),
        ]
    )
    assert [(d.sid, set(d.actions), set(d.resources)) for d in fewer] == [
        ("A", {"dynamodb:GetItem", "dynamodb:PutItem"}, set(RESOURCES)),
        ("D", {"dynamodb:GetItem"}, set(RESOURCES[:1])),
    ]


def test_exceptions_are_never_joined() -> None:
    one = DenyStatement(sid="A", but_actions=("iam:*",))
    other = DenyStatement(sid="B", but_actions=("sts:*",))
    assert joined([one, other]) == (one, other)


def test_a_denial_is_written_minified() -> None:
    denial = DenyStatement(
        sid="A", actions=("a:B", "a:A", "a:B"), clauses=(Clause("Null", "aws:SourceVpc", ("true",)),)
    )
    assert denial.to_json(principal="*") == {
        "Sid": "A",
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["a:A", "a:B"],
        "Resource": "*",
        "Condition": {"Null": {"aws:SourceVpc": "true"}},
    }
    assert DenyStatement(sid="A", but_actions=("a:B",)).to_json() == {
        "Sid": "A",
        "Effect": "Deny",
        "NotAction": "a:B",
        "Resource": "*",
    }


def test_packing_uses_as_few_documents_as_fit() -> None:
    many = [DenyStatement(sid=f"D{n}", actions=(f"ec2:{'x' * 40}{n}",)) for n in range(9)]
    whole = measured(denying(many), SMALL).size
    assert len(packed(many, replace(SMALL, size=whole), owner="the test")) == 1
    assert len(packed(many, replace(SMALL, size=whole - 1), owner="the test")) == 2


REFUSALS = {
    "no actions": Refusal(
        lambda: DenyStatement(sid="A"), "the actions of the denial A", {"actions": (), "but_actions": ()}, "exactly one"
    ),
    "two lists of actions": Refusal(
        lambda: DenyStatement(sid="A", actions=("a:B",), but_actions=("a:C",)),
        "the actions of the denial A",
        {"actions": ("a:B",), "but_actions": ("a:C",)},
        "exactly one",
    ),
    "no statement": Refusal(lambda: denying([]), "the statements of a policy document", (), "at least one"),
    "a name twice": Refusal(
        lambda: packed(
            [DenyStatement(sid="A", actions=("a:B",)), DenyStatement(sid="A", actions=("a:C",))], SMALL, owner="X"
        ),
        "the statements of X",
        ["A"],
        "different names",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_meant_is_refused(case: str) -> None:
    assert_refused(REFUSALS[case])


def test_a_statement_that_fits_nowhere_says_what_to_cut() -> None:
    with pytest.raises(PolicyTooLargeError) as caught:
        packed(
            [DenyStatement(sid="Big", actions=tuple(f"ec2:Action{n}" for n in range(99)))],
            SMALL,
            owner="the SCP of dev",
        )
    assert "the SCP of dev (statement Big)" in str(caught.value)
    assert "RoleOfEveryAccount" in str(caught.value)


def test_more_documents_than_allowed_are_refused() -> None:
    limit = Limit("SCP", 150, "characters", "a source")
    many = [DenyStatement(sid=f"D{n}", actions=(f"ec2:{'x' * 40}",), resources=(str(n),)) for n in range(3)]
    assert len(packed(many, limit, owner="the SCP of dev", at_most=3)) == 3
    with pytest.raises(PolicyTooLargeError, match=r"the SCP of dev takes 3 policies. Allowed: 2"):
        packed(many, limit, owner="the SCP of dev", at_most=2)
