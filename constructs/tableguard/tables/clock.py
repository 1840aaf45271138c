"""The date that a synthesis works with."""

from __future__ import annotations

import datetime as dt

import aws_cdk as cdk
from constructs import IConstruct

from tableguard.policy import InvalidInputError, TableGrant

TODAY_CONTEXT = "tableguard:today"


def today(scope: IConstruct) -> dt.date:
    """Return today's date in UTC, or the date in the CDK context, which makes a synthesis repeatable.

    Set the context with `--context tableguard:today=2027-01-31`.

    Args:
        scope: A construct of the app.

    Raises:
        InvalidInputError: The context holds something other than a date.
    """
    said = scope.node.try_get_context(TODAY_CONTEXT)
    if said is None:
        return dt.datetime.now(dt.UTC).date()
    try:
        return dt.date.fromisoformat(said)
    except (TypeError, ValueError):
        raise InvalidInputError(f"the context {TODAY_CONTEXT}", value=said, allowed='a date: "2027-01-31"') from None


def warn_of_past(scope: IConstruct, grant: TableGrant) -> None:
    """Warn about a grant whose last day has passed. Its statements stay in the policies, without effect.

    Args:
        scope: The construct that was given the grant.
        grant: The grant.
    """
    cdk.Annotations.of(scope).add_warning_v2(
        "tableguard:grant-is-over",
        f"The grant to {grant.subject.label} ({grant.reason or grant.access.name}) is over since {grant.until}. It "
        "allows nothing any more: remove it, then the consumer's role.",
    )
