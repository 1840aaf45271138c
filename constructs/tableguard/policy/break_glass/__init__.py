"""Break-glass: who may assume an emergency role, and what it may do."""

from __future__ import annotations

from tableguard.policy.break_glass.access import BreakGlassAccess, permissions
from tableguard.policy.break_glass.trust import (
    TrustedPrincipal,
    UsersWithMfa,
    caller_policy,
    checked_assumed_by,
    trust_policy,
)

__all__ = [
    "BreakGlassAccess",
    "TrustedPrincipal",
    "UsersWithMfa",
    "caller_policy",
    "checked_assumed_by",
    "permissions",
    "trust_policy",
]
