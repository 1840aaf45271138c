"""What the roles that AWS Backup works with may do: backups and copies with one, test restores with the other.

AWS's own policies (AWSBackupServiceRolePolicyForBackup and …ForRestores) are for every kind of resource of the account;
these are what they hold for advanced DynamoDB backup, on exact resources. dynamodb:CreateBackup is left out on purpose:
AWS Backup calls it only where advanced DynamoDB backup is off, and such a backup cannot be copied. So a plan in a
region that has not opted in fails, and its alarm rings, where it would otherwise go on in silence (inferred, not
documented).
Sources: AWS managed policy reference; AWS Backup developer guide, "Advanced DynamoDB backup"; DynamoDB developer guide,
"Usage notes" on AWS Backup.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tableguard.aws.managed_policies import RESTORE_TEST_TABLES
from tableguard.aws.partitions import dns_suffix_of
from tableguard.policy.backup.vault_access import COPY_TARGETS
from tableguard.policy.conditions import Clause
from tableguard.policy.documents import AllowStatement, Json, document

# What …ForRestores has where …ForBackup has Decrypt and GenerateDataKey.
_MAKING_WITH_A_KEY: Final = (
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)


def backup_policy(
    *,
    tables: Sequence[str],
    vault: str,
    copies: Sequence[str],
    keys: Sequence[str],
    partition: str,
    region: str,
    account: str,
) -> Json:
    """The policy of the role that makes backups and copies.

    Args:
        tables: The ARNs of the tables.
        vault: The ARN of the vault.
        copies: The ARNs of the vaults that copies go to.
        keys: The ARNs of the customer-managed keys of vault and tables.
        partition: The partition of all of them.
        region: Their region.
        account: Their account.
    """
    points = f"arn:{partition}:backup:{region}:{account}:recovery-point:*"
    statements = [
        AllowStatement(
            actions=("dynamodb:DescribeTable", "dynamodb:ListTagsOfResource", "dynamodb:StartAwsBackupJob"),
            resources=tuple(tables),
        ),
        AllowStatement(actions=("backup:DescribeBackupVault",), resources=(vault, *copies)),
        AllowStatement(actions=("backup:TagResource",), resources=(points,)),
        *_key_use(keys, partition, region),
    ]
    if copies:
        nowhere_else = (
            Clause("ForAllValues:ArnEquals", COPY_TARGETS, tuple(copies)),
            Clause("Null", COPY_TARGETS, ("false",)),
        )
        statements += [
            AllowStatement(actions=("backup:CopyIntoBackupVault",), resources=tuple(copies)),
            AllowStatement(actions=("backup:CopyFromBackupVault",), resources=(points,), clauses=nowhere_else),
        ]
    return document(statements)


def restore_testing_policy(*, keys: Sequence[str], partition: str, region: str, account: str) -> Json:
    """The policy of the role that makes the tables of restore tests, and can touch no other.

    Args:
        keys: The ARNs of the customer-managed keys of vault and tables: a restored table has the key of the original.
        partition: The partition.
        region: The region.
        account: The account.
    """
    tests = f"arn:{partition}:dynamodb:{region}:{account}:table/{RESTORE_TEST_TABLES}"
    actions = "BatchWriteItem DeleteItem DescribeTable GetItem PutItem Query RestoreTableFromAwsBackup Scan UpdateItem"
    return document(
        [
            AllowStatement(actions=tuple(f"dynamodb:{action}" for action in actions.split()), resources=(tests,)),
            *_key_use(keys, partition, region, making=True),
        ]
    )


def _key_use(keys: Sequence[str], partition: str, region: str, *, making: bool = False) -> tuple[AllowStatement, ...]:
    if not keys:
        return ()
    known = tuple(keys)
    by_dynamodb = Clause("StringEquals", "kms:ViaService", (f"dynamodb.{region}.{dns_suffix_of(partition)}",))
    return (
        AllowStatement(actions=("kms:DescribeKey",), resources=known),
        AllowStatement(
            actions=("kms:CreateGrant",),
            resources=known,
            clauses=(Clause("Bool", "kms:GrantIsForAWSResource", ("true",)),),
        ),
        AllowStatement(
            actions=_MAKING_WITH_A_KEY if making else ("kms:Decrypt", "kms:GenerateDataKey"),
            resources=known,
            clauses=(by_dynamodb,),
        ),
    )
