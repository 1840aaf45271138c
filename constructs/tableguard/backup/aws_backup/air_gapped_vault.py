"""A logically air-gapped vault."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_backup as backup
from constructs import Construct

from tableguard.backup.aws_backup.locked_vault import known_here
from tableguard.policy.backup import BackupVaultReference
from tableguard.policy.backup.backup_vaults import COMPLIANCE, air_gapped_bounds, said, vault_name as checked_name
from tableguard.policy.backup.vault_access import CopySource, checked_sources, receiving
from tableguard.policy.metadata import METADATA_KEY, backup_metadata
from tableguard.policy.metadata.backups import VaultClaim
from tableguard.policy.names import arn as checked_arn


class AirGappedVault(Construct):
    """A logically air-gapped vault: its backups are kept by AWS, under a compliance lock without a grace time.

    It is immutable as soon as it is there, and its bounds can never be changed. It is encrypted with a key that AWS
    owns, so there is no key of yours to delete. With an approval team (multi-party approval) its backups can be
    restored from an account of another organization, when its own account, or the management account, is taken over
    or closed. Nobody deletes a recovery point before its time; the vault itself can be deleted when it is empty.
    Source: AWS Backup developer guide, "Logically air-gapped vault".

    Backups come into it as copies: name its `reference` in a `VaultCopy`. It stays when its stack is deleted.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vault_name: str,
        at_least_days: int,
        at_most_days: int,
        acknowledge: str,
        copies_from: Sequence[CopySource] = (),
        approval_team_arn: str | None = None,
    ) -> None:
        """Make an air-gapped vault.

        Args:
            scope: The parent construct, in a stack whose account and region are known.
            construct_id: The construct's id, unique below its parent.
            vault_name: Its name, 2 to 50 of a-z, A-Z, 0-9, '-', '_'.
            at_least_days: The shortest retention of a copy: 7 to 36,500 days. It can never be changed.
            at_most_days: The longest, at most 36,500 days. It can never be changed.
            acknowledge: Who has accepted that what is in it stays, and is billed, to its end, and why.
            copies_from: Who of other accounts copies into it: the role of a backup plan (`Role`), an `Account`, or an
                `Organization`. Nobody when left out: only plans of its own account do.
            approval_team_arn: The multi-party approval team that can open it to another account; none when left out.

        Raises:
            InvalidInputError: A malformed name or ARN, days out of bounds, nothing acknowledged, or a region or account
                that only the deployment knows.
        """
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        checked_name(f"the name of {self.node.path}", vault_name)
        air_gapped_bounds(at_least_days=at_least_days, at_most_days=at_most_days)
        said(f"acknowledge of {self.node.path}", acknowledge, "who accepts that nothing in it can be deleted, and why")
        if approval_team_arn is not None:
            checked_arn(f"the approval_team_arn of {self.node.path}", approval_team_arn)
        self._reference = BackupVaultReference(
            account=known_here(self, "account", stack.account),
            region=known_here(self, "region", stack.region),
            name=vault_name,
            at_least_days=at_least_days,
            at_most_days=at_most_days,
        )
        self._vault = backup.CfnLogicallyAirGappedBackupVault(
            self,
            "Vault",
            backup_vault_name=vault_name,
            min_retention_days=at_least_days,
            max_retention_days=at_most_days,
            access_policy=receiving(
                checked_sources(self.node.path, copies_from), partition=stack.partition, owner=stack.account
            ),
            mpa_approval_team_arn=approval_team_arn,
        )
        self._vault.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        described = VaultClaim(
            lock=COMPLIANCE,
            min_days=at_least_days,
            max_days=at_most_days,
            changeable_for_days=0,
            air_gapped=True,
            acknowledged=acknowledge,
        )
        self._vault.add_metadata(METADATA_KEY, backup_metadata(described))

    @property
    def vault(self) -> backup.CfnLogicallyAirGappedBackupVault:
        """The vault's resource."""
        return self._vault

    @property
    def reference(self) -> BackupVaultReference:
        """The vault, for plans."""
        return self._reference
