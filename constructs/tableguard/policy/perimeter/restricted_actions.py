"""The actions that a perimeter restricts: on items, and actions that move data out or open the table.

With a stolen credential, an attacker could not only read items but also export them to another bucket, restore a copy
without a policy, add a replica or a Kinesis stream, or remove the restriction from the policy. So all these are
restricted. Settings are not, so that a mistake can be corrected: UpdateTable, Describe…, DeleteTable and tags. A caller
outside can still:
- turn the stream off and on (the new stream has no policy), change throughput, indexes and encryption, and delete a
  table without deletion protection: guardrails deny these
- turn on Contributor Insights, whose reports show keys of items: `settings_too` denies that.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Final

from tableguard.aws.actions import Category, Effect
from tableguard.aws.dynamodb import ACTIONS, SERVICE, Resource, ResourcePolicySupport, actions_that
from tableguard.policy import names
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.representation import in_order, union


class Side(enum.Enum):
    """Where an action of a perimeter arrives."""

    TABLE = "table"
    """A table and its indexes."""
    STREAM = "stream"
    NEW_TABLE = "new table"
    """A table that a restore or a new replica fills. It has no policy yet, so only an SCP, an RCP or an identity policy
    can deny the action."""


_LARGEST: Final = (
    "ALL", "DEPLOYMENT", "ITEMS", "STREAM", "EXPORT", "BACKUP", "RESTORE", "NEW_COPY", "REPLICATE", "KINESIS", "POLICY",
    "SETTINGS",
)  # fmt: skip
"""The constants, so that none comes after one that it is made of."""
_NAMES: Final = (
    "every restricted action", "deployment", "items", "stream", "export", "backup", "restore", "new copy", "replicate",
    "kinesis", "policy", "settings",
)  # fmt: skip
_FACTORIES: Final = {Side.TABLE: "on_table", Side.STREAM: "on_stream"}


@dataclass(frozen=True, slots=True)
class RestrictedActions:
    """A named set of actions that a perimeter restricts: a constant, several joined with `|`, or `on_table(…)`.

    Two sets with the same actions are equal, even if their names differ.

    Args:
        name: The name in messages and reports.
        permissions: Pairs of a side (the resource that is asked) and an action's name without the service prefix.

    Raises:
        InvalidInputError: No permission, or one that no perimeter restricts.
    """

    name: str = field(compare=False)
    permissions: frozenset[tuple[Side, str]]

    ITEMS: ClassVar[RestrictedActions]
    """All reads and writes of items: of a table or its indexes, by PartiQL, by vector, in bulk."""
    STREAM: ClassVar[RestrictedActions]
    """The records of the stream."""
    EXPORT: ClassVar[RestrictedActions]
    """Exports to S3, into any bucket that the caller may write to."""
    BACKUP: ClassVar[RestrictedActions]
    """On-demand backups, including those of AWS Backup: the first step of a copy to another place."""
    RESTORE: ClassVar[RestrictedActions]
    """Restores: the copy has no policy. A table's policy cannot deny restores from a backup."""
    NEW_COPY: ClassVar[RestrictedActions]
    """Items of a table that is just being filled by a restore or as a replica: DynamoDB asks whether the caller may
    read and write the new table. Source: DynamoDB developer guide, "Using IAM with DynamoDB backup and restore" and
    "Using IAM with DynamoDB global tables"."""
    REPLICATE: ClassVar[RestrictedActions]
    """New replicas."""
    KINESIS: ClassVar[RestrictedActions]
    """Kinesis streams as a destination of every change."""
    POLICY: ClassVar[RestrictedActions]
    """Changes to the policies of table and stream, which contain the restriction itself."""
    ALL: ClassVar[RestrictedActions]
    """All of them."""
    SETTINGS: ClassVar[RestrictedActions]
    """All other actions on a table: reading and changing its settings, tags and deletion. A perimeter does not restrict
    them unless `settings_too` is set."""
    DEPLOYMENT: ClassVar[RestrictedActions]
    """What CloudFormation does to a table that a template describes. It reads no item. Where it makes replicas under an
    SCP or RCP that restricts, add `NEW_COPY`: those cannot tell a new table from the others, so that role may then read
    and write items in their eyes; the tables' own policies still deny it."""

    def __repr__(self) -> str:
        named, others = union(
            "RestrictedActions",
            {name: getattr(RestrictedActions, name).permissions for name in _LARGEST},
            self.permissions,
        )
        made = {
            call: ", ".join(repr(action) for action in sorted(action for at, action in others if at is side))
            for side, call in _FACTORIES.items()
        }
        custom = [f"RestrictedActions.{call}({actions})" for call, actions in made.items() if actions]
        rest = sorted(action for side, action in others if side not in _FACTORIES)
        pairs = ", ".join(f"(Side.NEW_TABLE, {action!r})" for action in rest)
        return " | ".join((*named, *custom, *([f"RestrictedActions({self.name!r}, {{{pairs}}})"] if rest else [])))

    def __post_init__(self) -> None:
        if not self.permissions:
            raise InvalidInputError(f"the restricted actions {self.name!r}", value=(), allowed="at least one action")

    @staticmethod
    def on_table(*actions: str) -> RestrictedActions:
        """Restrict these actions on the table and its indexes.

        Args:
            actions: Exact names ("Query" or "dynamodb:Query").

        Raises:
            InvalidInputError: An action that a perimeter does not restrict there.
        """
        return _custom(Side.TABLE, actions)

    @staticmethod
    def on_stream(*actions: str) -> RestrictedActions:
        """Restrict these actions on the stream.

        Args:
            actions: Exact names ("GetRecords" or "dynamodb:GetRecords").

        Raises:
            InvalidInputError: An action that a perimeter does not restrict there.
        """
        return _custom(Side.STREAM, actions)

    def __or__(self, other: RestrictedActions) -> RestrictedActions:
        if not isinstance(other, RestrictedActions):
            raise InvalidInputError(
                "what is joined to RestrictedActions actions with |",
                value=other,
                allowed="others, such as RestrictedActions.EXPORT",
            )
        # The order of joining must not change the name, since templates contain it.
        parts = in_order((*self.name.split(" + "), *other.name.split(" + ")), _NAMES)
        return RestrictedActions(" + ".join(parts), self.permissions | other.permissions)

    def covers(self, action: str, *sides: Side) -> bool:
        """Whether the set has an action at one of these sides."""
        return any((side, action) in self.permissions for side in sides)


