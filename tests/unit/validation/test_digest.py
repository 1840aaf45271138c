"""What an acknowledgement is of: a finding is another one as soon as less protects from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tableguard.policy import Access
from tableguard.review.picture import Endpoint, Key, OrganizationPolicy, Picture
from tableguard.review.rules import NobodyCan, OnlyAccounts
from tableguard.review.unknown import Unknown, UnknownKind
from tableguard.validation import _digest
from tests.unit.review.rules.support import (
    AT_TABLE,
    OWNER,
    READER,
    allow,
    deny,
    document,
    own,
    picture,
    role,
    tried,
)

GET = "dynamodb:GetItem"
RULE = OnlyAccounts(accounts=[], access=Access.on_table("GetItem"))
NOBODY = NobodyCan(access=Access.on_table("GetItem"))

STRICT: dict[str, Any] = {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}
LOOSE: dict[str, Any] = {"StringNotEquals": {"aws:SourceVpce": ["vpce-1", "vpce-2"]}}


def unnamed(*statements: dict[str, Any]) -> list[dict[str, Any]]:
    return [{key: value for key, value in each.items() if key != "Principal"} for each in statements]


def in_table(*denies: dict[str, Any]) -> Picture:
    return picture(allow(READER), *denies)


def in_key(*denies: dict[str, Any]) -> Picture:
    base = picture(allow(READER))
    statements = [{**each, "Action": "kms:Decrypt"} for each in denies]
    key = Key(
        arn=f"arn:aws:kms:us-east-1:{OWNER}:key/1", account=OWNER, policy=document(allow("*", "kms:*"), *statements)
    )
    return replace(base, tables=(replace(base.tables[0], key_arn=key.arn),), keys=(key,))


def in_organization(*denies: dict[str, Any]) -> Picture:
    policy = OrganizationPolicy(
        kind="SERVICE_CONTROL_POLICY", document=document(*unnamed(*denies)), targets=(READER,), place=AT_TABLE
    )
    return replace(picture(allow(READER)), organization_policies=(policy,) if denies else ())


def in_endpoint(*denies: dict[str, Any]) -> Picture:
    policy = document(allow("*", "*"), *denies)
    endpoint = Endpoint(endpoint_id="vpce-1", vpc_id="vpc-1", account=READER, region="us-east-1", policy=policy)
    return replace(picture(allow(READER), deny(GET, **STRICT)), endpoints=(endpoint,))


def in_identity(*denies: dict[str, Any]) -> Picture:
    restriction = deny(GET, ArnNotEquals={"aws:PrincipalArn": f"arn:aws:iam::{OWNER}:role/app"})
    return picture(restriction, identities=(role(OWNER, "app", own(), *unnamed(*denies)),))


def digests(on: Picture, rule: Any = RULE) -> set[str]:
    found = {_digest(failure) for failure in tried(rule, on).failures}
    assert found
    return found


# What a Deny is about must leave something to find: an exemption by tag, which any caller may have.
def restriction(condition: dict[str, Any]) -> dict[str, Any]:
    return deny(GET, **condition, StringNotEqualsIfExists={"aws:PrincipalTag/t": "x"})


@pytest.mark.parametrize("layer", [in_table, in_organization, in_identity, in_endpoint])
def test_a_deny_that_is_loosened_or_dropped_reopens_what_was_acknowledged(layer: Any) -> None:
    rule = NOBODY if layer is in_identity else RULE
    acknowledged = digests(layer(restriction(STRICT)), rule)

    assert acknowledged == digests(layer(restriction(STRICT)), rule)
    assert acknowledged.isdisjoint(digests(layer(restriction(LOOSE)), rule))
    assert acknowledged.isdisjoint(digests(layer(), rule))


def test_so_does_a_deny_of_the_key() -> None:
    tagged: dict[str, Any] = {"StringNotEqualsIfExists": {"aws:PrincipalTag/t": "x"}}
    acknowledged = digests(in_key(deny(GET, **tagged)))

    assert acknowledged.isdisjoint(digests(in_key()))


def test_a_boundary_that_allows_more_reopens_it() -> None:
    restricted = in_identity()

    def bounded(*statements: dict[str, Any]) -> set[str]:
        boundary = document(*statements)
        identity = replace(restricted.identities[0], boundary=(boundary,))
        return digests(replace(restricted, identities=(identity,)), NOBODY)

    assert bounded(own(GET)) == bounded(own(GET))
    assert bounded(own(GET)).isdisjoint(bounded(own("dynamodb:*")))


def test_a_deny_about_something_else_does_not() -> None:
    acknowledged = digests(in_table())

    assert acknowledged == digests(in_table(deny("dynamodb:DeleteTable")))


@pytest.mark.parametrize("source", ["", "1a2b"])
def test_something_unknown_that_says_something_else_is_another_finding(source: str) -> None:
    def found(said: str) -> set[str]:
        return digests(
            picture(unknowns=(Unknown(AT_TABLE, UnknownKind.PROPERTIES_NO_OBJECT, account=OWNER, source=said),))
        )

    assert found(source) == found(source)
    assert found(source).isdisjoint(found("other"))


def test_an_allow_that_nobody_was_made_up_for_is_acknowledged_as_it_stands() -> None:
    def found(*denies: dict[str, Any]) -> set[str]:
        return digests(picture(allow("AROAEXAMPLEID12345678"), *denies))

    assert found(restriction(STRICT)) == found(restriction(STRICT))
    assert found(restriction(STRICT)).isdisjoint(found(restriction(LOOSE)))
    assert found(restriction(STRICT)).isdisjoint(found())
