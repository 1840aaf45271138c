"""Refuses arguments of a vault that cannot be meant, before anything is synthesized."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from constructs import Construct

from tableguard.backup.cold_storage import ColdStorage
from tableguard.backup.immutable_bucket import sources_of
from tableguard.backup.vault.sealing import STEPS
from tableguard.policy import InvalidInputError
from tableguard.policy.backup import ReplicationSource, SealingNames, SourceQuota
from tableguard.policy.tokens import is_unresolved

_LEAST_SWEEP: Final = 15
_MOST_SWEEP: Final = 24 * 60


def check_home(vault: Construct) -> None:
    """Refuse a stack whose account and region only the deployment knows: the sources' apps have to name them."""
    stack = cdk.Stack.of(vault)
    if is_unresolved(stack.account) or is_unresolved(stack.region):
        raise InvalidInputError(
            f"the stack of {vault.node.path}",
            value=stack.stack_name,
            allowed="a stack with a literal account and region, which the other half of the backup has to name",
            fix="Pass env=cdk.Environment(account=…, region=…) to the stack.",
        )


def checked_sources(vault: Construct, sources: object) -> tuple[ReplicationSource, ...]:
    """The sources; none of them in the vault's account."""
    found = sources_of(vault.node.path, sources)
    for source in found:
        if source.account == cdk.Stack.of(vault).account:
            raise InvalidInputError(
                f"a source of {vault.node.path}",
                value=source.role.label,
                allowed="roles of other accounts: a vault in the account of the data is lost with it",
            )
    return found


def check_quota(vault: Construct, quota: object) -> None:
    """Refuse anything but a quota."""
    if not isinstance(quota, SourceQuota):
        raise InvalidInputError(f"the quota of {vault.node.path}", value=quota, allowed="SourceQuota(…)")


def check_buckets(vault: Construct, *, intake: str, sealed: str) -> None:
    """Refuse one bucket for both."""
    if intake == sealed:
        raise InvalidInputError(
            f"the buckets of {vault.node.path}",
            value=sealed,
            allowed="two names: whoever writes to the intake never sees the other",
        )


def check_cold_storage(vault: Construct, cold_storage: ColdStorage | None) -> None:
    """Refuse a storage class from which objects have to be fetched before they are read."""
    if isinstance(cold_storage, ColdStorage) and not cold_storage.read_at_once:
        raise InvalidInputError(
            f"the cold storage of {vault.node.path}",
            value=cold_storage.storage_class,
            allowed="ColdStorage.infrequent_access(…) or .instant_retrieval(…): a restore reads at once",
        )


def check_sweep(vault: Construct, every: cdk.Duration) -> None:
    """Refuse a sweep more often than the sealing takes, or less often than once a day."""
    minutes = every.to_minutes()
    if not _LEAST_SWEEP <= minutes <= _MOST_SWEEP or minutes % 1:
        raise InvalidInputError(
            f"sweep_every of {vault.node.path}",
            value=f"{minutes} minutes",
            allowed="15 minutes to 24 hours, in whole minutes",
        )


def check_role_name(vault: Construct, name: str) -> None:
    """Refuse a name that leaves no room for what is named after it."""
    longest = SealingNames.longest(*STEPS)
    if len(name) > longest:
        raise InvalidInputError(
            f"the sealing_role_name of {vault.node.path}",
            value=name,
            allowed=f"up to {longest} characters, since what else seals is named after it",
        )
