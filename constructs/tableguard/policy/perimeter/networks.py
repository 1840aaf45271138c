"""Which networks are trusted, and the condition that holds for a request from anywhere else."""

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

# The keys that say where a request comes from, each with the operator that denies it, in the order of statements.
_NEGATED: Final = {
    "aws:SourceVpc": "StringNotEquals",
    "aws:SourceVpce": "StringNotEquals",
    "aws:SourceIp": "NotIpAddress",
    "aws:VpceAccount": "StringNotEquals",
    "aws:VpceOrgID": "StringNotEquals",
}


@dataclass(frozen=True, slots=True)
class TrustedNetworks:
    """Networks, any of which a request may come from.

    Args:
        networks: At least one.

    Raises:
        InvalidInputError: There is none, one that is no network, or ranges that together are the whole internet.
    """

    networks: Sequence[Network]

    def __post_init__(self) -> None:
        allowed = "a list of FromVpc, FromVpcEndpoint, FromNetwork, FromVpcsOfAccount and FromVpcsOfOrganization"
        given = listed("the networks of a perimeter", self.networks)
        for network in given:
            if not isinstance(network, Network):
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
        """The regions in which VPCs are trusted by their id."""
        return ordered(network.region for network in self.networks if network.region is not None)

    def outside(self, region: str | None) -> tuple[Clause, ...]:
        """The clauses that hold together for a request to a region that comes from no trusted network.

        Each is a negation, so it holds as well when its key is absent: a request over the internet names no VPC, and
        one through an endpoint no public address.

        Args:
            region: The region that the request goes to. VPC ids are unique in a region only, so VPCs of others do not
                count. None: a region of which no VPC is trusted.
        """
        return _outside(network for network in self.networks if network.region in (None, region))

    def outside_of_every_region(self) -> tuple[Clause, ...]:
        """The clauses that hold together for a request to any region that comes from no trusted network.

        A VPC counts in every region here, which takes one statement instead of one for each region. A VPC of somebody
        else's that has the same id in another region would be taken for it: nobody can choose an id.
        """
        return _outside(self.networks)

    def everywhere(self) -> Iterator[tuple[str | None, tuple[Clause, ...]]]:
        """Each region that VPCs are trusted in, and None for all others, with the clauses that hold outside there."""
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
