"""An RCP that keeps data inside and settings safe, whoever calls."""

from __future__ import annotations

from typing import ClassVar

from tableguard.organization.attachments import RESOURCE_CONTROL
from tableguard.organization.control_policy import ControlPolicy, ControlPolicyType


class BreakGlassRCP(ControlPolicy):
    """Resource control policies: a perimeter, some guardrails, or both, for the resources of accounts.

    They bind whoever calls, from other organizations as well, and AWS services that call for a stranger. They never
    bind service-linked roles, nor the resources of the management account. The roles that an RCP lets through are
    guarded by an SCP, not by itself: attach a `BreakGlassSCP` with the same administrators to the same targets.

    What `BreakGlassSCP` says of several accounts, of where to deploy it and of recovery holds here as well. RCPs must
    be enabled first ("Enable resource control policies").
    """

    kind: ClassVar[ControlPolicyType] = ControlPolicyType(
        type=RESOURCE_CONTROL,
        short="RCP",
        principal="*",
        guards_roles=False,
        limit=lambda limits: limits.resource_control,
        denials=lambda control, _, partition: control.resource_control(partition=partition),
    )
