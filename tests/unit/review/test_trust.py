"""Who may become a role that has access, and which of that deserves a look."""

from __future__ import annotations

from typing import Any

import pytest

from tableguard.review.as_json import as_json
from tableguard.review.as_markdown import as_markdown
from tableguard.review.as_text import as_text
from tableguard.review.report import Review
from tests.unit.review.support import (
    CONSUMER,
    OWNER,
    READER,
    VENDOR,
    allow,
    document,
    only_row,
    reviewed,
    role,
    stack,
    table,
    to,
)

LABEL = f"role reader of {CONSUMER}"
LAMBDA = {"Service": "lambda.amazonaws.com"}
ROOT = {"AWS": f"arn:aws:iam::{CONSUMER}:root"}
OTHER = {"AWS": f"arn:aws:iam::{OWNER}:root"}
OUTSIDE = {"AWS": f"arn:aws:iam::{VENDOR}:role/sync"}
PROVIDER = "oidc-provider/idp.example.com"
OIDC = {"Federated": f"arn:aws:iam::{CONSUMER}:{PROVIDER}"}
SAML = {"Federated": f"arn:aws:iam::{CONSUMER}:saml-provider/staff"}
ORG: Any = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}


def trust(principal: Any, effect: str = "Allow", action: Any = "sts:AssumeRole", **condition: Any) -> dict[str, Any]:
    made = {"Effect": effect, "Action": action, "Principal": principal}
    return {**made, "Condition": condition} if condition else made


def trusting(*statements: dict[str, Any], **more: Any) -> Review:
    """A review of a table that a role may read whom the statements let somebody become."""
    reader = role(allow(), AssumeRolePolicyDocument=document(*statements), **more)
    return reviewed(stack(T=table(to(READER))), stack("Consumer", CONSUMER, R=reader))


def whom(found: Review) -> list[str]:
    return [each.words for each in only_row(found).trusted or ()]


def looks(found: Review) -> list[str]:
    return [warning.message for warning in found.warnings if warning.kind.value == "trust"]


@pytest.mark.parametrize(
    ("statements", "words", "look"),
    [
        ([trust(LAMBDA)], ["lambda.amazonaws.com"], None),
        (
            [trust(LAMBDA, StringEquals={"aws:SourceAccount": CONSUMER})],
            [f"lambda.amazonaws.com (only for account {CONSUMER})"],
            None,
        ),
        ([trust({"AWS": f"arn:aws:iam::{OWNER}:role/ops/admin"})], [f"role ops/admin of {OWNER}"], None),
        ([trust({"AWS": f"arn:aws:iam::{CONSUMER}:user/jo"})], [f"user jo of {CONSUMER}"], None),
        (
            [trust({"AWS": f"arn:aws:sts::{CONSUMER}:assumed-role/ops/jo"})],
            [f"session jo of role ops of {CONSUMER}"],
            None,
        ),
        ([trust(ROOT)], [f"account {CONSUMER}"], None),
        ([trust(OTHER)], [f"account {OWNER}"], "its administrators choose who may become it"),
        ([trust({"AWS": OWNER})], [f"account {OWNER}"], "its administrators choose who may become it"),
        (
            [trust(OTHER, ArnLike={"aws:PrincipalArn": f"arn:aws:iam::{OWNER}:role/ops-*"})],
            [f"account {OWNER} (only for arn:aws:iam::{OWNER}:role/ops-*)"],
            None,
        ),
        ([trust(OUTSIDE)], [f"role sync of {VENDOR}"], "that account is none of the assembly's"),
        (
            [trust({"AWS": VENDOR}, StringEquals={"sts:ExternalId": "7"})],
            [f"account {VENDOR} (sts:ExternalId is 7)"],
            "that account is none of the assembly's",
        ),
        ([trust("*")], ["everybody"], "anybody in any account may become it"),
        ([trust({"AWS": "*"})], ["everybody"], "anybody in any account may become it"),
        ([trust("*", **ORG)], ["everybody (only in o-a1b2c3d4e5)"], None),
        (
            [trust("*", StringEqualsIfExists=ORG["StringEquals"])],
            ["everybody (only in o-a1b2c3d4e5)"],
            "anybody in any account may become it",
        ),
        (
            [trust("*", StringEquals={"aws:PrincipalTag/team": "a"})],
            ["everybody (callers tagged team = a)"],
            "anybody in any account may become it",
        ),
        (
            [trust("*", StringEquals={"aws:PrincipalAccount": [OWNER, VENDOR]})],
            [f"everybody (only for {OWNER}, {VENDOR})"],
            "not all of those accounts are the assembly's",
        ),
        ([trust("*", StringEquals={"aws:PrincipalAccount": OWNER})], [f"everybody (only for {OWNER})"], None),
        (
            [trust("*", ArnLike={"aws:PrincipalArn": "arn:aws:iam::*:role/ops"})],
            ["everybody (only for arn:aws:iam::*:role/ops)"],
            "anybody in any account may become it",
        ),
        ([trust(SAML, action="sts:AssumeRoleWithSAML")], ["identity provider staff"], None),
        (
            [trust(OIDC, action="sts:AssumeRoleWithWebIdentity")],
            ["identity provider idp.example.com"],
            "whomever the provider knows may become it",
        ),
        (
            [trust(OIDC, action="sts:AssumeRoleWithWebIdentity", StringLike={"idp.example.com:sub": "repo:a/b:*"})],
            ["identity provider idp.example.com (idp.example.com:sub is like repo:a/b:*)"],
            None,
        ),
        (
            [trust(OIDC, action="sts:AssumeRoleWithWebIdentity", StringLike={"idp.example.com:sub": "*"})],
            ["identity provider idp.example.com (idp.example.com:sub is like *)"],
            "whomever the provider knows may become it",
        ),
        ([trust({"AWS": "AROAEXAMPLEEXAMPLE123"})], ["AROAEXAMPLEEXAMPLE123"], "its account cannot be told"),
        # What does not let anybody become it.
        ([trust(LAMBDA), trust(OUTSIDE, action="sts:TagSession")], ["lambda.amazonaws.com"], None),
        ([trust(OUTSIDE), trust("*", "Deny")], [], None),
        ([trust(OUTSIDE), trust(OUTSIDE, "Deny"), trust(ROOT)], [f"account {CONSUMER}"], None),
        (
            [trust(ROOT), trust("*", "Deny", StringNotEquals={"aws:SourceVpce": "vpce-1"})],
            [f"account {CONSUMER} (only through vpce-1)"],
            None,
        ),
        (
            [trust(ROOT, DateLessThan={"aws:CurrentTime": "2027-02-01T00:00:00Z"})],
            [f"account {CONSUMER} (until 2027-01-31)"],
            None,
        ),
    ],
)
def test_it_says_who_may_become_a_role(statements: list[dict[str, Any]], words: list[str], look: str | None) -> None:
    found = trusting(*statements)

    assert whom(found) == words
    said = f"{LABEL}, which has access to orders, trusts {words[0]}: {look}" if look else None
    assert looks(found) == ([said] if said else [])


