"""Every DynamoDB action: what it is for, what it can do, which resource it goes to, whether it works across accounts.

Sources, as of 2026-11-30: the service authorization reference ("Actions, resources, and condition keys for Amazon
DynamoDB"), the API model for the bulk operations, which that list does not carry yet, and the developer guide's
"DynamoDB API operations supported by resource-based policies" for what works across accounts. An action for which the
guide does not say that it works across accounts counts as one that does not; where it is silent about a new action,
the answer is open.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tableguard.aws.actions import Category, Effect, ServiceAction, by_name

SERVICE: Final = "dynamodb"
AS_OF: Final = dt.date(2026, 11, 30)
"""The day whose actions are all in the table: what AWS adds later is classified by nobody."""


class Resource(enum.StrEnum):
    """The kind of resource that an action is authorized on."""

    TABLE = "table"
    INDEX = "index"
    STREAM = "stream"
    BACKUP = "backup"
    EXPORT = "export"
    IMPORT = "import"
    GLOBAL_TABLE = "global-table"
    BULK_OPERATION = "bulk operation"
    """The service authorization reference has no such resource; the API names bulk operations by ARNs of their own."""


class ResourcePolicySupport(enum.Enum):
    """How far a statement of a table's or a stream's policy carries for an action."""

    ACROSS_ACCOUNTS = "works by the table's ARN from another account"
    OPEN = "may work from another account: no source says so, and none says that it does not"
    """Nothing is granted on it, and everything that refuses counts it as working."""
    OWN_ACCOUNT = "is accepted in a resource policy, but works only inside the table's account"
    IDENTITY_ONLY = "is not supported in a table's or stream's policy at all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(ServiceAction):
    """One DynamoDB action.

    Args:
        service: "dynamodb".
        name: The action without its service prefix, as IAM spells it.
        category: What it is for.
        effects: What it can do.
        resources: The kinds of resource it is authorized on; empty for an action on the whole account.
        resource_policy: How far a resource policy carries for it.
        by_key: Whether a request carries `dynamodb:LeadingKeys`, so that it can be narrowed to partition keys.
        by_attribute: Whether a request carries `dynamodb:Attributes`.
        on_all: Whether one request is authorized on every kind of its resources, so that each has to be allowed.
        by_service: Whether only a service of AWS calls it, for replication: no caller has such an operation.
        decrypts: Whether DynamoDB asks KMS for kms:Decrypt as the caller, where a customer-managed key encrypts the
            table. Source: DynamoDB developer guide, "DynamoDB encryption usage notes".
    """

    resources: frozenset[Resource]
    resource_policy: ResourcePolicySupport
    by_key: bool = False
    by_attribute: bool = False
    by_service: bool = False
    decrypts: bool = False

    @property
    def across_accounts(self) -> bool:
        """Whether a caller of another account can use it for sure, given both sides' permission."""
        return self.resource_policy is ResourcePolicySupport.ACROSS_ACCOUNTS

    @property
    def maybe_across_accounts(self) -> bool:
        """Whether a caller of another account can use it, or no source tells that it cannot."""
        return self.resource_policy in (ResourcePolicySupport.ACROSS_ACCOUNTS, ResourcePolicySupport.OPEN)


_TABLE, _INDEX, _STREAM = Resource.TABLE, Resource.INDEX, Resource.STREAM
_ACROSS, _OPEN, _OWN, _IDENTITY = (
    ResourcePolicySupport.ACROSS_ACCOUNTS,
    ResourcePolicySupport.OPEN,
    ResourcePolicySupport.OWN_ACCOUNT,
    ResourcePolicySupport.IDENTITY_ONLY,
)
_REVEALS, _CHANGES, _MOVES = Effect.REVEALS_ITEMS, Effect.CHANGES_ITEMS, Effect.MOVES_ITEMS_OUT
_COPIES, _ACCESS, _PROTECTION = Effect.MAKES_COPY, Effect.CHANGES_ACCESS, Effect.CHANGES_PROTECTION
_NOTHING = Effect.HARMLESS


