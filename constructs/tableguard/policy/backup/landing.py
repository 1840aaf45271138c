"""The policies of the bucket that exports are written to, and of the role that writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tableguard.aws.partitions import dns_suffix_of, partition_of
from tableguard.policy.backup.common import DELETES, Bucket, alterations
from tableguard.policy.conditions import Clause
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.documents import AllowStatement
from tableguard.policy.principals import Role
from tableguard.policy.tokens import is_unresolved, ordered

WRITES_OF_EXPORTS: Final = ("s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl")
"""What the caller of an export needs. Source: DynamoDB developer guide, "Requesting a table export"."""
ALTERATIONS: Final = alterations(but=WRITES_OF_EXPORTS)
"""What no export and no restore does to an object that is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """What the policy of a landing bucket says. Nothing is allowed by it: every caller is of the bucket's own account.

    Args:
        bucket: The bucket.
        readers: Who reads: the role that replicates, and roles that somebody wants to.
    """

    bucket: Bucket
    readers: Sequence[Role]

    def denials(self) -> tuple[DenyStatement, ...]:
        """What it denies besides writing: only lifecycle removes anything."""
        return (
            *self.bucket.transport(),
            *self.bucket.encryption(),
            DenyStatement(sid="NothingButExports", actions=(*DELETES, *ALTERATIONS), resources=self.bucket.objects),
            *self.bucket.readers(self.readers),
            *self.bucket.settings(),
        )

    def unclassified(self, exporters: Sequence[str]) -> DenyStatement:
        """What denies actions that S3 adds later, to everybody but those who read, write or change settings.

        Args:
            exporters: The ARNs of the roles that export.
        """
        return self.bucket.unclassified((*self.denials(), self.only_exports_write(exporters)))

    def only_exports_write(self, exporters: Sequence[str]) -> DenyStatement:
        """What denies writing to everybody but exports.

        Args:
            exporters: The ARNs of their roles; with none of them nobody writes.
        """
        arns = ordered(exporters)
        return DenyStatement(
            sid="OnlyExportsWrite",
            actions=WRITES_OF_EXPORTS,
            resources=self.bucket.objects,
            clauses=(Clause("ArnNotEquals", "aws:PrincipalArn", arns),) if arns else (),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A table whose exports are written.

    Args:
        arn: The table's ARN.
        account: Its account.
        region: Its region.
        name: Its name.
    """

    arn: str
    account: str
    region: str
    name: str

    @property
    def prefix(self) -> str:
        """What the keys of its exports begin with."""
        return f"{self.account}/{self.region}/{self.name}/"


def exporter_statements(
    tables: Sequence[Exported],
    *,
    bucket_arn: str,
    ledger_arn: str,
    namespace: str,
    key_arn: str | None = None,
) -> tuple[AllowStatement, ...]:
    """The identity policy of the role that exports.

    Args:
        tables: The tables.
        bucket_arn: The landing bucket.
        ledger_arn: The table with the state of the exports.
        namespace: The namespace of their metrics.
        key_arn: The landing bucket's KMS key; None where it has none.
    """
    statements = [
        AllowStatement(
            actions=(
                "dynamodb:DescribeContinuousBackups",
                "dynamodb:DescribeTable",
                "dynamodb:ExportTableToPointInTime",
            ),
            resources=tuple(table.arn for table in tables),
        ),
        AllowStatement(
            actions=("dynamodb:DescribeExport",), resources=tuple(f"{table.arn}/export/*" for table in tables)
        ),
        AllowStatement(actions=("dynamodb:GetItem", "dynamodb:UpdateItem"), resources=(ledger_arn,)),
        AllowStatement(actions=WRITES_OF_EXPORTS, resources=tuple(f"{bucket_arn}/{table.prefix}*" for table in tables)),
        # CloudWatch knows no resource for it.
        AllowStatement(
            actions=("cloudwatch:PutMetricData",),
            resources=("*",),
            clauses=(Clause("StringEquals", "cloudwatch:namespace", (namespace,)),),
        ),
    ]
    if key_arn is not None:
        # Source: DynamoDB developer guide, "Requesting a table export", on buckets with a KMS key.
        # S3 alone uses it, and in the key's own region, since a bucket takes no key of another one.
        region = tables[0].region
        suffix = "*" if is_unresolved(region) else dns_suffix_of(partition_of(region))
        statements.append(
            AllowStatement(
                actions=("kms:Decrypt", "kms:GenerateDataKey"),
                resources=(key_arn,),
                clauses=(Clause("StringLike", "kms:ViaService", (f"s3.*.{suffix}",)),),
            )
        )
    return tuple(statements)
