"""What templates say for readers, beside their policies: written, and read again, by one schema.

Everything stands there twice: as structure, which reviews compare with the policies, and as a label for people. It is a
claim. No decision of this library ever rests on it.
"""

from __future__ import annotations

from tableguard.policy.metadata.claims import (
    BreakGlassClaim,
    Readable,
    Reading,
    ResourceClaims,
    backup_metadata,
    break_glass_metadata,
    consumer_metadata,
    control_metadata,
    perimeter_metadata,
    read,
    stack_metadata,
    table_metadata,
)
from tableguard.policy.metadata.conditions import ClauseClaim, ConditionClaim, NetworkClaim
from tableguard.policy.metadata.grants import GrantClaim
from tableguard.policy.metadata.principals import PrincipalClaim
from tableguard.policy.metadata.restrictions import (
    ControlClaim,
    ExemptionClaim,
    GuardrailClaim,
    RestrictionClaim,
    people_json,
    perimeter_json,
)
from tableguard.policy.metadata.schema import METADATA_KEY, STACK_METADATA_KEY, VERSION

__all__ = [
    "METADATA_KEY",
    "STACK_METADATA_KEY",
    "VERSION",
    "BreakGlassClaim",
    "ClauseClaim",
    "ConditionClaim",
    "ControlClaim",
    "ExemptionClaim",
    "GrantClaim",
    "GuardrailClaim",
    "NetworkClaim",
    "PrincipalClaim",
    "Readable",
    "Reading",
    "ResourceClaims",
    "RestrictionClaim",
    "backup_metadata",
    "break_glass_metadata",
    "consumer_metadata",
    "control_metadata",
    "people_json",
    "perimeter_json",
    "perimeter_metadata",
    "read",
    "stack_metadata",
    "table_metadata",
]
