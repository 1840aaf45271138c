"""Where a restore may put its table, and what its roles may do there: exact actions on the tables that were named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tableguard.aws.partitions import dns_suffix_of
from tableguard.backup.restore.tags import INCOMPLETE, RESTORE_TAG, STATE_TAG, VERIFIED
from tableguard.policy import InvalidInputError, TableReference, names
from tableguard.policy.backup import SealedReference, through_s3
from tableguard.policy.documents import AllowStatement, Json
from tableguard.policy.lists import texts_of
from tableguard.policy.tokens import is_unresolved

_LONGEST_NAME: Final = 255  # of a table. Source: DynamoDB API reference, CreateTable
SELECTING_A_KEY: Final = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    # The guide's GenerateDataKey* and ReEncrypt*, written out.
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyPair",
    "kms:GenerateDataKeyPairWithoutPlaintext",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
"""Source: DynamoDB developer guide, "DynamoDB encryption at rest: how it works", the key policy of a customer-managed
key; it adds kms:CreateGrant. Which of them a CreateTable really asks for is not documented."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreTargets:
    """The names that restored tables may have, in one account and region.

    Args:
        account: The account that they are restored in.
        region: The region.
        partition: The partition of that region.
        table_names: Names.
        table_prefix: What other names begin with; none when left out.

    Raises:
        InvalidInputError: Neither names nor a prefix, or a malformed one.
    """

    account: str
    region: str
    partition: str
    table_names: tuple[str, ...] = ()
    table_prefix: str | None = None

    def __post_init__(self) -> None:
        listed = texts_of("the table names of a restore", self.table_names)
        object.__setattr__(self, "table_names", listed)
        for name in listed:
            names.table_name("a table name of a restore", name)
        prefix = self.table_prefix
        if prefix is not None:
            names.table_name("the table prefix of a restore", prefix)
        if not listed and prefix is None:
            raise InvalidInputError(
                "the targets of a restore",
                value=None,
                allowed="names of tables, or what they begin with",
                fix='Pass table_prefix="restored-".',
            )

    def check_source(self, source: TableReference) -> None:
        """Check that no prefix covers the table that is restored.

        Args:
            source: That table.

        Raises:
            InvalidInputError: It does: one slip of the pen, and a restore would be for the table in use.
        """
        here = (source.account, source.region) == (self.account, self.region)
        if here and self.table_prefix is not None and source.name.startswith(self.table_prefix):
            raise InvalidInputError(
                "the table prefix of a restore",
                value=self.table_prefix,
                allowed=f"a prefix that the name of the table in use, {source.name}, does not begin with",
                fix='Pass table_prefix="restored-", or name the table in table_names if it may come back as itself.',
            )

    @property
    def described(self) -> list[str]:
        """The names and the prefix, in a reader's words."""
        return [*self.table_names, *([f"{self.table_prefix}*"] if self.table_prefix else [])]

    @property
    def longest_name(self) -> str:
        """The longest name that a restored table may have, which its policy has to have room for."""
        longest = max(self.table_names, key=len, default="")
        return longest if self.table_prefix is None else self.table_prefix.ljust(_LONGEST_NAME, "x")

    def arn(self, name: str) -> str:
        """The ARN of a table there.

        Args:
            name: Its name.
        """
        return f"arn:{self.partition}:dynamodb:{self.region}:{self.account}:table/{name}"

    def reference(self, name: str) -> TableReference:
        """A table there, which is like a blueprint.

        Args:
            name: Its name.
        """
        partition = self.partition if is_unresolved(self.region) else None
        return TableReference(account=self.account, region=self.region, name=name, partition=partition)

    def arns(self, below: str = "") -> list[str]:
        """The ARNs of all tables that may be restored, or of what is below them.

        Args:
            below: "" for the tables, "/index/*" or "/stream/*".
        """
        return [f"{self.arn(name)}{below}" for name in self.described]

    def making(self) -> list[Json]:
        """What the machine may do: make tables that carry the restore's tag, and finish those that carry it."""
        ours = {"Null": {f"aws:ResourceTag/{RESTORE_TAG}": "false"}}
        return [
            _allow(
                ["dynamodb:CreateTable"],
                self.arns(),
                {
                    "Null": {f"aws:RequestTag/{RESTORE_TAG}": "false"},
                    "StringEquals": {f"aws:RequestTag/{STATE_TAG}": INCOMPLETE},
                },
            ),
            # CreateTable asks for these two as well, for a table that has no tag yet.
            _allow(["dynamodb:PutResourcePolicy"], [*self.arns(), *self.arns("/stream/*")]),
            # Whether the request's tags are known when CreateTable asks for this one is not documented.
            _allow(["dynamodb:TagResource"], self.arns()),
            # A table that was verified would be open to the loader again.
            {
                "Effect": "Deny",
                "Action": ["dynamodb:TagResource"],
                "Resource": self.arns(),
                "Condition": {
                    "StringEquals": {f"aws:ResourceTag/{STATE_TAG}": VERIFIED},
                    "StringNotEquals": {f"aws:RequestTag/{STATE_TAG}": VERIFIED},
                },
            },
            _allow(["dynamodb:DescribeTable", "dynamodb:ListTagsOfResource"], self.arns()),
            _allow(["dynamodb:UpdateContinuousBackups", "dynamodb:UpdateTimeToLive"], self.arns(), ours),
            _allow(["dynamodb:UpdateContributorInsights"], [*self.arns(), *self.arns("/index/*")], ours),
        ]

    def filling(self) -> list[Json]:
        """What the loader may do: write to a table that is marked as incomplete."""
        incomplete = {"StringEquals": {f"aws:ResourceTag/{STATE_TAG}": INCOMPLETE}}
        return [_allow(["dynamodb:BatchWriteItem", "dynamodb:DescribeTable"], self.arns(), incomplete)]

    def reading(self, *actions: str) -> list[Json]:
        """What whoever checks may do: read a table that a restore has made.

        Args:
            actions: The actions, such as "dynamodb:Scan".
        """
        ours = {"Null": {f"aws:ResourceTag/{RESTORE_TAG}": "false"}}
        return [_allow(list(actions), self.arns(), ours)]

    def encrypting(self, key_arn: str, *, making: bool = False) -> list[Json]:
        """What it takes to use the key of the restored tables, through DynamoDB alone.

        Args:
            key_arn: The key's ARN.
            making: Whether to make tables with it, which takes a grant of KMS for DynamoDB, and all that the DynamoDB
                developer guide asks of whoever selects a key ("Key policy for a customer managed key").
        """
        via = {"StringEquals": {"kms:ViaService": f"dynamodb.{self.region}.{dns_suffix_of(self.partition)}"}}
        if not making:
            return [_allow(["kms:Decrypt"], [key_arn], via)]
        for_service = {**via, "Bool": {"kms:GrantIsForAWSResource": "true"}}
        return [
            _allow(SELECTING_A_KEY, [key_arn], via),
            _allow(["kms:CreateGrant"], [key_arn], for_service),
        ]


