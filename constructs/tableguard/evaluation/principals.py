"""The Principal and NotPrincipal elements of resource policies.

Sources: IAM User Guide, "AWS JSON policy elements: Principal" and "…: NotPrincipal"; "Policy evaluation for requests
within a single account" for how far a grant reaches.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from typing import Final

from tableguard.evaluation.arns import split_arn
from tableguard.evaluation.callers import Caller, CallerKind, is_account
from tableguard.evaluation.match import MalformedError, Match
from tableguard.evaluation.request import Situation
from tableguard.policy.wildcards import container

# Reading a member from its enumeration takes as long as the rest of a comparison.
_SERVICE: Final = CallerKind.SERVICE
_ROLE_SESSION: Final = CallerKind.ROLE_SESSION
_ROLE: Final = CallerKind.ROLE
_ROOT: Final = CallerKind.ROOT
_UNIQUE_ID: Final = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,124}", re.ASCII)
_HOST: Final = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.ASCII)
_NAMED: Final = frozenset({("iam", "user"), ("iam", "role"), ("sts", "assumed-role"), ("sts", "federated-user")})


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


_NONE: Final = Strength.NONE
_ACCOUNT: Final = Strength.ACCOUNT
_LIMITED: Final = Strength.LIMITED
_DIRECT: Final = Strength.DIRECT


class PrincipalElement:
    """A compiled Principal or NotPrincipal.

    Args:
        element: The element as it stands in the document.

    Raises:
        MalformedError: If any part of it is not understood.
    """

    __slots__ = ("_accounts", "_anyone", "_arns", "_canonical", "_federated", "_ids", "_services")

    def __init__(self, element: object) -> None:
        named: dict[str, set[str]] = {}
        if element == "*":
            named["anyone"] = {"*"}
        elif isinstance(element, Mapping) and element:
            for kind, value in element.items():
                for text in value if isinstance(value, (list, tuple)) and value else [value]:
                    if not isinstance(text, str) or not text:
                        raise MalformedError(f"the principal {text!r} is no text")
                    named.setdefault(_set_for(kind, text), set()).add(text)
        else:
            raise MalformedError("a principal is neither '*' nor an object")
        self._anyone = "anyone" in named
        self._canonical = "canonical" in named
        self._accounts = container(set(map(_account_of, named.get("accounts", ()))))
        self._arns = container(named.get("arns", ()))
        self._ids = tuple(named.get("ids", ()))
        self._services = container({text.lower() for text in named.get("services", ())})
        self._federated = container(named.get("federated", ()))

    def strength(self, situation: Situation) -> Strength:
        """The most that it gives to the caller."""
        caller = situation.caller
        kind = caller.kind
        if self._anyone:
            return _DIRECT
        if kind is _SERVICE:
            return _DIRECT if caller.text in self._services else _NONE
        if caller.text in self._arns:
            return _LIMITED if kind is _ROLE else _DIRECT
        if kind is _ROOT and caller.account in self._accounts:
            return _DIRECT
        if self._names_origin(situation):
            return _LIMITED
        return _ACCOUNT if caller.account in self._accounts else _NONE

    def _names_origin(self, situation: Situation) -> bool:
        """Whether it names the role, user or identity provider that the caller's session comes from."""
        caller = situation.caller
        if situation.role_arn is not None:
            named = situation.role_arn in self._arns
        elif caller.kind is _ROLE_SESSION:
            # Role names are unique in an account whatever their path, and a session's ARN lacks the path.
            named = any(_is_role(arn, caller) for arn in self._arns)
        else:
            named = situation.federated_by is not None and situation.federated_by in self._arns
        if named:
            return True
        if self._federated and any(
            provider in self._federated for provider in situation.context.get("aws:federatedprovider", ())
        ):
            return True
        if not self._ids:
            return False
        return any(_is_of(situation.context.get("aws:userid", ()), unique) for unique in self._ids)

    def covers(self, situation: Situation) -> Match:
        """Whether it covers the caller, as a Principal element."""
        if self.strength(situation) is not _NONE:
            return True
        # Nothing tells which account a canonical user id belongs to.
        return None if self._canonical else False

    def leaves_out(self, situation: Situation) -> Match:
        """Whether the caller is among the others, as for a NotPrincipal element of a Deny.

        A user or role is exempt only when it and its account are both named; the account alone exempts just its root
        user. With the caller named and its account not, AWS "might" deny: that cannot be told. Nor can it for a role
        session of which only the role is named: AWS asks for the session's own ARN beside it.
        """
        caller = situation.caller
        strength = self.strength(situation)
        if strength is _NONE:
            return None if self._canonical else True
        if strength is _ACCOUNT:
            return True
        if self._anyone or caller.account is None or caller.kind is _ROOT:
            return False
        if caller.account not in self._accounts:
            return None
        if caller.kind is _ROLE_SESSION and not (caller.text in self._arns and self._names_origin(situation)):
            return None
        return False


def _account_of(text: str) -> str:
    """The account of an id, or of a root user's ARN."""
    return text if is_account(text) else text.split(":")[4]


def _set_for(kind: object, text: str) -> str:
    """Which of the sets of an element a principal belongs to."""
    if kind == "AWS":
        return _set_for_aws(text)
    if kind == "Service" and _HOST.fullmatch(text.lower()):
        return "services"
    if kind == "Federated" and "*" not in text and "?" not in text:
        return "federated"
    if kind == "CanonicalUser" and "*" not in text:
        return "canonical"
    raise MalformedError(f"{text!r} is no principal of the kind {kind!r}")


def _set_for_aws(text: str) -> str:
    if text == "*":
        return "anyone"
    if is_account(text):
        return "accounts"
    if _UNIQUE_ID.fullmatch(text):
        return "ids"
    segments = split_arn(text)
    if segments and is_account(segments[4]) and not segments[3] and "*" not in text and "?" not in text:
        kind, _, path = segments[5].partition("/")
        if segments[2] == "iam" and segments[5] == "root":
            return "accounts"
        if (segments[2], kind) in _NAMED and path:
            return "arns"
    raise MalformedError(f"{text!r} is no AWS principal")


def _is_role(arn: str, caller: Caller) -> bool:
    _, partition, service, _, account, resource = arn.split(":", 5)
    kind, _, path = resource.partition("/")
    return (partition, service, account, kind, path.rpartition("/")[2]) == (
        caller.partition,
        "iam",
        caller.account,
        "role",
        caller.name,
    )


def _is_of(userids: Iterable[str], unique: str) -> bool:
    return any(userid == unique or userid.startswith(unique + ":") for userid in userids)
