"""What AWS documents no answer for: an Allow that needs it gives nothing, a Deny that needs it protects nobody."""

from __future__ import annotations

from typing import Any

import pytest

from tableguard.evaluation import (
    ContextValue,
    Decision,
    Effect,
    Layer,
    Open,
    Outcome,
    Policies,
    Reason,
    Request,
    decision_to_json,
    evaluate,
)
from tests.project.machine import ROOT

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/reader"
TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/orders"
TAG = "aws:PrincipalTag/team"

Context = dict[str, ContextValue]

# One row for each open answer: the rest of a statement that needs it, and the request of which it does. The words are
# what a reason has to say: the operator and its key, or the element.
ROWS: list[tuple[Open, dict[str, Any], Context, str]] = [
    (Open.FOR_ANY_VALUE_IF_EXISTS, {"ForAnyValue:StringEqualsIfExists": {"aws:TagKeys": "team"}}, {}, "aws:TagKeys"),
    (Open.NO_SET_OPERATOR, {"StringEquals": {TAG: "a"}}, {TAG: ["a", "b"]}, f"StringEquals {TAG}"),
    (Open.NO_SET_OPERATOR, {"StringLike": {"aws:TagKeys": "*"}}, {"aws:TagKeys": "a"}, "StringLike aws:TagKeys"),
    (Open.EMPTY_TEXT_IN_SET, {"ForAnyValue:StringLike": {TAG: "*"}}, {TAG: ""}, f"ForAnyValue:StringLike {TAG}"),
    (Open.NULL_OF_EMPTY_TEXT, {"Null": {TAG: "false"}}, {TAG: ""}, f"Null {TAG}"),
    (Open.EMPTY_LIST, {"StringEquals": {TAG: []}}, {TAG: "a"}, f"StringEquals {TAG}"),
    (Open.EMPTY_LIST, {"Null": {TAG: []}}, {}, f"Null {TAG}"),
    (Open.EMPTY_LIST_NEGATED, {"StringNotEqualsIfExists": {TAG: []}}, {TAG: "a"}, f"StringNotEqualsIfExists {TAG}"),
    (Open.EMPTY_CONDITION, {}, {}, "Condition"),
    (Open.SEVERAL_BOOLEANS, {"Null": {TAG: ["true", "false"]}}, {}, f"Null {TAG}"),
    (Open.SEVERAL_BOOLEANS, {"Bool": {TAG: ["true", "false"]}}, {TAG: "true"}, f"Bool {TAG}"),
    (Open.BOOLEAN_FORMAT, {"Bool": {TAG: "True"}}, {TAG: "true"}, f"Bool {TAG}"),
    (Open.BOOLEAN_FORMAT, {"Null": {TAG: "no"}}, {}, f"Null {TAG}"),
    (Open.NUMBER_FORMAT, {"NumericLessThan": {TAG: "1e3"}}, {TAG: "10"}, f"NumericLessThan {TAG}"),
    (Open.DATE_FORMAT, {"DateLessThan": {TAG: "2027"}}, {TAG: "2026-01-01"}, f"DateLessThan {TAG}"),
    (Open.ADDRESS_FORMAT, {"IpAddress": {TAG: "2001:db8::1"}}, {TAG: "2001:db8::1"}, f"IpAddress {TAG}"),
    (
        Open.VARIABLE_FOR_OPERATOR,
        {"NumericEquals": {TAG: "${aws:b}"}},
        {TAG: "1", "aws:b": "1"},
        f"NumericEquals {TAG}",
    ),
    (Open.VARIABLE_OF_SEVERAL_VALUES, {"StringLike": {TAG: "${aws:b}*"}}, {TAG: "a", "aws:b": ["a", "b"]}, TAG),
    (Open.VARIABLE_OF_EMPTY_TEXT, {"StringLike": {TAG: "${aws:b}*"}}, {TAG: "a", "aws:b": ""}, f"StringLike {TAG}"),
    (Open.VARIABLE_IF_EXISTS, {"StringEqualsIfExists": {TAG: "${aws:b}"}}, {TAG: "a"}, f"StringEqualsIfExists {TAG}"),
]
IN_CONDITIONS = [pytest.param(*row, id=f"{row[0].id}-{number}") for number, row in enumerate(ROWS)]
PLACES = ["identity", "resource", "service_control", "boundary", "session", "endpoint"]


def request(context: Context) -> Request:
    return Request(principal=ROLE, action="dynamodb:GetItem", resource=TABLE, context=context)


