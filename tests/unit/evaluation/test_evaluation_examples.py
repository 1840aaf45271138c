"""Scenarios 10 to 12 and 35, with the names and numbers they are told with."""

from __future__ import annotations

import pytest

from tableguard.evaluation import ContextValue, Outcome, Policies, Request, evaluate

TRUSTED = "111122223333"
OWNER = "444455556666"
TABLE = f"arn:aws:dynamodb:us-east-1:{OWNER}:table/rbac-central-table"
STREAM = f"{TABLE}/stream/2026-11-21T10:00:00.000"
ANYTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}}


def user(name: str, account: str = TRUSTED) -> str:
    return f"arn:aws:iam::{account}:user/{name}"


def decide(
    resource: object, principal: str, action: str, arn: str = TABLE, context: dict[str, ContextValue] | None = None
) -> Outcome:
    request = Request(principal=principal, action=f"dynamodb:{action}", resource=arn, context=context or {})
    return evaluate(request, Policies(identity=[ANYTHING], resource=resource)).outcome


USERS = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"AWS": [user("foo"), user("foobar")]},
        "Action": "dynamodb:GetItem",
        "Resource": TABLE,
    },
}


@pytest.mark.parametrize(
    ("principal", "action", "arn", "allowed"),
    [
        (user("foo"), "GetItem", TABLE, True),
        (user("foobar"), "GetItem", TABLE, True),
        (user("foob"), "GetItem", TABLE, False),
        (user("foo", "777788889999"), "GetItem", TABLE, False),
        (user("foo"), "PutItem", TABLE, False),
        (user("foo"), "GetItem", TABLE + "2", False),
        (user("foo"), "GetItem", TABLE.replace("us-east-1", "eu-west-1"), False),
    ],
)
def test_users_foo_and_foobar_may_get_items_of_the_central_table(
    principal: str, action: str, arn: str, allowed: bool
) -> None:
    assert (decide(USERS, principal, action, arn) is Outcome.ALLOWED) is allowed


ADMIN = f"arn:aws:iam::{TRUSTED}:role/Admin"
STREAM_POLICY = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"AWS": ADMIN},
        "Action": ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
        "Resource": f"{TABLE}/stream/*",
    },
}


@pytest.mark.parametrize(
    ("principal", "action", "arn", "allowed"),
    [
        (ADMIN, "DescribeStream", STREAM, True),
        (ADMIN, "GetRecords", STREAM, True),
        (ADMIN, "GetShardIterator", STREAM, True),
        (ADMIN, "GetItem", STREAM, False),
        (ADMIN, "GetRecords", TABLE, False),
        (f"arn:aws:sts::{TRUSTED}:assumed-role/Admin/monday", "GetRecords", STREAM, True),
        (f"arn:aws:sts::{TRUSTED}:assumed-role/Admin2/monday", "GetRecords", STREAM, False),
    ],
)
def test_role_admin_may_read_the_stream(principal: str, action: str, arn: str, allowed: bool) -> None:
    assert (decide(STREAM_POLICY, principal, action, arn) is Outcome.ALLOWED) is allowed


@pytest.mark.parametrize(
    ("pattern", "arn", "allowed"),
    [
        (f"{TABLE}/index/by-date", f"{TABLE}/index/by-date", True),
        (f"{TABLE}/index/by-date", f"{TABLE}/index/by-name", False),
        (f"{TABLE}/index/*", f"{TABLE}/index/by-name", True),
        (f"{TABLE}/index/*", TABLE, False),
        (TABLE, f"{TABLE}/index/by-name", False),
    ],
)
def test_indexes_are_granted_one_by_one_or_all_together(pattern: str, arn: str, allowed: bool) -> None:
    granted: dict[str, object] = {"Effect": "Allow", "Principal": {"AWS": user("foo")}, "Action": "dynamodb:Query"}
    policy = {"Version": "2012-10-17", "Statement": {**granted, "Resource": pattern}}
    assert (decide(policy, user("foo"), "Query", arn) is Outcome.ALLOWED) is allowed


