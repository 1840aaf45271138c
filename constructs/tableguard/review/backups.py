"""The backups of each table: what the facts of all stacks come to, taken together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tableguard.review.backup_facts import BucketFacts, Drill, Export, OnDemand, Plan, Restore, RestoreTest
from tableguard.review.picture import Picture, Table
from tableguard.review.roads import Road, covers_table, exported, on_demand, planned, point_in_time


@dataclass(frozen=True, slots=True, kw_only=True)
class TableBackups:
    """The backups of one table.

    Args:
        roads: The roads on which it comes back.
        exports: What exports it.
        plans: The plans of AWS Backup that name it.
        on_demand: What makes on-demand backups of it.
        restores: What restores it.
        drills: What tries that out.
        tests: The restore tests of AWS Backup for it.
        awaited_by: Sealed buckets of vaults that take exports of it, while nothing in the assembly sends any.
        perhaps: What may back it up as well, in words: no template tells.
        replicas: The regions and accounts of its replicas that have point-in-time recovery.
    """

    roads: tuple[Road, ...] = ()
    exports: tuple[Export, ...] = ()
    plans: tuple[Plan, ...] = ()
    on_demand: tuple[OnDemand, ...] = ()
    restores: tuple[Restore, ...] = ()
    drills: tuple[Drill, ...] = ()
    tests: tuple[RestoreTest, ...] = ()
    awaited_by: tuple[BucketFacts, ...] = ()
    perhaps: tuple[str, ...] = ()
    replicas: tuple[str, ...] = ()

    @property
    def are_none(self) -> bool:
        """Whether the assembly knows of none, and of nothing that might be one."""
        return not (self.roads or self.awaited_by or self.perhaps or self.replicas)


class Backups:
    """Puts together the backups of tables.

    Args:
        picture: The picture.
    """

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        # What is a replica of what: by the table that it was made from, and by that table's own name.
        self._related: dict[str, list[Table]] = {}
        for table in picture.tables:
            for name in {table.arn, table.replica_of or table.arn}:
                self._related.setdefault(name, []).append(table)

    def of(self, table: Table) -> TableBackups:
        """The backups of a table.

        Args:
            table: The table.
        """
        facts = self._picture.backups
        exports = tuple(each for each in facts.exports if covers_table(each.tables, table))
        plans = tuple(each for each in facts.plans if _selects(each, table))
        made = tuple(each for each in facts.on_demand if covers_table(each.tables, table))
        return TableBackups(
            roads=(
                *point_in_time(table),
                *(road for each in exports for road in exported(self._picture, table, each)),
                *(road for each in plans for road in planned(self._picture, each)),
                *(on_demand(table, each) for each in made),
            ),
            exports=exports,
            plans=plans,
            on_demand=made,
            restores=tuple(each for each in facts.restores if covers_table(each.tables, table)),
            drills=tuple(each for each in facts.drills if covers_table(each.tables, table)),
            tests=tuple(t for t in facts.restore_tests if t.account == table.account and covers_table(t.tables, table)),
            awaited_by=() if exports else tuple(_awaiting(self._picture, table)),
            perhaps=tuple(dict.fromkeys(_perhaps(self._picture, table))),
            replicas=tuple(dict.fromkeys(self._replicas(table))),
        )

    def _replicas(self, table: Table) -> Iterator[str]:
        for name in (table.replica_of or table.arn, table.arn):
            for other in self._related.get(name, ()):
                if other.arn != table.arn and other.recovery_days:
                    yield other.region if other.account == table.account else f"{other.region} of {other.account}"


def _selects(plan: Plan, table: Table) -> bool:
    """Whether a plan names a table for certain. What tags and conditions choose is another question."""
    here = (plan.account, plan.region) == (table.account, table.region)
    named = covers_table(plan.tables, table) and not plan.by_tags
    return here and named and not covers_table(plan.leaves_out, table)


def _awaiting(picture: Picture, table: Table) -> Iterator[BucketFacts]:
    for bucket in picture.backups.buckets:
        for source in bucket.sealed.sources if bucket.sealed is not None else ():
            # A vault that takes all of an account's tables says nothing of this one.
            if source.account == table.account and table.name in (source.tables or ()):
                yield bucket


def _perhaps(picture: Picture, table: Table) -> Iterator[str]:
    here = (table.account, table.region)
    if table.recovery_days is None:
        yield "its point-in-time recovery is known at deployment only"
    for place in picture.backups.unread:
        yield f"{place.logical_id} of {place.stack} may keep a backup of it: what its metadata says cannot be read"
    for each in picture.backups.plans:
        left_out = covers_table(each.leaves_out, table)
        if each.by_tags and not left_out and (each.account, each.region) == here:
            yield f"backup plan {each.place.logical_id} chooses by tags, conditions or values that are not known"
    for kind, machines in (("exports", picture.backups.exports), ("makes backups of", picture.backups.on_demand)):
        for machine in machines:
            named = covers_table(machine.tables, table)
            if machine.unknown_tables and not named and (machine.account, machine.region) == here:
                yield f"{machine.place.logical_id} {kind} a table that is known at deployment only"
