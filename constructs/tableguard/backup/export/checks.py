"""What an export needs of a table of the same app, looked at before templates are rendered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_dynamodb as dynamodb
from constructs import IValidation

from tableguard.backup.perimeter_checks import missing, perimeters_of
from tableguard.policy import InvalidInputError, Role
from tableguard.policy.perimeter import Perimeter, RestrictedActions
from tableguard.policy.principals import ArnIdentity
from tableguard.tables.attachment.facts import CfnAnyTable, is_own_region

READS = RestrictedActions.on_table("DescribeContinuousBackups", "DescribeTable")
"""What an export reads of a table's settings."""


@jsii.implements(IValidation)
class ExportChecks:
    """Checks the tables of an export at synthesis, when everything about them has been said.

    Args:
        path: The path of the export, for messages.
        identity: The role that exports.
        partition: The partition of its ARN.
        resources: The tables of this app.
    """

    def __init__(
        self, path: str, *, identity: Role | ArnIdentity, partition: str, resources: Sequence[CfnAnyTable]
    ) -> None:
        self._path = path
        self._identity = identity
        self._partition = partition
        self._resources = resources

    def validate(self) -> list[str]:
        """What is wrong."""
        return [str(problem) for resource in self._resources for problem in self._problems(resource)]

    def _problems(self, resource: CfnAnyTable) -> list[InvalidInputError]:
        shut_out = [
            self._shut_out(resource, lacking)
            for perimeter in perimeters_of(resource)
            if (lacking := self._missing(perimeter))
        ]
        return shut_out if _has_recovery(resource) else [self._without_recovery(resource), *shut_out]

    def _without_recovery(self, resource: CfnAnyTable) -> InvalidInputError:
        return InvalidInputError(
            f"a table of {self._path}",
            value=f"{resource.node.path} without point-in-time recovery",
            allowed="tables with point-in-time recovery, without which DynamoDB exports nothing",
            fix="Pass point_in_time_recovery_specification=PointInTimeRecoverySpecification("
            "point_in_time_recovery_enabled=True) to the table.",
        )

    def _shut_out(self, resource: CfnAnyTable, missing: str) -> InvalidInputError:
        settings_too = ", settings_too=True" if "Describe" in missing else ""
        return InvalidInputError(
            f"the perimeter of {resource.node.path}",
            value=f"no exemption for {self._identity.label}, which {self._path} exports it with",
            allowed=f"an exemption for {missing}, since Step Functions does not call from inside",
            fix=f"Add export.exemption(reason=…{settings_too}) to the perimeter's exemptions.",
        )

    def _missing(self, perimeter: Perimeter) -> str:
        """What the perimeter keeps the role from."""
        needed = RestrictedActions.EXPORT if perimeter.settings_too is None else RestrictedActions.EXPORT | READS
        return missing(perimeter, needed, identity=self._identity, partition=self._partition)


def _has_recovery(resource: CfnAnyTable) -> bool:
    """Whether point-in-time recovery is on; a value that only the deployment knows is taken to be."""
    stack = cdk.Stack.of(resource)
    if isinstance(resource, dynamodb.CfnTable):
        return _is_on(stack.resolve(resource.point_in_time_recovery_specification))
    replicas = stack.resolve(resource.replicas)
    own = [replica for replica in replicas if is_own_region(replica.get("region"), stack.region)]
    return any(_is_on(replica.get("pointInTimeRecoverySpecification")) for replica in own)


def _is_on(specification: Any) -> bool:
    return isinstance(specification, Mapping) and specification.get("pointInTimeRecoveryEnabled", False) is not False
