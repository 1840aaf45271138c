"""Who may assume a break-glass role, and how they have to have signed in.

Two kinds of callers, because each fails in another way. IAM users in an account of their own still get in on the day
the identity provider is down; the permission set is what people use on every other day. MFA is asked for differently: a
session of an IAM user says whether and when a device was used; one of Identity Center carries neither key, so that the
provider has to ask, and a condition on MFA would lock these out for good. Sources: IAM user guide, "Configuring
MFA-protected API access", "Monitor and control actions taken with assumed roles" and "Switch from a user to an IAM role
(console)"; STS API reference, AssumeRole.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from tableguard.policy.conditions import Clause, Until
from tableguard.policy.documents import VERSION, Json, condition_element, scalar
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.lists import listed
from tableguard.policy.principals import PRINCIPAL_ARN, PermissionSet, User
from tableguard.policy.representation import as_call
from tableguard.policy.tokens import ordered

DEFAULT_MFA_AGE: Final = 900
_YOUNGEST: Final = 60
_OLDEST: Final = 3600

_ASSUME: Final = "sts:AssumeRole"
_SET_SOURCE_IDENTITY: Final = "sts:SetSourceIdentity"
_SOURCE_IDENTITY: Final = "sts:SourceIdentity"
_USER_NAME: Final = "${aws:username}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersWithMfa:
    """Lets IAM users with a recent MFA sign-in assume a break-glass role, for when the identity provider is down.

    The session name must be the user's own name, so that every event shows who it was; the console does this by itself.
    A source identity may be set, to the user's own name. Requiring it adds nothing, since the role can assume no other
    role, and it would prevent switching roles in the console, which sets none.

    Args:
        users: The users, at least one, all of one account that has no other use.
        mfa_age: For how many seconds after the MFA code they may assume the role, 60 to 3,600; 900 when left out. A
            session that was assumed in time lasts its full hour.
        source_identity: True requires a source identity. Then the role can be assumed only by the command line, and
            the console is reached through the federation endpoint (docs/break-glass.md). False when left out.

    Raises:
        InvalidInputError: No user, a user twice, users of several accounts, or an age out of range.
    """

    users: Sequence[User]
    mfa_age: int = DEFAULT_MFA_AGE
    source_identity: bool = False

    __repr__ = as_call

    def __post_init__(self) -> None:
        users = listed("the users of UsersWithMfa", self.users)
        for user in users:
            if not isinstance(user, User):
                raise InvalidInputError("a user of UsersWithMfa", value=user, allowed='a User(account="…", name="…")')
        object.__setattr__(self, "users", users)
        arns = [user.arn("") for user in self.users]
        if not arns or len(arns) != len(set(arns)) or len({user.account for user in self.users}) > 1:
            raise InvalidInputError(
                "the users of UsersWithMfa",
                value=[user.label for user in self.users],
                allowed="at least one user, each once, all of one account",
                fix="Pass one UsersWithMfa for each account.",
            )
        if type(self.mfa_age) is not int or not _YOUNGEST <= self.mfa_age <= _OLDEST:
            raise InvalidInputError(
                "the mfa_age of UsersWithMfa", value=self.mfa_age, allowed=f"{_YOUNGEST} to {_OLDEST} seconds"
            )

    @property
    def account(self) -> str:
        """The account of the users."""
        return self.users[0].account

    @property
    def label(self) -> str:
        """The callers in a reader's words."""
        names = ", ".join(user.name for user in self.users)
        return f"users of {self.account} with MFA of the last {self.mfa_age} seconds: {names}"


TrustedPrincipal: TypeAlias = UsersWithMfa | PermissionSet
"""Users with MFA, or the people of an Identity Center permission set, whose provider has to ask for MFA."""


