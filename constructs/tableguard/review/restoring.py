"""How a table is brought back on a road: what to do in a line, and how long that takes, estimated."""

from __future__ import annotations

from typing import Final

from tableguard.review.backups import TableBackups
from tableguard.review.picture import Table
from tableguard.review.roads import Road, WayKind

_WRITES: Final = 4_000
_READS: Final = 12_000
"""Units a second that a new on-demand table takes. Source: DynamoDB developer guide, "Initial throughput"."""
_RESTORE: Final = (
    "minutes to hours, by size, partitions and indexes: DynamoDB copies it without using the table's throughput"
)


def step_of(
    road: Road,
    table: Table,
    backups: TableBackups,
    *,
    lost: str | None = None,
    deleted: bool = False,
    taken: bool = False,
) -> str:
    """What to do, in a line.

    Args:
        road: The road.
        table: The table.
        backups: Its backups.
        lost: The account that cannot be worked in; None where all can.
        deleted: Whether the table is gone, so that nothing can be exported from it.
        taken: Whether somebody else sends exports, so that what was sealed since must be left out.
    """
    machines = [
        each
        for each in backups.restores
        if each.account != lost and each.sealed == (None if road.kind is WayKind.POINT_IN_TIME else road.where)
    ]
    if (
        machines
        and road.kind in (WayKind.SEALED, WayKind.POINT_IN_TIME)
        and not (deleted and machines[0].sealed is None)
    ):
        where = f"{machines[0].account} in {machines[0].region}"
        trusted = ', "sealed_by": "MOMENT OF THE TAKEOVER"' if taken and road.kind is WayKind.SEALED else ""
        return f'start the restore machine of {where} with {{"table": "NEW NAME", "until": "MOMENT"{trusted}}}'
    if road.kind is WayKind.POINT_IN_TIME:
        what = "its system backup" if deleted else "the moment before, with point-in-time recovery,"
        return f"restore {what} to a new table, which has no policy, tags or stream until you give it them"
    if road.kind is WayKind.ON_DEMAND:
        return "restore its newest good on-demand backup to a new table, which has no policy until you give it one"
    if road.kind in (WayKind.BACKUP, WayKind.COPY):
        elsewhere = f" in {road.account}, or copy it to a new account first" if road.account != table.account else ""
        return f"restore a recovery point of {road.where}{elsewhere} with AWS Backup"
    if road.kind is not WayKind.SEALED:
        return f"read the exports in {road.where}: full ones with ImportTable; nothing here replays the changes"
    return f"deploy a TableRestore to an account that may read {road.where}: none is left in this assembly"


def time_of(road: Road, backups: TableBackups) -> str:
    """How long that takes: an estimate, and what it depends on.

    Args:
        road: The road.
        backups: The table's backups.
    """
    if road.kind is WayKind.SEALED:
        rounds = [
            export.full_every_minutes // export.every_minutes
            for export in backups.exports
            if export.full_every_minutes and export.every_minutes
        ]
        increments = f"up to {max(rounds)} increments" if rounds else "the increments"
        return (
            f"estimate: W / {_WRITES:,} + R / {_READS:,} seconds, at the rate of a new on-demand table without warm"
            f" throughput: W write units (1 KB) of the full export and of {increments}, R read units (4 KB) of the"
            " table. A drill tells"
        )
    if road.kind in (WayKind.REPLICATED, WayKind.EXPORTS):
        return "not known: nothing here restores from there"
    copied = ", after a copy between accounts where it is needed" if road.kind is WayKind.COPY else ""
    return f"estimate: {_RESTORE}{copied}"
