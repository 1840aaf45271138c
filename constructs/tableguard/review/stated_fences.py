"""What metadata claims about the fences of a table, and whether its policies agree. A claim decides nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from tableguard.policy.actions import ACTIONS, Reach
from tableguard.policy.evaluation.wildcards import Glob, tokens
from tableguard.policy.perimeter import Fenced
from tableguard.policy.perimeter.exemptions import replication_of
from tableguard.policy.perimeter.fenced import PARTS, Side
from tableguard.review.perimeters import Enclosure, Enclosures, Exempted
from tableguard.review.picture import Table
from tableguard.review.report import Finding, FindingKind

_LISTED: Final = {"perimeter": "exemptions", "people": "exceptions"}
_ROLE: Final = re.compile(r"(?:Lambda polling as )?(role|user) (\S+) of (\d{12}|every account)", re.ASCII)
_LINKED: Final = re.compile(r"service-linked role (\S+) of (\d{12})", re.ASCII)
_PERMISSION_SET: Final = re.compile(r"permission set (\S+) of (\d{12})", re.ASCII)
_FORWARDING: Final = re.compile(r"calls forwarded by (.+)")
_VPCS: Final = re.compile(r"from (.+?) in ([a-z0-9-]+)$")
_VALUES: Final = re.compile(r"(?:from|through VPC endpoints of|through) (.+)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """An exemption as the metadata claims it.

    Args:
        fence: "perimeter" or "people".
        principal: Who, in the words of the metadata.
        patterns: ARNs, or patterns of them, or host names of services; None where the words do not tell.
        permissions: What, by the side that it arrives at; None where the words do not tell.
        fenced: What, in the words of the metadata.
        reason: Why.
    """

    fence: str
    principal: str
    patterns: tuple[str, ...] | None
    permissions: frozenset[tuple[Side, str]] | None
    fenced: str
    reason: str


class FenceClaims:
    """What metadata claims about the fences of one table.

    Args:
        table: The table.
        enclosures: What decides.
        found: What encloses the table, as decided.
    """

    def __init__(self, table: Table, enclosures: Enclosures, found: Enclosure) -> None:
        self._table = table
        self._enclosures = enclosures
        self._found = found
        self._claims = tuple(self._read())

    def explained(self) -> Enclosure:
        """What encloses the table, with the reasons that the metadata gives."""
        because = dict.fromkeys(why for why in map(self._waits, _LISTED) if why is not None)
        return replace(
            self._found,
            exempted=tuple(replace(each, reason=self._reason(each)) for each in self._found.exempted),
            open_because="; ".join(because) or None,
        )

    def findings(self) -> Iterator[Finding]:
        """Where metadata and policies disagree, and a perimeter around the table that leaves its stream open."""
        explained = self.explained()
        if self._waits("perimeter") is None:
            yield from self._of_networks()
        if self._waits("people") is None:
            yield from self._of_people()
        for claim in self._claims:
            missing = self._missing(claim)
            if missing:
                yield self._finding(
                    f"the metadata exempts {claim.principal} for {claim.fenced}, but the policies deny it {missing}",
                    claim.principal,
                )
        for each in explained.exempted:
            readable = all(claim.patterns is not None for claim in self._claims if claim.fence == each.fence)
            if each.reason is None and readable and each.fence in self._table.stated_fences:
                message = f"the policies exempt {each.label} for {', '.join(each.what)}, and no metadata says why"
                yield self._finding(message, each.label)
        yield from self._of_stream()

    def _waits(self, fence: str) -> str | None:
        """Why a fence is not there before the next deployment; None where nothing says so."""
        because = _mapping(_mapping(self._table.stated_fences.get(fence)).get("open replicas")).get(self._table.region)
        return because if isinstance(because, str) else None

    def _read(self) -> Iterator[_Claim]:
        for fence, listed in _LISTED.items():
            stated = _mapping(self._table.stated_fences.get(fence)).get(listed)
            for each in map(_mapping, stated if isinstance(stated, list) else []):
                principal, fenced = str(each.get("principal", "")), str(each.get("fenced", ""))
                yield _Claim(
                    fence=fence,
                    principal=principal,
                    patterns=self._patterns(principal),
                    permissions=_permissions(fenced),
                    fenced=fenced,
                    reason=str(each.get("reason", "")),
                )

    def _patterns(self, label: str) -> tuple[str, ...] | None:
        return patterns_of(label, partition=self._table.arn.split(":")[1], account=self._table.account)

    def _reason(self, exempted: Exempted) -> str | None:
        for claim in self._claims:
            if claim.fence == exempted.fence and any(_is(exempted, each) for each in claim.patterns or ()):
                return claim.reason or None
        # Every perimeter has this one by itself.
        own = replication_of(self._table.account)
        patterns = self._patterns(own.principal.label) or ()
        return own.reason if any(_is(exempted, each) for each in patterns) else None

    def _missing(self, claim: _Claim) -> str:
        """What a claim says that somebody may do, and the policies deny."""
        denied: dict[str, None] = {}
        for side, action in sorted(claim.permissions or (), key=lambda pair: (pair[0].value, pair[1])):
            there = side is Side.TABLE or (side is Side.STREAM and self._table.has_stream)
            if there and ACTIONS[action].reach is not Reach.IDENTITY_ONLY:
                for pattern in claim.patterns or ():
                    if self._is_denied(claim, pattern, side, action):
                        denied[action] = None
        names = list(denied)
        return f"{', '.join(names[:2])} and {len(names) - 2} more" if len(names) > 3 else ", ".join(names)  # noqa: PLR2004

    def _is_denied(self, claim: _Claim, pattern: str, side: Side, action: str) -> bool:
        table = self._table
        outside = self._enclosures.outside(table)
        if pattern.startswith("arn:"):
            principal, context = pattern.replace("*", "x").replace("?", "x"), outside
            if claim.fence == "people" and self._found.said:
                # From the internet a perimeter of the same table denies them as it denies everybody.
                return False
        else:
            principal = self._enclosures.somebody(table)
            last = {"aws:calledvialast": pattern} if pattern else {}
            context = {**outside, "aws:viaawsservice": "true", **last}
        return self._enclosures.is_denied(table, side, action, principal, context) is not False

    def _of_networks(self) -> Iterator[Finding]:
        if "perimeter" not in self._table.stated_fences:
            return
        stated = _mapping(self._table.stated_fences["perimeter"]).get("inside")
        labels = [each for each in (stated if isinstance(stated, list) else []) if isinstance(each, str)]
        claimed = dict.fromkeys(value for label in labels for value in _values(label, self._table.region))
        for value in claimed:
            if value not in self._found.said:
                yield self._finding(f"the metadata says that {value} is inside, and the policies do not name it")
        for value in self._found.said:
            if value not in claimed:
                yield self._finding(f"the policies let {value} in, which the metadata does not say")

    def _of_people(self) -> Iterator[Finding]:
        if "people" in self._table.stated_fences and not self._found.people:
            yield self._finding("the metadata says that people are kept out, and the policies do not")

    def _of_stream(self) -> Iterator[Finding]:
        table = self._table
        if not (table.has_stream and self._found.said):
            return
        somebody, outside = self._enclosures.somebody(table), self._enclosures.outside(table)
        walled = self._enclosures.is_denied(table, Side.TABLE, "GetItem", somebody, outside)
        if walled and self._enclosures.is_denied(table, Side.STREAM, "GetRecords", somebody, outside) is not True:
            message = "the table has a perimeter and its stream has none: every change can be read from outside"
            yield Finding(kind=FindingKind.PERIMETER, message=message, table=table.arn, place=table.place)

    def _finding(self, message: str, principal: str | None = None) -> Finding:
        table = self._table
        return Finding(
            kind=FindingKind.METADATA, message=message, table=table.arn, principal=principal, place=table.place
        )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _is(exempted: Exempted, pattern: str) -> bool:
    """Whether somebody whom the policies exempt is the one of a claim."""
    if not pattern.startswith("arn:"):
        return exempted.key in ("aws:calledvialast", "aws:viaawsservice") and pattern in ("", exempted.pattern)
    return exempted.pattern == pattern or Glob(tokens(pattern)).matches(exempted.pattern)


def patterns_of(label: str, *, partition: str, account: str) -> tuple[str, ...] | None:
    """The ARNs, or patterns of them, that a principal in the metadata's words stands for; hosts for forwarded calls.

    Args:
        label: The words.
        partition: The partition of ARNs.
        account: Where a role of every account is meant.

    Returns:
        None where the words do not tell.
    """
    iam = f"arn:{partition}:iam:"
    if found := _LINKED.fullmatch(label):
        return (f"{iam}:{found[2]}:role/aws-service-role/*/{found[1]}",)
    if found := _ROLE.fullmatch(label):
        return (f"{iam}:{found[3] if found[3].isdecimal() else account}:{found[1]}/{found[2]}",)
    if found := _PERMISSION_SET.fullmatch(label):
        reserved = f"{iam}:{found[2]}:role/aws-reserved/sso.amazonaws.com/"
        role = f"AWSReservedSSO_{found[1]}_{'?' * 16}"
        return (f"{reserved}{role}", f"{reserved}*/{role}")
    if found := _FORWARDING.fullmatch(label):
        return ("",) if found[1] == "any AWS service" else tuple(found[1].split(", "))
    return None


def _permissions(fenced: str) -> frozenset[tuple[Side, str]] | None:
    """The actions that an exemption comes to, in the metadata's words."""
    named = {part.fenced.name: part.fenced for part in PARTS}
    named |= {each.name: each for each in (Fenced.ALL, Fenced.DEPLOYMENT, Fenced.NEW_COPY)}
    found: set[tuple[Side, str]] = set()
    for part in fenced.split(" + "):
        if part in named:
            found |= named[part].permissions
        elif all(name in ACTIONS for name in part.split(", ")):
            known: Iterable[tuple[Side, str]] = (Fenced.ALL | Fenced.SETTINGS).permissions
            found |= {pair for pair in known if pair[1] in part.split(", ") and pair[0] is not Side.NEW_TABLE}
        else:
            return None
    return frozenset(found)


def _values(label: str, region: str) -> list[str]:
    """The networks of a claim that count in a region."""
    if found := _VPCS.fullmatch(label):
        return found[1].split(", ") if found[2] == region else []
    found = _VALUES.fullmatch(label)
    return found[1].split(", ") if found else []
