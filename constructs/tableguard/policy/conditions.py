"""When and from where access is granted, and to which items: conditions of a grant.

All conditions of a grant hold together (and). Alternatives (or) are values of one condition, or two grants.
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
    """Something that must hold for a grant to apply."""

    __slots__ = ()

    @abc.abstractmethod
    def clauses(self, action: Action) -> tuple[Clause, ...]:
        """The condition as IAM writes it, for one action: fine-grained conditions differ between reads and writes."""

    @property
    @abc.abstractmethod
    def label(self) -> str:
        """The condition in a reader's words."""

    @property
    def fine_grained(self) -> bool:
        """Whether it narrows the items or attributes that a request may touch."""
        return False

    @property
    def survives_forwarding(self) -> bool:
        """Whether it still holds when DynamoDB calls another service (KMS) on the caller's behalf.

        Where a request came from is lost on the way; who sent it and when is not.
        """
        return False


@dataclass(frozen=True, slots=True)
class Clause(Condition):
    """One line of a `Condition` element, as IAM writes it: for keys that no other condition here stands for.

    A grant refuses one on the keys of `LeadingKeys` and `Attributes`, which need more than one line to be safe.

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
        # Null, which asks whether a key is there, takes neither a prefix nor a suffix.
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
    """Only while the caller's account belongs to this organization: an account that leaves loses the access.

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
    """Only before a moment. A grant takes it as its argument `until`.

    Args:
        end: A date, whose whole day (in UTC) is still covered, or a datetime with a time zone, which is not.

    Raises:
        InvalidInputError: It is neither, a datetime without a time zone, or beyond the calendar's end.
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
        """Whether nothing of the day `today` (in UTC) is covered any more."""
        return dt.datetime.combine(today, dt.time(), dt.UTC) >= self.moment


def combined(conditions: Iterable[Condition], action: Action) -> tuple[Clause, ...]:
    """All clauses for one action.

    Raises:
        InvalidInputError: Two conditions use the same operator and key: side by side they would widen each other.
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
    """Check that values are texts, at least one, and none of them empty.

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
