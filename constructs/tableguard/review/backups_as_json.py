"""The backups of a table for programs. The schema is documented in docs/review.md."""

from __future__ import annotations

from typing import Any

from tableguard.review.backup_facts import VaultLockFacts
from tableguard.review.backups import TableBackups
from tableguard.review.picture import Table
from tableguard.review.roads import Road
from tableguard.review.schedules import DAY


def backups_as_json(table: Table, backups: TableBackups) -> dict[str, Any]:
    """The backups of a table.

    Args:
        table: The table.
        backups: Its backups.
    """
    return {
        "recovery_days": table.recovery_days,
        "deletion_protection": table.deletion_protection,
        "roads": [road_as_json(road) for road in backups.roads],
        "exports": [
            {
                "account": each.account,
                "bucket": each.landing,
                "every_minutes": each.every_minutes,
                "full_every_minutes": each.full_every_minutes,
                "alarm_after_minutes": each.alarm_after_minutes,
            }
            for each in backups.exports
        ],
        "restores": [
            {"account": each.account, "from": each.sealed or "point-in-time recovery", "into": list(each.targets)}
            for each in backups.restores
        ],
        "drills": [
            {
                "account": each.account,
                "schedule": each.starts[0][0] if each.starts else None,
                "canary": each.canary,
                "sealed_by": each.sealed_by,
                "alarm_after_minutes": each.alarm_after_minutes,
            }
            for each in backups.drills
        ],
        "restore_tests": [{"account": each.account, "schedule": each.schedule} for each in backups.tests],
        "awaited_by": [{"account": each.account, "bucket": each.name} for each in backups.awaited_by],
        "perhaps": list(backups.perhaps),
        "replicas": list(backups.replicas),
        "none": backups.are_none,
    }


def road_as_json(road: Road) -> dict[str, Any]:
    """A road.

    Args:
        road: The road.
    """
    reaches = road.reaches_minutes
    return {
        "kind": road.kind.value,
        "account": road.account,
        "where": road.where,
        "in_assembly": road.known,
        "lock": None if road.lock is None else _lock(road.lock),
        "air_gapped": road.air_gapped,
        "approval_team": road.approval,
        "loses": {"minutes": road.loses_minutes, "plus": road.plus, "why": road.why, "words": road.loses},
        "reaches_days": None if reaches is None else round(reaches / DAY, 2),
        "alarm_after_minutes": road.alarm_minutes,
        "key": road.key,
        "readers": list(road.readers),
    }


def _lock(lock: VaultLockFacts) -> dict[str, Any]:
    return {"mode": lock.mode, "days": lock.days, "grace_days": lock.grace_days}
