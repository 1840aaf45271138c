"""Which actions an operation of an API is authorized by, where that is not the one action of its own name.

Sources, as of 2026-11-30: the API references of the services ("Permissions" of each operation); for S3 the user guide,
"Required permissions for Amazon S3 API operations".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


def _operations(text: str) -> dict[str, tuple[str, ...]]:
    """Lines such as "HeadObject: GetObject GetObjectVersion"."""
    lines = (line.split(":") for line in text.strip().splitlines())
    return {name.strip(): tuple(actions.split()) for name, actions in lines}


OPERATIONS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = MappingProxyType(
    {
        "dynamodb": _operations(
            """
            BatchExecuteStatement: PartiQLDelete PartiQLInsert PartiQLSelect PartiQLUpdate
            ExecuteStatement: PartiQLDelete PartiQLInsert PartiQLSelect PartiQLUpdate
            ExecuteTransaction: PartiQLDelete PartiQLInsert PartiQLSelect PartiQLUpdate
            TransactGetItems: GetItem
            TransactWriteItems: ConditionCheckItem DeleteItem PutItem UpdateItem
            CreateTable: CreateTable AssociateTableReplica
            UpdateTable: UpdateTable CreateTableReplica DeleteTableReplica
            """
        ),
        "kms": _operations("ReEncrypt: ReEncryptFrom ReEncryptTo"),
        "iam": {},
        "backup": _operations("StartCopyJob: StartCopyJob CopyFromBackupVault CopyIntoBackupVault"),
        "cloudtrail": {},
        "sts": _operations(
            """
            AssumeRole: AssumeRole SetContext SetSourceIdentity TagSession
            AssumeRoleWithSAML: AssumeRoleWithSAML SetSourceIdentity TagSession
            AssumeRoleWithWebIdentity: AssumeRoleWithWebIdentity SetSourceIdentity TagSession
            GetWebIdentityToken: GetWebIdentityToken TagGetWebIdentityToken
            """
        ),
        "s3": _operations(
            """
            CompleteMultipartUpload: PutObject
            CopyObject: GetObject GetObjectVersion PutObject
            CreateBucketMetadataConfiguration: CreateBucketMetadataTableConfiguration
            CreateMultipartUpload: PutObject
            DeleteBucketAnalyticsConfiguration: PutAnalyticsConfiguration
            DeleteBucketCors: PutBucketCORS
            DeleteBucketEncryption: PutEncryptionConfiguration
            DeleteBucketIntelligentTieringConfiguration: PutIntelligentTieringConfiguration
            DeleteBucketInventoryConfiguration: PutInventoryConfiguration
            DeleteBucketLifecycle: PutLifecycleConfiguration
            DeleteBucketLifecycleConfiguration: PutLifecycleConfiguration
            DeleteBucketMetadataConfiguration: DeleteBucketMetadataTableConfiguration
            DeleteBucketMetricsConfiguration: PutMetricsConfiguration
            DeleteBucketOwnershipControls: PutBucketOwnershipControls
            DeleteBucketReplication: PutReplicationConfiguration
            DeleteBucketTagging: PutBucketTagging
            DeleteObject: DeleteObject DeleteObjectVersion BypassGovernanceRetention
            DeleteObjectAnnotation: DeleteObjectAnnotation DeleteObjectVersionAnnotation
            DeleteObjectTagging: DeleteObjectTagging DeleteObjectVersionTagging
            DeleteObjects: DeleteObject DeleteObjectVersion BypassGovernanceRetention
            DeletePublicAccessBlock: PutAccountPublicAccessBlock PutBucketPublicAccessBlock
            GetBucketAccelerateConfiguration: GetAccelerateConfiguration
            GetBucketAnalyticsConfiguration: GetAnalyticsConfiguration
            GetBucketCors: GetBucketCORS
            GetBucketEncryption: GetEncryptionConfiguration
            GetBucketIntelligentTieringConfiguration: GetIntelligentTieringConfiguration
            GetBucketInventoryConfiguration: GetInventoryConfiguration
            GetBucketLifecycle: GetLifecycleConfiguration
            GetBucketLifecycleConfiguration: GetLifecycleConfiguration
            GetBucketMetadataConfiguration: GetBucketMetadataTableConfiguration
            GetBucketMetricsConfiguration: GetMetricsConfiguration
            GetBucketNotificationConfiguration: GetBucketNotification
            GetBucketReplication: GetReplicationConfiguration
            GetObject: GetObject GetObjectVersion
            GetObjectAcl: GetObjectAcl GetObjectVersionAcl
            GetObjectAnnotation: GetObjectAnnotation GetObjectVersionAnnotation
            GetObjectAttributes: GetObjectAttributes GetObjectVersionAttributes
            GetObjectLockConfiguration: GetBucketObjectLockConfiguration
            GetObjectTagging: GetObjectTagging GetObjectVersionTagging
            GetObjectTorrent: GetObjectTorrent GetObjectVersionTorrent
            GetPublicAccessBlock: GetAccountPublicAccessBlock GetBucketPublicAccessBlock
            HeadBucket: ListBucket
            HeadObject: GetObject GetObjectVersion
            ListBucketAnalyticsConfigurations: GetAnalyticsConfiguration
            ListBucketIntelligentTieringConfigurations: GetIntelligentTieringConfiguration
            ListBucketInventoryConfigurations: GetInventoryConfiguration
            ListBucketMetricsConfigurations: GetMetricsConfiguration
            ListBuckets: ListAllMyBuckets
            ListMultipartUploads: ListBucketMultipartUploads
            ListObjectAnnotations: ListObjectAnnotations ListObjectVersionAnnotations
            ListObjectVersions: ListBucketVersions
            ListObjects: ListBucket
            ListObjectsV2: ListBucket
            ListParts: ListMultipartUploadParts
            PutBucketAccelerateConfiguration: PutAccelerateConfiguration
            PutBucketAnalyticsConfiguration: PutAnalyticsConfiguration
            PutBucketCors: PutBucketCORS
            PutBucketEncryption: PutEncryptionConfiguration
            PutBucketIntelligentTieringConfiguration: PutIntelligentTieringConfiguration
            PutBucketInventoryConfiguration: PutInventoryConfiguration
            PutBucketLifecycle: PutLifecycleConfiguration
            PutBucketLifecycleConfiguration: PutLifecycleConfiguration
            PutBucketMetricsConfiguration: PutMetricsConfiguration
            PutBucketNotificationConfiguration: PutBucketNotification
            PutBucketReplication: PutReplicationConfiguration PauseReplication
            PutObjectAcl: PutObjectAcl PutObjectVersionAcl
            PutObjectAnnotation: PutObjectAnnotation PutObjectVersionAnnotation
            PutObjectLockConfiguration: PutBucketObjectLockConfiguration
            PutObjectRetention: PutObjectRetention BypassGovernanceRetention
            PutObjectTagging: PutObjectTagging PutObjectVersionTagging
            PutPublicAccessBlock: PutAccountPublicAccessBlock PutBucketPublicAccessBlock
            SelectObjectContent: GetObject
            UploadPart: PutObject
            UploadPartCopy: GetObject GetObjectVersion PutObject
            """
        ),
    }
)
"""Operations by service prefix, with their actions. Several actions: together, or the one that the request needs."""

OF_OTHER_SERVICES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "s3": {
            "CreateSession": "s3express:CreateSession",
            "DeleteAccessPointScope": "s3express:DeleteAccessPointScope",
            "GetAccessPointScope": "s3express:GetAccessPointScope",
            "GetBucket": "s3-outposts:GetBucket",
            "ListAccessPointsForDirectoryBuckets": "s3express:ListAccessPointsForDirectoryBuckets",
            "ListDirectoryBuckets": "s3express:ListAllMyDirectoryBuckets",
            "ListRegionalBuckets": "s3-outposts:ListRegionalBuckets",
            "PutAccessPointScope": "s3express:PutAccessPointScope",
            "RenameObject": "s3express:CreateSession",
            "WriteGetObjectResponse": "s3-object-lambda:WriteGetObjectResponse",
        },
    }
)
"""Operations that stand in a model of the service and are authorized by another one's actions."""

