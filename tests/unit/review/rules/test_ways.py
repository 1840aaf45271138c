"""A protection that rests on a condition whose other side no request got to does not count, in whatever layer it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tableguard.evaluation import DocumentLocation, Request
from tableguard.policy import Access, Account, FromVpcEndpoint
from tableguard.review.picture import Endpoint, Identity, Key, OrganizationPolicy, Picture
from tableguard.review.rules import NobodyCan, OnlyAccounts, OnlyFrom
from tableguard.review.rules.ways import Ways
from tableguard.review.sentences import Shelf
from tests.unit.review.rules.support import (
    OWNER,
    READER,
    TABLE,
    VENDOR,
    allow,
    deny,
    document,
    own,
    picture,
    role,
    tried,
)

READING = Access.on_table("GetItem")
NOBODY = NobodyCan(access=READING)
GET = "dynamodb:GetItem"
ELSEWHERE = DocumentLocation(stack="Elsewhere", logical_id="X", path="Resources/X")

# What no made-up request can have: nobody makes up unique ids, or kinds of callers.
UNTRIED: dict[str, dict[str, Any]] = {
    "a unique id": {"StringNotLike": {"aws:userid": "AROAEXAMPLEID12345678:*"}},
    "one of two ids": {"StringNotLike": {"aws:userid": ["AROAEXAMPLEID12345678:*", "AIDAEXAMPLEID12345678"]}},
    "a kind of caller": {"StringNotEquals": {"aws:PrincipalType": "FederatedUser"}},
    "no such id": {"Null": {"aws:userid": "true"}},
}
TRIED: dict[str, dict[str, Any]] = {
    "none": {},
    "a time that is over": {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
    "the region": {"StringEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]}},
    "the owner": {"StringEquals": {"aws:ResourceAccount": [OWNER, VENDOR]}},
}
Condition = dict[str, Any]


def unnamed(statement: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in statement.items() if key != "Principal"}


def of_role(boundary: dict[str, Any] | None = None, *statements: dict[str, Any]) -> Identity:
    made = role(OWNER, "app", own(), *statements)
    return replace(made, boundary=(document(boundary, place=ELSEWHERE),)) if boundary is not None else made


def only_role(identity: Identity) -> Picture:
    """Whom the table's own policy keeps out, but for one role."""
    return picture(deny(GET, ArnNotEquals={"aws:PrincipalArn": identity.arn}), identities=(identity,))


def in_table(condition: Condition) -> Picture:
    return picture(allow(READER), deny(GET, **condition))


def in_identity(condition: Condition) -> Picture:
    return only_role(of_role(None, unnamed(deny(GET, **condition))))


def in_boundary(condition: Condition) -> Picture:
    identity = of_role()
    denied = document(own("*"), unnamed(deny(GET, **condition)), place=ELSEWHERE)
    return only_role(replace(identity, boundary=(denied,)))


def in_organization(kind: str) -> Callable[[Condition], Picture]:
    def made(condition: Condition) -> Picture:
        statement = deny(GET, **condition)
        policy = OrganizationPolicy(
            kind=f"{kind}_CONTROL_POLICY",
            document=document(statement if kind == "RESOURCE" else unnamed(statement), place=ELSEWHERE),
            targets=(OWNER,),
            place=ELSEWHERE,
        )
        identity = of_role()
        return replace(only_role(identity), organization_policies=(policy,))

    return made


def in_endpoint(condition: Condition) -> Picture:
    endpoint = Endpoint(
        endpoint_id="vpce-1",
        vpc_id="vpc-1",
        account=OWNER,
        region="us-east-1",
        policy=document(allow("*", "*"), deny(GET, **condition), place=ELSEWHERE),
    )
    outside = deny(GET, StringNotEquals={"aws:SourceVpce": "vpce-1"})
    return replace(picture(allow(READER), outside), endpoints=(endpoint,))


