"""From which networks the data of tables is reached, and whom policies exempt: decided, whatever metadata claims."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from tableguard.aws.dynamodb import ACTIONS, ResourcePolicySupport
from tableguard.aws.permission_sets import permission_set_of
from tableguard.evaluation import Document, Outcome, Policies, Request, evaluate
from tableguard.evaluation.match import Match
from tableguard.policy.perimeter.restricted_actions import PARTS, RestrictedActions, Side
from tableguard.review.decide import ANY_IDENTITY, decide
from tableguard.review.picture import Picture, RestrictionKind, Table
from tableguard.review.samples import ANYWHERE
from tableguard.review.sentences import Sentence, Shelf, Test
from tableguard.review.subjects import label_of

INTERNET: Final = "the internet"
OTHER: Final = "any other VPC"
_ADDRESS: Final = "aws:sourceip"
_NETWORKS: Final[Mapping[str, str]] = {
    "aws:sourcevpc": "{}",
    "aws:sourcevpce": "{}",
    _ADDRESS: "{}",
    "aws:vpceaccount": "endpoints of {}",
    "aws:vpceorgid": "endpoints of {}",
}
_REGION: Final = "aws:requestedregion"
_ARN: Final = "aws:principalarn"
_VIA: Final = "aws:viaawsservice"
_LAST: Final = "aws:calledvialast"
# What tells services apart from callers, and whom they call for: no exemption of anybody.
_OF_SERVICES: Final = frozenset(
    {"aws:principalisawsservice", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourcearn"}
)
_LINKED: Final = re.compile(r"arn:[^:]+:iam::([^:]+):role/aws-service-role/.+/(.+)")
_SIDES: Final = (Side.TABLE, Side.STREAM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A network, and what of a table's data somebody of the table's account reaches from there.

    Args:
        network: The VPC, endpoint or range, or "the internet".
        reached: Parts of the data, such as "items" and "export": those of which any action is allowed.
        unsure: Parts that are denied by nothing that can be understood.
    """

    network: str
    reached: tuple[str, ...]
    unsure: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exempted:
    """Somebody whom a restriction of the table's own policies does not deny what it denies others.

    Args:
        restriction: The restriction.
        pattern: As the policy says it: an ARN, a service's host name, or a value of another key.
        key: The condition key, in lower case.
        label: What a reader calls it.
        what: What it may do all the same: parts, and single actions where it is not the whole part.
        permissions: The same as pairs of the side and the action, without its service.
        reason: Why, as the metadata claims; None where it does not say.
    """

    restriction: RestrictionKind
    pattern: str
    key: str
    label: str
    what: tuple[str, ...]
    permissions: frozenset[tuple[Side, str]]
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """What encloses one table.

    Args:
        networks: What is reached from each known network; the internet comes last.
        exempted: Whom the table's own policies exempt.
        people: Patterns of the principals that a restriction of people denies.
        said: The networks that the table's own policies name.
        open_because: Why it stands open until another deployment, as the metadata claims; None where it does not.
    """

    networks: tuple[Reached, ...]
    exempted: tuple[Exempted, ...] = ()
    people: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    open_because: str | None = None

    @property
    def is_restricted(self) -> bool:
        """Whether there is anything to tell: networks that differ, or people who are kept out."""
        return bool(self.people or self.exempted) or len({each.reached for each in self.networks}) > 1


