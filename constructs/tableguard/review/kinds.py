"""The kinds of access that a review tells apart, and which actions are of which kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from tableguard.aws.actions import Category, Effect
from tableguard.aws.dynamodb import ACTIONS, Action, Resource, ResourcePolicySupport
from tableguard.review.picture import Table

_READ, _WRITE, _STREAM, _SETTINGS, _POLICY, _DELETE = "read", "write", "stream", "settings", "policy", "delete"
KINDS: Final = (_READ, _WRITE, _STREAM, _SETTINGS, _POLICY, _DELETE)
"""The kinds of access, in the order in which they are shown."""

_KIND_OF: Final = {
    Category.READ: _READ,
    Category.WRITE: _WRITE,
    Category.STREAM: _STREAM,
    Category.POLICY: _POLICY,
    Category.DELETE: _DELETE,
}


def _kind(action: Action) -> str:
    """The kind of an action. Whatever is nowhere else is a setting."""
    if action.category is Category.EXPORT and action.can(Effect.MOVES_ITEMS_OUT):
        return _READ  # all items at once, into a bucket
    if action.category is Category.REPLICATE and action.can(Effect.CHANGES_ITEMS):
        return _DELETE  # a whole replica
    return _KIND_OF.get(action.category, _SETTINGS)


def _of_tables(action: Action) -> bool:
    """Whether it is about a table that is there, not about making one or about the account."""
    return (
        bool(action.resources & {Resource.TABLE, Resource.STREAM})
        and action.resource_policy is not ResourcePolicySupport.IDENTITY_ONLY
    )


ACTIONS_OF: Final[Mapping[str, tuple[Action, ...]]] = MappingProxyType(
    {kind: tuple(a for a in ACTIONS.values() if _of_tables(a) and _kind(a) == kind) for kind in KINDS}
)
"""The actions of each kind."""


def resources_of(action: Action, table: Table) -> Iterator[str]:
    """The ARNs of a table that requests for an action may go to.

    Args:
        action: The action.
        table: The table.
    """
    if Resource.TABLE in action.resources:
        yield table.arn
    if Resource.INDEX in action.resources:
        yield from (f"{table.arn}/index/{index}" for index in table.indexes)
    if Resource.STREAM in action.resources and table.has_stream:
        yield table.stream_arn
