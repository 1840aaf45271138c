"""The ARNs, or patterns of ARNs, of whoever is exempt or guards."""

from __future__ import annotations

from tableguard.policy.perimeter.exemptions import Exempt, Forwarding, RoleOfEveryAccount
from tableguard.policy.principals import PermissionSet


def arns_of(principal: Exempt, partition: str, *, account: str) -> tuple[str, ...]:
    """What `aws:PrincipalArn` may be for a principal; nothing for services that forward calls.

    Args:
        principal: Whoever is exempt, or guards.
        partition: The partition of its ARN.
        account: Where a role of every account is meant: an id, a variable, or "*".
    """
    match principal:
        case Forwarding():
            return ()
        case RoleOfEveryAccount():
            return (principal.arn_in(account, partition),)
        case PermissionSet():
            return principal.role_patterns(partition)
    return (principal.arn(partition),)
