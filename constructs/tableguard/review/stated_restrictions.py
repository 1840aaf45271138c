"""What metadata claims about the restrictions of a table, and whether its policies agree. A claim decides nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tableguard.aws.dynamodb import ACTIONS, ResourcePolicySupport
from tableguard.policy.metadata import ExemptionClaim, PrincipalClaim, RestrictionClaim
from tableguard.policy.perimeter import Exempt, Forwarding, RestrictedActions
from tableguard.policy.perimeter.exemptions import replication_of
from tableguard.policy.perimeter.identities import arns_of
from tableguard.policy.perimeter.restricted_actions import Side
from tableguard.policy.wildcards import Glob, tokens
from tableguard.review.perimeters import Enclosure, Enclosures, Exempted
from tableguard.review.picture import RestrictionKind, Table
from tableguard.review.report import Finding, FindingKind

_ADDED_LATER: Final = "AddedLater"
"""An action that no list has: neither one of this release's, nor one in a policy."""
_MOST: Final = 3
"""More actions than these are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """An exemption as the metadata claims it.

    Args:
        restriction: The restriction.
        principal: Who, in a reader's words.
        patterns: ARNs, or patterns of them, or host names of services; None where only the deployment knows them.
        actions: What.
        reason: Why.
    """

    restriction: RestrictionKind
    principal: str
    patterns: tuple[str, ...] | None
    actions: RestrictedActions
    reason: str


class RestrictionClaims:
    """What metadata claims about the restrictions of one table.

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
        because = dict.fromkeys(why for why in map(self._waits, RestrictionKind) if why is not None)
        return replace(
            self._found,
            exempted=tuple(replace(each, reason=self._reason(each)) for each in self._found.exempted),
            open_because="; ".join(because) or None,
        )

    def findings(self) -> Iterator[Finding]:
        """Where metadata and policies disagree, and a perimeter around the table that leaves its stream open."""
        explained = self.explained()
        if self._waits(RestrictionKind.PERIMETER) is None:
            yield from self._of_networks()
            yield from self._of_later()
        if self._waits(RestrictionKind.PEOPLE) is None:
            yield from self._of_people()
        for claim in self._claims:
            missing = self._missing(claim)
            if missing:
                said = f"the metadata exempts {claim.principal} for {claim.actions.name}"
                yield self._finding(f"{said}, but the policies deny it {missing}", claim.principal)
        for each in explained.exempted:
            readable = all(
                claim.patterns is not None for claim in self._claims if claim.restriction is each.restriction
            )
            if not readable or each.restriction not in self._table.stated_restrictions:
                continue
            unstated = _few(sorted({action for _, action in each.permissions - self._permissions(each)}))
            if each.reason is None:
                message = f"the policies exempt {each.label} for {', '.join(each.what)}, and no metadata says why"
                yield self._finding(message, each.label)
            elif unstated:
                message = f"the policies exempt {each.label} for {unstated} as well, which the metadata does not say"
                yield self._finding(message, each.label)
        yield from self._of_stream()

    def _stated(self, kind: RestrictionKind) -> RestrictionClaim:
        return self._table.stated_restrictions.get(kind, RestrictionClaim())

    def _waits(self, kind: RestrictionKind) -> str | None:
        """Why a restriction is not there before the next deployment; None where nothing says so."""
        return self._stated(kind).open_replicas.get(self._table.region)

    def _read(self) -> Iterator[_Claim]:
        for kind in RestrictionKind:
            yield from (self._claim(kind, each) for each in self._stated(kind).exemptions)

    def _claim(self, kind: RestrictionKind, stated: ExemptionClaim) -> _Claim:
        return _Claim(
            restriction=kind,
            principal=stated.principal.label,
            patterns=self._patterns(stated.principal),
            actions=stated.actions,
            reason=stated.reason,
        )

    def _patterns(self, claim: PrincipalClaim) -> tuple[str, ...] | None:
        return patterns_of(claim, partition=self._table.arn.split(":")[1], account=self._table.account)

    def _reason(self, exempted: Exempted) -> str | None:
        for claim in self._claims:
            if claim.restriction is exempted.restriction and any(_is(exempted, each) for each in claim.patterns or ()):
                return claim.reason or None
        own = replication_of(self._table.account)
        return own.reason if self._is_replication(exempted) else None

    def _permissions(self, exempted: Exempted) -> frozenset[tuple[Side, str]]:
        """All that the metadata says somebody is exempt for, whom the policies exempt."""
        claims = (claim for claim in self._claims if claim.restriction is exempted.restriction)
        found = [c.actions.permissions for c in claims if any(_is(exempted, each) for each in c.patterns or ())]
        if self._is_replication(exempted):
            found.append(replication_of(self._table.account).actions.permissions)
        return frozenset().union(*found)

    def _is_replication(self, exempted: Exempted) -> bool:
        """Whether it is replication, which every perimeter exempts by itself."""
        somebody = replication_of(self._table.account).principal
        patterns = self._patterns(PrincipalClaim(label=somebody.label, principal=somebody)) or ()
        return any(_is(exempted, each) for each in patterns)

    def _missing(self, claim: _Claim) -> str:
        """What a claim says that somebody may do, and the policies deny."""
        denied: dict[str, None] = {}
        for side, action in sorted(claim.actions.permissions, key=lambda pair: (pair[0].value, pair[1])):
            there = side is Side.TABLE or (side is Side.STREAM and self._table.has_stream)
            if there and ACTIONS[action].resource_policy is not ResourcePolicySupport.IDENTITY_ONLY:
                for pattern in claim.patterns or ():
                    if self._is_denied(claim, pattern, side, action):
                        denied[action] = None
        return _few(list(denied))

    def _is_denied(self, claim: _Claim, pattern: str, side: Side, action: str) -> bool:
        table = self._table
        outside = self._enclosures.outside(table)
        if pattern.startswith("arn:"):
            principal, context = pattern.replace("*", "x").replace("?", "x"), outside
            if claim.restriction is RestrictionKind.PEOPLE and self._found.said:
                # From the internet a perimeter of the same table denies them as it denies everybody.
                return False
        else:
            principal = self._enclosures.somebody(table)
            last = {"aws:calledvialast": pattern} if pattern else {}
            context = {**outside, "aws:viaawsservice": "true", **last}
        return self._enclosures.is_denied(table, side, action, principal, context) is not False

    def _of_networks(self) -> Iterator[Finding]:
        if RestrictionKind.PERIMETER not in self._table.stated_restrictions:
            return
        networks = self._stated(RestrictionKind.PERIMETER).networks
        claimed = dict.fromkeys(value for network in networks for value in network.values_in(self._table.region))
        for value in claimed:
            if value not in self._found.said:
                yield self._finding(f"the metadata says that {value} is inside, and the policies do not name it")
        for value in self._found.said:
            if value not in claimed:
                yield self._finding(f"the policies let {value} in, which the metadata does not say")

    def _of_later(self) -> Iterator[Finding]:
        if self._stated(RestrictionKind.PERIMETER).not_action_at_tables is None:
            return
        table = self._table
        somebody, outside = self._enclosures.somebody(table), self._enclosures.outside(table)
        for side in (Side.TABLE, Side.STREAM) if table.has_stream else (Side.TABLE,):
            if self._enclosures.is_denied(table, side, _ADDED_LATER, somebody, outside) is not True:
                said = f"the metadata says that the {side.value}'s policy denies what AWS adds later"
                yield self._finding(f"{said}, and it does not")

    def _of_people(self) -> Iterator[Finding]:
        if RestrictionKind.PEOPLE in self._table.stated_restrictions and not self._found.people:
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


def _few(names: Sequence[str]) -> str:
    return f"{', '.join(names[:2])} and {len(names) - 2} more" if len(names) > _MOST else ", ".join(names)


def _is(exempted: Exempted, pattern: str) -> bool:
    """Whether somebody whom the policies exempt is the one of a claim."""
    if not pattern.startswith("arn:"):
        return exempted.key in ("aws:calledvialast", "aws:viaawsservice") and pattern in ("", exempted.pattern)
    return exempted.pattern == pattern or Glob(tokens(pattern)).matches(exempted.pattern)


def patterns_of(claim: PrincipalClaim, *, partition: str, account: str) -> tuple[str, ...] | None:
    """The ARNs, or patterns of them, that a principal of the metadata has; host names for forwarded calls.

    Args:
        claim: The principal.
        partition: The partition of ARNs.
        account: Where a role of every account is meant.

    Returns:
        None where only the deployment knows them, and for whoever is no single identity.
    """
    somebody = claim.principal
    if isinstance(somebody, Forwarding):
        return somebody.services or ("",)
    return arns_of(somebody, partition, account=account) if isinstance(somebody, Exempt) else None
