"""IAM's kinds of principal, and how a resource policy names each of them.

A resource policy names the *account* of a role or user of another account, narrowed by `aws:PrincipalArn`. So the
statement can be deployed before the role exists, and still works if the role is created again. Administrators of that
account decide who the role is; they do anyway, since they write its trust policy. `TableGrant(name_principal=True)`
names the principal itself: IAM then ties the statement to the role's unique id, so a role that is deleted and created
again has no access, and the deployment fails if the principal does not exist.
Source: IAM user guide, "AWS JSON policy elements: Principal".
"""

from __future__ import annotations

import abc
from dataclasses import dataclass

from tableguard.aws.permission_sets import role_patterns
from tableguard.policy import names
from tableguard.policy.conditions import Clause
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.representation import as_call
from tableguard.policy.tokens import is_unresolved

PRINCIPAL_ARN = "aws:PrincipalArn"


@dataclass(frozen=True, slots=True)
class Trust:
    """How a resource policy names a principal: an entry of its `Principal` element, and conditions.

    Args:
        kind: "AWS" or "Service".
        value: The entry: an account id, an ARN, a host name, or "*".
        clauses: The conditions that narrow the entry.
    """

    kind: str
    value: str
    clauses: tuple[Clause, ...] = ()


class Principal(abc.ABC):
    """A principal, or a group of principals, that can be granted access to a table."""

    __slots__ = ()

    @property
    @abc.abstractmethod
    def home(self) -> str | None:
        """The account of the principal; None if there is no single account."""

    @property
    @abc.abstractmethod
    def label(self) -> str:
        """The principal in words, for messages, metadata and reports."""

    @abc.abstractmethod
    def trust(self, *, partition: str, owner: str, named: bool) -> Trust:
        """Return how a policy on a resource of account `owner` names this principal.

        Args:
            partition: The partition of the resource and of the principal.
            owner: The account of the resource.
            named: Whether the `Principal` element names the principal itself.
        """

    @property
    def by_name(self) -> bool:
        """Whether only a resource policy can grant to it, since sessions and services have no identity policy."""
        return False

    @property
    def role_name(self) -> str | None:
        """The name of the role whose identity policy it uses; "" for any role, None if it is not a role."""
        return None


class _OfOneAccount(Principal):
    """A principal that belongs to one account."""

    __slots__ = ()

    account: str

    @property
    def home(self) -> str:
        return self.account


@dataclass(frozen=True, slots=True)
class Account(_OfOneAccount):
    """A whole account. Its administrators decide which of its identities can use the grant.

    Args:
        account: The 12-digit account id.

    Raises:
        InvalidInputError: The account id is malformed.
    """

    account: str

    __repr__ = as_call

    def __post_init__(self) -> None:
        names.account_id("the account of an Account", self.account)

    @property
    def label(self) -> str:
        return f"account {self.account}"

    @property
    def role_name(self) -> str:
        return ""

    def trust(self, *, partition: str, owner: str, named: bool) -> Trust:
        return Trust("AWS", self.account)


class _Session(_OfOneAccount):
    """A session. It has its own ARN and no identity policy, so a resource policy always names it."""

    __slots__ = ()

    @abc.abstractmethod
    def arn(self, partition: str) -> str:
        """The session's STS ARN."""

    @property
    def by_name(self) -> bool:
        return True

    def trust(self, *, partition: str, owner: str, named: bool) -> Trust:
        return Trust("AWS", self.arn(partition))


