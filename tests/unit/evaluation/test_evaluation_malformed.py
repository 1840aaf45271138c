"""Documents that IAM would refuse: they never crash the evaluation, never grant, and never count as protection."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from tableguard.evaluation import Effect, Outcome, Policies, Request, evaluate

ACCOUNT = "111122223333"
TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/orders"
REQUEST = Request(
    principal=f"arn:aws:iam::{ACCOUNT}:role/reader",
    action="dynamodb:GetItem",
    resource=TABLE,
    context={"aws:SourceVpce": "vpce-1"},
)
ALLOW: dict[str, Any] = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
BOTH = [{**ALLOW["Statement"], "Effect": effect, "Principal": "*"} for effect in ("Allow", "Deny")]

BROKEN_ELEMENTS: list[dict[str, Any]] = [
    {"Action": None},
    {"Action": 5},
    {"Action": []},
    {"Action": ["dynamodb:GetItem", 5]},
    {"Action": {"dynamodb": "GetItem"}},
    {"Action": "GetItem"},
    {"NotAction": "s3:*"},
    {"Resource": None},
    {"Resource": []},
    {"Resource": [TABLE, None]},
    {"Resource": {"Fn::GetAtt": ["Table", "Arn"]}},
    {"Resource": "orders"},
    {"NotResource": "*"},
    {"Condition": None},
    {"Condition": []},
    {"Condition": "aws:SourceVpce"},
    {"Condition": {"StringEquals": None}},
    {"Condition": {"StringEquals": {}}},
    {"Condition": {"StringEquals": []}},
    {"Condition": {"StringEquals": {"aws:SourceVpce": []}}},
    {"Condition": {"StringEquals": {"aws:SourceVpce": None}}},
    {"Condition": {"StringEquals": {"aws:SourceVpce": {"Ref": "Endpoint"}}}},
    {"Condition": {"StringEquals": {"aws:SourceVpce": ["vpce-1", None]}}},
    {"Condition": {"StringEquals": {"SourceVpce": "vpce-1"}}},
    {"Condition": {"StringEquals": {5: "vpce-1"}}},
    {"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1", "aws:sourcevpce": "vpce-2"}}},
    {"Condition": {"StringEqual": {"aws:SourceVpce": "vpce-1"}}},
    {"Condition": {"stringequals": {"aws:SourceVpce": "vpce-1"}}},
    {"Condition": {"StringEqualsIfExistsIfExists": {"aws:SourceVpce": "vpce-1"}}},
    {"Condition": {"ForSomeValues:StringEquals": {"aws:SourceVpce": "vpce-1"}}},
    {"Condition": {"ForAllValues:ForAnyValue:StringEquals": {"aws:SourceVpce": "vpce-1"}}},
    {"Condition": {"ForAllValues:NullIfExists": {"aws:SourceVpce": "false"}}},
    {"Condition": {}},
    {"Condition": {"NullIfExists": {"aws:SourceVpce": "false"}}},
    {"Condition": {"Null": {"aws:SourceVpce": "maybe"}}},
    {"Condition": {"NumericEquals": {"aws:SourceVpce": "ten"}}},
    {"Condition": {"NumericLessThan": {"aws:SourceVpce": "NaN"}}},
    {"Condition": {"DateLessThan": {"aws:SourceVpce": "31.1.2027"}}},
    {"Condition": {"DateLessThan": {"aws:SourceVpce": "2027-01-31T00:00:00"}}},
    {"Condition": {"Bool": {"aws:SourceVpce": "yes"}}},
    {"Condition": {"BinaryEquals": {"aws:SourceVpce": "%"}}},
    {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/33"}}},
    {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0/8"}}},
    {"Condition": {"NotIpAddress": {"aws:SourceIp": "*"}}},
    {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:iam"}}},
    {"Condition": {"StringLike": {"aws:SourceVpce": "${aws:x"}}},
    {"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}, "Bogus": {"aws:x": "y"}}},
    {"Conditions": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}},
    {"condition": {}},
    {"Sid": 5},
    {"Effect": "deny"},
    {"Effect": None},
    {"Effect": ["Allow"]},
    {"Principal": None},
    {"Principal": {}},
    {"Principal": []},
    {"Principal": "arn:aws:iam::111122223333:root"},
    {"Principal": {"AWS": []}},
    {"Principal": {"AWS": 111122223333}},
    {"Principal": {"AWS": ["*", None]}},
    {"Principal": {"AWS": "arn:aws:iam::111122223333:role/*"}},
    {"Principal": {"AWS": "arn:aws:iam::*:root"}},
    {"Principal": {"AWS": "arn:aws:s3:::bucket"}},
    {"Principal": {"AWS": "reader"}},
    {"Principal": {"Aws": "*"}},
    {"Principal": {"Service": "*"}},
    {"Principal": "*", "NotPrincipal": "*"},
]
BROKEN_DOCUMENTS: list[Any] = [
    {},
    [],
    [ALLOW],
    "text",
    5,
    True,
    {"Statement": None},
    {"Statement": "text"},
    {"Statement": BOTH, "Statements": []},
    {"Version": "2012-10-18", "Statement": BOTH},
    {"Version": 20121017, "Statement": BOTH},
    {"Version": "2012-10-18", "Statement": []},
    {"statement": BOTH},
    {"Statement": [None]},
    {"Statement": ["text"]},
    {"Statement": [[]]},
    {1: 2},
    {"Version": "2012-10-17", "Statement": [{}]},
]


def resource_policy(change: dict[str, Any], effect: str) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": "dynamodb:*", "Resource": "*", "Principal": "*"}
    return {"Version": "2012-10-17", "Statement": [{**statement, **change}]}


@pytest.mark.parametrize("change", BROKEN_ELEMENTS)
def test_an_allow_that_is_not_understood_grants_nothing(change: dict[str, Any]) -> None:
    assert evaluate(REQUEST, Policies(resource=resource_policy({}, "Allow"))).allowed
    decision = evaluate(REQUEST, Policies(resource=resource_policy(change, "Allow")))
    assert not decision.allowed
    assert not decision.understood
    assert any(not reason.understood and reason.detail for reason in decision.because)


@pytest.mark.parametrize("change", BROKEN_ELEMENTS)
def test_a_deny_that_is_not_understood_denies_and_says_so(change: dict[str, Any]) -> None:
    decision = evaluate(REQUEST, Policies(identity=[ALLOW], resource=resource_policy(change, "Deny")))
    if change == {"Effect": ["Allow"]} or "Effect" not in change:
        assert [reason.effect for reason in decision.because] == [Effect.DENY]
    assert decision.outcome is Outcome.EXPLICITLY_DENIED
    assert not decision.understood
    assert all(not reason.understood and reason.detail for reason in decision.because)


@pytest.mark.parametrize("document", BROKEN_DOCUMENTS)
@pytest.mark.parametrize(
    "layer", ["identity", "resource", "service_control", "resource_control", "boundary", "session", "endpoint"]
)
def test_a_document_that_is_not_understood_denies_in_every_layer(layer: str, document: Any) -> None:
    shape = {"service_control": [[document]], "resource_control": [[document]]}
    single = layer in ("resource", "endpoint")
    layers: dict[str, Any] = {"identity": [ALLOW], layer: shape.get(layer, document if single else [document])}
    if layer == "identity":
        layers["identity"] = [ALLOW, document]
    assert evaluate(REQUEST, Policies(identity=[ALLOW])).allowed
    decision = evaluate(REQUEST, Policies(**layers))
    assert not decision.allowed
    assert not decision.understood


@pytest.mark.parametrize("head", [{"Version": "2012-10-18"}, {"Version": 20121017}, {"Statements": []}])
def test_an_allow_in_a_document_that_is_not_understood_grants_nothing(head: dict[str, Any]) -> None:
    decision = evaluate(REQUEST, Policies(identity=[{**ALLOW, **head}]))
    assert decision.outcome is Outcome.IMPLICITLY_DENIED
    assert not decision.understood


def test_a_deny_that_is_clearly_about_something_else_is_no_obstacle() -> None:
    for about in ({"Action": "s3:*"}, {"Resource": TABLE + "2"}, {"Principal": {"AWS": "444455556666"}}):
        broken = {**about, "Condition": {"Bogus": {"aws:x": "y"}}}
        assert evaluate(REQUEST, Policies(identity=[ALLOW], resource=resource_policy(broken, "Deny"))).allowed


def test_a_clear_reason_makes_a_denial_certain() -> None:
    unclear = resource_policy({"Condition": {"Bogus": {"aws:x": "y"}}}, "Deny")
    assert not evaluate(REQUEST, Policies(identity=[ALLOW], resource=unclear)).understood
    deny = {"Version": "2012-10-17", "Statement": {**ALLOW["Statement"], "Effect": "Deny"}}
    assert evaluate(REQUEST, Policies(identity=[ALLOW, deny], resource=unclear)).understood
    # Without the Deny there would still be no Allow.
    assert evaluate(REQUEST, Policies(resource=unclear)).understood
    hopeful = {"Version": "2012-10-17", "Statement": {**ALLOW["Statement"], "Condition": {"Bogus": {"aws:x": "y"}}}}
    assert not evaluate(REQUEST, Policies(identity=[hopeful], resource=unclear)).understood
    scp = [[{"Version": "2012-10-17", "Statement": []}]]
    assert evaluate(REQUEST, Policies(identity=[hopeful], service_control=scp)).understood


def alone(effect: str, **change: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": {**ALLOW["Statement"], "Effect": effect, **change}}


UNCLEAR = {"Condition": {"Bogus": {"aws:x": "y"}}}


@pytest.mark.parametrize("identity", list(permutations([alone("Allow"), alone("Deny", **UNCLEAR)])))
def test_without_a_deny_that_is_not_understood_the_others_would_allow(identity: Sequence[Any]) -> None:
    decision = evaluate(REQUEST, Policies(identity=identity))
    assert decision.outcome is Outcome.EXPLICITLY_DENIED
    assert not decision.understood


@pytest.mark.parametrize("identity", list(permutations([alone("Allow"), alone("Deny"), alone("Deny", **UNCLEAR)])))
def test_one_clear_deny_among_others_is_enough(identity: Sequence[Any]) -> None:
    decision = evaluate(REQUEST, Policies(identity=identity))
    assert decision.outcome is Outcome.EXPLICITLY_DENIED
    assert decision.understood


@pytest.mark.parametrize("times", [2, 3])
@pytest.mark.parametrize(("effect", "outcome"), [("Allow", Outcome.ALLOWED), ("Deny", Outcome.EXPLICITLY_DENIED)])
def test_saying_it_again_changes_nothing(times: int, effect: str, outcome: Outcome) -> None:
    again = [alone(effect)] * times
    together = {"Version": "2012-10-17", "Statement": [each["Statement"] for each in again]}
    assert evaluate(REQUEST, Policies(identity=[ALLOW, *again])).outcome is outcome
    assert evaluate(REQUEST, Policies(identity=[ALLOW, together])).outcome is outcome


def test_a_structure_that_contains_itself_is_not_understood() -> None:
    loop: dict[str, Any] = {"Version": "2012-10-17"}
    loop["Statement"] = [loop, loop, loop]
    decision = evaluate(REQUEST, Policies(identity=[ALLOW, loop]))
    assert not decision.allowed
    assert not decision.understood


WORDS = st.sampled_from(
    ["Allow", "Deny", "*", "dynamodb:GetItem", "dynamodb:*", TABLE, "2012-10-17", "aws:SourceVpce", "vpce-1", "${", "x"]
)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
ELEMENTS = ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition"]
STATEMENTS = st.dictionaries(st.sampled_from(ELEMENTS), JUNK, max_size=6)
DOCUMENTS = JUNK | st.fixed_dictionaries(
    {"Version": st.just("2012-10-17") | JUNK, "Statement": JUNK | STATEMENTS | st.lists(STATEMENTS | JUNK, max_size=3)}
)


def is_clean_allow(statement: Any) -> bool:
    return isinstance(statement, dict) and statement.get("Effect") == "Allow"


@settings(max_examples=200, deadline=None)
@given(document=DOCUMENTS)
def test_junk_never_crashes_and_grants_only_by_a_clear_allow(document: Any) -> None:
    for layers in ({"identity": [document]}, {"resource": document}, {"boundary": [document], "session": [document]}):
        base = {"identity": [ALLOW], **layers} if "boundary" in layers else layers
        decision = evaluate(REQUEST, Policies(**base))
        if decision.allowed:
            statements = document["Statement"]
            statements = [statements] if isinstance(statements, dict) else statements
            assert any(map(is_clean_allow, statements))
    for layer in ("service_control", "resource_control"):
        evaluate(REQUEST, Policies(identity=[ALLOW], **{layer: [[document]]}))


VALID_DENY = {
    "Sid": "Restriction",
    "Effect": "Deny",
    "Principal": "*",
    "Action": ["dynamodb:GetItem"],
    "Resource": [TABLE],
    "Condition": {"StringEquals": {"aws:SourceVpce": ["vpce-1"]}},
}
NOT_TEXT = st.none() | st.integers() | st.dictionaries(st.text(max_size=3), st.none(), max_size=2)


@settings(max_examples=100, deadline=None)
@given(element=st.sampled_from(["Effect", "Principal", "Action", "Resource", "Condition"]), value=NOT_TEXT)
def test_breaking_an_element_of_a_deny_never_lets_the_request_through(element: str, value: Any) -> None:
    # An empty Condition may be no condition, or make the statement worth nothing.
    broken = {"Version": "2012-10-17", "Statement": [{**VALID_DENY, element: value}]}
    decision = evaluate(REQUEST, Policies(identity=[ALLOW], resource=broken))
    assert decision.outcome is Outcome.EXPLICITLY_DENIED
