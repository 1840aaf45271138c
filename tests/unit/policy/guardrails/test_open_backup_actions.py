"""What guardrails on backups and keys leave open, of every action that AWS Backup and KMS have."""

from __future__ import annotations

from typing import Final

import pytest

import tableguard as tg
from tableguard.aws import backup, iam, kms
from tableguard.aws.actions import Effect
from tableguard.policy.boundary import Boundary
from tests.unit.policy.guardrails.test_guardrail_statements import ADMIN, GUARDIAN, KEY, allowed, scps

VAULT: Final = "arn:aws:backup:eu-west-1:444455556666:backup-vault:any"
DANGEROUS: Final = (Effect.CHANGES_ACCESS, Effect.CHANGES_PROTECTION)
# Ways back: restores, and access to what a vault holds for a restore. No vault's policy goes by tags.
LEFT_OF_BACKUPS: Final = {"CreateBackupAccessPoint", "CreateRestoreAccessBackupVault", "TagResource", "UntagResource"}
# Using a key, lending it to a service, naming it, and ways back.
LEFT_OF_KEYS: Final = {
    "CreateAlias", "CreateGrant", "DeleteAlias", "EnableKey", "ImportKeyMaterial", "RetireGrant", "TagResource",
    "UntagResource", "UpdateAlias",
}  # fmt: skip


def test_nobody_but_a_administrator_weakens_backups() -> None:
    policies = scps(tg.ProtectBackups())
    weakening = {name for name, action in backup.ACTIONS.items() if action.can(*DANGEROUS)}
    for name in weakening:
        assert allowed(policies, GUARDIAN.arn("aws"), f"backup:{name}", VAULT), name
        assert allowed(policies, ADMIN, f"backup:{name}", VAULT) is (name in LEFT_OF_BACKUPS), name
    assert weakening >= LEFT_OF_BACKUPS


@pytest.mark.parametrize(
    "name",
    ["RevokeRestoreAccessBackupVault", "DeleteRestoreTestingPlan", "DisassociateRecoveryPointFromParent"],
)
def test_ways_back_and_tests_of_them_are_not_taken_away(name: str) -> None:
    assert not allowed(scps(tg.ProtectBackups()), ADMIN, f"backup:{name}", VAULT)


def test_backups_are_made_copied_and_restored_all_the_same() -> None:
    policies = scps(tg.ProtectBackups())
    for name in ("StartBackupJob", "StartCopyJob", "CopyFromBackupVault", "StartRestoreJob", "CreateBackupPlan"):
        assert allowed(policies, ADMIN, f"backup:{name}", VAULT), name


def test_nobody_but_a_administrator_weakens_keys() -> None:
    policies = scps(tg.ProtectKeys())
    weakening = {name for name, action in kms.ACTIONS.items() if action.can(*DANGEROUS)}
    for name in weakening:
        resource = KEY if kms.ACTIONS[name].resources else "*"
        assert allowed(policies, GUARDIAN.arn("aws"), f"kms:{name}", resource), name
        assert allowed(policies, ADMIN, f"kms:{name}", resource) is (name in LEFT_OF_KEYS), name
    assert weakening >= LEFT_OF_KEYS


# Who assumes a role for how long is none of a boundary's business, nor is whose a role without one may become.
LEFT_OF_ROLES: Final = {
    "CreateServiceLinkedRole", "DeleteRole", "DeleteServiceLinkedRole", "DeleteUser", "EnableMFADevice",
    "DeactivateMFADevice", "PassRole", "ResyncMFADevice", "TagRole", "TagUser", "UntagRole", "UntagUser",
    "UpdateAccessKey", "UpdateAssumeRolePolicy", "UpdateLoginProfile", "UpdateRole", "UpdateRoleDescription",
    "UpdateUser", "CreateAccessKey", "CreateLoginProfile", "CreateServiceSpecificCredential",
    "ResetServiceSpecificCredential", "UpdateSSHPublicKey", "UpdateServiceSpecificCredential",
    "UpdateSigningCertificate", "UploadSSHPublicKey", "UploadSigningCertificate",
}  # fmt: skip


def test_nothing_widens_a_role_or_user_without_the_boundary() -> None:
    """Neither does a role that is made from a template, whether or not its request tells of a boundary."""
    boundary = Boundary(name="data")
    policies = tuple(
        {"Version": "2012-10-17", "Statement": [denial.to_json()]}
        for denial in boundary.service_control_statements([GUARDIAN])
    )
    of_both = {
        name
        for name, action in iam.ACTIONS.items()
        if action.can(*DANGEROUS) and not action.resources.isdisjoint({"role", "user"})
    }
    account = "444455556666"
    left = set()
    for name in of_both:
        kind = "role" if "role" in iam.ACTIONS[name].resources else "user"
        if allowed(policies, ADMIN, f"iam:{name}", f"arn:aws:iam::{account}:{kind}/any"):
            left.add(name)
    assert left == LEFT_OF_ROLES
