"""Which DynamoDB operations a caller of another account can use at all."""

from __future__ import annotations

from typing import Final

from tableguard.policy.actions import ACTIONS

_WORKING: Final = frozenset(f"dynamodb:{name}".lower() for name, action in ACTIONS.items() if action.across_accounts)


def works_across_accounts(action: str) -> bool:
    """Whether it works from another account, given permission on both sides.

    Args:
        action: The action in lower case, with its service. Other services' actions are taken to work; a DynamoDB
            action that nobody knows is taken not to.
    """
    return not action.startswith("dynamodb:") or action in _WORKING
