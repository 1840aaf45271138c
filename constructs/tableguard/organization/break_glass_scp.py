"""An SCP that keeps data inside and settings safe, with break-glass as the way through."""

from __future__ import annotations

from typing import ClassVar

from tableguard.organization.attachments import SERVICE_CONTROL
from tableguard.organization.control_policy import ControlPolicy, ControlPolicyType


class BreakGlassSCP(ControlPolicy):
    """Service control policies: a perimeter, guardrails, or both, on accounts, organizational units or the root.

    They bind every identity of those accounts, the root user included. They never bind the management account,
    service-linked roles, AWS services, and callers from other organizations: `BreakGlassRCP` binds those last two at
    the resource.

    One construct has one perimeter. Accounts with VPCs of their own get a construct each, attached to the account:

        for account, vpc in vpcs.items():
            BreakGlassSCP(self, f"Restriction{account}", targets=[account], perimeter=Perimeter(networks=[vpc], …))

    Deploy it in the management account, or in that of a delegated administrator for policies. SCPs must be enabled
    first (Organizations, Policies, "Enable service control policies"); otherwise the deployment fails with
    PolicyTypeNotEnabledException. Where SCPs are managed elsewhere, take `documents`, or `tableguard policies cdk.out`.

    However it is set up, the root user of an account can delete the policy of a table, and rolling back is an update of
    this stack: it runs in the management account, which no SCP binds.
    """

    kind: ClassVar[ControlPolicyType] = ControlPolicyType(
        type=SERVICE_CONTROL,
        short="SCP",
        principal=None,
        guards_roles=True,
        limit=lambda limits: limits.service_control,
        denials=lambda control, accounts, partition: control.service_control(accounts=accounts, partition=partition),
    )
