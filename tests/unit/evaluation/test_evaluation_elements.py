"""Actions, resources and policy variables: what a statement covers."""

from __future__ import annotations

import pytest

from tableguard.evaluation import ContextValue, Outcome, Policies, Request, evaluate

ROLE = "arn:aws:iam::111122223333:role/reader"
TABLE = "arn:aws:dynamodb:us-east-1:111122223333:table/orders"
STREAM = f"{TABLE}/stream/2026-11-21T10:00:00.000"
YES, NO, UNCLEAR = "yes", "no", "unclear"


def judge(
    statement: dict[str, object],
    *,
    action: str = "dynamodb:GetItem",
    resource: str = TABLE,
    context: dict[str, ContextValue] | None = None,
    version: str | None = "2012-10-17",
) -> str:
    """Ask the same statement as an Allow and as a Deny: both have to give the same picture."""
    request = Request(principal=ROLE, action=action, resource=resource, context=context or {})
    everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    base = {"Action": "*", "Resource": "*", **statement}
    if "NotAction" in base:
        del base["Action"]
    if "NotResource" in base:
        del base["Resource"]
    head = {} if version is None else {"Version": version}
    allow = evaluate(request, Policies(identity=[{**head, "Statement": {"Effect": "Allow", **base}}]))
    deny = evaluate(request, Policies(identity=[everything, {**head, "Statement": {"Effect": "Deny", **base}}]))
    if allow.allowed:
        assert deny.outcome is Outcome.EXPLICITLY_DENIED
        return YES
    if deny.allowed:
        return NO
    assert not deny.understood
    assert not allow.understood
    return UNCLEAR


@pytest.mark.parametrize(
    ("element", "action", "expected"),
    [
        ("dynamodb:GetItem", "dynamodb:GetItem", YES),
        ("DynamoDB:getitem", "dynamodb:GetItem", YES),
        ("dynamodb:GetItem", "DYNAMODB:GETITEM", YES),
        ("dynamodb:GetItem", "dynamodb:GetItems", NO),
        ("dynamodb:Get*", "dynamodb:GetItem", YES),
        ("dynamodb:*Item", "dynamodb:BatchGetItem", YES),
        ("dynamodb:*Item", "dynamodb:BatchGetItems", NO),
        ("dynamodb:Get?tem", "dynamodb:GetItem", YES),
        ("dynamodb:Get?Item", "dynamodb:GetItem", NO),
        ("dynamodb:*", "dynamodb:GetItem", YES),
        ("dynamodb:*", "dynamodbx:GetItem", NO),
        ("*", "kms:Decrypt", YES),
        ("*:*", "kms:Decrypt", YES),
        (["kms:*", "dynamodb:GetItem"], "dynamodb:GetItem", YES),
        (["kms:*", "s3:*"], "dynamodb:GetItem", NO),
        ("GetItem", "dynamodb:GetItem", UNCLEAR),
        ("dynamo*:GetItem", "dynamodb:GetItem", UNCLEAR),
        ("", "dynamodb:GetItem", UNCLEAR),
        ([], "dynamodb:GetItem", UNCLEAR),
        ("${aws:x}", "dynamodb:GetItem", UNCLEAR),
    ],
)
def test_actions_match_in_any_case_and_with_wildcards(element: object, action: str, expected: str) -> None:
    assert judge({"Action": element}, action=action) == expected
    inverse = {YES: NO, NO: YES, UNCLEAR: UNCLEAR}[expected]
    assert judge({"NotAction": element}, action=action) == inverse


