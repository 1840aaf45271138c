"""Networks that requests come from. They are conditions of a grant, and the inside of a perimeter."""

from __future__ import annotations

import abc
from dataclasses import dataclass

from tableguard.aws.dynamodb import Action
from tableguard.policy import names
from tableguard.policy.conditions import Clause, Condition, texts
from tableguard.policy.representation import as_call

REQUESTED_REGION = "aws:RequestedRegion"


class Network(Condition):
    """A condition on the network that a request comes from."""

    __slots__ = ()

    region: str | None = None
    """The region in which the condition applies; None for all regions."""

    @property
    @abc.abstractmethod
    def source(self) -> Clause:
        """The clause for the network, without the region."""

    def clauses(self, action: Action) -> tuple[Clause, ...]:
        within = () if self.region is None else (Clause("StringEquals", REQUESTED_REGION, (self.region,)),)
        return (self.source, *within)


@dataclass(frozen=True, slots=True, init=False)
class FromNetwork(Network):
    """Allows requests from these public IP ranges, over the internet.

    A request through a VPC endpoint has no public IP address, so it is not covered. Give such callers another grant,
    with `FromVpcEndpoint` or `FromVpc`.

    Args:
        ranges: Public IPv4 or IPv6 ranges in CIDR form, without host bits.

    Raises:
        InvalidInputError: No range, a malformed one, one with host bits, one of private addresses, or ranges that alone
            or together are the whole IPv4 or IPv6 internet.
    """

    ranges: tuple[str, ...]

    __repr__ = as_call

    def __init__(self, *ranges: str) -> None:
        object.__setattr__(self, "ranges", names.networks("FromNetwork", texts("FromNetwork", ranges)))

    @property
    def source(self) -> Clause:
        return Clause("IpAddress", "aws:SourceIp", self.ranges)

    @property
    def label(self) -> str:
        return f"from {', '.join(self.ranges)}"


@dataclass(frozen=True, slots=True, init=False)
class FromVpc(Network):
    """Allows requests from these VPCs, through a VPC endpoint for DynamoDB.

    VPC ids are unique only within a region, so the region is part of the condition.
    Source: IAM user guide, "AWS global condition context keys", aws:SourceVpc.

    Args:
        vpc_ids: Ids of VPCs ("vpc-…").
        region: The region of these VPCs. It is also the table's: a gateway endpoint reaches no other region.

    Raises:
        InvalidInputError: No id, or a malformed id or region.
    """

    vpc_ids: tuple[str, ...]
    region: str

    __repr__ = as_call

    def __init__(self, *vpc_ids: str, region: str) -> None:
        checked = (names.vpc_id("a VPC of FromVpc", value) for value in texts("FromVpc", vpc_ids))
        object.__setattr__(self, "vpc_ids", tuple(checked))
        object.__setattr__(self, "region", names.region("the region of FromVpc", region))

    @property
    def source(self) -> Clause:
        return Clause("StringEquals", "aws:SourceVpc", self.vpc_ids)

    @property
    def label(self) -> str:
        return f"from {', '.join(self.vpc_ids)} in {self.region}"


@dataclass(frozen=True, slots=True, init=False)
class FromVpcEndpoint(Network):
    """Allows requests through these VPC endpoints.

    Args:
        endpoint_ids: Ids ("vpce-…") of VPC endpoints for DynamoDB (gateway or interface).

    Raises:
        InvalidInputError: No id, or a malformed one.
    """

    endpoint_ids: tuple[str, ...]

    __repr__ = as_call

    def __init__(self, *endpoint_ids: str) -> None:
        checked = (
            names.vpc_endpoint_id("an endpoint of FromVpcEndpoint", value)
            for value in texts("FromVpcEndpoint", endpoint_ids)
        )
        object.__setattr__(self, "endpoint_ids", tuple(checked))

    @property
    def source(self) -> Clause:
        return Clause("StringEquals", "aws:SourceVpce", self.endpoint_ids)

    @property
    def label(self) -> str:
        return f"through {', '.join(self.endpoint_ids)}"


@dataclass(frozen=True, slots=True, init=False)
class FromVpcsOfAccount(Network):
    """Allows requests through all VPC endpoints that these accounts own.

    Try it before you rely on it: AWS lists the condition key for DynamoDB, but does not document it for gateway
    endpoints. If a request does not have the key, a perimeter denies it and a grant does not allow it.
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

    @property
    def source(self) -> Clause:
        return Clause("StringEquals", "aws:VpceAccount", self.accounts)

    @property
    def label(self) -> str:
        return f"through VPC endpoints of {', '.join(self.accounts)}"


@dataclass(frozen=True, slots=True)
class FromVpcsOfOrganization(Network):
    """Allows requests through all VPC endpoints that accounts of this organization own.

    Try it before you rely on it: gateway endpoints are not documented, as for `FromVpcsOfAccount`.
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

    @property
    def source(self) -> Clause:
        return Clause("StringEquals", "aws:VpceOrgID", (self.organization,))

    @property
    def label(self) -> str:
        return f"through VPC endpoints of {self.organization}"