def _actions(  # one row of the table below
    names: str,
    category: Category,
    *effects: Effect,
    on: tuple[Resource, ...] = (),
    policy: ResourcePolicySupport,
    by_key: bool = False,
    by_attribute: bool = False,
    by_service: bool = False,
    on_all: bool = False,
    decrypts: bool = False,
) -> Iterable[Action]:
    return (
        Action(
            service=SERVICE,
            name=name,
            category=category,
            effects=frozenset(effects),
            resources=frozenset(on),
            resource_policy=policy,
            by_key=by_key,
            by_attribute=by_attribute,
            by_service=by_service,
            on_all=on_all,
            decrypts=decrypts,
        )
        for name in names.split()
    )


_ALL: Final = (
    # Items. BatchGetItem, BatchWriteItem and the item operations of a transaction name the partition keys they touch.
    # A failed condition can return the item (ReturnValuesOnConditionCheckFailure), and writes return what they change.
    *_actions("BatchGetItem ConditionCheckItem GetItem", Category.READ, _REVEALS,
              on=(_TABLE,), policy=_ACROSS, by_key=True, by_attribute=True, decrypts=True),
    *_actions("Query", Category.READ, _REVEALS,
              on=(_TABLE, _INDEX), policy=_ACROSS, by_key=True, by_attribute=True, decrypts=True),
    # A Scan reads every partition: it carries attributes, never leading keys.
    *_actions("Scan", Category.READ, _REVEALS, on=(_TABLE, _INDEX), policy=_ACROSS, by_attribute=True, decrypts=True),
    *_actions("DeleteItem PutItem UpdateItem", Category.WRITE, _REVEALS, _CHANGES,
              on=(_TABLE,), policy=_ACROSS, by_key=True, by_attribute=True, decrypts=True),
    *_actions("BatchWriteItem", Category.WRITE, _CHANGES,
              on=(_TABLE,), policy=_ACROSS, by_key=True, by_attribute=True, decrypts=True),
    *_actions("PartiQLSelect", Category.READ, _REVEALS,
              on=(_TABLE, _INDEX), policy=_OWN, by_key=True, by_attribute=True, decrypts=True),
    *_actions("PartiQLDelete PartiQLUpdate", Category.WRITE, _REVEALS, _CHANGES,
              on=(_TABLE,), policy=_OWN, by_key=True, by_attribute=True, decrypts=True),
    *_actions("PartiQLInsert", Category.WRITE, _CHANGES,
              on=(_TABLE,), policy=_OWN, by_key=True, by_attribute=True, decrypts=True),
    # Asks for the table and the index. Ignores the fine-grained keys.
    *_actions("SearchVectors", Category.READ, _REVEALS, on=(_TABLE, _INDEX), policy=_OPEN, on_all=True, decrypts=True),
    # With the output type CONDITION_CHECK_FAILURE it writes items that are there already to a bucket that the caller
    # names. Which resource it is authorized on is open: the reference does not carry it.
    *_actions("StartBulkPutItems", Category.WRITE, _REVEALS, _CHANGES, _MOVES,
              on=(_TABLE,), policy=_OPEN, decrypts=True),
    *_actions("CancelBulkOperation", Category.SETTINGS, _NOTHING, on=(_TABLE, Resource.BULK_OPERATION), policy=_OPEN),
    *_actions("DescribeBulkOperation", Category.SETTINGS, _NOTHING, on=(_TABLE, Resource.BULK_OPERATION), policy=_OPEN),
    *_actions("ListBulkOperations", Category.OTHER, _NOTHING, policy=_IDENTITY),
    # Streams. An iterator is the handle that records are read with.
    *_actions("GetRecords", Category.STREAM, _REVEALS, on=(_STREAM,), policy=_ACROSS, decrypts=True),
    *_actions("GetShardIterator", Category.STREAM, _REVEALS, on=(_STREAM,), policy=_ACROSS),
    *_actions("DescribeStream", Category.STREAM, _NOTHING, on=(_STREAM,), policy=_ACROSS),
    *_actions("ListStreams", Category.STREAM, _NOTHING, policy=_IDENTITY),
    # Settings. UpdateTable has no key that narrows it: deletion protection, encryption, and the stream, which comes
    # back without a policy once it was turned off.
    *_actions("DescribeTable", Category.SETTINGS, _NOTHING, on=(_TABLE,), policy=_ACROSS),
    *_actions("UpdateTable", Category.SETTINGS, _PROTECTION, on=(_TABLE,), policy=_ACROSS),
    *_actions("DeleteTable", Category.DELETE, _CHANGES, _PROTECTION, on=(_TABLE,), policy=_ACROSS),
    *_actions("CreateTable", Category.OTHER, _NOTHING, on=(_TABLE,), policy=_IDENTITY),
    # The reports of contributor insights show keys of items.
    *_actions("UpdateContributorInsights", Category.SETTINGS, _REVEALS, on=(_TABLE, _INDEX), policy=_OWN),
    *_actions("DescribeContributorInsights", Category.SETTINGS, _NOTHING, on=(_TABLE, _INDEX), policy=_OWN),
    # Time to live deletes items in the end.
    *_actions("UpdateTimeToLive", Category.SETTINGS, _CHANGES, on=(_TABLE,), policy=_OWN),
    *_actions("DescribeTimeToLive", Category.SETTINGS, _NOTHING, on=(_TABLE,), policy=_OWN),
    # Tags decide where policies go by them. Tags of streams: since 2026.
    *_actions("TagResource UntagResource", Category.TAGS, _ACCESS, on=(_TABLE, _STREAM), policy=_ACROSS),
    *_actions("ListTagsOfResource", Category.TAGS, _NOTHING, on=(_TABLE, _STREAM), policy=_ACROSS),
    *_actions("UpdateAbacStatus", Category.OTHER, _ACCESS, policy=_IDENTITY),
    *_actions("GetAbacStatus", Category.OTHER, _NOTHING, policy=_IDENTITY),
    # Policies.
    *_actions("DeleteResourcePolicy PutResourcePolicy", Category.POLICY, _ACCESS, on=(_TABLE, _STREAM), policy=_OWN),
    *_actions("GetResourcePolicy", Category.POLICY, _NOTHING, on=(_TABLE, _STREAM), policy=_OWN),
    # Kinesis.
    *_actions("EnableKinesisStreamingDestination UpdateKinesisStreamingDestination",
              Category.KINESIS, _MOVES, on=(_TABLE,), policy=_OWN),
    *_actions("DisableKinesisStreamingDestination", Category.KINESIS, _PROTECTION, on=(_TABLE,), policy=_OWN),
    *_actions("DescribeKinesisStreamingDestination", Category.KINESIS, _NOTHING, on=(_TABLE,), policy=_OWN),
    # Replication. The three actions of the service come first; AssociateTableReplica is the joining account's.
    *_actions("ReadDataForReplication", Category.READ, _REVEALS, on=(_TABLE,), policy=_ACROSS, by_service=True),
    *_actions("WriteDataForReplication", Category.WRITE, _CHANGES, on=(_TABLE,), policy=_ACROSS, by_service=True),
    *_actions("ReplicateSettings", Category.REPLICATE, _PROTECTION, on=(_TABLE,), policy=_ACROSS, by_service=True),
    *_actions("AssociateTableReplica", Category.REPLICATE, _COPIES, on=(_TABLE,), policy=_ACROSS),
    *_actions("CreateGlobalTableWitness CreateTableReplica", Category.REPLICATE, _COPIES, on=(_TABLE,), policy=_OWN),
    # Taking a replica out deletes it, or leaves a table behind that no longer follows.
    *_actions("DeleteGlobalTableWitness DeleteTableReplica",
              Category.REPLICATE, _CHANGES, _PROTECTION, on=(_TABLE,), policy=_OWN),
    *_actions("DisassociateTableReplica", Category.REPLICATE, _CHANGES, _PROTECTION, on=(_TABLE,), policy=_OPEN),
    *_actions("UpdateTableReplicaAutoScaling", Category.REPLICATE, _PROTECTION, on=(_TABLE,), policy=_OWN),
    *_actions("DescribeTableReplicaAutoScaling", Category.REPLICATE, _NOTHING, on=(_TABLE,), policy=_OWN),
    # The global tables of 2017.
    *_actions("CreateGlobalTable UpdateGlobalTable",
              Category.REPLICATE, _COPIES, on=(Resource.GLOBAL_TABLE, _TABLE), policy=_IDENTITY, on_all=True),
    *_actions("UpdateGlobalTableSettings",
              Category.REPLICATE, _PROTECTION, on=(Resource.GLOBAL_TABLE, _TABLE), policy=_IDENTITY, on_all=True),
    *_actions("UpdateGlobalTableVersion",
              Category.REPLICATE, _PROTECTION, on=(Resource.GLOBAL_TABLE, _TABLE), policy=_IDENTITY),
    *_actions("DescribeGlobalTable DescribeGlobalTableSettings",
              Category.REPLICATE, _NOTHING, on=(Resource.GLOBAL_TABLE,), policy=_IDENTITY),
    # Backups: the first half of a copy elsewhere.
    *_actions("CreateBackup StartAwsBackupJob", Category.BACKUP, _COPIES, on=(_TABLE,), policy=_OWN),
    *_actions("UpdateContinuousBackups", Category.BACKUP, _PROTECTION, on=(_TABLE,), policy=_OWN),
    *_actions("DescribeContinuousBackups", Category.BACKUP, _NOTHING, on=(_TABLE,), policy=_OWN),
    *_actions("DeleteBackup", Category.BACKUP, _PROTECTION, on=(Resource.BACKUP,), policy=_IDENTITY),
    *_actions("DescribeBackup", Category.BACKUP, _NOTHING, on=(Resource.BACKUP,), policy=_IDENTITY),
    # Restores: the copy carries no policy.
    *_actions("RestoreTableToPointInTime", Category.RESTORE, _COPIES, on=(_TABLE,), policy=_OWN),
    *_actions("RestoreTableFromAwsBackup", Category.RESTORE, _COPIES, on=(_TABLE,), policy=_IDENTITY),
    *_actions("RestoreTableFromBackup",
              Category.RESTORE, _COPIES, on=(Resource.BACKUP, _TABLE), policy=_IDENTITY, on_all=True),
    # Exports and imports. Zero-ETL asks for DescribeExport in the table's policy, though its resource is the export.
    # Source: Redshift management guide, "Create zero-ETL integrations for DynamoDB".
    *_actions("ExportTableToPointInTime", Category.EXPORT, _MOVES, on=(_TABLE,), policy=_OWN),
    *_actions("DescribeExport", Category.EXPORT, _NOTHING, on=(Resource.EXPORT,), policy=_OWN),
    *_actions("ListExports", Category.EXPORT, _NOTHING, on=(_TABLE,), policy=_IDENTITY),
    *_actions("ImportTable", Category.OTHER, _NOTHING, on=(_TABLE,), policy=_IDENTITY), # a table that was not there
    *_actions("ListImports", Category.OTHER, _NOTHING, on=(_TABLE,), policy=_IDENTITY),
    *_actions("DescribeImport", Category.OTHER, _NOTHING, on=(Resource.IMPORT,), policy=_IDENTITY),
    # The account.
    *_actions("DescribeEndpoints DescribeLimits DescribeReservedCapacity DescribeReservedCapacityOfferings "
              "InjectError ListBackups ListContributorInsights ListGlobalTables ListTables "
              "PurchaseReservedCapacityOfferings", Category.OTHER, _NOTHING, policy=_IDENTITY),
)  # fmt: skip

ACTIONS: Final[Mapping[str, Action]] = by_name(_ALL)
"""Every DynamoDB action by its name without the service prefix ("GetItem")."""


def actions_that(*effects: Effect, category: Category | None = None) -> tuple[Action, ...]:
    """The actions with one of these effects, in the order of the table.

    Args:
        effects: The effects.
        category: Only actions that are for this; all when left out.
    """
    return tuple(a for a in ACTIONS.values() if a.can(*effects) and category in (None, a.category))
