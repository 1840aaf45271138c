"""Every AWS Backup action: what it is for, what it can do to recovery points and vaults, which resource it goes to.

"Items" are recovery points. Sources, as of 2026-11-30: the service authorization reference ("Actions, resources, and
condition keys for AWS Backup") and the AWS Backup developer guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from tableguard.aws.actions import Category, Effect, ServiceAction, by_name, classified

SERVICE: Final = "backup"

_REVEALS, _CHANGES, _MOVES = Effect.REVEALS_ITEMS, Effect.CHANGES_ITEMS, Effect.MOVES_ITEMS_OUT
_COPIES, _ACCESS, _PROTECTION = Effect.MAKES_COPY, Effect.CHANGES_ACCESS, Effect.CHANGES_PROTECTION
_NOTHING = Effect.HARMLESS
# What has tags of its own.
_TAGGED: Final = (
    "backupAccessPoint backupPlan backupVault framework legalHold recoveryPoint reportPlan "
    "restoreTestingPlan tieringConfiguration"
)
_actions: Final = partial(classified, SERVICE)

_ALL: Final = (
    *_actions("StartBackupJob", Category.BACKUP, _COPIES, on="backupVault"),
    # To a vault that the caller names, of another account, too.
    *_actions("CopyFromBackupVault StartCopyJob", Category.BACKUP, _MOVES, on="recoveryPoint"),
    *_actions("CopyIntoBackupVault", Category.BACKUP, _CHANGES, on="backupVault"),
    # A job that is stopped makes no recovery point.
    *_actions("StopBackupJob", Category.BACKUP, _PROTECTION),
    *_actions("StartRestoreJob", Category.RESTORE, _COPIES, on="recoveryPoint"),
    # A way to what a vault holds for another account, which approvers have to allow; and one without a restore, for
    # recovery points of S3, under a policy of its own.
    *_actions("CreateRestoreAccessBackupVault", Category.RESTORE, _ACCESS, on="backupVault"),
    *_actions("CreateBackupAccessPoint", Category.RESTORE, _REVEALS, _ACCESS, on="recoveryPoint"),
    # It reports of a restore test, and changes no recovery point.
    *_actions("PutRestoreValidationResult", Category.RESTORE, _NOTHING),
    # Names of files of what was backed up.
    *_actions("ListIndexedRecoveryPointsForSearch", Category.READ, _REVEALS),
    *_actions("SearchRecoveryPoint", Category.READ, _REVEALS, on="recoveryPoint"),
    *_actions("DeleteRecoveryPoint", Category.DELETE, _CHANGES, _PROTECTION, on="recoveryPoint"),
    # Out of AWS Backup's care, of its lifecycle and of its lock.
    *_actions("DisassociateRecoveryPoint DisassociateRecoveryPointFromParent",
              Category.DELETE, _PROTECTION, on="recoveryPoint"),
    *_actions("UpdateRecoveryPointLifecycle", Category.SETTINGS, _PROTECTION, on="recoveryPoint"),
    # Legal holds keep; the end of one does not.
    *_actions("CreateLegalHold", Category.BACKUP, _NOTHING, on="legalHold"),
    *_actions("CancelLegalHold", Category.DELETE, _PROTECTION, on="legalHold"),
    # Plans make backups; without a selection they make none.
    *_actions("DeleteBackupPlan DeleteBackupSelection", Category.DELETE, _PROTECTION, on="backupPlan"),
    *_actions("UpdateBackupPlan", Category.SETTINGS, _PROTECTION, on="backupPlan"),
    *_actions("CreateBackupPlan CreateBackupSelection", Category.OTHER, _NOTHING, on="backupPlan"),
    *_actions("CreateBackupVault CreateLogicallyAirGappedBackupVault", Category.OTHER, _NOTHING, on="backupVault"),
    # Vaults: locks, who gets in, who approves, who hears of it. The way back for an account that is lost is a
    # vault, too.
    *_actions("DeleteBackupVault RevokeRestoreAccessBackupVault", Category.DELETE, _PROTECTION, on="backupVault"),
    *_actions("DeleteBackupVaultLockConfiguration DeleteBackupVaultNotifications",
              Category.DELETE, _PROTECTION, on="backupVault"),
    *_actions("PutBackupVaultLockConfiguration PutBackupVaultNotifications",
              Category.SETTINGS, _PROTECTION, on="backupVault"),
    *_actions("AssociateBackupVaultMpaApprovalTeam DeleteBackupVaultAccessPolicy "
              "DeleteBackupVaultSharingPolicy DisassociateBackupVaultMpaApprovalTeam "
              "PutBackupVaultAccessPolicy PutBackupVaultSharingPolicy",
              Category.POLICY, _ACCESS, on="backupVault"),
    # Which resources AWS Backup takes care of, and whether copies leave the account.
    *_actions("UpdateGlobalSettings UpdateRegionSettings", Category.SETTINGS, _ACCESS, _PROTECTION),
    # Restore tests tell whether a backup is worth anything: alarms rest on them.
    *_actions("DeleteRestoreTestingPlan DeleteRestoreTestingSelection",
              Category.DELETE, _PROTECTION, on="restoreTestingPlan"),
    *_actions("UpdateRestoreTestingPlan UpdateRestoreTestingSelection",
              Category.SETTINGS, _PROTECTION, on="restoreTestingPlan"),
    *_actions("CreateRestoreTestingPlan CreateRestoreTestingSelection",
              Category.OTHER, _NOTHING, on="restoreTestingPlan"),
    # Where backups are kept, not for how long; a scan, and an index of names.
    *_actions("CreateTieringConfiguration DeleteTieringConfiguration UpdateTieringConfiguration",
              Category.SETTINGS, _NOTHING, on="tieringConfiguration"),
    *_actions("StartScanJob", Category.SETTINGS, _NOTHING, on="recoveryPoint"),
    *_actions("UpdateRecoveryPointIndexSettings", Category.SETTINGS, _REVEALS, on="recoveryPoint"),
    # It ends a way in, and the recovery point stays.
    *_actions("DeleteBackupAccessPoint", Category.DELETE, _NOTHING, on="backupAccessPoint"),
    # Frameworks and reports say what is backed up; they keep nothing.
    *_actions("CreateFramework DeleteFramework UpdateFramework", Category.OTHER, _NOTHING, on="framework"),
    *_actions("CreateReportPlan DeleteReportPlan StartReportJob UpdateReportPlan",
              Category.OTHER, _NOTHING, on="reportPlan"),
    *_actions("TagResource UntagResource", Category.TAGS, _ACCESS, on=_TAGGED),
    *_actions("ListTags", Category.TAGS, _NOTHING, on=_TAGGED),
    *_actions("DescribeBackupAccessPoint", Category.OTHER, _NOTHING, on="backupAccessPoint"),
    *_actions("DescribeBackupJob DescribeCopyJob DescribeGlobalSettings DescribeProtectedResource "
              "DescribeRegionSettings DescribeReportJob DescribeRestoreJob DescribeScanJob "
              "ExportBackupPlanTemplate GetBackupPlanFromJSON GetBackupPlanFromTemplate GetRestoreJobMetadata "
              "GetRestoreTestingInferredMetadata GetSupportedResourceTypes ListBackupAccessPoints "
              "ListBackupAccessPointsByRecoveryPoint ListBackupAccessPointsByResource ListBackupJobSummaries "
              "ListBackupJobs ListBackupPlanTemplates ListBackupPlans ListBackupVaults ListCopyJobSummaries "
              "ListCopyJobs ListFrameworks ListIndexedRecoveryPoints ListLegalHolds ListProtectedResources "
              "ListRecoveryPointsByResource ListReportJobs ListReportPlans ListRestoreJobSummaries "
              "ListRestoreJobs ListRestoreJobsByProtectedResource ListRestoreTestingPlans "
              "ListScanJobSummaries ListScanJobs ListTieringConfigurations",
              Category.OTHER, _NOTHING),
    *_actions("DescribeBackupVault GetBackupVaultAccessPolicy GetBackupVaultNotifications "
              "GetBackupVaultSharingPolicy ListProtectedResourcesByBackupVault "
              "ListRecoveryPointsByBackupVault ListRestoreAccessBackupVaults",
              Category.OTHER, _NOTHING, on="backupVault"),
    *_actions("DescribeFramework", Category.OTHER, _NOTHING, on="framework"),
    *_actions("DescribeRecoveryPoint GetPITRMalwareScanResults GetRecoveryPointIndexDetails "
              "GetRecoveryPointRestoreMetadata",
              Category.OTHER, _NOTHING, on="recoveryPoint"),
    *_actions("DescribeReportPlan", Category.OTHER, _NOTHING, on="reportPlan"),
    *_actions("GetBackupPlan GetBackupSelection ListBackupPlanVersions ListBackupSelections",
              Category.OTHER, _NOTHING, on="backupPlan"),
    *_actions("GetLegalHold ListRecoveryPointsByLegalHold", Category.OTHER, _NOTHING, on="legalHold"),
    *_actions("GetRestoreTestingPlan GetRestoreTestingSelection ListRestoreTestingSelections",
              Category.OTHER, _NOTHING, on="restoreTestingPlan"),
    *_actions("GetTieringConfiguration", Category.OTHER, _NOTHING, on="tieringConfiguration"),
)  # fmt: skip

ACTIONS: Final[Mapping[str, ServiceAction]] = by_name(_ALL)
"""Every action of AWS Backup by its name without the service prefix."""
