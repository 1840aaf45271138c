"""The landing bucket: who may do what with it, and what it is made like."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

import tableguard as tg
from tableguard.policy.backup import VaultReference
from tests.unit.backup.exported import (
    BUCKET,
    EXPORTER,
    INTAKE,
    OBJECT,
    OVER_TLS,
    REPLICATOR,
    VAULT,
    VAULT_ACCOUNT,
    allowed,
    bucket_policy,
    export,
    identity_policy,
    landing,
    resources,
    role_arn,
)
from tests.unit.tables.support import OWNER, REGION, Json, app, stack

ADMIN = role_arn("admin")
DEPLOYER = role_arn(f"cdk-hnb659fds-cfn-exec-role-{OWNER}-{REGION}")
ROOT = f"arn:aws:iam::{OWNER}:root"
HERE = f"arn:aws:s3:::{BUCKET}"
THERE = f"arn:aws:s3:::{INTAKE}/{OWNER}/{REGION}/orders/AWSDynamoDB/0123-abcd/manifest-summary.json"


@pytest.fixture(scope="module")
def data() -> cdk.Stack:
    scope = stack()
    export(scope)
    return scope


@pytest.fixture(scope="module")
def policy(data: cdk.Stack) -> Json:
    return bucket_policy(data)


@pytest.mark.parametrize("principal", [EXPORTER, REPLICATOR, "admin"])
@pytest.mark.parametrize(
    ("action", "those"),
    [
        ("s3:PutObject", {EXPORTER}),
        ("s3:PutObjectAcl", {EXPORTER}),
        ("s3:AbortMultipartUpload", {EXPORTER}),
        ("s3:GetObject", {REPLICATOR}),
        ("s3:GetObjectVersion", {REPLICATOR}),
        ("s3:GetObjectVersionForReplication", {REPLICATOR}),
        ("s3:DeleteObject", set()),
        ("s3:DeleteObjectVersion", set()),
        ("s3:PutObjectTagging", set()),
        ("s3:ReplicateObject", set()),
        ("s3:UpdateObjectEncryption", set()),
    ],
)
def test_only_exports_write_and_only_replication_reads(
    policy: Json, principal: str, action: str, those: set[str]
) -> None:
    assert allowed(action, principal=role_arn(principal), bucket=policy) is (principal in those)


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"])
def test_the_root_user_has_to_change_the_policy_first(policy: Json, action: str) -> None:
    assert not allowed(action, principal=ROOT, bucket=policy)


@pytest.mark.parametrize("action", ["s3:PutBucketPolicy", "s3:PutReplicationConfiguration", "s3:PutBucketVersioning"])
def test_only_deployments_change_settings(policy: Json, action: str) -> None:
    assert allowed(action, HERE, principal=DEPLOYER, bucket=policy)
    assert not allowed(action, HERE, principal=ADMIN, bucket=policy)


@pytest.mark.parametrize(
    ("context", "through"),
    [
        ({}, True),
        ({"s3:x-amz-server-side-encryption": "AES256"}, True),
        ({"s3:x-amz-server-side-encryption": "aws:kms"}, False),
        ({"s3:x-amz-server-side-encryption-customer-algorithm": "AES256"}, False),
        ({"aws:SecureTransport": "false"}, False),
        ({"s3:TlsVersion": "1.1"}, False),
    ],
)
def test_exports_are_written_over_tls_under_the_buckets_own_encryption(
    policy: Json, context: dict[str, str], through: bool
) -> None:
    writer = role_arn(EXPORTER)
    assert allowed("s3:PutObject", principal=writer, bucket=policy, context={**OVER_TLS, **context}) is through


def test_without_an_export_nobody_writes() -> None:
    scope = stack()
    landing(scope)
    assert not allowed("s3:PutObject", principal=role_arn(EXPORTER), bucket=bucket_policy(scope))


@pytest.mark.parametrize(
    ("action", "resource", "may"),
    [
        ("s3:GetObjectVersionForReplication", OBJECT, True),
        ("s3:GetObjectVersionTagging", OBJECT, True),
        ("s3:ListBucket", HERE, True),
        ("s3:ReplicateObject", THERE, True),
        ("s3:ReplicateTags", THERE, True),
        ("s3:ReplicateDelete", THERE, False),
        ("s3:PutObject", THERE, False),
        ("s3:ReplicateObject", f"arn:aws:s3:::{INTAKE}/999988887777/{REGION}/orders/x", False),
        ("s3:ReplicateObject", f"arn:aws:s3:::other/{OWNER}/{REGION}/orders/x", False),
        ("s3:GetObjectRetention", OBJECT, False),
        ("s3:GetObject", OBJECT, False),
        ("s3:DeleteObjectVersion", OBJECT, False),
    ],
)
def test_the_replication_role_replicates_and_no_more(data: cdk.Stack, action: str, resource: str, may: bool) -> None:
    # What the intake allows is the vault's to say, and it allows by account and ARN.
    intake = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
    }
    here = resource in (OBJECT, HERE)
    assert (
        allowed(
            action,
            resource,
            principal=role_arn(REPLICATOR),
            identity=identity_policy(data, "ReplicationPolicy"),
            bucket=None if here else intake,
            owner=OWNER if here else VAULT_ACCOUNT,
        )
        is may
    )


def test_it_is_versioned_private_and_kept(data: cdk.Stack) -> None:
    (bucket,) = resources(data, "AWS::S3::Bucket").values()
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert "ObjectLockEnabled" not in bucket
    (whole,) = Template.from_stack(data).find_resources("AWS::S3::Bucket").values()
    assert whole["DeletionPolicy"] == whole["UpdateReplacePolicy"] == "Retain"


def test_everything_but_delete_markers_is_replicated(data: cdk.Stack) -> None:
    (bucket,) = resources(data, "AWS::S3::Bucket").values()
    (rule,) = bucket["ReplicationConfiguration"]["Rules"]
    assert rule["Status"] == "Enabled"
    assert rule["Filter"] == {"Prefix": ""}
    assert rule["DeleteMarkerReplication"] == {"Status": "Disabled"}
    assert rule["Destination"] == {"Bucket": f"arn:aws:s3:::{INTAKE}", "Metrics": {"Status": "Enabled"}}


def test_replicas_take_the_key_of_the_intake_where_it_has_one() -> None:
    key = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    scope = stack()
    landing(
        scope,
        vault=VaultReference(account=VAULT_ACCOUNT, region="eu-west-1", intake_bucket=INTAKE, intake_key_arn=key),
    )
    (bucket,) = resources(scope, "AWS::S3::Bucket").values()
    (rule,) = bucket["ReplicationConfiguration"]["Rules"]
    assert rule["Destination"]["EncryptionConfiguration"] == {"ReplicaKmsKeyID": key}
    assert rule["SourceSelectionCriteria"] == {"SseKmsEncryptedObjects": {"Status": "Enabled"}}
    through_s3 = {
        "kms:ViaService": "s3.eu-west-1.amazonaws.com",
        "kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{INTAKE}",
    }
    everybody = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
    }
    for context, may in ((through_s3, True), ({}, False)):
        asked = allowed(
            "kms:Encrypt",
            key,
            principal=role_arn(REPLICATOR),
            identity=identity_policy(scope, "ReplicationPolicy"),
            bucket=everybody,
            context=context,
            owner=VAULT_ACCOUNT,
        )
        assert asked is may


def test_it_is_emptied_by_and_by() -> None:
    scope = stack()
    landing(scope, keep_days=30)
    (bucket,) = resources(scope, "AWS::S3::Bucket").values()
    rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    assert rules["ExpireExports"]["ExpirationInDays"] == 30
    assert rules["ExpireExports"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert rules["AbortIncompleteUploads"]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 7


def test_without_a_vault_named_readers_read() -> None:
    scope = stack()
    reader = tg.Role(account=OWNER, name="loader")
    landing(scope, vault=None, replication_role_name=None, readers=[reader])
    policy = bucket_policy(scope)
    assert allowed("s3:GetObject", principal=role_arn("loader"), bucket=policy)
    assert not allowed("s3:GetObject", principal=ADMIN, bucket=policy)
    (bucket,) = resources(scope, "AWS::S3::Bucket").values()
    assert "ReplicationConfiguration" not in bucket
    assert not resources(scope, "AWS::IAM::Role")


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"bucket_name": "Acme"}, "the bucket name of Data/Landing"),
        ({"bucket_name": cdk.Fn.ref("Name")}, "the bucket name of Data/Landing"),
        ({"keep_days": 2}, "keep_days of Data/Landing"),
        ({"keep_days": 366}, "keep_days of Data/Landing"),
        ({"keep_days": True}, "keep_days of Data/Landing"),
        ({"vault": None}, "the vault of Data/Landing"),
        ({"replication_role_name": None}, "the vault of Data/Landing"),
        ({"vault": "111122223333"}, "the vault of Data/Landing"),
        ({"replication_role_name": "a/b"}, "the name of a Role"),
        ({"readers": ["loader"]}, "readers of Data/Landing"),
    ],
)
def test_what_it_refuses(options: dict[str, Any], what: str) -> None:
    with pytest.raises(tg.InvalidInputError) as caught:
        landing(stack(), **options)
    assert caught.value.what == what


def test_a_vault_in_the_tables_own_account_is_refused() -> None:
    with pytest.raises(tg.InvalidInputError, match="would have both"):
        landing(stack(app(), account=VAULT.account))


def test_it_says_what_it_is(data: cdk.Stack) -> None:
    (whole,) = Template.from_stack(data).find_resources("AWS::S3::Bucket").values()
    assert whole["Metadata"]["tableguard"] == {
        "version": 1,
        "landing": {
            "vault": {"account": VAULT_ACCOUNT, "region": "eu-west-1", "intake": INTAKE},
            "role": REPLICATOR,
            "expires_after_days": 14,
        },
    }
