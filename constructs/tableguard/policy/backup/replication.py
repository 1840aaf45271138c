"""What a replication role may do: the half that stands in the account that sends."""

from __future__ import annotations

from typing import Final

from tableguard.aws.partitions import dns_suffix_of, partition_of
from tableguard.policy.conditions import Clause
from tableguard.policy.documents import AllowStatement

_OF_SOURCE_BUCKET: Final = ("s3:GetReplicationConfiguration", "s3:ListBucket")
_OF_SOURCE_OBJECTS: Final = (
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionForReplication",
    "s3:GetObjectVersionTagging",
)
# What an object with a lock needs besides. The CDK leaves both out, and such objects then fail to replicate.
_OF_LOCKED_OBJECTS: Final = ("s3:GetObjectLegalHold", "s3:GetObjectRetention")
# No ReplicateDelete: delete markers stay where they are. No ObjectOwnerOverrideToBucketOwner: a bucket whose owner is
# enforced owns its replicas by itself. No bucket versioning: S3 asks for it in no request of this role.
AT_DESTINATION: Final = ("s3:ReplicateObject", "s3:ReplicateTags")
# The documented policy has Encrypt alone; a destination with a bucket key is asked for a data key.
_WITH_DESTINATION_KEY: Final = ("kms:Encrypt", "kms:GenerateDataKey")


def replication_role_statements(
    *,
    source_bucket_arn: str,
    destination_bucket_arn: str,
    source_region: str,
    destination_region: str,
    prefixes: tuple[str, ...] = ("",),
    locked: bool = True,
    source_key_arn: str | None = None,
    destination_key_arn: str | None = None,
) -> tuple[AllowStatement, ...]:
    """The identity policy of a role that S3 replicates one bucket to another with. Nothing else is in it.

    Args:
        source_bucket_arn: The bucket that it reads.
        destination_bucket_arn: The bucket that it writes to.
        source_region: Where the source is, for the condition on its key.
        destination_region: Where the destination is, for the condition on its key.
        prefixes: Prefixes of the keys that it may write; every key when left out.
        locked: Whether objects of the source may carry a retention or a legal hold.
        source_key_arn: The source's KMS key; None where it has none.
        destination_key_arn: The destination's KMS key; None where it has none. A key of another account has to allow
            the role in its own policy as well.
    """
    statements = [
        AllowStatement(actions=_OF_SOURCE_BUCKET, resources=(source_bucket_arn,)),
        AllowStatement(
            actions=(*_OF_SOURCE_OBJECTS, *(_OF_LOCKED_OBJECTS if locked else ())),
            resources=(f"{source_bucket_arn}/*",),
        ),
        AllowStatement(
            actions=AT_DESTINATION,
            resources=tuple(f"{destination_bucket_arn}/{prefix}*" for prefix in prefixes),
        ),
    ]
    if source_key_arn is not None:
        statements.append(_key(source_key_arn, source_bucket_arn, source_region, ("kms:Decrypt",)))
    if destination_key_arn is not None:
        statements.append(_key(destination_key_arn, destination_bucket_arn, destination_region, _WITH_DESTINATION_KEY))
    return tuple(statements)


def destination_key_statement(*, role_arn: str, account: str, bucket_arn: str, region: str) -> AllowStatement:
    """What the policy of a destination's key says, so that a role of another account can write with it.

    Args:
        role_arn: The role.
        account: The role's account.
        bucket_arn: The destination bucket.
        region: The destination's region.
    """
    return AllowStatement(
        actions=_WITH_DESTINATION_KEY,
        resources=("*",),
        kind="AWS",
        principals=(account,),
        clauses=(Clause("ArnEquals", "aws:PrincipalArn", (role_arn,)), *through_s3(bucket_arn, region)),
    )


def _key(key_arn: str, bucket_arn: str, region: str, actions: tuple[str, ...]) -> AllowStatement:
    return AllowStatement(actions=actions, resources=(key_arn,), clauses=through_s3(bucket_arn, region))


def through_s3(bucket_arn: str, region: str) -> tuple[Clause, ...]:
    """What limits the use of a key to S3's, for objects of one bucket.

    Args:
        bucket_arn: The bucket.
        region: The bucket's region.
    """
    # With a bucket key the context names the bucket, without one the object.
    return (
        Clause("StringEquals", "kms:ViaService", (f"s3.{region}.{dns_suffix_of(partition_of(region))}",)),
        Clause("StringLike", "kms:EncryptionContext:aws:s3:arn", (bucket_arn, f"{bucket_arn}/*")),
    )
