"""One statement of what is trusted, rendered as the deny of every policy that can enforce it."""

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
# The way out of a lock-out, which must stay open in every policy: the root user of the account deletes the policy.
_RECOVERY: Final = "DeleteResourcePolicy"
_FUNCTION: Final = "lambda:SourceFunctionArn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Perimeter:
    """The networks from which data can be reached, and who is exempt. It renders as policies of every kind.

    Args:
        networks: `FromVpc`, `FromVpcEndpoint`, `FromNetwork`, `FromVpcsOfAccount`, `FromVpcsOfOrganization`: a request
            from any of them is inside.
        exemptions: Who may do what from outside; nobody when left out. The replication role is always exempt, and the
            root user of the table's account may always delete a policy, so that a mistake can be repaired.
        administrators: Who may create and change the exempt roles and each other: usually the deployment role and the
            break-glass role. An SCP needs them.
        pass_role_principals: Who may pass those roles to services, and nothing else: the role of `cdk deploy` passes
            the deployment role to CloudFormation.
        organization: The organization's id. AWS services that call in their own name are not denied when they call for
            an account of it; for the resource's own account when left out. Calls of services that name no account are
            not denied, since many services name none.
        settings_too: Why settings (`RestrictedActions.SETTINGS`) are restricted as well; they are not when left out.
            From outside, only exempt principals can then repair, describe or delete the table.
        unclassified_open: Why actions that AWS adds after this release stay open from outside in SCPs, identity
            policies and boundaries. They are denied when left out, to everybody but those who are exempt for
            anything, the administrators and the pass-role principals (docs/adr/0015).
        not_action_at_tables: Why they are denied in the policies of tables and streams as well; they are not when left
            out. That takes NotAction, and no source tells whether DynamoDB's PutResourcePolicy does. If it does not,
            the deployment fails; nobody is locked out.

    Raises:
        InvalidInputError: No network, something else than networks and exemptions, the same exemption twice, a
            malformed id, settings restricted with nobody exempt, an empty reason, or reasons that contradict each
            other.
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
        """What the policy of a table denies, its indexes included.

        Args:
            table: The table, in the region that the policy is for.

        Raises:
            InvalidInputError: No trusted network can reach the table's region.
        """
        return self._at(table, Side.TABLE)

    def stream_statements(self, table: TableReference) -> tuple[DenyStatement, ...]:
        """What the policy of a table's stream denies.

        Args:
            table: The table, in the region that the policy is for.

        Raises:
            InvalidInputError: No trusted network can reach the table's region.
        """
        return self._at(table, Side.STREAM)

    def identity_statements(self, *, role: Role | None = None, partition: str = "aws") -> tuple[DenyStatement, ...]:
        """What an identity policy or a permissions boundary denies: the perimeter for roles that reach many tables.

        No role is exempt in it: put it where the exempt roles are not, or say whose policy it is. That holds for the
        administrators and pass-role principals, too, since whoever carries a boundary could make a role of their name.

        Args:
            role: The role whose policy it is, so that its own exemption counts; none when left out.
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
        """What an SCP denies the identities of the accounts that it is attached to.

        AWS services and service-linked roles are out of an SCP's reach, so none of their exemptions stands in it. The
        exempt roles are guarded: only the administrators may make, change or pass them.

        Args:
            accounts: The 12-digit ids of all accounts that it binds, so that exemptions of others are left out;
                all exemptions when left out.
            partition: The organization's partition.
            beside: Other statements of the same SCP. Whom they exempt from anything is exempt from the denial of
                actions that AWS adds later.

        Raises:
            InvalidInputError: There are exempt roles or users, and no administrator of theirs, or nobody who passes the
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
        """What an RCP denies everybody at the tables of the accounts that it is attached to, strangers included.

        Args:
            partition: The organization's partition.
        """
        needed = [e for e in self.exemptions if not isinstance(e.principal, ServiceLinkedRole)]
        return self._everywhere(needed, partition, owner="${aws:ResourceAccount}", of_resource=True)

    def _deploying(self, partition: str, *, account: str, bound: Collection[str] | None = None) -> tuple[str, ...]:
        """Whoever deploys, in some accounts or in any: what CloudFormation needs tomorrow must stop no deployment."""
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
    """The denials of one policy.

    Args:
        perimeter: The perimeter.
        exemptions: The exemptions that this policy needs.
        partition: The partition of ARNs.
        owner: The account whose roles are exempt as "of every account", and whose root user may put a mistake right:
            an id, a variable, or "*". None where the policy binds no root user.
        of_resource: Whether it is a policy at the resource: there, AWS services call in their own name as well, and
            Lambda's polling looks like the function's own calls.
        table: The table that it is the policy of; None for a policy of many.
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
        """The denial of AWS services that say they call for somebody else's account."""
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
                # Without an account there is nothing to tell a stranger by. An account of no organization has no
                # SourceOrgID, which the negation above takes for a stranger's.
                Clause("Null", "aws:SourceAccount", ("false",)),
                ours,
            ),
        )

    def _unless(self, action: str, exemptions: Sequence[Exemption]) -> tuple[tuple[Clause, ...], ...]:
        """What has to hold as well for an action to be denied: one way, or two where a poller is exempt."""
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
        # A root user deletes the policy of a table of its account whatever that says, and has no identity policy.
        return self.owner is not None and self.table is None

    def _services(self) -> tuple[Clause, ...]:
        # Absent it counts as false: what is not known to be a service is none.
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
    """Each name once, as IAM wants it: a second of the same name gets a number."""
    seen: dict[str, int] = {}
    result = []
    for denial in denials:
        seen[denial.sid] = number = seen.get(denial.sid, 0) + 1
        result.append(denial if number == 1 else replace(denial, sid=f"{denial.sid}{number}"))
    return tuple(result)


def _qualified(actions: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{SERVICE}:{action}" for action in actions)
