"""A guardrail against EC2 instances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.guardrails.guardrail import Guardrail, Rendering, actions_of, reason_of
from tableguard.policy.perimeter import IamPrincipal
from tableguard.policy.representation import as_call

_LAUNCHES: Final = (
    *actions_of(
        "ec2",
        "AllocateHosts CreateCapacityReservation CreateCapacityReservationFleet CreateFleet ImportInstance ModifyFleet"
        " ModifySpotFleetRequest PurchaseCapacityBlock PurchaseHostReservation PurchaseReservedInstancesOffering"
        " PurchaseScheduledInstances RequestSpotFleet RequestSpotInstances RunInstances RunScheduledInstances"
        " StartInstances",
    ),
    # These launch instances with service-linked roles, to which no SCP applies: so the SCP denies the request itself.
    *actions_of(
        "autoscaling",
        "CreateAutoScalingGroup CreateLaunchConfiguration PutWarmPool SetDesiredCapacity UpdateAutoScalingGroup",
    ),
    *actions_of("batch", "CreateComputeEnvironment UpdateComputeEnvironment"),
    *actions_of("eks", "CreateNodegroup UpdateNodegroupConfig"),
    *actions_of("lightsail", "CreateInstances CreateInstancesFromSnapshot"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoEc2(Guardrail):
    """Denies launching, starting and buying EC2 instances, also in fleets and by Auto Scaling, Batch, EKS or Lightsail.

    Running instances continue to run, and existing Auto Scaling groups continue to launch instances: no SCP applies to
    their service-linked role. It does not affect services that run in AWS's own accounts (Lambda, Fargate, RDS).

    Args:
        reason: Why, in words for a reviewer.
        exempt_principals: Principals that may do this; none when left out. The administrators may not.

    Raises:
        InvalidInputError: No reason, or an exempt principal is not a role, user or permission set.
    """

    reason: str

    exempts_administrators: ClassVar[bool] = False
    costs: ClassVar[str] = "instances, and services that run on the account's own: EMR, Beanstalk, EKS nodes, Batch"

    __repr__ = as_call

    def __post_init__(self) -> None:
        Guardrail.__post_init__(self)
        reason_of("the reason of NoEc2", self.reason)

    def denials(self, rendering: Rendering) -> tuple[DenyStatement, ...]:
        return (DenyStatement(sid="NoEc2", actions=_LAUNCHES, clauses=rendering.unless(self.exempt_principals)),)

    @property
    def details(self) -> Mapping[str, Sequence[str | IamPrincipal]]:
        return {"reason": [self.reason]}
