"""The permissions boundary for roles that teams make."""

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
    """Makes a managed policy for use as permissions boundary, so that roles reach data from inside a perimeter only.

    Apply it to roles with `iam.PermissionsBoundary.of(scope).apply(boundary.policy)`. A boundary grants nothing. A role
    with this boundary cannot read, write or move the data of any table from outside, whatever the table's policy
    allows. It cannot remove or change the boundary, nor make a role without it.

    To make all roles and users of an account carry the boundary, use an SCP:
    `BreakGlassSCP(guardrails=[boundary.guardrail], …)`, or `service_control_statements` for SCPs written by hand.

    The boundary does not stop its carrier from using a role or user without it, of any account: assuming a role that
    trusts the carrier, changing a role or user to allow that (`iam:UpdateAssumeRolePolicy` and `iam:CreateAccessKey`
    have no condition on boundaries), or passing a role to a service. Leave these actions out of the carriers' policies
    or of `allowed_actions`.

    The boundary denies polling to a role that Lambda polls a stream with, since Lambda polls from outside. Give such a
    role a boundary of its own, with `role` and an `Exemption` of its `LambdaPoller`.
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
            perimeter: The perimeter. Only its exemptions of `Forwarding` and of `role` count here.
            policy_name: The policy's name. Use the same name in every account, so that one SCP can require it.
            path: The policy's path; "/" when left out.
            allowed_actions: The most that its carriers may do: actions with their service prefix, `*` for any part of a
                name. Every action when left out.
            role: The only role that carries the boundary, so that its exemption counts; no role's when left out.
            limits: Limits on the size of policies, if AWS has raised yours; the published ones when left out.

        Raises:
            InvalidInputError: `perimeter` is not a Perimeter, or the name, the path or an action is malformed.
            PolicyTooLargeError: The policy is over the limit.
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
        """The guardrail for `BreakGlassSCP` that requires all roles and users to carry a boundary of this name."""
        return ForceBoundary(policy_name=self._boundary.name, path=self._boundary.path)

    def service_control_statements(
        self, administrators: Sequence[IamPrincipal], *, partition: str = "aws"
    ) -> tuple[DenyStatement, ...]:
        """Return SCP statements that deny everybody but the administrators roles and users without this boundary.

        First deploy the boundary in every account to which the SCP applies: without it, nobody but the administrators
        can make a role there.

        Args:
            administrators: Who may make and change roles without the boundary, and the boundary itself; at least one.
            partition: The organization's partition.

        Raises:
            InvalidInputError: No administrator.
        """
        return self._boundary.service_control_statements(administrators, partition=partition)
