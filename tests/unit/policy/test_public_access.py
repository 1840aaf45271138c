"""Which statements are public: refused by Block Public Access, or let through by accident."""

from __future__ import annotations

from typing import Any

import pytest

from tableguard.policy import (
    Access,
    Account,
    AwsService,
    Organization,
    OrganizationalUnit,
    PermissionSet,
    Principal,
    PublicPolicyError,
    Role,
    TableGrant,
    check_not_public,
    document,
)
from tests.unit.policy.support import ORDERS, PARTNER, TOKEN

ROLE = f"arn:aws:iam::{PARTNER}:role/reader"
REFUSED = "allows everybody; Block Public Access refuses it."
NETWORK = "allows a network's callers: Block Public Access lets it pass, yet any account may have callers there."
SERVICE = "allows calls by AWS services for everybody: Block Public Access lets it pass, yet anybody drives them."


def policy(principal: object = "*", *, effect: str = "Allow", element: str = "Principal", **condition: Any) -> Any:
    statement = {"Effect": effect, element: principal, "Action": "dynamodb:GetItem", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement | ({"Condition": condition} if condition else {})]}


def equals(key: str, *values: object, operator: str = "StringEquals") -> Any:
    conditions: dict[str, Any] = {operator: {key: list(values) if len(values) != 1 else values[0]}}
    return policy(**conditions)


def joined(*parts: object) -> dict[str, object]:
    return {"Fn::Join": ["", list(parts)]}


ROOT_OF_ALL = joined("arn:", {"Ref": "AWS::Partition"}, ":iam::*:root")
ANY_ROLE = joined("arn:", {"Ref": "AWS::Partition"}, f":iam::{PARTNER}:role/*")
ONE_ROLE = joined("arn:", {"Ref": "AWS::Partition"}, f":iam::{PARTNER}:role/reader")

PUBLIC: dict[str, tuple[Any, str]] = {
    "everybody": (policy(), REFUSED),
    "everybody as AWS": (policy({"AWS": "*"}), REFUSED),
    "everybody among others": (policy({"AWS": [PARTNER, "*"]}), REFUSED),
    "everybody of another kind": (policy({"Federated": "*"}), REFUSED),
    "a pattern of accounts": (policy({"AWS": "arn:aws:iam::*:root"}), REFUSED),
    "a pattern inside a function": (policy({"AWS": ROOT_OF_ALL}), REFUSED),
    "everybody but somebody": (
        policy({"AWS": PARTNER}, element="NotPrincipal"),
        "allows everybody but the principals it names, so it is public.",
    ),
    "one statement, not in a list": ({"Statement": policy()["Statement"][0]}, REFUSED),
    "a network address": (equals("aws:SourceIp", "192.0.2.0/24", operator="IpAddress"), REFUSED),
    "a pattern of ARNs": (equals("aws:PrincipalArn", f"arn:aws:iam::{PARTNER}:role/*", operator="ArnLike"), REFUSED),
    "a pattern of one character": (equals("aws:PrincipalAccount", "11112222333?", operator="StringLike"), REFUSED),
    "a pattern beside a fixed value": (equals("aws:PrincipalArn", ROLE, "*", operator="ArnLike"), REFUSED),
    "a pattern of ARNs inside a function": (equals("aws:PrincipalArn", ANY_ROLE, operator="ArnLike"), REFUSED),
    "a pattern inside Fn::Sub": (
        equals("aws:PrincipalArn", {"Fn::Sub": "arn:${AWS::Partition}:iam::111122223333:role/*"}, operator="ArnLike"),
        REFUSED,
    ),
    "a variable inside Fn::Sub": (
        equals("aws:PrincipalArn", {"Fn::Sub": ["${a}${!aws:ResourceAccount}", {"a": "b"}]}, operator="ArnLike"),
        REFUSED,
    ),
    "a policy variable": (equals("aws:PrincipalAccount", "${aws:ResourceAccount}"), REFUSED),
    "a policy variable inside a function": (
        equals("aws:PrincipalAccount", joined("${aws:", "ResourceAccount}")),
        REFUSED,
    ),
    "a condition that holds when the key is absent": (
        equals("aws:PrincipalOrgID", "o-a1b2c3d4e5", operator="StringEqualsIfExists"),
        REFUSED,
    ),
    "all values of an absent key": (
        equals("aws:PrincipalOrgPaths", "o-a1b2c3d4e5/r-ab12/", operator="ForAllValues:StringEquals"),
        REFUSED,
    ),
    "a negation": (equals("aws:PrincipalOrgID", "o-a1b2c3d4e5", operator="StringNotEquals"), REFUSED),
    "a null test": (equals("aws:PrincipalOrgID", "false", operator="Null"), REFUSED),
    "no value": (policy(StringEquals={"aws:PrincipalOrgID": []}), REFUSED),
    "a condition that holds no keys": (policy(StringEquals="aws:PrincipalOrgID"), REFUSED),
    "an unrelated key": (equals("aws:PrincipalTag/team", "alfa"), REFUSED),
    "callers that are no service": (equals("aws:PrincipalIsAWSService", "false", operator="Bool"), REFUSED),
    "a VPC": (equals("aws:SourceVpc", "vpc-1a2b3c4d"), NETWORK),
    "an endpoint": (equals("aws:SourceVpce", "vpce-1a2b3c4d"), NETWORK),
    "an instance's VPC": (equals("aws:Ec2InstanceSourceVpc", "vpc-1a2b3c4d"), NETWORK),
    **{
        f"a service, by {key}": (equals(key, value), SERVICE)
        for key, value in {
            "aws:SourceAccount": PARTNER,
            "aws:SourceArn": f"arn:aws:s3:::{PARTNER}",
            "aws:SourceOrgID": "o-a1b2c3d4e5",
            "aws:SourceOrgPaths": "o-a1b2c3d4e5/r-ab12/",
            "aws:PrincipalServiceName": "glue.amazonaws.com",
            "aws:PrincipalServiceNamesList": "glue.amazonaws.com",
        }.items()
    },
    "any service": (policy(Bool={"aws:PrincipalIsAWSService": True}), SERVICE),
    "any service, as text": (equals("aws:PrincipalIsAWSService", "true", operator="Bool"), SERVICE),
    "the second of two statements": (
        {"Statement": [policy(PARTNER)["Statement"][0], policy()["Statement"][0]]},
        f"statement 1 of the policy of orders {REFUSED}",
    ),
}


