"""Conditions and networks in metadata, as IAM compares them, with the words for readers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tableguard.aws.dynamodb import ACTIONS, Action
from tableguard.policy.conditions import Clause, Condition
from tableguard.policy.documents import Json
from tableguard.policy.metadata.source import MalformedMetadataError, Source
from tableguard.policy.networks import (
    FromNetwork,
    FromVpc,
    FromVpcEndpoint,
    FromVpcsOfAccount,
    FromVpcsOfOrganization,
    Network,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseClaim:
    """One line of a Condition element that metadata says a grant has.

    Args:
        operator: The operator, with prefix and suffix.
        key: The condition key.
        values: Its values, as a policy compares them.
        actions: The names of the actions that it is for; None for all of the grant.
    """

    operator: str
    key: str
    values: tuple[str, ...]
    actions: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionClaim:
    """A condition that metadata says a grant has.

    Args:
        label: The condition in a reader's words.
        clauses: All of what it asks.
    """

    label: str
    clauses: tuple[ClauseClaim, ...]

    def for_action(self, action: str) -> tuple[ClauseClaim, ...]:
        """What it asks of one action.

        Args:
            action: Its name without the service prefix.
        """
        return tuple(clause for clause in self.clauses if clause.actions is None or action in clause.actions)


def condition_json(condition: Condition, actions: Iterable[Action]) -> Json:
    """A condition of a grant as metadata says it.

    Args:
        condition: The condition.
        actions: The actions of the grant.
    """
    listed = list(actions)
    asked: dict[Clause, list[str]] = {}
    for action in listed:
        for clause in condition.clauses(action):
            asked.setdefault(clause, []).append(action.name)
    clauses = [
        {
            "operator": clause.operator,
            "key": clause.key,
            "values": list(clause.values),
            **({"actions": names} if len(names) < len(listed) else {}),
        }
        for clause, names in asked.items()
    ]
    return {"label": condition.label, "clauses": clauses}


def read_condition(source: Source) -> ConditionClaim:
    """A condition that metadata says a grant has.

    Args:
        source: What it says.

    Raises:
        MalformedMetadataError: It is not what `condition_json` writes.
    """
    clauses = tuple(map(_clause, source.objects("clauses")))
    if not clauses:
        raise MalformedMetadataError(f"{source.within('clauses')} is empty")
    first = clauses[0]
    label = source.text("label") or f"{first.operator} {first.key} {', '.join(first.values)}"
    return ConditionClaim(label=label, clauses=clauses)


def _clause(source: Source) -> ClauseClaim:
    actions = None
    if "actions" in source.json:
        actions = frozenset(source.texts("actions")[0])
        unknown = sorted(actions - ACTIONS.keys())
        if unknown:
            raise MalformedMetadataError(f"{source.within('actions')}: {unknown[0]!r}")
    # A value that only the deployment knows is compared as it stands there, as it is in policies.
    values = tuple(str(value) for value in source.listed("values"))
    if not values:
        raise MalformedMetadataError(f"{source.within('values')} is empty")
    return ClauseClaim(operator=source.needed("operator"), key=source.needed("key"), values=values, actions=actions)


_VPC: Final = "vpc"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkClaim:
    """A network that metadata says is inside a perimeter.

    Args:
        kind: Its kind, such as "vpc-endpoint".
        values: Its ids or ranges.
        region: The region that it counts in; None for every region.
    """

    kind: str
    values: tuple[str, ...]
    region: str | None = None

    def values_in(self, region: str) -> tuple[str, ...]:
        """What of it counts in a region.

        Args:
            region: The region.
        """
        return self.values if self.kind != _VPC or self.region == region else ()


def network_json(network: Network) -> Json:
    """A network as metadata says it.

    Args:
        network: The network.
    """
    match network:
        case FromVpc():
            said: Json = {"kind": _VPC, "values": list(network.vpc_ids), "region": network.region}
        case FromVpcEndpoint():
            said = {"kind": "vpc-endpoint", "values": list(network.endpoint_ids)}
        case FromNetwork():
            said = {"kind": "network", "values": list(network.ranges)}
        case FromVpcsOfAccount():
            said = {"kind": "vpcs-of-account", "values": list(network.accounts)}
        case FromVpcsOfOrganization():
            said = {"kind": "vpcs-of-organization", "values": [network.organization]}
    return {**said, "label": network.label}


_KINDS: Final = frozenset({_VPC, "vpc-endpoint", "network", "vpcs-of-account", "vpcs-of-organization"})


def read_network(source: Source) -> NetworkClaim:
    """A network that metadata says is inside a perimeter.

    Args:
        source: What it says.

    Raises:
        MalformedMetadataError: It is not what `network_json` writes.
    """
    kind = source.needed("kind")
    if kind not in _KINDS:
        raise MalformedMetadataError(f"{source.within('kind')} is {kind!r}, which is no kind of network")
    values = tuple(str(value) for value in source.listed("values"))
    return NetworkClaim(kind=kind, values=values, region=source.text("region"))