class _Identity(_OfOneAccount):
    """A role or a user: a principal with an IAM ARN of its own."""

    __slots__ = ()

    @abc.abstractmethod
    def arn(self, partition: str) -> str:
        """The principal's IAM ARN."""

    def trust(self, *, partition: str, owner: str, named: bool) -> Trust:
        arn = self.arn(partition)
        if named:
            return Trust("AWS", arn)
        return Trust("AWS", self.account, (Clause("ArnEquals", PRINCIPAL_ARN, (arn,)),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Role(_Identity):
    """An IAM role, with all its sessions.

    Args:
        account: The 12-digit id of the role's account.
        name: The role's name, without its path.
        path: The role's path; "/" when left out. It is part of the role's ARN: if a role has a path and you leave it
            out, the grant has no effect.

    Raises:
        InvalidInputError: An argument is malformed, or has a wildcard.
    """

    account: str
    name: str
    path: str = "/"

    __repr__ = as_call

    def __post_init__(self) -> None:
        names.account_id("the account of a Role", self.account)
        names.role_name("the name of a Role", self.name)
        names.iam_path("the path of a Role", self.path)

    @property
    def label(self) -> str:
        return f"role {self.path.lstrip('/')}{self.name} of {self.account}"

    @property
    def role_name(self) -> str:
        return self.name

    def arn(self, partition: str) -> str:
        return f"arn:{partition}:iam::{self.account}:role{self.path}{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class User(_Identity):
    """An IAM user.

    Args:
        account: The 12-digit id of the user's account.
        name: The user's name, without its path.
        path: The user's path; "/" when left out.

    Raises:
        InvalidInputError: An argument is malformed, or has a wildcard.
    """

    account: str
    name: str
    path: str = "/"

    __repr__ = as_call

    def __post_init__(self) -> None:
        names.account_id("the account of a User", self.account)
        names.user_name("the name of a User", self.name)
        names.iam_path("the path of a User", self.path)

    @property
    def label(self) -> str:
        return f"user {self.path.lstrip('/')}{self.name} of {self.account}"

    def arn(self, partition: str) -> str:
        return f"arn:{partition}:iam::{self.account}:user{self.path}{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArnIdentity(_Identity):
    """A role or user of which only the ARN is known, perhaps only at deployment.

    Args:
        account: The 12-digit id of its account.
        principal_arn: Its ARN.
        described_as: Its name in messages and reports.

    Raises:
        InvalidInputError: The account id is malformed, or the ARN has a wildcard or a variable.
    """

    account: str
    principal_arn: str
    described_as: str

    __repr__ = as_call

    def __post_init__(self) -> None:
        names.account_id("the account of a principal", self.account)
        names.arn("the ARN of a principal", self.principal_arn)

    @property
    def label(self) -> str:
        return self.described_as if is_unresolved(self.account) else f"{self.described_as} of {self.account}"

    def arn(self, partition: str) -> str:
        return self.principal_arn


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSession(_Session):
    """One session of a role, by its session name.

    A policy always names the session itself, since `aws:PrincipalArn` has the ARN of the role. In the table's own
    account, the role's permissions boundary does not limit such a grant.
    Source: IAM user guide, "Permissions boundaries for IAM entities".

    Args:
        account: The 12-digit id of the role's account.
        role: The role's name, without its path: a session's ARN has no path.
        session: The session's name.

    Raises:
        InvalidInputError: An argument is malformed, or has a wildcard.
    """

    account: str
    role: str
    session: str

    __repr__ = as_call

    def __post_init__(self) -> None:
        names.account_id("the account of a RoleSession", self.account)
        names.role_name("the role of a RoleSession", self.role)
        names.session_name("the session of a RoleSession", self.session)

    @property
    def label(self) -> str:
        return f"session {self.session} of role {self.role} of {self.account}"

    @property
    def role_name(self) -> str:
        return self.role

    def arn(self, partition: str) -> str:
        return f"arn:{partition}:sts::{self.account}:assumed-role/{self.role}/{self.session}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FederatedUser(_Session):
    """A session made by GetFederationToken. A policy always names it.

    Args:
        account: The 12-digit id of the account in which the token is made.
        name: The name given to GetFederationToken.

    Raises:
        InvalidInputError: An argument is malformed, or has a wildcard.
    """

    account: str
    name: str

    __repr__ = as_call

    def __post_init__(self) -> None:
        names.account_id("the account of a FederatedUser", self.account)
        names.federated_user_name("the name of a FederatedUser", self.name)

    @property
    def label(self) -> str:
        return f"federated user {self.name} of {self.account}"

    def arn(self, partition: str) -> str:
        return f"arn:{partition}:sts::{self.account}:federated-user/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionSet(_OfOneAccount):
    """The people who sign in to one account with an Identity Center permission set.

    Identity Center creates the role, at a path that nobody else can use and with a suffix of 16 characters. The suffix
    changes when the assignment is made again, so policies match the role by a pattern with 16 single-character
    wildcards; all else is fixed. So the set "Data" does not match the role of a set "Data_Admin".
    Source: IAM Identity Center user guide, "Referencing permission sets in resource policies".

    Args:
        account: The 12-digit id of the account that the permission set is assigned in.
        name: The permission set's name.

    Raises:
        InvalidInputError: An argument is malformed, or has a wildcard.
    """

    account: str
    name: str

    __repr__ = as_call

    def __post_init__(self) -> None:
        names.account_id("the account of a PermissionSet", self.account)
        names.permission_set_name("the name of a PermissionSet", self.name)

    @property
    def label(self) -> str:
        return f"permission set {self.name} of {self.account}"

    def trust(self, *, partition: str, owner: str, named: bool) -> Trust:
        if named:
            raise InvalidInputError(
                "name_principal on a grant to a PermissionSet",
                value=True,
                allowed="False: Identity Center chooses the role's name, so it can only be matched by a pattern",
            )
        return Trust("AWS", self.account, (Clause("ArnLike", PRINCIPAL_ARN, self.role_patterns(partition)),))

    def role_patterns(self, partition: str) -> tuple[str, ...]:
        """Patterns of the ARN of the role that Identity Center creates. They match no other role."""
        return role_patterns(self.name, account=self.account, partition=partition)
