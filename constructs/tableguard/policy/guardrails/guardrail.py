"""The base class of guardrails, rendered for an SCP or an RCP."""

from __future__ import annotations

import abc
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from tableguard.policy.conditions import Clause
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.perimeter import IamPrincipal
from tableguard.policy.perimeter.guard import iam_principals
from tableguard.policy.perimeter.identities import arns_of
from tableguard.policy.principals import PRINCIPAL_ARN
from tableguard.policy.representation import as_call
from tableguard.policy.tokens import ordered

_PROTECT: Final = "Protect"


def reason_of(what: str, reason: object) -> str:
    """Check that a reason says something.

    Args:
        what: What it is the reason of, for the message.
        reason: The reason.

    Raises:
        InvalidInputError: It is empty, or no text.
    """
    if not isinstance(reason, str) or not re.search(r"\w", reason):
        raise InvalidInputError(what, value=reason, allowed="why, in a reviewer's words")
    return reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """How the deny statements of guardrails are rendered for one policy.

    Args:
        administrators: The administrators, whom most guardrails exempt.
        pass_role_principals: Principals that pass the administrators' roles to services, as `cdk deploy` does.
        at_resource: True for an RCP, which applies to all callers, including other organizations and AWS services.
            False for an SCP, which applies to the identities of an account.
        partition: The organization's partition.
    """

    administrators: tuple[IamPrincipal, ...]
    pass_role_principals: tuple[IamPrincipal, ...] = ()
    at_resource: bool = False
    partition: str = "aws"

    def unless(self, exempt_principals: Sequence[IamPrincipal], *, root: bool = False) -> tuple[Clause, ...]:
        """Return the clauses that exempt some principals from a deny statement.

        Args:
            exempt_principals: The exempt principals.
            root: Whether the account's root user is exempt as well, for actions that correct a mistake.
        """
        # A RoleOfEveryAccount counts in the resource's account only: others may use the same name for their roles.
        account = "${aws:ResourceAccount}" if self.at_resource else "*"
        arns = [arn for one in exempt_principals for arn in arns_of(one, self.partition, account=account)]
        if root:
            arns.append(f"arn:{self.partition}:iam::{account}:root")
        clauses = (Clause("ArnNotLike", PRINCIPAL_ARN, ordered(arns)),) if arns else ()
        # A request without the key counts as not made by a service. An SCP never applies to a service.
        services = (Clause("BoolIfExists", "aws:PrincipalIsAWSService", ("false",)),) if self.at_resource else ()
        return (*clauses, *services)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrail(abc.ABC):
    """Denies actions in the accounts that a policy is attached to, except to exempt principals.

    Args:
        exempt_principals: Principals to whom the guardrail does not apply, besides those that it exempts by itself.
            Only an administrator may create, change or pass them.

    Raises:
        InvalidInputError: It is not a list, or has something in it that is not a role, user or permission set.
    """

    exempt_principals: Sequence[IamPrincipal] = ()

    exempts_administrators: ClassVar[bool] = True
    """Whether the administrators are exempt."""
    in_rcp: ClassVar[bool] = False
    """Whether an RCP can contain it: RCPs do not support NotAction, and only few services."""
    costs: ClassVar[str]
    """What people in the accounts can no longer do."""

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "exempt_principals", iam_principals(f"exempt_principals of {self.name}", self.exempt_principals)
        )

    @property
    def name(self) -> str:
        """What it is called."""
        return type(self).__name__

    def let_through(self, administrators: Sequence[IamPrincipal]) -> tuple[IamPrincipal, ...]:
        """All principals to whom the guardrail does not apply."""
        return (*(administrators if self.exempts_administrators else ()), *self.exempt_principals)

    @abc.abstractmethod
    def denials(self, rendering: Rendering) -> tuple[DenyStatement, ...]:
        """Return the deny statements.

        Args:
            rendering: How to render them, for an SCP or an RCP.
        """

    @property
    def details(self) -> Mapping[str, Sequence[str | IamPrincipal]]:
        """Further facts for the template's metadata: texts or principals, by their kind."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection(DenyStatement):
    """A statement that becomes one with all others like it in a policy whose conditions and resources are the same.

    Args:
        sid: "Protect" and what it protects: the name of the one statement lists what all of them protect.
    """

    __repr__ = as_call

    def __post_init__(self) -> None:
        DenyStatement.__post_init__(self)
        if self.but_actions or not self.protects:
            raise InvalidInputError(
                "a Protection",
                value=self.sid,
                allowed=f'the actions that it denies, and a sid such as "{_PROTECT}Tables"',
                fix="A statement that stands alone is a DenyStatement.",
            )

    @property
    def protects(self) -> str:
        """What it protects, as its name says it."""
        return self.sid.removeprefix(_PROTECT) if self.sid.startswith(_PROTECT) else ""

    def with_(self, other: Protection) -> Protection:
        """Both in one.

        Args:
            other: One with the same conditions and resources.
        """
        sid = self.sid if self.sid.endswith(other.protects) else f"{self.sid}{other.protects}"
        return replace(self, sid=sid, actions=self.actions + other.actions)


def actions_of(service: str, names: str) -> tuple[str, ...]:
    """Actions of one service.

    Args:
        service: Its prefix.
        names: The actions' names, between blanks.
    """
    return tuple(f"{service}:{name}" for name in names.split())
