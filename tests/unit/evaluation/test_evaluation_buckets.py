"""What S3 decides by itself: the root user's way out of a bucket's policy, and whose policy operations are answered."""

from __future__ import annotations

from typing import Final

import pytest

from tableguard.evaluation import Layer, Policies, Request, evaluate

OWNER: Final = "444455556666"
OTHER: Final = "222233334444"
BUCKET: Final = "arn:aws:s3:::orders"
FULL: Final = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
ALLOW: Final = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
DENY: Final = {**ALLOW, "Effect": "Deny", "Sid": "Nobody"}
NOBODY: Final = {"Version": "2012-10-17", "Statement": [ALLOW, DENY]}
EVERYBODY: Final = {"Version": "2012-10-17", "Statement": [ALLOW]}
SCP: Final = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}


def ask(principal: str, action: str, policy: object, *, scp: bool = False) -> set[Layer] | None:
    request = Request(principal=principal, action=action, resource=BUCKET, resource_account=OWNER)
    bound = [[FULL, SCP]] if scp else []
    decision = evaluate(request, Policies(identity=[FULL], resource=policy, service_control=bound))
    return None if decision.allowed else {reason.layer for reason in decision.because}


@pytest.mark.parametrize("action", ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"])
def test_the_root_user_of_its_account_reads_and_changes_a_buckets_policy_whatever_it_says(action: str) -> None:
    assert ask(f"arn:aws:iam::{OWNER}:root", action, NOBODY) is None
    assert ask(f"arn:aws:iam::{OWNER}:root", action, NOBODY, scp=True) == {Layer.SERVICE_CONTROL}
    assert ask(f"arn:aws:iam::{OWNER}:role/admin", action, NOBODY) == {Layer.RESOURCE}
    assert ask(f"arn:aws:iam::{OTHER}:root", action, NOBODY) == {Layer.RESOURCE}


@pytest.mark.parametrize("action", ["s3:PutBucketVersioning", "s3:DeleteBucket", "s3:PutLifecycleConfiguration"])
def test_of_everything_else_a_policy_keeps_the_root_user(action: str) -> None:
    assert ask(f"arn:aws:iam::{OWNER}:root", action, NOBODY) == {Layer.RESOURCE}
    assert ask(f"arn:aws:iam::{OWNER}:root", action, EVERYBODY) is None


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("s3:GetBucketPolicy", {Layer.SERVICE}),
        ("s3:PutBucketPolicy", {Layer.SERVICE}),
        ("s3:DeleteBucketPolicy", {Layer.SERVICE}),
        ("s3:PutBucketVersioning", None),
        ("s3:GetObject", None),
    ],
)
def test_a_buckets_policy_is_for_identities_of_its_own_account(action: str, expected: set[Layer] | None) -> None:
    assert ask(f"arn:aws:iam::{OTHER}:role/admin", action, EVERYBODY) == expected
    assert ask(f"arn:aws:iam::{OWNER}:role/admin", action, EVERYBODY) is None
