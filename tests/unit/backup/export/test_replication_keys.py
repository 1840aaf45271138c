"""Replication with KMS keys: what S3 takes as a rule, and what the key of a destination lets its sources do."""

from __future__ import annotations

from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms, aws_s3 as s3
from aws_cdk.assertions import Template

import tableguard as tg
from tableguard.evaluation import Policies, Request, evaluate
from tests.unit.backup.vault.vaults import DATA, FULL, GOVERNANCE, REGION, SEALED, STRANGER, VAULT, Json, stack
from tests.unit.tables.support import resolved

KEY: Final = f"arn:aws:kms:{REGION}:{VAULT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SOURCE: Final = tg.ReplicationSource(account=DATA, role_name="replication")
THROUGH_S3: Final = {
    "kms:ViaService": f"s3.{REGION}.amazonaws.com",
    "kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{SEALED}",
}


def rule(*, source: bool, destination: bool) -> Json:
    scope = stack(DATA)
    tg.BucketReplication(
        scope,
        "R",
        source=s3.Bucket(scope, "Source", versioned=True, encryption_key=kms.Key(scope, "Key") if source else None),
        destination=tg.SealedReference(
            account=VAULT, region=REGION, bucket=SEALED, key_arn=KEY if destination else None
        ),
        role_name="replication",
    )
    (bucket,) = Template.from_stack(scope).find_resources("AWS::S3::Bucket").values()
    (found,) = bucket["Properties"]["ReplicationConfiguration"]["Rules"]
    return dict(found)


@pytest.mark.parametrize("source", [True, False])
def test_a_destination_with_a_key_gets_replicas_under_it_and_the_rule_is_one_that_s3_takes(source: bool) -> None:
    found = rule(source=source, destination=True)
    assert found["Destination"]["EncryptionConfiguration"] == {"ReplicaKmsKeyID": KEY}
    assert found["SourceSelectionCriteria"] == {"SseKmsEncryptedObjects": {"Status": "Enabled"}}


def test_without_keys_the_rule_says_nothing_of_any() -> None:
    found = rule(source=False, destination=False)
    assert "EncryptionConfiguration" not in found["Destination"]
    assert "SourceSelectionCriteria" not in found


def test_a_source_with_a_key_needs_a_destination_with_one() -> None:
    with pytest.raises(tg.InvalidInputError, match="the destination of Backups/R") as caught:
        rule(source=True, destination=False)
    assert "a bucket with a KMS key" in caught.value.allowed


def bucket(scope: cdk.Stack, key: kms.IKey) -> tg.ImmutableBackupBucket:
    return tg.ImmutableBackupBucket(
        scope, "Bucket", retention=GOVERNANCE, bucket_name=SEALED, encryption_key=key, sources=[SOURCE]
    )


@pytest.fixture(scope="module")
def key_policy() -> Json:
    scope = stack()
    bucket(scope, kms.Key(scope, "Key"))
    (key,) = Template.from_stack(scope).find_resources("AWS::KMS::Key").values()
    return dict(resolved(key["Properties"]["KeyPolicy"], account=VAULT))


def may(action: str, policy: Json, context: dict[str, Any], *, role: str = "replication", account: str = DATA) -> bool:
    arn = f"arn:aws:iam::{account}:role/{role}"
    request = Request(
        principal=arn, action=action, resource=KEY, context={"aws:PrincipalArn": arn, **context}, resource_account=VAULT
    )
    return evaluate(request, Policies(identity=[FULL], resource=policy)).allowed


@pytest.mark.parametrize("action", ["kms:Encrypt", "kms:GenerateDataKey"])
def test_a_source_encrypts_its_replicas_under_the_destinations_key(key_policy: Json, action: str) -> None:
    assert may(action, key_policy, THROUGH_S3)


@pytest.mark.parametrize(
    ("action", "context", "who"),
    [
        ("kms:Decrypt", THROUGH_S3, {}),
        ("kms:Encrypt", {}, {}),
        ("kms:Encrypt", {**THROUGH_S3, "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::another"}, {}),
        ("kms:Encrypt", {**THROUGH_S3, "kms:ViaService": f"dynamodb.{REGION}.amazonaws.com"}, {}),
        ("kms:Encrypt", THROUGH_S3, {"role": "admin"}),
        ("kms:Encrypt", THROUGH_S3, {"account": STRANGER}),
    ],
    ids=["decrypts", "directly", "of another bucket", "through DynamoDB", "another role", "another account"],
)
def test_nobody_does_more_with_it(key_policy: Json, action: str, context: dict[str, Any], who: dict[str, str]) -> None:
    assert not may(action, key_policy, context, **who)


def test_a_key_that_is_not_of_this_app_cannot_let_a_source_in() -> None:
    scope = stack()
    with pytest.raises(tg.InvalidInputError, match="the encryption_key of Backups/Bucket") as caught:
        bucket(scope, kms.Key.from_key_arn(scope, "Key", KEY))
    assert "sources of other accounts" in caught.value.allowed
