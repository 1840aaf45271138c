"""Condition operators, as IAM documents them: one row is one operator, its policy value, and a request's value."""

from __future__ import annotations

import base64

import pytest

from tableguard.evaluation import Outcome, Policies, Request, evaluate

ABSENT = None
KEY = "aws:TestKey"
TABLE = "arn:aws:dynamodb:us-east-1:111122223333:table/orders"
ROLE = "arn:aws:iam::111122223333:role/reader"
YES, NO, UNCLEAR = "yes", "no", "unclear"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


ROWS = [
    # Strings
    ("StringEquals", "a", "a", YES),
    ("StringEquals", "a", "A", NO),
    ("StringEquals", "a*", "ab", NO),
    ("StringEquals", "a*", "a*", YES),
    ("StringEquals", ["a", "b"], "b", YES),
    ("StringEquals", ["a", "b"], "c", NO),
    ("StringEquals", "a", ABSENT, NO),
    ("StringEquals", True, "true", YES),
    ("StringEquals", 10, "10", YES),
    ("StringNotEquals", "a", "b", YES),
    ("StringNotEquals", "a", "a", NO),
    ("StringNotEquals", ["a", "b"], "b", NO),
    ("StringNotEquals", ["a", "b"], "c", YES),
    ("StringNotEquals", "a", ABSENT, YES),
    ("StringEqualsIgnoreCase", "Admin", "aDMIN", YES),
    ("StringEqualsIgnoreCase", "Admin", "Adm", NO),
    ("StringEqualsIgnoreCase", "Admin", ABSENT, NO),
    ("StringNotEqualsIgnoreCase", "Admin", "aDMIN", NO),
    ("StringNotEqualsIgnoreCase", "Admin", "other", YES),
    ("StringNotEqualsIgnoreCase", "Admin", ABSENT, YES),
    ("StringEqualsIgnoreCase", "strasse", "stra\N{LATIN SMALL LETTER SHARP S}e", NO),
    ("StringEqualsIgnoreCase", "k", "\N{KELVIN SIGN}", NO),
    ("StringLike", "a*", "abc", YES),
    ("StringLike", "a*", "a", YES),
    ("StringLike", "a?c", "abc", YES),
    ("StringLike", "a?c", "ac", NO),
    ("StringLike", "*b*d*", "abcde", YES),
    ("StringLike", "*b*d*", "adcbe", NO),
    ("StringLike", "a*", "Abc", NO),
    ("StringLike", "ab*ba", "aba", NO),
    ("StringLike", "*ab*ba*", "abax", NO),
    ("StringLike", "*ab*ba*", "abba", YES),
    ("StringLike", "*?", "", NO),
    ("StringLike", "*", "", YES),
    ("StringLike", "a*", ABSENT, NO),
    ("StringNotLike", "a*", "abc", NO),
    ("StringNotLike", "a*", "b", YES),
    ("StringNotLike", "a*", ABSENT, YES),
    # Numbers
    ("NumericEquals", "10", "10.0", YES),
    ("NumericEquals", 10, 10, YES),
    ("NumericEquals", "10", "1e1", UNCLEAR),
    ("NumericEquals", "10", "11", NO),
    ("NumericEquals", "10", ABSENT, NO),
    ("NumericEquals", "10", "ten", UNCLEAR),
    ("NumericEquals", "900719925474099", "900719925474098", NO),
    ("NumericEquals", "9007199254740993", "9007199254740992", UNCLEAR),
    ("NumericEquals", "1e1", "10", UNCLEAR),
    ("NumericEquals", "+10", "10", UNCLEAR),
    ("NumericNotEquals", "10", "11", YES),
    ("NumericNotEquals", "10", "10", NO),
    ("NumericNotEquals", "10", ABSENT, YES),
    ("NumericNotEquals", "10", "ten", UNCLEAR),
    ("NumericLessThan", "10", "9", YES),
    ("NumericLessThan", "10", "10", NO),
    ("NumericLessThan", "10", "-11", YES),
    ("NumericLessThanEquals", "10", "10", YES),
    ("NumericLessThanEquals", "10", "10.01", NO),
    ("NumericGreaterThan", "10", "9", NO),
    ("NumericGreaterThan", "10", "100", YES),
    ("NumericGreaterThanEquals", "10", "10", YES),
    ("NumericGreaterThanEquals", "10", "9.99", NO),
    # Dates
    ("DateEquals", "2027-01-31", "2027-01-31T00:00:00Z", YES),
    ("DateEquals", "2027-01-31T01:00:00+01:00", "2027-01-31T00:00:00Z", YES),
    ("DateEquals", "2027-01-30T23:00:00-01:00", "2027-01-31T00:00:00Z", YES),
    ("DateEquals", "2027-01-01T00:00Z", "2027-01-01", YES),
    ("DateEquals", "2027", "2027-01-01T00:00Z", UNCLEAR),
    ("DateEquals", "2027-01", "2027-01-01", UNCLEAR),
    ("DateEquals", "2027-01-31T00:00:00", "2027-01-31T00:00:00Z", UNCLEAR),
    ("DateEquals", "1801353600.5", "1801353600", UNCLEAR),
    ("DateEquals", "1801353600", "2027-01-31T00:00:00Z", YES),
    ("DateEquals", 1801353600, "1801353600", YES),
    ("DateEquals", "2027-01-31", "2027-02-01", NO),
    ("DateNotEquals", "2027-01-31", "2027-02-01", YES),
    ("DateNotEquals", "2027-01-31", "2027-01-31", NO),
    ("DateNotEquals", "2027-01-31", ABSENT, YES),
    ("DateLessThan", "2027-01-31T00:00:00Z", "2027-01-30T23:59:59.999Z", YES),
    ("DateLessThan", "2027-01-31T00:00:00Z", "2027-01-31T00:00:00Z", NO),
    ("DateLessThan", "2027-01-31T00:00:00Z", "1801353599", YES),
    ("DateLessThan", "2027-01-31T00:00:00Z", ABSENT, NO),
    ("DateLessThan", "2027-01-31T00:00:00Z", "tomorrow", UNCLEAR),
    ("DateLessThan", "2027-01-31T00:00:00Z", "2027-02-30", UNCLEAR),
    ("DateLessThanEquals", "2027-01-31", "2027-01-31", YES),
    ("DateLessThanEquals", "2027-01-31", "2027-01-31T00:00:01Z", NO),
    ("DateGreaterThan", "2027-01-31", "2027-01-31T00:00:01Z", YES),
    ("DateGreaterThan", "2027-01-31", "2027-01-31", NO),
    ("DateGreaterThanEquals", "2027-01-31", "2027-01-31", YES),
    ("DateGreaterThanEquals", "2027-01-31", "2027-01-30", NO),
    # Booleans
    ("Bool", "true", "true", YES),
    ("Bool", "true", True, YES),
    ("Bool", False, "false", YES),
    ("Bool", "true", "TRUE", YES),
    ("Bool", "True", "true", UNCLEAR),
    ("Bool", ["true", "true"], "true", YES),
    ("Bool", ["true", "false"], "true", UNCLEAR),
    ("Bool", "true", "false", NO),
    ("Bool", "false", ABSENT, NO),
    ("Bool", "true", "yes", UNCLEAR),
    # Binary
    ("BinaryEquals", b64("key"), b64("key"), YES),
    ("BinaryEquals", b64("key"), b64("other"), NO),
    ("BinaryEquals", b64("key"), ABSENT, NO),
    ("BinaryEquals", b64("key"), "not base64!", UNCLEAR),
    # IP addresses
    ("IpAddress", "54.240.143.0/24", "54.240.143.7", YES),
    ("IpAddress", "54.240.143.0/24", "54.240.144.7", NO),
    ("IpAddress", "54.240.143.9/24", "54.240.143.7", YES),
    ("IpAddress", "54.240.143.7", "54.240.143.7", YES),
    ("IpAddress", "54.240.143.7", "54.240.143.8", NO),
    ("IpAddress", "0.0.0.0/0", "203.0.113.9", YES),
    ("IpAddress", "0.0.0.0/0", "2001:db8::1", NO),
    ("IpAddress", "0.0.0.0/0", "::1", NO),
    ("IpAddress", "10.0.0.1", "::a00:1", NO),
    ("IpAddress", "::/0", "203.0.113.9", NO),
    ("IpAddress", "2001:DB8::1/128", "2001:db8::1", YES),
    # AWS adds /32 to an address without a prefix.
    ("IpAddress", "2001:DB8::1", "2001:db8::1", UNCLEAR),
    ("NotIpAddress", "2001:DB8::1", "2001:db8::2", UNCLEAR),
    ("IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5678::9", YES),
    ("IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5679::9", NO),
    ("IpAddress", ["54.240.143.0/24", "2001:DB8::/32"], "2001:db8::9", YES),
    ("IpAddress", "54.240.143.0/24", ABSENT, NO),
    ("IpAddress", "54.240.143.0/24", "somewhere", UNCLEAR),
    ("NotIpAddress", "54.240.143.0/24", "54.240.143.7", NO),
    ("NotIpAddress", "54.240.143.0/24", "203.0.113.9", YES),
    ("NotIpAddress", "54.240.143.0/24", "2001:db8::1", YES),
    ("NotIpAddress", "2001:db8::/32", "54.240.143.7", YES),
    ("NotIpAddress", "54.240.143.0/24", ABSENT, YES),
    ("NotIpAddress", "54.240.143.0/24", "somewhere", UNCLEAR),
    # ARNs
    ("ArnEquals", "arn:aws:iam::111122223333:role/a", "arn:aws:iam::111122223333:role/a", YES),
    ("ArnEquals", "arn:aws:iam::111122223333:role/*", "arn:aws:iam::111122223333:role/x/y", YES),
    ("ArnLike", "arn:aws:iam::*:role/a", "arn:aws:iam::111122223333:role/a", YES),
    ("ArnLike", "arn:aws:iam::1111*:role/?", "arn:aws:iam::111122223333:role/a", YES),
    ("ArnLike", "arn:aws:*:role/a", "arn:aws:iam::111122223333:role/a", UNCLEAR),
    ("ArnLike", "arn:*:iam:*:*:role/a", "arn:aws:iam::111122223333:role/a", YES),
    ("ArnLike", "arn:aws:iam::*:a", "arn:aws:iam::1:b:a", NO),
    ("ArnLike", "arn:aws:sns:*:*:*", "arn:aws:sns:us-east-1:111122223333:topic:sub", YES),
    ("ArnLike", "arn:aws:iam::*:role/a", "arn:aws:iam::111122223333:role/A", NO),
    ("ArnLike", "arn:aws:iam::*:role/a", "no arn", NO),
    ("ArnLike", "*", "arn:aws:iam::111122223333:role/a", YES),
    ("ArnLike", "arn:aws:iam::*:role/a", ABSENT, NO),
    ("ArnNotEquals", "arn:aws:iam::*:role/a", "arn:aws:iam::111122223333:role/a", NO),
    ("ArnNotLike", "arn:aws:iam::*:role/a", "arn:aws:iam::111122223333:role/b", YES),
    ("ArnNotLike", "arn:aws:iam::*:role/a", "no arn", YES),
    ("ArnNotLike", "arn:aws:iam::*:role/a", ABSENT, YES),
    # Null
    ("Null", "true", ABSENT, YES),
    ("Null", "true", "x", NO),
    ("Null", True, [], YES),
    ("Null", "false", "x", YES),
    ("Null", False, ABSENT, NO),
    ("Null", ["false", False], "x", YES),
    ("Null", ["true", "false"], ABSENT, UNCLEAR),
    ("Null", "True", ABSENT, UNCLEAR),
    ("Null", [], ABSENT, UNCLEAR),
    ("Null", "true", "", UNCLEAR),
    ("Null", "false", "", UNCLEAR),
    ("Null", "false", ["", ""], UNCLEAR),
    ("Null", "false", ["", "x"], YES),
    # "Always return a true or false respectively" (IAM Access Analyzer policy check reference, "Null with qualifier").
    ("ForAllValues:Null", "true", "x", YES),
    ("ForAllValues:Null", "false", ABSENT, YES),
    ("ForAnyValue:Null", "true", ABSENT, NO),
    ("ForAnyValue:Null", "false", "x", NO),
    ("ForAllValues:Null", "maybe", "x", UNCLEAR),
    # ...IfExists
    ("StringEqualsIfExists", "a", ABSENT, YES),
    ("StringEqualsIfExists", "a", "a", YES),
    ("StringEqualsIfExists", "a", "b", NO),
    ("StringNotEqualsIfExists", "a", ABSENT, YES),
    ("StringNotEqualsIfExists", "a", "a", NO),
    ("NumericLessThanIfExists", "10", ABSENT, YES),
    ("DateLessThanIfExists", "2027-01-31", ABSENT, YES),
    ("BoolIfExists", "true", ABSENT, YES),
    ("BoolIfExists", "true", "false", NO),
    ("BinaryEqualsIfExists", b64("key"), ABSENT, YES),
    ("IpAddressIfExists", "54.240.143.0/24", ABSENT, YES),
    ("IpAddressIfExists", "54.240.143.0/24", "203.0.113.9", NO),
    ("ArnLikeIfExists", "arn:aws:iam::*:role/a", ABSENT, YES),
    # Sets
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "b"], YES),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], NO),
    ("ForAllValues:StringEquals", ["a", "b"], ABSENT, YES),
    ("ForAllValues:StringEquals", ["a", "b"], "", YES),
    ("ForAllValues:StringEquals", ["a", "b"], ["", ""], YES),
    ("ForAllValues:StringEquals", ["a", "b"], ["", "c"], NO),
    ("ForAllValues:StringEquals", ["a", "b"], ["", "a"], UNCLEAR),
    ("ForAllValues:StringEquals", ["a", ""], ["", "a"], YES),
    ("ForAllValues:StringNotEquals", ["a", ""], ["", "b"], UNCLEAR),
    ("ForAllValues:StringNotEquals", ["a"], ["", "b"], YES),
    ("ForAllValues:StringEqualsIfExists", ["a"], ABSENT, YES),
    ("ForAllValues:StringEqualsIfExists", ["a"], ["a", "b"], NO),
    ("ForAllValues:StringNotEqualsIfExists", ["a"], ABSENT, YES),
    ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "d"], YES),
    ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "a"], NO),
    ("ForAllValues:StringNotEquals", ["a", "b"], ABSENT, YES),
    ("ForAllValues:StringLike", ["u1-*"], ["u1-x", "u1-y"], YES),
    ("ForAllValues:StringLike", ["u1-*"], ["u1-x", "u2-y"], NO),
    ("ForAllValues:NumericLessThan", "10", ["9", "ten"], UNCLEAR),
    ("ForAllValues:NumericLessThan", "10", ["11", "ten"], NO),
    ("ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], YES),
    ("ForAnyValue:StringEquals", ["a", "b"], ["c", "d"], NO),
    ("ForAnyValue:StringEquals", ["a", "b"], ABSENT, NO),
    ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "c"], YES),
    ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "b"], NO),
    ("ForAnyValue:StringNotEquals", ["a", "b"], ABSENT, NO),
    ("ForAnyValue:StringEqualsIfExists", ["a"], ABSENT, UNCLEAR),
    ("ForAnyValue:StringNotEqualsIfExists", ["a"], ABSENT, UNCLEAR),
    ("ForAnyValue:NumericLessThanIfExists", "10", ABSENT, UNCLEAR),
    ("ForAnyValue:StringEqualsIfExists", ["a"], ["b", "a"], YES),
    ("ForAnyValue:StringEqualsIfExists", ["a"], ["b", "c"], NO),
    ("ForAnyValue:StringLike", "*", "", UNCLEAR),
    ("ForAnyValue:StringEquals", "a", "", NO),
    ("ForAnyValue:StringNotEquals", "a", ["", "a"], UNCLEAR),
    ("ForAnyValue:StringNotEquals", "a", ["", "b"], YES),
    ("ForAnyValue:StringLike", ["o-1/r-1/*"], ["o-2/x", "o-1/r-1/ou-1/"], YES),
    ("ForAnyValue:NumericLessThan", "10", ["9", "ten"], YES),
    ("ForAnyValue:NumericLessThan", "10", ["11", "ten"], UNCLEAR),
    # No value to compare with
    ("StringEquals", [], "a", UNCLEAR),
    ("StringEquals", [], ABSENT, UNCLEAR),
    ("StringNotEquals", [], "a", UNCLEAR),
    ("StringEqualsIfExists", [], ABSENT, YES),
    ("StringEqualsIfExists", [], "a", NO),
    ("StringNotEqualsIfExists", [], ABSENT, YES),
    ("StringNotEqualsIfExists", [], "a", UNCLEAR),
    ("ForAllValues:StringEquals", [], ABSENT, YES),
    ("ForAllValues:StringEquals", [], "a", NO),
    ("ForAllValues:StringNotEquals", [], "a", UNCLEAR),
    ("ForAnyValue:StringEquals", [], ABSENT, NO),
    ("ForAnyValue:StringEquals", [], ["a", "b"], NO),
    ("ForAnyValue:StringNotEquals", [], "a", UNCLEAR),
    ("ForAnyValue:StringEqualsIfExists", [], ABSENT, UNCLEAR),
    ("ForAnyValue:StringEqualsIfExists", [], "a", NO),
    # Empty text: a value like others for an operator without a prefix ("Condition operators", the example of s3:prefix)
    ("StringEquals", "", "", YES),
    ("StringLike", ["", "home/"], "", YES),
    ("StringNotEquals", "", "", NO),
    # One value of a key that holds one, with a set operator: a set of one ("depends on the number of values")
    ("ForAllValues:StringEquals", "a", "a", YES),
    ("ForAnyValue:StringEquals", "a", "b", NO),
    # Several values without a set operator: documented nowhere
    ("StringEquals", "a", ["a", "b"], UNCLEAR),
    ("StringNotEquals", "a", ["b", "c"], UNCLEAR),
    ("StringEquals", "a", ["a"], YES),
]