@dataclass(frozen=True, slots=True)
class Part:
    """One of the sets that `RestrictedActions.ALL` is made of, for the names of statements."""

    name: str
    actions: RestrictedActions


def _part(name: str, category: Category, *effects: Effect) -> RestrictedActions:
    """What is for something and has one of these effects: at tables, and at streams where it goes to streams alone."""
    return RestrictedActions(
        name,
        frozenset(
            (side, action.name)
            for action in actions_that(*effects, category=category)
            if not action.by_service
            for side, resource in _AT.items()
            if resource in action.resources
        ),
    )


_AT: Final = {Side.TABLE: Resource.TABLE, Side.STREAM: Resource.STREAM}
_DATA: Final = (Effect.REVEALS_ITEMS, Effect.CHANGES_ITEMS)
# What DynamoDB asks for on the table that a restore or a replica fills.
_FILLING: Final = "BatchWriteItem DeleteItem GetItem PutItem Query Scan UpdateItem"

RestrictedActions.ITEMS = RestrictedActions(
    "items",
    (_part("reads", Category.READ, *_DATA) | _part("writes", Category.WRITE, *_DATA)).permissions,
)
RestrictedActions.STREAM = _part("stream", Category.STREAM, *_DATA)
RestrictedActions.EXPORT = _part("export", Category.EXPORT, Effect.MOVES_ITEMS_OUT)
RestrictedActions.BACKUP = _part("backup", Category.BACKUP, Effect.MAKES_COPY)
RestrictedActions.RESTORE = _part("restore", Category.RESTORE, Effect.MAKES_COPY)
RestrictedActions.NEW_COPY = RestrictedActions(
    "new copy", frozenset((Side.NEW_TABLE, action) for action in _FILLING.split())
)
# CreateGlobalTable and UpdateGlobalTable make the replicas of 2017: out of reach of a table's policy.
RestrictedActions.REPLICATE = _part("replicate", Category.REPLICATE, Effect.MAKES_COPY)
RestrictedActions.KINESIS = _part("kinesis", Category.KINESIS, Effect.MOVES_ITEMS_OUT)
RestrictedActions.POLICY = _part("policy", Category.POLICY, Effect.CHANGES_ACCESS)
_MOVING: Final = (
    RestrictedActions.EXPORT
    | RestrictedActions.BACKUP
    | RestrictedActions.RESTORE
    | RestrictedActions.REPLICATE
    | RestrictedActions.KINESIS
    | RestrictedActions.POLICY
)
RestrictedActions.ALL = RestrictedActions(
    "every restricted action",
    (RestrictedActions.ITEMS | RestrictedActions.STREAM | RestrictedActions.NEW_COPY | _MOVING).permissions,
)
RestrictedActions.DEPLOYMENT = RestrictedActions(
    "deployment", (RestrictedActions.REPLICATE | RestrictedActions.KINESIS | RestrictedActions.POLICY).permissions
)
RestrictedActions.SETTINGS = RestrictedActions(
    "settings",
    frozenset(
        (side, action.name)
        for action in ACTIONS.values()
        for side, resource in _AT.items()
        if resource in action.resources
        and action.resource_policy is not ResourcePolicySupport.IDENTITY_ONLY
        and not action.by_service
        and not RestrictedActions.ALL.covers(action.name, *Side)
        # Looking at a stream stays open: whoever polls it does, and is exempt for its records alone.
        and not (side is Side.STREAM and action.is_harmless)
    ),
)

