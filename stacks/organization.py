"""Who has which account and region, as the context in cdk.json says: the one place to change before a deployment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import tableguard as tg
from tableguard.policy import names

CONTEXT = "tableguard:organization"
_ROLES = ("central", "tenants", "etl", "writer", "vendor", "private", "management", "emergency", "vault", "recovery")


@dataclass(frozen=True, kw_only=True)
class Place:
    account: str
    region: str


@dataclass(frozen=True, kw_only=True)
class Organization:
    """The accounts of the reference organization.

    Args:
        central: Owns the table.
        tenants: Read it, by tenant.
        etl: Reads an index and the stream; in the table's region if Lambda itself is to poll the stream.
        writer: Puts items into it.
        vendor: The account of somebody else, into which nothing of ours is deployed.
        private: Owns the table that is reached from its own VPC alone.
        management: The organization's management account, or one to which it has delegated policies. It holds no data:
            what it deploys does not bind itself.
        emergency: The account of the emergency users, into which nothing is deployed either.
        vault: Keeps the backups of the tables, and nothing else. No table of ours is in it.
        recovery: Restores them, on a schedule, to see that they come back.
    """

    central: Place
    tenants: Mapping[str, Place]
    etl: Place
    writer: Place
    vendor: str
    private: Place
    management: Place
    emergency: str
    vault: Place
    recovery: Place

    @classmethod
    def read(cls, context: object) -> Organization:
        """Read the organization.

        Args:
            context: What the context has under CONTEXT.

        Raises:
            tg.InvalidInputError: It is missing or malformed.
        """
        said = _entries(CONTEXT, context, _ROLES)
        return cls(
            central=_place("central", said["central"]),
            tenants={tenant: _place(f"tenants.{tenant}", place) for tenant, place in _tenants(said["tenants"])},
            etl=_place("etl", said["etl"]),
            writer=_place("writer", said["writer"]),
            vendor=_only_account("vendor", said["vendor"]),
            private=_place("private", said["private"]),
            management=_place("management", said["management"]),
            emergency=_only_account("emergency", said["emergency"]),
            vault=_place("vault", said["vault"]),
            recovery=_place("recovery", said["recovery"]),
        )


def _place(role: str, said: object) -> Place:
    entries = _entries(_path(role), said, ("account", "region"))
    region = names.region(_path(f"{role}.region"), entries["region"])
    return Place(account=_account(role, entries["account"]), region=region)


def _only_account(role: str, said: object) -> str:
    return _account(role, _entries(_path(role), said, ("account",))["account"])


def _account(role: str, said: str) -> str:
    return names.account_id(_path(f"{role}.account"), said)


def _tenants(said: object) -> list[tuple[str, object]]:
    what = _path("tenants")
    if not isinstance(said, Mapping) or not said:
        raise tg.InvalidInputError(what, value=said, allowed='one entry for each tenant: {"Alfa": {"account": …}}')
    for tenant in said:
        # It becomes part of the names of a stack and of a role.
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]{0,49}", tenant):
            raise tg.InvalidInputError(what, value=tenant, allowed="names of 1 to 50 letters and digits")
    return list(said.items())


def _entries(what: str, said: object, expected: tuple[str, ...]) -> Mapping[str, str]:
    allowed = f"an object with the entries {', '.join(expected)}"
    fix = f'Write it as in the cdk.json of this project, under "context"."{CONTEXT}".'
    if not isinstance(said, Mapping):
        raise tg.InvalidInputError(what, value=said, allowed=allowed, fix=fix)
    if set(said) != set(expected):
        raise tg.InvalidInputError(f"the entries of {what}", value=sorted(said), allowed=allowed, fix=fix)
    return said


def _path(entry: str) -> str:
    return f"{CONTEXT}.{entry}"
