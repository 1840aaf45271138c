"""Decisions over a picture: the policies of all sides, and the key's."""

from __future__ import annotations

from typing import Any

import pytest

from tableguard.evaluation import Layer, Request, evaluate
from tableguard.review.decide import ANY_IDENTITY, Verdict, decide
from tableguard.review.picture import Picture
from tests.unit.review.support import (
    CONSUMER,
    KEY,
    LOCAL,
    OWNER,
    READER,
    TABLE,
    VENDOR,
    allow,
    consumer,
    deny,
    document,
    picture,
    role,
    stack,
    table,
    to,
)

ROOT = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OWNER}:root"}, "Action": "kms:*", "Resource": "*"}
CONTEXT = "kms:EncryptionContext:aws:dynamodb:"
FORWARDED = {
    "StringEquals": {
        "kms:ViaService": "dynamodb.eu-west-1.amazonaws.com",
        f"{CONTEXT}tableName": "orders",
        f"{CONTEXT}subscriberId": OWNER,
        "aws:PrincipalArn": READER,
    },
    "DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"},
}


def decrypt(**more: Any) -> Any:
    return allow("kms:Decrypt", "*", **more)


def decided(found: Picture, principal: str = READER, action: str = "dynamodb:GetItem", **context: Any) -> Verdict:
    keys = {"aws:CurrentTime": "2026-11-21T12:00:00Z", **{key.replace("_", ":", 1): v for key, v in context.items()}}
    return decide(found, Request(principal=principal, action=action, resource=TABLE, context=keys))


def encrypted(key_statements: list[Any], consumers: list[Any], **more: Any) -> Picture:
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": document(*key_statements)}}
    sse = {"SSEEnabled": True, "KMSMasterKeyId": {"Ref": "Key"}}
    grant = to(READER, ["dynamodb:GetItem", "dynamodb:DescribeTable"], **more)
    return picture(stack(T=table(grant, SSESpecification=sse), Key=key), consumer(R=role(*consumers)))


BOTH = ["dynamodb:GetItem", "dynamodb:DescribeTable"]


@pytest.mark.parametrize(
    ("key_statements", "consumers", "allowed"),
    [
        ([ROOT, to(READER, "kms:Decrypt", Resource="*")], [allow(BOTH), decrypt()], True),
        ([ROOT], [allow(BOTH), decrypt()], False),
        ([ROOT, to(READER, "kms:Decrypt", Resource="*")], [allow(BOTH)], False),
        ([ROOT, to(READER, "kms:Decrypt", Resource="*")], [allow(BOTH), decrypt(), deny("kms:*", "*")], False),
    ],
    ids=["both", "no key policy", "no identity policy", "denied"],
)
def test_a_table_with_a_customer_managed_key_takes_the_keys_consent(
    key_statements: list[Any], consumers: list[Any], allowed: bool
) -> None:
    verdict = decided(encrypted(key_statements, consumers))
    assert verdict.decision.allowed
    assert verdict.allowed is allowed
    assert verdict.key is not None
    assert verdict.key_request is not None
    assert verdict.key_request.resource == KEY


def test_describing_a_table_needs_no_key() -> None:
    verdict = decided(encrypted([ROOT], [allow(BOTH)]), action="dynamodb:DescribeTable")
    assert verdict.allowed
    assert verdict.key is None


def test_dynamodb_tells_kms_which_table_it_is_for_and_who_asks_and_when() -> None:
    found = encrypted([ROOT, to(READER, "kms:Decrypt", Resource="*", Condition=FORWARDED)], [allow(BOTH), decrypt()])
    assert decided(found).allowed
    assert not decided(found, aws_CurrentTime="2028-01-01T00:00:00Z").allowed


@pytest.mark.parametrize("key", ["aws:SourceIp", "aws:SourceVpc", "aws:SourceVpce"])
def test_where_a_request_came_from_is_lost_on_the_way_to_kms(key: str) -> None:
    narrow = {"Null": {key: "false"}}
    found = encrypted([ROOT, to(READER, "kms:Decrypt", Resource="*", Condition=narrow)], [allow(BOTH), decrypt()])
    assert not decided(found, **{key.replace(":", "_"): "203.0.113.1"}).allowed


