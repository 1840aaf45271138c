"""Every DynamoDB action: which resource it goes to, and whether it works across accounts.

Sources: the service authorization reference ("Actions, resources, and condition keys for Amazon DynamoDB"), the
API model for the bulk operations, which that list does not carry yet, and the developer guide's "DynamoDB API
operations supported by resource-based policies" for what works across accounts. An action for which the guide does
not say that it works across accounts counts as one that does not.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

SERVICE: Final = "dynamodb"


class Resource(enum.Enum):
    """The kind of resource that an action is authorized on."""

    TABLE = "table"
    INDEX = "index"
    STREAM = "stream"
    BACKUP = "backup"
    EXPORT = "export"
    IMPORT = "import"
    GLOBAL_TABLE = "global-table"


class Reach(enum.Enum):
    """How far a statement of a table's or a stream's policy carries for an action."""

    ACROSS_ACCOUNTS = "works by the table's ARN from another account"
    OWN_ACCOUNT = "is accepted in a resource policy, but works only inside the table's account"
    IDENTITY_ONLY = "is not supported in a table's or stream's policy at all"


@dataclass(frozen=True, slots=True)
class Action:
    """One DynamoDB action.

    Args:
        name: The action without its service prefix, as IAM spells it.
        resources: The kinds of resource it is authorized on; empty for an action on the whole account.
        reach: How far a resource policy carries for it.
        by_key: Whether a request carries `dynamodb:LeadingKeys`, so that it can be narrowed to partition keys.
        by_attribute: Whether a request carries `dynamodb:Attributes`.
    """

    name: str
    resources: frozenset[Resource]
    reach: Reach
    by_key: bool = False
    by_attribute: bool = False

    @property
    def qualified(self) -> str:
        """The action as a policy names it."""
        return f"{SERVICE}:{self.name}"

    @property
    def across_accounts(self) -> bool:
        """Whether a caller of another account can use it, given both sides' permission."""
        return self.reach is Reach.ACROSS_ACCOUNTS


_TABLE, _INDEX, _STREAM = Resource.TABLE, Resource.INDEX, Resource.STREAM


def _actions(
    names: str, *resources: Resource, reach: Reach, by_key: bool = False, by_attribute: bool = False
) -> Iterable[Action]:
    return (Action(name, frozenset(resources), reach, by_key, by_attribute) for name in names.split())


_ACROSS, _OWN, _IDENTITY = Reach.ACROSS_ACCOUNTS, Reach.OWN_ACCOUNT, Reach.IDENTITY_ONLY

_ALL: Final = (
    # Items. BatchGetItem, BatchWriteItem and the item operations of a transaction name the partition keys they touch.
    *_actions("BatchGetItem BatchWriteItem ConditionCheckItem DeleteItem GetItem PutItem UpdateItem",
              _TABLE, reach=_ACROSS, by_key=True, by_attribute=True),
    *_actions("Query", _TABLE, _INDEX, reach=_ACROSS, by_key=True, by_attribute=True),
    # A Scan reads every partition: it carries attributes, never leading keys.
    *_actions("Scan", _TABLE, _INDEX, reach=_ACROSS, by_attribute=True),
    # Not in the guide's table of what works across accounts, and it ignores the fine-grained keys.
    *_actions("SearchVectors", _TABLE, _INDEX, reach=_OWN),
    *_actions("StartBulkPutItems", _TABLE, reach=_OWN),
    *_actions("CancelBulkOperation DescribeBulkOperation", _TABLE, reach=_OWN),
    *_actions("ListBulkOperations", reach=_IDENTITY),
    *_actions("PartiQLDelete PartiQLInsert PartiQLUpdate", _TABLE, reach=_OWN, by_key=True, by_attribute=True),
    *_actions("PartiQLSelect", _TABLE, _INDEX, reach=_OWN, by_key=True, by_attribute=True),
    # Streams.
    *_actions("DescribeStream GetRecords GetShardIterator", _STREAM, reach=_ACROSS),
    *_actions("ListStreams", reach=_IDENTITY),
    # Settings.
    *_actions("DeleteTable DescribeTable UpdateTable", _TABLE, reach=_ACROSS),
    *_actions("ListTagsOfResource TagResource UntagResource", _TABLE, reach=_ACROSS),
    *_actions("CreateTable", _TABLE, reach=_IDENTITY),
    *_actions("DescribeContributorInsights UpdateContributorInsights", _TABLE, _INDEX, reach=_OWN),
    *_actions("DescribeKinesisStreamingDestination DisableKinesisStreamingDestination "
              "EnableKinesisStreamingDestination UpdateKinesisStreamingDestination", _TABLE, reach=_OWN),
    *_actions("DescribeTimeToLive UpdateTimeToLive", _TABLE, reach=_OWN),
    *_actions("DescribeTableReplicaAutoScaling UpdateTableReplicaAutoScaling", _TABLE, reach=_OWN),
    # Policies.
    *_actions("DeleteResourcePolicy GetResourcePolicy PutResourcePolicy", _TABLE, _STREAM, reach=_OWN),
    # Replication. The three data actions are the replication service's; AssociateTableReplica is the joining account's.
    *_actions("AssociateTableReplica ReadDataForReplication ReplicateSettings WriteDataForReplication",
              _TABLE, reach=_ACROSS),
    *_actions("CreateGlobalTableWitness CreateTableReplica DeleteGlobalTableWitness DeleteTableReplica",
              _TABLE, reach=_OWN),
    *_actions("CreateGlobalTable UpdateGlobalTable UpdateGlobalTableSettings UpdateGlobalTableVersion",
              Resource.GLOBAL_TABLE, _TABLE, reach=_IDENTITY),
    *_actions("DescribeGlobalTable DescribeGlobalTableSettings", Resource.GLOBAL_TABLE, reach=_IDENTITY),
    # Backups, exports, imports.
    *_actions("CreateBackup DescribeContinuousBackups ExportTableToPointInTime RestoreTableToPointInTime "
              "StartAwsBackupJob UpdateContinuousBackups", _TABLE, reach=_OWN),
    *_actions("RestoreTableFromAwsBackup", _TABLE, reach=_IDENTITY),
    *_actions("RestoreTableFromBackup", Resource.BACKUP, _TABLE, reach=_IDENTITY),
    *_actions("DeleteBackup DescribeBackup", Resource.BACKUP, reach=_IDENTITY),
    *_actions("DescribeExport", Resource.EXPORT, reach=_IDENTITY),
    *_actions("DescribeImport", Resource.IMPORT, reach=_IDENTITY),
    *_actions("ImportTable ListExports ListImports", _TABLE, reach=_IDENTITY),
    # The account.
    *_actions("DescribeEndpoints DescribeLimits DescribeReservedCapacity DescribeReservedCapacityOfferings "
              "GetAbacStatus InjectError ListBackups ListContributorInsights ListGlobalTables ListTables "
              "PurchaseReservedCapacityOfferings UpdateAbacStatus", reach=_IDENTITY),
)  # fmt: skip

ACTIONS: Final[Mapping[str, Action]] = MappingProxyType({action.name: action for action in _ALL})
"""Every DynamoDB action by its name without the service prefix ("GetItem")."""
