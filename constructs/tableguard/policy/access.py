"""What a grant allows: sets of actions, each with the resource that it is authorized on.

A statement on a table's ARN does not cover its indexes or its stream, and stream actions in a table's policy fail the
deployment. So an access holds the resource of each action.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import ClassVar, Final

from tableguard.aws.dynamodb import ACTIONS, SERVICE, Action, Resource
from tableguard.policy import names
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.lists import listed
from tableguard.policy.representation import in_order, union

TABLE: Final = ""
"""The target of actions on the table itself. Targets are what follows the table's ARN."""
ALL_INDEXES: Final = "/index/*"
STREAM: Final = "/stream/*"
_INDEX: Final = ALL_INDEXES.removesuffix("*")
_CONSTANTS: Final = ("READ", "READ_ITEMS", "WRITE", "READ_WRITE", "STREAM", "SETTINGS")
_LARGEST: Final = ("READ_WRITE", "READ", "WRITE", "READ_ITEMS", "STREAM", "SETTINGS")
"""The constants by name, the largest first, so that none comes after one that it contains."""
_INSTEAD_OF_NAMES: Final = "Actions by name: Access.on_table(…), Access.on_index(…), Access.on_stream(…)."


@dataclass(frozen=True, slots=True)
class Access:
    """A named set of DynamoDB actions. Use one of the constants, `query`, or `on_table`, `on_index`, `on_stream`.

    Join accesses with `|`: `Access.query(index="by-date") | Access.STREAM`. Two accesses with the same actions are
    equal, even if their names differ.

    Args:
        name: The name in messages and reports.
        permissions: Pairs of a target (what follows the table's ARN) and an action's name, in any collection.

    Raises:
        InvalidInputError: A wrong type, no permission, or an action that does not exist or does not work on its target.
    """

    name: str = field(compare=False)
    permissions: frozenset[tuple[str, str]]

    def __repr__(self) -> str:
        named, others = union(
            "Access", {name: getattr(Access, name).permissions for name in _LARGEST}, self.permissions
        )
        known = in_order(named, (f"Access.{name}" for name in _CONSTANTS))
        targets = _by_target(frozenset(others))
        return " | ".join((*known, *(_made_by(target, actions) for target, actions in targets.items())))

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise InvalidInputError("the name of an Access", value=self.name, allowed="a string")
        object.__setattr__(
            self, "permissions", _pairs(f"the permissions of the access {self.name!r}", self.permissions)
        )
        if not self.permissions:
            raise InvalidInputError(f"the access {self.name!r}", value=(), allowed="at least one action")
        for target, action in sorted(self.permissions):
            _check(action, _resource(target))

    READ: ClassVar[Access]
    """Read items by key, query and scan them, in the table and in all its indexes, and describe the table."""
    READ_ITEMS: ClassVar[Access]
    """Read items by key and query them, in the table and in all its indexes: reads that `LeadingKeys` can narrow."""
    WRITE: ClassVar[Access]
    """Put, update and delete items, in batches and transactions too, and describe the table."""
    READ_WRITE: ClassVar[Access]
    """READ and WRITE."""
    STREAM: ClassVar[Access]
    """Read the table's stream."""
    SETTINGS: ClassVar[Access]
    """Describe and update the table, without reading items. No condition key narrows UpdateTable: besides throughput,
    it changes indexes, stream, deletion protection and encryption."""

    @staticmethod
    def query(*, index: str | None = None) -> Access:
        """Query one index, or the table without its indexes.

        Args:
            index: The index; the table itself when left out.

        Raises:
            InvalidInputError: The index name is malformed.
        """
        if index is None:
            return Access("query", frozenset({(TABLE, "Query")}))
        return Access(f"query {index}", frozenset({(_index_target(index), "Query")}))

    @staticmethod
    def on_table(*actions: str) -> Access:
        """Allow these actions on the table itself.

        Args:
            actions: Exact names ("GetItem" or "dynamodb:GetItem"), at least one, no patterns.

        Raises:
            InvalidInputError: No action, or one that does not exist or does not work on a table.
        """
        return _custom(actions, TABLE)

    @staticmethod
    def on_index(*actions: str, index: str | None = None) -> Access:
        """Allow these actions on one index, or on all indexes.

        Args:
            actions: Exact names ("Query" or "dynamodb:Query"), at least one, no patterns.
            index: The index; all indexes when left out.

        Raises:
            InvalidInputError: No action, or one that does not exist or does not work on an index.
        """
        return _custom(actions, ALL_INDEXES if index is None else _index_target(index))

    @staticmethod
    def on_stream(*actions: str) -> Access:
        """Allow these actions on the table's stream.

        Args:
            actions: Exact names ("GetRecords" or "dynamodb:GetRecords"), at least one, no patterns.

        Raises:
            InvalidInputError: No action, or one that does not exist or does not work on a stream.
        """
        return _custom(actions, STREAM)

    def __or__(self, other: Access) -> Access:
        if not isinstance(other, Access):
            raise InvalidInputError(
                "what is joined to an Access with |",
                value=other,
                allowed="another Access, such as Access.STREAM",
                fix=_INSTEAD_OF_NAMES if isinstance(other, str) else "",
            )
        # The order of joining must not change the name, since templates contain it.
        parts = in_order((*self.name.split(" + "), *other.name.split(" + ")), _CONSTANTS)
        return Access(" + ".join(parts), self.permissions | other.permissions)

    @property
    def by_target(self) -> Mapping[str, tuple[Action, ...]]:
        """The actions per target, both in a fixed order."""
        return _by_target(self.permissions)

    @property
    def actions(self) -> tuple[Action, ...]:
        """All actions, each once, sorted by name."""
        return tuple(ACTIONS[name] for name in sorted({action for _, action in self.permissions}))

    @property
    def indexes(self) -> tuple[str, ...]:
        """The names of the indexes that it names."""
        return tuple(sorted({t.removeprefix(_INDEX) for t, _ in self.permissions if t.startswith(_INDEX)} - {"*"}))

    @property
    def reads_stream(self) -> bool:
        """Whether it has actions on the table's stream."""
        return any(target == STREAM for target, _ in self.permissions)

    @property
    def reaches_table(self) -> bool:
        """Whether it has actions on the table or an index, which the table's policy covers."""
        return any(target != STREAM for target, _ in self.permissions)


