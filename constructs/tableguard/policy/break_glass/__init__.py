"""Break-glass: who may take an emergency role, through which door, and what it then may do."""

from __future__ import annotations

from tableguard.policy.break_glass.access import BreakGlassAccess, permissions
from tableguard.policy.break_glass.doors import Door, UsersWithMfa, caller_policy, doors_of, trust_policy

__all__ = [
    "BreakGlassAccess",
    "Door",
    "UsersWithMfa",
    "caller_policy",
    "doors_of",
    "permissions",
    "trust_policy",
]