def in_key(condition: Condition) -> Picture:
    key = Key(
        arn=f"arn:aws:kms:us-east-1:{OWNER}:key/1",
        account=OWNER,
        policy=document(allow("*", "kms:*"), deny("kms:*", **condition), place=ELSEWHERE),
    )
    base = picture(allow(READER))
    return replace(base, tables=(replace(base.tables[0], key_arn=key.arn),), keys=(key,))


LAYERS = {
    "table": in_table,
    "identity": in_identity,
    "boundary": in_boundary,
    "service control": in_organization("SERVICE"),
    "resource control": in_organization("RESOURCE"),
    "endpoint": in_endpoint,
    "key": in_key,
}


@pytest.mark.parametrize("condition", TRIED.values(), ids=TRIED)
@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_a_deny_of_any_layer_protects(layer: Callable[[Condition], Picture], condition: Condition) -> None:
    assert tried(NOBODY, layer(condition)).holds


@pytest.mark.parametrize("condition", UNTRIED.values(), ids=UNTRIED)
@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_one_with_an_exemption_that_nobody_tried_does_not(
    layer: Callable[[Condition], Picture], condition: Condition
) -> None:
    failures = tried(NOBODY, layer(condition)).failures

    assert any(failure.what.startswith("Not tried: a Deny that a refusal rests on") for failure in failures)


@pytest.mark.parametrize("condition", UNTRIED.values(), ids=UNTRIED)
def test_but_what_is_refused_anyway_needs_no_such_deny(condition: Condition) -> None:
    rule = OnlyAccounts(accounts=[READER], access=READING)

    assert tried(rule, picture(allow(READER), deny(GET, **condition))).holds
    assert tried(NOBODY, picture(allow(READER), deny(GET, **condition), deny("dynamodb:*"))).holds


ALLOWED: dict[str, dict[str, Any]] = {
    "a unique id": {"StringLike": {"aws:userid": "AROAEXAMPLEID12345678:*"}},
    "a kind of caller": {"StringEquals": {"aws:PrincipalType": "FederatedUser"}},
}


def allowed_by_identity(condition: Condition) -> Picture:
    return only_role(role(OWNER, "app", own(Condition=condition)))


def allowed_by_boundary(condition: Condition) -> Picture:
    return only_role(of_role(own("*", Condition=condition)))


def allowed_by_endpoint(condition: Condition) -> Picture:
    found = in_endpoint({})
    policy = document(allow("*", "*", Condition=condition), place=ELSEWHERE)
    return replace(found, endpoints=(replace(found.endpoints[0], policy=policy),))


def allowed_by_key(condition: Condition) -> Picture:
    found = in_key({})
    policy = document(allow("*", "kms:*", Condition=condition), place=ELSEWHERE)
    return replace(found, keys=(replace(found.keys[0], policy=policy),))


@pytest.mark.parametrize("condition", ALLOWED.values(), ids=ALLOWED)
@pytest.mark.parametrize("layer", [allowed_by_identity, allowed_by_boundary, allowed_by_endpoint, allowed_by_key])
def test_an_allow_of_a_limit_that_nobody_met_may_let_somebody_through(
    layer: Callable[[Condition], Picture], condition: Condition
) -> None:
    failures = tried(NOBODY, layer(condition)).failures

    assert any(failure.what.startswith("Not tried: an Allow that a refusal rests on") for failure in failures)


def test_so_may_a_key_that_names_somebody_whom_nobody_made_up() -> None:
    found = in_key({})

    def letting(who: object) -> Picture:
        policy = document(allow(who, "kms:*"), place=ELSEWHERE)
        return replace(found, keys=(replace(found.keys[0], policy=policy),))

    assert not tried(NOBODY, letting("AROAEXAMPLEID12345678")).holds
    assert tried(NobodyCan(access=READING, except_=[Account(OWNER)]), letting(OWNER)).holds


