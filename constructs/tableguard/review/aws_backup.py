"""Reads the plans and vaults of AWS Backup from templates, whoever wrote them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tableguard.aws.partitions import partition_of
from tableguard.policy.metadata.backups import VaultClaim
from tableguard.policy.metadata.source import whole
from tableguard.review.assembly import SynthesizedStack
from tableguard.review.backup_facts import (
    COMPLIANCE,
    GOVERNANCE,
    NO_LOCK,
    UNKNOWN_KEY,
    BackupVault,
    Copy,
    Plan,
    PlanRule,
    RestoreTest,
    VaultLockFacts,
)
from tableguard.review.naming import placeholder
from tableguard.review.reader import Properties, Reader, get, place
from tableguard.review.restrictions import key_arn
from tableguard.review.values import text_of, texts_of

_PLAN: Final = "AWS::Backup::BackupPlan"
_SELECTION: Final = "AWS::Backup::BackupSelection"
_VAULT: Final = "AWS::Backup::BackupVault"
_AIR_GAPPED: Final = "AWS::Backup::LogicallyAirGappedBackupVault"
_TEST_PLAN: Final = "AWS::Backup::RestoreTestingPlan"
_TEST: Final = "AWS::Backup::RestoreTestingSelection"
# What AWS Backup takes where a rule does not say. Source: AWS Backup API reference, BackupRuleInput.
_START_MINUTES: Final = 480
_OF_AWS: Final = ":alias/aws/"
_DAILY: Final = "cron(0 5 ? * * *)"


def vaults(reader: Reader) -> Iterator[BackupVault]:
    """The vaults.

    Args:
        reader: What reads the stacks.
    """
    for stack, logical_id, properties in reader.resources(_VAULT):
        said = reader.claims(stack, logical_id).vault
        key = properties.get("EncryptionKeyArn")
        yield BackupVault(
            arn=_vault_arn(stack, _name(stack, logical_id, properties)),
            account=str(stack.account),
            lock=_lock(properties),
            key=key_of_backups(reader, stack, key),
            claimed_lock=_claimed(said),
            place=place(stack, logical_id),
        )
    for stack, logical_id, properties in reader.resources(_AIR_GAPPED):
        key = properties.get("EncryptionKeyArn")
        yield BackupVault(
            arn=_vault_arn(stack, _name(stack, logical_id, properties)),
            account=str(stack.account),
            lock=VaultLockFacts(mode=COMPLIANCE, days=whole(properties.get("MinRetentionDays"))),
            air_gapped=True,
            approval=properties.get("MpaApprovalTeamArn") is not None,
            key=key_of_backups(reader, stack, key),
            place=place(stack, logical_id),
        )


def key_of_backups(reader: Reader, stack: SynthesizedStack, stated: Any) -> str | None:
    """The key that a bucket or vault names; None for a key of AWS, which nobody can delete.

    Args:
        reader: What reads the stacks.
        stack: The stack of the bucket or vault.
        stated: What it says.
    """
    if stated is None or (isinstance(stated, str) and _OF_AWS in f":{stated}"):
        return None
    return key_arn(reader, stack, stated, str(stack.region)) or UNKNOWN_KEY


def _lock(properties: Properties) -> VaultLockFacts:
    """A vault's lock: with a grace time nobody can take it off once that is over, without one it can be taken off."""
    stated = properties.get("LockConfiguration")
    if not isinstance(stated, Mapping):
        return VaultLockFacts(mode=NO_LOCK, days=None)
    grace = whole(stated.get("ChangeableForDays"))
    mode = GOVERNANCE if stated.get("ChangeableForDays") is None else COMPLIANCE
    return VaultLockFacts(mode=mode, days=whole(stated.get("MinRetentionDays")), grace_days=grace or 0)


def _claimed(said: VaultClaim | None) -> VaultLockFacts | None:
    if said is None or said.lock not in (COMPLIANCE, GOVERNANCE):
        return None
    return VaultLockFacts(mode=said.lock, days=said.min_days, grace_days=said.changeable_for_days or 0)


