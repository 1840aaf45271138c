"""Locks, vaults, rules and copies: what is refused, and when a lock is immutable."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

import pytest

from tableguard.policy.backup import BackupRule, BackupVaultReference, VaultCopy, VaultLock
from tableguard.policy.backup.backup_vaults import air_gapped_bounds
from tests.unit.policy.support import OWNER, REGION, Refusal, assert_refused

SAFE: Final = BackupVaultReference(account=OWNER, region=REGION, name="safe", at_least_days=30, at_most_days=400)
DAILY: Final = "cron(0 5 ? * * *)"


def compliance(**changed: Any) -> Callable[[], VaultLock]:
    given: dict[str, Any] = {
        "at_least_days": 30,
        "at_most_days": 90,
        "changeable_for_days": 14,
        "acknowledge": "ADR-1",
        **changed,
    }
    return lambda: VaultLock.compliance(**given)


def governance(**given: Any) -> Callable[[], VaultLock]:
    return lambda: VaultLock.governance(**given)


def vault(**changed: Any) -> Callable[[], BackupVaultReference]:
    given: dict[str, Any] = {"account": OWNER, "region": REGION, "name": "safe", **changed}
    return lambda: BackupVaultReference(**given)


def copy(to: Any = SAFE, **given: Any) -> Callable[[], VaultCopy]:
    return lambda: VaultCopy(to=to, **given)


def rule(**changed: Any) -> Callable[[], BackupRule]:
    given: dict[str, Any] = {"name": "daily", "schedule": DAILY, "keep_days": 35, **changed}
    return lambda: BackupRule(**given)


COPY: Final = VaultCopy(to=SAFE, keep_days=30)

REFUSALS: Final = [
    Refusal(governance(at_least_days=0), "at_least_days of VaultLock.governance", 0, "from 1 to 36,500"),
    Refusal(governance(at_least_days=True), "at_least_days of VaultLock.governance", True, "a whole number"),
    Refusal(governance(at_least_days=30.0), "at_least_days of VaultLock.governance", 30.0, "a whole number"),
    Refusal(governance(at_least_days=36_501), "at_least_days of VaultLock.governance", 36_501, "from 1 to 36,500"),
    Refusal(governance(at_least_days=9, at_most_days=8), "at_most_days of VaultLock.governance", 8, "from 9 to"),
    Refusal(compliance(at_least_days=0), "at_least_days of VaultLock.compliance", 0, "from 1 to 36,500"),
    Refusal(compliance(at_most_days=None), "at_most_days of VaultLock.compliance", None, "from 30 to"),
    Refusal(compliance(at_most_days=29), "at_most_days of VaultLock.compliance", 29, "from 30 to"),
    Refusal(compliance(changeable_for_days=2), "changeable_for_days of VaultLock.compliance", 2, "from 3 to 36,500"),
    Refusal(compliance(changeable_for_days=None), "changeable_for_days of VaultLock.compliance", None, "from 3 to"),
    Refusal(compliance(acknowledge=" "), "acknowledge of VaultLock.compliance", " ", "cannot be undone"),
    Refusal(compliance(acknowledge=True), "acknowledge of VaultLock.compliance", True, "cannot be undone"),
    Refusal(lambda: air_gapped_bounds(at_least_days=6, at_most_days=30), "at_least_days of an AirGappedVault", 6,
            "from 7 to 36,500"),
    Refusal(lambda: air_gapped_bounds(at_least_days=7, at_most_days=6), "at_most_days of an AirGappedVault", 6,
            "from 7 to"),
    Refusal(vault(name="Default"), "the name of a BackupVaultReference", "Default", "of your own making"),
    Refusal(vault(name="a b"), "the name of a BackupVaultReference", "a b", "2 to 50"),
    Refusal(vault(name="${Token[TOKEN.1]}"), "the name of a BackupVaultReference", "${Token[TOKEN.1]}", "written down"),
    Refusal(vault(account="1"), "the account of a BackupVaultReference", "1", "12 digits"),
    Refusal(vault(at_least_days=9, at_most_days=7), "at_most_days of a BackupVaultReference", 7, "from 9"),
    Refusal(copy("safe", keep_days=30), "the vault of a VaultCopy", "safe", "a BackupVaultReference"),
    Refusal(copy(keep_days=29), "keep_days of a VaultCopy to safe", 29, "30 to 400", "another retention fails"),
    Refusal(copy(keep_days=401), "keep_days of a VaultCopy to safe", 401, "30 to 400", "another retention fails"),
    Refusal(copy(keep_days=99, cold_after_days=10), "keep_days of a VaultCopy to safe", 99, "at least 100"),
    Refusal(rule(name="a b"), "the name of a BackupRule", "a b", "1 to 50"),
    Refusal(rule(schedule="rate(1 day)"), "the schedule of BackupRule daily", "rate(1 day)", "six fields"),
    Refusal(rule(schedule="cron(0 5 * * *)"), "the schedule of BackupRule daily", "cron(0 5 * * *)", "six fields"),
    Refusal(rule(keep_days=0), "keep_days of BackupRule daily", 0, "from 1"),
    Refusal(rule(keep_days=97, cold_after_days=8), "keep_days of BackupRule daily", 97, "at least 98"),
    Refusal(rule(cold_after_days=0), "cold_after_days of BackupRule daily", 0, "from 1"),
    Refusal(rule(start_within_minutes=59), "start_within_minutes of BackupRule daily", 59, "from 60"),
    Refusal(rule(complete_within_minutes=480), "complete_within_minutes of BackupRule daily", 480, "from 481"),
    Refusal(rule(copies=["safe"]), "a copy of BackupRule daily", "safe", "a VaultCopy"),
    Refusal(rule(copies=[COPY, COPY]), "the copies of BackupRule daily", [(OWNER, REGION, "safe")] * 2,
            "one copy to each vault"),
]  # fmt: skip


@pytest.mark.parametrize("refusal", REFUSALS, ids=[f"{each.what}: {each.value}" for each in REFUSALS])
def test_a_slip_is_refused(refusal: Refusal) -> None:
    assert_refused(refusal)


@pytest.mark.parametrize(
    "make",
    [
        governance(at_least_days=1),
        governance(at_least_days=36_500, at_most_days=36_500),
        compliance(at_least_days=1, at_most_days=1, changeable_for_days=3),
        copy(keep_days=30),
        copy(keep_days=400, cold_after_days=310),
        rule(keep_days=98, cold_after_days=8),
        rule(start_within_minutes=60, complete_within_minutes=61),
    ],
)
def test_what_is_just_inside_is_taken(make: Callable[[], object]) -> None:
    make()


def test_a_compliance_lock_is_immutable_only_after_its_grace_time() -> None:
    assert compliance()().immutable_from(dt.date(2026, 11, 21)) == dt.date(2026, 12, 6)


def test_a_governance_lock_never_is() -> None:
    assert governance(at_least_days=7)().immutable_from(dt.date(2026, 11, 21)) is None


def test_an_arn_names_account_and_region() -> None:
    assert SAFE.arn("aws-cn") == f"arn:aws-cn:backup:{REGION}:{OWNER}:backup-vault:safe"
