"""A sealed bucket with a KMS key: a restore of another account decrypts through S3, and nobody decrypts otherwise."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template

import tableguard as tg
from tableguard.evaluation import Policies, Request, evaluate
from tableguard.policy.backup import SealedReference
from tests.unit.backup.restore.support import VAULT, Json, restore, vault_stack
from tests.unit.backup.restore.test_roles import Roles
from tests.unit.tables.support import OWNER, REGION, resolved, stack

BUCKET = "second-copy"
ARN = f"arn:aws:s3:::{BUCKET}"
KEY = f"arn:aws:kms:{REGION}:{VAULT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER = KEY.replace("1234", "9999")
SEALED = SealedReference(account=VAULT, region=REGION, bucket=BUCKET, key_arn=KEY)
THROUGH_S3 = {"kms:ViaService": f"s3.{REGION}.amazonaws.com", "kms:EncryptionContext:aws:s3:arn": ARN}
WITHOUT_BUCKET_KEY = {**THROUGH_S3, "kms:EncryptionContext:aws:s3:arn": f"{ARN}/exports/a/f.json.gz"}
WIDE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": OWNER}, "Action": "kms:*", "Resource": "*"}],
}
ROLES = {"plan": "RestorePlanRole", "load": "RestoreLoadRole", "digest": "RestoreDigestRole"}


def locked(scope: cdk.Stack, *, readers: Any, **options: Any) -> tg.ImmutableBackupBucket:
    given = {"bucket_name": BUCKET, "encryption_key": kms.Key(scope, "Key"), **options}
    return tg.ImmutableBackupBucket(
        scope, "Bucket", retention=tg.Retention.governance(days=35), readers=readers, **given
    )


@pytest.fixture(scope="module")
def restoring() -> Roles:
    scope = stack()
    restore(scope, sealed=SEALED, role_name="restore", table_prefix="restored-")
    return Roles(scope)


@pytest.fixture(scope="module")
def key_policy() -> Json:
    readers = [tg.Role(account=OWNER, name=f"restore-{part}") for part in ("plan", "load")]
    scope = vault_stack()
    locked(scope, readers=readers)
    ((_, key),) = Template.from_stack(scope).find_resources("AWS::KMS::Key").items()
    policy: Json = resolved(key["Properties"]["KeyPolicy"], account=VAULT)
    return policy


def decrypts(roles: Roles, policy: Json | None, part: str, context: dict[str, str], *, key: str = KEY) -> bool:
    """Whether a role of the restore decrypts: by its own policies, those that the construct gave it, and the key's."""
    request = Request(
        principal=f"arn:aws:iam::{OWNER}:role/restore-{part}",
        action="kms:Decrypt",
        resource=key,
        context={"aws:PrincipalArn": f"arn:aws:iam::{OWNER}:role/restore-{part}", **context},
    )
    policies = Policies(identity=tuple(roles.policies(ROLES[part])), resource=policy)
    return evaluate(request, policies).allowed


@pytest.mark.parametrize("part", ["plan", "load"])
@pytest.mark.parametrize("context", [THROUGH_S3, WITHOUT_BUCKET_KEY], ids=["bucket key", "no bucket key"])
def test_readers_decrypt_what_they_read(restoring: Roles, key_policy: Json, part: str, context: dict[str, str]) -> None:
    assert decrypts(restoring, key_policy, part, context)


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"kms:ViaService": THROUGH_S3["kms:ViaService"]},
        {**THROUGH_S3, "kms:ViaService": f"dynamodb.{REGION}.amazonaws.com"},
        {**THROUGH_S3, "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::another"},
    ],
    ids=["directly", "of no bucket", "through DynamoDB", "of another bucket"],
)
def test_nobody_decrypts_otherwise(restoring: Roles, key_policy: Json, context: dict[str, str]) -> None:
    assert not decrypts(restoring, key_policy, "load", context)
    # Each half refuses by itself.
    assert not decrypts(restoring, WIDE, "load", context)
    assert not _by_an_administrator("restore-load", key_policy, context)


def _by_an_administrator(name: str, policy: Json, context: dict[str, str]) -> bool:
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    arn = f"arn:aws:iam::{OWNER}:role/{name}"
    request = Request(principal=arn, action="kms:Decrypt", resource=KEY, context={"aws:PrincipalArn": arn, **context})
    return evaluate(request, Policies(identity=(everything,), resource=policy)).allowed


def test_the_keys_policy_lets_the_named_readers_alone(key_policy: Json) -> None:
    assert _by_an_administrator("restore-plan", key_policy, THROUGH_S3)
    assert not _by_an_administrator("admin", key_policy, THROUGH_S3)
    assert not _by_an_administrator("restore-digest", key_policy, THROUGH_S3)


def test_the_roles_use_that_key_alone(restoring: Roles, key_policy: Json) -> None:
    assert not decrypts(restoring, key_policy, "digest", THROUGH_S3)
    assert not decrypts(restoring, key_policy, "load", THROUGH_S3, key=OTHER)
    assert not decrypts(restoring, None, "load", THROUGH_S3)


def test_a_restore_from_a_bucket_without_a_key_uses_none() -> None:
    scope = stack()
    restore(scope, sealed=SealedReference(account=VAULT, region=REGION, bucket=BUCKET))
    assert "kms:" not in str(Roles(scope).policies("RestoreLoadRole"))


def test_a_reader_of_the_keys_own_account_needs_no_word_in_its_policy() -> None:
    scope = vault_stack()
    locked(scope, readers=[tg.Role(account=VAULT, name="restore-load")])
    ((_, key),) = Template.from_stack(scope).find_resources("AWS::KMS::Key").items()
    assert len(key["Properties"]["KeyPolicy"]["Statement"]) == 1


def test_a_key_whose_policy_is_elsewhere_is_refused_where_readers_would_need_it() -> None:
    scope = vault_stack()
    theirs = kms.Key.from_key_arn(scope, "Theirs", KEY)
    with pytest.raises(tg.InvalidInputError, match="a key that is made in this app"):
        locked(scope, readers=[tg.Role(account=OWNER, name="restore-load")], encryption_key=theirs)
    scope = vault_stack()
    theirs = kms.Key.from_key_arn(scope, "Theirs", KEY)
    assert locked(scope, readers=[tg.Role(account=VAULT, name="r")], encryption_key=theirs).reference.key_arn == KEY
    with pytest.raises(tg.InvalidInputError, match="a name that is written down"):
        locked(vault_stack(), readers=[tg.Role(account=OWNER, name="restore-load")], bucket_name=None)