def request(value: object) -> Request:
    return Request(principal=ROLE, action="dynamodb:GetItem", resource=TABLE, context={KEY: value})  # type: ignore[dict-item]


def statement(effect: str, condition: object = None) -> dict[str, object]:
    made: dict[str, object] = {"Effect": effect, "Action": "dynamodb:GetItem", "Resource": TABLE}
    return made if condition is None else {**made, "Condition": condition}


def document(*statements: object) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.mark.parametrize(("operator", "policy_value", "request_value", "expected"), ROWS)
def test_an_allow_grants_only_where_its_condition_clearly_holds(
    operator: str, policy_value: object, request_value: object, expected: str
) -> None:
    policies = Policies(identity=[document(statement("Allow", {operator: {KEY: policy_value}}))])
    decision = evaluate(request(request_value), policies)
    assert decision.outcome is (Outcome.ALLOWED if expected == YES else Outcome.IMPLICITLY_DENIED)
    assert decision.understood is (expected != UNCLEAR)


@pytest.mark.parametrize(("operator", "policy_value", "request_value", "expected"), ROWS)
def test_a_deny_denies_unless_its_condition_clearly_fails(
    operator: str, policy_value: object, request_value: object, expected: str
) -> None:
    deny = statement("Deny", {operator: {KEY: policy_value}})
    decision = evaluate(request(request_value), Policies(identity=[document(statement("Allow"), deny)]))
    assert decision.outcome is (Outcome.ALLOWED if expected == NO else Outcome.EXPLICITLY_DENIED)
    assert decision.understood is (expected != UNCLEAR)


