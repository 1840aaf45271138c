"""One request that a rule asks about."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from tableguard.aws.dynamodb import Action
from tableguard.review.picture import Table
from tableguard.review.rules.people import TriedCaller
from tableguard.review.samples import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request that a rule asks about.

    Args:
        table: The table that it is about.
        caller: Who makes it.
        resource: What it goes to: the table, an index or the stream.
        action: What it wants to do.
        context: In which circumstances; keys in lower case.
        moment: When; the day of the check when left out.
        allowed: What the rule expects: that it goes through (True), or that it is refused.
    """

    table: Table
    caller: TriedCaller
    resource: str
    action: Action
    context: Context = field(default_factory=dict)
    moment: dt.datetime | None = None
    allowed: bool = False