def _allow(actions: Sequence[str], resources: Sequence[str], condition: Mapping[str, Any] | None = None) -> Json:
    return {
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": list(resources),
        **({"Condition": dict(condition)} if condition else {}),
    }


def sealed_reading(*, partition: str, sealed: SealedReference, source: TableReference, catalogue: bool) -> list[Json]:
    """What reading the sealed exports of one table takes.

    Args:
        partition: The partition.
        sealed: The sealed bucket. Where it has a key, that key's policy has to let the readers, too.
        source: The table.
        catalogue: Whether the catalogue is read, too.
    """
    own = f"{source.account}/{source.region}/{source.name}"
    arn = f"arn:{partition}:s3:::{sealed.bucket}"
    folders = ["exports", *(["catalogue"] if catalogue else [])]
    reading = [_allow(["s3:GetObject", "s3:GetObjectVersion"], [f"{arn}/{folder}/{own}/*" for folder in folders])]
    if sealed.key_arn is not None:
        decrypt = AllowStatement(
            actions=("kms:Decrypt",), resources=(sealed.key_arn,), clauses=through_s3(arn, sealed.region)
        )
        reading.append(decrypt.to_json())
    if not catalogue:
        return reading
    prefixes = [f"{folder}/{own}/*" for folder in folders]
    listing = _allow(["s3:ListBucket", "s3:ListBucketVersions"], [arn], {"StringLike": {"s3:prefix": prefixes}})
    return [*reading, listing]


def bucket_access(
    arn: str, *, read: Sequence[str] = (), write: Sequence[str] = (), listing: bool = False
) -> list[Json]:
    """What working with folders of a bucket takes.

    Args:
        arn: The bucket's ARN.
        read: Folders to read.
        write: Folders to write.
        listing: Whether to list it.
    """
    return [
        *([_allow(["s3:GetObject"], [f"{arn}/{folder}" for folder in read])] if read else []),
        *([_allow(["s3:PutObject"], [f"{arn}/{folder}" for folder in write])] if write else []),
        *([_allow(["s3:ListBucket"], [arn])] if listing else []),
    ]
