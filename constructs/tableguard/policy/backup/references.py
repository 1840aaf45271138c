"""What the two halves of a backup know of each other before either is deployed, so that each stands in its own app."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tableguard.policy import names
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.tokens import is_unresolved

_BUCKET: Final = r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]"
_KEY_ARN: Final = r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+"


def bucket_name(what: str, value: str) -> str:
    """Check the name of an S3 bucket: literal, since the other half has to know it before it exists.

    Args:
        what: What the name is for, for messages.
        value: The name.

    Raises:
        InvalidInputError: It is malformed, or known at deployment only. Source: S3 user guide, "Bucket naming rules";
            names with dots are refused as well, since they do not work with TLS on virtual-hosted addresses.
    """
    if not isinstance(value, str) or is_unresolved(value) or not re.fullmatch(_BUCKET, value):
        raise InvalidInputError(
            what,
            value=value,
            allowed="a bucket name that is written down: 3 to 63 of a-z, 0-9, '-', with a letter or digit at each end",
        )
    return value


def _written_down(what: str, value: str) -> None:
    if is_unresolved(value):
        raise InvalidInputError(what, value=value, allowed="a value that is written down, known before any deployment")


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultReference:
    """A vault as the data account knows it: where exports are replicated to.

    Args:
        account: The 12-digit id of the vault's account.
        region: The region of the vault.
        intake_bucket: The name of its intake bucket.
        intake_key_arn: The ARN of the customer-managed key of the intake bucket; SSE-S3 when left out.

    Raises:
        InvalidInputError: One of them is malformed, or known at deployment only.
    """

    account: str
    region: str
    intake_bucket: str
    intake_key_arn: str | None = None

    def __post_init__(self) -> None:
        names.account_id("the account of a VaultReference", self.account)
        names.region("the region of a VaultReference", self.region)
        _written_down("the account of a VaultReference", self.account)
        _written_down("the region of a VaultReference", self.region)
        bucket_name("the intake bucket of a VaultReference", self.intake_bucket)
        key = self.intake_key_arn
        if key is None:
            return
        if not isinstance(key, str) or is_unresolved(key) or not re.fullmatch(_KEY_ARN, key):
            raise InvalidInputError(
                "the intake key of a VaultReference",
                value=key,
                allowed="the ARN of a KMS key, or nothing for SSE-S3",
                fix="Pass the key's own ARN, since policies do not follow an alias.",
            )
        if key.split(":")[3:5] != [self.region, self.account]:
            raise InvalidInputError(
                "the intake key of a VaultReference",
                value=key,
                allowed=f"a key of the vault's own account and region, {self.account} {self.region}",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationSource:
    """A data account as its vault knows it: the one role whose replication the intake bucket takes.

    Args:
        account: The 12-digit id of the data account.
        role_name: The name of the role that replicates, without a path.
        tables: The names of the tables whose exports are taken; those of every table when left out.

    Raises:
        InvalidInputError: One of them is malformed, the account or role is known at deployment only, or the list of
            tables is empty or no list.
    """

    account: str
    role_name: str
    tables: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        names.account_id("the account of a ReplicationSource", self.account)
        names.role_name("the role of a ReplicationSource", self.role_name)
        _written_down("the account of a ReplicationSource", self.account)
        _written_down("the role of a ReplicationSource", self.role_name)
        if self.tables is None:
            return
        tables = names.listed("the tables of a ReplicationSource", self.tables)
        if not tables:
            raise InvalidInputError(
                "the tables of a ReplicationSource",
                value=tables,
                allowed="at least one table",
                fix="Leave tables out to take the exports of every table of the account.",
            )
        for table in tables:
            names.table_name("a table of a ReplicationSource", table)
            _written_down("a table of a ReplicationSource", table)
        object.__setattr__(self, "tables", tuple(dict.fromkeys(tables)))


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedReference:
    """The sealed bucket of a vault, as whoever restores from it knows it.

    Args:
        account: The 12-digit id of the vault's account.
        region: The region of the vault.
        bucket: The name of its sealed bucket.

    Raises:
        InvalidInputError: One of them is malformed, or known at deployment only.
    """

    account: str
    region: str
    bucket: str

    def __post_init__(self) -> None:
        names.account_id("the account of a SealedReference", self.account)
        names.region("the region of a SealedReference", self.region)
        _written_down("the account of a SealedReference", self.account)
        _written_down("the region of a SealedReference", self.region)
        bucket_name("the bucket of a SealedReference", self.bucket)
