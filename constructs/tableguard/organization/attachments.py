"""How many policies may be attached to one target, counted over a whole app."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

import aws_cdk as cdk
import jsii
from aws_cdk import aws_organizations as organizations
from constructs import IConstruct, IValidation

from tableguard.policy import InvalidInputError

SERVICE_CONTROL: Final = "SERVICE_CONTROL_POLICY"
RESOURCE_CONTROL: Final = "RESOURCE_CONTROL_POLICY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachments:
    """States how many SCPs or RCPs this app may attach to one root, organizational unit or account.

    Args:
        most: How many policies of the type AWS allows on one target, 1 or more.
        elsewhere: How many policies are attached by other means than this app, 0 or more and below `most`. Count the
            policy that allows everything: FullAWSAccess (can be replaced) or RCPFullAWSAccess (cannot be replaced).

    Raises:
        InvalidInputError: The numbers are not whole, negative, or leave no policy for this app.
    """

    most: int
    elsewhere: int = 1

    def __post_init__(self) -> None:
        if type(self.most) is not int or type(self.elsewhere) is not int or not 0 <= self.elsewhere < self.most:
            raise InvalidInputError(
                "the attachments of a target",
                value={"most": self.most, "elsewhere": self.elsewhere},
                allowed="whole numbers, `elsewhere` at least 0 and below `most`",
            )

    @property
    def room(self) -> int:
        """How many policies this app may attach to one target."""
        return self.most - self.elsewhere


ATTACHMENTS: Final[Mapping[str, Attachments]] = {
    SERVICE_CONTROL: Attachments(most=10),
    RESOURCE_CONTROL: Attachments(most=5),
}
"""Source: Organizations user guide, "Quotas and service limits". SCPs: since May 2026, 5 before."""

_COUNTED: Final[WeakKeyDictionary[IConstruct, dict[str, Attachments]]] = WeakKeyDictionary()


def count_attachments(scope: IConstruct, kind: str, attachments: Attachments) -> None:
    """Check at synthesis that no target gets more policies than it may have.

    Args:
        scope: A construct of the app.
        kind: The type of policy.
        attachments: The limits of one target. If constructs differ, the smallest room counts.
    """
    root = scope.node.root
    if root not in _COUNTED:
        _COUNTED[root] = {}
        root.node.add_validation(_Count(root))
    known = _COUNTED[root].get(kind, attachments)
    _COUNTED[root][kind] = min(known, attachments, key=lambda one: one.room)


@jsii.implements(IValidation)
class _Count:
    """Counts when the app is complete, since plain `CfnPolicy` resources and other constructs count as well."""

    def __init__(self, root: IConstruct) -> None:
        self._root = root

    def validate(self) -> list[str]:
        counts: Counter[tuple[str, str]] = Counter()
        for found in self._root.node.find_all():
            if isinstance(found, organizations.CfnPolicy):
                stack = cdk.Stack.of(found)
                targets = stack.resolve(found.target_ids) or []
                counts.update((found.type, target) for target in set(map(str, targets)))
        return [
            f"{target} gets {count} policies of type {kind} from this app. Allowed: {limit.room}, that is "
            f"{limit.most} less {limit.elsewhere} attached by other means. Attach some of them to the level above or "
            "below, put more guardrails into one construct, or pass attachments=Attachments(…) if your quota differs."
            for (kind, target), count in sorted(counts.items())
            if (limit := _COUNTED[self._root].get(kind)) is not None and count > limit.room
        ]
