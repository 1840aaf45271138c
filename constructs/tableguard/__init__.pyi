# The public API. `__init__.py` reads it, type checkers read it: each name stands here, and nowhere else.

from tableguard.backup.aws_backup.air_gapped_vault import AirGappedVault as AirGappedVault
from tableguard.backup.aws_backup.backup_plan import TableBackupPlan as TableBackupPlan
from tableguard.backup.aws_backup.locked_vault import LockedBackupVault as LockedBackupVault
from tableguard.backup.aws_backup.region_settings import AdvancedDynamoDbBackup as AdvancedDynamoDbBackup
from tableguard.backup.aws_backup.restore_testing import RestoreTesting as RestoreTesting
from tableguard.backup.cold_storage import ColdStorage as ColdStorage
from tableguard.backup.drill.canary import Canary as Canary, CanaryWriter as CanaryWriter
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
    Account as Account,
    Attributes as Attributes,
    AwsService as AwsService,
    Clause as Clause,
    Condition as Condition,
    Exemption as Exemption,
    FederatedUser as FederatedUser,
    Forwarding as Forwarding,
    FromNetwork as FromNetwork,
    FromVpc as FromVpc,
    FromVpcEndpoint as FromVpcEndpoint,
    FromVpcsOfAccount as FromVpcsOfAccount,
    FromVpcsOfOrganization as FromVpcsOfOrganization,
    InOrganization as InOrganization,
    InvalidInputError as InvalidInputError,
    LambdaPoller as LambdaPoller,
    LeadingKeys as LeadingKeys,
    Limit as Limit,
    Limits as Limits,
    Organization as Organization,
    OrganizationalUnit as OrganizationalUnit,
    Perimeter as Perimeter,
    PermissionSet as PermissionSet,
    PolicyTooLargeError as PolicyTooLargeError,
    Principal as Principal,
    PublicPolicyError as PublicPolicyError,
    RestrictedActions as RestrictedActions,
    Role as Role,
    RoleOfEveryAccount as RoleOfEveryAccount,
    RoleSession as RoleSession,
    ServiceLinkedRole as ServiceLinkedRole,
    TableGrant as TableGrant,
    TableguardError as TableguardError,
    TableReference as TableReference,
    User as User,
)
from tableguard.policy.archive_rules import SharedTable as SharedTable
from tableguard.policy.backup import (
    BackupRule as BackupRule,
    BackupVaultReference as BackupVaultReference,
    LockMode as LockMode,
    ReplicationSource as ReplicationSource,
    Retention as Retention,
    RetentionBounds as RetentionBounds,
    SealedReference as SealedReference,
    SourceQuota as SourceQuota,
    VaultCopy as VaultCopy,
    VaultLock as VaultLock,
    VaultReference as VaultReference,
)
from tableguard.policy.break_glass import BreakGlassAccess as BreakGlassAccess, UsersWithMfa as UsersWithMfa
from tableguard.policy.guardrails import (
    ForceBoundary as ForceBoundary,
    NoEc2 as NoEc2,
    OnlyRegions as OnlyRegions,
    ProtectBackups as ProtectBackups,
    ProtectKeys as ProtectKeys,
    ProtectSchedules as ProtectSchedules,
    ProtectTables as ProtectTables,
    ProtectTrails as ProtectTrails,
    StayInOrganization as StayInOrganization,
    TablePart as TablePart,
    VaultGuardrail as VaultGuardrail,
)
from tableguard.review.rules import (
    EveryGrantEnds as EveryGrantEnds,
    KeepsAccess as KeepsAccess,
    NobodyCan as NobodyCan,
    NoWayAround as NoWayAround,
    OnlyAccounts as OnlyAccounts,
    OnlyFrom as OnlyFrom,
)
from tableguard.tables.consumer_access import ConsumerAccess as ConsumerAccess
from tableguard.tables.consumer_role import ConsumerRole as ConsumerRole
from tableguard.tables.cross_account_table import CrossAccountTable as CrossAccountTable
from tableguard.tables.table_access import TableAccess as TableAccess
from tableguard.validation import TableguardRules as TableguardRules

__all__: list[str]
