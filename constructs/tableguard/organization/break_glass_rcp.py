"""An RCP that keeps data inside and settings safe, whoever calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from constructs import Construct

from tableguard.organization.attachments import RESOURCE_CONTROL, Attachments
from tableguard.organization.control_policy import ControlPolicy, ControlPolicyType
from tableguard.policy import Limits
from tableguard.policy.guardrails import Guardrail
from tableguard.policy.perimeter import IamPrincipal, Perimeter


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
        limit=lambda limits: limits.resource_control,
        denials=lambda control, _, partition: control.resource_control(partition=partition),
    )

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        targets: Sequence[str],
        perimeter: Perimeter | None = None,
        guardrails: Sequence[Guardrail] = (),
        administrators: Sequence[IamPrincipal] = (),
        accounts: Sequence[str] | None = None,
        excluded_accounts: Mapping[str, str] | None = None,
        management_account: str | None = None,
        nobody_deploys: str | None = None,
        policy_name: str | None = None,
        attachments: Attachments | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Make the RCPs: as few as fit.

        Args:
            scope: The parent construct, in a stack of the management account.
            construct_id: The construct's id, unique below its parent.
            targets: Accounts (12 digits), organizational units ("ou-…") and roots ("r-…") that they are attached to.
            perimeter: What keeps data inside; none when left out.
            guardrails: `ProtectTables` and `ProtectKeys`: RCPs know no NotAction and few services.
            administrators: As in `BreakGlassSCP`. A role of every account counts in the resource's own account only.
            accounts: All accounts that the targets hold, so that nobody is locked out unnoticed.
            excluded_accounts: Accounts of a unit or root among the targets whose resources it leaves alone, each with
                the reason.
            management_account: The organization's management account; the stack's own when left out.
            nobody_deploys: Why it is fine that nobody may put tables' policies from outside the perimeter.
            policy_name: The policies' name, numbered where there are several; made from the path when left out.
            attachments: How many policies one target takes, and how many are attached by other means; 5 and 1 when
                left out.
            limits: Limits on the size of policies, where AWS has raised yours; the published ones when left out.

        Raises:
            InvalidInputError: As `BreakGlassSCP`, or a guardrail that an RCP cannot hold.
            PolicyTooLargeError: A statement is over the limit, or there are more policies than a target takes.
        """
        super().__init__(
            scope,
            construct_id,
            targets=targets,
            perimeter=perimeter,
            guardrails=guardrails,
            administrators=administrators,
            pass_role_principals=(),
            accounts=accounts,
            excluded_accounts=excluded_accounts,
            management_account=management_account,
            nobody_deploys=nobody_deploys,
            policy_name=policy_name,
            attachments=attachments,
            limits=limits,
        )
