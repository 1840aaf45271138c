"""The ARNs, or patterns of ARNs, of exempt principals and administrators."""

from __future__ import annotations

from tableguard.policy.perimeter.exemptions import Exempt, Forwarding, RoleOfEveryAccount
from tableguard.policy.principals import PermissionSet


def arns_of(principal: Exempt, partition: str, *, account: str) -> tuple[str, ...]:
    """Return the possible values of `aws:PrincipalArn` for a principal; none for services that forward calls.

    Args:
        principal: The exempt principal or administrator.
        partition: The partition of its ARN.
        account: The account of a `RoleOfEveryAccount`: an id, a policy variable, or "*".
    """
    match principal:
        case Forwarding():
            return ()
        case RoleOfEveryAccount():
            return (principal.arn_in(account, partition),)
        case PermissionSet():
            return principal.role_patterns(partition)
    return (principal.arn(partition),)
