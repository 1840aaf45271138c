"""Finds grants that a perimeter denies to every request."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence

from tableguard.policy import AwsService, FromNetwork, FromVpc, FromVpcEndpoint, TableGrant
from tableguard.policy.perimeter import FromVpcsOfAccount, FromVpcsOfOrganization, Network, Perimeter
from tableguard.policy.perimeter.exemptions import replication_of
from tableguard.policy.perimeter.identities import arns_of
from tableguard.policy.perimeter.restricted_actions import Side, restricted_at
from tableguard.policy.tables import TableReference
from tableguard.policy.tokens import is_unresolved

_SIDES = (Side.TABLE, Side.STREAM)


def denied_grants(
    perimeter: Perimeter, table: TableReference, grants: Iterable[TableGrant]
) -> Iterator[tuple[TableGrant, str]]:
    """Find the grants that the perimeter denies to every request, each with the reason.

    A grant that depends on values that are known only at deployment is left out.

    Args:
        perimeter: The perimeter of the table.
        table: The table.
        grants: The table's grants, to principals of this library.
    """
    for grant in grants:
        restricted = [
            action.name
            for action in grant.access.actions
            if any(action.name in restricted_at(side, settings=perimeter.settings_too is not None) for side in _SIDES)
        ]
        if not restricted or _exempt(perimeter, table, grant, restricted):
            continue
        why = _stranger(perimeter, table, grant) or _outside(perimeter, grant)
        if why:
            yield grant, why


def _exempt(perimeter: Perimeter, table: TableReference, grant: TableGrant, restricted: Sequence[str]) -> bool:
    arn = getattr(grant.subject, "arn", None)
    if arn is None:
        return False
    mine = arn(table.partition_id)
    exempt = [
        exemption
        for exemption in (replication_of(table.account), *perimeter.exemptions)
        if mine in arns_of(exemption.principal, table.partition_id, account=table.account)
    ]
    return all(any(exemption.covers(action, *_SIDES) for exemption in exempt) for action in restricted)


def _stranger(perimeter: Perimeter, table: TableReference, grant: TableGrant) -> str:
    subject = grant.subject
    if not isinstance(subject, AwsService) or is_unresolved(f"{subject.source_account}{table.account}"):
        return ""
    if perimeter.organization is not None or subject.source_account == table.account:
        return ""
    return (
        f"it calls for account {subject.source_account}, and without organization=… the perimeter lets services call "
        f"for {table.account} only"
    )


def _outside(perimeter: Perimeter, grant: TableGrant) -> str:
    """Why no request that the grant allows can come from inside; empty if one can, or if that is not known."""
    if isinstance(grant.subject, AwsService):
        return ""
    for condition in grant.conditions:
        if isinstance(condition, Network) and not any(_meet(condition, network) for network in perimeter.networks):
            inside = ", ".join(network.label for network in perimeter.networks)
            return f"it is allowed {condition.label} only, and inside is {inside}"
    return ""


def _meet(one: Network, other: Network) -> bool:
    """Whether a request can come from both networks. It is True if the values do not tell."""
    match one, other:
        case FromNetwork(), FromNetwork():
            return any(_overlap(a, b) for a in one.ranges for b in other.ranges)
        case (FromNetwork(), _) | (_, FromNetwork()):
            # A request through a VPC endpoint has no public IP address.
            return False
        case FromVpc(), FromVpc():
            same_region = one.region == other.region or is_unresolved(one.region + other.region)
            return same_region and _share(one.vpc_ids, other.vpc_ids)
        case FromVpcEndpoint(), FromVpcEndpoint():
            return _share(one.endpoint_ids, other.endpoint_ids)
        case FromVpcsOfAccount(), FromVpcsOfAccount():
            return _share(one.accounts, other.accounts)
        case FromVpcsOfOrganization(), FromVpcsOfOrganization():
            return _share((one.organization,), (other.organization,))
    return True


def _overlap(one: str, other: str) -> bool:
    if is_unresolved(one + other):
        return True
    first, second = ipaddress.ip_network(one), ipaddress.ip_network(other)
    return first.version == second.version and first.overlaps(second)


def _share(ones: Sequence[str], others: Sequence[str]) -> bool:
    return is_unresolved("".join((*ones, *others))) or bool(set(ones) & set(others))
