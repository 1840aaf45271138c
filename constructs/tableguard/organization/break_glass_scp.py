"""An SCP that keeps data inside and settings safe, with break-glass as the way through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from constructs import Construct

from tableguard.organization.attachments import SERVICE_CONTROL, Attachments
from tableguard.organization.control_policy import ControlPolicy, ControlPolicyType
from tableguard.policy import Limits
from tableguard.policy.guardrails import Guardrail
from tableguard.policy.perimeter import IamPrincipal, Perimeter


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
        limit=lambda limits: limits.service_control,
        denials=lambda control, accounts, partition: control.service_control(accounts=accounts, partition=partition),
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
        pass_role_principals: Sequence[IamPrincipal] = (),
        accounts: Sequence[str] | None = None,
        excluded_accounts: Mapping[str, str] | None = None,
        management_account: str | None = None,
        nobody_deploys: str | None = None,
        policy_name: str | None = None,
        attachments: Attachments | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Make the SCPs: as few as fit.

        Args:
            scope: The parent construct, in a stack of the management account.
            construct_id: The construct's id, unique below its parent.
            targets: Accounts (12 digits), organizational units ("ou-…") and roots ("r-…") that they are attached to.
            perimeter: What keeps data inside; none when left out.
            guardrails: What nobody but the administrators may do, such as `ProtectTables()`.
            administrators: The role that deployments run as, with the CDK the one that CloudFormation gets, and the
                break-glass role; those of the perimeter when left out.
            pass_role_principals: Who hands those roles to services and no more: with the CDK the role that `cdk deploy`
                works as, RoleOfEveryAccount(name="cdk-hnb659fds-deploy-role-*"); those of the perimeter when left out.
            accounts: All accounts that the targets hold, so that exemptions of others are left out and nobody is
                locked out unnoticed. Known when the targets are accounts; every exemption stands in it otherwise.
            excluded_accounts: Accounts of a unit or root among the targets that none of it binds, each with the reason:
                development accounts without data, say. `{"111122223333": "development, no customer data"}`.
            management_account: The organization's management account; the stack's own when left out.
            nobody_deploys: Why it is fine that nobody may put tables' policies from outside the perimeter. An error
                when left out and nobody may.
            policy_name: The policies' name, numbered where there are several; made from the path when left out.
            attachments: How many policies one target takes, and how many are attached by other means; 10 and 1 when
                left out.
            limits: Limits on the size of policies, where AWS has raised yours; the published ones when left out.

        Raises:
            InvalidInputError: A malformed target, the management account among them, guardrails without administrators,
                a perimeter that no deployment can cross, or an exemption for what a guardrail denies.
            PolicyTooLargeError: A statement is over the limit, or there are more policies than a target takes.
        """
        super().__init__(
            scope,
            construct_id,
            targets=targets,
            perimeter=perimeter,
            guardrails=guardrails,
            administrators=administrators,
            pass_role_principals=pass_role_principals,
            accounts=accounts,
            excluded_accounts=excluded_accounts,
            management_account=management_account,
            nobody_deploys=nobody_deploys,
            policy_name=policy_name,
            attachments=attachments,
            limits=limits,
        )
