"""Sets of actions in metadata: a name, and which actions go where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from tableguard.aws.dynamodb import ACTIONS
from tableguard.policy.access import TABLE, Access
from tableguard.policy.documents import Json
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.metadata.source import MalformedMetadataError, Source
from tableguard.policy.perimeter.restricted_actions import RestrictedActions, Side

_TABLE: Final = "table"
_SIDES: Final = {side.value: side for side in Side}


def access_json(access: Access) -> Json:
    """An access as metadata says it.

    Args:
        access: The access.
    """
    targets = {
        target.removeprefix("/") or _TABLE: [action.name for action in actions]
        for target, actions in access.by_target.items()
    }
    return _json(access.name, targets)


def read_access(source: Source) -> Access:
    """An access that metadata speaks of.

    Args:
        source: What it says.

    Raises:
        MalformedMetadataError: It is not what `access_json` writes, or names an action that this release does not know.
    """
    pairs = [(TABLE if target == _TABLE else f"/{target}", action) for target, action in _pairs(source)]
    try:
        return Access(source.needed("name"), frozenset(pairs))
    except InvalidInputError as error:
        raise MalformedMetadataError(f"{source.at}: {error.what} {error.value!r}") from None


def restricted_actions_json(actions: RestrictedActions) -> Json:
    """What an exemption is for, as metadata says it.

    Args:
        actions: The actions.
    """
    targets = {
        side.value: sorted(action for at, action in actions.permissions if at is side)
        for side in Side
        if any(at is side for at, _ in actions.permissions)
    }
    return _json(actions.name, targets)


def read_restricted_actions(source: Source) -> RestrictedActions:
    """What metadata says that an exemption is for.

    Args:
        source: What it says.

    Raises:
        MalformedMetadataError: It is not what `restricted_actions_json` writes, or names an action that this release
            does not know.
    """
    found: set[tuple[Side, str]] = set()
    for side, action in _pairs(source):
        if side not in _SIDES or action not in ACTIONS:
            raise MalformedMetadataError(f"{source.at}: {action!r} at {side!r}")
        found.add((_SIDES[side], action))
    try:
        return RestrictedActions(source.needed("name"), frozenset(found))
    except InvalidInputError as error:
        raise MalformedMetadataError(f"{source.at}: {error.what}") from None


def _json(name: str, targets: Mapping[str, Iterable[str]]) -> Json:
    # A list, since the name of an index may be known at deployment only, and such a value is no key of an object.
    listed = [{"target": target, "actions": list(actions)} for target, actions in targets.items()]
    return {"name": name, "permissions": listed}


def _pairs(source: Source) -> Iterator[tuple[str, str]]:
    for each in source.objects("permissions"):
        actions, _ = each.texts("actions")
        yield from ((each.needed("target"), action) for action in actions)