@pytest.mark.parametrize(("document_", "problem"), PUBLIC.values(), ids=PUBLIC.keys())
def test_a_public_statement_is_refused(document_: Any, problem: str) -> None:
    with pytest.raises(PublicPolicyError) as caught:
        check_not_public(document_, owner="orders")
    message = str(caught.value)
    assert isinstance(caught.value, ValueError)
    assert problem in message
    assert message.startswith("statement ")
    assert " of the policy of orders " in message
    assert "Allowed: named principals, or everybody limited by a fixed value of aws:PrincipalArn" in message
    assert message.endswith("Use a TableGrant to an Account, a Role or an Organization.")


CLOSED = {
    "an account": policy({"AWS": PARTNER}),
    "several principals": policy({"AWS": [PARTNER, ROLE]}),
    "an account that only the deployment knows": policy({"AWS": {"Ref": "Account"}}),
    "a role by function": policy({"AWS": ONE_ROLE}),
    "a service": policy({"Service": "glue.amazonaws.com"}),
    "a denial of everybody": policy(effect="Deny"),
    "a denial of everybody else": policy({"AWS": PARTNER}, effect="Deny", element="NotPrincipal"),
    "a statement of an identity": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
    "no statement": {"Version": "2012-10-17"},
    "an organization": equals("aws:PrincipalOrgID", "o-a1b2c3d4e5"),
    "a key in another case": equals("AWS:principalorgid", "o-a1b2c3d4e5"),
    "an operator in another case": equals("aws:PrincipalOrgID", "o-a1b2c3d4e5", operator="stringEquals"),
    "accounts": equals("aws:PrincipalAccount", PARTNER, "111122223333"),
    "an account as a number": equals("aws:PrincipalAccount", 222233334444),
    "a role": equals("aws:PrincipalArn", ROLE, operator="ArnEquals"),
    "a role, like": equals("aws:PrincipalArn", ROLE, operator="ArnLike"),
    "a role, by function": equals("aws:PrincipalArn", ONE_ROLE, operator="ArnLike"),
    "a role, by Fn::Sub": equals("aws:PrincipalArn", {"Fn::Sub": "${Role.Arn}"}, operator="ArnLike"),
    "a role that only the deployment knows": equals("aws:PrincipalArn", TOKEN, operator="ArnLike"),
    "a user": equals("aws:userid", "AIDAEXAMPLE"),
    "a unit": equals("aws:PrincipalOrgPaths", "o-a1b2c3d4e5/r-ab12/", operator="ForAnyValue:StringEquals"),
    "a unit, like": equals("aws:PrincipalOrgPaths", "o-a1b2c3d4e5/r-ab12/", operator="ForAnyValue:StringLike"),
    "a VPC of an organization": policy(
        StringEquals={"aws:SourceVpc": "vpc-1a2b3c4d", "aws:PrincipalOrgID": "o-a1b2c3d4e5"}
    ),
}


@pytest.mark.parametrize("document_", CLOSED.values(), ids=CLOSED.keys())
def test_a_closed_policy_passes(document_: Any) -> None:
    check_not_public(document_, owner="orders")


@pytest.mark.parametrize(
    "principal",
    [
        Account(PARTNER),
        Role(account=PARTNER, name="reader"),
        PermissionSet(account=PARTNER, name="Data"),
        AwsService(service="glue.amazonaws.com", source_account=PARTNER),
        Organization("o-a1b2c3d4e5"),
        OrganizationalUnit("o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/"),
    ],
)
def test_no_grant_renders_a_public_policy(principal: Principal) -> None:
    grant = TableGrant(principal, Access.READ | Access.STREAM, reason="a test")
    for statements in (grant.table_statements, grant.stream_statements, grant.key_statements):
        check_not_public(document(statements(ORDERS)), owner="orders")