def checked_assumed_by(values: object) -> tuple[TrustedPrincipal, ...]:
    """Check who may assume a break-glass role.

    Args:
        values: The list of them.

    Raises:
        InvalidInputError: It is no list, empty, holds something else, or the same caller twice.
    """
    given = listed("the assumed_by of a break-glass role", values)
    assumed_by = tuple(value for value in given if isinstance(value, TrustedPrincipal))
    for value in given:
        if not isinstance(value, TrustedPrincipal):
            raise InvalidInputError(
                "one of the assumed_by of a break-glass role",
                value=value,
                allowed="UsersWithMfa(…) or a PermissionSet(…)",
                fix="A role or a whole account cannot be named: nothing would ask its callers for MFA.",
            )
    callers = [
        each for trusted in assumed_by for each in (trusted.users if isinstance(trusted, UsersWithMfa) else (trusted,))
    ]
    if not callers or len(callers) != len(set(callers)):
        raise InvalidInputError(
            "the assumed_by of a break-glass role",
            value=[trusted.label for trusted in assumed_by],
            allowed="at least one of UsersWithMfa and PermissionSet, each permission set and each user once",
        )
    return assumed_by


def trust_policy(
    assumed_by: Sequence[TrustedPrincipal], *, partition: str = "aws", until: dt.date | None = None
) -> Json:
    """The policy that says who may assume a break-glass role.

    Args:
        assumed_by: At least one.
        partition: The partition of the role.
        until: The last day (in UTC), or the moment with a time zone, on which it can be assumed; no end when None.
    """
    end = ends(until)
    return {
        "Version": VERSION,
        "Statement": [
            statement
            for number, trusted in enumerate(assumed_by, start=1)
            for statement in (
                _of_users(trusted, number, partition, end)
                if isinstance(trusted, UsersWithMfa)
                else _of_permission_set(trusted, number, partition, end)
            )
        ],
    }


def caller_policy(role_arn: str) -> Json:
    """What the other side needs: the policy of the users, or of the permission set.

    Args:
        role_arn: The break-glass role.
    """
    actions = scalar((_ASSUME, _SET_SOURCE_IDENTITY))
    return {"Version": VERSION, "Statement": [{"Effect": "Allow", "Action": actions, "Resource": role_arn}]}


def ends(until: dt.date | None) -> tuple[Clause, ...]:
    """The clauses of an end.

    Args:
        until: The last day, or the moment; None for no end.

    Raises:
        InvalidInputError: It is neither a date nor a moment with a time zone.
    """
    if until is None:
        return ()
    moment = Until(until).moment.replace(tzinfo=None).isoformat(timespec="seconds")
    return (Clause("DateLessThan", "aws:CurrentTime", (f"{moment}Z",)),)


def _of_users(trusted: UsersWithMfa, number: int, partition: str, end: tuple[Clause, ...]) -> Iterable[Json]:
    who = Clause("ArnEquals", PRINCIPAL_ARN, ordered(user.arn(partition) for user in trusted.users))
    own_source = Clause("StringEquals", _SOURCE_IDENTITY, (_USER_NAME,))
    # Each of the two MFA keys is absent from a session without MFA, and an absent key meets neither operator.
    yield _allow(
        f"Trusted{number}UsersWithMfa",
        trusted.account,
        _ASSUME,
        who,
        Clause("Bool", "aws:MultiFactorAuthPresent", ("true",)),
        Clause("NumericLessThan", "aws:MultiFactorAuthAge", (str(trusted.mfa_age),)),
        Clause("StringEquals", "sts:RoleSessionName", (_USER_NAME,)),
        *((own_source,) if trusted.source_identity else ()),
        *end,
    )
    yield _allow(f"Trusted{number}SourceIdentity", trusted.account, _SET_SOURCE_IDENTITY, who, own_source, *end)


def _of_permission_set(trusted: PermissionSet, number: int, partition: str, end: tuple[Clause, ...]) -> Iterable[Json]:
    who = Clause("ArnLike", PRINCIPAL_ARN, trusted.role_patterns(partition))
    yield _allow(f"Trusted{number}PermissionSet", trusted.account, _ASSUME, who, *end)
    # One that the provider has set comes along and cannot be changed any more; one made up here would prove nothing.
    carried = Clause("Null", "aws:SourceIdentity", ("false",))
    yield _allow(f"Trusted{number}SourceIdentity", trusted.account, _SET_SOURCE_IDENTITY, who, carried, *end)


def _allow(sid: str, account: str, action: str, *clauses: Clause) -> Json:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": account},
        "Action": action,
        "Condition": condition_element(clauses),
    }
