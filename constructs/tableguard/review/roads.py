"""The roads on which a table comes back: where each keeps it, who could destroy it there, and what it loses."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tableguard.review.backup_facts import BucketFacts, Export, OnDemand, Plan, PlanRule, Replication, VaultLockFacts
from tableguard.review.picture import Picture, Table, account_of
from tableguard.review.schedules import DAY, duration, longest_pause

# How far the latest moment that can be restored lies behind. Source: DynamoDB API, LatestRestorableDateTime.
_RECOVERY_MINUTES: Final = 5
# How far behind the moment of an export its window ends, and the shortest window: a shorter one waits for the next
# start. Source: TableExport.
_MARGIN_MINUTES: Final = 5
_SHORTEST_MINUTES: Final = 15


class WayKind(enum.Enum):
    """What kind of road."""

    POINT_IN_TIME = "point-in-time recovery"
    SEALED = "sealed exports"
    """Exports that a vault has checked and locked by itself."""
    REPLICATED = "replicated exports"
    """Exports that S3 replicated, as the account of the table wanted it."""
    EXPORTS = "exports"
    """Exports where DynamoDB wrote them."""
    BACKUP = "AWS Backup"
    COPY = "copies by AWS Backup"
    ON_DEMAND = "on-demand backups"


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """One road.

    Args:
        kind: What kind.
        account: The account that keeps it; None where that is not known.
        where: The bucket, vault or table that holds it.
        known: Whether what holds it stands in the assembly: only then its lock is known.
        lock: Its lock; None where it has none, or that is not known.
        air_gapped: Whether AWS keeps it apart, in a logically air-gapped vault.
        approval: Whether a team may open it to others when its account cannot be used.
        loses_minutes: What is lost at most if everything works, in minutes; None where that is not known.
        starts: Whether anything in the assembly starts it: what nothing starts loses more every day.
        plus: What comes on top of that and is not known beforehand; "" for nothing.
        why: Why so much is lost.
        reaches_minutes: How far back it is sure to reach, in minutes; None where that is not known.
        alarm_minutes: After how long without a backup somebody is told; None for nobody, or not known.
        key: The customer-managed key without which nobody can read it; None for a key that only AWS has.
        readers: The ARNs of the roles that its metadata names as readers.
    """

    kind: WayKind
    account: str | None
    where: str
    known: bool = True
    lock: VaultLockFacts | None = None
    air_gapped: bool = False
    approval: bool = False
    loses_minutes: int | None
    starts: bool = True
    plus: str = ""
    why: str
    reaches_minutes: int | None = None
    alarm_minutes: int | None = None
    key: str | None = None
    readers: tuple[str, ...] = ()

    @property
    def is_compliant(self) -> bool:
        """Whether nobody at all can delete it before its time, once a grace time is over."""
        return self.lock is not None and self.lock.mode == "COMPLIANCE"

    @property
    def loses(self) -> str:
        """What is lost at most, in words."""
        if not self.starts:
            return "all that was written since the last one: nothing starts it"
        if self.loses_minutes is None:
            return "not known"
        about = "about " if self.kind is WayKind.POINT_IN_TIME else "up to "
        return f"{about}{duration(self.loses_minutes)}{f' and {self.plus}' if self.plus else ''}"


def covers(pattern: str, arn: str) -> bool:
    """Whether a pattern of ARNs fits an ARN: "*" stands for anything.

    Args:
        pattern: The pattern.
        arn: The ARN.
    """
    if "*" not in pattern:
        return pattern == arn
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), arn) is not None


def covers_table(tables: tuple[str, ...], table: Table) -> bool:
    """Whether any of the patterns fits a table.

    Args:
        tables: Patterns of ARNs.
        table: The table.
    """
    return any(covers(pattern, table.arn) for pattern in tables)


def object_key(table: Table, replication: Replication) -> str:
    """A key as exports of a table have it, below the prefix that a rule replicates.

    Args:
        table: The table.
        replication: The rule.
    """
    own = f"{table.account}/{table.region}/{table.name}/"
    return f"{own}AWSDynamoDB/export/manifest-summary.json" if own.startswith(replication.prefix) else ""


def point_in_time(table: Table) -> Iterator[Road]:
    """Point-in-time recovery, where it is on.

    Args:
        table: The table.
    """
    if table.recovery_days:
        yield Road(
            kind=WayKind.POINT_IN_TIME,
            account=table.account,
            where=table.name,
            loses_minutes=_RECOVERY_MINUTES,
            why="the latest moment that DynamoDB can restore is typically that far behind",
            reaches_minutes=table.recovery_days * DAY,
            key=table.key_arn,
        )


def exported(picture: Picture, table: Table, export: Export) -> Iterator[Road]:
    """What becomes of a table's exports.

    Args:
        picture: The picture.
        table: The table.
        export: What exports it.
    """
    pauses = [longest_pause(expression) for expression, given in export.starts if names_table(given, table.arn)]
    landing = picture.backups.bucket(export.landing)
    if landing is None:
        name = export.landing or "a bucket that is not known"
        yield _of_exports(export, pauses, WayKind.EXPORTS, None, name, bucket=None)
        return
    if not landing.replications:
        yield _of_exports(export, pauses, WayKind.EXPORTS, landing.account, landing.name, bucket=landing)
    for rule in landing.replications:
        intake = picture.backups.bucket(rule.bucket)
        sealed = sealed_behind(picture, rule.bucket)
        if sealed is not None:
            yield _of_exports(export, pauses, WayKind.SEALED, sealed.account, sealed.name, bucket=sealed)
        elif intake is not None:
            yield _of_exports(export, pauses, WayKind.REPLICATED, intake.account, intake.name, bucket=intake)
        else:
            account = rule.account or (landing.landing_vault or (None,))[0]
            yield _of_exports(export, pauses, WayKind.REPLICATED, account, rule.bucket, bucket=None)


def sealed_behind(picture: Picture, intake: str) -> BucketFacts | None:
    """The sealed bucket of the vault that an intake bucket belongs to.

    Args:
        picture: The picture.
        intake: The name of the intake bucket.
    """
    return next((b for b in picture.backups.buckets if b.sealed is not None and b.sealed.intake == intake), None)


def names_table(given: str, table: str) -> bool:
    """Whether the input of a schedule names a table; an input that is no JSON object names none.

    Args:
        given: The input.
        table: The table's ARN.
    """
    try:
        said = json.loads(given)
    except (ValueError, RecursionError):
        return False
    return isinstance(said, Mapping) and said.get("table") == table


def _shortest(pauses: Sequence[int | None]) -> int | None:
    """The longest time without a start where each of some schedules starts it: None where no schedule tells."""
    return min((pause for pause in pauses if pause is not None), default=None)


def _of_exports(
    export: Export,
    pauses: Sequence[int | None],
    kind: WayKind,
    account: str | None,
    where: str,
    *,
    bucket: BucketFacts | None,
) -> Road:
    lock = bucket.lock if bucket is not None and bucket.lock.mode != "NONE" else None
    full, pause = export.full_every_minutes, _shortest(pauses)
    loses = None
    if pause is not None:
        window = max(pause, export.every_minutes or 0)
        loses = window + _MARGIN_MINUTES + (_SHORTEST_MINUTES if window < 2 * _SHORTEST_MINUTES else 0)
    reaches = None
    kept = lock.days if lock is not None else bucket.expires_days if bucket is not None else None
    if kept is not None and full is not None:
        reaches = max(kept * DAY - full, 0)
    moved = {
        WayKind.SEALED: "the time to export, replicate and seal it",
        WayKind.REPLICATED: "the time to export and replicate it",
    }.get(kind, "the time to export it")
    return Road(
        kind=kind,
        account=account,
        where=where,
        known=bucket is not None,
        lock=lock,
        loses_minutes=loses,
        starts=bool(pauses),
        plus=moved,
        why="what was written since the end of the last window that has arrived there"
        if pauses
        else "no enabled schedule names the table",
        reaches_minutes=reaches,
        alarm_minutes=export.alarm_after_minutes,
        key=bucket.key if bucket is not None else None,
        readers=bucket.sealed.readers if bucket is not None and bucket.sealed is not None else (),
    )


def planned(picture: Picture, plan: Plan) -> Iterator[Road]:
    """What AWS Backup keeps by a plan.

    Args:
        picture: The picture.
        plan: The plan.
    """
    for rule in plan.rules:
        own = _in_vault(picture, plan, rule, WayKind.BACKUP, rule.vault, keep_days=rule.keep_days)
        yield own if own.account is not None else replace(own, account=plan.account)
        for copy in rule.copies:
            yield _in_vault(picture, plan, rule, WayKind.COPY, copy.vault, keep_days=copy.keep_days)


def _in_vault(
    picture: Picture, plan: Plan, rule: PlanRule, kind: WayKind, arn: str | None, *, keep_days: int | None
) -> Road:
    vault = picture.backups.vault(arn)
    pause = longest_pause(rule.schedule)
    where = "a vault that is not known" if arn is None else arn.rpartition(":")[2]
    copied = " and to copy it" if kind is WayKind.COPY else ""
    return Road(
        kind=kind,
        account=account_of(arn or ""),
        where=where,
        known=vault is not None,
        lock=vault.lock if vault is not None and vault.lock.mode != "NONE" else None,
        air_gapped=vault is not None and vault.air_gapped,
        approval=vault is not None and vault.approval,
        loses_minutes=None if pause is None else pause + rule.start_minutes,
        plus=f"the time to make a backup{copied}",
        why=f"a backup by {rule.schedule}, begun up to {duration(rule.start_minutes)} later",
        reaches_minutes=None if keep_days is None else keep_days * DAY,
        alarm_minutes=plan.alarm_after_minutes,
        key=vault.key if vault is not None else None,
    )


def on_demand(table: Table, made: OnDemand) -> Road:
    """On-demand backups of DynamoDB.

    Args:
        table: The table.
        made: What makes them.
    """
    schedules = [expression for expression, _ in made.starts]
    return Road(
        kind=WayKind.ON_DEMAND,
        account=made.account,
        where=table.name,
        loses_minutes=_shortest([longest_pause(each) for each in schedules]),
        starts=bool(schedules),
        plus="the time to make a backup",
        why=f"a backup by {' and '.join(schedules)}" if schedules else "no enabled schedule starts the machine",
        reaches_minutes=None if made.keep_days is None else made.keep_days * DAY,
        alarm_minutes=made.alarm_after_minutes,
        key=table.key_arn,
    )
