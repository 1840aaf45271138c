"""No machines of one's own."""

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
    # These launch instances with service-linked roles, which no SCP binds: the order has to be stopped.
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
    """Denies launching, starting and buying EC2 instances, also by fleets, autoscaling, Batch, EKS and Lightsail.

    Running instances continue. An existing autoscaling group continues to launch, since no SCP binds its service-linked
    role. Instances in AWS's own accounts (Lambda, Fargate, RDS) are not affected.

    Args:
        reason: Why, in words for a reviewer.
        exempt_principals: Who may; nobody when left out.

    Raises:
        InvalidInputError: No reason, or something in `exempt_principals` that is no role, user or permission set.
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
