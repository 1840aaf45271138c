"""Whether the perimeter of a table lets a role of the backups through, looked at before templates are rendered."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

import jsii
from constructs import IValidation

from tableguard.network.table_perimeter import PerimeterRestriction
from tableguard.policy import InvalidInputError, Role
from tableguard.policy.perimeter import Exemption, Perimeter, RestrictedActions
from tableguard.policy.perimeter.identities import arns_of
from tableguard.policy.perimeter.restricted_actions import Side
from tableguard.policy.principals import ArnIdentity
from tableguard.tables.attachment.facts import CfnAnyTable
from tableguard.tables.attachment.policies import TablePolicies
from tableguard.tables.attachment.stack_policies import StackPolicies


def perimeters_of(resource: CfnAnyTable) -> Iterator[Perimeter]:
    """The perimeters around a table of this app: one at most.

    Args:
        resource: The table.
    """
    held = StackPolicies.held(resource)
    for restriction in held.restrictions if isinstance(held, TablePolicies) else ():
        if isinstance(restriction, PerimeterRestriction):
            yield restriction.perimeter


def missing(perimeter: Perimeter, needed: RestrictedActions, *, identity: Role | ArnIdentity, partition: str) -> str:
    """What a perimeter keeps a role from that calls from outside: actions, separated by commas; "" for nothing.

    Args:
        perimeter: The perimeter.
        needed: What the role does at the table.
        identity: The role.
        partition: The partition of its ARN.
    """
    own = [each for each in perimeter.exemptions if _is(each, identity, partition)]
    actions = sorted(action for side, action in needed.permissions if side is Side.TABLE)
    return ", ".join(action for action in actions if not any(each.covers(action, Side.TABLE) for each in own))


def _is(exemption: Exemption, identity: Role | ArnIdentity, partition: str) -> bool:
    # To fnmatch a bracket is a pattern, to IAM it is not; tokens hold some.
    patterns = arns_of(exemption.principal, partition, account=identity.account)
    return any(fnmatchcase(identity.arn(partition), pattern.replace("[", "[[]")) for pattern in patterns)


@jsii.implements(IValidation)
class PerimeterCheck:
    """Checks one table of this app at synthesis, when everything about its perimeter has been said.

    Args:
        path: The path of who works at the table, for messages.
        resource: The table.
        needed: What the role does there.
        identity: The role.
        partition: The partition of its ARN.
        caller: Which service calls as that role, for messages.
        fix: What lets it through.
    """

    def __init__(
        self,
        path: str,
        *,
        resource: CfnAnyTable,
        needed: RestrictedActions,
        identity: Role | ArnIdentity,
        partition: str,
        caller: str,
        fix: str,
    ) -> None:
        self._path, self._resource, self._needed = path, resource, needed
        self._identity, self._partition = identity, partition
        self._caller, self._fix = caller, fix

    def validate(self) -> list[str]:
        """What is wrong."""
        lacking = [
            missing(perimeter, self._needed, identity=self._identity, partition=self._partition)
            for perimeter in perimeters_of(self._resource)
        ]
        return [
            str(
                InvalidInputError(
                    f"the perimeter of {self._resource.node.path}",
                    value=f"no exemption for {self._identity.label}, which {self._path} works with",
                    allowed=f"an exemption for {actions}, since {self._caller} does not call from inside",
                    fix=self._fix,
                )
            )
            for actions in lacking
            if actions
        ]
