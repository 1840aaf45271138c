"""The policies of a backup vault and of its key: who may copy into it, where out of it, and that nobody deletes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from tableguard.aws.actions import Effect, qualified_names
from tableguard.aws.backup import ACTIONS
from tableguard.aws.managed_policies import BACKUP
from tableguard.policy.backup.backup_vaults import BackupVaultReference
from tableguard.policy.collectives import Organization
from tableguard.policy.conditions import Clause
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.documents import VERSION, AllowStatement, Json, merged
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.principals import PRINCIPAL_ARN, Account, Role

CopySource: TypeAlias = Account | Role | Organization

COPY_TARGETS: Final = "backup:CopyTargets"
"""The vaults that a copy goes to, on backup:CopyFromBackupVault: a list. Source: service authorization reference,
"Actions, resources, and condition keys for AWS Backup"."""

# Whether a vault's policy takes it is documented nowhere, and one with an action that it does not take is refused. A
# table's recovery point has no parent.
_OF_NO_VAULT_POLICY: Final = frozenset({"backup:DisassociateRecoveryPointFromParent"})
_DESTRUCTION: Final = tuple(
    action
    for action in qualified_names(ACTIONS, Effect.CHANGES_PROTECTION, on="recoveryPoint")
    if action not in _OF_NO_VAULT_POLICY
)
# What KMS documents for the use of a key by AWS Backup in the account that copies are made into, without the right to
# list and revoke grants. Source: AWS Backup developer guide, "Creating backup copies across AWS accounts": a
# customer-managed key has to be shared with the destination account.
_USE: Final = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")


def checked_sources(what: str, sources: Sequence[CopySource]) -> tuple[CopySource, ...]:
    """Check who copies into a vault.

    Args:
        what: Whose vault, for messages.
        sources: Who.

    Raises:
        InvalidInputError: Somebody who is no account, role or organization.
    """
    for source in sources:
        if not isinstance(source, CopySource):
            raise InvalidInputError(
                f"who copies into {what}",
                value=source,
                allowed="an Account, a Role (that of the backup plan) or an Organization",
            )
    return tuple(sources)


def receiving(sources: Sequence[CopySource], *, partition: str, owner: str) -> Json | None:
    """The policy of a vault that others copy into, and nothing else: for an air-gapped vault. None: nobody.

    Args:
        sources: Who copies into it. A role is held to its ARN by aws:PrincipalArn: that AWS Backup copies as the role
            of the plan follows from the troubleshooting guide ("Access Denied trying to call AWS Backup service"),
            which asks for the same action in both the role's and the vault's policy.
        partition: The partition of the vault.
        owner: The account of the vault.
    """
    statements = [statement.to_json() for statement in _into(sources, partition=partition, owner=owner)]
    return {"Version": VERSION, "Statement": statements} if statements else None


def vault_policy(
    *,
    sources: Sequence[CopySource],
    copies_to: Sequence[BackupVaultReference],
    administrators: Sequence[Role],
    partition: str,
    owner: str,
) -> Json:
    """The access policy of a vault.

    Denied to everybody but the administrators is what would destroy: to delete recovery points, to take them out of AWS
    Backup's care, to shorten their lifecycle. AWS Backup itself removes what has come to its end, with its
    service-linked role, which nobody else can assume: that one is let through. Copies to any other vault than the named
    ones are denied to everybody: a backup that is copied to a vault of a thief's is a leak.

    Whoever may change this policy can undo all of that, and so can whoever may remove a governance lock. Both stay open
    here, since deployments need them; `ProtectBackups` keeps them from everybody but the administrators of an
    organization.

    Args:
        sources: Who of other accounts copies into it.
        copies_to: The vaults that copies may go to.
        administrators: Roles that may destroy all the same, as far as the lock lets them.
        partition: The partition of the vault.
        owner: The account of the vault.
    """
    exempt = (BACKUP.arn(owner, partition), *(administrator.arn(partition) for administrator in administrators))
    denials = [
        DenyStatement(
            sid="NothingIsDestroyed", actions=_DESTRUCTION, clauses=(Clause("ArnNotEquals", PRINCIPAL_ARN, exempt),)
        )
    ]
    out = ("backup:CopyFromBackupVault",)
    targets = tuple(vault.arn(partition) for vault in copies_to)
    if targets:
        # A list that is absent matches neither "any" nor "all" as one would like, so there is a statement for each.
        elsewhere = Clause("ForAnyValue:ArnNotEquals", COPY_TARGETS, targets)
        denials.append(DenyStatement(sid="NoCopyElsewhere", actions=out, clauses=(elsewhere,)))
        unnamed = Clause("Null", COPY_TARGETS, ("true",))
        denials.append(DenyStatement(sid="NoCopyToNobodyKnowsWhere", actions=out, clauses=(unnamed,)))
    else:
        denials.append(DenyStatement(sid="NoCopyElsewhere", actions=out))
    allowed = [statement.to_json() for statement in _into(sources, partition=partition, owner=owner)]
    return {"Version": VERSION, "Statement": [*allowed, *(denial.to_json(principal="*") for denial in denials)]}


def key_sharing(copies_to: Sequence[BackupVaultReference], *, owner: str) -> tuple[AllowStatement, ...]:
    """What the policy of a vault's key needs for copies to other accounts; none for copies within the account.

    Args:
        copies_to: Where copies go.
        owner: The account of the key.
    """
    others = tuple(sorted({vault.account for vault in copies_to} - {owner}))
    if not others:
        return ()
    for_aws = Clause("Bool", "kms:GrantIsForAWSResource", ("true",))
    return (
        AllowStatement(actions=_USE, resources=("*",), kind="AWS", principals=others),
        AllowStatement(
            actions=("kms:CreateGrant",), resources=("*",), kind="AWS", principals=others, clauses=(for_aws,)
        ),
    )


def _into(sources: Sequence[CopySource], *, partition: str, owner: str) -> tuple[AllowStatement, ...]:
    trusts = [source.trust(partition=partition, owner=owner, named=False) for source in sources]
    return merged(
        AllowStatement(
            actions=("backup:CopyIntoBackupVault",),
            resources=("*",),
            kind=trust.kind,
            principals=(trust.value,),
            clauses=trust.clauses,
        )
        for trust in trusts
    )
