"""The services whose every action is classified."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tableguard.aws import backup, cloudtrail, dynamodb, iam, kms, s3, sts
from tableguard.aws.actions import ServiceAction

ACTIONS_BY_SERVICE: Final[Mapping[str, Mapping[str, ServiceAction]]] = MappingProxyType(
    {module.SERVICE: module.ACTIONS for module in (backup, cloudtrail, dynamodb, iam, kms, s3, sts)}
)
"""The tables of actions by the services' prefixes; DynamoDB's holds the actions of its streams, too."""