class Enclosures:
    """Decides what encloses tables.

    Args:
        picture: The picture.
        now: The moment of the requests, with a time zone.
        shelf: The statements of documents.
    """

    def __init__(self, picture: Picture, now: dt.datetime, shelf: Shelf) -> None:
        self._picture = picture
        self._now = now
        self._shelf = shelf

    def of(self, table: Table) -> Enclosure:
        """What encloses a table.

        Args:
            table: The table.
        """
        own = [s for document in (table.policy, table.stream_policy) if document for s in self._denies(document)]
        walls = [sentence for sentence in own if _outside(sentence, table.region)]
        people = [s for s in own if s not in walls and _about_people(s)]
        networks = self._networks(table)
        found = Enclosure(
            networks=tuple(self._reached(table, label, context) for label, context in networks),
            people=tuple(dict.fromkeys(value for s in people for test in _about_people(s) for value in test.values)),
            said=tuple(dict.fromkeys(v for s in walls for t in _outside(s, table.region) for v in t.values)),
        )
        inside = next((c for (_, c), r in zip(networks, found.networks, strict=True) if r.reached), networks[-1][1])
        exempted = (
            *self._exempted(table, RestrictionKind.PERIMETER, walls, networks[-1][1]),
            *self._exempted(table, RestrictionKind.PEOPLE, people, inside),
        )
        return replace(found, exempted=exempted)

    def is_denied(self, table: Table, side: Side, action: str, principal: str, context: Mapping[str, str]) -> Match:
        """Whether a Deny of the table's own policies, or of its stream's, hits a request; None where that is not known.

        Args:
            table: The table.
            side: Whether it goes to the table or to the stream.
            action: The action, without its service.
            principal: Who.
            context: What the request carries.
        """
        policy = table.stream_policy if side is Side.STREAM else table.policy
        if policy is None:
            return False
        request = self._request(table, side, action, principal, context)
        decision = evaluate(request, Policies(identity=list(ANY_IDENTITY), resource=policy))
        if decision.outcome is not Outcome.EXPLICITLY_DENIED:
            return False
        return True if any(reason.understood for reason in decision.because) else None

    def somebody(self, table: Table) -> str:
        """A role of the table's account that no policy names."""
        return f"arn:{table.arn.split(':')[1]}:iam::{table.account}:role/{{any}}"

    def outside(self, table: Table) -> Mapping[str, str]:
        """What a request from the internet carries."""
        return _context(table, **{_ADDRESS: ANYWHERE})

    def _denies(self, document: Document) -> Iterator[Sentence]:
        yield from (sentence for sentence in self._shelf.sentences(document) if sentence.denies)

    def _request(self, table: Table, side: Side, action: str, principal: str, context: Mapping[str, str]) -> Request:
        resource = table.stream_arn if side is Side.STREAM else table.arn
        return Request(
            principal=principal, action=f"dynamodb:{action}", resource=resource, context=context, time=self._now
        )

    def _networks(self, table: Table) -> tuple[tuple[str, Mapping[str, str]], ...]:
        """Every network that is known, with what a request from there carries. The internet is the last of them."""
        found: dict[str, Mapping[str, str]] = {}
        values = dict.fromkeys(
            (test.low_key, value) for test in self._network_tests(table) for value in test.values if _is_plain(value)
        )
        here = [each for each in self._picture.endpoints if each.region == table.region] if values else []
        for endpoint in here:
            vpc = {"aws:sourcevpc": endpoint.vpc_id} if endpoint.vpc_id is not None else {}
            label = f"{endpoint.endpoint_id}{f' in {endpoint.vpc_id}' if vpc else ''}"
            found[label] = _context(table, **{"aws:sourcevpce": endpoint.endpoint_id, **vpc})
        known = {each.vpc_id for each in here} | {each.endpoint_id for each in here}
        for key, value in values:
            if value not in known:
                sample = _address_in(value) if key == _ADDRESS else value
                found[_NETWORKS[key].format(value)] = _context(table, **{key: sample})
        if values:
            found[OTHER] = _context(table, **{"aws:sourcevpc": "vpc-{other}", "aws:sourcevpce": "vpce-{other}"})
        return (*found.items(), (INTERNET, self.outside(table)))

    def _network_tests(self, table: Table) -> Iterator[Test]:
        """What any Deny that bears on the table says of networks."""
        seen: set[int] = set()
        for side, action in ((Side.TABLE, "GetItem"), (Side.STREAM, "GetRecords")):
            request = self._request(table, side, action, self.somebody(table), self.outside(table))
            for layer in self._picture.policies_for(request, identity=ANY_IDENTITY).layers:
                for document in layer.documents:
                    if id(document) not in seen:
                        seen.add(id(document))
                        for sentence in self._denies(document):
                            yield from _outside(sentence, table.region)

    def _reached(self, table: Table, label: str, context: Mapping[str, str]) -> Reached:
        reached: dict[str, None] = {}
        unsure: dict[str, None] = {}
        for part, side, action in _restricted(table):
            if part not in reached:
                request = self._request(table, side, action, self.somebody(table), context)
                # Networks are the question here: the key's consent depends on no network.
                decision = decide(self._picture, request, outsider=ANY_IDENTITY, even_if_known=True).decision
                if decision.allowed:
                    reached[part] = None
                elif not decision.understood:
                    unsure[part] = None
        return Reached(
            network=label, reached=tuple(reached), unsure=tuple(part for part in unsure if part not in reached)
        )

    def _exempted(
        self, table: Table, restriction: RestrictionKind, walls: Iterable[Sentence], context: Mapping[str, str]
    ) -> Iterator[Exempted]:
        named = dict.fromkeys(
            (test.low_key, value) for wall in walls for test in exempting(wall) for value in test.values
        )
        for key, value in named:
            if key == _ARN:
                principal, carried = sample_of(value, table.account), context
            else:
                principal = self.somebody(table)
                carried = {**context, **_forwarded(key, value)}
            what, permissions = self._what(table, restriction, principal, carried, context)
            if what:
                label = label_of_exempt(key, value)
                yield Exempted(
                    restriction=restriction, pattern=value, key=key, label=label, what=what, permissions=permissions
                )

    def _what(
        self,
        table: Table,
        restriction: RestrictionKind,
        principal: str,
        carried: Mapping[str, str],
        context: Mapping[str, str],
    ) -> tuple[tuple[str, ...], frozenset[tuple[Side, str]]]:
        """What somebody may do that others may not, for readers and as pairs.

        Others are a role of the account, or its root user for people.
        """
        root = f"arn:{table.arn.split(':')[1]}:iam::{table.account}:root"
        other = self.somebody(table) if restriction is RestrictionKind.PERIMETER else root
        parts: dict[str, list[str]] = {}
        whole: dict[str, int] = {}
        permissions = set()
        for part, side, action in _restricted(table):
            if self.is_denied(table, side, action, other, context):
                whole[part] = whole.get(part, 0) + 1
                if self.is_denied(table, side, action, principal, carried) is not True:
                    parts.setdefault(part, []).append(action)
                    permissions.add((side, action))
        words = tuple(
            each for part, actions in parts.items() for each in ((part,) if len(actions) == whole[part] else actions)
        )
        everything = bool(whole) and len(permissions) == sum(whole.values())
        return ("everything",) if everything else words, frozenset(permissions)


