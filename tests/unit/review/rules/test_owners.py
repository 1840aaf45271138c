"""Conditions on the organization of the table's account, which follows from what policies say of organizations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tableguard.policy import Access, Role
from tableguard.review.picture import Key
from tableguard.review.rules import KeepsAccess, NobodyCan, OnlyAccounts
from tests.unit.review.rules.support import OWNER, READER, allow, deny, document, own, picture, role, tried

READING = Access.on_table("GetItem")
ONLY_READER = OnlyAccounts(accounts=[READER], access=READING)
NOBODY = NobodyCan(access=READING)
KEPT = KeepsAccess(principals=[Role(account=READER, name="reader")], access=READING)
ORG = "o-a1b2c3d4e5"
PATH = f"{ORG}/r-ab12/ou-ab12-11111111/"

SAME: list[dict[str, Any]] = [
    {"StringEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}},
    {"StringEquals": {"aws:ResourceOrgID": ORG, "aws:PrincipalOrgID": ORG}},
    {"ForAnyValue:StringLike": {"aws:ResourceOrgPaths": f"{ORG}/*"}, "StringEquals": {"aws:PrincipalOrgID": ORG}},
]


@pytest.mark.parametrize("condition", SAME)
def test_a_grant_within_the_organization_is_tried(condition: dict[str, Any]) -> None:
    assert tried(ONLY_READER, picture(allow(READER, Condition=condition))).holds
    assert not tried(OnlyAccounts(accounts=[], access=READING), picture(allow(READER, Condition=condition))).holds


def test_a_grant_to_everybody_in_the_organization_of_the_table_reaches_its_other_accounts() -> None:
    everybody = allow("*", Condition=SAME[0])

    failures = tried(ONLY_READER, picture(everybody)).failures

    assert "another account of the organization" in failures[0].what
    assert not any("of another organization" in failure.what for failure in failures)


def test_a_grant_within_the_account_is_tried() -> None:
    condition = {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}

    assert tried(ONLY_READER, picture(allow("*", Condition=condition))).holds


def test_a_deny_outside_the_organization_exempts_a_table_in_it() -> None:
    outside = deny("dynamodb:GetItem", StringNotEquals={"aws:ResourceOrgID": ORG})

    assert not tried(NOBODY, picture(allow(READER), outside)).holds
    assert tried(NOBODY, picture(allow(READER), outside, deny("dynamodb:GetItem"))).holds


def test_where_policies_name_several_organizations_the_table_may_be_in_any() -> None:
    named = allow(READER, "dynamodb:PutItem", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-00000000aa"}})
    outside = deny("dynamodb:GetItem", StringNotEquals={"aws:ResourceOrgID": ORG})

    assert not tried(NOBODY, picture(named, allow(READER), outside)).holds


@pytest.mark.parametrize("condition", SAME)
def test_access_within_the_organization_is_kept(condition: dict[str, Any]) -> None:
    on = picture(allow(READER, Condition=condition), identities=(role(READER, "reader", own()),))
    other = picture(
        allow(READER, Condition={**condition, "StringNotEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}}),
        identities=on.identities,
    )

    assert tried(KEPT, on).holds
    assert not tried(KEPT, other).holds


@pytest.mark.parametrize(("account", "holds"), [(OWNER, True), ("999999999999", False)])
def test_a_key_of_the_tables_account_is_in_its_organization(account: str, holds: bool) -> None:
    statement = allow(READER, "kms:Decrypt", Condition={"StringEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}})
    key = Key(arn=f"arn:aws:kms:us-east-1:{account}:key/1", account=account, policy=document(statement))
    base = picture(allow(READER), identities=(role(READER, "reader", own(), own("kms:Decrypt")),))
    on = replace(base, tables=(replace(base.tables[0], key_arn=key.arn),), keys=(key,))

    assert tried(KEPT, on).holds is holds
