"""The bucket that a restore works in."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct


def restore_bucket(scope: Construct, construct_id: str, *, versioned: bool, days: int) -> s3.Bucket:
    """Make a bucket for what a restore needs while it runs: lists of files, or an export that it made for itself.

    It holds nothing that cannot be made again: what is older than a few days expires. TLS only, no public access,
    no ACLs.

    Args:
        scope: The parent construct.
        construct_id: The construct's id, unique below its parent.
        versioned: Whether it keeps versions, so that a file can be pinned between being measured and being loaded.
        days: After how many days its objects expire.
    """
    return s3.Bucket(
        scope,
        construct_id,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        versioned=versioned,
        lifecycle_rules=[
            s3.LifecycleRule(
                abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                expiration=cdk.Duration.days(days),
                noncurrent_version_expiration=cdk.Duration.days(1) if versioned else None,
            )
        ],
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