def test_all_operators_and_all_keys_of_a_condition_have_to_hold() -> None:
    condition = {"StringEquals": {"aws:a": "1", "aws:b": "2"}, "Bool": {"aws:c": "true"}}
    policies = Policies(identity=[document(statement("Allow", condition))])
    good = {"aws:a": "1", "aws:b": "2", "aws:c": "true"}
    for context, allowed in [
        (good, True),
        ({**good, "aws:a": "2"}, False),
        ({**good, "aws:b": "1"}, False),
        ({**good, "aws:c": "false"}, False),
    ]:
        asked = Request(principal=ROLE, action="dynamodb:GetItem", resource=TABLE, context=context)
        assert evaluate(asked, policies).allowed is allowed


def test_condition_keys_are_compared_without_regard_to_case() -> None:
    policies = Policies(identity=[document(statement("Allow", {"StringEquals": {"AWS:sourcevpce": "vpce-1"}}))])
    asked = Request(principal=ROLE, action="dynamodb:GetItem", resource=TABLE, context={"aws:SourceVpce": "vpce-1"})
    assert evaluate(asked, policies).allowed


@pytest.mark.parametrize("context", [{}, {"aws:SecureTransport": "false"}])
def test_nothing_is_invented_about_the_connection_or_the_time(context: dict[str, str]) -> None:
    for condition in (
        {"Bool": {"aws:SecureTransport": "true"}},
        {"DateGreaterThan": {"aws:CurrentTime": "2000-01-01"}},
        {"NumericGreaterThan": {"aws:EpochTime": "0"}},
    ):
        asked = Request(principal=ROLE, action="dynamodb:GetItem", resource=TABLE, context=context)
        assert not evaluate(asked, Policies(identity=[document(statement("Allow", condition))])).allowed
