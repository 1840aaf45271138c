"""References between the accounts of a backup: names and account ids that are known before deployment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tableguard.aws.partitions import partition_of
from tableguard.policy import names
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.lists import texts_of
from tableguard.policy.principals import Role

EXPORTS: Final = "AWSDynamoDB"
"""The part of a key that DynamoDB puts behind the prefix of an export."""


def _bucket_arn(region: str, bucket: str) -> str:
    return f"arn:{partition_of(region)}:s3:::{bucket}"


def _check_key(what: str, key_arn: str | None, region: str) -> None:
    if key_arn is None:
        return
    names.arn(what, key_arn)
    if ":key/" not in key_arn or f":kms:{region}:" not in key_arn:
        raise InvalidInputError(what, value=key_arn, allowed=f"the ARN of a key in {region}, not of an alias")


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultReference:
    """Names the intake bucket of a vault, for the accounts that replicate exports to it.

    Args:
        account: The 12-digit id of the vault's account.
        region: The vault's region.
        intake_bucket: The intake bucket's name.
        intake_key_arn: The ARN of the intake bucket's KMS key; None if it has none, as in a `SealedVault`.

    Raises:
        InvalidInputError: A value is malformed.
    """

    account: str
    region: str
    intake_bucket: str
    intake_key_arn: str | None = None

    def __post_init__(self) -> None:
        names.account_id("the account of a VaultReference", self.account)
        names.region("the region of a VaultReference", self.region)
        names.bucket_name("the intake bucket of a VaultReference", self.intake_bucket)
        _check_key("the intake key of a VaultReference", self.intake_key_arn, self.region)

    @property
    def intake_arn(self) -> str:
        """The intake bucket's ARN."""
        return _bucket_arn(self.region, self.intake_bucket)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedReference:
    """Names the sealed bucket of a vault, for the accounts that restore from it.

    Args:
        account: The 12-digit id of the vault's account.
        region: The vault's region.
        bucket: The sealed bucket's name.
        key_arn: The ARN of the sealed bucket's KMS key; None if it has none.

    Raises:
        InvalidInputError: A value is malformed.
    """

    account: str
    region: str
    bucket: str
    key_arn: str | None = None

    def __post_init__(self) -> None:
        names.account_id("the account of a SealedReference", self.account)
        names.region("the region of a SealedReference", self.region)
        names.bucket_name("the bucket of a SealedReference", self.bucket)
        _check_key("the key of a SealedReference", self.key_arn, self.region)

    @property
    def bucket_arn(self) -> str:
        """The sealed bucket's ARN."""
        return _bucket_arn(self.region, self.bucket)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationSource:
    """Allows a role of another account to replicate into a bucket, below the prefix of its own account.

    Args:
        account: The 12-digit id of the role's account.
        role_name: The role's name, at the path "/".
        tables: Names of the tables whose exports it may replicate; every table of the account when left out. Use this
            only for a `SealedVault`: the keys of a replication in one stage (`BucketReplication`) name no table.

    Raises:
        InvalidInputError: A value is malformed, a table has the name of the folder that DynamoDB exports to, or
            `tables` is an empty list, which would allow nothing.
    """

    account: str
    role_name: str
    tables: Sequence[str] | None = None

    def __post_init__(self) -> None:
        names.account_id("the account of a ReplicationSource", self.account)
        names.role_name("the role of a ReplicationSource", self.role_name)
        if self.tables is None:
            return
        tables = texts_of("the tables of a ReplicationSource", self.tables)
        for table in tables:
            names.table_name("a table of a ReplicationSource", table)
            if table == EXPORTS:
                raise InvalidInputError(
                    "a table of a ReplicationSource",
                    value=table,
                    allowed=f"any other name: {EXPORTS} is a folder in the keys of every table's exports",
                    fix="Leave tables out: the source then sends those of its whole account.",
                )
        if not tables:
            raise InvalidInputError(
                "the tables of a ReplicationSource", value=tables, allowed="at least one, or None for every table"
            )
        object.__setattr__(self, "tables", tables)

    @property
    def role(self) -> Role:
        """The role."""
        return Role(account=self.account, name=self.role_name)

    @property
    def key_patterns(self) -> tuple[str, ...]:
        """Patterns of the keys that it may write: `account/region/table/AWSDynamoDB/…`.

        A `*` of a policy goes past slashes, so a pattern alone leaves open whether what stands before the table is a
        region: `Intake` denies keys that have the folder of exports in them twice, and the sealing takes no key of
        another shape.
        """
        if self.tables is None:
            return (f"{self.account}/*",)
        return tuple(f"{self.account}/*/{table}/{EXPORTS}/*" for table in self.tables)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceQuota:
    """Limits how much a vault seals for one source account in 24 hours. More stays in the intake bucket, with an alarm.

    Args:
        bytes_per_day: Bytes of exported files, 1 or more.
        exports_per_day: Exports of all its tables together, 1 or more. An hourly export of one table makes 24.

    Raises:
        InvalidInputError: A value is not a positive integer.
    """

    bytes_per_day: int
    exports_per_day: int

    def __post_init__(self) -> None:
        for name in ("bytes_per_day", "exports_per_day"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise InvalidInputError(f"{name} of a SourceQuota", value=value, allowed="1 or more, as an integer")