@pytest.mark.parametrize(
    ("element", "resource", "expected"),
    [
        (TABLE, TABLE, YES),
        (TABLE, TABLE + "s", NO),
        (TABLE, TABLE.replace("orders", "Orders"), NO),
        ("*", TABLE, YES),
        ("*", "*", YES),
        (TABLE, "*", NO),
        ("arn:aws:dynamodb:*:*:*", "*", NO),
        ("arn:aws:dynamodb:*:*:table/*", TABLE, YES),
        ("arn:aws:dynamodb:us-*-1:1111????3333:table/ord*s", TABLE, YES),
        ("arn:aws:dynamodb:us-*-2:*:table/*", TABLE, NO),
        ("arn:aws:dynamodb:*:table/*", TABLE, UNCLEAR),
        ("arn:aws:dynamodb:*", TABLE, UNCLEAR),
        ("arn:aws:*:*:*:table/*", TABLE, UNCLEAR),
        ("orders", TABLE, UNCLEAR),
        ("table:aws:dynamodb:us-east-1:111122223333:table/orders", TABLE, UNCLEAR),
        ("", TABLE, UNCLEAR),
        (f"{TABLE}/stream/*", STREAM, YES),
        (STREAM, STREAM, YES),
        ("arn:aws:dynamodb:*:*:table/orders/stream/*:00:00.000", STREAM, YES),
        (f"{TABLE}/*", STREAM, YES),
        (TABLE, STREAM, NO),
        ([TABLE, STREAM], STREAM, YES),
        ("arn:aws:dynamodb:us-east-1:*:111122223333:table/orders", TABLE, NO),
    ],
)
def test_resources_match_segment_by_segment(element: object, resource: str, expected: str) -> None:
    assert judge({"Resource": element}, resource=resource) == expected
    inverse = {YES: NO, NO: YES, UNCLEAR: UNCLEAR}[expected]
    assert judge({"NotResource": element}, resource=resource) == inverse


OWN = "arn:aws:dynamodb:us-east-1:111122223333:table/${aws:PrincipalTag/team}"


@pytest.mark.parametrize(
    ("element", "context", "expected"),
    [
        (OWN, {"aws:PrincipalTag/team": "orders"}, YES),
        (OWN, {"aws:principaltag/TEAM": "orders"}, YES),
        (OWN, {"aws:PrincipalTag/team": "order?"}, NO),
        (OWN, {"aws:PrincipalTag/team": "*"}, NO),
        (OWN, {}, NO),
        (OWN, {"aws:PrincipalTag/team": ["orders", "x"]}, UNCLEAR),
        (OWN, {"aws:PrincipalTag/team": ""}, UNCLEAR),
        (OWN.replace("aws:PrincipalTag/team", "aws:CalledVia"), {"aws:CalledVia": "orders"}, UNCLEAR),
        (OWN.replace("us-east-1", "eu-west-1"), {"aws:PrincipalTag/team": ["orders", "x"]}, NO),
        (OWN.replace("team}", "team, 'orders'}"), {}, YES),
        (OWN.replace("team}", "team, 'orders'}"), {"aws:PrincipalTag/team": "x"}, NO),
        (OWN.replace("team}", "team,'orders'}"), {}, YES),
        (OWN.replace("${", "$"), {"aws:PrincipalTag/team": "orders"}, NO),
        (OWN.replace("}", ""), {"aws:PrincipalTag/team": "orders"}, UNCLEAR),
        (OWN.replace("team}", "team, orders}"), {}, UNCLEAR),
        ("arn:aws:dynamodb:us-east-1:${aws:a}:table/orders", {"aws:a": "111122223333"}, YES),
        ("arn:aws:dynamodb:us-east-1:${aws:a}", {"aws:a": "111122223333:table/orders"}, YES),
        ("arn:aws:dynamodb:us-east-1:${aws:a}:table/${aws:b}", {"aws:a": "111122223333:table/orders", "aws:b": ""}, NO),
        ("${aws:a}", {"aws:a": TABLE}, YES),
        ("${aws:a}", {"aws:a": TABLE.replace("orders", "*")}, NO),
        ("${aws:a}", {"aws:a": "*"}, NO),
        ("arn:aws:${aws:a}:us-east-1:111122223333:table/orders", {"aws:a": "dynamodb"}, YES),
        ("arn:aws:dynamodb:us-east-1:111122223333:table/${*}", {}, NO),
        ("arn:aws:dynamodb:us-east-1:111122223333:table/${*}*", {}, NO),
    ],
)
def test_variables_in_a_resource_take_the_requests_values_literally(
    element: str, context: dict[str, ContextValue], expected: str
) -> None:
    assert judge({"Resource": element}, context=context) == expected


