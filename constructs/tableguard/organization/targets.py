"""The targets that an SCP or RCP can be attached to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from tableguard.policy import InvalidInputError
from tableguard.policy.lists import texts_of
from tableguard.policy.names import account_id
from tableguard.policy.tokens import is_unresolved

_ACCOUNT: Final = re.compile(r"\d{12}", re.ASCII)
_LEVEL: Final = re.compile(r"ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|r-[a-z0-9]{4,32}", re.ASCII)


def is_account(target: str) -> bool:
    """Whether a target is an account, and not a root, a unit, or a value that is known only at deployment."""
    return _ACCOUNT.fullmatch(target) is not None


def targets_of(owner: str, values: object) -> tuple[str, ...]:
    """Check targets.

    Args:
        owner: The policy, for messages.
        values: The list of targets.

    Raises:
        InvalidInputError: The list is empty, or a target is malformed or listed twice.
    """
    what = f"the targets of {owner}"
    targets = texts_of(what, values)
    if not targets:
        raise InvalidInputError(
            what,
            value=targets,
            allowed="at least one",
            fix="To get the JSON without attaching it, pass the targets nevertheless and use `documents`, or run "
            "`tableguard policies` on the assembly.",
        )
    for target in targets:
        known = isinstance(target, str) and (is_unresolved(target) or is_account(target) or _LEVEL.fullmatch(target))
        if not known:
            raise InvalidInputError(
                f"a target of {owner}",
                value=target,
                allowed='an account\'s 12 digits, a unit such as "ou-ab12-11111111" or a root such as "r-ab12"',
                fix="Pass the unit's own id, without the path above it." if str(target).startswith("o-") else "",
            )
    if len(set(targets)) < len(targets):
        raise InvalidInputError(what, value=list(targets), allowed="each target once")
    return targets


def bound_accounts(owner: str, targets: Sequence[str], accounts: object) -> tuple[str, ...] | None:
    """Return all accounts that a policy applies to; None if they are not known.

    Args:
        owner: The policy, for messages.
        targets: What the policy is attached to.
        accounts: All accounts below the targets, as the user passed them; None when left out.

    Returns:
        None if a target is a unit or root and `accounts` is left out.

    Raises:
        InvalidInputError: An account is malformed, or a target is not among the accounts.
    """
    if accounts is None:
        return tuple(targets) if all(map(is_account, targets)) else None
    found = tuple(
        account_id(f"an account of {owner}", value) for value in texts_of(f"the accounts of {owner}", accounts)
    )
    missing = [target for target in targets if is_account(target) and target not in found]
    if missing or not found:
        raise InvalidInputError(
            f"the accounts of {owner}",
            value=list(found),
            allowed="all accounts that the targets hold, the targets themselves included",
            fix=f"Add {', '.join(missing)}." if missing else "",
        )
    return found
