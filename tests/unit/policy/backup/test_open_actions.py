"""What buckets of backups leave open to somebody to whom everything else is allowed: of every action that S3 has."""

from __future__ import annotations

from typing import Final

import pytest

from tableguard.aws.actions import Effect
from tableguard.aws.s3 import ACTIONS
from tableguard.evaluation import Policies, Request, evaluate
from tableguard.policy import Role
from tableguard.policy.backup import Bucket, Retention, RetentionBounds
from tableguard.policy.backup.immutable import Immutable
from tableguard.policy.backup.intake import Intake, bucket_policy
from tableguard.policy.backup.landing import Landing
from tableguard.policy.backup.references import ReplicationSource
from tableguard.policy.deny_statements import DenyStatement

HERE, THERE = "111122223333", "444455556666"
ARN: Final = "arn:aws:s3:::acme-sealed"
DEPLOYER, READER = Role(account=HERE, name="deploy"), Role(account=HERE, name="reads")
BUCKET: Final = Bucket(arn=ARN, partition="aws", key_arn=None, deployers=[DEPLOYER])
SOURCE: Final = ReplicationSource(account=THERE, role_name="replication")
FULL: Final = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
RETENTION: Final = Retention.governance(days=30)

FINDER: Final = Role(account=HERE, name="break-glass")

DENIALS: Final[dict[str, tuple[DenyStatement, ...]]] = {
    "landing": (
        *Landing(bucket=BUCKET, readers=[READER]).denials(),
        Landing(bucket=BUCKET, readers=[READER]).only_exports_write([]),
        Landing(bucket=BUCKET, readers=[READER]).unclassified([]),
    ),
    "intake": Intake(bucket=BUCKET, sources=[SOURCE], reader=READER).denials(),
    "immutable": Immutable(
        bucket=BUCKET,
        retention=RETENTION,
        bounds=RetentionBounds(at_least=1, at_most=60),
        writers=[Role(account=HERE, name="writes")],
        readers=[READER],
        bypass_governance_roles=[FINDER],
    ).denials(),
}
# Tags of a bucket count with ABAC only, which nobody turns on.
_OF_BUCKETS: Final = {"PutBucketTagging", "TagResource", "UntagResource"}
# There are no locks in landing and intake: a request about one fails.
_LOCKS: Final = {"BypassGovernanceRetention", "PutObjectLegalHold", "PutObjectRetention"}
OPEN: Final = {
    "landing": {*_OF_BUCKETS, *_LOCKS},
    "intake": {*_OF_BUCKETS, *_LOCKS, "AbortMultipartUpload"},
    # ACLs are off there. An upload of somebody else's that ends is no backup that is lost.
    "immutable": {*_OF_BUCKETS, "AbortMultipartUpload", "PutObjectAcl", "PutObjectVersionAcl"},
}


def allowed(bucket: str, action: str, resource: str, principal: Role) -> bool:
    request = Request(
        principal=principal.arn("aws"), action=f"s3:{action}", resource=resource, resource_account=HERE,
        context={"aws:SecureTransport": "true", "s3:TlsVersion": "1.3", "s3:if-none-match": "*"},
    )  # fmt: skip
    decision = evaluate(request, Policies(identity=[FULL], resource=bucket_policy((), DENIALS[bucket])))
    assert decision.understood
    return decision.allowed


def open_to(bucket: str, principal: Role) -> set[str]:
    """What does something, and is allowed."""
    return {
        name
        for name, action in ACTIONS.items()
        for kind, resource in (("bucket", ARN), ("object", f"{ARN}/key"))
        if kind in action.resources and not action.is_harmless and allowed(bucket, name, resource, principal)
    }


@pytest.mark.parametrize("bucket", OPEN)
def test_nothing_else_is_open_to_an_administrator(bucket: str) -> None:
    assert open_to(bucket, Role(account=HERE, name="admin")) == OPEN[bucket]


@pytest.mark.parametrize("bucket", OPEN)
def test_deployments_change_every_setting(bucket: str) -> None:
    settings = {
        name
        for name, action in ACTIONS.items()
        if "bucket" in action.resources and action.name.startswith(("Put", "Update"))
    }
    assert settings <= open_to(bucket, DEPLOYER) | {name for name in settings if ACTIONS[name].is_harmless}


@pytest.mark.parametrize("bucket", OPEN)
def test_whoever_reads_reads_annotations_and_whoever_does_not_lists_none(bucket: str) -> None:
    for name in ("ListObjectAnnotations", "GetObjectAnnotation", "GetObjectVersion", "ListObjectVersionAnnotations"):
        assert allowed(bucket, name, f"{ARN}/key", READER)
        assert not allowed(bucket, name, f"{ARN}/key", Role(account=HERE, name="admin"))


def test_whoever_lifts_locks_finds_versions_and_reads_none() -> None:
    on_objects = {name: action for name, action in ACTIONS.items() if "object" in action.resources}
    revealing = {name for name, action in on_objects.items() if action.can(Effect.REVEALS_ITEMS)}
    found = {name for name in on_objects if allowed("immutable", name, f"{ARN}/key", FINDER)}
    assert found.isdisjoint(revealing)
    assert {"GetObjectLegalHold", "GetObjectRetention", "DeleteObjectVersion", "BypassGovernanceRetention"} <= found
    assert allowed("immutable", "ListBucketVersions", ARN, FINDER)
    assert revealing >= {"GetObjectVersionAnnotation", "ListObjectAnnotations", "GetObjectVersionForReplication"}
