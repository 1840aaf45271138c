"""DynamoDB's actions: what they act on, how far they carry, and what can narrow them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tableguard.policy import ACTIONS, Action, Reach, Resource


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ITEMS_BY_KEY = words("BatchGetItem BatchWriteItem ConditionCheckItem DeleteItem GetItem PutItem Query UpdateItem")
PARTIQL = words("PartiQLDelete PartiQLInsert PartiQLSelect PartiQLUpdate")
STREAM = words("DescribeStream GetRecords GetShardIterator")
REPLICATION = words("AssociateTableReplica ReadDataForReplication ReplicateSettings WriteDataForReplication")
SETTINGS = words("DeleteTable DescribeTable UpdateTable ListTagsOfResource TagResource UntagResource")
ACROSS_ACCOUNTS = ITEMS_BY_KEY | {"Scan"} | STREAM | SETTINGS | REPLICATION

# Accepted in a table's policy, yet of no use to another account.
OWN_ACCOUNT = PARTIQL | words(
    "CreateBackup DescribeContinuousBackups UpdateContinuousBackups RestoreTableToPointInTime ExportTableToPointInTime "
    "DescribeContributorInsights UpdateContributorInsights UpdateTimeToLive DescribeTimeToLive "
    "EnableKinesisStreamingDestination DisableKinesisStreamingDestination DescribeKinesisStreamingDestination "
    "GetResourcePolicy PutResourcePolicy DeleteResourcePolicy "
    "DescribeTableReplicaAutoScaling UpdateTableReplicaAutoScaling SearchVectors StartBulkPutItems"
)
IDENTITY_ONLY = words(
    "CreateTable ListTables ListStreams ListBackups ListExports ListImports DescribeExport DescribeImport ImportTable "
    "DescribeBackup DeleteBackup RestoreTableFromBackup DescribeLimits"
)


def named(test: Callable[[Action], bool]) -> frozenset[str]:
    return frozenset(name for name, action in ACTIONS.items() if test(action))


def test_exactly_these_actions_work_across_accounts() -> None:
    assert named(lambda action: action.across_accounts) == ACROSS_ACCOUNTS


@pytest.mark.parametrize("name", sorted(OWN_ACCOUNT))
def test_an_action_of_the_own_account_is_known_as_such(name: str) -> None:
    assert ACTIONS[name].reach is Reach.OWN_ACCOUNT


@pytest.mark.parametrize("name", sorted(IDENTITY_ONLY))
def test_an_action_that_no_resource_policy_carries_is_known_as_such(name: str) -> None:
    assert ACTIONS[name].reach is Reach.IDENTITY_ONLY


def test_only_requests_that_name_partition_keys_can_be_narrowed_to_them() -> None:
    assert named(lambda action: action.by_key) == ITEMS_BY_KEY | PARTIQL


def test_a_scan_can_be_narrowed_to_attributes_only() -> None:
    assert named(lambda action: action.by_attribute) == ITEMS_BY_KEY | PARTIQL | {"Scan"}


def test_only_reads_reach_an_index() -> None:
    assert named(lambda action: Resource.INDEX in action.resources) == words(
        "Query Scan SearchVectors PartiQLSelect DescribeContributorInsights UpdateContributorInsights"
    )


def test_a_stream_has_its_own_reads_and_the_actions_on_its_policy() -> None:
    policies = words("DeleteResourcePolicy GetResourcePolicy PutResourcePolicy")
    assert named(lambda action: Resource.STREAM in action.resources) == STREAM | policies
    assert named(lambda action: action.resources == {Resource.STREAM}) == STREAM


def test_an_action_on_the_whole_account_is_tied_to_no_resource() -> None:
    assert {"ListTables", "ListStreams", "DescribeLimits", "ListBackups"} <= named(lambda action: not action.resources)


def test_an_action_knows_its_qualified_name() -> None:
    assert ACTIONS["GetItem"].qualified == "dynamodb:GetItem"
    assert all(action.qualified == f"dynamodb:{name}" for name, action in ACTIONS.items())
