"""The policy of the bucket that backups arrive in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tableguard.policy.backup.common import DELETES, Bucket, alterations, unless
from tableguard.policy.backup.references import EXPORTS, ReplicationSource
from tableguard.policy.backup.replication import AT_DESTINATION, through_s3
from tableguard.policy.conditions import Clause
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.documents import VERSION, AllowStatement, Json, merged
from tableguard.policy.principals import PRINCIPAL_ARN, Role


def source_statements(bucket: Bucket, sources: Sequence[ReplicationSource]) -> tuple[AllowStatement, ...]:
    """What lets roles of other accounts replicate objects and tags, each below its own account's prefix.

    The account stands in the Principal element and the role's ARN in a condition: the statement deploys before the role
    exists, and trusts that role and no other of the account.

    Args:
        bucket: The bucket that they replicate into.
        sources: The roles.
    """
    return tuple(
        AllowStatement(
            actions=AT_DESTINATION,
            resources=tuple(f"{bucket.arn}/{pattern}" for pattern in source.key_patterns),
            kind="AWS",
            principals=(source.account,),
            clauses=(Clause("ArnEquals", PRINCIPAL_ARN, (source.role.arn(bucket.partition),)),),
        )
        for source in sources
    )


def reader_statements(bucket: Bucket, readers: Sequence[Role], *, owner: str) -> tuple[AllowStatement, ...]:
    """What lets roles of other accounts read versions of objects and list them: no retention, no tags, no setting.

    A role of the bucket's own account needs none: its identity policy is enough.

    Args:
        bucket: The bucket.
        readers: The roles.
        owner: The bucket's account.
    """
    statements = []
    for reader in (reader for reader in readers if reader.account != owner):
        pin = (Clause("ArnEquals", PRINCIPAL_ARN, (reader.arn(bucket.partition),)),)
        for actions, resources in (
            (("s3:ListBucket", "s3:ListBucketVersions"), (bucket.arn,)),
            (("s3:GetObject", "s3:GetObjectVersion"), bucket.objects),
        ):
            statements.append(
                AllowStatement(
                    actions=actions, resources=resources, kind="AWS", principals=(reader.account,), clauses=pin
                )
            )
    return tuple(statements)


def reader_key_statements(
    bucket: Bucket, readers: Sequence[Role], *, owner: str, region: str
) -> tuple[AllowStatement, ...]:
    """What the key's policy says, so that readers of other accounts can decrypt what they read: through S3 alone.

    A role of the bucket's own account needs none where the key's policy leaves its account to IAM, as the CDK's does.

    Args:
        bucket: The bucket, with a key.
        readers: The roles.
        owner: The bucket's account.
        region: The bucket's region.
    """
    return tuple(
        AllowStatement(
            actions=("kms:Decrypt",),
            resources=("*",),
            kind="AWS",
            principals=(reader.account,),
            clauses=(
                Clause("ArnEquals", PRINCIPAL_ARN, (reader.arn(bucket.partition),)),
                *through_s3(bucket.arn, region),
            ),
        )
        for reader in readers
        if reader.account != owner
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What the policy of an intake bucket says.

    Args:
        bucket: The bucket.
        sources: Who replicates into it.
        reader: The role that reads what has arrived.
    """

    bucket: Bucket
    sources: Sequence[ReplicationSource]
    reader: Role

    def statements(self) -> tuple[AllowStatement, ...]:
        """What it allows."""
        return source_statements(self.bucket, self.sources)

    def denials(self) -> tuple[DenyStatement, ...]:
        """What it denies: replicas are the only objects that are ever written, and only lifecycle removes any."""
        bucket = self.bucket
        replicating = unless(bucket.partition, *(source.role for source in self.sources))
        # To abort an upload is nothing where none can begin, and replication may.
        never = (*alterations(but=(*AT_DESTINATION, "s3:AbortMultipartUpload")), *DELETES)
        denials = (
            *bucket.transport(),
            *bucket.encryption(),
            DenyStatement(sid="NoPutsAndNoDeletes", actions=never, resources=bucket.objects),
            # `account/region/payments/AWSDynamoDB/orders/AWSDynamoDB/…` would be let through as one of orders.
            DenyStatement(
                sid="NoExportInAnother",
                actions=AT_DESTINATION,
                resources=(f"{bucket.arn}/*/{EXPORTS}/*{EXPORTS}/*",),
            ),
            DenyStatement(
                sid="OnlySourcesReplicate", actions=AT_DESTINATION, resources=bucket.objects, clauses=replicating
            ),
            *bucket.readers((self.reader,)),
            *bucket.settings(),
        )
        return (*denials, bucket.unclassified(denials))


def bucket_policy(statements: Sequence[AllowStatement], denials: Sequence[DenyStatement]) -> Json:
    """A whole bucket policy.

    Args:
        statements: What it allows.
        denials: What it denies, at least one.
    """
    rendered = [denial.to_json(principal="*") for denial in denials]
    return {"Version": VERSION, "Statement": [*(each.to_json() for each in merged(statements)), *rendered]}
