"""Where the tables differ from what AWS publishes and are right to, each with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_NEW: Final = "new in 2026: the API has it, the reference does not carry it yet"

BEYOND_THE_REFERENCE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cloudtrail:ListInsightsMetricData": "the API has it, the reference does not carry it",
        "dynamodb:CancelBulkOperation": _NEW,
        "dynamodb:DescribeBulkOperation": _NEW,
        "dynamodb:ListBulkOperations": _NEW,
        "dynamodb:StartBulkPutItems": _NEW,
        "iam:AcquireRole": _NEW,
        "iam:UpdateDelegationRequest": _NEW,
        "iam:UpdateOpenIDConnectProvider": f"{_NEW}, and the pinned API neither",
        "sts:GetScopedCredentials": f"{_NEW}, and the pinned API neither",
    }
)
"""Actions that the tables hold and the reference does not."""

OTHER_RESOURCES: Final[Mapping[str, str]] = MappingProxyType({})
"""Actions whose kinds of resource the tables say otherwise than the reference."""

_EITHER: Final = "one request is about a table or about a stream"
_NAMES_ONE: Final = "a request names one of them"

ONE_OF_SEVERAL: Final[Mapping[str, str]] = MappingProxyType(
    {
        "dynamodb:DeleteResourcePolicy": _EITHER,
        "dynamodb:GetResourcePolicy": _EITHER,
        "dynamodb:ListTagsOfResource": _EITHER,
        "dynamodb:PutResourcePolicy": _EITHER,
        "dynamodb:TagResource": _EITHER,
        "dynamodb:UntagResource": _EITHER,
        "iam:GenerateServiceLastAccessedDetails": _NAMES_ONE,
        "iam:ListPoliciesGrantingServiceAccess": _NAMES_ONE,
    }
)
"""Actions of which the reference marks several kinds of resource as required, though one request has one of them."""

_PARTITION_KEY: Final = "the reference names no action; the developer guide has it go with LeadingKeys"

OTHER_KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "dynamodb:FirstPartitionKeyValues": _PARTITION_KEY,
        "dynamodb:FourthPartitionKeyValues": _PARTITION_KEY,
        "dynamodb:SecondPartitionKeyValues": _PARTITION_KEY,
        "dynamodb:ThirdPartitionKeyValues": _PARTITION_KEY,
    }
)
"""Condition keys of which the table says otherwise than the reference which actions carry them."""

UNUSED_KEYS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "backup": (
            "backup:ChangeableForDays", "backup:CopyTargetOrgPaths", "backup:FrameworkArns", "backup:Index",
            "backup:MaxRetentionDays", "backup:MinRetentionDays", "backup:MpaApprovalTeamArn",
        ),
        "cloudtrail": (),
        "dynamodb": (),
        "iam": (
            "iam:AWSServiceName", "iam:AccountPropertyNamespaces", "iam:AssociatedResourceArn",
            "iam:DelegationDuration", "iam:DelegationRequestOwner", "iam:FIDO-*", "iam:NotificationChannel",
            "iam:OrganizationsPolicyId", "iam:PolicyARN", "iam:RegisterSecurityKey", "iam:ResourceTag/*",
            "iam:RoleTemplateARN", "iam:ServiceSpecificCredential*", "iam:TemplateArn",
        ),
        "kms": (
            "kms:BypassPolicyLockoutSafetyCheck", "kms:CustomerMasterKey*", "kms:DataKeyPairSpec",
            "kms:EncapsulationAlgorithm", "kms:EncryptionAlgorithm", "kms:ExpirationModel", "kms:GrantConstraint*",
            "kms:GrantOperations", "kms:Grantee*", "kms:KeyAgreementAlgorithm", "kms:KeyOrigin", "kms:KeySpec",
            "kms:KeyUsage", "kms:MacAlgorithm", "kms:MessageType", "kms:MultiRegion*", "kms:PrimaryRegion",
            "kms:ReEncryptOnSameKey", "kms:RecipientAttestation:*", "kms:ReplicaRegion", "kms:RequestAlias",
            "kms:ResourceAliases", "kms:Retiring*", "kms:RotationPeriodInDays",
            "kms:ScheduleKeyDeletionPendingWindowInDays", "kms:SigningAlgorithm", "kms:TrailingDaysWithoutKeyUsage",
            "kms:ValidTo", "kms:Wrapping*",
        ),
        "s3": (
            "s3:AccessGrant*", "s3:AccessPoint*", "s3:BucketTag/*", "s3:DataAccessPoint*", "s3:Existing*",
            "s3:InventoryAccessibleOptionalFields", "s3:JobSuspendedCause", "s3:Request*", "s3:ResourceAccount",
            "s3:annotation-prefix", "s3:authType", "s3:delimiter", "s3:deliverySourceArn", "s3:destinationRegion",
            "s3:if-match", "s3:isReplicationPauseRequest", "s3:locationconstraint", "s3:logType",
            "s3:max-annotation-results", "s3:max-keys", "s3:object-lock-retain-until-date",
            "s3:resourceArnBeingAuthorized", "s3:signature*", "s3:versionid", "s3:x-amz-acl",
            "s3:x-amz-bucket-namespace", "s3:x-amz-content-sha256", "s3:x-amz-copy-source", "s3:x-amz-grant-*",
            "s3:x-amz-metadata-directive", "s3:x-amz-object-*", "s3:x-amz-storage-class",
            "s3:x-amz-website-redirect-location",
        ),
        # Claims of identity providers, for the most part.
        "sts": ("iam:ResourceTag/*", "sts:*", "saml:*", "*.*:*"),
    }
)  # fmt: skip
"""Patterns of condition keys that this library neither writes nor reads, so that a new one is told from them."""
