"""Who may do what with a vault, its key and as its roles: decided, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from tableguard.evaluation import ContextValue, Policies, Request, evaluate
from tableguard.policy import Account, InvalidInputError, Organization, Role, document
from tableguard.policy.backup import BackupVaultReference
from tableguard.policy.backup.service_roles import backup_policy, restore_testing_policy
from tableguard.policy.backup.vault_access import checked_sources, key_sharing, receiving, vault_policy
from tests.unit.policy.support import EVERYTHING, OWNER, PARTNER, REGION, STRANGER

VAULT: Final = f"arn:aws:backup:{REGION}:{OWNER}:backup-vault:data"
POINT: Final = f"arn:aws:backup:{REGION}:{OWNER}:recovery-point:1234"
SAFE: Final = BackupVaultReference(account=PARTNER, region=REGION, name="safe")
THIEF: Final = f"arn:aws:backup:{REGION}:{STRANGER}:backup-vault:mine"
COPIER: Final = Role(account=PARTNER, name="backups")
GUARDIAN: Final = Role(account=OWNER, name="administrator")
ADMIN: Final = f"arn:aws:iam::{OWNER}:role/admin"
AWS_BACKUP: Final = f"arn:aws:iam::{OWNER}:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup"
ORGANIZATION: Final = "o-a1b2c3d4e5"
TO_SAFE: Final = {"backup:CopyTargets": [SAFE.arn("aws")]}
TO_THIEF: Final = {"backup:CopyTargets": [THIEF]}
TO_BOTH: Final = {"backup:CopyTargets": [SAFE.arn("aws"), THIEF]}
INTO: Final = "backup:CopyIntoBackupVault"
OUT: Final = "backup:CopyFromBackupVault"


def policy_of(*sources: Any, copies_to: Any = (), administrators: Any = ()) -> Mapping[str, Any]:
    return vault_policy(
        sources=sources, copies_to=copies_to, administrators=administrators, partition="aws", owner=OWNER
    )


def decided(
    policy: Mapping[str, Any], who: str, action: str, resource: str, context: Mapping[str, ContextValue] | None = None
) -> bool:
    """The decision for somebody whose own policy allows everything: the vault's policy makes the difference."""
    request = Request(principal=who, action=action, resource=resource, context=context or {})
    decision = evaluate(request, Policies(identity=[EVERYTHING], resource=policy))
    assert decision.understood
    return decision.allowed


BOTH_KINDS: Final = [
    pytest.param(policy_of, id="locked"),
    pytest.param(lambda *sources: receiving(sources, partition="aws", owner=OWNER), id="air-gapped"),
]


@pytest.mark.parametrize("kind", BOTH_KINDS)
@pytest.mark.parametrize(
    ("source", "who", "organization", "may"),
    [
        (COPIER, COPIER.arn("aws"), None, True),
        (COPIER, f"arn:aws:iam::{PARTNER}:role/admin", None, False),
        (COPIER, f"arn:aws:iam::{STRANGER}:role/backups", None, False),
        (Account(PARTNER), f"arn:aws:iam::{PARTNER}:role/admin", None, True),
        (Account(PARTNER), f"arn:aws:iam::{STRANGER}:role/admin", None, False),
        (Organization(ORGANIZATION), f"arn:aws:iam::{PARTNER}:role/any", ORGANIZATION, True),
        (Organization(ORGANIZATION), f"arn:aws:iam::{STRANGER}:role/any", "o-zzzzzzzzzz", False),
        (Organization(ORGANIZATION), f"arn:aws:iam::{STRANGER}:role/any", None, False),
    ],
)
def test_only_the_named_copy_into_it(kind: Any, source: Any, who: str, organization: str | None, may: bool) -> None:
    context: dict[str, ContextValue] = {"aws:PrincipalOrgID": organization} if organization else {}
    assert decided(kind(source), who, INTO, VAULT, context) is may
    # And nothing else, whoever they are.
    for action in ("backup:StartRestoreJob", "backup:DescribeBackupVault", "backup:DeleteBackupVault"):
        assert not decided(kind(source), who, action, VAULT, context)


def test_a_vault_that_nobody_copies_into_lets_nobody() -> None:
    assert receiving([], partition="aws", owner=OWNER) is None
    assert not decided(policy_of(), COPIER.arn("aws"), INTO, VAULT)