def _made_by(target: str, actions: Iterable[Action]) -> str:
    """The call that makes an access to a target."""
    listed_ = ", ".join(repr(action.name) for action in actions)
    if target in (TABLE, STREAM):
        return f"Access.{'on_table' if target == TABLE else 'on_stream'}({listed_})"
    index = "" if target == ALL_INDEXES else f", index={target.removeprefix(_INDEX)!r}"
    return f"Access.on_index({listed_}{index})"


@lru_cache(maxsize=1024)
def _by_target(permissions: frozenset[tuple[str, str]]) -> Mapping[str, tuple[Action, ...]]:
    targets: dict[str, list[Action]] = {}
    for target, action in sorted(permissions):
        targets.setdefault(target, []).append(ACTIONS[action])
    return MappingProxyType({target: tuple(actions) for target, actions in targets.items()})


def _pairs(what: str, permissions: object) -> frozenset[tuple[str, str]]:
    allowed = 'pairs of a target and an action, such as ("", "GetItem")'
    pairs = listed(what, permissions, allowed=allowed, fix=_INSTEAD_OF_NAMES)
    for pair in pairs:
        match pair:
            case (str(), str()) if isinstance(pair, tuple):
                continue
        raise InvalidInputError(what, value=pair, allowed=allowed, fix=_INSTEAD_OF_NAMES)
    return frozenset(pairs)


def _index_target(index: str) -> str:
    return f"{_INDEX}{names.index_name('the index of an Access', index)}"


def _resource(target: str) -> Resource:
    if target == TABLE:
        return Resource.TABLE
    if target == STREAM:
        return Resource.STREAM
    if not target.startswith(_INDEX):
        allowed = f"{TABLE!r}, {STREAM!r}, {ALL_INDEXES!r} or '{_INDEX}NAME'"
        raise InvalidInputError("the target of an Access", value=target, allowed=allowed)
    if target != ALL_INDEXES:
        names.index_name("the index of an Access", target.removeprefix(_INDEX))
    return Resource.INDEX


def _custom(actions: Iterable[str], target: str) -> Access:
    bare = tuple(dict.fromkeys(str(action).removeprefix(f"{SERVICE}:") for action in actions))
    return Access(", ".join(sorted(bare)), frozenset((target, action) for action in bare))


def _check(name: str, resource: Resource) -> None:
    action = ACTIONS.get(name)
    if action is None:
        allowed = 'the name of a DynamoDB action, such as "GetItem"'
        raise InvalidInputError("an action", value=name, allowed=allowed, fix=_instead_of(name))
    if resource not in action.resources:
        works_on = ", ".join(sorted(r.value for r in action.resources)) or "the whole account"
        raise InvalidInputError(
            f"an action on the {resource.value}",
            value=name,
            allowed=f"actions that work on it; {name} works on: {works_on}",
        )


def _instead_of(unknown: str) -> str:
    if "*" in unknown or "?" in unknown:
        return "List the actions: a pattern would also allow actions that AWS adds later."
    if unknown in ("TransactGetItems", "TransactWriteItems"):
        return "Transactions are authorized by GetItem, PutItem, UpdateItem, DeleteItem and ConditionCheckItem."
    return names.suggestion(unknown, ACTIONS)


def _named(name: str, *sets: tuple[str, str]) -> Access:
    return Access(name, frozenset((target, action) for target, actions in sets for action in actions.split()))


# READ and WRITE have ConditionCheckItem: it reads an item in a transaction, and writers' transactions need it too.
# Left out on purpose: PartiQL does not work across accounts; for SearchVectors, that is not documented.
Access.READ = _named(
    "READ", (TABLE, "BatchGetItem ConditionCheckItem DescribeTable GetItem Query Scan"), (ALL_INDEXES, "Query Scan")
)
# Without Scan, which reads every partition, and DescribeTable, which names none.
Access.READ_ITEMS = _named(
    "READ_ITEMS", (TABLE, "BatchGetItem ConditionCheckItem GetItem Query"), (ALL_INDEXES, "Query")
)
# Without any action on indexes, which are never written to.
Access.WRITE = _named("WRITE", (TABLE, "BatchWriteItem ConditionCheckItem DeleteItem DescribeTable PutItem UpdateItem"))
Access.READ_WRITE = Access("READ_WRITE", (Access.READ | Access.WRITE).permissions)
# Without ListStreams, which is an action on the account and does not work across accounts.
Access.STREAM = _named("STREAM", (STREAM, "DescribeStream GetRecords GetShardIterator"))
# Without UpdateTimeToLive, which can delete items, and without actions that work only in the table's own account.
Access.SETTINGS = _named("SETTINGS", (TABLE, "DescribeTable UpdateTable"))