PRODUCTS = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"AWS": user("foo")},
        "Action": "dynamodb:Query",
        "Resource": TABLE,
        "Condition": {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": "ProductCatalog-*"},
            "ForAllValues:StringEquals": {"dynamodb:Attributes": ["ProductName", "Inventory", "DueDate"]},
            "StringEquals": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
            "Null": {"dynamodb:LeadingKeys": "false", "dynamodb:Attributes": "false"},
        },
    },
}
GOOD: dict[str, ContextValue] = {
    "dynamodb:LeadingKeys": ["ProductCatalog-7"],
    "dynamodb:Attributes": ["ProductName", "DueDate"],
    "dynamodb:Select": "SPECIFIC_ATTRIBUTES",
}


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ({}, True),
        ({"dynamodb:LeadingKeys": ["ProductCatalog-7", "ProductCatalog-8"]}, True),
        ({"dynamodb:LeadingKeys": ["ProductCatalog-7", "Salaries-1"]}, False),
        ({"dynamodb:LeadingKeys": None}, False),
        ({"dynamodb:LeadingKeys": []}, False),
        ({"dynamodb:Attributes": ["ProductName", "Price"]}, False),
        ({"dynamodb:Attributes": None}, False),
        ({"dynamodb:Select": "ALL_ATTRIBUTES"}, False),
        ({"dynamodb:Select": None}, False),
    ],
)
def test_user_foo_may_query_products_and_three_attributes_only(change: dict[str, ContextValue], allowed: bool) -> None:
    assert (decide(PRODUCTS, user("foo"), "Query", context=GOOD | change) is Outcome.ALLOWED) is allowed


NETWORKS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": TRUSTED},
            "Action": "dynamodb:GetItem",
            "Resource": TABLE,
            "Condition": {"IpAddress": {"aws:SourceIp": ["54.240.143.0/24", "2001:DB8:1234:5678::/64"]}},
        }
    ],
}
ENDPOINT_ONLY = {
    "Version": "2012-10-17",
    "Statement": [
        {**ANYTHING["Statement"], "Principal": {"AWS": TRUSTED}},  # type: ignore[dict-item]
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "dynamodb:*",
            "Resource": TABLE,
            "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}},
        },
    ],
}


@pytest.mark.parametrize(
    ("policy", "context", "expected"),
    [
        (NETWORKS, {"aws:SourceIp": "54.240.143.17"}, Outcome.ALLOWED),
        (NETWORKS, {"aws:SourceIp": "2001:db8:1234:5678::17"}, Outcome.ALLOWED),
        (NETWORKS, {"aws:SourceIp": "54.240.142.17"}, Outcome.IMPLICITLY_DENIED),
        (NETWORKS, {"aws:SourceIp": "2001:db8:1234:5679::17"}, Outcome.IMPLICITLY_DENIED),
        (NETWORKS, {}, Outcome.IMPLICITLY_DENIED),
        (ENDPOINT_ONLY, {"aws:SourceVpce": "vpce-1a2b3c4d"}, Outcome.ALLOWED),
        (ENDPOINT_ONLY, {"aws:SourceVpce": "vpce-1a2b3c4e"}, Outcome.EXPLICITLY_DENIED),
        (ENDPOINT_ONLY, {"aws:SourceIp": "54.240.143.17"}, Outcome.EXPLICITLY_DENIED),
    ],
)
def test_where_a_request_comes_from_decides(
    policy: object, context: dict[str, ContextValue], expected: Outcome
) -> None:
    assert decide(policy, user("foo"), "GetItem", context=context) is expected


OWN_ITEMS = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"AWS": TRUSTED},
        "Action": "dynamodb:GetItem",
        "Resource": TABLE,
        "Condition": {
            "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": "${aws:PrincipalTag/tenant}"},
            "Null": {"dynamodb:LeadingKeys": "false"},
        },
    },
}


@pytest.mark.parametrize(
    ("context", "allowed"),
    [
        ({"aws:PrincipalTag/tenant": "alfa", "dynamodb:LeadingKeys": ["alfa"]}, True),
        ({"aws:PrincipalTag/tenant": "alfa", "dynamodb:LeadingKeys": ["bravo"]}, False),
        ({"aws:PrincipalTag/tenant": "*", "dynamodb:LeadingKeys": ["bravo"]}, False),
        ({"dynamodb:LeadingKeys": ["alfa"]}, False),
    ],
)
def test_a_tenant_reaches_the_items_under_its_own_key_only(context: dict[str, ContextValue], allowed: bool) -> None:
    assert (decide(OWN_ITEMS, user("foo"), "GetItem", context=context) is Outcome.ALLOWED) is allowed
