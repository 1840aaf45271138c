"""Which networks are trusted, and the condition that holds for a request from anywhere else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from tableguard.aws.dynamodb import Action
from tableguard.policy import names
from tableguard.policy.conditions import Clause, Condition, FromNetwork, FromVpc, FromVpcEndpoint, texts
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.lists import listed
from tableguard.policy.representation import as_call
from tableguard.policy.tokens import ordered

_REGION: Final = "aws:RequestedRegion"


@dataclass(frozen=True, slots=True, init=False)
class FromVpcsOfAccount(Condition):
    """Only through VPC endpoints that these accounts own, whichever they are.

    AWS lists the key for DynamoDB, yet says nothing of gateway endpoints. Where it is absent a perimeter denies and a
    grant allows nothing: callers are cut off rather than let in. Try it before you rely on it.
    Source: IAM user guide, "AWS global condition context keys", aws:VpceAccount.

    Args:
        accounts: 12-digit ids of the accounts that own the endpoints.

    Raises:
        InvalidInputError: No account, or a malformed one.
    """

    accounts: tuple[str, ...]

    __repr__ = as_call

    def __init__(self, *accounts: str) -> None:
        checked = (
            names.account_id("an account of FromVpcsOfAccount", value) for value in texts("FromVpcsOfAccount", accounts)
        )
        object.__setattr__(self, "accounts", tuple(checked))

    def clauses(self, action: Action) -> tuple[Clause, ...]:
        return (Clause("StringEquals", "aws:VpceAccount", self.accounts),)

    @property
    def label(self) -> str:
        return f"through VPC endpoints of {', '.join(self.accounts)}"


@dataclass(frozen=True, slots=True)
class FromVpcsOfOrganization(Condition):
    """Only through VPC endpoints that accounts of this organization own.

    What `FromVpcsOfAccount` says of gateway endpoints holds here as well.
    Source: IAM user guide, "AWS global condition context keys", aws:VpceOrgID.

    Args:
        organization: The organization's id, such as "o-a1b2c3d4e5".

    Raises:
        InvalidInputError: The id is malformed.
    """

    organization: str

    __repr__ = as_call

    def __post_init__(self) -> None:
        names.organization_id("the organization of FromVpcsOfOrganization", self.organization)

    def clauses(self, action: Action) -> tuple[Clause, ...]:
        return (Clause("StringEquals", "aws:VpceOrgID", (self.organization,)),)

    @property
    def label(self) -> str:
        return f"through VPC endpoints of {self.organization}"


Network: TypeAlias = FromVpc | FromVpcEndpoint | FromNetwork | FromVpcsOfAccount | FromVpcsOfOrganization


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
        if self.ranges:
            names.networks("a perimeter", self.ranges)

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions whose VPCs are trusted by their id."""
        return ordered(network.region for network in self.networks if isinstance(network, FromVpc))

    @property
    def ranges(self) -> tuple[str, ...]:
        """The trusted IP ranges."""
        return ordered(r for network in self.networks if isinstance(network, FromNetwork) for r in network.ranges)

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The trusted VPC endpoints."""
        return ordered(
            i for network in self.networks if isinstance(network, FromVpcEndpoint) for i in network.endpoint_ids
        )

    def vpcs(self, region: str) -> tuple[str, ...]:
        """The trusted VPCs of a region."""
        return ordered(
            vpc
            for network in self.networks
            if isinstance(network, FromVpc) and network.region == region
            for vpc in network.vpc_ids
        )

    def outside(self, region: str | None) -> tuple[Clause, ...]:
        """The clauses that hold together for a request to a region that comes from no trusted network.

        Each is a negation, so it holds as well when its key is absent: a request over the internet names no VPC, and
        one through an endpoint no public address.

        Args:
            region: The region that the request goes to. VPC ids are unique in a region only, so VPCs of others do not
                count. None: a region of which no VPC is trusted.
        """
        return self._outside(self.vpcs(region) if region is not None else ())

    def outside_of_every_region(self) -> tuple[Clause, ...]:
        """The clauses that hold together for a request to any region that comes from no trusted network.

        A VPC counts in every region here, which takes one statement instead of one for each region. A VPC of somebody
        else's that has the same id in another region would be taken for it: nobody can choose an id.
        """
        return self._outside(ordered(vpc for region in self.regions for vpc in self.vpcs(region)))

    def everywhere(self) -> Iterator[tuple[str | None, tuple[Clause, ...]]]:
        """Each region that VPCs are trusted in, and None for all others, with the clauses that hold outside there."""
        for region in self.regions:
            yield region, (*self.outside(region), Clause("StringEquals", _REGION, (region,)))
        others = (Clause("StringNotEquals", _REGION, self.regions),) if self.regions else ()
        yield None, (*self.outside(None), *others)

    def _outside(self, vpcs: tuple[str, ...]) -> tuple[Clause, ...]:
        accounts = ordered(
            a for network in self.networks if isinstance(network, FromVpcsOfAccount) for a in network.accounts
        )
        organizations = ordered(
            network.organization for network in self.networks if isinstance(network, FromVpcsOfOrganization)
        )
        candidates = (
            ("StringNotEquals", "aws:SourceVpc", vpcs),
            ("StringNotEquals", "aws:SourceVpce", self.endpoints),
            ("NotIpAddress", "aws:SourceIp", self.ranges),
            ("StringNotEquals", "aws:VpceAccount", accounts),
            ("StringNotEquals", "aws:VpceOrgID", organizations),
        )
        return tuple(Clause(operator, key, values) for operator, key, values in candidates if values)
