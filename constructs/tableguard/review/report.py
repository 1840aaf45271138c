"""What a review says."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass

from tableguard.evaluation import DocumentLocation
from tableguard.review.access import AccessRow
from tableguard.review.acknowledgements import Acknowledgement
from tableguard.review.backups import TableBackups
from tableguard.review.perimeters import Enclosure
from tableguard.review.picture import Table
from tableguard.review.subjects import Subject
from tableguard.review.trust import Trusted
from tableguard.review.unknown import Unknown


class FindingKind(enum.Enum):
    """What is wrong: each of these makes the exit status 1."""

    DANGLING = "dangling"
    """Only one of the sides that have to agree grants something."""
    METADATA = "metadata"
    """The template's metadata claims something else than the policies say."""
    NOT_UNDERSTOOD = "not understood"
    """A policy that IAM would not take, or that nobody can read."""
    BACKUP = "backup"
    """A backup that does not do what it is there for."""
    PERIMETER = "perimeter"
    """A perimeter that leaves a way around it."""
    PUBLIC = "public"
    """A statement that allows everybody."""
    TOO_LARGE = "too large"
    """More policy than AWS takes."""


class WarningKind(enum.Enum):
    """What deserves a look."""

    LIMIT = "close to a limit"
    ENDS_SOON = "ends soon"
    OVER = "is over"
    EXTERNAL = "external account"
    WHOLE_ACCOUNT = "whole account trusted"
    CONCENTRATION = "concentration"
    TRUST = "trust"
    """Somebody may become a role whom nobody in the organization has chosen."""
    NO_BACKUP = "no backup"
    """Nothing in the assembly backs a table up."""
    NO_EFFECT = "has no effect"
    """A statement allows what cannot work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is wrong.

    Args:
        kind: What kind of thing.
        message: What, and what to do about it.
        table: The ARN of the table.
        principal: The principal, as a reader calls it.
        place: Where in the templates.
        statement: The number of the statement there, counted from 0.
    """

    kind: FindingKind
    message: str
    table: str | None = None
    principal: str | None = None
    place: DocumentLocation | None = None
    statement: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Warning_:  # noqa: N801 - Python has a Warning
    """Something that deserves a look.

    Args:
        kind: What kind of thing.
        message: What.
        table: The ARN of the table.
        principal: The principal, as a reader calls it.
        place: Where in the templates.
    """

    kind: WarningKind
    message: str
    table: str | None = None
    principal: str | None = None
    place: DocumentLocation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one principal may do with a table.

    Args:
        subject: The principal.
        external: Whether its account is none of the assembly's.
        own_side: Whether its identity policies stand in the assembly.
        reasons: Why, as the metadata says.
        accesses: What it may do.
        unread: Policies attached to it that stand in no template.
        perhaps: The kinds of access that those might give it.
        trusted: Who may become it; None where that is not known.
    """

    subject: Subject
    external: bool
    own_side: bool
    reasons: tuple[str, ...]
    accesses: tuple[AccessRow, ...]
    unread: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    trusted: tuple[Trusted, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludedAccount:
    """An account that a policy's statements exempt.

    Args:
        account: The account.
        reason: Why, as the metadata claims; None where it does not say.
    """

    account: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemptPrincipal:
    """Somebody whom a policy's statements do not deny what they deny others.

    Args:
        label: What a reader calls them.
        principals: As the policy says it: patterns of ARNs, or values of another key.
        actions: What they may do all the same.
        what: The same in a reader's words: parts of the data, single actions, or how many of a service.
        reason: Why, as the metadata claims; None where it does not say.
    """

    label: str
    principals: tuple[str, ...]
    actions: tuple[str, ...]
    what: tuple[str, ...]
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlReport:
    """One SCP or RCP.

    Args:
        kind: "SCP" or "RCP".
        name: Its name.
        targets: What it is attached to.
        binds: Which of the tables' accounts it binds.
        perhaps: Which of them it may bind: no template tells what an organizational unit holds.
        excluded_accounts: The accounts that it exempts.
        exempted: Whom it exempts in the accounts that it binds.
        lists_as_of: The day of the list of DynamoDB's actions that it rests on, where it can deny none that is not
            listed: an RCP takes no NotAction. None for others.
        place: Where it stands.
    """

    kind: str
    name: str
    targets: tuple[str, ...]
    binds: tuple[str, ...]
    perhaps: tuple[str, ...]
    excluded_accounts: tuple[ExcludedAccount, ...]
    exempted: tuple[ExemptPrincipal, ...]
    lists_as_of: dt.date | None
    place: DocumentLocation


@dataclass(frozen=True, slots=True, kw_only=True)
class TableReview:
    """One table.

    Args:
        table: The table.
        rows: The principals that may do something with it.
        accounts: The other accounts that hang on it.
        enclosure: From where its data can be reached, and who is exempt.
        backups: Its backups.
    """

    table: Table
    rows: tuple[Row, ...]
    accounts: tuple[str, ...]
    enclosure: Enclosure
    backups: TableBackups


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A whole review.

    Args:
        today: The day it was made for, in UTC.
        tables: The tables.
        findings: What is wrong.
        warnings: What deserves a look.
        unknowns: What the templates do not tell.
        hanging: For each account with tables, the other accounts that hang on any of them.
        acknowledged: The rules of ours that somebody has acknowledged away.
        controls: The SCPs and RCPs.
    """

    today: dt.date
    tables: tuple[TableReview, ...]
    findings: tuple[Finding, ...]
    warnings: tuple[Warning_, ...]
    unknowns: tuple[Unknown, ...]
    hanging: Mapping[str, tuple[str, ...]]
    acknowledged: tuple[Acknowledgement, ...] = ()
    controls: tuple[ControlReport, ...] = ()
