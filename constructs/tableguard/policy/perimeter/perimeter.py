"""A perimeter, and its deny statements for each kind of policy that can enforce it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from tableguard.aws.dynamodb import ACTIONS, SERVICE, Resource
from tableguard.policy import names
from tableguard.policy.conditions import Clause
from tableguard.policy.deny_statements import IS_SERVICE, VIA_LAST, VIA_SERVICE, DenyStatement, joined, unless_called_by
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.lists import listed
from tableguard.policy.networks import Network
from tableguard.policy.perimeter.exemptions import (
    Exemption,
    Forwarding,
    LambdaPoller,
    ServiceLinkedRole,
    replication_of,
)
from tableguard.policy.perimeter.guard import IamPrincipal, guard_statements, iam_principals
from tableguard.policy.perimeter.identities import arns_of
from tableguard.policy.perimeter.networks import TrustedNetworks
from tableguard.policy.perimeter.restricted_actions import Side, parts_of, restricted_anywhere, restricted_at
from tableguard.policy.perimeter.unclassified import at_table, by_region, in_one, suffix_of
from tableguard.policy.principals import PRINCIPAL_ARN, Role
from tableguard.policy.representation import as_call
from tableguard.policy.tables import TableReference
from tableguard.policy.tokens import ordered

_EVERYWHERE: Final = (Side.TABLE, Side.STREAM, Side.NEW_TABLE)
# No policy may deny this to the root user of the table's account, who needs it to undo a lock-out.
_RECOVERY: Final = "DeleteResourcePolicy"
_FUNCTION: Final = "lambda:SourceFunctionArn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Perimeter:
    """States from which networks data may be reached, and who is exempt; all other requests are denied.

    Args:
        networks: The networks inside, at least one: `FromVpc`, `FromVpcEndpoint`, `FromNetwork`, `FromVpcsOfAccount`,
            `FromVpcsOfOrganization`.
        exemptions: Principals that may take some restricted actions from outside; none when left out. Two exemptions
            are built in: the role that replicates tables, and the root user of the table's account for deleting a
            policy, to correct a mistake.
        administrators: The roles that may create and change exempt roles and the administrators themselves: usually the
            deployment role and the break-glass role. Required for an SCP if there is an exempt role or user.
        pass_role_principals: Principals that may only pass these roles to services: the role that `cdk deploy` works as
            has to pass the deployment role to CloudFormation.
        organization: The organization's id ("o-…"). AWS services that call in their own name are not denied if they
            call for an account of the organization; when left out, for the resource's own account. A service call that
            names no account is not denied, since many do not.
        settings_too: The reason why settings (`RestrictedActions.SETTINGS`) are denied as well. Then only callers
            inside and principals exempt for them can repair, describe or delete the table. Not denied when left out.
        unclassified_open: The reason why SCPs, identity policies and boundaries do not deny actions that AWS adds after
            this release. When left out, these are denied from outside, except to principals with any exemption, the
            administrators and the pass-role principals (docs/adr/0015).
        not_action_at_tables: The reason why policies of tables and streams deny such actions as well; they do not when
            left out. This needs NotAction, and it is not documented whether DynamoDB's PutResourcePolicy accepts that.
            If not, the deployment fails; nobody is locked out.

    Raises:
        InvalidInputError: No network, something else among the networks or exemptions, two exemptions of one principal,
            a malformed id, `settings_too` with nobody exempt, an empty reason, or reasons that contradict each other.
    """

    networks: Sequence[Network]
    exemptions: Sequence[Exemption] = ()
    administrators: Sequence[IamPrincipal] = ()
    pass_role_principals: Sequence[IamPrincipal] = ()
    organization: str | None = None
    settings_too: str | None = None
    unclassified_open: str | None = None
    not_action_at_tables: str | None = None
    trusted: TrustedNetworks = field(init=False, repr=False, compare=False)

    __repr__ = as_call

    def __post_init__(self) -> None:
        object.__setattr__(self, "trusted", TrustedNetworks(self.networks))
        object.__setattr__(self, "networks", self.trusted.networks)
        object.__setattr__(self, "exemptions", listed("the exemptions of a perimeter", self.exemptions))
        for position, exemption in enumerate(self.exemptions):
            if not isinstance(exemption, Exemption):
                raise InvalidInputError("an exemption of a perimeter", value=exemption, allowed="an Exemption")
            if any(exemption.principal == other.principal for other in self.exemptions[:position]):
                raise InvalidInputError(
                    "the exemptions of a perimeter",
                    value=exemption.principal.label,
                    allowed="each principal once",
                    fix="Join the actions of the two with |.",
                )
        object.__setattr__(self, "administrators", iam_principals("the administrators", self.administrators))
        object.__setattr__(
            self, "pass_role_principals", iam_principals("the pass_role_principals", self.pass_role_principals)
        )
        self._check_reasons()
        if self.organization is not None:
            names.organization_id("the organization of a perimeter", self.organization)

    def _check_reasons(self) -> None:
        for name in ("settings_too", "unclassified_open", "not_action_at_tables"):
            reason = getattr(self, name)
            if reason is not None and (not isinstance(reason, str) or not reason.strip()):
                raise InvalidInputError(f"{name} of a perimeter", value=reason, allowed="the reason, or None")
        if self.unclassified_open is not None and self.not_action_at_tables is not None:
            raise InvalidInputError(
                "not_action_at_tables of a perimeter",
                value=self.not_action_at_tables,
                allowed="None while unclassified_open says that actions which AWS adds later stay open",
            )
        if self.settings_too is not None and not any(e.covers("UpdateTable", Side.TABLE) for e in self.exemptions):
            raise InvalidInputError(
                "settings_too of a perimeter",
                value=self.settings_too,
                allowed="a reason, once somebody outside may still change the table",
                fix="Exempt the role that deployments run as: Exemption(principal=…, "
                "actions=RestrictedActions.DEPLOYMENT | RestrictedActions.SETTINGS, reason=…).",
            )

    def table_statements(self, table: TableReference) -> tuple[DenyStatement, ...]:
        """The deny statements for the policy of a table, which also covers its indexes.

        Args:
            table: The table, in the region that the policy is for.

        Raises:
            InvalidInputError: No trusted network can reach the table's region.
        """
        return self._at(table, Side.TABLE)

    def stream_statements(self, table: TableReference) -> tuple[DenyStatement, ...]:
        """The deny statements for the policy of a table's stream.

        Args:
            table: The table, in the region that the policy is for.

        Raises:
            InvalidInputError: No trusted network can reach the table's region.
        """
        return self._at(table, Side.STREAM)

    def identity_statements(self, *, role: Role | None = None, partition: str = "aws") -> tuple[DenyStatement, ...]:
        """The deny statements for an identity policy or a permissions boundary, for all tables that a role reaches.

        No role is exempt in these statements, not even the administrators and pass-role principals: a role with the
        boundary could create a role of their name. So do not use them for exempt roles, or pass `role`.

        Args:
            role: The role whose policy it is, so that its own exemption counts. When left out, no exemption counts.
            partition: The role's partition.
        """
        mine = [
            exemption
            for exemption in self.exemptions
            if isinstance(exemption.principal, Forwarding) or (role and exemption.principal.home == role.account)
        ]
        restriction = self._everywhere(mine, partition, owner=None, of_resource=False)
        if self.unclassified_open is not None:
            return restriction
        exempt = self._deploying(partition, account=role.account) if role is not None else ()
        settings = self.settings_too is not None
        return (*restriction, in_one(self.trusted, restriction, exempt=exempt, partition=partition, settings=settings))

    def service_control_statements(
        self, *, accounts: Iterable[str] | None = None, partition: str = "aws", beside: Iterable[DenyStatement] = ()
    ) -> tuple[DenyStatement, ...]:
        """The deny statements for an SCP.

        SCPs do not apply to AWS services and service-linked roles, so their exemptions are left out. Further statements
        deny everybody but the administrators to create, change or pass the exempt roles.

        Args:
            accounts: The 12-digit ids of all accounts that the SCP applies to. Exemptions of other accounts are left
                out. When left out, all exemptions are included.
            partition: The organization's partition.
            beside: Other statements of the same SCP. A principal that one of them exempts may also take actions that
                AWS adds later.

        Raises:
            InvalidInputError: There are exempt roles or users but no administrators, or no pass-role principal for the
                administrator that CloudFormation works as.
        """
        known = None if accounts is None else {names.account_id("an account of an SCP", value) for value in accounts}
        needed = [
            exemption
            for exemption in self.exemptions
            if not isinstance(exemption.principal, ServiceLinkedRole)
            and (known is None or exemption.principal.home is None or exemption.principal.home in known)
        ]
        restriction = self._everywhere(needed, partition, owner="*", of_resource=False)
        exempt = [exemption.principal for exemption in needed]
        if self.unclassified_open is None:
            exempt += [*self.administrators, *self.pass_role_principals]
        guard = guard_statements(
            exempt, self.administrators, pass_role_principals=self.pass_role_principals, partition=partition
        )
        if self.unclassified_open is not None:
            return (*restriction, *guard)
        later = by_region(
            self.trusted,
            (*restriction, *beside),
            exempt=self._deploying(partition, account="*", bound=known),
            partition=partition,
            settings=self.settings_too is not None,
        )
        return (*restriction, *later, *guard)

    def resource_control_statements(self, *, partition: str = "aws") -> tuple[DenyStatement, ...]:
        """The deny statements for an RCP, which applies to callers of every organization.

        Args:
            partition: The organization's partition.
        """
        needed = [e for e in self.exemptions if not isinstance(e.principal, ServiceLinkedRole)]
        return self._everywhere(needed, partition, owner="${aws:ResourceAccount}", of_resource=True)

    def _deploying(self, partition: str, *, account: str, bound: Collection[str] | None = None) -> tuple[str, ...]:
        """The ARNs of deployment roles, which may take actions that AWS adds later so that no deployment fails."""
        return tuple(
            arn
            for one in (*self.administrators, *self.pass_role_principals)
            if bound is None or one.home is None or one.home in bound
            for arn in arns_of(one, partition, account=account)
        )

    def _at(self, table: TableReference, side: Side) -> tuple[DenyStatement, ...]:
        outside = self.trusted.outside(table.region)
        if not outside:
            raise InvalidInputError(
                f"the networks of the perimeter of table {table.label}",
                value=[network.label for network in self.networks],
                allowed=f"at least one network that reaches {table.region}; a VPC reaches its own region only",
                fix=f'Add FromVpc("vpc-…", region="{table.region}"), or an endpoint or range.',
            )
        exemptions = [replication_of(table.account), *self.exemptions]
        rendering = _Rendering(self, exemptions, table.partition_id, owner=table.account, of_resource=True, table=table)
        actions = restricted_at(side, settings=self.settings_too is not None)
        denials = joined((*rendering.at(actions, outside, (side,)), *rendering.for_strangers(actions, (side,))))
        if self.not_action_at_tables is None:
            return _numbered(denials)
        linked = f"arn:{table.partition_id}:iam::{table.account}:role/aws-service-role/*"
        later = at_table(
            side,
            outside,
            denials,
            resources=(table.stream_arn,) if side is Side.STREAM else (table.arn, f"{table.arn}/index/*"),
            exempt=(linked, *self._deploying(table.partition_id, account=table.account)),
            settings=self.settings_too is not None,
        )
        return _numbered((*denials, later))

    def _everywhere(
        self, exemptions: Sequence[Exemption], partition: str, *, owner: str | None, of_resource: bool
    ) -> tuple[DenyStatement, ...]:
        rendering = _Rendering(self, exemptions, partition, owner=owner, of_resource=of_resource)
        return _numbered(joined(rendering.everywhere()))


@dataclass(frozen=True, slots=True)
class _Rendering:
    """Renders the deny statements of one policy.

    Args:
        perimeter: The perimeter.
        exemptions: The exemptions that this policy needs.
        partition: The partition of ARNs.
        owner: The account whose `RoleOfEveryAccount` roles are exempt, and whose root user may undo a lock-out: an id,
            a policy variable, or "*". None if the policy applies to no root user.
        of_resource: Whether it is a resource-based policy or an RCP: there, AWS services call in their own name as
            well, and Lambda's polling looks like the function's own calls.
        table: The table whose policy it is; None for a policy of many tables.
    """

    perimeter: Perimeter
    exemptions: Sequence[Exemption]
    partition: str
    owner: str | None
    of_resource: bool
    table: TableReference | None = None

    def everywhere(self) -> Iterable[DenyStatement]:
        """Deny statements for all regions: those with VPCs of their own, and the rest."""
        trusted = self.perimeter.trusted
        actions = restricted_anywhere(settings=self.perimeter.settings_too is not None)
        for region, outside in trusted.everywhere():
            yield from self.at(actions, outside, _EVERYWHERE, suffix=suffix_of(region, trusted))
        yield from self.for_strangers(actions, _EVERYWHERE)

    def at(
        self,
        actions: Iterable[str],
        outside: tuple[Clause, ...],
        sides: tuple[Side, ...],
        suffix: str = "",
    ) -> Iterable[DenyStatement]:
        """Deny statements for requests that come from outside, one for all actions with the same exemptions."""
        groups: dict[tuple[tuple[Clause, ...], ...], list[str]] = {}
        for action in actions:
            exempt = [exemption for exemption in self.exemptions if exemption.covers(action, *sides)]
            groups.setdefault(self._unless(action, exempt), []).append(action)
        for ways, group in groups.items():
            for kind, clauses in zip(("", "Code"), ways, strict=False):
                yield DenyStatement(
                    sid=f"Perimeter{parts_of(group, *_EVERYWHERE)}{kind}{suffix}",
                    actions=_qualified(group),
                    resources=self._resources(group, sides),
                    clauses=(*outside, *clauses),
                )

    def _resources(self, actions: Sequence[str], sides: tuple[Side, ...]) -> tuple[str, ...]:
        if self.table is None:
            return ("*",)
        if Side.STREAM in sides:
            return (self.table.stream_arn,)
        on_index = any(Resource.INDEX in ACTIONS[action].resources for action in actions)
        return (self.table.arn, f"{self.table.arn}/index/*") if on_index else (self.table.arn,)

    def for_strangers(self, actions: Sequence[str], sides: tuple[Side, ...]) -> Iterable[DenyStatement]:
        """Deny AWS services that call for an account of another owner."""
        if not self.of_resource or self.owner is None:
            return
        ours = (
            Clause("StringNotEquals", "aws:SourceOrgID", (self.perimeter.organization,))
            if self.perimeter.organization is not None
            else Clause("StringNotEquals", "aws:SourceAccount", (self.owner,))
        )
        yield DenyStatement(
            sid="PerimeterServicesForStrangers",
            actions=_qualified(actions),
            resources=self._resources(actions, sides),
            clauses=(
                Clause("Bool", IS_SERVICE, ("true",)),
                # Without an account, the request does not tell for whom it is made. An account outside of organizations
                # has no SourceOrgID; the negation above then holds.
                Clause("Null", "aws:SourceAccount", ("false",)),
                ours,
            ),
        )

    def _unless(self, action: str, exemptions: Sequence[Exemption]) -> tuple[tuple[Clause, ...], ...]:
        """The further conditions under which an action is denied: one set, or two if a poller is exempt."""
        arns = ordered(
            arn
            for exemption in exemptions
            if not isinstance(exemption.principal, LambdaPoller)
            for arn in arns_of(exemption.principal, self.partition, account=self.owner or "*")
        )
        pollers = ordered(
            e.principal.arn(self.partition)
            for e in exemptions
            if isinstance(e.principal, LambdaPoller) and e.principal.arn(self.partition) not in arns
        )
        root = (f"arn:{self.partition}:iam::{self.owner}:root",) if self._binds_root and action == _RECOVERY else ()
        common = (*self._forwarding(exemptions), *self._services())
        main = (*unless_called_by((*arns, *pollers, *root)), *common)
        if self.of_resource or not pollers:
            return (main,)
        code = (Clause("ArnEquals", PRINCIPAL_ARN, pollers), Clause("Null", _FUNCTION, ("false",)), *common)
        return (main, code)

    @property
    def _binds_root(self) -> bool:
        # A root user can delete the policy of a table of its account in any case, and has no identity policy.
        return self.owner is not None and self.table is None

    def _services(self) -> tuple[Clause, ...]:
        # A request without the key counts as not made by a service.
        return (Clause("BoolIfExists", IS_SERVICE, ("false",)),) if self.of_resource else ()

    @staticmethod
    def _forwarding(exemptions: Sequence[Exemption]) -> tuple[Clause, ...]:
        services = [e.principal.services for e in exemptions if isinstance(e.principal, Forwarding)]
        if not services:
            return ()
        if not all(services):
            return (Clause("BoolIfExists", VIA_SERVICE, ("false",)),)
        return (Clause("StringNotEquals", VIA_LAST, ordered(host for hosts in services for host in hosts)),)


def _numbered(denials: Sequence[DenyStatement]) -> tuple[DenyStatement, ...]:
    """Make the names unique, as IAM requires: a repeated name gets a number."""
    seen: dict[str, int] = {}
    result = []
    for denial in denials:
        seen[denial.sid] = number = seen.get(denial.sid, 0) + 1
        result.append(denial if number == 1 else replace(denial, sid=f"{denial.sid}{number}"))
    return tuple(result)


def _qualified(actions: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{SERVICE}:{action}" for action in actions)
