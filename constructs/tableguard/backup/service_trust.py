"""Whom the roles of backups trust: a service, and that for its own account alone."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct


def own_service(
    scope: Construct, service: str, *, conditions: Mapping[str, Mapping[str, str]] | None = None
) -> iam.ServicePrincipal:
    """A service that says that it works for the account of the stack: another account's schedules cannot use the role.

    Args:
        scope: Something of the stack.
        service: The service's host name, such as "states.amazonaws.com".
        conditions: What must hold besides, by operator; nothing when left out.
    """
    own = {"StringEquals": {"aws:SourceAccount": cdk.Stack.of(scope).account}}
    return iam.ServicePrincipal(service, conditions={**own, **(conditions or {})})
