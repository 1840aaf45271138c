"""All that the metadata of one resource says: written by one function, read by one."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from tableguard.policy.break_glass.access import BreakGlassAccess
from tableguard.policy.break_glass.trust import TrustedPrincipal
from tableguard.policy.documents import Json
from tableguard.policy.grants import TableGrant
from tableguard.policy.guardrails.rendered import Control
from tableguard.policy.metadata.backups import (
    CLAIMS,
    DrillClaim,
    ExportClaim,
    ImmutableClaim,
    LandingClaim,
    OnDemandClaim,
    PlanClaim,
    RestoreClaim,
    SealedClaim,
    VaultClaim,
    backup_json,
)
from tableguard.policy.metadata.grants import GrantClaim, grant_json, read_grant
from tableguard.policy.metadata.principals import PrincipalClaim, principal_json, read_principal
from tableguard.policy.metadata.restrictions import (
    ControlClaim,
    RestrictionClaim,
    control_json,
    read_control,
    read_restriction,
)
from tableguard.policy.metadata.schema import VERSION, VERSION_KEY
from tableguard.policy.metadata.source import MalformedMetadataError, Source
from tableguard.policy.tables import TableReference

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlassClaim:
    """A break-glass role of which metadata speaks.

    Args:
        access: What its access is called.
        assumed_by: Who may assume it.
        reason: What it is there for.
        until: The last day, or the moment, on which it can be used; None for no end.
    """

    access: str
    assumed_by: tuple[PrincipalClaim, ...]
    reason: str
    until: dt.date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceClaims:
    """All that the metadata of one resource says.

    Args:
        table: The ARN of the table that the grants are for, where they stand on a consumer's policy.
        grants: The grants.
        perimeter: The perimeter around it, or that it enforces.
        people: The restriction of people around it.
        control: What it enforces as an SCP or RCP.
        break_glass: What it is as a break-glass role.
        immutable: What it is as a bucket whose objects are locked.
        sealed: What it is as the sealed bucket of a vault.
        landing: What it is as a bucket that DynamoDB exports to.
        export: What it exports.
        restore: What it restores.
        drill: What it tries out.
        on_demand: What it makes on-demand backups of.
        plan: What it is as a plan of AWS Backup.
        vault: What it is as a vault of AWS Backup.
    """

    table: str | None = None
    grants: tuple[GrantClaim, ...] = ()
    perimeter: RestrictionClaim | None = None
    people: RestrictionClaim | None = None
    control: ControlClaim | None = None
    break_glass: BreakGlassClaim | None = None
    immutable: ImmutableClaim | None = None
    sealed: SealedClaim | None = None
    landing: LandingClaim | None = None
    export: ExportClaim | None = None
    restore: RestoreClaim | None = None
    drill: DrillClaim | None = None
    on_demand: OnDemandClaim | None = None
    plan: PlanClaim | None = None
    vault: VaultClaim | None = None


class Readable(enum.Enum):
    """How much of metadata can be read."""

    ALL = "all"
    SOME = "some"
    """`Reading.problems` says what cannot."""
    OLDER = "older"
    """It was written by a release that wrote no version: words for readers alone, which are not compared."""
    NEWER = "newer"
    """Its version is none that this release knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What came of reading metadata.

    Args:
        claims: What it says, as far as it can be read.
        readable: How much of it can be read.
        problems: What cannot be read, and why.
        version: The version as it stands there.
    """

    claims: ResourceClaims
    readable: Readable = Readable.ALL
    problems: tuple[str, ...] = ()
    version: str = str(VERSION)


def table_metadata(grants: Iterable[TableGrant], *, owner: str, restrictions: Mapping[str, Json] | None = None) -> Json:
    """The metadata of a table.

    Args:
        grants: The grants on it, to principals of this library.
        owner: The account of the table.
        restrictions: The restrictions around it, by their kind, as `perimeter_json` and `people_json` make them.

    Raises:
        InvalidInputError: A grant's principal is an iam.IGrantable that no construct has converted.
    """
    listed = [grant_json(grant, refer=grant.on_resource_side(owner)) for grant in grants]
    return _versioned({"grants": listed, **(restrictions or {})})


def consumer_metadata(grant: TableGrant, table: TableReference) -> Json:
    """The metadata of a consumer's policy.

    Args:
        grant: The grant, to a principal of this library.
        table: The table that it is for.

    Raises:
        InvalidInputError: Its principal is an iam.IGrantable that no construct has converted.
    """
    return _versioned({"table": table.arn, "grants": [grant_json(grant, refer=False)]})


def perimeter_metadata(perimeter: Json) -> Json:
    """The metadata of a policy that enforces a perimeter.

    Args:
        perimeter: The perimeter, as `perimeter_json` makes it.
    """
    return _versioned({"perimeter": perimeter})


def control_metadata(control: Control) -> Json:
    """The metadata of an SCP or RCP.

    Args:
        control: What it enforces.
    """
    return _versioned({"control": control_json(control)})


def break_glass_metadata(
    access: BreakGlassAccess, *, assumed_by: Iterable[TrustedPrincipal], reason: str, until: dt.date | None
) -> Json:
    """The metadata of a break-glass role.

    Args:
        access: What it may do.
        assumed_by: Who may assume it.
        reason: What it is there for.
        until: The last day, or the moment, on which it can be used; None for no end.
    """
    said: Json = {
        "access": access.name,
        "assumed_by": [principal_json(trusted) for trusted in assumed_by],
        "reason": reason,
    }
    return _versioned({"break_glass": said if until is None else {**said, "until": until.isoformat()}})


def backup_metadata(*claims: object) -> Json:
    """The metadata of what keeps backups.

    Args:
        claims: What it is: of each class of `metadata.backups` one at most.
    """
    names = {kind: name for name, kind in CLAIMS.items()}
    return _versioned({names[type(claim)]: backup_json(claim) for claim in claims})  # type: ignore[index]


def stack_metadata() -> Json:
    """The metadata of a stack whose policies are written."""
    return _versioned({"policies": "written"})


def read(metadata: object) -> Reading:
    """Read what stands under `METADATA_KEY` in the metadata of a resource.

    Args:
        metadata: What stands there, with CloudFormation's functions resolved as far as they can be; None for nothing.
    """
    nothing = ResourceClaims()
    if metadata is None:
        return Reading(claims=nothing)
    if not isinstance(metadata, Mapping):
        return Reading(claims=nothing, readable=Readable.SOME, problems=("it is no object",), version="none")
    if any(str(key) == "Ref" or str(key).startswith("Fn::") for key in metadata):
        return Reading(claims=nothing, readable=Readable.SOME, problems=("only the deployment knows it",))
    version = metadata.get(VERSION_KEY)
    if version is None:
        return Reading(claims=nothing, readable=Readable.OLDER, version="none")
    # CloudFormation gives numbers back as text in some places.
    if str(version) != str(VERSION):
        return Reading(claims=nothing, readable=Readable.NEWER, version=str(version))
    problems: list[str] = []
    claims = ResourceClaims(**_parts(Source(metadata), problems))
    readable = Readable.SOME if problems else Readable.ALL
    return Reading(claims=claims, readable=readable, problems=tuple(problems))


def _versioned(said: Json) -> Json:
    return {VERSION_KEY: VERSION, **said}


def _read_break_glass(source: Source) -> BreakGlassClaim:
    return BreakGlassClaim(
        access=source.needed("access"),
        assumed_by=tuple(map(read_principal, source.objects("assumed_by"))),
        reason=source.text("reason") or "",
        until=source.end("until"),
    )


_PARTS: Final[Mapping[str, Callable[[Source], Any]]] = {
    "perimeter": read_restriction,
    "people": read_restriction,
    "control": read_control,
    "break_glass": _read_break_glass,
    **{name: claim.read for name, claim in CLAIMS.items()},
}


def _parts(source: Source, problems: list[str]) -> dict[str, Any]:
    """Each part that can be read: one that is malformed hides none of the others."""
    table = _attempt(partial(source.text, "table"), problems)
    found: dict[str, Any] = {"grants": tuple(_grants(source, problems)), "table": table}
    for name, read_part in _PARTS.items():
        if source.json.get(name) is not None:
            found[name] = _attempt(partial(_part, source, name, read_part), problems)
    known = {field.name for field in dataclasses.fields(ResourceClaims)} | {VERSION_KEY}
    problems += (f"{key} is nothing that this release knows" for key in source.json if key not in known)
    return found


def _grants(source: Source, problems: list[str]) -> Iterator[GrantClaim]:
    for number, value in enumerate(_attempt(partial(source.listed, "grants"), problems) or ()):
        at = f"grants/{number}"
        found = _attempt(partial(_grant, value, at), problems)
        if found is not None:
            yield found


def _part(source: Source, name: str, read_part: Callable[[Source], Any]) -> Any:
    return read_part(source.object(name))


def _grant(value: object, at: str) -> GrantClaim:
    return read_grant(Source.of(value, at))


def _attempt(read_part: Callable[[], _T], problems: list[str]) -> _T | None:
    try:
        return read_part()
    except MalformedMetadataError as error:
        problems.append(str(error))
        return None
