"""The matrix of a table, principals by kinds of access, and the words beside it: what all formats share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from tableguard.evaluation import DocumentLocation
from tableguard.review.access import AccessRow, Status
from tableguard.review.kinds import ACTIONS_OF, resources_of
from tableguard.review.picture import Table
from tableguard.review.report import Row
from tableguard.review.wording import until

NONE: Final = "-"
LEGEND: Final = (
    ("yes, some", "every action of the kind that can work from there, or some"),
    ("*", "under conditions"),
    ("?", "as far as the templates tell: some policy that counts is in none"),
    ("over, later", "not today"),
    ("trusts", "who may become the role, by its trust policy"),
)
_NAMES: Final = 3
_SURE: Final = (Status.ALLOWED, Status.OPEN)


def cell(row: Row, table: Table, kind: str) -> str:
    """One cell: how much of a kind of access somebody has.

    Args:
        row: The principal's row.
        table: The table.
        kind: One of `KINDS`.
    """
    found = [access for access in row.accesses if access.kind == kind]
    today = [access for access in found if access.status in _SURE]
    if not found:
        return "?" if kind in row.perhaps else NONE
    if not today:
        statuses = {access.status for access in found}
        return "?" if Status.UNKNOWN in statuses else "over" if Status.OVER in statuses else "later"
    given = {action for access in today for action in access.actions}
    possible = {
        action.qualified
        for action in ACTIONS_OF[kind]
        if (row.subject.account == table.account or action.across_accounts) and any(resources_of(action, table))
    }
    conditional = all(access.conditions or access.until for access in today)
    unsure = any(access.status in (Status.OPEN, Status.UNKNOWN) for access in found)
    return f"{'yes' if given >= possible else 'some'}{'*' if conditional else ''}{'?' if unsure else ''}"


def details(row: Row, table: Table, today: dt.date) -> Iterator[tuple[str, str]]:
    """What stands below a row: each access in words, why, and who may become the principal.

    Args:
        row: The principal's row.
        table: The table.
        today: The day of the review.
    """
    for access in row.accesses:
        yield access.kind, described(access, table, today)
    for reason in row.reasons:
        yield "why", reason
    yield from (("trusts", whom) for whom in _trusted(row))


def _trusted(row: Row) -> Iterator[str]:
    """Who may become a role that a template makes: everybody without conditions in one line."""
    if row.trusted is None:
        known = row.subject.identity is None or not row.subject.identity.in_assembly
        yield from () if known else ("not known",)
        return
    plain = [each.words for each in row.trusted if not each.conditions]
    yield from [", ".join(dict.fromkeys(plain))] if plain else []
    yield from dict.fromkeys(each.words for each in row.trusted if each.conditions)
    if not row.trusted and row.subject.identity is not None and row.subject.identity.kind == "role":
        yield "nobody"


def described(access: AccessRow, table: Table, today: dt.date) -> str:
    """One access in words.

    Args:
        access: The access.
        table: The table.
        today: The day of the review.
    """
    parts = [f"{_actions(access, table)}{_where(access, table)}", *access.conditions]
    if access.until is not None:
        parts.append(until(access.until, today))
    if access.status is Status.LATER and access.since is not None:
        parts.append(f"from {access.since.date().isoformat()} on")
    if access.status is Status.UNKNOWN:
        parts += _not_known(access)
    return "; ".join(parts)


def _not_known(access: AccessRow) -> Iterator[str]:
    """Why an access is not known."""
    if access.verdict.unknown_key:
        yield "the table's key is not known"
        return
    answers = (reason.detail for reason in access.verdict.because if reason.open is not None)
    yield "; ".join(("not known", *dict.fromkeys(filter(None, answers))))


def where(place: DocumentLocation | None) -> str:
    """A place in words: stack and logical id.

    Args:
        place: The place.
    """
    if place is None or place.stack is None:
        return (place.policy or "") if place is not None else ""
    return f"{place.stack}/{place.logical_id}" if place.logical_id else place.stack


def _actions(access: AccessRow, table: Table) -> str:
    names = [action.removeprefix("dynamodb:") for action in access.actions]
    if len(names) <= _NAMES:
        return ", ".join(names)
    possible = [action.name for action in ACTIONS_OF[access.kind] if any(resources_of(action, table))]
    missing = [name for name in possible if name not in names]
    if not missing:
        return f"all {len(names)} actions"
    if len(missing) <= _NAMES:
        return f"all but {', '.join(missing)}"
    return f"{', '.join(names[: _NAMES - 1])} and {len(names) - _NAMES + 1} more"


def _where(access: AccessRow, table: Table) -> str:
    """Which part of the table, where it is not the table itself or its stream."""
    if any(resource == table.arn or "/stream/" in resource for resource in access.resources):
        return ""
    indexes = [resource.rpartition("/index/")[2] for resource in access.resources]
    return f" on index {', '.join(indexes)}"
