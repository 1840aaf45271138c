"""The vaults: what they say of their locks, and whom they let in."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Annotations, Match
from syrupy.assertion import SnapshotAssertion

import tableguard as tg
from tableguard.evaluation import Policies, Request, evaluate
from tests.unit.backup.aws_backup.plan_support import COMPLIANCE, LOCK, SAFE, metadata, only, template, vault
from tests.unit.tables.support import KEY, OWNER, PARTNER, REGION, TODAY, VENDOR, app, role, stack

VAULT: Final = "AWS::Backup::BackupVault"
AIR_GAPPED: Final = "AWS::Backup::LogicallyAirGappedBackupVault"


def warnings(scope: cdk.Stack) -> list[str]:
    return [str(each.entry.data) for each in Annotations.from_stack(scope).find_warning("*", Match.any_value())]


def air_gapped(scope: cdk.Stack, **more: Any) -> tg.AirGappedVault:
    given: dict[str, Any] = {
        "vault_name": "safe",
        "at_least_days": 7,
        "at_most_days": 400,
        "acknowledge": "ADR-1",
        "copies_from": [tg.Role(account=PARTNER, name="backups")],
        **more,
    }
    return tg.AirGappedVault(scope, "Safe", **given)


def test_a_compliance_lock_is_not_yet_immutable() -> None:
    scope = stack(app(**{TODAY: "2026-11-21"}))
    vault(scope, lock=COMPLIANCE)
    (said,) = warnings(scope)
    assert "not yet immutable until 14 days after the deployment that locks it (2026-12-06, if that is today)" in said
    assert "give its day as locked_on" in said
    (output,) = template(scope)["Outputs"].values()
    assert output["Value"] == (
        "not yet immutable until 14 days after the deployment that locks it: see LockDate of DescribeBackupVault"
    )


@pytest.mark.parametrize(
    ("today", "warned"), [("2026-11-21", True), ("2026-12-05", True), ("2026-12-06", False), ("2027-05-01", False)]
)
def test_the_warning_ends_with_the_grace_time(today: str, warned: bool) -> None:
    scope = stack(app(**{TODAY: today}))
    vault(scope, lock=COMPLIANCE, locked_on=dt.date(2026, 11, 21))
    said = warnings(scope)
    assert bool(said) is warned
    assert all("not yet immutable until 2026-12-06:" in each for each in said)
    (output,) = template(scope)["Outputs"].values()
    assert output["Value"] == "not yet immutable until 2026-12-06"


def test_a_governance_lock_promises_nothing() -> None:
    scope = stack()
    vault(scope, lock=LOCK)
    assert warnings(scope) == []
    found = template(scope)
    assert "Outputs" not in found
    assert only(found, VAULT)["LockConfiguration"] == {"MinRetentionDays": 7, "MaxRetentionDays": 90}
    assert metadata(found, VAULT)["vault"] == {
        "lock": "GOVERNANCE",
        "min_days": 7,
        "max_days": 90,
        "air_gapped": False,
    }


def test_vault_and_key_outlive_their_stack() -> None:
    scope = stack()
    vault(scope)
    air_gapped(scope)
    for each in template(scope)["Resources"].values():
        assert (each["DeletionPolicy"], each["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_an_own_key_that_cannot_be_shared_here_is_a_warning() -> None:
    scope = stack()
    vault(scope, encryption_key=kms.Key.from_key_arn(scope, "Theirs", KEY))
    (said,) = warnings(scope)
    assert "Copies to other accounts fail until it holds" in said
    assert PARTNER in said
    assert only(template(scope), VAULT)["EncryptionKeyArn"] == KEY


@pytest.mark.parametrize(
    ("who", "may"), [(role("backups"), True), (role("admin"), False), (role("backups", VENDOR), False)]
)
@pytest.mark.parametrize("kind", [VAULT, AIR_GAPPED])
def test_the_synthesized_vault_lets_in_the_role_of_the_plan_alone(kind: str, who: str, may: bool) -> None:
    scope = stack()
    vault(scope, copies_from=[tg.Role(account=PARTNER, name="backups")], copies_to=[])
    air_gapped(scope)
    policy = only(template(scope), kind)["AccessPolicy"]
    name = "data" if kind == VAULT else "safe"
    request = Request(
        principal=who,
        action="backup:CopyIntoBackupVault",
        resource=f"arn:aws:backup:{REGION}:{OWNER}:backup-vault:{name}",
    )
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    assert evaluate(request, Policies(identity=[everything], resource=policy)).allowed is may


def test_a_reference_carries_the_bounds_of_the_lock() -> None:
    scope = stack()
    assert vault(scope).reference == tg.BackupVaultReference(
        account=OWNER, region=REGION, name="data", at_least_days=7, at_most_days=90
    )
    assert air_gapped(scope).reference.arn("aws") == f"arn:aws:backup:{REGION}:{OWNER}:backup-vault:safe"


def test_an_air_gapped_vault_has_no_key_and_no_grace_time() -> None:
    scope = stack()
    air_gapped(scope, approval_team_arn=f"arn:aws:mpa:{REGION}:{OWNER}:approval-team/board/1")
    found = template(scope)
    properties = only(found, AIR_GAPPED)
    assert (properties["MinRetentionDays"], properties["MaxRetentionDays"]) == (7, 400)
    assert "EncryptionKeyArn" not in properties
    assert properties["MpaApprovalTeamArn"].endswith("/board/1")
    assert metadata(found, AIR_GAPPED)["vault"]["changeable_for_days"] == 0


@pytest.mark.parametrize(
    ("make", "what", "allowed"),
    [
        (lambda s: vault(s, lock="COMPLIANCE"), "the lock of Data/Vault", "VaultLock.governance"),
        (lambda s: vault(s, vault_name="a"), "the name of Data/Vault", "2 to 50"),
        (lambda s: vault(s, copies_from=["x"]), "who copies into Data/Vault", "an Account, a Role"),
        (lambda s: vault(cdk.Stack(s, "Nowhere")), "the account of the stack of", "known before deployment"),
        (lambda s: air_gapped(s, at_least_days=6), "at_least_days of an AirGappedVault", "from 7"),
        (lambda s: air_gapped(s, at_most_days=36_501), "at_most_days of an AirGappedVault", "to 36,500"),
        (lambda s: air_gapped(s, acknowledge=""), "acknowledge of Data/Safe", "nothing in it can be deleted"),
        (lambda s: air_gapped(s, approval_team_arn="team"), "the approval_team_arn of", "one ARN"),
        (lambda s: air_gapped(s, vault_name="Default"), "the name of a BackupVaultReference", "your own making"),
    ],
)
def test_a_slip_is_refused(make: Any, what: str, allowed: str) -> None:
    with pytest.raises(tg.InvalidInputError) as caught:
        make(stack())
    assert what in caught.value.what
    assert allowed in caught.value.allowed


def test_a_stack_of_no_account_is_refused() -> None:
    with pytest.raises(tg.InvalidInputError, match="known before deployment"):
        vault(cdk.Stack(app(), "Nowhere"))


def test_template(template_snapshots: SnapshotAssertion) -> None:
    scope = stack()
    vault(
        scope,
        lock=COMPLIANCE,
        copies_from=[tg.Account(VENDOR)],
        administrators=[tg.Role(account=OWNER, name="administrator")],
    )
    air_gapped(scope)
    assert scope == template_snapshots


def test_the_copy_of_the_tests_is_one_that_the_vault_names() -> None:
    assert SAFE in vault(stack()).copies_to
