"""All statements of one SCP or RCP: a perimeter's, the guardrails', and the guard of whoever they let through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from tableguard.policy import names
from tableguard.policy.conditions import Clause
from tableguard.policy.deny_statements import DenyStatement, joined
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.guardrails.exempted import check_exempted
from tableguard.policy.guardrails.guardrail import Guardrail, Protection, Rendering, reason_of
from tableguard.policy.lists import listed
from tableguard.policy.perimeter import IamPrincipal, Perimeter, guard_statements
from tableguard.policy.perimeter.guard import iam_principals
from tableguard.policy.representation import as_call
from tableguard.policy.tokens import ordered


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """What an SCP or an RCP is to enforce.

    Args:
        perimeter: The perimeter; none when left out.
        guardrails: The guardrails.
        administrators: Who may do what guardrails protect, and make and change whoever is let through: the roles that
            deployments run as and break-glass. Those of the perimeter when left out.
        pass_role_principals: Who may pass those roles to a service and no more, such as the role that `cdk deploy`
            works as. Those of the perimeter when left out.
        excluded_accounts: Accounts that nothing of it binds, each with the reason, though an organizational unit that
            it is attached to holds them.

    Raises:
        InvalidInputError: Nothing to enforce, the same guardrail twice, administrators that differ from the
            perimeter's, nobody who may do what is protected, or an excluded account without a reason.
    """

    perimeter: Perimeter | None = None
    guardrails: Sequence[Guardrail] = ()
    administrators: Sequence[IamPrincipal] = ()
    pass_role_principals: Sequence[IamPrincipal] = ()
    excluded_accounts: Mapping[str, str] = field(default_factory=dict)

    __repr__ = as_call

    def __post_init__(self) -> None:
        if self.perimeter is not None and not isinstance(self.perimeter, Perimeter):
            raise InvalidInputError("the perimeter", value=self.perimeter, allowed="a Perimeter, or None")
        guardrails = listed("the guardrails", self.guardrails)
        for guardrail in guardrails:
            if not isinstance(guardrail, Guardrail):
                raise InvalidInputError("a guardrail", value=guardrail, allowed="a guardrail such as ProtectTables()")
        object.__setattr__(self, "guardrails", guardrails)
        if not self.guardrails and self.perimeter is None:
            raise InvalidInputError("what is enforced", value=(), allowed="a perimeter, guardrails or both")
        twice = sorted({g.name for g in self.guardrails if sum(other == g for other in self.guardrails) > 1})
        if twice:
            raise InvalidInputError("the guardrails", value=twice, allowed="each guardrail once")
        self._check_administrators()
        if not isinstance(self.excluded_accounts, Mapping):
            raise InvalidInputError("excluded_accounts", value=self.excluded_accounts, allowed="{account: reason, …}")
        for account, reason in self.excluded_accounts.items():
            names.account_id("an account of excluded_accounts", account)
            reason_of(f"the reason why {account} is excluded", reason)
        object.__setattr__(self, "excluded_accounts", MappingProxyType(dict(self.excluded_accounts)))

    def _check_administrators(self) -> None:
        for name in ("administrators", "pass_role_principals"):
            given = iam_principals(f"the {name}", getattr(self, name))
            of_perimeter = tuple(getattr(self.perimeter, name)) if self.perimeter is not None else ()
            if given and of_perimeter and set(given) != set(of_perimeter):
                raise InvalidInputError(
                    f"the {name}",
                    value=[one.label for one in given],
                    allowed="the same as the perimeter's, or none of them here",
                    fix="Two lists that differ would leave nobody who may change a role that both guard: say it once.",
                )
            object.__setattr__(self, name, given or of_perimeter)
        needing = [guardrail.name for guardrail in self.guardrails if guardrail.exempts_administrators]
        if needing and not self.administrators:
            raise InvalidInputError(
                "the administrators",
                value=(),
                allowed=f"at least one, since {needing[0]} would lock deployments out",
                fix="Name the role that deployments run as, and break-glass: administrators=[RoleOfEveryAccount("
                'name="cdk-hnb659fds-cfn-exec-role-*"), …], and who passes it to CloudFormation: '
                'pass_role_principals=[RoleOfEveryAccount(name="cdk-hnb659fds-deploy-role-*")].',
            )

    def service_control(
        self, *, accounts: Iterable[str] | None = None, partition: str = "aws"
    ) -> tuple[DenyStatement, ...]:
        """The statements of an SCP.

        Args:
            accounts: All accounts that it binds, so that the perimeter's exemptions of others are left out; all
                exemptions when left out.
            partition: The organization's partition.

        Raises:
            InvalidInputError: A guardrail denies somebody what the perimeter exempts them for.
        """
        rendering = Rendering(
            administrators=tuple(self.administrators),
            pass_role_principals=tuple(self.pass_role_principals),
            partition=partition,
        )
        bound = None if accounts is None else (*accounts,)
        self._check_exempted(rendering, bound)
        guardrails = self._of_guardrails(rendering)
        restriction: tuple[DenyStatement, ...] = ()
        if self.perimeter is not None:
            perimeter = replace(
                self.perimeter,
                administrators=tuple(self.administrators),
                pass_role_principals=tuple(self.pass_role_principals),
            )
            restriction = perimeter.service_control_statements(accounts=bound, partition=partition, beside=guardrails)
        let_through = [
            *self.administrators,
            *(one for guardrail in self.guardrails for one in guardrail.exempt_principals),
        ]
        guard = guard_statements(
            let_through,
            tuple(self.administrators),
            pass_role_principals=tuple(self.pass_role_principals),
            partition=partition,
        )
        # The perimeter guards its exempt roles itself: joined, the two guards are one.
        return self._bounded((*joined((*restriction, *guard)), *guardrails), "aws:PrincipalAccount")

    def resource_control(self, *, partition: str = "aws") -> tuple[DenyStatement, ...]:
        """The statements of an RCP.

        Args:
            partition: The organization's partition.

        Raises:
            InvalidInputError: A guardrail that an RCP cannot hold, or one that denies somebody what the perimeter
                exempts them for.
        """
        for guardrail in self.guardrails:
            if not guardrail.in_rcp:
                raise InvalidInputError(
                    "a guardrail of an RCP",
                    value=guardrail.name,
                    allowed="ProtectTables and ProtectKeys",
                    fix="Put it into an SCP: RCPs take no NotAction and know few services.",
                )
        rendering = Rendering(administrators=tuple(self.administrators), at_resource=True, partition=partition)
        self._check_exempted(rendering)
        restriction = (
            self.perimeter.resource_control_statements(partition=partition) if self.perimeter is not None else ()
        )
        return self._bounded((*restriction, *self._of_guardrails(rendering)), "aws:ResourceAccount")

    def _check_exempted(self, rendering: Rendering, bound: Sequence[str] | None = None) -> None:
        exemptions = self.perimeter.exemptions if self.perimeter is not None else ()
        needed = [e for e in exemptions if bound is None or e.principal.home is None or e.principal.home in bound]
        check_exempted(needed, self.guardrails, rendering, excluded_accounts=self.excluded_accounts)

    def _of_guardrails(self, rendering: Rendering) -> tuple[DenyStatement, ...]:
        """The guardrails' statements: one for all that is protected alike, named after all of it."""
        groups: dict[object, DenyStatement] = {}
        for denial in (denial for guardrail in self.guardrails for denial in guardrail.denials(rendering)):
            key = (
                frozenset((c.operator, c.key, ordered(c.values)) for c in denial.clauses),
                ordered(denial.resources),
                isinstance(denial, Protection) or denial.sid,
            )
            groups[key] = _with(groups[key], denial) if key in groups else denial
        return _numbered(groups.values())

    def _bounded(self, denials: Iterable[DenyStatement], key: str) -> tuple[DenyStatement, ...]:
        if not self.excluded_accounts:
            return tuple(denials)
        others = Clause("StringNotEquals", key, ordered(self.excluded_accounts))
        return tuple(replace(denial, clauses=(*denial.clauses, others)) for denial in denials)


def _with(one: DenyStatement, other: DenyStatement) -> DenyStatement:
    if isinstance(one, Protection) and isinstance(other, Protection):
        return one.with_(other)
    return replace(one, actions=one.actions + other.actions)


def _numbered(denials: Iterable[DenyStatement]) -> tuple[DenyStatement, ...]:
    """Each name once: a second of the same name gets a number."""
    seen: dict[str, int] = {}
    result = []
    for denial in denials:
        seen[denial.sid] = number = seen.get(denial.sid, 0) + 1
        result.append(denial if number == 1 else replace(denial, sid=f"{denial.sid}{number}"))
    return tuple(result)