@pytest.mark.parametrize(
    ("exempted", "holds"), [(f"arn:aws:iam::{OWNER}:root", True), ("AROAEXAMPLEID12345678", False)], ids=["root", "id"]
)
def test_whoever_a_not_principal_exempts_has_to_be_asked(exempted: str, holds: bool) -> None:
    restriction = {**unnamed(deny(GET)), "NotPrincipal": {"AWS": exempted}}
    rule = NobodyCan(access=READING, except_=[Account(OWNER)])

    assert tried(rule, picture(allow(READER), restriction)).holds is holds


@pytest.mark.parametrize("pattern", ["arn:aws:iam::*:role/admin", f"arn:aws:iam::{READER}:role/adm*"])
def test_a_name_that_an_organization_exempts_is_tried_in_the_account_that_it_binds(pattern: str) -> None:
    restriction = unnamed(deny(GET, ArnNotLike={"aws:PrincipalArn": pattern}))
    policy = OrganizationPolicy(
        kind="SERVICE_CONTROL_POLICY",
        document=document(restriction, place=ELSEWHERE),
        targets=(READER,),
        place=ELSEWHERE,
    )
    admin = role(READER, "admin", own())
    on = replace(picture(allow(READER), identities=(admin,)), organization_policies=(policy,))

    failures = tried(NOBODY, on).failures

    assert {principal for failure in failures for principal in failure.principals} & {admin.arn}
    exempted = {**restriction, "Condition": {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{VENDOR}:role/admin"}}}
    closed = replace(policy, document=document(exempted, place=ELSEWHERE))
    assert tried(
        NobodyCan(access=READING, except_=[Account(OWNER)]), replace(on, organization_policies=(closed,))
    ).holds


ENDPOINTS = [f"vpce-{number:08}" for number in range(12)]


class TestSeveralValues:
    INSIDE = OnlyFrom(places=[FromVpcEndpoint(ENDPOINTS[0])], access=READING, except_=[Account(OWNER)])

    def test_of_an_allow_are_a_way_in_each(self) -> None:
        def through(*endpoints: str) -> Picture:
            return picture(allow(READER, Condition={"StringEquals": {"aws:SourceVpce": list(endpoints)}}))

        assert tried(self.INSIDE, through(ENDPOINTS[0])).holds
        assert not tried(self.INSIDE, through(ENDPOINTS[0], ENDPOINTS[1])).holds

    def test_of_a_deny_are_a_way_round_each(self) -> None:
        def but_through(*endpoints: str) -> Picture:
            return picture(allow(READER), deny(GET, StringNotEquals={"aws:SourceVpce": list(endpoints)}))

        everywhere = replace(self.INSIDE, places=[FromVpcEndpoint(each) for each in ENDPOINTS])

        assert tried(everywhere, but_through(*ENDPOINTS)).holds
        assert not tried(everywhere, but_through(*ENDPOINTS, "vpce-0000dead")).holds


def test_a_way_is_taken_where_only_the_value_of_a_variable_differs() -> None:
    owned = deny(GET, StringEquals={"aws:PrincipalTag/team": "${aws:PrincipalTag/owner}"})
    found = picture(allow(READER), owned)
    ways = Ways(found, Shelf())
    (table,) = found.tables
    ways.expect(table, ())

    def remaining_after(owner: str) -> int:
        context = {"aws:PrincipalTag/team": "orders", "aws:PrincipalTag/owner": owner}
        request = Request(principal=f"arn:aws:iam::{READER}:role/app", action=GET, resource=TABLE, context=context)
        ways.meet(table, request.situation)
        return len(ways.remaining)

    assert [remaining_after(owner) for owner in ("orders", "orders", "others")] == [1, 1, 0]


def test_the_failure_names_the_statement_and_the_condition() -> None:
    failures = tried(NOBODY, in_identity(UNTRIED["a unique id"])).failures

    (what,) = [failure.what for failure in failures if failure.what.startswith("Not tried")]
    assert "statement 'Restriction' at Reader: Resources/Policy" in what
    assert what.endswith(
        "no request that was made up is beyond it by not StringNotLike aws:userid AROAEXAMPLEID12345678:*"
    )
    assert TABLE not in what
