"""The Principal and NotPrincipal elements of resource policies.

Sources: IAM User Guide, "AWS JSON policy elements: Principal" and "…: NotPrincipal"; "Policy evaluation for requests
within a single account" for how far a grant reaches.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence
from typing import Final

from tableguard.policy.evaluation.arns import split_arn
from tableguard.policy.evaluation.callers import CallerKind, is_account
from tableguard.policy.evaluation.match import MalformedError, Match
from tableguard.policy.evaluation.request import Situation

_UNIQUE_ID: Final = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,124}", re.ASCII)
_HOST: Final = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.ASCII)
_TYPES: Final = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})


class Strength(enum.IntEnum):
    """How much a principal element gives to a caller that it covers.

    ACCOUNT only lets the account delegate: inside the account the identity policies still decide. LIMITED (a role's
    ARN for its sessions) is a grant that boundary and session policy can hold back by silence. DIRECT (the session's or
    user's own ARN, a service, everybody) is held back by neither.
    """

    NONE = 0
    ACCOUNT = 1
    LIMITED = 2
    DIRECT = 3


class PrincipalElement:
    """A compiled Principal or NotPrincipal.

    Args:
        element: The element as it stands in the document.

    Raises:
        MalformedError: If any part of it is not understood.
    """

    __slots__ = ("_accounts", "_anyone", "_arns", "_canonical", "_federated", "_ids", "_roles", "_services")

    def __init__(self, element: object) -> None:
        self._anyone = False
        self._canonical = False
        self._accounts: set[str] = set()
        self._arns: set[str] = set()
        self._roles: set[tuple[str, str, str]] = set()
        self._ids: list[str] = []
        self._services: set[str] = set()
        self._federated: set[str] = set()
        if element == "*":
            self._anyone = True
            return
        if not isinstance(element, Mapping) or not element:
            raise MalformedError("a principal is neither '*' nor an object")
        for kind, value in element.items():
            if kind not in _TYPES:
                raise MalformedError(f"{kind!r} is no kind of principal")
            for text in value if isinstance(value, (list, tuple)) and value else [value]:
                if not isinstance(text, str) or not text:
                    raise MalformedError(f"the principal {text!r} is no text")
                self._add(kind, text)

    def _add(self, kind: str, text: str) -> None:
        if kind == "AWS":
            self._add_aws(text)
        elif kind == "Service" and _HOST.fullmatch(text.lower()):
            self._services.add(text.lower())
        elif kind == "Federated" and "*" not in text and "?" not in text:
            self._federated.add(text)
        elif kind == "CanonicalUser" and "*" not in text:
            self._canonical = True
        else:
            raise MalformedError(f"{text!r} is no {kind} principal")

    def _add_aws(self, text: str) -> None:
        if text == "*":
            self._anyone = True
            return
        if is_account(text):
            self._accounts.add(text)
            return
        if _UNIQUE_ID.fullmatch(text):
            self._ids.append(text)
            return
        segments = split_arn(text)
        if segments is None or not is_account(segments[4]) or segments[3] or "*" in text or "?" in text:
            raise MalformedError(f"{text!r} is no AWS principal")
        _, partition, service, _, account, resource = segments
        kind, _, path = resource.partition("/")
        if service == "iam" and resource == "root":
            self._accounts.add(account)
        elif (service, kind) in _NAMED and path:
            self._arns.add(text)
            if kind == "role":
                self._roles.add((partition, account, path.rpartition("/")[2]))
        else:
            raise MalformedError(f"{text!r} is no AWS principal")

    def strength(self, situation: Situation) -> Strength:
        """The most that it gives to the caller."""
        caller = situation.caller
        kind = caller.kind
        if self._anyone:
            return Strength.DIRECT
        if kind is CallerKind.SERVICE:
            return Strength.DIRECT if caller.text in self._services else Strength.NONE
        if caller.text in self._arns:
            return Strength.LIMITED if kind is CallerKind.ROLE else Strength.DIRECT
        if kind is CallerKind.ROOT and caller.account in self._accounts:
            return Strength.DIRECT
        if self._names_origin(situation):
            return Strength.LIMITED
        return Strength.ACCOUNT if caller.account in self._accounts else Strength.NONE

    def _names_origin(self, situation: Situation) -> bool:
        """Whether it names the role, user or identity provider that the caller's session comes from."""
        caller = situation.caller
        if situation.role_arn is not None:
            named = situation.role_arn in self._arns
        elif caller.kind is CallerKind.ROLE_SESSION:
            # Role names are unique in an account whatever their path, and a session's ARN lacks the path.
            named = (caller.partition, caller.account, caller.name) in self._roles
        else:
            named = situation.federated_by is not None and situation.federated_by in self._arns
        if named:
            return True
        if self._federated and not self._federated.isdisjoint(situation.context.get("aws:federatedprovider", ())):
            return True
        return any(_is_of(situation.context.get("aws:userid", ()), unique) for unique in self._ids)

    def covers(self, situation: Situation) -> Match:
        """Whether it covers the caller, as a Principal element."""
        if self.strength(situation) is not Strength.NONE:
            return True
        # Nothing tells which account a canonical user id belongs to.
        return None if self._canonical else False

    def leaves_out(self, situation: Situation) -> Match:
        """Whether the caller is among the others, as for a NotPrincipal element of a Deny.

        A user or role is spared only when it and its account are both named; the account alone spares just its root
        user. With the caller named and its account not, AWS "might" deny: that cannot be told.
        """
        caller = situation.caller
        strength = self.strength(situation)
        if strength is Strength.NONE:
            return None if self._canonical else True
        if strength is Strength.ACCOUNT:
            return True
        if self._anyone or caller.account is None or caller.kind is CallerKind.ROOT:
            return False
        if caller.account not in self._accounts:
            return None
        if caller.kind is CallerKind.ROLE_SESSION and not self._names_origin(situation):
            return None
        return False


_NAMED: Final = frozenset({("iam", "user"), ("iam", "role"), ("sts", "assumed-role"), ("sts", "federated-user")})


def _is_of(userids: Sequence[str], unique: str) -> bool:
    return any(userid == unique or userid.startswith(unique + ":") for userid in userids)
