"""The permissions boundary of the roles that teams make."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from tableguard.policy import InvalidInputError, Limits, Role, check_size
from tableguard.policy.boundary import DEFAULT_NAME, Boundary
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.guardrails import ForceBoundary
from tableguard.policy.metadata import METADATA_KEY, perimeter_json, perimeter_metadata
from tableguard.policy.perimeter import IamPrincipal, Perimeter
from tableguard.tables.granting import check_limits, check_list

_TOO_LARGE = (
    "To make it fit: trust VPC endpoints or fewer regions, allow actions by a pattern such as dynamodb:* instead of "
    "one by one, or leave open in the boundary what AWS adds later, where an SCP denies it: "
    "perimeter=dataclasses.replace(perimeter, unclassified_open=why)."
)


class DataAccessBoundary(Construct):
    """A managed policy that roles carry as their permissions boundary, so that their data stays inside a perimeter.

    A boundary grants nothing. Whoever carries this one reads, writes and moves the data of no table, whatever its
    policy says, from outside; and can neither shed it, nor change it, nor make a role without it. Put it on roles with
    `iam.PermissionsBoundary.of(scope).apply(boundary.policy)`.

    It binds who carries it. That everybody does is an SCP's part: `BreakGlassSCP(guardrails=[boundary.guardrail], …)`,
    or `service_control_statements` where SCPs are written by hand.

    What it does not stop is using a role or user that carries none, of the same account or another: assuming one that
    trusts the carrier, making one do so (`iam:UpdateAssumeRolePolicy` and `iam:CreateAccessKey` say nothing of
    boundaries), or passing one to a service. Let the carriers' own policies, or `allowed_actions`, leave those out.

    A role that Lambda polls a stream with is denied by it, since Lambda polls from outside: give such a role a boundary
    of its own, with `role` and an `Exemption` of its `LambdaPoller`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        perimeter: Perimeter,
        policy_name: str = DEFAULT_NAME,
        path: str = "/",
        allowed_actions: Sequence[str] = ("*",),
        role: Role | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Make the managed policy.

        Args:
            scope: The parent construct.
            construct_id: The construct's id, unique below its parent.
            perimeter: The perimeter. Of its exemptions only those of forwarding services count here, and that of
                `role`.
            policy_name: The policy's name, the same in every account, so that one SCP can force them all.
            path: The policy's path.
            allowed_actions: Actions that its carriers may have at most, with their service prefix and `*` for any part
                of a name; everything when left out.
            role: The one role that carries it, so that its own exemption counts.
            limits: Limits on the size of policies; the published ones when left out.

        Raises:
            InvalidInputError: No perimeter, a malformed name, path or action.
            PolicyTooLargeError: The policy is over its limit.
        """
        super().__init__(scope, construct_id)
        check_list(self, "allowed_actions", allowed_actions)
        check_limits(self, limits)
        if not isinstance(perimeter, Perimeter):
            raise InvalidInputError(f"the perimeter of {self.node.path}", value=perimeter, allowed="a Perimeter")
        self._boundary = Boundary(name=policy_name, path=path)
        stack = cdk.Stack.of(self)
        document = self._boundary.policy(
            perimeter, account=stack.account, partition=stack.partition, allowed_actions=allowed_actions, role=role
        )
        check_size(stack.resolve(document), (limits or Limits()).managed, owner=self.node.path, fix=_TOO_LARGE)
        self._policy = iam.ManagedPolicy(
            self,
            "Default",
            managed_policy_name=policy_name,
            path=path,
            description="Permissions boundary: data stays inside the perimeter",
            document=iam.PolicyDocument.from_json(document),
        )
        resource = self._policy.node.default_child
        if isinstance(resource, cdk.CfnResource):
            resource.add_metadata(METADATA_KEY, perimeter_metadata(perimeter_json(perimeter)))

    @property
    def policy(self) -> iam.ManagedPolicy:
        """The managed policy itself."""
        return self._policy

    @property
    def guardrail(self) -> ForceBoundary:
        """The guardrail of a `BreakGlassSCP` that makes all roles and users carry a boundary of this name."""
        return ForceBoundary(policy_name=self._boundary.name, path=self._boundary.path)

    def service_control_statements(
        self, administrators: Sequence[IamPrincipal], *, partition: str = "aws"
    ) -> tuple[DenyStatement, ...]:
        """What an SCP denies everybody but the administrators: roles and users without a boundary of this name.

        Deploy the boundary into every account that the SCP binds first: where it is missing, nobody but the
        administrators can make a role.

        Args:
            administrators: Who may make and change roles without it, and the policy itself.
            partition: The organization's partition.

        Raises:
            InvalidInputError: No administrator.
        """
        return self._boundary.service_control_statements(administrators, partition=partition)
