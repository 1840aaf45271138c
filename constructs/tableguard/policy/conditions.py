"""Conditions of a grant: when, from where, and for which items it allows access.

All conditions of a grant must hold (and). For alternatives (or), give one condition several values, or make two grants.
"""

from __future__ import annotations

import abc
import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tableguard.aws.dynamodb import Action
from tableguard.policy import names
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.lists import texts_of
from tableguard.policy.representation import as_call
from tableguard.policy.tokens import is_unresolved

_OPERATORS: Final = frozenset({
    "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase",
    "StringLike", "StringNotLike",
    "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals",
    "NumericGreaterThan", "NumericGreaterThanEquals",
    "DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
    "Bool", "BinaryEquals", "IpAddress", "NotIpAddress",
    "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike",
})  # fmt: skip


class Condition(abc.ABC):
    """What has to be true of a request for a grant to allow it."""

    __slots__ = ()

    @abc.abstractmethod
    def clauses(self, action: Action) -> tuple[Clause, ...]:
        """The condition as IAM clauses for one action: fine-grained conditions differ between reads and writes."""

    @property
    @abc.abstractmethod
    def label(self) -> str:
        """The condition in words, for messages and reports."""

    @property
    def fine_grained(self) -> bool:
        """Whether it narrows the items or attributes that a request may touch."""
        return False

    @property
    def survives_forwarding(self) -> bool:
        """Whether the condition still holds when DynamoDB calls another service (KMS) on the caller's behalf.

        Such a call keeps the caller and the time, but not the network that the request came from.
        """
        return False


@dataclass(frozen=True, slots=True)
class Clause(Condition):
    """One operator, key and values of a `Condition` element, for keys that no other class of this library covers.

    A grant rejects a `Clause` on the keys of `LeadingKeys` and `Attributes`: one clause alone is not safe there.

    Args:
        operator: An IAM condition operator, such as "StringEquals" or "ForAnyValue:StringLike".
        key: A condition key, such as "aws:PrincipalTag/team".
        values: The values, one of which must match.

    Raises:
        InvalidInputError: The operator does not exist, the key is not a condition key, or there is no value.
    """

    operator: str
    key: str
    values: tuple[str, ...]

    __repr__ = as_call

    def __post_init__(self) -> None:
        # Null, which tests whether a key is present, takes neither a prefix nor a suffix.
        bare = re.sub(r"^(ForAllValues|ForAnyValue):|IfExists$", "", str(self.operator))
        if bare not in _OPERATORS and self.operator != "Null":
            raise InvalidInputError(
                "the operator of a condition",
                value=self.operator,
                allowed="an IAM condition operator",
                fix=names.suggestion(bare, _OPERATORS),
            )
        if not is_unresolved(str(self.key)) and not re.fullmatch(r"[a-zA-Z0-9-]+:\S+", str(self.key)):
            raise InvalidInputError("the key of a condition", value=self.key, allowed='a key such as "aws:SourceIp"')
        object.__setattr__(self, "values", texts(f"the values of {self.key}", self.values))

    def clauses(self, action: Action) -> tuple[Clause, ...]:
        return (self,)

    @property
    def label(self) -> str:
        return f"{self.operator} {self.key} {', '.join(self.values)}"

    @property
    def survives_forwarding(self) -> bool:
        return self.key.lower().startswith("aws:principal")


@dataclass(frozen=True, slots=True)
class InOrganization(Condition):
    """Allows only callers whose account belongs to this organization. An account that leaves loses the access.

    Args:
        organization: The organization's id, such as "o-a1b2c3d4e5".

    Raises:
        InvalidInputError: The id is malformed.
    """

    organization: str

    __repr__ = as_call

    def __post_init__(self) -> None:
        names.organization_id("the organization of InOrganization", self.organization)

    def clauses(self, action: Action) -> tuple[Clause, ...]:
        return (Clause("StringEquals", "aws:PrincipalOrgID", (self.organization,)),)

    @property
    def label(self) -> str:
        return f"in {self.organization}"

    @property
    def survives_forwarding(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Until(Condition):
    """Allows requests before a moment only. A grant takes it as its argument `until`.

    Args:
        end: A date, the last day of access (in UTC), or a datetime with a time zone, at which access ends.

    Raises:
        InvalidInputError: `end` is something else, a datetime without a time zone, or the last day of the calendar.
    """

    end: dt.date

    __repr__ = as_call

    def __post_init__(self) -> None:
        if not isinstance(self.end, dt.date):
            raise InvalidInputError("until", value=self.end, allowed="a datetime.date, or a datetime with a time zone")
        if isinstance(self.end, dt.datetime) and self.end.tzinfo is None:
            raise InvalidInputError(
                "until",
                value=self.end,
                allowed="a datetime.date, or a datetime with a time zone",
                fix="Say which time zone: datetime(…, tzinfo=timezone.utc).",
            )
        try:
            _ = self.moment
        except OverflowError:
            raise InvalidInputError(
                "until", value=self.end, allowed="a day that has a next one", fix="Leave it out for no end."
            ) from None

    @property
    def moment(self) -> dt.datetime:
        """The first moment, in UTC, at which access is over."""
        if isinstance(self.end, dt.datetime):
            return self.end.astimezone(dt.UTC).replace(microsecond=0)
        return dt.datetime.combine(self.end + dt.timedelta(days=1), dt.time(), dt.UTC)

    def clauses(self, action: Action) -> tuple[Clause, ...]:
        moment = self.moment.replace(tzinfo=None).isoformat(timespec="seconds")
        return (Clause("DateLessThan", "aws:CurrentTime", (f"{moment}Z",)),)

    @property
    def label(self) -> str:
        return f"until {self.end.isoformat()}"

    @property
    def survives_forwarding(self) -> bool:
        return True

    def is_over(self, today: dt.date) -> bool:
        """Whether access has ended before the day `today` (in UTC) begins."""
        return dt.datetime.combine(today, dt.time(), dt.UTC) >= self.moment


def combined(conditions: Iterable[Condition], action: Action) -> tuple[Clause, ...]:
    """Return all clauses for one action.

    Raises:
        InvalidInputError: Two conditions use the same operator and key: joined, they would widen each other.
    """
    clauses: dict[tuple[str, str], Clause] = {}
    for condition in conditions:
        for clause in condition.clauses(action):
            other = clauses.setdefault((clause.operator, clause.key.lower()), clause)
            if other != clause:
                raise InvalidInputError(
                    f"conditions on {clause.key}",
                    value=(*other.values, *clause.values),
                    allowed="one condition on a key",
                    fix="Give all alternatives to one condition, or make two grants.",
                )
    return tuple(clauses.values())


def texts(what: str, values: object) -> tuple[str, ...]:
    """Check that values are strings, at least one, and none of them empty.

    Args:
        what: What the values are, for the message.
        values: The values.

    Raises:
        InvalidInputError: They are not.
    """
    given = texts_of(what, values)
    if not given:
        raise InvalidInputError(what, value=given, allowed="at least one value")
    for value in given:
        if not isinstance(value, str) or not value.strip():
            raise InvalidInputError(what, value=value, allowed="strings that are not empty")
    return given
