"""SCPs that enforce a perimeter and guardrails on identities, with exemptions for break-glass roles."""

from __future__ import annotations

from typing import ClassVar

from tableguard.organization.attachments import SERVICE_CONTROL
from tableguard.organization.control_policy import ControlPolicy, ControlPolicyType


class BreakGlassSCP(ControlPolicy):
    """Enforces a perimeter, guardrails, or both on accounts, organizational units or the root, with SCPs.

    SCPs apply to every identity of those accounts, the root user included. They never apply to the management account,
    service-linked roles, AWS services and callers of other organizations. `BreakGlassRCP` applies to AWS services and
    callers of other organizations, at the resource.

    One construct has one perimeter. If accounts have VPCs of their own, make one construct for each account:

        for account, vpc in vpcs.items():
            BreakGlassSCP(self, f"Restriction{account}", targets=[account], perimeter=Perimeter(networks=[vpc], …))

    Enable SCPs first (Organizations, Policies, "Enable service control policies"); otherwise the deployment fails with
    PolicyTypeNotEnabledException. Deploy the stack in the management account, or in that of a delegated administrator
    for policies. If other tools manage your SCPs, use `documents`, or run `tableguard policies cdk.out`.

    To roll back, update this stack: it runs in the management account, to which no SCP applies. The root user of an
    account can always delete the policy of a table.
    """

    kind: ClassVar[ControlPolicyType] = ControlPolicyType(
        type=SERVICE_CONTROL,
        short="SCP",
        principal=None,
        guards_roles=True,
        limit=lambda limits: limits.service_control,
        denials=lambda control, accounts, partition: control.service_control(accounts=accounts, partition=partition),
    )
