"""How an action of a service is classified: what it is for, and what it can do to data.

Restrictions, guardrails, rules and the columns of the review are derived from this, so an action without a
classification must not exist: both fields are required, and `tests/unit/aws` compares the tables with what AWS
publishes.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar


class Category(enum.Enum):
    """What an action is for. One action has one."""

    READ = "read"
    WRITE = "write"
    STREAM = "stream"
    POLICY = "policy"
    DELETE = "delete"
    EXPORT = "export"
    BACKUP = "backup"
    RESTORE = "restore"
    REPLICATE = "replicate"
    KINESIS = "kinesis"
    SETTINGS = "settings"
    TAGS = "tags"
    OTHER = "other"
    """Of the account, of a service, or of something that holds no items."""


class Effect(enum.Enum):
    """What an action can do to items and to what guards them. One action can have several."""

    REVEALS_ITEMS = "reveals items"
    """To the caller: whole, in part, or their keys alone. Objects of a bucket and clear text of a key count, too."""
    CHANGES_ITEMS = "changes items"
    """Puts, changes or deletes them; deleting what holds them included."""
    MOVES_ITEMS_OUT = "moves items out of the table"
    """To a place that the caller names."""
    MAKES_COPY = "makes a copy without the table's policy"
    CHANGES_ACCESS = "changes who may do what"
    CHANGES_PROTECTION = "changes or removes protection"
    """Against loss: recovery, deletion protection, locks, retention, encryption, replicas, backups, logs."""
    HARMLESS = "harmless"
    """None of the others: it looks at settings, or costs money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAction:
    """One action of a service, classified.

    Args:
        service: The service prefix, as in "dynamodb".
        name: The action without that prefix, as IAM spells it.
        category: What it is for.
        effects: What it can do; `{Effect.HARMLESS}` for nothing of all that. What AWS documents nowhere counts as done.
        resources: The kinds of resource that it is authorized on, as the service authorization reference names them;
            empty for an action on the whole account.
        on_all: Whether one request is authorized on every kind of its resources, so that each has to be allowed.

    Raises:
        ValueError: It is not classified, or harmless and something else.
    """

    service: str
    name: str
    category: Category
    effects: frozenset[Effect]
    resources: frozenset[str]
    on_all: bool = False

    def __post_init__(self) -> None:
        decided = isinstance(self.category, Category) and self.effects and all(_are_effects(self.effects))
        if not decided or (Effect.HARMLESS in self.effects and len(self.effects) > 1):
            raise ValueError(
                f"{self.qualified} is not classified: category {self.category!r}, effects {self.effects!r}. Decide in "
                f"constructs/tableguard/aws/{self.service}.py what it is for (one Category) and what it can do to "
                "items (one Effect or more; HARMLESS alone): every refusal follows from that"
            )

    @property
    def qualified(self) -> str:
        """The action as a policy names it."""
        return f"{self.service}:{self.name}"

    @property
    def is_harmless(self) -> bool:
        """Whether it does nothing to items, nor to what guards them."""
        return Effect.HARMLESS in self.effects

    def can(self, *effects: Effect) -> bool:
        """Whether it has one of these effects.

        Args:
            effects: The effects.
        """
        return not self.effects.isdisjoint(effects)


def _are_effects(values: frozenset[object]) -> Iterator[bool]:
    return (isinstance(value, Effect) for value in values)


A = TypeVar("A", bound=ServiceAction)


def classified(
    service: str, names: str, category: Category, *effects: Effect, on: str = "", on_all: bool = False
) -> Iterable[ServiceAction]:
    """Actions that are for the same, can do the same, and are authorized on the same kinds of resources.

    Args:
        service: The service prefix.
        names: The actions' names, between blanks.
        category: What they are for.
        effects: What they can do.
        on: The kinds of resources, between blanks; empty for the whole account.
        on_all: Whether one request is authorized on every kind of them.
    """
    return (
        ServiceAction(
            service=service,
            name=name,
            category=category,
            effects=frozenset(effects),
            resources=frozenset(on.split()),
            on_all=on_all,
        )
        for name in names.split()
    )


def by_name(actions: Iterable[A]) -> Mapping[str, A]:
    """A table of actions by their names without the service prefix, in the order in which they are given.

    Args:
        actions: The actions of one service.

    Raises:
        ValueError: One of them stands there twice.
    """
    table: dict[str, A] = {}
    for action in actions:
        if action.name in table:
            raise ValueError(f"{action.qualified} stands twice in constructs/tableguard/aws/{action.service}.py")
        table[action.name] = action
    return MappingProxyType(table)


def qualified_names(
    table: Mapping[str, A], *effects: Effect, on: str | None = None, but: Collection[Category] = ()
) -> tuple[str, ...]:
    """The actions with one of these effects as a policy names them, in alphabetical order.

    Args:
        table: The actions of a service.
        effects: The effects.
        on: Only actions that are authorized on this kind of resource, or on none where it is empty; all when left out.
        but: No actions of these categories.
    """
    return tuple(
        sorted(
            action.qualified
            for action in table.values()
            if action.can(*effects)
            and action.category not in but
            and (on is None or on in action.resources or not (on or action.resources))
        )
    )
