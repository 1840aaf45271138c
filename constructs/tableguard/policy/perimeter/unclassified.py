"""What a perimeter denies of actions that AWS adds later: docs/adr/0015 weighs it.

An action that AWS authorizes on no resource (its requests are about `*`) stays outside of these statements: without a
resource they would deny what every other service does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tableguard.aws.dynamodb import ACTIONS, SERVICE, Resource, ResourcePolicySupport
from tableguard.policy.conditions import Clause
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.perimeter.networks import TrustedNetworks
from tableguard.policy.perimeter.restricted_actions import Side
from tableguard.policy.tokens import is_unresolved
from tableguard.policy.unclassified import all_classified, unclassified

_SID: Final = "PerimeterUnclassified"
# Looking at settings stays open from outside.
_LOOKING: Final = ("Describe", "List")
# A recovery point of a DynamoDB table has an ARN of DynamoDB's, `arn:aws:dynamodb:…:table/orders/backup/…`, and AWS
# Backup's actions go to it. Of all services no other has actions on such an ARN.
# Source: service authorization reference, AWS Backup, resource type recoverypoint; all others read on 2026-11-30.
_ON_THE_SAME_ARNS: Final = ("backup",)
_OF_SIDE: Final = {Side.TABLE: (Resource.TABLE, Resource.INDEX), Side.STREAM: (Resource.STREAM,)}


def by_region(
    trusted: TrustedNetworks, beside: Iterable[DenyStatement], *, exempt: Sequence[str], partition: str, settings: bool
) -> Iterator[DenyStatement]:
    """One statement for each region that VPCs are trusted in, and one for all others.

    Args:
        trusted: The networks.
        beside: The other statements of the policy.
        exempt: ARNs, or patterns of them, of who is exempt besides whom those exempt.
        partition: The partition of resources.
        settings: Whether the perimeter restricts settings, so that looking at them is no harmless thing.
    """
    listed = tuple(beside)
    names = _everywhere(settings=settings)
    for region, outside in trusted.everywhere():
        sid = f"{_SID}{suffix_of(region, trusted)}"
        yield unclassified(sid, names, resources=_everything(partition), outside=outside, beside=listed, exempt=exempt)


def in_one(
    trusted: TrustedNetworks, beside: Iterable[DenyStatement], *, exempt: Sequence[str], partition: str, settings: bool
) -> DenyStatement:
    """One statement for all regions, without what is denied anyway: for a policy with little room.

    Args:
        trusted: The networks.
        beside: The other statements of the policy. They are the perimeter's, so that whatever one of them denies it
            denies to everybody outside but those whom this statement exempts, too.
        exempt: ARNs, or patterns of them, of who is exempt besides whom those exempt.
        partition: The partition of resources.
        settings: Whether the perimeter restricts settings.
    """
    listed = tuple(beside)
    denied = (action for denial in listed for action in denial.actions)
    return unclassified(
        _SID,
        _everywhere(settings=settings, denied=denied),
        resources=_everything(partition),
        outside=trusted.outside_of_every_region(),
        beside=listed,
        exempt=exempt,
    )


def at_table(
    side: Side,
    outside: Sequence[Clause],
    beside: Iterable[DenyStatement],
    *,
    resources: Sequence[str],
    exempt: Sequence[str],
    settings: bool,
) -> DenyStatement:
    """The statement for the policy of a table or a stream, with no action that such a policy does not support.

    Args:
        side: `Side.TABLE` or `Side.STREAM`.
        outside: What holds for a request from outside.
        beside: The other statements of the policy.
        resources: The table and its indexes, or the stream.
        exempt: ARNs, or patterns of them, of who is exempt besides whom those exempt.
        settings: Whether the perimeter restricts settings.
    """
    supported = (
        action
        for action in ACTIONS.values()
        if action.resource_policy is not ResourcePolicySupport.IDENTITY_ONLY
        and not action.resources.isdisjoint(_OF_SIDE[side])
    )
    names = all_classified(supported, open_verbs=() if settings else _LOOKING)
    return unclassified(_SID, names, resources=resources, outside=outside, beside=beside, exempt=exempt)


def suffix_of(region: str | None, trusted: TrustedNetworks) -> str:
    """What the name of a statement says of the region that it is for.

    Args:
        region: The region; None for all whose VPCs are not trusted.
        trusted: The networks.
    """
    if region is None:
        return "Elsewhere" if trusted.regions else ""
    return "".join(part.capitalize() for part in region.split("-")) if not is_unresolved(region) else "Here"


def _everywhere(*, settings: bool, denied: Iterable[str] = ()) -> tuple[str, ...]:
    return all_classified(
        # Requests that are about no resource are about none of these ARNs.
        (action for action in ACTIONS.values() if action.resources),
        open_verbs=() if settings else _LOOKING,
        other_services=_ON_THE_SAME_ARNS,
        denied=denied,
    )


def _everything(partition: str) -> tuple[str, ...]:
    # The region of a global table's ARN is empty, which `*` takes as well.
    return (f"arn:{partition}:{SERVICE}:*:*:*",)