def test_an_exception_whose_variable_is_missing_makes_a_not_resource_unclear() -> None:
    assert judge({"NotResource": OWN}) == UNCLEAR
    assert judge({"NotResource": OWN}, context={"aws:PrincipalTag/team": "other"}) == YES
    assert judge({"NotResource": OWN}, context={"aws:PrincipalTag/team": "orders"}) == NO


KEY = "aws:PrincipalTag/team"


@pytest.mark.parametrize(
    ("operator", "value", "context", "expected"),
    [
        ("StringEquals", "${aws:Other}", {KEY: "a", "aws:Other": "a"}, YES),
        ("StringEquals", "${aws:Other}", {KEY: "a", "aws:Other": "b"}, NO),
        ("StringEquals", "${aws:Other}", {KEY: "a"}, NO),
        ("StringNotEquals", "${aws:Other}", {KEY: "a"}, YES),
        ("StringNotEquals", "${aws:Other}", {KEY: "a", "aws:Other": "a"}, NO),
        ("StringNotLike", "${aws:Other}", {KEY: "a"}, YES),
        ("ArnNotLike", "arn:aws:iam::${aws:Other}:role/a", {KEY: "arn:aws:iam::1:role/a"}, YES),
        ("ArnLike", "arn:aws:iam::${aws:Other}:role/*", {KEY: "arn:aws:iam::1:role/a", "aws:Other": "1"}, YES),
        ("ArnLike", "arn:aws:iam::${aws:Other}:role/*", {KEY: "arn:aws:iam::1:role/a"}, NO),
        ("StringEqualsIgnoreCase", "${aws:Other}", {KEY: "A", "aws:Other": "a"}, YES),
        ("StringLike", "${aws:Other}-*", {KEY: "a-1", "aws:Other": "a"}, YES),
        ("StringLike", "${aws:Other}-*", {KEY: "b-1", "aws:Other": "*"}, NO),
        ("StringLike", "${aws:Other}-*", {KEY: "*-1", "aws:Other": "*"}, YES),
        ("StringLike", "x${*}", {KEY: "x*"}, YES),
        ("StringLike", "x${*}", {KEY: "xy"}, NO),
        ("StringLike", "x${?}", {KEY: "x?"}, YES),
        ("StringLike", "x${?}", {KEY: "xy"}, NO),
        ("StringEquals", "${$}{aws:Other}", {KEY: "${aws:Other}"}, YES),
        ("StringEquals", "x${*}", {KEY: "x*"}, YES),
        ("StringEquals", "${aws:Other, 'none'}", {KEY: "none"}, YES),
        ("StringEquals", "${aws:Other, ''}", {KEY: ""}, YES),
        ("StringEquals", ["x", "${aws:Other}"], {KEY: "x"}, YES),
        ("StringEquals", "${", {KEY: "${"}, UNCLEAR),
        ("NumericEquals", "${aws:Other}", {KEY: "1", "aws:Other": "1"}, UNCLEAR),
        ("Bool", "${aws:Other}", {KEY: "true", "aws:Other": "true"}, UNCLEAR),
        ("Null", "${aws:Other}", {KEY: "true", "aws:Other": "true"}, UNCLEAR),
        # A variable with several values, or with an empty one: put in or not, where that makes a difference
        ("StringEquals", "${aws:Other}", {KEY: "a", "aws:Other": ["a", "b"]}, UNCLEAR),
        ("StringNotEquals", "${aws:Other}", {KEY: "a", "aws:Other": ["a", "b"]}, UNCLEAR),
        ("StringEquals", "${aws:Other, 'a'}", {KEY: "a", "aws:Other": ["a", "b"]}, UNCLEAR),
        ("StringEquals", ["a", "${aws:Other}"], {KEY: "a", "aws:Other": ["a", "b"]}, YES),
        ("StringNotEquals", ["a", "${aws:Other}"], {KEY: "a", "aws:Other": ["a", "b"]}, NO),
        ("StringEquals", "${aws:Other}", {"aws:Other": ["a", "b"]}, NO),
        ("StringEquals", "${aws:CalledVia}", {KEY: "a", "aws:CalledVia": "a"}, UNCLEAR),
        ("StringEquals", "${aws:Other}", {KEY: "a", "aws:Other": ""}, UNCLEAR),
        ("StringNotLike", "${aws:Other}*", {KEY: "a", "aws:Other": ""}, UNCLEAR),
        ("ArnNotLike", "arn:aws:iam::${aws:Other}:role/a", {KEY: "arn:aws:iam::1:role/a", "aws:Other": ""}, UNCLEAR),
        # A variable that the request lacks fits nothing, and IfExists may or may not help
        ("StringEqualsIfExists", "${aws:Other}", {KEY: "a"}, UNCLEAR),
        ("StringEqualsIfExists", "${aws:Other}", {}, YES),
        ("StringEqualsIfExists", "${aws:Other}", {KEY: "a", "aws:Other": "a"}, YES),
        ("StringEqualsIfExists", "${aws:Other}", {KEY: "a", "aws:Other": "b"}, NO),
        ("StringEqualsIfExists", "${aws:Other, 'b'}", {KEY: "a"}, NO),
        ("StringEqualsIfExists", ["a", "${aws:Other}"], {KEY: "a"}, YES),
        ("StringNotEqualsIfExists", "${aws:Other}", {KEY: "a"}, YES),
        # In a set: the DynamoDB Developer Guide has one after ForAllValues:StringEquals ("Fine-grained access control")
        ("ForAllValues:StringEquals", "${aws:Other}", {KEY: ["a", "a"], "aws:Other": "a"}, YES),
        ("ForAllValues:StringEquals", "${aws:Other}", {KEY: ["a", "b"], "aws:Other": "a"}, NO),
        ("ForAllValues:StringEquals", "${aws:Other}", {KEY: "a"}, NO),
        ("ForAllValues:StringEquals", "${aws:Other}", {KEY: "a", "aws:Other": ["a", "b"]}, UNCLEAR),
        ("ForAllValues:StringEquals", "${aws:Other}", {"aws:Other": ["a", "b"]}, YES),
        ("ForAnyValue:StringEquals", "${aws:Other}", {KEY: ["a", "b"], "aws:Other": "b"}, YES),
        ("ForAnyValue:StringEquals", "${aws:Other}", {KEY: "a", "aws:Other": ["a", "b"]}, UNCLEAR),
        ("ForAnyValue:StringNotEquals", "${aws:Other}", {KEY: "a", "aws:Other": ["a", "b"]}, UNCLEAR),
        ("ForAnyValue:StringEqualsIfExists", "${aws:Other}", {}, UNCLEAR),
    ],
)
def test_variables_in_a_condition(
    operator: str, value: object, context: dict[str, ContextValue], expected: str
) -> None:
    assert judge({"Condition": {operator: {KEY: value}}}, context=context) == expected


@pytest.mark.parametrize("version", ["2008-10-17", None])
def test_old_versions_know_no_variables(version: str | None) -> None:
    condition = {"StringEquals": {KEY: "${aws:Other}"}}
    assert judge({"Condition": condition}, context={KEY: "a", "aws:Other": "a"}, version=version) == NO
    assert judge({"Condition": condition}, context={KEY: "${aws:Other}"}, version=version) == YES
    assert judge({"Resource": OWN}, context={KEY: "orders"}, version=version) == NO


def test_a_pattern_full_of_wildcards_is_answered_at_once() -> None:
    condition = {"StringLike": {KEY: "*a" * 500 + "b"}}
    assert judge({"Condition": condition}, context={KEY: "a" * 2000}) == NO