_REPLICATION: Final = "only S3 does it, for a replication"
_BY_DYNAMODB: Final = "only DynamoDB does it, for a multi-account global table"
_WITNESS: Final = "asked for by UpdateTable, where a global table is strongly consistent"
_CHANNEL: Final = "asked for by services that receive events of CloudTrail"
_CONSOLE: Final = "behind the console, in no API"

WITHOUT_OPERATION: Final[Mapping[str, str]] = MappingProxyType(
    {
        "dynamodb:CreateGlobalTableWitness": _WITNESS,
        "dynamodb:DeleteGlobalTableWitness": _WITNESS,
        "dynamodb:DescribeReservedCapacity": _CONSOLE,
        "dynamodb:DescribeReservedCapacityOfferings": _CONSOLE,
        "dynamodb:DisassociateTableReplica": "asked for when a replica leaves a multi-account global table",
        "dynamodb:GetAbacStatus": _CONSOLE,
        "dynamodb:InjectError": "asked for by Fault Injection Service",
        "dynamodb:PurchaseReservedCapacityOfferings": _CONSOLE,
        "dynamodb:ReadDataForReplication": _BY_DYNAMODB,
        "dynamodb:ReplicateSettings": _BY_DYNAMODB,
        "dynamodb:RestoreTableFromAwsBackup": "asked for by AWS Backup",
        "dynamodb:StartAwsBackupJob": "asked for by AWS Backup",
        "dynamodb:UpdateAbacStatus": _CONSOLE,
        "dynamodb:UpdateGlobalTableVersion": _CONSOLE,
        "dynamodb:WriteDataForReplication": _BY_DYNAMODB,
        "backup:DeleteBackupVaultSharingPolicy": "asked for by Resource Access Manager",
        "backup:GetBackupVaultSharingPolicy": "asked for by Resource Access Manager",
        "backup:ListIndexedRecoveryPointsForSearch": "asked for by AWS Backup search",
        "backup:PutBackupVaultSharingPolicy": "asked for by Resource Access Manager",
        "backup:SearchRecoveryPoint": "asked for by AWS Backup search",
        "cloudtrail:CreateServiceLinkedChannel": _CHANNEL,
        "cloudtrail:DeleteServiceLinkedChannel": _CHANNEL,
        "cloudtrail:GenerateQueryResultsSummary": _CONSOLE,
        "cloudtrail:GetEventDataStoreData": "asked for by Glue, for a federated event data store",
        "cloudtrail:GetServiceLinkedChannel": _CHANNEL,
        "cloudtrail:ListServiceLinkedChannels": _CHANNEL,
        "cloudtrail:UpdateServiceLinkedChannel": _CHANNEL,
        "iam:DeleteCloudFrontPublicKey": _CONSOLE,
        "iam:GetAccountEmailAddress": _CONSOLE,
        "iam:GetAccountName": _CONSOLE,
        "iam:GetCloudFrontPublicKey": _CONSOLE,
        "iam:ListCloudFrontPublicKeys": _CONSOLE,
        "iam:ListSTSRegionalEndpointsStatus": _CONSOLE,
        "iam:PassRole": "asked for by whatever service a role is handed to",
        "iam:SetSTSRegionalEndpointStatus": _CONSOLE,
        "iam:UpdateAccountEmailAddress": _CONSOLE,
        "iam:UpdateAccountName": _CONSOLE,
        "iam:UpdateCloudFrontPublicKey": _CONSOLE,
        "iam:UploadCloudFrontPublicKey": _CONSOLE,
        "kms:SynchronizeMultiRegionKey": "only KMS does it, for replicas of a key",
        "s3:AllowVendedLogDeliveryForResource": "asked for by CloudWatch Logs",
        "s3:GetObjectVersionAnnotationForReplication": _REPLICATION,
        "s3:GetObjectVersionForReplication": _REPLICATION,
        "s3:GetStorageLensDashboard": _CONSOLE,
        "s3:InitiateReplication": "asked for by batch operations",
        "s3:ObjectOwnerOverrideToBucketOwner": _REPLICATION,
        "s3:PutAccessPointPublicAccessBlock": "asked for where an access point is made with settings of its own",
        "s3:ReplicateDelete": _REPLICATION,
        "s3:ReplicateObject": _REPLICATION,
        "s3:ReplicateObjectAnnotation": _REPLICATION,
        "s3:ReplicateTags": _REPLICATION,
        "sts:GetServiceBearerToken": "asked for by services that take such tokens",
    }
)
"""Actions that no operation of the models is authorized by on its own, with what asks for them."""