def plans(reader: Reader) -> Iterator[Plan]:
    """The plans, with what is selected for them.

    Args:
        reader: What reads the stacks.
    """
    names = _names(reader)
    selections = [
        (stack, text_of(properties.get("BackupPlanId")), properties.get("BackupSelection"))
        for stack, _, properties in reader.resources(_SELECTION)
    ]
    for stack, logical_id, properties in reader.resources(_PLAN):
        known_as = (placeholder(stack, logical_id), placeholder(stack, logical_id, "BackupPlanId"))
        mine = [said for at, plan, said in selections if plan in known_as and at.account == stack.account]
        listed = get(properties, "BackupPlan", "BackupPlanRule")
        rules = listed if isinstance(listed, list) else [listed] if isinstance(listed, Mapping) else []
        tables, unknown = _all_texts(mine, "Resources")
        said = reader.claims(stack, logical_id).plan
        yield Plan(
            account=str(stack.account),
            region=str(stack.region),
            rules=tuple(_rule(stack, rule, names) for rule in rules if isinstance(rule, Mapping)),
            tables=tables,
            leaves_out=_all_texts(mine, "NotResources")[0],
            by_tags=unknown or any(get(each, key) for each in mine for key in ("ListOfTags", "Conditions")),
            alarm_after_minutes=said.alarm_after_minutes if said is not None else None,
            place=place(stack, logical_id),
        )


def _all_texts(holders: list[Any], key: str) -> tuple[tuple[str, ...], bool]:
    found = [texts_of(get(each, key)) for each in holders]
    return tuple(text for texts, _ in found for text in texts), any(unknown for _, unknown in found)


def _rule(stack: SynthesizedStack, stated: Mapping[str, Any], names: Mapping[str, str]) -> PlanRule:
    start = whole(stated.get("StartWindowMinutes"))
    target = text_of(stated.get("TargetLogicallyAirGappedBackupVaultArn")) or text_of(stated.get("TargetBackupVault"))
    copies = stated.get("CopyActions")
    return PlanRule(
        schedule=text_of(stated.get("ScheduleExpression")) or _DAILY,
        start_minutes=_START_MINUTES if start is None else start,
        vault=_of_vault(stack, target, names),
        keep_days=whole(get(stated, "Lifecycle", "DeleteAfterDays")),
        copies=tuple(
            Copy(vault=str(_of_vault(stack, vault, names)), keep_days=whole(get(each, "Lifecycle", "DeleteAfterDays")))
            for each in (copies if isinstance(copies, list) else [])
            if (vault := text_of(get(each, "DestinationBackupVaultArn"))) is not None
        ),
    )


def restore_tests(reader: Reader) -> Iterator[RestoreTest]:
    """The restore tests.

    Args:
        reader: What reads the stacks.
    """
    schedules = {
        (stack.account, text_of(properties.get("RestoreTestingPlanName")) or placeholder(stack, logical_id)): text_of(
            properties.get("ScheduleExpression")
        )
        for stack, logical_id, properties in reader.resources(_TEST_PLAN)
    }
    for stack, _, properties in reader.resources(_TEST):
        tables, _ = texts_of(properties.get("ProtectedResourceArns"))
        plan = (stack.account, str(text_of(properties.get("RestoreTestingPlanName"))))
        if properties.get("ProtectedResourceType") == "DynamoDB" and plan in schedules:
            yield RestoreTest(account=str(stack.account), tables=tables, schedule=schedules[plan])


def _name(stack: SynthesizedStack, logical_id: str, properties: Properties) -> str:
    return text_of(properties.get("BackupVaultName")) or placeholder(stack, logical_id)


def _vault_arn(stack: SynthesizedStack, name: str) -> str:
    region = str(stack.region)
    return f"arn:{partition_of(region)}:backup:{region}:{stack.account}:backup-vault:{name}"


def _names(reader: Reader) -> Mapping[str, str]:
    """The ARNs of the vaults by what stands for them where a template refers to them."""
    return {
        placeholder(stack, logical_id, attribute): _vault_arn(stack, _name(stack, logical_id, properties))
        for stack, logical_id, properties in reader.resources(_VAULT, _AIR_GAPPED)
        for attribute in ("", "BackupVaultArn", "BackupVaultName")
    }


def _of_vault(stack: SynthesizedStack, named: str | None, names: Mapping[str, str]) -> str | None:
    """The ARN of a vault that is named by its ARN, its name, or what stands for either."""
    if named is None or named.startswith("arn:"):
        return named
    return names.get(named) or _vault_arn(stack, named)
