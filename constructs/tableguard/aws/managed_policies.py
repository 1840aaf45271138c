"""AWS's own policies and service-linked roles that work on DynamoDB's tables: what a refusal must not keep them from.

Source: AWS managed policy reference, each at the version and date that stands with it, as of 2026-11-30. AWS changes
them without notice; one that can do more by now is bound by no more than before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedPolicy:
    """A policy that AWS writes.

    Args:
        name: Its name.
        version: The version that was read.
        edited: The date of that version.
        actions: The actions of DynamoDB that it allows, without the service prefix.
    """

    name: str
    version: str
    edited: str
    actions: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedRole:
    """A service-linked role, which only its service can assume and change.

    Args:
        name: Its name.
        service: The host name of its service.
        policy: What it may do.
    """

    name: str
    service: str
    policy: ManagedPolicy

    def arn(self, account: str, partition: str) -> str:
        """Its ARN.

        Args:
            account: The account's id, or "*".
            partition: The account's partition.
        """
        return f"arn:{partition}:iam::{account}:role/aws-service-role/{self.service}/{self.name}"


def _policy(name: str, version: str, edited: str, actions: str) -> ManagedPolicy:
    return ManagedPolicy(name=name, version=version, edited=edited, actions=frozenset(actions.split()))


REPLICATION: Final = LinkedRole(
    name="AWSServiceRoleForDynamoDBReplication",
    service="replication.dynamodb.amazonaws.com",
    policy=_policy(
        "DynamoDBReplicationServiceRolePolicy",
        "v8",
        "2024-01-08",
        "DeleteItem DescribeLimits DescribeStream DescribeTable DescribeTimeToLive GetItem GetRecords "
        "GetResourcePolicy GetShardIterator PutItem Scan UpdateItem UpdateTable UpdateTimeToLive",
    ),
)
"""Keeps replicas in step. Twenty hours without it make one a table of its own for good.

Source: DynamoDB developer guide, "Using IAM with DynamoDB global tables"."""
AUTOSCALING: Final = LinkedRole(
    name="AWSServiceRoleForApplicationAutoScaling_DynamoDBTable",
    service="dynamodb.application-autoscaling.amazonaws.com",
    policy=_policy("AWSApplicationAutoscalingDynamoDBTablePolicy", "v1", "2017-10-20", "DescribeTable UpdateTable"),
)
BACKUP: Final = LinkedRole(
    name="AWSServiceRoleForBackup",
    service="backup.amazonaws.com",
    policy=_policy(
        "AWSBackupServiceLinkedRolePolicyForBackup",
        "v16",
        "2024-05-17",
        "DeleteBackup DescribeTable ListTables ListTagsOfResource",
    ),
)
"""Removes the recovery points that have come to the end of their lifecycle."""
RESTORE_TESTING: Final = LinkedRole(
    name="AWSServiceRoleForBackupRestoreTesting",
    service="restore-testing.backup.amazonaws.com",
    policy=_policy("AWSServiceRolePolicyForBackupRestoreTesting", "v2", "2024-02-14", "DeleteTable DescribeTable"),
)
RESTORE_TEST_TABLES: Final = "awsbackup-restore-test-*"
"""What AWS Backup calls the tables of restore tests: the pattern that the role above deletes them by."""

FOR_BACKUP: Final = _policy(
    "AWSBackupServiceRolePolicyForBackup",
    "v29",
    "2026-02-12",
    "CreateBackup DeleteBackup DescribeBackup DescribeTable ListTagsOfResource StartAwsBackupJob",
)
FOR_RESTORES: Final = _policy(
    "AWSBackupServiceRolePolicyForRestores",
    "v25",
    "2025-11-10",
    "BatchWriteItem DeleteItem DescribeTable GetItem PutItem Query RestoreTableFromAwsBackup RestoreTableFromBackup "
    "Scan UpdateItem",
)
