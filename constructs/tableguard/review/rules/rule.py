"""What a rule is: something that has to hold for tables, and what comes of checking it."""

from __future__ import annotations

import abc
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from tableguard.evaluation import DocumentLocation
from tableguard.policy import InvalidInputError, TableReference
from tableguard.policy.lists import listed
from tableguard.review.decide import Verdict
from tableguard.review.rules.deciding import Deciding
from tableguard.review.rules.question import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(abc.ABC):
    """Something that has to hold for tables.

    Args:
        id: What reports and acknowledgements call it; the kind of rule when left out. Two rules of one kind need
            an id each.
        tables: The tables that it is about, by reference, ARN or name; every table when left out.

    Raises:
        InvalidInputError: An id that is no word, or a wrong type.
    """

    kind: ClassVar[str]

    id: str = ""
    tables: Sequence[TableReference | str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", self.id or self.kind)
        if not all(part.isalnum() for part in self.id.split("-")) or not self.id.isascii():
            raise InvalidInputError("the id of a rule", value=self.id, allowed='letters and digits, joined by "-"')
        object.__setattr__(self, "tables", listed_of("tables", self.tables, (TableReference, str)))

    @property
    @abc.abstractmethod
    def description(self) -> str:
        """What has to hold, in words."""

    @abc.abstractmethod
    def check(self, deciding: Deciding, today: dt.date, budget: int) -> RuleOutcome:
        """Find out whether it holds.

        Args:
            deciding: What decides requests on the picture that the rule is checked on.
            today: The day that grants are compared with.
            budget: With at most so many requests; a rule that takes more fails: it was not tried whole.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A rule that does not hold, or of which that is not known.

    Requests that the same statements decided are one failure: the first stands for all of them.

    Args:
        rule: The rule.
        what: What is wrong, in words: resource, principal, action, circumstances and the deciding statement.
        question: The request that shows it; None where there was nothing to ask, or more than could be tried.
        verdict: What was decided; None likewise.
        requests: How many requests were decided so.
        principals: Whose they were.
        actions: What they wanted.
        place: Where in the templates the fault lies; None where the templates do not hold what the rule speaks of.
        rests_on: What the policies say about it besides the deciding statements, as JSON, sorted: every Deny about
            these actions in any layer, and how the boundaries and the organization limit the principals. Whatever of it
            is loosened or taken away makes another finding.
    """

    rule: Rule
    what: str
    question: Question | None = None
    verdict: Verdict | None = None
    requests: int = 0
    principals: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    place: DocumentLocation | None = None
    rests_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What came of checking one rule.

    Args:
        tried: With how many requests it was tried.
        failures: Why it does not hold, or why that is not known.
    """

    tried: int
    failures: tuple[Failure, ...]


def listed_of(what: str, values: object, types: tuple[type, ...]) -> tuple[object, ...]:
    """Check a list of a rule.

    Args:
        what: What it is, for the message.
        values: The list; it may be empty.
        types: What may stand in it.

    Raises:
        InvalidInputError: It is no list, or something else stands in it.
    """
    allowed = " or ".join(each.__name__ for each in types)
    given = listed(f"the {what} of a rule", values, allowed=f"a list of {allowed}")
    for value in given:
        if not isinstance(value, types):
            raise InvalidInputError(f"one of the {what} of a rule", value=value, allowed=allowed)
    return given
