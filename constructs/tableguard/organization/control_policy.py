"""What SCPs and RCPs have in common: targets, checks, and as few policies as possible."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import aws_cdk as cdk
from aws_cdk import aws_organizations as organizations
from constructs import Construct

from tableguard.aws.partitions import partition_of
from tableguard.organization.attachments import ATTACHMENTS, Attachments, count_attachments
from tableguard.organization.targets import bound_accounts, targets_of
from tableguard.policy import InvalidInputError, Limit, Limits
from tableguard.policy.deny_statements import DenyStatement, packed
from tableguard.policy.documents import Json
from tableguard.policy.guardrails import Control, Guardrail
from tableguard.policy.guardrails.guardrail import reason_of
from tableguard.policy.limits import DEFAULT_LIMITS
from tableguard.policy.metadata import METADATA_KEY, control_metadata
from tableguard.policy.perimeter import IamPrincipal, LambdaPoller, Perimeter, ServiceLinkedRole
from tableguard.policy.perimeter.identities import arns_of
from tableguard.policy.perimeter.restricted_actions import Side

_LONGEST_NAME = 128 - len("-10")


@dataclass(frozen=True, slots=True)
class ControlPolicyType:
    """A type of policy.

    Args:
        type: The name in CloudFormation.
        short: The abbreviation for messages.
        principal: The value of the Principal element; None if its policies have none.
        guards_roles: Whether its policies keep others from changing the exempt roles.
        limit: Which of the limits applies.
        denials: Renders a control, given all accounts that it applies to; None if not all are known.
    """

    type: str
    short: str
    principal: str | None
    guards_roles: bool
    limit: Callable[[Limits], Limit]
    denials: Callable[[Control, Sequence[str] | None, str], tuple[DenyStatement, ...]]


class ControlPolicy(Construct):
    """Policies of one type that enforce one `Control` on some targets. Use `BreakGlassSCP` or `BreakGlassRCP`."""

    kind: ClassVar[ControlPolicyType]

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
        """Make the policies, as few as possible, and attach them to the targets.

        Args:
            scope: The parent construct, in a stack of the management account.
            construct_id: The construct's id, unique below its parent.
            targets: Accounts (12 digits), organizational units ("ou-…") and roots ("r-…") to attach the policies to.
            perimeter: The perimeter to enforce; none when left out.
            guardrails: The guardrails to enforce; none when left out. An SCP takes all guardrails. An RCP takes only
                `ProtectTables` and `ProtectKeys`: RCPs have no NotAction and cover few services.
            administrators: The deployment role (with the CDK, the role of CloudFormation) and the break-glass role;
                those of the perimeter when left out. In an RCP, a RoleOfEveryAccount counts in the resource's own
                account only.
            pass_role_principals: Who may pass these roles to a service, and nothing else. With the CDK, the role that
                `cdk deploy` works as: RoleOfEveryAccount(name="cdk-hnb659fds-deploy-role-*"). Those of the perimeter
                when left out. Only for an SCP.
            accounts: All accounts below the targets: the policies leave out exemptions of other accounts, and the
                checks find accounts that would be locked out. When left out: the targets if all are accounts, else
                unknown, and the policies hold every exemption.
            excluded_accounts: Accounts below a unit or root among the targets to which the policies do not apply, each
                with the reason, such as `{"111122223333": "development, no customer data"}`. None when left out.
            management_account: The organization's management account; the stack's own account when left out.
            nobody_deploys: The reason why no role has to deploy tables' policies from outside the perimeter. Needed
                only if no exemption allows that.
            policy_name: The policies' name, numbered if there are several; made from the path when left out.
            attachments: How many policies a target may have, and how many other tools attach. When left out: 10 SCPs
                or 5 RCPs, 1 of them attached by other tools.
            limits: Limits on the size of policies, if AWS has raised yours; the published ones when left out.

        Raises:
            InvalidInputError: A target is malformed or the management account, guardrails have no administrators, an
                RCP cannot hold a guardrail, no deployment can cross the perimeter, or a guardrail denies what an
                exemption allows.
            PolicyTooLargeError: A statement is over the limit, or a target gets more policies than it may have.
        """
        super().__init__(scope, construct_id)
        owner = f"{self.kind.short} {self.node.path}"
        if limits is not None and not isinstance(limits, Limits):
            raise InvalidInputError(f"limits of {owner}", value=limits, allowed="Limits(…)")
        if attachments is not None and not isinstance(attachments, Attachments):
            raise InvalidInputError(f"attachments of {owner}", value=attachments, allowed="Attachments(…)")
        if pass_role_principals and not self.kind.guards_roles:
            raise InvalidInputError(
                f"pass_role_principals of {owner}",
                value=pass_role_principals,
                allowed="none: an SCP keeps others from passing roles",
                fix="Pass them to a BreakGlassSCP with the same targets.",
            )
        stack = cdk.Stack.of(self)
        self._targets = targets_of(owner, targets)
        self._control = Control(
            perimeter=perimeter,
            guardrails=guardrails,
            administrators=administrators,
            pass_role_principals=pass_role_principals,
            excluded_accounts=excluded_accounts or {},
        )
        accounts = bound_accounts(owner, self._targets, accounts)
        self._check_management(owner, management_account or stack.account)
        self._check_excluded_accounts(owner, accounts)
        bound = (
            tuple(a for a in accounts or () if a not in self._control.excluded_accounts)
            if accounts is not None
            else None
        )
        self._check_administrators(owner, bound)
        self._check_deployment(owner, bound, nobody_deploys)
        limits = limits or DEFAULT_LIMITS
        attachments = attachments or ATTACHMENTS[self.kind.type]
        self._documents = packed(
            self.kind.denials(self._control, bound, _partition(stack)),
            self.kind.limit(limits),
            principal=self.kind.principal,
            at_most=attachments.room,
            owner=owner,
        )
        name = policy_name or cdk.Names.unique_resource_name(self, max_length=_LONGEST_NAME, separator="-")
        self._policies = tuple(self._policy(name, number) for number in range(len(self._documents)))
        for one, following in zip(self._policies, self._policies[1:], strict=False):
            # Organizations accepts one change at a time.
            following.node.add_dependency(one)
        count_attachments(self, self.kind.type, attachments)

    @property
    def documents(self) -> tuple[Json, ...]:
        """The policies' JSON, for organizations that manage them elsewhere: attach them to the same targets."""
        return self._documents

    @property
    def policies(self) -> tuple[organizations.CfnPolicy, ...]:
        """The policies."""
        return self._policies

    @property
    def targets(self) -> tuple[str, ...]:
        """The accounts, organizational units and roots that the policies are attached to."""
        return self._targets

    def _policy(self, name: str, number: int) -> organizations.CfnPolicy:
        several = len(self._documents) > 1
        policy = organizations.CfnPolicy(
            self,
            "Policy" if number == 0 else f"Policy{number + 1}",
            name=f"{name}-{number + 1}" if several else name,
            type=self.kind.type,
            description=f"Guardrails of {self.node.path}"[:500] + (f", part {number + 1}" if several else ""),
            content=self._documents[number],
            target_ids=list(self._targets),
        )
        policy.add_metadata(METADATA_KEY, control_metadata(self._control))
        return policy

    def _check_management(self, owner: str, management: Any) -> None:
        if management in self._targets:
            raise InvalidInputError(
                f"a target of {owner}",
                value=management,
                allowed=f"accounts other than the management account, to which no {self.kind.short} applies",
                fix="Keep data out of the management account. If a delegated administrator deploys this stack, pass "
                "the organization's management account: management_account=….",
            )

    def _check_excluded_accounts(self, owner: str, accounts: Sequence[str] | None) -> None:
        excluded_accounts = self._control.excluded_accounts
        for account in excluded_accounts:
            if account in self._targets:
                raise InvalidInputError(
                    f"excluded_accounts of {owner}", value=account, allowed="accounts that are not targets themselves"
                )
            if accounts is not None and account not in accounts:
                raise InvalidInputError(
                    f"excluded_accounts of {owner}",
                    value=account,
                    allowed="accounts below a unit or root among the targets, and in `accounts` if that is given",
                    fix="Leave it out, or add it to `accounts`.",
                )
        if accounts is not None and not set(accounts) - set(excluded_accounts):
            raise InvalidInputError(
                f"excluded_accounts of {owner}", value=list(excluded_accounts), allowed="some of the accounts, not all"
            )

    def _check_administrators(self, owner: str, accounts: Sequence[str] | None) -> None:
        administrators = self._control.administrators
        for account in (accounts or ()) if administrators else ():
            if not any(_home(administrator) in (None, account) for administrator in administrators):
                raise InvalidInputError(
                    f"the administrators of {owner}",
                    value=[administrator.label for administrator in administrators],
                    allowed=f"at least one of account {account}: otherwise nobody there could change what is protected",
                    fix="Add a role of that account, or a RoleOfEveryAccount.",
                )

    def _check_deployment(self, owner: str, accounts: Sequence[str] | None, nobody_deploys: str | None) -> None:
        if nobody_deploys is not None:
            reason_of(f"nobody_deploys of {owner}", nobody_deploys)
            return
        perimeter = self._control.perimeter
        if perimeter is None:
            return
        deploying = [
            exemption.principal
            for exemption in perimeter.exemptions
            if exemption.covers("PutResourcePolicy", Side.TABLE)
            and not isinstance(exemption.principal, ServiceLinkedRole | LambdaPoller)
            and arns_of(exemption.principal, "aws", account="*")
        ]
        for account in accounts if accounts is not None else (None,):
            if not any(_home(one) in (None, account) or account is None for one in deploying):
                where = "from outside the perimeter" + (f" in {account}" if account else "")
                raise InvalidInputError(
                    f"the exemptions of the perimeter of {owner}",
                    value=[one.label for one in deploying],
                    allowed=f"at least one for a role that may put tables' policies {where}: CloudFormation calls from "
                    "outside, so every deployment of a table with a policy would be denied",
                    fix='Add Exemption(principal=RoleOfEveryAccount(name="cdk-hnb659fds-cfn-exec-role-*"), '
                    "actions=RestrictedActions.DEPLOYMENT, reason=…), or pass the reason why nobody deploys tables: "
                    "nobody_deploys=….",
                )


def _home(principal: object) -> object:
    return getattr(principal, "home", None)


def _partition(stack: cdk.Stack) -> str:
    region = stack.region
    if cdk.Token.is_unresolved(region):
        return "aws"
    return partition_of(region)
