"""An Allow that no made-up request meets is not taken for one that nobody can use."""

from dataclasses import replace
from typing import Any

import pytest

from tableguard.policy import Access
from tableguard.review.rules import NobodyCan, OnlyAccounts
from tableguard.review.rules.people import everybody
from tests.unit.review.rules.support import (
    OWNER,
    READER,
    TABLE,
    VENDOR,
    Statement,
    allow,
    deny,
    document,
    picture,
    tried,
)

NONE_BUT_OURS = OnlyAccounts(accounts=[])
ONLY_READER = OnlyAccounts(accounts=[READER])


def where(operator: str, key: str, *values: str) -> dict[str, Any]:
    return {"Condition": {operator: {key: list(values)}}}


@pytest.mark.parametrize(
    "statement",
    [
        allow(f"arn:aws:sts::{VENDOR}:assumed-role/Foo/bar"),
        allow(f"arn:aws:sts::{VENDOR}:federated-user/bob"),
        allow("*", **where("StringLike", "aws:PrincipalArn", "*:role/app-*")),
        allow("*", **where("ArnLike", "aws:PrincipalArn", "arn:aws:iam::4242*:role/x")),
        allow("*", **where("StringLike", "aws:PrincipalAccount", "42*")),
        allow("*", **where("StringLike", "aws:PrincipalOrgID", "o-ab*")),
        allow("*", **where("StringEquals", "aws:username", "bob")),
    ],
)
def test_whoever_a_policy_means_is_asked(statement: Statement) -> None:
    failures = tried(NONE_BUT_OURS, picture(statement)).failures

    assert [failure for failure in failures if failure.verdict is not None and failure.verdict.allowed]


@pytest.mark.parametrize(
    "statement",
    [
        allow("AROAEXAMPLEID12345678"),
        allow({"Federated": f"arn:aws:iam::{VENDOR}:saml-provider/x"}),
        allow({"Service": "evil.example.com"}),
        allow({"AWS": [READER, "AROAEXAMPLEID12345678"]}),
        allow("*", **where("StringLike", "aws:userid", "AROAEXAMPLEID12345678:*")),
        allow("*", **where("StringEquals", "aws:PrincipalType", "FederatedUser")),
        allow("*", **where("StringLike", "aws:PrincipalArn", f"arn:aws:iam::{READER}:role/x", "nobody-knows")),
        allow(
            READER,
            Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}, "StringNotEquals": {"aws:SourceVpc": "vpc-2"}},
        ),
    ],
)
def test_whoever_could_not_be_asked_fails_the_rule(statement: Statement) -> None:
    failures = tried(ONLY_READER, picture(statement)).failures

    assert [failure for failure in failures if failure.what.startswith("Not tried: statement 'Granted' allows")]


def test_what_is_refused_to_everybody_need_not_be_asked() -> None:
    nobody = allow("AROAEXAMPLEID12345678")

    assert not tried(ONLY_READER, picture(nobody)).holds
    assert tried(ONLY_READER, picture(nobody, deny("dynamodb:*"))).holds


def test_an_allow_of_something_else_does_no_harm() -> None:
    nobody = allow("AROAEXAMPLEID12345678", "dynamodb:BatchWriteItem")

    assert tried(ONLY_READER, picture(nobody)).holds
    assert not tried(NobodyCan(access=Access.on_table("BatchWriteItem")), picture(nobody)).holds


@pytest.mark.parametrize(
    "statement",
    [
        allow(READER),
        allow(f"arn:aws:iam::{OWNER}:role/app"),
        allow(READER, Condition={"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}),
        allow(READER, **where("StringEquals", "aws:PrincipalOrgID", "o-abcdefghij")),
        allow(READER, **where("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-abcdefghij/r-ab12/ou-ab12-1/*")),
        allow(
            {"AWS": [READER, OWNER]},
            **where("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{READER}:role/a", f"arn:aws:iam::{OWNER}:role/b"),
        ),
    ],
)
def test_whoever_is_excepted_counts_as_asked(statement: Statement) -> None:
    assert tried(ONLY_READER, picture(statement)).holds


def test_no_outsider_is_left_out_however_many_organizations_are_named() -> None:
    organizations = [f"o-abcdefgh{number:02}" for number in range(30)]
    statement = allow("*", **where("StringEquals", "aws:PrincipalOrgID", *organizations))

    asked = {caller.facts.get("aws:PrincipalOrgID") for caller in everybody(picture(statement))}

    assert set(organizations) <= asked


def test_a_stream_that_is_named_by_its_moment_could_not_be_asked_for() -> None:
    at = f"{TABLE}/stream/2026-01-01T00:00:00.000"
    on = picture()
    read = allow(VENDOR, "dynamodb:GetRecords", Resource=at)
    named = replace(on, tables=(replace(on.tables[0], stream_policy=document(read)),))

    (failure,) = tried(NONE_BUT_OURS, named).failures

    assert failure.what.startswith("Not tried")


def test_an_index_that_the_table_does_not_have_could_not_be_asked_for() -> None:
    def query(index: str) -> Statement:
        return allow(READER, "dynamodb:Query", Resource=f"{TABLE}/index/{index}")

    assert tried(ONLY_READER, picture(query("by-date"))).holds
    assert not tried(ONLY_READER, picture(query("by-another"))).holds


@pytest.mark.parametrize(
    "condition",
    [
        where("StringEquals", "aws:PrincipalOrgID", "o-abcdefghij"),
        where("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-abcdefghij/r-ab12/ou-ab12-1/*"),
    ],
)
def test_a_named_account_may_be_in_the_organization_that_is_named_with_it(condition: dict[str, Any]) -> None:
    on = picture(allow(f"arn:aws:iam::{VENDOR}:role/sync", **condition))

    assert tried(OnlyAccounts(accounts=[VENDOR]), on).holds
    assert not tried(NONE_BUT_OURS, on).holds
