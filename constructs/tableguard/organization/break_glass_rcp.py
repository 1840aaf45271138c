"""RCPs that enforce a perimeter and guardrails on resources, for callers of every account."""

from __future__ import annotations

from typing import ClassVar

from tableguard.organization.attachments import RESOURCE_CONTROL
from tableguard.organization.control_policy import ControlPolicy, ControlPolicyType


class BreakGlassRCP(ControlPolicy):
    """Enforces a perimeter, some guardrails, or both on the resources of accounts, with resource control policies.

    RCPs apply to all callers: also to those of other organizations and to AWS services that call for other accounts.
    They never apply to service-linked roles, nor to resources of the management account. An RCP does not protect its
    exempt roles from changes: attach a `BreakGlassSCP` with the same administrators to the same targets.

    Enable RCPs first ("Enable resource control policies"). For several accounts, where to deploy and recovery, see
    `BreakGlassSCP`: the same applies here.
    """

    kind: ClassVar[ControlPolicyType] = ControlPolicyType(
        type=RESOURCE_CONTROL,
        short="RCP",
        principal="*",
        guards_roles=False,
        limit=lambda limits: limits.resource_control,
        denials=lambda control, _, partition: control.resource_control(partition=partition),
    )