@pytest.mark.parametrize("made_here", [True, False])
def test_nobody_knows_who_may_become_a_role_that_is_made_elsewhere(made_here: bool) -> None:
    attached = {
        "Type": "AWS::IAM::RolePolicy",
        "Properties": {"RoleName": "reader", "PolicyName": "p", "PolicyDocument": document(allow())},
    }
    reader = role(allow(), AssumeRolePolicyDocument=document(trust(LAMBDA))) if made_here else attached

    found = reviewed(stack(T=table(to(READER))), stack("Consumer", CONSUMER, R=reader))

    assert (only_row(found).trusted is not None) is made_here
    assert ("trusts   lambda.amazonaws.com" in as_text(found)) is made_here


@pytest.mark.parametrize("known", [True, False])
def test_a_trust_policy_that_only_the_deployment_knows_is_not_known(known: bool) -> None:
    principal = "lambda.amazonaws.com" if known else {"Fn::ImportValue": "some-service"}

    found = trusting(trust({"Service": principal}))

    assert (only_row(found).trusted is not None) is known
    assert ("trusts   not known" in as_text(found)) is not known


def test_a_role_that_nobody_may_become_says_so() -> None:
    assert "trusts   nobody" in as_text(trusting(trust(OUTSIDE, "Deny")))


def test_one_warning_for_a_role_is_enough_for_all_its_tables() -> None:
    reader = role(allow(resource="arn:aws:dynamodb:*:*:table/*"), AssumeRolePolicyDocument=document(trust("*")))
    grant = to(READER, Resource="*")

    found = reviewed(
        stack(A=table(grant, TableName="orders"), B=table(grant, TableName="items")),
        stack("Consumer", CONSUMER, R=reader),
    )

    assert len(found.tables) == 2
    assert [message.split(", ")[1] for message in looks(found)] == ["which has access to orders and 1 more"]


def test_all_formats_show_it() -> None:
    found = trusting(trust(LAMBDA), trust("*", **ORG))

    assert "   trusts   lambda.amazonaws.com\n   trusts   everybody (only in o-a1b2c3d4e5)\n" in as_text(found)
    assert "trusts: lambda.amazonaws.com<br>trusts: everybody (only in o-a1b2c3d4e5)" in as_markdown(found)
    assert as_json(found)["tables"][0]["principals"][0]["trusted"] == [
        {
            "principal": "lambda.amazonaws.com",
            "label": "lambda.amazonaws.com",
            "kind": "service",
            "account": None,
            "conditions": [],
        },
        {
            "principal": "*",
            "label": "everybody",
            "kind": "everybody",
            "account": None,
            "conditions": ["only in o-a1b2c3d4e5"],
        },
    ]
