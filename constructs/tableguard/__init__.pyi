# The public API. `__init__.py` reads it, type checkers read it: each name stands here, and nowhere else.

from tableguard.backup.aws_backup.air_gapped_vault import AirGappedVault as AirGappedVault
from tableguard.backup.aws_backup.backup_plan import TableBackupPlan as TableBackupPlan
from tableguard.backup.aws_backup.locked_vault import LockedBackupVault as LockedBackupVault
from tableguard.backup.aws_backup.region_settings import AdvancedDynamoDbBackup as AdvancedDynamoDbBackup
from tableguard.backup.aws_backup.restore_testing import RestoreTesting as RestoreTesting
from tableguard.backup.cold_storage import ColdStorage as ColdStorage
from tableguard.backup.drill.canary import Canary as Canary
from tableguard.backup.drill.canary import CanaryWriter as CanaryWriter
from tableguard.backup.drill.restore_drill import RestoreDrill as RestoreDrill
from tableguard.backup.export.landing_bucket import LandingBucket as LandingBucket
from tableguard.backup.export.replication import BucketReplication as BucketReplication
from tableguard.backup.export.table_export import TableExport as TableExport
from tableguard.backup.immutable_bucket import ImmutableBackupBucket as ImmutableBackupBucket
from tableguard.backup.on_demand.on_demand_backups import OnDemandBackups as OnDemandBackups
from tableguard.backup.restore.blueprint_policy import BlueprintPolicy as BlueprintPolicy
from tableguard.backup.restore.table_blueprint import TableBlueprint as TableBlueprint
from tableguard.backup.restore.table_restore import TableRestore as TableRestore
from tableguard.backup.vault.intake_bucket import IntakeBucket as IntakeBucket
from tableguard.backup.vault.sealed_vault import SealedVault as SealedVault
from tableguard.network.endpoint_tables import EndpointTables as EndpointTables
from tableguard.network.gateway_endpoint import DynamoDbGatewayEndpoint as DynamoDbGatewayEndpoint
from tableguard.network.interface_endpoint import DynamoDbInterfaceEndpoint as DynamoDbInterfaceEndpoint
from tableguard.network.no_human_access import NoHumanAccess as NoHumanAccess
from tableguard.network.table_perimeter import TablePerimeter as TablePerimeter
from tableguard.network.vpc_only_table import VpcOnlyTable as VpcOnlyTable
from tableguard.organization.access_analyzer import ExternalAccessAnalyzer as ExternalAccessAnalyzer
from tableguard.organization.attachments import Attachments as Attachments
from tableguard.organization.break_glass_alarm import BreakGlassAlarm as BreakGlassAlarm
from tableguard.organization.break_glass_rcp import BreakGlassRCP as BreakGlassRCP
from tableguard.organization.break_glass_role import BreakGlassRole as BreakGlassRole
from tableguard.organization.break_glass_scp import BreakGlassSCP as BreakGlassSCP
from tableguard.organization.data_access_boundary import DataAccessBoundary as DataAccessBoundary
from tableguard.policy import (
    Access as Access,
)
from tableguard.policy import (
    Account as Account,
)
from tableguard.policy import (
    Attributes as Attributes,
)
from tableguard.policy import (
    AwsService as AwsService,
)
from tableguard.policy import (
    Clause as Clause,
)
from tableguard.policy import (
    Condition as Condition,
)
from tableguard.policy import (
    Exemption as Exemption,
)
from tableguard.policy import (
    FederatedUser as FederatedUser,
)
from tableguard.policy import (
    Forwarding as Forwarding,
)
from tableguard.policy import (
    FromNetwork as FromNetwork,
)
from tableguard.policy import (
    FromVpc as FromVpc,
)
from tableguard.policy import (
    FromVpcEndpoint as FromVpcEndpoint,
)
from tableguard.policy import (
    FromVpcsOfAccount as FromVpcsOfAccount,
)
from tableguard.policy import (
    FromVpcsOfOrganization as FromVpcsOfOrganization,
)
from tableguard.policy import (
    InOrganization as InOrganization,
)
from tableguard.policy import (
    InvalidInputError as InvalidInputError,
)
from tableguard.policy import (
    LambdaPoller as LambdaPoller,
)
from tableguard.policy import (
    LeadingKeys as LeadingKeys,
)
from tableguard.policy import (
    Limit as Limit,
)
from tableguard.policy import (
    Limits as Limits,
)
from tableguard.policy import (
    Organization as Organization,
)
from tableguard.policy import (
    OrganizationalUnit as OrganizationalUnit,
)
from tableguard.policy import (
    Perimeter as Perimeter,
)
from tableguard.policy import (
    PermissionSet as PermissionSet,
)
from tableguard.policy import (
    PolicyTooLargeError as PolicyTooLargeError,
)
from tableguard.policy import (
    Principal as Principal,
)
from tableguard.policy import (
    PublicPolicyError as PublicPolicyError,
)
from tableguard.policy import (
    RestrictedActions as RestrictedActions,
)
from tableguard.policy import (
    Role as Role,
)
from tableguard.policy import (
    RoleOfEveryAccount as RoleOfEveryAccount,
)
from tableguard.policy import (
    RoleSession as RoleSession,
)
from tableguard.policy import (
    ServiceLinkedRole as ServiceLinkedRole,
)
from tableguard.policy import (
    TableGrant as TableGrant,
)
from tableguard.policy import (
    TableguardError as TableguardError,
)
from tableguard.policy import (
    TableReference as TableReference,
)
from tableguard.policy import (
    User as User,
)
from tableguard.policy.archive_rules import SharedTable as SharedTable
from tableguard.policy.backup import (
    BackupRule as BackupRule,
)
from tableguard.policy.backup import (
    BackupVaultReference as BackupVaultReference,
)
from tableguard.policy.backup import (
    LockMode as LockMode,
)
from tableguard.policy.backup import (
    ReplicationSource as ReplicationSource,
)
from tableguard.policy.backup import (
    Retention as Retention,
)
from tableguard.policy.backup import (
    RetentionBounds as RetentionBounds,
)
from tableguard.policy.backup import (
    SealedReference as SealedReference,
)
from tableguard.policy.backup import (
    SourceQuota as SourceQuota,
)
from tableguard.policy.backup import (
    VaultCopy as VaultCopy,
)
from tableguard.policy.backup import (
    VaultLock as VaultLock,
)
from tableguard.policy.backup import (
    VaultReference as VaultReference,
)
from tableguard.policy.break_glass import BreakGlassAccess as BreakGlassAccess
from tableguard.policy.break_glass import UsersWithMfa as UsersWithMfa
from tableguard.policy.guardrails import (
    ForceBoundary as ForceBoundary,
)
from tableguard.policy.guardrails import (
    NoEc2 as NoEc2,
)
from tableguard.policy.guardrails import (
    OnlyRegions as OnlyRegions,
)
from tableguard.policy.guardrails import (
    ProtectBackups as ProtectBackups,
)
from tableguard.policy.guardrails import (
    ProtectKeys as ProtectKeys,
)
from tableguard.policy.guardrails import (
    ProtectSchedules as ProtectSchedules,
)
from tableguard.policy.guardrails import (
    ProtectTables as ProtectTables,
)
from tableguard.policy.guardrails import (
    ProtectTrails as ProtectTrails,
)
from tableguard.policy.guardrails import (
    StayInOrganization as StayInOrganization,
)
from tableguard.policy.guardrails import (
    TablePart as TablePart,
)
from tableguard.policy.guardrails import (
    VaultGuardrail as VaultGuardrail,
)
from tableguard.review.rules import (
    EveryGrantEnds as EveryGrantEnds,
)
from tableguard.review.rules import (
    KeepsAccess as KeepsAccess,
)
from tableguard.review.rules import (
    NobodyCan as NobodyCan,
)
from tableguard.review.rules import (
    NoWayAround as NoWayAround,
)
from tableguard.review.rules import (
    OnlyAccounts as OnlyAccounts,
)
from tableguard.review.rules import (
    OnlyFrom as OnlyFrom,
)
from tableguard.tables.consumer_access import ConsumerAccess as ConsumerAccess
from tableguard.tables.consumer_role import ConsumerRole as ConsumerRole
from tableguard.tables.cross_account_table import CrossAccountTable as CrossAccountTable
from tableguard.tables.table_access import TableAccess as TableAccess
from tableguard.validation import TableguardRules as TableguardRules

__all__: list[str]
