"""DynamoDB's actions: what they act on, how far they carry, and what can narrow them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tableguard.aws.actions import Category, Effect
from tableguard.aws.dynamodb import ACTIONS, Action, Resource, ResourcePolicySupport


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
    "DescribeTableReplicaAutoScaling UpdateTableReplicaAutoScaling DescribeExport"
)
# No source says whether they work from another account.
OPEN = words("CancelBulkOperation DescribeBulkOperation DisassociateTableReplica SearchVectors StartBulkPutItems")
IDENTITY_ONLY = words(
    "CreateTable ListTables ListStreams ListBackups ListExports ListImports DescribeImport ImportTable "
    "DescribeBackup DeleteBackup RestoreTableFromBackup DescribeLimits"
)


def named(test: Callable[[Action], bool]) -> frozenset[str]:
    return frozenset(name for name, action in ACTIONS.items() if test(action))


def test_exactly_these_actions_work_across_accounts() -> None:
    assert named(lambda action: action.across_accounts) == ACROSS_ACCOUNTS


def test_what_no_source_tells_counts_as_possible_and_never_as_given() -> None:
    assert named(lambda action: action.maybe_across_accounts) == ACROSS_ACCOUNTS | OPEN
    assert named(lambda action: action.resource_policy is ResourcePolicySupport.OPEN) == OPEN


@pytest.mark.parametrize("name", sorted(OWN_ACCOUNT))
def test_an_action_of_the_own_account_is_known_as_such(name: str) -> None:
    assert ACTIONS[name].resource_policy is ResourcePolicySupport.OWN_ACCOUNT


@pytest.mark.parametrize("name", sorted(IDENTITY_ONLY))
def test_an_action_that_no_resource_policy_carries_is_known_as_such(name: str) -> None:
    assert ACTIONS[name].resource_policy is ResourcePolicySupport.IDENTITY_ONLY


def test_only_requests_that_name_partition_keys_can_be_narrowed_to_them() -> None:
    assert named(lambda action: action.by_key) == ITEMS_BY_KEY | PARTIQL


def test_a_scan_can_be_narrowed_to_attributes_only() -> None:
    assert named(lambda action: action.by_attribute) == ITEMS_BY_KEY | PARTIQL | {"Scan"}


def test_only_reads_reach_an_index() -> None:
    assert named(lambda action: Resource.INDEX in action.resources) == words(
        "Query Scan SearchVectors PartiQLSelect DescribeContributorInsights UpdateContributorInsights"
    )


def test_a_stream_has_its_own_reads_its_tags_and_the_actions_on_its_policy() -> None:
    policies = words("DeleteResourcePolicy GetResourcePolicy PutResourcePolicy")
    tags = words("ListTagsOfResource TagResource UntagResource")
    assert named(lambda action: Resource.STREAM in action.resources) == STREAM | policies | tags
    assert named(lambda action: action.resources == {Resource.STREAM}) == STREAM


def test_an_action_on_the_whole_account_is_tied_to_no_resource() -> None:
    assert {"ListTables", "ListStreams", "DescribeLimits", "ListBackups"} <= named(lambda action: not action.resources)


def test_an_action_knows_its_qualified_name() -> None:
    assert ACTIONS["GetItem"].qualified == "dynamodb:GetItem"
    assert all(action.qualified == f"dynamodb:{name}" for name, action in ACTIONS.items())


def test_searching_by_vector_asks_for_the_table_and_the_index_and_few_others_for_two_resources() -> None:
    assert named(lambda action: action.on_all and action.maybe_across_accounts) == {"SearchVectors"}
    assert named(lambda action: action.on_all) == words(
        "SearchVectors CreateGlobalTable RestoreTableFromBackup UpdateGlobalTable UpdateGlobalTableSettings"
    )


def test_only_the_replication_service_has_its_three_actions() -> None:
    assert named(lambda action: action.by_service) == REPLICATION - {"AssociateTableReplica"}


def test_what_reveals_items_is_known_under_every_name() -> None:
    """Reads, records, writes that return what they replace, the rejected items of a bulk put, keys in reports."""
    assert named(lambda action: action.can(Effect.REVEALS_ITEMS)) == words(
        "BatchGetItem ConditionCheckItem DeleteItem GetItem GetRecords GetShardIterator PartiQLDelete PartiQLSelect "
        "PartiQLUpdate PutItem Query ReadDataForReplication Scan SearchVectors StartBulkPutItems "
        "UpdateContributorInsights UpdateItem"
    )


def test_what_takes_items_elsewhere_is_known() -> None:
    assert named(lambda action: action.can(Effect.MOVES_ITEMS_OUT, Effect.MAKES_COPY)) == words(
        "AssociateTableReplica CreateBackup CreateGlobalTable CreateGlobalTableWitness CreateTableReplica "
        "EnableKinesisStreamingDestination ExportTableToPointInTime RestoreTableFromAwsBackup RestoreTableFromBackup "
        "RestoreTableToPointInTime StartAwsBackupJob StartBulkPutItems UpdateGlobalTable "
        "UpdateKinesisStreamingDestination"
    )


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_an_action_that_only_looks_changes_nothing(action: Action) -> None:
    if action.name.startswith(("Describe", "List")):
        assert action.effects == {Effect.HARMLESS}


def test_no_setting_tag_or_deletion_moves_items_or_copies_them() -> None:
    """What restrictions leave open, so that the owner can repair: nothing in there may be a way out for the data."""
    left_open = {Category.SETTINGS, Category.TAGS, Category.DELETE, Category.OTHER}
    moving = named(lambda a: a.category in left_open and a.can(Effect.MOVES_ITEMS_OUT, Effect.MAKES_COPY))
    assert moving == frozenset()