@pytest.mark.parametrize(
    ("who", "may"),
    [
        (ADMIN, False),
        (f"arn:aws:iam::{OWNER}:root", False),
        (COPIER.arn("aws"), False),
        (GUARDIAN.arn("aws"), True),
        (AWS_BACKUP, True),
        (AWS_BACKUP.replace("AWSServiceRoleForBackup", "Another"), False),
    ],
)
@pytest.mark.parametrize(
    "action", ["backup:DeleteRecoveryPoint", "backup:DisassociateRecoveryPoint", "backup:UpdateRecoveryPointLifecycle"]
)
def test_nobody_destroys_but_administrators_and_aws_backup_at_the_end(who: str, action: str, may: bool) -> None:
    assert decided(policy_of(COPIER, administrators=[GUARDIAN]), who, action, POINT) is may


def test_without_the_policy_an_administrator_destroys() -> None:
    request = Request(principal=ADMIN, action="backup:DeleteRecoveryPoint", resource=POINT)
    assert evaluate(request, Policies(identity=[EVERYTHING])).allowed


@pytest.mark.parametrize(
    ("copies_to", "context", "may"),
    [
        ([SAFE], TO_SAFE, True),
        ([SAFE], TO_THIEF, False),
        ([SAFE], TO_BOTH, False),
        ([SAFE], {}, False),
        ([], TO_SAFE, False),
        ([], {}, False),
    ],
)
def test_copies_go_where_the_vault_says(copies_to: Any, context: Mapping[str, ContextValue], may: bool) -> None:
    for who in (ADMIN, GUARDIAN.arn("aws")):
        assert decided(policy_of(copies_to=copies_to, administrators=[GUARDIAN]), who, OUT, POINT, context) is may


KEY: Final = f"arn:aws:kms:{REGION}:{OWNER}:key/1234"


@pytest.mark.parametrize(
    ("who", "action", "context", "may"),
    [
        (PARTNER, "kms:Decrypt", {}, True),
        (PARTNER, "kms:ReEncryptFrom", {}, True),
        (PARTNER, "kms:CreateGrant", {"kms:GrantIsForAWSResource": True}, True),
        (PARTNER, "kms:CreateGrant", {"kms:GrantIsForAWSResource": False}, False),
        (PARTNER, "kms:CreateGrant", {}, False),
        (PARTNER, "kms:ScheduleKeyDeletion", {}, False),
        (PARTNER, "kms:PutKeyPolicy", {}, False),
        (STRANGER, "kms:Decrypt", {}, False),
    ],
)
def test_the_key_is_shared_with_the_account_of_a_copy(
    who: str, action: str, context: Mapping[str, ContextValue], may: bool
) -> None:
    policy = document(key_sharing([SAFE], owner=OWNER))
    assert decided(policy, f"arn:aws:iam::{who}:role/any", action, KEY, context) is may


def test_a_copy_within_the_account_shares_no_key() -> None:
    here = BackupVaultReference(account=OWNER, region="eu-west-1", name="safe")
    assert key_sharing([here], owner=OWNER) == ()


ORDERS: Final = f"arn:aws:dynamodb:{REGION}:{OWNER}:table/orders"
OTHER: Final = f"arn:aws:dynamodb:{REGION}:{OWNER}:table/other"
TEST_TABLE: Final = f"arn:aws:dynamodb:{REGION}:{OWNER}:table/awsbackup-restore-test-1"
ROLE: Final = f"arn:aws:iam::{OWNER}:role/backups"
WHERE: Final = {"partition": "aws", "region": REGION, "account": OWNER}
BACKUPS: Final = backup_policy(tables=[ORDERS], vault=VAULT, copies=[SAFE.arn("aws")], keys=[KEY], **WHERE)
ALONE: Final = backup_policy(tables=[ORDERS], vault=VAULT, copies=[], keys=[], **WHERE)
RESTORES: Final = restore_testing_policy(keys=[KEY], **WHERE)
VIA: Final = {"kms:ViaService": f"dynamodb.{REGION}.amazonaws.com"}
GRANT: Final = {"kms:GrantIsForAWSResource": True}

OWN_KEY: Final[Mapping[str, Any]] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": OWNER}, "Action": "kms:*", "Resource": "*"}],
}

