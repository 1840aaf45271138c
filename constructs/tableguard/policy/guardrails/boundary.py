"""A guardrail that forces all roles and users to have a permissions boundary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from tableguard.policy.boundary import DEFAULT_NAME, Boundary
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.guardrails.guardrail import Guardrail, Rendering
from tableguard.policy.perimeter import IamPrincipal
from tableguard.policy.representation import as_call


@dataclass(frozen=True, slots=True, kw_only=True)
class ForceBoundary(Guardrail):
    """Denies everybody but the administrators to create or widen roles and users without a boundary, or remove it.

    The boundary is the policy of a `DataAccessBoundary`, whose `.guardrail` returns this guardrail. Deploy it into
    every account first: in an account without it, only the administrators can create a role. An existing role without
    the boundary can still be used and deleted; to change it, give it the boundary first.

    Args:
        policy_name: The boundary's name, the same in every account; that of a `DataAccessBoundary` when left out.
        path: The boundary's path; "/" when left out.
        exempt_principals: Further principals that may do this, and may change the boundary itself.

    Raises:
        InvalidInputError: A malformed name or path, or an exempt principal is not a role, user or permission set.
    """

    policy_name: str = DEFAULT_NAME
    path: str = "/"

    costs: ClassVar[str] = "making and changing roles and users without the boundary, those that tools make included"

    __repr__ = as_call

    def __post_init__(self) -> None:
        Guardrail.__post_init__(self)
        Boundary(name=self.policy_name, path=self.path)

    def denials(self, rendering: Rendering) -> tuple[DenyStatement, ...]:
        boundary = Boundary(name=self.policy_name, path=self.path)
        return boundary.service_control_statements(
            self.let_through(rendering.administrators), partition=rendering.partition
        )

    @property
    def details(self) -> Mapping[str, Sequence[str | IamPrincipal]]:
        return {"boundary": [f"{self.path}{self.policy_name}"]}
