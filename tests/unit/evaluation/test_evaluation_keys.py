"""KMS keys: inside a key's account, identity policies count only where the key's policy leaves it to them."""

from __future__ import annotations

from typing import Any

import pytest

from tableguard.evaluation import ContextValue, Decision, Layer, Policies, Request, evaluate

OWNER = "111122223333"
OTHER = "444455556666"
READER = f"arn:aws:iam::{OWNER}:role/reader"
ROOT = f"arn:aws:iam::{OWNER}:root"
KEY = f"arn:aws:kms:us-east-1:{OWNER}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ALIAS = f"arn:aws:kms:us-east-1:{OWNER}:alias/orders"
TABLE = f"arn:aws:dynamodb:us-east-1:{OWNER}:table/orders"
VIA = "kms:ViaService"
DYNAMODB = "dynamodb.us-east-1.amazonaws.com"
ACTIONS = ["kms:Decrypt", "dynamodb:GetItem"]


def statement(principal: str | None = None, **more: Any) -> dict[str, Any]:
    named = {} if principal is None else {"Principal": {"AWS": principal}}
    return {"Effect": "Allow", "Action": ACTIONS, "Resource": "*", **named, **more}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def decided(
    *key_policy: dict[str, Any],
    principal: str = READER,
    resource: str = KEY,
    own: bool = True,
    context: dict[str, ContextValue] | None = None,
    **layers: Any,
) -> Decision:
    action = "kms:Decrypt" if ":kms:" in resource else "dynamodb:GetItem"
    identity = [document(statement())] if own else []
    policies = Policies(identity=identity, resource=document(*key_policy) if key_policy else None, **layers)
    return evaluate(Request(principal=principal, action=action, resource=resource, context=context or {}), policies)


def silent(decision: Decision) -> list[Layer]:
    return [reason.layer for reason in decision.because if reason.effect is None]


@pytest.mark.parametrize(
    ("key_policy", "allowed"),
    [
        ([statement(ROOT)], True),
        ([statement(OWNER)], True),
        ([statement(ROOT, Action="kms:*")], True),
        ([statement(ROOT, Action="kms:Encrypt")], False),
        ([statement(ROOT, Condition={"StringEquals": {VIA: DYNAMODB}})], True),
        ([statement(ROOT, Condition={"StringEquals": {VIA: "s3.us-east-1.amazonaws.com"}})], False),
        ([statement(OTHER)], False),
        ([statement(f"arn:aws:iam::{OWNER}:role/writer")], False),
        ([statement(f"arn:aws:iam::{OWNER}:role/writer"), statement(ROOT)], True),
        ([], False),
    ],
    ids=[
        "the root's ARN",
        "the account's id",
        "all actions",
        "another action",
        "a condition that holds",
        "a condition that does not hold",
        "another account",
        "another role",
        "another role and the account",
        "no policy",
    ],
)
def test_an_identity_policy_counts_only_where_the_keys_policy_leaves_it_to_the_account(
    key_policy: list[dict[str, Any]], allowed: bool
) -> None:
    decision = decided(*key_policy, context={VIA: DYNAMODB})
    assert decision.allowed is allowed
    assert silent(decision) == ([] if allowed else [Layer.RESOURCE])


@pytest.mark.parametrize("own", [True, False])
def test_leaving_it_to_the_account_grants_nothing_by_itself(own: bool) -> None:
    decision = decided(statement(ROOT), own=own)
    assert decision.allowed is own
    assert silent(decision) == ([] if own else [Layer.IDENTITY])


def test_without_either_side_both_are_missing() -> None:
    assert silent(decided(own=False)) == [Layer.RESOURCE, Layer.IDENTITY]


def test_the_reasons_name_the_grant_first_and_then_the_keys_consent() -> None:
    decision = decided(statement(ROOT, Sid="Delegates"))
    assert [(reason.layer, reason.sid) for reason in decision.because] == [
        (Layer.IDENTITY, None),
        (Layer.RESOURCE, "Delegates"),
    ]


@pytest.mark.parametrize(("named", "allowed"), [(READER, True), (f"{READER}-2", False)])
def test_the_keys_policy_can_name_a_principal_without_an_identity_policy(named: str, allowed: bool) -> None:
    assert decided(statement(named), own=False).allowed is allowed


@pytest.mark.parametrize(("key_policy", "allowed"), [([statement(ROOT)], True), ([statement(READER)], False)])
def test_the_accounts_root_user_needs_the_keys_policy_as_well(key_policy: list[dict[str, Any]], allowed: bool) -> None:
    assert decided(*key_policy, principal=ROOT).allowed is allowed


@pytest.mark.parametrize(("resource", "allowed"), [(KEY, False), (ALIAS, True), (TABLE, True)])
def test_other_resources_leave_it_to_the_account_without_saying_so(resource: str, allowed: bool) -> None:
    assert decided(resource=resource).allowed is allowed


@pytest.mark.parametrize(("boundary", "allowed"), [(ACTIONS, True), ("s3:*", False)])
def test_what_is_left_to_the_account_is_still_limited_there(boundary: Any, allowed: bool) -> None:
    assert decided(statement(ROOT), boundary=[document(statement(Action=boundary))]).allowed is allowed


@pytest.mark.parametrize(("key_policy", "allowed"), [([statement(OTHER)], True), ([statement(ROOT)], False)])
def test_another_account_needs_to_be_named_by_the_keys_policy(key_policy: list[dict[str, Any]], allowed: bool) -> None:
    assert decided(*key_policy, principal=f"arn:aws:iam::{OTHER}:role/reader").allowed is allowed


def test_a_consent_that_is_not_understood_is_none_and_no_protection_either() -> None:
    decision = decided(statement(ROOT, Condition={"StringEqual": {VIA: DYNAMODB}}))
    assert not decision.allowed
    assert not decision.understood
    assert decided(statement(ROOT, Action="kms:Encrypt")).understood