@pytest.mark.parametrize(
    ("key_statements", "own", "missing"),
    [
        ([ROOT], [allow(), decrypt()], None),
        ([ROOT], [allow()], Layer.IDENTITY),
        # Unlike elsewhere, an identity policy counts only where the key's policy leaves it to the account.
        ([to(READER, "kms:*", Resource="*")], [allow(), decrypt()], Layer.RESOURCE),
        ([to(LOCAL, "kms:Decrypt", Resource="*")], [allow()], None),
    ],
    ids=["delegated", "no identity policy", "not delegated", "named by the key"],
)
def test_inside_the_account_the_keys_policy_has_to_leave_it_to_identity_policies(
    key_statements: list[Any], own: list[Any], missing: Layer | None
) -> None:
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": document(*key_statements)}}
    sse = {"SSEEnabled": True, "KMSMasterKeyId": {"Ref": "Key"}}
    found = picture(stack(T=table(SSESpecification=sse), Key=key, L=role(*own, name="local")))
    verdict = decided(found, LOCAL)
    assert verdict.allowed is (missing is None)
    assert verdict.key is not None
    assert {reason.layer for reason in verdict.key.because if reason.effect is None} == (
        {missing} if missing else set()
    )


def test_a_key_without_a_policy_leaves_it_to_the_account() -> None:
    sse = {"SSEEnabled": True, "KMSMasterKeyId": {"Ref": "Key"}}
    key = {"Type": "AWS::KMS::Key", "Properties": {}}
    found = picture(stack(T=table(SSESpecification=sse), Key=key, L=role(allow(), decrypt(), name="local")))
    assert decided(found, LOCAL).allowed


def test_no_other_account_can_use_the_key_that_aws_manages() -> None:
    made = table(to(READER), to(LOCAL), SSESpecification={"SSEEnabled": True})
    found = picture(stack(T=made, L=role(allow(), name="local")), consumer(R=role(allow())))
    assert not decided(found).allowed
    assert decided(found, LOCAL).allowed


def test_a_key_that_stands_in_no_template_is_unknown() -> None:
    sse = {"SSEEnabled": True, "KMSMasterKeyId": KEY.replace("{Data.Key}", "1234")}
    found = picture(stack(T=table(to(READER), SSESpecification=sse)), consumer(R=role(allow())))
    assert decided(found).unknown_key == KEY.replace("{Data.Key}", "1234")


def test_the_own_side_of_somebody_outside_is_assumed_only_if_asked_for() -> None:
    found = picture(stack(T=table(to(READER))))
    request = Request(principal=READER, action="dynamodb:GetItem", resource=TABLE)
    assert not decide(found, request).allowed
    verdict = decide(found, request, outsider=ANY_IDENTITY)
    assert verdict.allowed
    assert verdict.assumed


def test_nothing_is_assumed_for_somebody_whom_the_picture_holds() -> None:
    found = picture(stack(T=table(to(READER))), consumer(R=role()))
    request = Request(principal=READER, action="dynamodb:GetItem", resource=TABLE)
    assert not decide(found, request, outsider=ANY_IDENTITY).allowed
    assert decide(found, request, outsider=ANY_IDENTITY, even_if_known=True).allowed


def test_every_layer_of_the_picture_has_its_say() -> None:
    endpoint = {
        "ServiceName": "com.amazonaws.eu-west-1.dynamodb",
        "PolicyDocument": document(allow("dynamodb:Query", "*", Principal="*")),
    }
    content = document(deny("dynamodb:GetItem", "*", Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}}))
    control = {"Type": "SERVICE_CONTROL_POLICY", "TargetIds": [CONSUMER], "Content": content}
    found = picture(
        stack(T=table(to(READER))),
        consumer(R=role(allow()), E={"Type": "AWS::EC2::VPCEndpoint", "Properties": endpoint}),
        stack("Org", "123412341234", P={"Type": "AWS::Organizations::Policy", "Properties": control}),
    )
    assert decided(found).allowed
    through = decided(found, aws_SourceVpce="{Consumer.E}")
    assert [reason.layer for reason in through.because] == [Layer.ENDPOINT]
    forbidden = decided(found, aws_SourceVpc="vpc-1")
    assert [reason.layer for reason in forbidden.because] == [Layer.SERVICE_CONTROL]


def test_what_is_assumed_of_a_federated_user_outside_includes_session_policies() -> None:
    found = picture(stack(T=table(to(VENDOR))))
    bob = f"arn:aws:sts::{VENDOR}:federated-user/bob"
    request = Request(principal=bob, action="dynamodb:GetItem", resource=TABLE)
    assert decide(found, request, outsider=ANY_IDENTITY).allowed
    assert evaluate(request, found.policies_for(request, identity=ANY_IDENTITY)).allowed
    assert not decide(found, request).allowed