def document(effect: str, *, named: bool, **more: object) -> dict[str, Any]:
    who = {"Principal": "*"} if named else {}
    statement = {"Sid": "Asked", "Effect": effect, "Action": "dynamodb:*", "Resource": "*", **who, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def placed(place: str, effect: str, **more: object) -> Policies:
    """Policies that would allow the request, but for one statement in one of them."""
    own = document("Allow", named=False)
    asked = document(effect, named=place in ("resource", "resource_control", "endpoint"), **more)
    if place == "identity":
        return Policies(identity=[asked] if effect == "Allow" else [own, asked])
    if place == "resource":
        return Policies(identity=[] if effect == "Allow" else [own], resource=asked)
    beside = [] if effect == "Allow" else [document("Allow", named=place == "endpoint")]
    layers: dict[str, Any] = {
        "service_control": [[*beside, asked]],
        "resource_control": [[asked]],
        "boundary": [*beside, asked],
        "session": [*beside, asked],
        "endpoint": {**asked, "Statement": [s for each in (*beside, asked) for s in each["Statement"]]},
    }
    return Policies(identity=[own], **{place: layers[place]})


def reason_of(decision: Decision) -> Reason:
    (found,) = [reason for reason in decision.because if not reason.understood]
    return found


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("answer", "condition", "context", "words"), IN_CONDITIONS)
def test_an_allow_that_needs_it_gives_nothing_and_is_not_known_to_give_nothing(
    answer: Open, condition: dict[str, Any], context: Context, words: str, place: str
) -> None:
    assert evaluate(request(context), placed(place, "Allow")).allowed
    decision = evaluate(request(context), placed(place, "Allow", Condition=condition))
    assert decision.outcome is Outcome.IMPLICITLY_DENIED
    assert not decision.understood
    reason = reason_of(decision)
    assert (reason.layer, reason.effect, reason.open) == (Layer(place), Effect.ALLOW, answer)
    assert words in str(reason.detail)
    assert answer.value.why in str(reason.detail)


@pytest.mark.parametrize("place", [*PLACES, "resource_control"])
@pytest.mark.parametrize(("answer", "condition", "context", "words"), IN_CONDITIONS)
def test_a_deny_that_needs_it_denies_and_protects_nobody(
    answer: Open, condition: dict[str, Any], context: Context, words: str, place: str
) -> None:
    assert evaluate(request(context), placed(place, "Deny")).understood
    decision = evaluate(request(context), placed(place, "Deny", Condition=condition))
    assert decision.outcome is Outcome.EXPLICITLY_DENIED
    assert not decision.understood
    reason = reason_of(decision)
    assert (reason.layer, reason.effect, reason.open) == (Layer(place), Effect.DENY, answer)
    assert words in str(reason.detail)
    assert answer.value.why in str(reason.detail)


RESOURCE = TABLE.replace("orders", "${aws:b}")
IN_RESOURCES = [
    (Open.VARIABLE_OF_SEVERAL_VALUES, {"Resource": RESOURCE}, {"aws:b": ["orders", "b"]}),
    (Open.VARIABLE_OF_EMPTY_TEXT, {"Resource": f"{RESOURCE}*"}, {"aws:b": ""}),
    (Open.VARIABLE_IN_NOT_RESOURCE, {"NotResource": RESOURCE}, {}),
]


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
@pytest.mark.parametrize(("answer", "element", "context"), IN_RESOURCES)
def test_resources_that_need_it(answer: Open, element: dict[str, Any], context: Context, effect: str) -> None:
    asked = document(effect, named=False, **element)
    if "NotResource" in element:
        del asked["Statement"][0]["Resource"]
    own = [document("Allow", named=False)] if effect == "Deny" else []
    decision = evaluate(request(context), Policies(identity=[*own, asked]))
    assert not decision.allowed
    assert not decision.understood
    reason = reason_of(decision)
    assert reason.open is answer
    assert str(reason.detail).startswith(next(iter(element)))


def test_every_open_answer_is_met_here() -> None:
    assert {row[0] for row in (*ROWS, *IN_RESOURCES)} == set(Open)


def test_another_statement_may_settle_it() -> None:
    condition = {"ForAnyValue:StringEqualsIfExists": {"aws:TagKeys": "team"}}
    open_allow = document("Allow", named=False, Condition=condition)
    open_deny = document("Deny", named=False, Condition=condition)
    allow, deny = document("Allow", named=False), document("Deny", named=False)
    assert evaluate(request({}), Policies(identity=[open_allow, allow])).allowed
    assert evaluate(request({}), Policies(identity=[allow, open_deny, deny])).understood
    # Where the key is there, or another condition clearly fails, nothing is open.
    assert evaluate(request({"aws:TagKeys": ["team"]}), Policies(identity=[open_allow])).allowed
    other = document("Deny", named=False, Condition={**condition, "StringEquals": {TAG: "x"}})
    assert evaluate(request({TAG: "y"}), Policies(identity=[allow, other])).allowed


def test_json_names_the_open_answer_and_the_operator() -> None:
    condition = {"ForAnyValue:StringEqualsIfExists": {"aws:TagKeys": "team"}}
    written = decision_to_json(evaluate(request({}), placed("identity", "Deny", Condition=condition)))
    assert written["understood"] is False
    (reason,) = written["because"]
    assert reason["open"] == "for-any-value-if-exists"
    assert reason["detail"].startswith("ForAnyValue:StringEqualsIfExists aws:TagKeys: ")
    certain = decision_to_json(evaluate(request({}), placed("identity", "Deny")))
    assert "open" not in certain["because"][0]


@pytest.mark.parametrize("answer", Open)
def test_the_documentation_lists_it(answer: Open) -> None:
    page = (ROOT / "docs" / "evaluation.md").read_text()
    row = f"| `{answer.id}` | {answer.value.when} | {answer.value.why} | {answer.value.source} |"
    assert row in page.splitlines()