def _restricted(table: Table) -> Iterator[tuple[str, Side, str]]:
    """The actions on data, each with the part of it that it belongs to."""
    for part in PARTS:
        for side, action in sorted(part.actions.permissions, key=lambda pair: (pair[0].value, pair[1])):
            there = side in _SIDES and (side is Side.TABLE or table.has_stream)
            if (
                part.actions is not RestrictedActions.SETTINGS
                and there
                and ACTIONS[action].resource_policy is not ResourcePolicySupport.IDENTITY_ONLY
            ):
                yield part.actions.name, side, action


def _context(table: Table, **more: str) -> Mapping[str, str]:
    return {"aws:securetransport": "true", _VIA: "false", _REGION: table.region, **more}


def _forwarded(key: str, value: str) -> Mapping[str, str]:
    if key == _LAST:
        return {_VIA: "true", _LAST: value}
    return {_VIA: "true"} if key == _VIA else {key: value}


def _outside(sentence: Sentence, region: str) -> tuple[Test, ...]:
    """The conditions by which a Deny exempts networks, where it is about a region."""
    for test in sentence.tests:
        if test.low_key == _REGION and (region in test.values) is test.negated:
            return ()
    return tuple(test for test in sentence.tests if test.negated and test.low_key in _NETWORKS)


def _about_people(sentence: Sentence) -> tuple[Test, ...]:
    """The conditions by which a Deny is about some principals only."""
    return tuple(test for test in sentence.tests if not test.negated and test.low_key == _ARN)


def exempting(sentence: Sentence) -> Iterator[Test]:
    """The conditions by which a Deny exempts somebody otherwise than by network.

    Args:
        sentence: The Deny.
    """
    for test in sentence.tests:
        switch = test.low_key == _VIA and "false" in map(str.lower, test.values)
        if switch or (test.negated and test.low_key not in (*_NETWORKS, *_OF_SERVICES, _REGION)):
            yield test


def _is_plain(value: str) -> bool:
    return not set("*?$") & set(value)


def _address_in(value: str) -> str:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return value
    return str(network[1] if network.num_addresses > 1 else network[0])


def sample_of(pattern: str, account: str) -> str:
    """Something that a pattern of ARNs fits.

    Args:
        pattern: The pattern.
        account: The account where any will do.
    """
    parts = pattern.split(":", 5)
    if len(parts) == 6 and parts[4] == "*":  # noqa: PLR2004 - an ARN has six parts
        parts[4] = account
    return ":".join(parts).replace("*", "x").replace("?", "x")


def label_of_exempt(key: str, value: str) -> str:
    """What a reader calls somebody whom a condition exempts.

    Args:
        key: The condition key, in lower case.
        value: Its value.
    """
    if key == _ARN:
        if (people := permission_set_of(value)) is not None:
            return f"permission set {people[1]} of {people[0]}"
        linked = _LINKED.fullmatch(value)
        return f"service-linked role {linked[2]} of {linked[1]}" if linked else label_of(value)
    if key == _VIA:
        return "calls forwarded by any AWS service"
    return f"calls forwarded by {value}" if key == _LAST else f"callers with {key} {value}"
