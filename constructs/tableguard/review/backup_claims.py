"""What is wrong with backups, as far as templates tell: claims that resources refute, and parts that do not fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from tableguard.aws.partitions import partition_of
from tableguard.evaluation import DocumentLocation, Policies, Request, evaluate
from tableguard.policy.errors import InvalidInputError
from tableguard.review.backed_up import of_lock
from tableguard.review.backup_facts import (
    COMPLIANCE,
    GOVERNANCE,
    NO_LOCK,
    BucketFacts,
    Drill,
    Export,
    OnDemand,
    Replication,
    VaultLockFacts,
)
from tableguard.review.backups import TableBackups
from tableguard.review.decide import ANY_IDENTITY
from tableguard.review.picture import Picture, Table
from tableguard.review.report import Finding, FindingKind, Warning_, WarningKind
from tableguard.review.roads import WayKind, names_table, object_key, sealed_behind
from tableguard.review.schedules import days, duration, longest_pause
from tableguard.review.subjects import label_of

_STRENGTH: Final[Mapping[str, int]] = {NO_LOCK: 0, GOVERNANCE: 1, COMPLIANCE: 2}


def problems_of_backups(picture: Picture) -> Iterator[Finding]:
    """What is wrong with what keeps backups, whichever table they are of.

    Args:
        picture: The picture.
    """
    for bucket in picture.backups.buckets:
        if bucket.claimed_lock is not None and _is_weaker(bucket.lock, bucket.claimed_lock):
            message = _says_more(f"bucket {bucket.name}", bucket.lock, bucket.claimed_lock)
            yield Finding(kind=FindingKind.METADATA, message=message, place=bucket.place)
        yield from _not_replicated(bucket)
    for vault in picture.backups.vaults:
        if vault.claimed_lock is not None and _is_weaker(vault.lock, vault.claimed_lock):
            message = _says_more(f"vault {vault.arn.rpartition(':')[2]}", vault.lock, vault.claimed_lock)
            yield Finding(kind=FindingKind.METADATA, message=message, place=vault.place)
    for plan in picture.backups.plans:
        for rule in plan.rules:
            kept = ((rule.vault, rule.keep_days), *((copy.vault, copy.keep_days) for copy in rule.copies))
            for arn, keep in kept:
                held = picture.backups.vault(arn)
                least = held.lock.days if held is not None else None
                if held is not None and keep is not None and least is not None and keep < least:
                    name = held.arn.rpartition(":")[2]
                    message = f"backups are kept for {days(keep)}, and vault {name} takes none under {days(least)}"
                    yield Finding(kind=FindingKind.BACKUP, message=f"{message}: they all fail", place=plan.place)


def problems_of_table(picture: Picture, table: Table, backups: TableBackups) -> Iterator[Finding]:
    """What is wrong with the backups of a table.

    Args:
        picture: The picture.
        table: The table.
        backups: Its backups.
    """
    for export in backups.exports:
        for message in _of_export(picture, table, export):
            yield Finding(kind=FindingKind.BACKUP, message=message, table=table.arn, place=export.place)
        yield from _other_schedule(table, export)
        landing = picture.backups.bucket(export.landing)
        for rule in landing.replications if landing is not None else ():
            yield from _not_admitted(picture, table, rule)
    machines: tuple[tuple[str, Drill | OnDemand], ...] = (
        *(("drill", each) for each in backups.drills),
        *(("backup", each) for each in backups.on_demand),
    )
    for what, machine in machines:
        said = f"the metadata says that a {what} of {table.name} is made by {machine.schedule or 'no schedule'}"
        if not machine.starts:
            yield _metadata(table, f"{said}, and no schedule starts it", machine.place)
        elif machine.schedule is not None and machine.schedule not in {expression for expression, _ in machine.starts}:
            yield _metadata(table, f"{said}, and what starts it says {machine.starts[0][0]}", machine.place)
    for road in backups.roads:
        lock = road.lock
        if road.kind in (WayKind.SEALED, WayKind.REPLICATED) and lock is not None and road.reaches_minutes == 0:
            message = (
                f"exports of {table.name} are locked for {days(lock.days or 0)} in {road.where}, and a full one comes"
                " no sooner than they are unlocked: lock them for longer, or export in full more often"
            )
            yield Finding(kind=FindingKind.BACKUP, message=message, table=table.arn)


def unprotected(table: Table, backups: TableBackups) -> Iterator[Warning_]:
    """A warning for a table without any backup.

    Args:
        table: The table.
        backups: Its backups.
    """
    if backups.are_none:
        message = (
            f"{table.name} of {table.account} in {table.region} has no backup in this assembly: no point-in-time"
            " recovery, and no export, plan or on-demand backup names it"
        )
        yield Warning_(kind=WarningKind.NO_BACKUP, message=message, table=table.arn, place=table.place)


def _is_weaker(lock: VaultLockFacts, claimed: VaultLockFacts) -> bool:
    shorter = claimed.days is not None and lock.days is not None and lock.days < claimed.days
    return _STRENGTH[lock.mode] < _STRENGTH[claimed.mode] or shorter or lock.grace_days > claimed.grace_days


def _says_more(what: str, lock: VaultLockFacts, claimed: VaultLockFacts) -> str:
    real = of_lock(lock if lock.mode != NO_LOCK else None)
    grace = f", which can be lifted for {days(lock.grace_days)}" if lock.grace_days > claimed.grace_days else ""
    return f"the metadata says that {what} is {of_lock(claimed)}, and it is {real}{grace}"


def _not_replicated(bucket: BucketFacts) -> Iterator[Finding]:
    if bucket.landing_vault is None:
        return
    account, intake = bucket.landing_vault
    if intake not in {rule.bucket for rule in bucket.replications}:
        message = (
            f"the metadata says that bucket {bucket.name} is replicated to {intake} of {account}, and no enabled rule"
            " of the bucket does so: its exports leave the account by no road"
        )
        yield Finding(kind=FindingKind.METADATA, message=message, place=bucket.place)


def _of_export(picture: Picture, table: Table, export: Export) -> Iterator[str]:
    if table.recovery_days == 0:
        yield f"{table.name} is exported, and its point-in-time recovery is off: every export fails"
    if not any(names_table(given, table.arn) for _, given in export.starts):
        yield f"the metadata says that {table.name} is exported, and no schedule starts that"
    landing = picture.backups.bucket(export.landing)
    for rule in landing.replications if landing is not None else ():
        if not object_key(table, rule):
            yield f"exports of {table.name} are not replicated: the rule is about keys below {rule.prefix}"


def _other_schedule(table: Table, export: Export) -> Iterator[Finding]:
    said = export.every_minutes
    for expression, given in export.starts:
        pause = longest_pause(expression)
        if said is not None and pause is not None and names_table(given, table.arn) and pause > said:
            message = (
                f"the metadata says that {table.name} is exported every {duration(said)}, and its schedule starts that"
                f" every {duration(pause)}"
            )
            yield _metadata(table, message, export.place)


def _not_admitted(picture: Picture, table: Table, rule: Replication) -> Iterator[Finding]:
    """Whether the other side takes what a rule sends, decided with its policy."""
    intake, key = picture.backups.bucket(rule.bucket), object_key(table, rule)
    if intake is None or rule.role is None or not key:
        return
    who = label_of(rule.role)
    named = _named(picture, table, rule)
    if not _admits(intake, rule, key):
        hint = f"; the vault names role {named}" if named is not None else ""
        message = f"bucket {intake.name} of {intake.account} takes no exports of {table.name} from {who}{hint}"
        yield Finding(kind=FindingKind.BACKUP, message=message, table=table.arn, place=intake.place)
    elif named is not None:
        message = f"the metadata of the vault names role {named}, and exports of {table.name} come from {who}"
        yield _metadata(table, message, intake.place)


def _named(picture: Picture, table: Table, rule: Replication) -> str | None:
    """The role that a vault says it takes a table's exports from, where that is not the one that sends them."""
    sealed = sealed_behind(picture, rule.bucket)
    roles = [
        source.role
        for source in (sealed.sealed.sources if sealed is not None and sealed.sealed is not None else ())
        if source.role is not None
        and source.account == table.account
        and (source.tables is None or table.name in source.tables)
    ]
    sends = (rule.role or "").rpartition("/")[2]
    return roles[0] if roles and sends not in {role.rpartition("/")[2] for role in roles} else None


def _admits(intake: BucketFacts, rule: Replication, key: str) -> bool:
    if intake.policy is None or rule.role is None:
        return False
    try:
        request = Request(
            principal=rule.role,
            action="s3:ReplicateObject",
            resource=f"arn:{partition_of(intake.region)}:s3:::{intake.name}/{key}",
            resource_account=intake.account,
            context={"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"},
        )
    except InvalidInputError:
        # Whatever stands there as a role is none: S3 refuses that before anybody is asked.
        return False
    decision = evaluate(request, Policies(identity=list(ANY_IDENTITY), resource=intake.policy))
    # What nobody can decide before deployment is no finding.
    return decision.allowed or not decision.understood


def _metadata(table: Table, message: str, place: DocumentLocation) -> Finding:
    return Finding(kind=FindingKind.METADATA, message=message, table=table.arn, place=place)