PARTS: Final = (
    Part("Items", RestrictedActions.ITEMS),
    Part("Stream", RestrictedActions.STREAM),
    Part("Export", RestrictedActions.EXPORT),
    Part("Backup", RestrictedActions.BACKUP),
    Part("Restore", RestrictedActions.RESTORE),
    Part("Replicate", RestrictedActions.REPLICATE),
    Part("Kinesis", RestrictedActions.KINESIS),
    Part("Policy", RestrictedActions.POLICY),
    Part("Settings", RestrictedActions.SETTINGS),
)
"""What can be restricted, in the order in which statements name it."""


def parts_of(actions: Collection[str], *sides: Side) -> str:
    """The names of the parts that actions belong to, one after the other, for the name of a statement.

    Args:
        actions: Their names without the service prefix.
        sides: Where they arrive.
    """
    return "".join(part.name for part in PARTS if any(part.actions.covers(action, *sides) for action in actions))


def restricted_at(side: Side, *, settings: bool) -> tuple[str, ...]:
    """Return the actions that the policy of a table or stream can restrict, in a fixed order.

    Args:
        side: `Side.TABLE` or `Side.STREAM`.
        settings: Whether settings are restricted as well.
    """
    return tuple(
        action
        for part in PARTS
        if settings or part.actions is not RestrictedActions.SETTINGS
        for restricted_side, action in sorted(part.actions.permissions, key=lambda pair: pair[1])
        if restricted_side is side and ACTIONS[action].resource_policy is not ResourcePolicySupport.IDENTITY_ONLY
    )


def restricted_anywhere(*, settings: bool) -> tuple[str, ...]:
    """Return all restricted actions, each once, in a fixed order, for policies that are not of one resource.

    Args:
        settings: Whether settings are restricted as well.
    """
    return tuple(
        dict.fromkeys(
            action
            for part in PARTS
            if settings or part.actions is not RestrictedActions.SETTINGS
            for action in sorted({name for _, name in part.actions.permissions})
        )
    )


def _custom(side: Side, actions: Iterable[str]) -> RestrictedActions:
    bare = tuple(dict.fromkeys(str(action).removeprefix(f"{SERVICE}:") for action in actions))
    known = sorted({action for part in PARTS for s, action in part.actions.permissions if s is side})
    for action in bare:
        if action not in known:
            raise InvalidInputError(
                f"a restricted action of the {side.value}",
                value=action,
                allowed=", ".join(known),
                fix=names.suggestion(action, known),
            )
    return RestrictedActions(", ".join(sorted(bare)), frozenset((side, action) for action in bare))
