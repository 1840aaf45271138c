"""How large and how long things may be, and how many: AWS's limits, as of 2026-11-30, each with its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Quota:
    """One limit.

    Args:
        most: The highest value that AWS takes.
        unit: What it counts.
        source: Where AWS says so.
        least: The lowest.
    """

    most: int
    unit: str
    source: str
    least: int = 1

    @property
    def described(self) -> tuple[int, str, str]:
        """The highest value, what it counts, and who says so."""
        return self.most, self.unit, self.source


_DYNAMODB_POLICY: Final = "DynamoDB API reference, PutResourcePolicy"
_IAM: Final = "IAM user guide, IAM and STS quotas"
_ORGANIZATIONS: Final = "Organizations user guide, quotas"
_ANALYZER: Final = "IAM user guide, IAM Access Analyzer quotas"
_BACKUP_RULE: Final = "AWS Backup API reference, BackupRuleInput and Lifecycle"

# Sizes of policies. White space does not count in those of IAM.
TABLE_POLICY: Final = Quota(20 * 1024, "bytes", _DYNAMODB_POLICY)
STREAM_POLICY: Final = Quota(20 * 1024, "bytes", _DYNAMODB_POLICY)
KEY_POLICY: Final = Quota(32 * 1024, "bytes", "KMS developer guide, resource quotas")
INLINE_POLICIES: Final = Quota(10_240, "characters", _IAM)
MANAGED_POLICY: Final = Quota(6_144, "characters", _IAM)
SERVICE_CONTROL_POLICY: Final = Quota(10_240, "characters", _ORGANIZATIONS)
RESOURCE_CONTROL_POLICY: Final = Quota(5_120, "characters", _ORGANIZATIONS)
ENDPOINT_POLICY: Final = Quota(20_480, "characters", "AWS PrivateLink guide, quotas")
BUCKET_POLICY: Final = Quota(20 * 1024, "bytes", "S3 user guide, bucket policies")

ROLE_NAME: Final = Quota(64, "characters", _IAM)
"""Also that of a function. Source: Lambda API reference, CreateFunction."""
ARCHIVE_RULE_VALUES: Final = Quota(20, "values of one criterion", _ANALYZER)
ARCHIVE_RULES: Final = Quota(100, "rules of one analyzer", _ANALYZER)
"""Unless it was raised, to 1,000 at most."""

RECOVERY_DAYS: Final = Quota(35, "days", "DynamoDB developer guide, Point-in-time recovery")
LOCK_DAYS: Final = Quota(36_500, "days", "S3 API reference, DefaultRetention")
LOCK_YEARS: Final = Quota(100, "years", "S3 API reference, DefaultRetention")

VAULT_DAYS: Final = Quota(36_500, "days", "AWS Backup API reference, PutBackupVaultLockConfiguration")
GRACE_DAYS: Final = Quota(36_500, "days", "AWS Backup API reference, PutBackupVaultLockConfiguration", least=3)
AIR_GAPPED_DAYS: Final = Quota(36_500, "days", "AWS Backup API reference, CreateLogicallyAirGappedBackupVault", least=7)
COLD_DAYS: Final = Quota(36_500, "days in cold storage", _BACKUP_RULE, least=90)
BACKUP_WINDOW: Final = Quota(52_560_000, "minutes", _BACKUP_RULE, least=60)
