"""What is left of each table after each of eight disasters, what to do, how long it takes and what is lost."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tableguard.review.backup_facts import UNKNOWN_KEY
from tableguard.review.backups import Backups, TableBackups
from tableguard.review.picture import Picture, Table, account_of
from tableguard.review.restoring import step_of, time_of
from tableguard.review.roads import Road, WayKind
from tableguard.review.schedules import days, duration
from tableguard.review.unknown import UnknownKind

GUIDE: Final = "docs/disaster-recovery.md"
_UNKNOWN: Final = "not in this assembly: how well it is kept is not known here"
_CHANGES: Final = ", from the exports' changes"
_UNKNOWN_KEY: Final = "its key is not known here"
_REOPEN_DAYS: Final = 90
"""For so long a closed account can be opened again. Source: AWS account management, "Post-closure period"."""
_DELETED_DAYS: Final = 35
"""For so long DynamoDB keeps the backup that it makes of a deleted table with point-in-time recovery.

Source: DynamoDB developer guide, "Delete a table with PITR enabled"."""


class Disaster(enum.Enum):
    """What may happen to a table. The value is a heading of docs/disaster-recovery.md."""

    GARBAGE = "A bad deploy wrote garbage"
    POISON = "Slow poisoning for N days"
    TABLE = "Table deleted"
    TAKEN = "Data account taken over"
    CLOSED = "Data account closed"
    VAULT = "Vault account closed"
    MANAGEMENT = "Management account taken over"
    KEY = "Key deleted"

    @property
    def section(self) -> str:
        """Where the guide speaks of it."""
        return f"{GUIDE}#{self.value.lower().replace(' ', '-')}"


class Fate(enum.Enum):
    """What becomes of a road in a disaster."""

    STAYS = "stays"
    PERHAPS = "perhaps"
    """No template of the assembly tells, or it depends on who is quicker."""
    GONE = "gone"


_SPOILT: Final[Mapping[Disaster, str]] = {Disaster.GARBAGE: "garbage", Disaster.POISON: "poison"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DisasterOutcome:
    """One disaster of one table.

    Args:
        disaster: The disaster.
        left: What is left, in words; empty where that is nothing.
        do: What to do, in words.
        takes: How long that takes, in words: an estimate, and what it depends on.
        loses: The most that is lost, in words.
        why: Why.
        loses_minutes: The same in minutes, as far as it can be said beforehand: None for what is not known, or all.
    """

    disaster: Disaster
    left: tuple[str, ...]
    do: tuple[str, ...]
    takes: str
    loses: str
    why: str
    loses_minutes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDisasters:
    """The disasters of one table.

    Args:
        table: The table.
        outcomes: One for each disaster.
    """

    table: Table
    outcomes: tuple[DisasterOutcome, ...]


def disasters(picture: Picture) -> tuple[TableDisasters, ...]:
    """What is left of each table after each disaster.

    Args:
        picture: The picture.
    """
    backups = Backups(picture)
    return tuple(
        TableDisasters(table=table, outcomes=tuple(_outcomes(picture, table, backups.of(table))))
        for table in picture.tables
    )


def _outcomes(picture: Picture, table: Table, backups: TableBackups) -> Iterator[DisasterOutcome]:
    for disaster in Disaster:
        if disaster is Disaster.VAULT:
            yield _vault_closed(table, backups)
        elif disaster is Disaster.KEY and table.key_arn is None:
            yield _no_key(picture, table, backups)
        else:
            yield _outcome(disaster, table, backups)


def _outcome(disaster: Disaster, table: Table, backups: TableBackups) -> DisasterOutcome:
    fates = [(road, *fate(disaster, road, table)) for road in backups.roads]
    open_ = [(road, said, note) for road, said, note in fates if said is not Fate.GONE]
    lost = _lost(disaster, table)
    # What the lost account itself keeps comes last; then the surest first, and of those the one that loses least.
    open_.sort(
        key=lambda each: (
            each[0].account == lost,
            each[1] is Fate.PERHAPS,
            each[0].loses_minutes is None,
            each[0].loses_minutes or 0,
        )
    )
    beyond = tuple(_beyond(backups))
    left = (*_first_left(disaster, table), *(_left(*each) for each in open_), *beyond)
    if disaster is Disaster.CLOSED and all(road.account == table.account for road, _, _ in open_):
        return _only_reopened(table, left, beyond=bool(beyond))
    if not open_:
        return _nothing(disaster, left, perhaps=bool(beyond))
    best, certain, _ = open_[0]
    loses, why, minutes = _loss(disaster, [road for road, _, _ in open_], best)
    return DisasterOutcome(
        disaster=disaster,
        left=left,
        do=tuple(_steps(disaster, table, backups, [road for road, _, _ in open_])),
        takes=time_of(best, backups),
        loses=loses if certain is Fate.STAYS else f"{loses}, if that is left",
        why=why,
        loses_minutes=minutes if certain is Fate.STAYS else None,
    )


def _lost(disaster: Disaster, table: Table) -> str | None:
    """The account that nobody can work in any more, or that nobody trusts."""
    return table.account if disaster in (Disaster.TAKEN, Disaster.CLOSED, Disaster.MANAGEMENT) else None


def _only_reopened(table: Table, left: tuple[str, ...], *, beyond: bool) -> DisasterOutcome:
    """A closed account that keeps all there is of its table."""
    return DisasterOutcome(
        disaster=Disaster.CLOSED,
        left=(f"perhaps the table itself: only if the account is opened again within {_REOPEN_DAYS} days", *left),
        do=(
            f"ask AWS Support to open {table.account} again: {Disaster.CLOSED.section}",
            "nothing can be restored until then: no backup in this assembly is kept in another account",
        ),
        takes="as long as AWS takes to open it",
        loses=f"nothing, if it is opened again in time; otherwise {'not known' if beyond else 'everything'}",
        why="opening the account gives the table back as it was",
    )


def fate(disaster: Disaster, road: Road, table: Table) -> tuple[Fate, str]:
    """What becomes of a road in a disaster, and what is to be said of that.

    Args:
        disaster: The disaster.
        road: The road.
        table: The table.
    """
    own = road.account == table.account
    if disaster is Disaster.TABLE and road.kind is WayKind.POINT_IN_TIME:
        return Fate.STAYS, f"as the system backup that DynamoDB makes of the last moment, for {_DELETED_DAYS} days"
    if disaster in (Disaster.GARBAGE, Disaster.TABLE):
        return Fate.STAYS, ""
    if disaster is Disaster.POISON:
        return Fate.STAYS, _reach(road)
    if disaster is Disaster.KEY:
        return _without_key(road, table)
    if disaster is Disaster.CLOSED:
        reopened = f"only if the account is opened again within {_REOPEN_DAYS} days"
        return (Fate.PERHAPS, reopened) if own else _elsewhere(road, table)
    if disaster is Disaster.TAKEN and not own:
        return _elsewhere(road, table)
    return _against_root(road)


def _elsewhere(road: Road, table: Table) -> tuple[Fate, str]:
    """What is kept in another account than the one that is lost."""
    if road.account is None or not road.known:
        return Fate.PERHAPS, _UNKNOWN
    if road.key == UNKNOWN_KEY:
        return Fate.PERHAPS, _UNKNOWN_KEY
    if road.key is not None and account_of(road.key) == table.account:
        return Fate.PERHAPS, "its key is in the data account, whose new master can delete it"
    if road.kind is WayKind.REPLICATED and road.lock is None:
        return Fate.PERHAPS, "not locked: as far as the bucket's policy keeps the data account out"
    return Fate.STAYS, "the data account has no say there"


def _against_root(road: Road) -> tuple[Fate, str]:
    """What stands against somebody who is root of the account that keeps it."""
    if not road.known:
        return Fate.PERHAPS, _UNKNOWN
    if road.lock is None or not road.is_compliant:
        return Fate.GONE, ""
    if road.lock.grace_days:
        return Fate.PERHAPS, f"if its vault has been locked for more than {days(road.lock.grace_days)}"
    if road.key is not None:
        return Fate.PERHAPS, "locked, but its key can be deleted: cancel that while it is pending"
    if road.approval:
        return Fate.STAYS, "an approval team can open it to another account, even if its own is closed"
    return Fate.STAYS, f"nobody can delete it, but for closing its account, which ends it after {_REOPEN_DAYS} days"


def _without_key(road: Road, table: Table) -> tuple[Fate, str]:
    if not road.known:
        return Fate.PERHAPS, f"not in this assembly: {_UNKNOWN_KEY}"
    if road.key == table.key_arn:
        return Fate.GONE, ""
    if road.key is not None and _may_be_one(road.key, table.key_arn or ""):
        return Fate.PERHAPS, _UNKNOWN_KEY
    if road.kind is WayKind.BACKUP:
        return Fate.PERHAPS, "if advanced DynamoDB backup is on: otherwise it has the table's key"
    return Fate.STAYS, "it is not encrypted with that key"


def _may_be_one(key: str, other: str) -> bool:
    """Whether two keys may be the same: one is not known, or is named by its ID, and the other made in a template."""
    if key == UNKNOWN_KEY:
        return True
    one_account = key.rpartition("/")[0] == other.rpartition("/")[0]
    return one_account and ("{" in key) is not ("{" in other)


def _reach(road: Road) -> str:
    if road.reaches_minutes is None:
        return "as far back as it is kept, which is not known here" if not road.known else "as far back as it is kept"
    return f"N up to {duration(road.reaches_minutes)}"


def _left(road: Road, said: Fate, note: str) -> str:
    where = "" if road.kind is WayKind.POINT_IN_TIME else f" in {road.where}"
    whose = f" of {road.account}" if road.account is not None and road.kind is not WayKind.POINT_IN_TIME else ""
    perhaps = "perhaps " if said is Fate.PERHAPS else ""
    return f"{perhaps}{road.kind.value}{where}{whose}{f': {note}' if note else ''}"


def _first_left(disaster: Disaster, table: Table) -> Iterator[str]:
    if disaster is Disaster.TABLE and table.deletion_protection:
        yield "deletion protection is on: it has to be taken off before the table can be deleted"
    if disaster in _SPOILT:
        yield f"the table itself, with the {_SPOILT[disaster]} in it"


def _beyond(backups: TableBackups) -> Iterator[str]:
    for bucket in backups.awaited_by:
        yield f"perhaps exports in {bucket.name} of {bucket.account}: what sends them is not in this assembly"
    for region in backups.replicas:
        yield f"perhaps its replica in {region}, unless that has taken over the same changes"
    yield from (f"perhaps: {each}" for each in backups.perhaps)


def _nothing(disaster: Disaster, left: tuple[str, ...], *, perhaps: bool) -> DisasterOutcome:
    return DisasterOutcome(
        disaster=disaster,
        left=left,
        do=(f"nothing in this assembly brings it back: {disaster.section} says what else may",),
        takes="not known" if perhaps else "no time helps",
        loses="not known" if perhaps else f"everything{' that it overwrote' if disaster in _SPOILT else ''}",
        why="no road is certain to survive that" if perhaps else "no road survives that",
    )


def _loss(disaster: Disaster, open_: list[Road], best: Road) -> tuple[str, str, int | None]:
    if disaster is Disaster.POISON:
        known = [road.reaches_minutes for road in open_]
        furthest = [each for each in known if each is not None]
        end = f"; all, if it began more than {duration(max(furthest))} ago" if furthest and None not in known else ""
        return f"what was written since it began{end}", "good and bad changes lie in the same items", None
    if best.kind is WayKind.POINT_IN_TIME and disaster is Disaster.GARBAGE:
        why = "every second before it can be restored; good changes since then have to be carried over"
        return "nothing from before it", why, 0
    if best.kind is WayKind.POINT_IN_TIME and disaster is Disaster.TABLE:
        return "nothing", "DynamoDB backs the table up at the moment of its deletion", 0
    return best.loses, best.why, best.loses_minutes


def _steps(disaster: Disaster, table: Table, backups: TableBackups, open_: list[Road]) -> Iterator[str]:
    lost = _lost(disaster, table)
    yield _first_step(disaster, table, exported=bool(backups.exports))
    deleted, taken = disaster is Disaster.TABLE, disaster is Disaster.TAKEN
    yield step_of(open_[0], table, backups, lost=lost, deleted=deleted, taken=taken)
    # Who was poisoned long ago goes the road that reaches furthest back.
    furthest = max(open_, key=lambda road: road.reaches_minutes or 0)
    if disaster is Disaster.POISON and furthest is not open_[0]:
        yield f"further back: {step_of(furthest, table, backups, lost=lost)}"


def _first_step(disaster: Disaster, table: Table, *, exported: bool) -> str:
    return {
        Disaster.GARBAGE: f"stop what writes, note the moment: {disaster.section}",
        Disaster.POISON: f"find when it began{_CHANGES if exported else ''}: {disaster.section}",
        Disaster.TABLE: f"find out who did it before you restore: {disaster.section}",
        Disaster.TAKEN: "believe nothing in the account, nor what was sealed since (sealed_by says when); restore into "
        f"another one: {disaster.section}",
        Disaster.CLOSED: f"ask AWS Support to open {table.account} again, and restore meanwhile: {disaster.section}",
        Disaster.MANAGEMENT: f"get hold of the organization with AWS Support first: {disaster.section}",
        Disaster.KEY: f"cancel the deletion while it is pending (7 to 30 days): {disaster.section}",
    }[disaster]


def _vault_closed(table: Table, backups: TableBackups) -> DisasterOutcome:
    """The live table is not touched: what is lost is what was kept for the next disaster."""
    there = [road for road in backups.roads if road.account != table.account]
    here = [road for road in backups.roads if road.account == table.account]
    left = ("the table itself", *(_left(road, Fate.STAYS, "") for road in here))
    if not there:
        return DisasterOutcome(
            disaster=Disaster.VAULT,
            left=left,
            do=("nothing: no backup of it is kept in another account",),
            takes="no time",
            loses="nothing",
            why="nothing is kept there",
            loses_minutes=0,
        )
    names = ", ".join(dict.fromkeys(road.account or "an account that is not known" for road in there))
    kinds = ", ".join(dict.fromkeys(road.kind.value for road in there))
    return DisasterOutcome(
        disaster=Disaster.VAULT,
        left=left,
        do=(
            f"have AWS Support open {names} again within {_REOPEN_DAYS} days: {Disaster.VAULT.section}",
            "meanwhile begin anew in another vault account, with a full export or backup",
        ),
        takes="as long as AWS takes to open it; a new full export: hours, by the size of the table",
        loses="nothing of the table; its history in the vault, if the account stays closed",
        why=f"{kinds}: AWS deletes what a closed account holds after {_REOPEN_DAYS} days, locked or not",
        loses_minutes=0,
    )


def _no_key(picture: Picture, table: Table, backups: TableBackups) -> DisasterOutcome:
    unknown = any(
        (each.place.stack, each.place.logical_id) == (table.place.stack, table.place.logical_id)
        and each.kind is UnknownKind.TABLE_KEY
        for each in picture.unknowns
    )
    if unknown:
        return DisasterOutcome(
            disaster=Disaster.KEY,
            left=("not known: the key of the table is known at deployment only",),
            do=(f"cancel the deletion while it is pending (7 to 30 days): {Disaster.KEY.section}",),
            takes="not known",
            loses="not known",
            why="no template tells which key encrypts the table",
        )
    others = {f"{road.kind.value} in {road.where}": road.key for road in backups.roads if road.key is not None}
    return DisasterOutcome(
        disaster=Disaster.KEY,
        left=(
            "everything: the table is encrypted with a key of AWS, which nobody can delete",
            *(f"but not {what}, if its own key is the one that is deleted: {key}" for what, key in others.items()),
        ),
        do=(f"cancel the deletion of a backup's key while it is pending: {Disaster.KEY.section}",)
        if others
        else ("nothing",),
        takes="no time",
        loses="nothing",
        why="it has no key of yours",
        loses_minutes=0,
    )
