"""A vault of AWS Backup with a lock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_backup as backup, aws_iam as iam, aws_kms as kms
from constructs import Construct

from tableguard.policy import InvalidInputError, Role
from tableguard.policy.backup import BackupVaultReference, VaultLock
from tableguard.policy.backup.backup_vaults import vault_name as checked_name
from tableguard.policy.backup.vault_access import CopySource, checked_sources, key_sharing, vault_policy
from tableguard.policy.documents import minified
from tableguard.policy.metadata import METADATA_KEY, backup_metadata
from tableguard.policy.metadata.backups import VaultClaim
from tableguard.tables.clock import today

_WARNING: Final = "tableguard:vault-not-yet-immutable"


class LockedBackupVault(Construct):
    """A vault of AWS Backup whose recovery points cannot be deleted before their time.

    How far that holds depends on its lock. With `VaultLock.governance` whoever may remove the lock can delete; with
    `VaultLock.compliance` nobody can, but only after the grace time: until then the synthesis warns, and an output
    says, "not yet immutable until …".

    It is encrypted with a customer-managed key: with advanced DynamoDB backup, backups have the key of their vault, not
    that of their table (which may be AWS-owned, or gone), and for a copy to another account that key is shared with the
    account. Whoever can delete the key can destroy the backups, lock or no lock: put `ProtectKeys` over it, or copy
    into an `AirGappedVault`, which has no key of yours. Source: AWS Backup developer guide, "Advanced DynamoDB backup".

    The vault stays when its stack is deleted, and so does its key.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vault_name: str,
        lock: VaultLock,
        copies_from: Sequence[CopySource] = (),
        copies_to: Sequence[BackupVaultReference] = (),
        administrators: Sequence[Role] = (),
        encryption_key: kms.IKey | None = None,
        locked_on: dt.date | None = None,
    ) -> None:
        """Make a vault.

        Args:
            scope: The parent construct, in a stack whose account and region are known.
            construct_id: The construct's id, unique below its parent.
            vault_name: Its name, 2 to 50 of a-z, A-Z, 0-9, '-', '_'.
            lock: Its lock.
            copies_from: Who of other accounts copies into it: the role of a backup plan (`Role`), an `Account`, or an
                `Organization`. Nobody when left out.
            copies_to: The vaults that its backups may be copied to; none when left out. In a vault that others copy
                into, name the one that a recovery copies back to: without it, its backups can be restored in its own
                account only, until somebody changes its policy.
            administrators: Roles that may delete recovery points all the same, as far as the lock lets them; nobody
                when left out.
            encryption_key: Its key. When left out, it makes one that is rotated and retained. The policy of a key that
                was made elsewhere has to be shared there.
            locked_on: The day (in UTC) on which the lock was first deployed: give it after the deployment, and the
                warning says the date, and ends with the grace time.

        Raises:
            InvalidInputError: A malformed name, something else than a lock, accounts and vaults, or a region or account
                that only the deployment knows.
        """
        super().__init__(scope, construct_id)
        if not isinstance(lock, VaultLock):
            raise InvalidInputError(
                f"the lock of {self.node.path}",
                value=lock,
                allowed="VaultLock.governance(…) or VaultLock.compliance(…)",
            )
        stack = cdk.Stack.of(self)
        checked_name(f"the name of {self.node.path}", vault_name)
        self._reference = BackupVaultReference(
            account=known_here(self, "account", stack.account),
            region=known_here(self, "region", stack.region),
            name=vault_name,
            at_least_days=lock.at_least_days,
            at_most_days=lock.at_most_days,
        )
        self._key = encryption_key or kms.Key(
            self,
            "Key",
            enable_key_rotation=True,
            description=f"Backups in vault {vault_name}",
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        self._copies_to = tuple(copies_to)
        self._share_key()
        self._vault = backup.CfnBackupVault(
            self,
            "Vault",
            backup_vault_name=vault_name,
            encryption_key_arn=self._key.key_arn,
            lock_configuration=backup.CfnBackupVault.LockConfigurationTypeProperty(
                min_retention_days=lock.at_least_days,
                max_retention_days=lock.at_most_days,
                changeable_for_days=lock.changeable_for_days,
            ),
            access_policy=vault_policy(
                sources=checked_sources(self.node.path, copies_from),
                copies_to=self._copies_to,
                administrators=administrators,
                partition=stack.partition,
                owner=stack.account,
            ),
        )
        self._vault.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        self._vault.add_metadata(METADATA_KEY, backup_metadata(_described(lock)))
        self._say_until_when(lock, locked_on)

    @property
    def vault(self) -> backup.CfnBackupVault:
        """The vault's resource."""
        return self._vault

    @property
    def key(self) -> kms.IKey:
        """The key of its backups."""
        return self._key

    @property
    def reference(self) -> BackupVaultReference:
        """The vault, for the plans of other accounts."""
        return self._reference

    @property
    def copies_to(self) -> tuple[BackupVaultReference, ...]:
        """The vaults that its backups may be copied to."""
        return self._copies_to

    def _share_key(self) -> None:
        statements = [each.to_json() for each in key_sharing(self._copies_to, owner=cdk.Stack.of(self).account)]
        added = [self._key.add_to_resource_policy(iam.PolicyStatement.from_json(each)) for each in statements]
        if not all(each.statement_added for each in added):
            cdk.Annotations.of(self).add_warning_v2(
                "tableguard:vault-key-not-shared",
                "The policy of the vault's key is written elsewhere. Copies to other accounts fail until it holds: "
                f"{minified(statements)}",
            )

    def _say_until_when(self, lock: VaultLock, locked_on: dt.date | None) -> None:
        if lock.changeable_for_days is None:
            return
        days = f"{lock.changeable_for_days} days after the deployment that locks it"
        date = lock.immutable_from(locked_on) if locked_on is not None else None
        until = f"until {date}" if date is not None else f"until {days}: see LockDate of DescribeBackupVault"
        cdk.CfnOutput(
            self,
            "Immutable",
            description=f"Compliance lock of vault {self._reference.name}",
            value=f"not yet immutable {until}",
        )
        now = today(self)
        if date is not None and now >= date:
            return
        guess = "" if date is not None else f" ({lock.immutable_from(now)}, if that is today)"
        cdk.Annotations.of(self).add_warning_v2(
            _WARNING,
            f"Vault {self._reference.name} is not yet immutable until {date or days}{guess}: until then somebody can "
            "remove the lock and delete its backups."
            + ("" if locked_on is not None else " After the deployment, give its day as locked_on."),
        )


def known_here(scope: Construct, what: str, value: str) -> str:
    """Check that a stack's account or region is known before deployment.

    Args:
        scope: The construct that needs it.
        what: "account" or "region".
        value: The value.

    Raises:
        InvalidInputError: Only the deployment knows it.
    """
    if cdk.Token.is_unresolved(value):
        raise InvalidInputError(
            f"the {what} of the stack of {scope.node.path}",
            value=value,
            allowed="one that is known before deployment, since others name the vault by it",
            fix="Give the stack env=cdk.Environment(account=…, region=…).",
        )
    return value


def _described(lock: VaultLock) -> VaultClaim:
    return VaultClaim(
        lock=lock.mode,
        min_days=lock.at_least_days,
        max_days=lock.at_most_days,
        changeable_for_days=lock.changeable_for_days,
        acknowledged=lock.acknowledge or None,
    )
