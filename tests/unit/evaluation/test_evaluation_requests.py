"""What a request and a set of policies may be, and what they are refused for."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tableguard.evaluation import Policies, Request, evaluate
from tableguard.policy.errors import InvalidInputError

ROLE = "arn:aws:iam::111122223333:role/reader"
TABLE = "arn:aws:dynamodb:us-east-1:111122223333:table/orders"
GOOD: dict[str, Any] = {"principal": ROLE, "action": "dynamodb:GetItem", "resource": TABLE}


@pytest.mark.parametrize(
    "change",
    [
        {"principal": ""},
        {"principal": "reader"},
        {"principal": "*"},
        {"principal": "111122223333"},
        {"principal": None},
        {"principal": ["x"]},
        {"principal": "arn:aws:iam::1:role/reader"},
        {"principal": "arn:aws:iam::111122223333:role/*"},
        {"principal": "arn:aws:iam::111122223333:role/"},
        {"principal": "arn:aws:iam::111122223333:group/readers"},
        {"principal": "arn:aws:sts::111122223333:assumed-role/reader"},
        {"principal": "arn:aws:iam:us-east-1:111122223333:role/reader"},
        {"principal": "arn:aws:s3:::bucket"},
        {"principal": "arn:aws:iam::111122223333:role/" + "x" * 3000},
        {"action": "GetItem"},
        {"action": "dynamodb:*"},
        {"action": "dynamodb:Get?tem"},
        {"action": ""},
        {"action": None},
        {"resource": "orders"},
        {"resource": "arn:aws:dynamodb:us-east-1:111122223333:table/*"},
        {"resource": None},
        {"resource": "arn:aws:dynamodb:us-east-1"},
        {"resource_account": "1"},
        {"resource_account": "444455556666"},
        {"resource_account": 111122223333},
        {"context": []},
        {"context": {"aws:a": {"b": "c"}}},
        {"context": {"aws:a": [["b"]]}},
        {"context": {"aws:a": "1", "AWS:A": "2"}},
        {"context": {5: "1"}},
        {"context": {"aws:a": 10**5000}},
        {"time": dt.datetime(2027, 1, 31)},  # noqa: DTZ001 - the missing time zone is the point
        {"time": "2027-01-31"},
        {"federated_by": "foo"},
        {"management_account": "1"},
    ],
)
def test_a_request_that_makes_no_sense_is_refused_with_the_reason(change: dict[str, Any]) -> None:
    Request(**GOOD)
    with pytest.raises(InvalidInputError, match="Allowed: "):
        Request(**GOOD | change)


@pytest.mark.parametrize(
    "layers",
    [
        {"identity": {"Statement": []}},
        {"identity": "text"},
        {"boundary": None},
        {"service_control": [{"Statement": []}]},
        {"service_control": {"Statement": []}},
        {"resource_control": [None]},
    ],
)
def test_a_layer_of_the_wrong_shape_is_refused(layers: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match="list or tuple"):
        Policies(**layers)


def test_the_resources_account_is_taken_from_its_arn_or_from_the_caller() -> None:
    bucket = "arn:aws:s3:::example"
    everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    policies = Policies(identity=[everything])
    for resource, account, allowed in (
        (bucket, None, True),
        (bucket, "111122223333", True),
        (bucket, "444455556666", False),
        ("*", None, True),
        (TABLE, None, True),
        (TABLE.replace("111122223333", "444455556666"), None, False),
    ):
        request = Request(principal=ROLE, action="s3:GetObject", resource=resource, resource_account=account)
        assert evaluate(request, policies).allowed is allowed


def test_values_of_the_context_may_be_numbers_booleans_lists_or_nothing() -> None:
    condition = {
        "NumericEquals": {"aws:n": "7"},
        "Bool": {"aws:b": "true"},
        "ForAnyValue:StringEquals": {"aws:l": "x"},
        "Null": {"aws:none": "true", "aws:empty": "true"},
    }
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}
    context: dict[str, Any] = {"aws:n": 7, "aws:b": True, "aws:l": ("y", "x"), "aws:none": None, "aws:empty": []}
    request = Request(**GOOD, context=context)
    assert evaluate(request, Policies(identity=[{"Version": "2012-10-17", "Statement": statement}])).allowed
