"""Grants in metadata."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tableguard.policy.access import Access
from tableguard.policy.documents import Json
from tableguard.policy.grants import TableGrant
from tableguard.policy.metadata.conditions import ConditionClaim, condition_json, read_condition
from tableguard.policy.metadata.permissions import access_json, read_access
from tableguard.policy.metadata.principals import PrincipalClaim, principal_json, read_principal
from tableguard.policy.metadata.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantClaim:
    """A grant of which metadata speaks.

    Args:
        principal: Who.
        access: What.
        reason: Why; "" where it does not say.
        conditions: What must hold as well.
        until: The last day, or a moment with a time zone; None for no end.
    """

    principal: PrincipalClaim
    access: Access
    reason: str = ""
    conditions: tuple[ConditionClaim, ...] = ()
    until: dt.date | None = None


def grant_json(grant: TableGrant, *, refer: bool = True) -> Json:
    """A grant as metadata says it.

    Args:
        grant: The grant, to a principal of this library.
        refer: As in `principal_json`.

    Raises:
        InvalidInputError: Its principal is an iam.IGrantable that no construct has converted.
    """
    said: Json = {"principal": principal_json(grant.subject, refer=refer), "access": access_json(grant.access)}
    if grant.reason:
        said["reason"] = grant.reason
    if grant.conditions:
        said["conditions"] = [condition_json(condition, grant.access.actions) for condition in grant.conditions]
    if grant.until is not None:
        said["until"] = grant.until.isoformat()
    return said


def read_grant(source: Source) -> GrantClaim:
    """A grant of which metadata speaks.

    Args:
        source: What it says.

    Raises:
        MalformedMetadataError: It is not what `grant_json` writes.
    """
    return GrantClaim(
        principal=read_principal(source.object("principal")),
        access=read_access(source.object("access")),
        reason=source.text("reason") or "",
        conditions=tuple(map(read_condition, source.objects("conditions"))),
        until=source.end("until"),
    )
