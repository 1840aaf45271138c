"""What the blueprint of a table is made of: capacity, indexes, and what renders its policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from tableguard.policy import InvalidInputError, TableReference, names
from tableguard.policy.documents import Json
from tableguard.policy.lists import texts_of

_TYPES: Final = ("S", "N", "B")
_PROJECTIONS: Final = ("ALL", "KEYS_ONLY", "INCLUDE")
INSIGHTS: Final = ("ACCESSED_AND_THROTTLED_KEYS", "THROTTLED_KEYS")
"""The modes of CloudWatch Contributor Insights."""
# DynamoDB developer guide, "Multi-attribute keys": only global indexes have more than one of each.
_MOST_KEYS: Final = 4


class PolicyForTarget(Protocol):
    """Renders the policies of a table that is like another one."""

    def statements(self, table: TableReference, *, stream: bool) -> Sequence[Json]:
        """The statements of the policy of a table, or of its stream.

        Args:
            table: The table that the policy is for.
            stream: Whether it is the policy of the stream.
        """


def one_of(what: str, value: object, allowed: Sequence[str]) -> None:
    """Check that a value is one of a few.

    Raises:
        InvalidInputError: It is not.
    """
    if value not in allowed:
        raise InvalidInputError(what, value=value, allowed=", ".join(allowed))


def _units(what: str, *values: object) -> None:
    for value in values:
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise InvalidInputError(what, value=value, allowed="a whole number of units, 1 or more")


def check_key(what: str, key: object, *, least: int, most: int) -> None:
    """Check attributes of a key, with their types.

    Args:
        what: The key, for the message.
        key: Its attributes.
        least: How many it has at least.
        most: How many at most.

    Raises:
        InvalidInputError: It is no such key.
    """
    fits = isinstance(key, Mapping) and least <= len(key) <= most
    if not fits or not all(isinstance(name, str) and name for name in key):  # type: ignore[attr-defined]
        allowed = f"{least} to {most} attributes with their types" if most > 1 else "one attribute with its type"
        raise InvalidInputError(what, value=key, allowed=allowed, fix='For example {"pk": "S"}.')
    for type_ in key.values():  # type: ignore[attr-defined]
        one_of(f"the type of {what}", type_, _TYPES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """How the capacity of a table or of one global index is billed.

    Args:
        read: With `provisioned` the read capacity units; else the most read request units, no limit when left out.
        write: Likewise for writing.
        provisioned: Whether capacity is provisioned; on demand when left out.
        warm_read: Read units a second that the table is ready for at once; what a new table has when left out.
        warm_write: Likewise for writing.

    Raises:
        InvalidInputError: Units that are no positive number, or provisioned capacity without units.
    """

    read: int | None = None
    write: int | None = None
    provisioned: bool = False
    warm_read: int | None = None
    warm_write: int | None = None

    def __post_init__(self) -> None:
        _units("the units of a Capacity", self.read, self.write, self.warm_read, self.warm_write)
        if self.provisioned and (self.read is None or self.write is None):
            raise InvalidInputError(
                "the units of a provisioned Capacity", value=(self.read, self.write), allowed="read and write units"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A secondary index of a restored table.

    Args:
        name: Its name.
        partition_key: Its partition key with the type ("S", "N" or "B"): {"city": "S"}. A global index may have up to
            four attributes. None for a local index, which has the table's.
        sort_key: Its sort key, likewise; none when left out.
        projection: "ALL", "KEYS_ONLY" or "INCLUDE".
        attributes: The attributes that "INCLUDE" includes besides the keys.
        capacity: The capacity of a global index; on demand without a limit when left out.
        contributor_insights: The mode of CloudWatch Contributor Insights; off when left out.

    Raises:
        InvalidInputError: A malformed name or key, or attributes that do not go with the projection.
    """

    name: str
    partition_key: Mapping[str, str] | None = None
    sort_key: Mapping[str, str] = field(default_factory=dict)
    projection: str = "ALL"
    attributes: tuple[str, ...] = ()
    capacity: Capacity = field(default_factory=Capacity)
    contributor_insights: str | None = None

    def __post_init__(self) -> None:
        names.index_name("the name of an Index", self.name)
        if self.partition_key is not None:
            check_key(f"the partition key of index {self.name}", self.partition_key, least=1, most=_MOST_KEYS)
        local = self.partition_key is None
        check_key(f"the sort key of index {self.name}", self.sort_key, least=local, most=1 if local else _MOST_KEYS)
        one_of(f"the projection of index {self.name}", self.projection, _PROJECTIONS)
        object.__setattr__(self, "attributes", texts_of(f"the attributes of index {self.name}", self.attributes))
        if bool(self.attributes) != (self.projection == "INCLUDE"):
            raise InvalidInputError(
                f"the attributes of index {self.name}",
                value=self.attributes,
                allowed='attributes with the projection "INCLUDE", and none without',
            )
        if self.contributor_insights is not None:
            one_of(f"the contributor insights of index {self.name}", self.contributor_insights, INSIGHTS)
