"""Principals in metadata: of which kind, with what they are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from tableguard.policy.break_glass.trust import TrustedPrincipal, UsersWithMfa
from tableguard.policy.collectives import AwsService, Organization, OrganizationalUnit
from tableguard.policy.documents import Json
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.metadata.source import MalformedMetadataError, Source
from tableguard.policy.perimeter import Exempt, Forwarding, LambdaPoller, RoleOfEveryAccount, ServiceLinkedRole
from tableguard.policy.principals import (
    Account,
    ArnIdentity,
    FederatedUser,
    PermissionSet,
    Principal,
    Role,
    RoleSession,
    User,
)
from tableguard.policy.tokens import is_unresolved

Someone: TypeAlias = Principal | Exempt | UsersWithMfa
"""Whoever metadata speaks of: is granted something, is exempt from something, or guards."""

_LATER: Final = "somebody who is known at deployment only"
_PLACEHOLDER: Final = "{"
"""Begins what stands in a resolved template for a name that CloudFormation chooses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalClaim:
    """Somebody of whom metadata speaks.

    Args:
        label: The principal in a reader's words.
        principal: The principal; None where only the deployment knows who it is.
        account: Its account; None where it has none, or that is not known.
    """

    label: str
    principal: Someone | None
    account: str | None = None


_Fields: TypeAlias = Mapping[str, str]


def _of(make: Callable[..., Someone], optional: Iterable[str] = ()) -> Callable[[Source, tuple[str, ...]], Any]:
    def read(source: Source, fields: tuple[str, ...]) -> Someone | None:
        values = {field: source.text(field) for field in fields}
        missing = [field for field, value in values.items() if value is None and field not in optional]
        for field in missing:
            if source.json.get(field) is None:
                raise MalformedMetadataError(f"{source.within(field)} is missing")
        return None if missing else make(**{field: value for field, value in values.items() if value is not None})

    return read


def _identity(source: Source, fields: tuple[str, ...]) -> Someone | None:
    values = {field: source.text(field) for field in fields}
    account, arn = values["account"], values["principal_arn"]
    if account is None or arn is None:
        return None
    return ArnIdentity(account=account, principal_arn=arn, described_as=values["described_as"] or _LATER)


def _forwarding(source: Source, _: tuple[str, ...]) -> Someone | None:
    services, more = source.texts("services")
    return None if more else Forwarding(*services)


def _poller(*, account: str, name: str, path: str) -> LambdaPoller:
    return LambdaPoller(Role(account=account, name=name, path=path))


def _users(source: Source, _: tuple[str, ...]) -> Someone | None:
    users = [read_principal(each).principal for each in source.objects("users")]
    known = [user for user in users if isinstance(user, User)]
    age = source.whole("mfa_age")
    if len(known) < len(users) or age is None:
        return None
    return UsersWithMfa(users=known, mfa_age=age, source_identity=source.flag("source_identity"))


_IN_ACCOUNT: Final = ("account", "name", "path")
_KINDS: Final[Mapping[type, tuple[str, tuple[str, ...], Callable[[Source, tuple[str, ...]], Any]]]] = {
    Account: ("account", ("account",), _of(Account)),
    Role: ("role", _IN_ACCOUNT, _of(Role)),
    User: ("user", _IN_ACCOUNT, _of(User)),
    ArnIdentity: ("identity", ("account", "principal_arn", "described_as"), _identity),
    RoleSession: ("role-session", ("account", "role", "session"), _of(RoleSession)),
    FederatedUser: ("federated-user", ("account", "name"), _of(FederatedUser)),
    PermissionSet: ("permission-set", ("account", "name"), _of(PermissionSet)),
    AwsService: (
        "service",
        ("service", "source_account", "source_arn"),
        _of(AwsService, optional=["source_arn"]),
    ),
    Organization: ("organization", ("organization",), _of(Organization)),
    OrganizationalUnit: ("organizational-unit", ("path",), _of(OrganizationalUnit)),
    ServiceLinkedRole: ("service-linked-role", ("account", "service", "name"), _of(ServiceLinkedRole)),
    RoleOfEveryAccount: ("role-of-every-account", ("name", "path"), _of(RoleOfEveryAccount)),
    LambdaPoller: ("lambda-poller", _IN_ACCOUNT, _of(_poller)),
    Forwarding: ("forwarding", (), _forwarding),
    UsersWithMfa: ("users-with-mfa", (), _users),
}
_BY_KIND: Final = {kind: (fields, read) for kind, fields, read in _KINDS.values()}


def principal_json(principal: Someone, *, refer: bool = True) -> Json:
    """A principal as metadata says it.

    Args:
        principal: The principal.
        refer: Whether an ARN that only the deployment knows is written. It is a reference to another resource, perhaps
            of another stack, on which whatever carries the metadata then depends: so only where its policies hold the
            same reference.
    """
    kind, fields, _ = _KINDS[type(principal)]
    whose = principal.role if isinstance(principal, LambdaPoller) else principal
    said: Json = {"kind": kind, **{field: getattr(whose, field) for field in fields}}
    if isinstance(principal, ArnIdentity) and not refer and is_unresolved(principal.principal_arn):
        del said["principal_arn"]
    if isinstance(principal, Forwarding):
        said["services"] = list(principal.services)
    if isinstance(principal, UsersWithMfa):
        said["users"] = [principal_json(user) for user in principal.users]
        said |= {"mfa_age": principal.mfa_age, "source_identity": principal.source_identity}
    return {**{key: value for key, value in said.items() if value is not None}, "label": principal.label}


def read_principal(source: Source) -> PrincipalClaim:
    """Somebody of whom metadata speaks.

    Args:
        source: What it says.

    Raises:
        MalformedMetadataError: It is not what `principal_json` writes.
    """
    kind = source.needed("kind")
    if kind not in _BY_KIND:
        raise MalformedMetadataError(f"{source.within('kind')} is {kind!r}, which is no kind of principal")
    fields, read = _BY_KIND[kind]
    account = source.text("account")
    label = source.text("label") or _LATER
    try:
        principal = read(source, fields)
    except InvalidInputError as error:
        values = [source.json.get(field) for field in fields]
        if not any(isinstance(value, str) and _PLACEHOLDER in value for value in values):
            raise MalformedMetadataError(f"{source.at} is no {kind}: {error.what}") from None
        principal = None
    return PrincipalClaim(label=label, principal=principal, account=account)


def assumed_by_json(assumed_by: Iterable[TrustedPrincipal]) -> list[Json]:
    """Who may assume a break-glass role.

    Args:
        assumed_by: Who.
    """
    return [principal_json(trusted) for trusted in assumed_by]
