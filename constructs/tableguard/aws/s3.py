"""Every S3 action: what it is for, what it can do to objects and what guards them, which resource it goes to.

"Items" are objects, their annotations and their keys included. Sources, as of 2026-11-30: the service authorization
reference ("Actions, resources, and condition keys for Amazon S3"), the S3 API reference and user guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from tableguard.aws.actions import Category, Effect, ServiceAction, by_name, classified

SERVICE: Final = "s3"

_REVEALS, _CHANGES, _MOVES = Effect.REVEALS_ITEMS, Effect.CHANGES_ITEMS, Effect.MOVES_ITEMS_OUT
_ACCESS, _PROTECTION, _NOTHING = Effect.CHANGES_ACCESS, Effect.CHANGES_PROTECTION, Effect.HARMLESS
# What has tags of its own.
_TAGGED: Final = "accessgrant accessgrantsinstance accessgrantslocation accesspoint bucket storagelensgroup"
_actions: Final = partial(classified, SERVICE)

_ALL: Final = (
    # Objects, their annotations (which ride along with an object, up to 1 MiB each), tags, sizes and checksums, and
    # keys alone. What S3 reads to replicate counts as reading: the role that does is its caller.
    *_actions("GetObject GetObjectAnnotation GetObjectAttributes GetObjectTagging GetObjectVersion "
              "GetObjectVersionAnnotation GetObjectVersionAttributes GetObjectVersionTagging "
              "ListMultipartUploadParts ListObjectAnnotations ListObjectVersionAnnotations",
              Category.READ, _REVEALS, on="accesspointobject object"),
    *_actions("GetObjectTorrent GetObjectVersionAnnotationForReplication GetObjectVersionForReplication "
              "GetObjectVersionTorrent",
              Category.READ, _REVEALS, on="object"),
    *_actions("ListBucket ListBucketVersions", Category.READ, _REVEALS, on="accesspoint bucket"),
    *_actions("ListBucketMultipartUploads", Category.READ, _REVEALS, on="bucket"),
    # Credentials for whatever an access grant names.
    *_actions("GetDataAccess", Category.READ, _REVEALS, _CHANGES, on="accessgrantsinstance"),
    # Figures by prefix, which keys begin with.
    *_actions("GetStorageLensDashboard", Category.READ, _REVEALS, on="storagelensconfiguration"),
    # Who may read an object, and how long it is kept, tell nothing of its content.
    *_actions("GetObjectAcl GetObjectLegalHold GetObjectRetention GetObjectVersionAcl",
              Category.READ, _NOTHING, on="accesspointobject object"),
    # An upload that never ends is no object yet, but it is somebody's.
    *_actions("AbortMultipartUpload PutObject PutObjectAnnotation PutObjectVersionAnnotation",
              Category.WRITE, _CHANGES, on="accesspointobject object"),
    # In a versioned bucket DeleteObject leaves a marker and the versions; without versioning nothing is left.
    *_actions("DeleteObject DeleteObjectAnnotation DeleteObjectVersionAnnotation",
              Category.DELETE, _CHANGES, on="accesspointobject object"),
    *_actions("DeleteObjectVersion", Category.DELETE, _CHANGES, _PROTECTION, on="accesspointobject object"),
    # Policies, lifecycle and replication go by tags of objects.
    *_actions("DeleteObjectTagging DeleteObjectVersionTagging PutObjectTagging PutObjectVersionTagging",
              Category.TAGS, _ACCESS, _PROTECTION, on="accesspointobject object"),
    *_actions("PutObjectAcl PutObjectVersionAcl", Category.POLICY, _ACCESS, on="accesspointobject object"),
    # Locks. UpdateObjectEncryption puts an object, locked or not, under another key, which can then be deleted.
    # PutObjectRetention sets event holds, too.
    *_actions("BypassGovernanceRetention PutObjectLegalHold PutObjectRetention UpdateObjectEncryption",
              Category.SETTINGS, _PROTECTION, on="accesspointobject object"),
    # A temporary copy beside the archived one, in the same bucket and under the same policy.
    *_actions("RestoreObject", Category.RESTORE, _NOTHING, on="accesspointobject object"),
    # At the destination of a replication.
    *_actions("ReplicateDelete ReplicateObject ReplicateObjectAnnotation", Category.REPLICATE, _CHANGES, on="object"),
    *_actions("ReplicateTags", Category.REPLICATE, _ACCESS, _PROTECTION, on="object"),
    # The owner of a replica may do with it what no policy of the bucket says.
    *_actions("ObjectOwnerOverrideToBucketOwner", Category.REPLICATE, _ACCESS, on="object"),
    # At the source: once more what the bucket's replication sends anyhow.
    *_actions("InitiateReplication", Category.REPLICATE, _NOTHING, on="object"),
    # Of the bucket as a whole. Replication, to wherever the caller says, and a stop of it.
    *_actions("PutReplicationConfiguration", Category.REPLICATE, _MOVES, _PROTECTION, on="bucket"),
    *_actions("PauseReplication", Category.REPLICATE, _PROTECTION, on="bucket"),
    # Who gets in: policies, ACLs, their owners and what blocks them; whether tags decide; other pages; other
    # endpoints, one of them without TLS; who pays, which anonymous callers cannot.
    *_actions("DeleteBucketPolicy PutAccelerateConfiguration PutBucketAbac PutBucketAcl PutBucketCORS "
              "PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock PutBucketRequestPayment "
              "PutBucketWebsite",
              Category.POLICY, _ACCESS, on="bucket"),
    # What carries keys of objects, or prefixes of them, to where the caller says: inventories, analyses, logs of
    # requests, notifications (which also tell that something arrived), and the metadata tables, annotations among
    # it.
    *_actions("CreateBucketMetadataTableConfiguration PutAnalyticsConfiguration PutInventoryConfiguration "
              "UpdateBucketMetadataAnnotationTableConfiguration "
              "UpdateBucketMetadataInventoryTableConfiguration UpdateBucketMetadataJournalTableConfiguration",
              Category.SETTINGS, _MOVES, on="bucket"),
    # Logs of requests to CloudWatch, which asks for this itself: whether a bucket's policy takes it is open.
    *_actions("AllowVendedLogDeliveryForResource", Category.EXPORT, _MOVES, on="bucket"),
    *_actions("PutStorageLensConfiguration", Category.SETTINGS, _MOVES),
    *_actions("PutBucketLogging PutBucketNotification", Category.SETTINGS, _MOVES, _PROTECTION, on="bucket"),
    # What makes a bucket keep less, or keep it where nobody can read it in time, or stop telling what arrived. An
    # archive tier counts: its objects have to be restored first.
    *_actions("PutBucketObjectLockConfiguration PutBucketVersioning PutEncryptionConfiguration "
              "PutIntelligentTieringConfiguration PutLifecycleConfiguration PutMetricsConfiguration",
              Category.SETTINGS, _PROTECTION, on="bucket"),
    # An empty bucket only; a stranger may then take its name.
    *_actions("DeleteBucket", Category.DELETE, _PROTECTION, on="bucket"),
    # They end what carried something out or let somebody in, and keep nothing from being kept.
    *_actions("DeleteBucketMetadataTableConfiguration DeleteBucketWebsite", Category.SETTINGS, _NOTHING, on="bucket"),
    # Tags of a bucket decide where it has ABAC. TagResource and UntagResource go to access points and grants, too.
    *_actions("PutBucketTagging", Category.TAGS, _ACCESS, on="bucket"),
    *_actions("TagResource UntagResource", Category.TAGS, _ACCESS, on=_TAGGED),
    # A bucket that was not there. In us-east-1 it resets the ACLs of one that its owner has; a bucket whose owner
    # is enforced has none. Source: S3 API reference, CreateBucket.
    *_actions("CreateBucket", Category.OTHER, _NOTHING, on="bucket"),
    *_actions("GetAccelerateConfiguration GetAnalyticsConfiguration GetBucketAbac GetBucketLogging "
              "GetBucketMetadataTableConfiguration GetBucketObjectLockConfiguration "
              "GetBucketOwnershipControls GetBucketPolicyStatus GetBucketPublicAccessBlock "
              "GetBucketRequestPayment GetBucketVersioning GetBucketWebsite GetEncryptionConfiguration "
              "GetIntelligentTieringConfiguration GetInventoryConfiguration GetLifecycleConfiguration "
              "GetMetricsConfiguration GetReplicationConfiguration",
              Category.SETTINGS, _NOTHING, on="bucket"),
    *_actions("GetBucketAcl GetBucketCORS GetBucketLocation GetBucketNotification GetBucketPolicy",
              Category.SETTINGS, _NOTHING, on="accesspoint bucket"),
    *_actions("GetBucketTagging", Category.TAGS, _NOTHING, on="bucket"),
    *_actions("ListTagsForResource", Category.TAGS, _NOTHING, on=_TAGGED),
    # The account's block of public access, and that of an access point, which is authorized on no resource.
    *_actions("PutAccessPointPublicAccessBlock PutAccountPublicAccessBlock", Category.POLICY, _ACCESS),
    # Access points, access grants and multi-region access points: other ways to the same objects.
    *_actions("AssociateAccessGrantsIdentityCenter CreateAccessGrantsInstance DeleteAccessGrantsInstance "
              "DeleteAccessGrantsInstanceResourcePolicy DissociateAccessGrantsIdentityCenter "
              "PutAccessGrantsInstanceResourcePolicy",
              Category.POLICY, _ACCESS, on="accessgrantsinstance"),
    *_actions("CreateAccessGrant DeleteAccessGrant", Category.POLICY, _ACCESS, on="accessgrant"),
    *_actions("CreateAccessGrantsLocation DeleteAccessGrantsLocation UpdateAccessGrantsLocation",
              Category.POLICY, _ACCESS, on="accessgrantslocation"),
    *_actions("CreateAccessPoint DeleteAccessPoint DeleteAccessPointPolicy PutAccessPointPolicy",
              Category.POLICY, _ACCESS, on="accesspoint"),
    *_actions("CreateAccessPointForObjectLambda DeleteAccessPointForObjectLambda "
              "DeleteAccessPointPolicyForObjectLambda PutAccessPointPolicyForObjectLambda",
              Category.POLICY, _ACCESS, on="objectlambdaaccesspoint"),
    *_actions("CreateMultiRegionAccessPoint DeleteMultiRegionAccessPoint PutMultiRegionAccessPointPolicy",
              Category.POLICY, _ACCESS, on="multiregionaccesspoint"),
    # The function in front of an access point sees, and may change, whatever is read through it.
    *_actions("PutAccessPointConfigurationForObjectLambda",
              Category.POLICY, _MOVES, _ACCESS, on="objectlambdaaccesspoint"),
    # Which of its buckets a multi-region access point sends its callers to.
    *_actions("SubmitMultiRegionAccessPointRoutes", Category.SETTINGS, _PROTECTION, on="multiregionaccesspoint"),
    # Batch operations do to objects what the role allows that they are given.
    *_actions("CreateJob", Category.OTHER, _REVEALS, _CHANGES, _MOVES),
    *_actions("UpdateJobStatus", Category.OTHER, _REVEALS, _CHANGES, _MOVES, on="job"),
    *_actions("DescribeJob GetJobTagging UpdateJobPriority", Category.OTHER, _NOTHING, on="job"),
    *_actions("ListJobs", Category.OTHER, _NOTHING),
    # Tags of jobs, dashboards and storage lens groups, none of which holds an object.
    *_actions("DeleteJobTagging PutJobTagging", Category.OTHER, _NOTHING, on="job"),
    *_actions("DeleteStorageLensConfigurationTagging GetStorageLensConfigurationTagging "
              "PutStorageLensConfigurationTagging",
              Category.OTHER, _NOTHING, on="storagelensconfiguration"),
    *_actions("CreateStorageLensGroup GetAccessPoint GetAccountPublicAccessBlock ListAccessGrantsInstances "
              "ListAccessPoints ListAccessPointsForObjectLambda ListAllMyBuckets ListMultiRegionAccessPoints "
              "ListStorageLensConfigurations ListStorageLensGroups",
              Category.OTHER, _NOTHING),
    *_actions("DeleteStorageLensConfiguration GetStorageLensConfiguration",
              Category.OTHER, _NOTHING, on="storagelensconfiguration"),
    *_actions("DeleteStorageLensGroup GetStorageLensGroup UpdateStorageLensGroup",
              Category.OTHER, _NOTHING, on="storagelensgroup"),
    *_actions("DescribeMultiRegionAccessPointOperation",
              Category.OTHER, _NOTHING, on="multiregionaccesspointrequestarn"),
    *_actions("GetAccessGrant", Category.OTHER, _NOTHING, on="accessgrant"),
    *_actions("GetAccessGrantsInstance GetAccessGrantsInstanceForPrefix GetAccessGrantsInstanceResourcePolicy "
              "ListAccessGrants ListAccessGrantsLocations ListCallerAccessGrants",
              Category.OTHER, _NOTHING, on="accessgrantsinstance"),
    *_actions("GetAccessGrantsLocation", Category.OTHER, _NOTHING, on="accessgrantslocation"),
    *_actions("GetAccessPointConfigurationForObjectLambda GetAccessPointForObjectLambda "
              "GetAccessPointPolicyForObjectLambda GetAccessPointPolicyStatusForObjectLambda",
              Category.OTHER, _NOTHING, on="objectlambdaaccesspoint"),
    *_actions("GetAccessPointPolicy GetAccessPointPolicyStatus", Category.OTHER, _NOTHING, on="accesspoint"),
    *_actions("GetMultiRegionAccessPoint GetMultiRegionAccessPointPolicy "
              "GetMultiRegionAccessPointPolicyStatus GetMultiRegionAccessPointRoutes",
              Category.OTHER, _NOTHING, on="multiregionaccesspoint"),
)  # fmt: skip

ACTIONS: Final[Mapping[str, ServiceAction]] = by_name(_ALL)
"""Every action of S3 by its name without the service prefix."""
