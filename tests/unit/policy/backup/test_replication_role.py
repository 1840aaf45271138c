"""A replication role can do what S3 needs for a replica, on both sides, and nothing else."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tableguard.evaluation import Policies, Request, evaluate
from tableguard.policy import document
from tableguard.policy.backup import destination_key_statement, replication_role_statements
from tableguard.policy.documents import VERSION

DATA: Final = "444455556666"
VAULT: Final = "777788889999"
ROLE: Final = f"arn:aws:iam::{DATA}:role/backup-replication"
FROM: Final = "arn:aws:s3:::landing"
TO: Final = "arn:aws:s3:::intake"
KEY: Final = f"arn:aws:kms:eu-west-1:{DATA}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
THEIRS: Final = f"arn:aws:kms:eu-central-1:{VAULT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def allowed(action: str, resource: str, *, locked: bool = True, keys: bool = True, **context: Any) -> bool:
    statements = replication_role_statements(
        source_bucket_arn=FROM,
        destination_bucket_arn=TO,
        source_region="eu-west-1",
        destination_region="eu-central-1",
        prefixes=(f"{DATA}/",),
        locked=locked,
        source_key_arn=KEY if keys else None,
        destination_key_arn=THEIRS if keys else None,
    )
    of_key = destination_key_statement(role_arn=ROLE, account=DATA, bucket_arn=TO, region="eu-central-1").to_json()
    account = resource.split(":")[4] or (DATA if resource.startswith(FROM) else VAULT)
    root = {"Effect": "Allow", "Principal": {"AWS": DATA}, "Action": "*", "Resource": "*"}
    policy = {"Version": VERSION, "Statement": [of_key if resource == THEIRS else root]}
    request = Request(
        principal=ROLE, action=action, resource=resource, resource_account=account if "s3" in resource else None,
        context=context,
    )  # fmt: skip
    decision = evaluate(request, Policies(identity=[document(statements)], resource=policy))
    assert decision.understood
    return decision.allowed


def through_s3(region: str, bucket: str) -> dict[str, Any]:
    return {"kms:ViaService": f"s3.{region}.amazonaws.com", "kms:EncryptionContext:aws:s3:arn": bucket}


@pytest.mark.parametrize(
    ("action", "resource", "expected"),
    [
        ("s3:GetReplicationConfiguration", FROM, True),
        ("s3:ListBucket", FROM, True),
        ("s3:GetObjectVersionForReplication", f"{FROM}/x", True),
        ("s3:GetObjectVersionAcl", f"{FROM}/x", True),
        ("s3:GetObjectVersionTagging", f"{FROM}/x", True),
        ("s3:GetObjectRetention", f"{FROM}/x", True),
        ("s3:GetObjectLegalHold", f"{FROM}/x", True),
        ("s3:ReplicateObject", f"{TO}/{DATA}/x", True),
        ("s3:ReplicateTags", f"{TO}/{DATA}/x", True),
        ("s3:ReplicateObject", f"{TO}/{VAULT}/x", False),
        ("s3:ReplicateObject", f"{FROM}/{DATA}/x", False),
        ("s3:ReplicateDelete", f"{TO}/{DATA}/x", False),
        ("s3:ObjectOwnerOverrideToBucketOwner", f"{TO}/{DATA}/x", False),
        ("s3:GetObjectVersion", f"{FROM}/x", False),
        ("s3:PutObject", f"{FROM}/x", False),
        ("s3:PutObject", f"{TO}/{DATA}/x", False),
        ("s3:PutBucketVersioning", TO, False),
        ("s3:GetObjectVersion", f"{TO}/{DATA}/x", False),
    ],
)
def test_the_role_does_what_a_replica_takes(action: str, resource: str, expected: bool) -> None:
    assert allowed(action, resource) is expected


@pytest.mark.parametrize("action", ["s3:GetObjectRetention", "s3:GetObjectLegalHold"])
def test_a_bucket_without_locks_needs_less(action: str) -> None:
    assert not allowed(action, f"{FROM}/x", locked=False)


@pytest.mark.parametrize(
    ("action", "key", "context", "expected"),
    [
        ("kms:Decrypt", KEY, through_s3("eu-west-1", FROM), True),
        ("kms:Decrypt", KEY, through_s3("eu-west-1", f"{FROM}/x"), True),
        ("kms:Decrypt", KEY, through_s3("eu-west-1", f"{FROM}-2/x"), False),
        ("kms:Decrypt", KEY, through_s3("eu-west-2", FROM), False),
        ("kms:Decrypt", KEY, {}, False),
        ("kms:Encrypt", KEY, through_s3("eu-west-1", FROM), False),
        ("kms:Encrypt", THEIRS, through_s3("eu-central-1", TO), True),
        ("kms:GenerateDataKey", THEIRS, through_s3("eu-central-1", f"{TO}/x"), True),
        ("kms:Encrypt", THEIRS, through_s3("eu-central-1", FROM), False),
        ("kms:Decrypt", THEIRS, through_s3("eu-central-1", TO), False),
    ],
)
def test_keys_are_used_through_s3_for_these_buckets_alone(
    action: str, key: str, context: dict[str, Any], expected: bool
) -> None:
    assert allowed(action, key, **context) is expected
    assert not allowed(action, key, keys=False, **context)
