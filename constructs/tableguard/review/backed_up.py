"""The backups of a table in a reviewer's words: what all formats share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from tableguard.review.backup_facts import COMPLIANCE, Drill, Export, VaultLockFacts
from tableguard.review.backups import TableBackups
from tableguard.review.report import Review
from tableguard.review.roads import Road, WayKind
from tableguard.review.schedules import days, duration, longest_pause
from tableguard.review.subjects import label_of

_ELSEWHERE: Final = "is not in this assembly: whether and how long it locks is not known here"
_NAMES: Final = {
    WayKind.POINT_IN_TIME: "pitr",
    WayKind.BACKUP: "backup",
    WayKind.COPY: "copy",
    WayKind.ON_DEMAND: "ondemand",
}


def is_worth_saying(review: Review) -> bool:
    """Whether any table has a backup, or anything makes one: of an app without backups only warnings speak.

    Args:
        review: The review.
    """
    return any(not each.backups.are_none or each.backups.drills or each.backups.restores for each in review.tables)


def lines(backups: TableBackups, today: dt.date) -> Iterator[tuple[str, str]]:
    """The backups of a table.

    Args:
        backups: The backups.
        today: The day of the review, for dates of locks.
    """
    if backups.are_none:
        yield "backup", "none in this assembly"
    for road in backups.roads:
        if road.kind is WayKind.POINT_IN_TIME:
            yield "pitr", f"back to any second of the last {duration(road.reaches_minutes or 0)}, in its own account"
    yield from (("pitr", f"of its replica in {region}") for region in backups.replicas)
    yield from (("export", _export(export)) for export in backups.exports)
    for road in backups.roads:
        if road.kind is not WayKind.POINT_IN_TIME:
            yield _NAMES.get(road.kind, "export"), of_road(road, today)
    for road in backups.roads:
        if road.readers:
            yield "readers", f"{', '.join(map(label_of, road.readers))} may read {road.where}, says the vault"
    for bucket in backups.awaited_by:
        yield "export", f"the vault {bucket.name} of {bucket.account} takes it; what sends it is not in this assembly"
    yield from (("perhaps", words) for words in backups.perhaps)
    yield from _restores(backups)
    for road in backups.roads:
        yield "loses", f"by {road.kind.value}: {road.loses}, {road.why}{_alarm(road)}"


def of_road(road: Road, today: dt.date) -> str:
    """Where a road keeps a table, and how well.

    Args:
        road: The road.
        today: The day of the review.
    """
    whose = f" of {road.account}" if road.account is not None else ""
    head = f"{road.kind.value} in {road.where}{whose}"
    if not road.known and road.kind is not WayKind.ON_DEMAND:
        return f"{head}, which {_ELSEWHERE}"
    kept = ""
    if road.kind in (WayKind.BACKUP, WayKind.COPY, WayKind.ON_DEMAND):
        kept = ", kept for good" if road.reaches_minutes is None else f", kept for {duration(road.reaches_minutes)}"
    return f"{head}{kept}, {_locked(road, today)}"


def _of_vault_lock(lock: VaultLockFacts) -> str:
    """The lock of a vault of AWS Backup holds each backup for as long as it is to be kept."""
    who = "nobody can lift that" if lock.mode == COMPLIANCE else "those who may change the vault can lift that"
    return f"locked until then ({lock.mode.lower()}: {who})"


def of_lock(lock: VaultLockFacts | None) -> str:
    """A lock in words.

    Args:
        lock: The lock; None for none.
    """
    if lock is None:
        return "not locked"
    days_ = f" for {'a time that is not known' if lock.days is None else days(lock.days)}"
    who = "nobody can lift that" if lock.mode == COMPLIANCE else "those who may bypass it can lift that"
    return f"locked{days_} ({lock.mode.lower()}: {who})"


def _locked(road: Road, today: dt.date) -> str:
    lock = road.lock
    in_vault = road.kind in (WayKind.BACKUP, WayKind.COPY)
    said = _of_vault_lock(lock) if in_vault and lock is not None else of_lock(lock)
    if lock is not None and not in_vault and lock.days is not None:
        said += f", one of today until {(today + dt.timedelta(days=lock.days)).isoformat()}"
    if lock is not None and lock.grace_days:
        said += f"; not yet immutable until {days(lock.grace_days)} after the vault was locked"
    if road.air_gapped:
        said += f", logically air-gapped, {'with' if road.approval else 'without'} multi-party approval"
    return said


def _export(export: Export) -> str:
    often = "" if export.every_minutes is None else f"every {duration(export.every_minutes)}, "
    full = "" if export.full_every_minutes is None else f"in full every {duration(export.full_every_minutes)}, "
    return f"{often}{full}to {export.landing or 'a bucket that is not known'}"


def _restores(backups: TableBackups) -> Iterator[tuple[str, str]]:
    for restore in backups.restores:
        origin = "point-in-time recovery" if restore.sealed is None else restore.sealed
        yield "restore", f"from {origin} in {restore.account}, into {', '.join(restore.targets) or 'a new table'}"
    for drill in backups.drills:
        yield "drill", _drill(drill)
    for test in backups.tests:
        yield "drill", f"restore test of AWS Backup in {test.account}, {often(test.schedule)}"
    if backups.roads and not (backups.drills or backups.tests):
        yield "drill", "none in this assembly: nobody knows that it can be restored"


def _drill(drill: Drill) -> str:
    canary = "with a canary" if drill.canary else "without a canary"
    minutes = drill.alarm_after_minutes
    alarm = "" if minutes is None else f", an alarm after {duration(minutes)} without a good one"
    old = "" if drill.sealed_by is None else f", but only of what was sealed by {drill.sealed_by}"
    when = often(drill.starts[0][0]) if drill.starts else "at no time: no enabled schedule starts it"
    return f"in {drill.account}, {when}, {canary}{alarm}{old}"


def often(schedule: str | None) -> str:
    """How often something happens, in words.

    Args:
        schedule: Its expression; None where there is none.
    """
    if schedule is None:
        return "at no time that is known"
    pause = longest_pause(schedule)
    return f"by {schedule}" if pause is None else f"every {duration(pause)}"


def _alarm(road: Road) -> str:
    if road.alarm_minutes is None:
        return ""
    return f"; an alarm after {duration(road.alarm_minutes)} without one"
