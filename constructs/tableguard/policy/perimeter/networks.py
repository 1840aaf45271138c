"""The networks inside a perimeter, and the conditions that hold for a request from outside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tableguard.policy import names
from tableguard.policy.conditions import Clause
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.lists import listed
from tableguard.policy.networks import REQUESTED_REGION, FromNetwork, Network
from tableguard.policy.tokens import ordered

# The condition keys of networks, each with the operator for a deny statement, in the order of statements.
_NEGATED: Final = {
    "aws:SourceVpc": "StringNotEquals",
    "aws:SourceVpce": "StringNotEquals",
    "aws:SourceIp": "NotIpAddress",
    "aws:VpceAccount": "StringNotEquals",
    "aws:VpceOrgID": "StringNotEquals",
}


@dataclass(frozen=True, slots=True)
class TrustedNetworks:
    """The networks that requests may come from.

    Args:
        networks: The networks, at least one.

    Raises:
        InvalidInputError: There is no network, something else in the list, or ranges that cover the whole internet.
    """

    networks: Sequence[Network]

    def __post_init__(self) -> None:
        allowed = "a list of FromVpc, FromVpcEndpoint, FromNetwork, FromVpcsOfAccount and FromVpcsOfOrganization"
        given = listed("the networks of a perimeter", self.networks)
        for network in given:
            if not isinstance(network, Network) or network.source.key not in _NEGATED:
                raise InvalidInputError("the networks of a perimeter", value=network, allowed=allowed)
        if not given:
            raise InvalidInputError(
                "the networks of a perimeter",
                value=(),
                allowed=allowed,
                fix="Without one, everybody but the exempt roles would be locked out.",
            )
        object.__setattr__(self, "networks", given)
        if ranges := ordered(r for network in given if isinstance(network, FromNetwork) for r in network.ranges):
            names.networks("a perimeter", ranges)

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions of the VPCs."""
        return ordered(network.region for network in self.networks if network.region is not None)

    def outside(self, region: str | None) -> tuple[Clause, ...]:
        """The clauses that all hold for a request to a region from outside.

        Each clause is a negation, so it also holds if its key is absent: a request over the internet has no VPC, and a
        request through an endpoint has no public IP address.

        Args:
            region: The region that the request goes to. VPCs of other regions do not count, since VPC ids are unique
                only within a region. None: a region without a VPC of the perimeter.
        """
        return _outside(network for network in self.networks if network.region in (None, region))

    def outside_of_every_region(self) -> tuple[Clause, ...]:
        """The clauses that all hold for a request to any region from outside.

        A VPC counts in every region here, which needs one statement instead of one for each region. A VPC of another
        owner with the same id in another region would count as inside, but nobody can choose the id of a VPC.
        """
        return _outside(self.networks)

    def everywhere(self) -> Iterator[tuple[str | None, tuple[Clause, ...]]]:
        """Each region of the VPCs, and None for all other regions, with the clauses for requests from outside."""
        for region in self.regions:
            yield region, (*self.outside(region), Clause("StringEquals", REQUESTED_REGION, (region,)))
        others = (Clause("StringNotEquals", REQUESTED_REGION, self.regions),) if self.regions else ()
        yield None, (*self.outside(None), *others)


def _outside(networks: Iterable[Network]) -> tuple[Clause, ...]:
    values: dict[str, list[str]] = {}
    for network in networks:
        values.setdefault(network.source.key, []).extend(network.source.values)
    keys = sorted(values, key=tuple(_NEGATED).index)
    return tuple(Clause(_NEGATED[key], key, ordered(values[key])) for key in keys)