ROLE_DECISIONS: Final = [
    (BACKUPS, "dynamodb:StartAwsBackupJob", ORDERS, {}, True),
    (BACKUPS, "dynamodb:StartAwsBackupJob", OTHER, {}, False),
    (BACKUPS, "dynamodb:CreateBackup", ORDERS, {}, False),
    (BACKUPS, "dynamodb:Scan", ORDERS, {}, False),
    (BACKUPS, "dynamodb:ExportTableToPointInTime", ORDERS, {}, False),
    (BACKUPS, "dynamodb:RestoreTableFromAwsBackup", TEST_TABLE, {}, False),
    (BACKUPS, "backup:DeleteRecoveryPoint", POINT, {}, False),
    (BACKUPS, "backup:UpdateRecoveryPointLifecycle", POINT, {}, False),
    (BACKUPS, "backup:TagResource", POINT, {}, True),
    (BACKUPS, INTO, SAFE.arn("aws"), {}, True),
    (BACKUPS, INTO, THIEF, {}, False),
    (BACKUPS, OUT, POINT, TO_SAFE, True),
    (BACKUPS, OUT, POINT, TO_THIEF, False),
    (BACKUPS, OUT, POINT, TO_BOTH, False),
    (BACKUPS, OUT, POINT, {}, False),
    (BACKUPS, "kms:Decrypt", KEY, VIA, True),
    (BACKUPS, "kms:Decrypt", KEY, {}, False),
    (BACKUPS, "kms:CreateGrant", KEY, GRANT, True),
    (BACKUPS, "kms:CreateGrant", KEY, {}, False),
    (BACKUPS, "kms:ScheduleKeyDeletion", KEY, {}, False),
    (ALONE, "dynamodb:StartAwsBackupJob", ORDERS, {}, True),
    (ALONE, OUT, POINT, TO_SAFE, False),
    (ALONE, INTO, SAFE.arn("aws"), {}, False),
    (ALONE, "kms:Decrypt", KEY, VIA, False),
    (RESTORES, "dynamodb:RestoreTableFromAwsBackup", TEST_TABLE, {}, True),
    (RESTORES, "dynamodb:BatchWriteItem", TEST_TABLE, {}, True),
    (RESTORES, "dynamodb:RestoreTableFromAwsBackup", ORDERS, {}, False),
    (RESTORES, "dynamodb:Scan", ORDERS, {}, False),
    (RESTORES, "dynamodb:PutItem", ORDERS, {}, False),
    (RESTORES, "dynamodb:StartAwsBackupJob", ORDERS, {}, False),
    (RESTORES, "kms:Decrypt", KEY, VIA, True),
    # What AWS's own policy for restores holds, of which that for backups needs Decrypt and GenerateDataKey alone.
    (RESTORES, "kms:Encrypt", KEY, VIA, True),
    (RESTORES, "kms:Encrypt", KEY, {}, False),
    (RESTORES, "kms:ReEncryptFrom", KEY, VIA, True),
    (RESTORES, "kms:ReEncryptTo", KEY, VIA, True),
    (RESTORES, "kms:ReEncryptTo", KEY, {}, False),
    (RESTORES, "kms:GenerateDataKey", KEY, VIA, True),
    (RESTORES, "kms:GenerateDataKeyWithoutPlaintext", KEY, VIA, True),
    (RESTORES, "kms:ScheduleKeyDeletion", KEY, VIA, False),
    (BACKUPS, "kms:Encrypt", KEY, VIA, False),
    (BACKUPS, "kms:ReEncryptTo", KEY, VIA, False),
]


@pytest.mark.parametrize(("policy", "action", "resource", "context", "may"), ROLE_DECISIONS)
def test_a_role_may_do_its_work_and_nothing_else(
    policy: Mapping[str, Any], action: str, resource: str, context: Mapping[str, ContextValue], may: bool
) -> None:
    # A key, and a vault of another account, have to let the role's account in as well: here they do.
    into = vault_policy(sources=[Account(OWNER)], copies_to=(), administrators=(), partition="aws", owner=PARTNER)
    beside = {KEY: OWN_KEY, SAFE.arn("aws"): into, THIEF: into}.get(resource)
    request = Request(principal=ROLE, action=action, resource=resource, context=context)
    decision = evaluate(request, Policies(identity=[policy], resource=beside))
    assert decision.understood
    assert decision.allowed is may


def test_somebody_else_than_a_principal_copies_nothing() -> None:
    with pytest.raises(InvalidInputError, match="an Account, a Role"):
        checked_sources("Data/Vault", [PARTNER])  # type: ignore[list-item]
