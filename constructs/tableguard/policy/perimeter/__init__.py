"""A perimeter: the networks that data may be reached from, and its deny statements for each kind of policy."""

from __future__ import annotations

from tableguard.policy.networks import FromVpcsOfAccount, FromVpcsOfOrganization, Network
from tableguard.policy.perimeter.endpoint import endpoint_statements
from tableguard.policy.perimeter.exemptions import (
    Exempt,
    Exemption,
    Forwarding,
    LambdaPoller,
    RoleOfEveryAccount,
    ServiceLinkedRole,
)
from tableguard.policy.perimeter.guard import IamPrincipal, guard_statements
from tableguard.policy.perimeter.perimeter import Perimeter
from tableguard.policy.perimeter.restricted_actions import RestrictedActions

__all__ = [
    "Exempt",
    "Exemption",
    "Forwarding",
    "FromVpcsOfAccount",
    "FromVpcsOfOrganization",
    "IamPrincipal",
    "LambdaPoller",
    "Network",
    "Perimeter",
    "RestrictedActions",
    "RoleOfEveryAccount",
    "ServiceLinkedRole",
    "endpoint_statements",
    "guard_statements",
]
