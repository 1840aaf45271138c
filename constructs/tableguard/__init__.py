"""AWS CDK constructs that share DynamoDB tables across accounts, and show who may do what.

The names below are the public API. They are imported when they are first used, so that the language and the review work
without the AWS CDK and Node, and the command line answers at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tableguard.backup.aws_backup.air_gapped_vault import AirGappedVault
    from tableguard.backup.aws_backup.backup_plan import TableBackupPlan
    from tableguard.backup.aws_backup.locked_vault import LockedBackupVault
    from tableguard.backup.aws_backup.region_settings import AdvancedDynamoDbBackup
    from tableguard.backup.aws_backup.restore_testing import RestoreTesting
    from tableguard.backup.cold_storage import ColdStorage
    from tableguard.backup.drill.canary import Canary, CanaryWriter
    from tableguard.backup.drill.restore_drill import RestoreDrill
    from tableguard.backup.export.landing_bucket import LandingBucket
    from tableguard.backup.export.replication import BucketReplication
    from tableguard.backup.export.table_export import TableExport
    from tableguard.backup.immutable_bucket import ImmutableBackupBucket
    from tableguard.backup.on_demand.on_demand_backups import OnDemandBackups
    from tableguard.backup.restore.blueprint_policy import BlueprintPolicy
    from tableguard.backup.restore.table_blueprint import TableBlueprint
    from tableguard.backup.restore.table_restore import TableRestore
    from tableguard.backup.vault.intake_bucket import IntakeBucket
    from tableguard.backup.vault.sealed_vault import SealedVault
    from tableguard.network.endpoint_tables import EndpointTables
    from tableguard.network.gateway_endpoint import DynamoDbGatewayEndpoint
    from tableguard.network.interface_endpoint import DynamoDbInterfaceEndpoint
    from tableguard.network.no_human_access import NoHumanAccess
    from tableguard.network.table_perimeter import TablePerimeter
    from tableguard.network.vpc_only_table import VpcOnlyTable
    from tableguard.organization.access_analyzer import ExternalAccessAnalyzer
    from tableguard.organization.attachments import Attachments
    from tableguard.organization.break_glass_alarm import BreakGlassAlarm
    from tableguard.organization.break_glass_rcp import BreakGlassRCP
    from tableguard.organization.break_glass_role import BreakGlassRole
    from tableguard.organization.break_glass_scp import BreakGlassSCP
    from tableguard.organization.data_access_boundary import DataAccessBoundary
    from tableguard.policy import (
        Access,
        Account,
        Attributes,
        AwsService,
        Clause,
        Condition,
        Exemption,
        FederatedUser,
        Fenced,
        Forwarding,
        FromNetwork,
        FromVpc,
        FromVpcEndpoint,
        FromVpcsOfAccount,
        FromVpcsOfOrganization,
        InOrganization,
        InvalidInputError,
        LambdaPoller,
        LeadingKeys,
        Limit,
        Limits,
        Organization,
        OrganizationalUnit,
        Perimeter,
        PermissionSet,
        PolicyTooLargeError,
        Principal,
        PublicPolicyError,
        Role,
        RoleOfEveryAccount,
        RoleSession,
        ServiceLinkedRole,
        TableGrant,
        TableguardError,
        TableReference,
        User,
    )
    from tableguard.policy.archive_rules import SharedTable
    from tableguard.policy.backup import (
        BackupRule,
        BackupVaultReference,
        LockMode,
        ReplicationSource,
        Retention,
        RetentionBounds,
        SealedReference,
        SourceQuota,
        VaultCopy,
        VaultLock,
        VaultReference,
    )
    from tableguard.policy.break_glass import BreakGlassAccess, UsersWithMfa
    from tableguard.policy.guardrails import (
        ForceBoundary,
        NoEc2,
        OnlyRegions,
        ProtectBackups,
        ProtectKeys,
        ProtectSchedules,
        ProtectTables,
        ProtectTrails,
        StayInOrganization,
        TablePart,
        VaultGuardrail,
    )
    from tableguard.review.rules import EveryGrantEnds, KeepsAccess, NobodyCan, NoWayAround, OnlyAccounts, OnlyFrom
    from tableguard.tables.consumer_access import ConsumerAccess
    from tableguard.tables.consumer_role import ConsumerRole
    from tableguard.tables.cross_account_table import CrossAccountTable
    from tableguard.tables.table_access import TableAccess
    from tableguard.validation import TableguardRules

_MODULES: Final = {
    "BlueprintPolicy": "tableguard.backup.restore.blueprint_policy",
    "Canary": "tableguard.backup.drill.canary",
    "CanaryWriter": "tableguard.backup.drill.canary",
    "RestoreDrill": "tableguard.backup.drill.restore_drill",
    "TableBlueprint": "tableguard.backup.restore.table_blueprint",
    "TableRestore": "tableguard.backup.restore.table_restore",
    "AdvancedDynamoDbBackup": "tableguard.backup.aws_backup.region_settings",
    "AirGappedVault": "tableguard.backup.aws_backup.air_gapped_vault",
    "Attachments": "tableguard.organization.attachments",
    "BackupRule": "tableguard.policy.backup",
    "BackupVaultReference": "tableguard.policy.backup",
    "BreakGlassAccess": "tableguard.policy.break_glass",
    "BreakGlassAlarm": "tableguard.organization.break_glass_alarm",
    "BreakGlassRCP": "tableguard.organization.break_glass_rcp",
    "BreakGlassRole": "tableguard.organization.break_glass_role",
    "BreakGlassSCP": "tableguard.organization.break_glass_scp",
    "BucketReplication": "tableguard.backup.export.replication",
    "ColdStorage": "tableguard.backup.cold_storage",
    "ConsumerAccess": "tableguard.tables.consumer_access",
    "ConsumerRole": "tableguard.tables.consumer_role",
    "CrossAccountTable": "tableguard.tables.cross_account_table",
    "DataAccessBoundary": "tableguard.organization.data_access_boundary",
    "DynamoDbGatewayEndpoint": "tableguard.network.gateway_endpoint",
    "DynamoDbInterfaceEndpoint": "tableguard.network.interface_endpoint",
    "EndpointTables": "tableguard.network.endpoint_tables",
    "EveryGrantEnds": "tableguard.review.rules",
    "ExternalAccessAnalyzer": "tableguard.organization.access_analyzer",
    "ForceBoundary": "tableguard.policy.guardrails",
    "ImmutableBackupBucket": "tableguard.backup.immutable_bucket",
    "IntakeBucket": "tableguard.backup.vault.intake_bucket",
    "KeepsAccess": "tableguard.review.rules",
    "LandingBucket": "tableguard.backup.export.landing_bucket",
    "LockedBackupVault": "tableguard.backup.aws_backup.locked_vault",
    "LockMode": "tableguard.policy.backup",
    "NobodyCan": "tableguard.review.rules",
    "NoEc2": "tableguard.policy.guardrails",
    "NoHumanAccess": "tableguard.network.no_human_access",
    "NoWayAround": "tableguard.review.rules",
    "OnDemandBackups": "tableguard.backup.on_demand.on_demand_backups",
    "OnlyAccounts": "tableguard.review.rules",
    "OnlyFrom": "tableguard.review.rules",
    "OnlyRegions": "tableguard.policy.guardrails",
    "ProtectBackups": "tableguard.policy.guardrails",
    "ProtectKeys": "tableguard.policy.guardrails",
    "ProtectSchedules": "tableguard.policy.guardrails",
    "ProtectTables": "tableguard.policy.guardrails",
    "ProtectTrails": "tableguard.policy.guardrails",
    "ReplicationSource": "tableguard.policy.backup",
    "RestoreTesting": "tableguard.backup.aws_backup.restore_testing",
    "Retention": "tableguard.policy.backup",
    "RetentionBounds": "tableguard.policy.backup",
    "SealedReference": "tableguard.policy.backup",
    "SealedVault": "tableguard.backup.vault.sealed_vault",
    "SharedTable": "tableguard.policy.archive_rules",
    "SourceQuota": "tableguard.policy.backup",
    "StayInOrganization": "tableguard.policy.guardrails",
    "TableAccess": "tableguard.tables.table_access",
    "TableExport": "tableguard.backup.export.table_export",
    "TableBackupPlan": "tableguard.backup.aws_backup.backup_plan",
    "TableguardRules": "tableguard.validation",
    "TablePart": "tableguard.policy.guardrails",
    "TablePerimeter": "tableguard.network.table_perimeter",
    "UsersWithMfa": "tableguard.policy.break_glass",
    "VaultCopy": "tableguard.policy.backup",
    "VaultGuardrail": "tableguard.policy.guardrails",
    "VaultLock": "tableguard.policy.backup",
    "VaultReference": "tableguard.policy.backup",
    "VpcOnlyTable": "tableguard.network.vpc_only_table",
}

__all__ = [
    "Access",
    "Account",
    "AdvancedDynamoDbBackup",
    "AirGappedVault",
    "Attachments",
    "Attributes",
    "AwsService",
    "BackupRule",
    "BackupVaultReference",
    "BlueprintPolicy",
    "BreakGlassAccess",
    "BreakGlassAlarm",
    "BreakGlassRCP",
    "BreakGlassRole",
    "BreakGlassSCP",
    "BucketReplication",
    "Canary",
    "CanaryWriter",
    "Clause",
    "ColdStorage",
    "Condition",
    "ConsumerAccess",
    "ConsumerRole",
    "CrossAccountTable",
    "DataAccessBoundary",
    "DynamoDbGatewayEndpoint",
    "DynamoDbInterfaceEndpoint",
    "EndpointTables",
    "EveryGrantEnds",
    "Exemption",
    "ExternalAccessAnalyzer",
    "FederatedUser",
    "Fenced",
    "ForceBoundary",
    "Forwarding",
    "FromNetwork",
    "FromVpc",
    "FromVpcEndpoint",
    "FromVpcsOfAccount",
    "FromVpcsOfOrganization",
    "ImmutableBackupBucket",
    "InOrganization",
    "IntakeBucket",
    "InvalidInputError",
    "KeepsAccess",
    "LambdaPoller",
    "LandingBucket",
    "LeadingKeys",
    "Limit",
    "Limits",
    "LockMode",
    "LockedBackupVault",
    "NoEc2",
    "NoHumanAccess",
    "NoWayAround",
    "NobodyCan",
    "OnDemandBackups",
    "OnlyAccounts",
    "OnlyFrom",
    "OnlyRegions",
    "Organization",
    "OrganizationalUnit",
    "Perimeter",
    "PermissionSet",
    "PolicyTooLargeError",
    "Principal",
    "ProtectBackups",
    "ProtectKeys",
    "ProtectSchedules",
    "ProtectTables",
    "ProtectTrails",
    "PublicPolicyError",
    "ReplicationSource",
    "RestoreDrill",
    "RestoreTesting",
    "Retention",
    "RetentionBounds",
    "Role",
    "RoleOfEveryAccount",
    "RoleSession",
    "SealedReference",
    "SealedVault",
    "ServiceLinkedRole",
    "SharedTable",
    "SourceQuota",
    "StayInOrganization",
    "TableAccess",
    "TableBackupPlan",
    "TableBlueprint",
    "TableExport",
    "TableGrant",
    "TablePart",
    "TablePerimeter",
    "TableReference",
    "TableRestore",
    "TableguardError",
    "TableguardRules",
    "User",
    "UsersWithMfa",
    "VaultCopy",
    "VaultGuardrail",
    "VaultLock",
    "VaultReference",
    "VpcOnlyTable",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_MODULES.get(name, "tableguard.policy")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
