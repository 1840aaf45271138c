"""What deserves a look: no mistake, but something that somebody should have decided."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tableguard.review.access import Status
from tableguard.review.report import Row, TableReview, Warning_, WarningKind
from tableguard.review.sizes import Sized
from tableguard.review.trust import worth_a_look
from tableguard.review.wording import last_day, until

_FULL: Final = 0.8
_SOON: Final = dt.timedelta(days=30)
# A table that more other accounts than this depend on is a service: perhaps it should have an interface of its own.
_MANY: Final = 5


def warnings_of(
    tables: Sequence[TableReview],
    sizes: Sequence[Sized],
    hanging: Mapping[str, Sequence[str]],
    accounts: Sequence[str],
    today: dt.date,
) -> Iterator[Warning_]:
    """All warnings of a review.

    Args:
        tables: The tables.
        sizes: The sizes of the policies that have a limit.
        hanging: For each account with tables, the accounts that hang on it.
        accounts: The accounts of the assembly.
        today: The day of the review.
    """
    for table in tables:
        for row in table.rows:
            yield from _of_row(row, table, today)
        if len(table.accounts) > _MANY:
            message = f"{len(table.accounts)} other accounts hang on {table.table.name}"
            yield Warning_(kind=WarningKind.CONCENTRATION, message=message, table=table.table.arn)
    yield from _of_trust(tables, accounts)
    alone = {account for table in tables if len(table.accounts) > _MANY for account in (table.table.account,)}
    for account, others in hanging.items():
        if len(others) > _MANY and account not in alone:
            message = f"{len(others)} other accounts hang on the tables of account {account}"
            yield Warning_(kind=WarningKind.CONCENTRATION, message=message)
    for each in sizes:
        if _FULL <= each.share <= 1:
            yield Warning_(kind=WarningKind.LIMIT, message=each.words, place=each.place)


def _of_row(row: Row, table: TableReview, today: dt.date) -> Iterator[Warning_]:
    label, arn, name = row.subject.label, table.table.arn, table.table.name

    def warning(kind: WarningKind, message: str) -> Warning_:
        return Warning_(kind=kind, message=message, table=arn, principal=label)

    for end in sorted({access.until for access in row.accesses if access.until is not None}):
        # What lasts longer in other circumstances, or for another action, is another access of the row.
        lasts = any(access.until is None or access.until > end for access in row.accesses)
        what = f"part of the access to {name}" if lasts else f"access to {name}"
        if last_day(end) < today:
            yield warning(WarningKind.OVER, f"{label}: {what} {until(end, today)}: remove the grant")
        elif last_day(end) - today <= _SOON:
            yield warning(WarningKind.ENDS_SOON, f"{label}: {what} {until(end, today)}")
    given = _is_given(row)
    if given and row.external:
        whose = "is in no account of the assembly" if row.subject.account else "takes in accounts outside the assembly"
        yield warning(WarningKind.EXTERNAL, f"{label} {whose}, and has access to {name}")
    if given and row.subject.kind == "account":
        message = f"{label}: its administrators choose who has access to {name}"
        yield warning(WarningKind.WHOLE_ACCOUNT, message)


def _is_given(row: Row) -> bool:
    return any(access.status in (Status.ALLOWED, Status.OPEN) for access in row.accesses)


def _of_trust(tables: Sequence[TableReview], accounts: Sequence[str]) -> Iterator[Warning_]:
    """Roles with access that trust somebody whom nobody in the organization has chosen, each once for all tables."""
    rows: dict[str, list[tuple[Row, str]]] = {}
    for table in tables:
        for row in table.rows:
            if _is_given(row) and row.trusted:
                rows.setdefault(row.subject.label, []).append((row, table.table.name))
    for label, found in rows.items():
        row, names = found[0][0], list(dict.fromkeys(name for _, name in found))
        what = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
        for each in row.trusted or ():
            why = worth_a_look(each, row.subject.identity, accounts) if row.subject.identity is not None else None
            if why is not None:
                message = f"{label}, which has access to {what}, trusts {each.words}: {why}"
                place = (
                    row.subject.identity.trust.place if row.subject.identity and row.subject.identity.trust else None
                )
                yield Warning_(kind=WarningKind.TRUST, message=message, principal=label, place=place)
