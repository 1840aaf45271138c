"""Whether rules hold on the picture of an organization."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tableguard.policy import InvalidInputError
from tableguard.review.picture import Picture
from tableguard.review.rules.deciding import Deciding
from tableguard.review.rules.rule import Failure, Rule

MOST_REQUESTS: Final = 10_000_000
"""At most so many requests in one check, unless the caller says otherwise."""


@dataclass(frozen=True, slots=True)
class Results:
    """What came of trying rules.

    Args:
        tried: How many requests were tried, by rule.
        failures: What failed.
    """

    tried: Mapping[str, int]
    failures: tuple[Failure, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing failed. It says no more than `summary`."""
        return not self.failures

    @property
    def summary(self) -> str:
        """What was tried, in one line."""
        total = sum(self.tried.values())
        failed = len({failure.rule.id for failure in self.failures})
        outcome = f"{failed} do not hold" if failed else "no counterexample"
        return f"{len(self.tried)} rules tried with {total:,} requests: {outcome}"


def check(picture: Picture, rules: Sequence[Rule], today: dt.date, *, most_requests: int = MOST_REQUESTS) -> Results:
    """Try rules on a picture.

    Whoever the picture does not hold may have identity policies that allow everything, and so may the roles and users
    of other accounts than the table's, since those accounts write them. Roles and users of the table's own account
    have the policies that the templates show, unless some of them stand in no template, or no template makes the role
    or user itself: what else is attached to it is not known then. What cannot be understood
    counts against the rule.

    Args:
        picture: The picture.
        rules: The rules.
        today: The day that grants are compared with.
        most_requests: A rule that takes more requests than what is left of these fails: it was not tried whole.

    Raises:
        InvalidInputError: Two rules with one id.
    """
    ids = [rule.id for rule in rules]
    for rule_id in ids:
        if ids.count(rule_id) > 1:
            raise InvalidInputError("the ids of rules", value=rule_id, allowed="an id for each", fix="Say id=….")
    deciding = Deciding(picture)
    tried: dict[str, int] = {}
    failures: list[Failure] = []
    for rule in rules:
        outcome = rule.check(deciding, today, most_requests - sum(tried.values()))
        tried[rule.id] = outcome.tried
        failures += outcome.failures
    return Results(tried, tuple(failures))
