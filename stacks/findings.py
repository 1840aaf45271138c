"""Findings of cdk-nag and checkov that do not fit, each acknowledged where it arises, with the reason."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from constructs import IConstruct


def acknowledge_wildcard(construct: IConstruct, resource: str, *, reason: str) -> None:
    """Accept that the policies of a construct name a resource with a wildcard: this one, and no other.

    It writes what `Validations.of(construct).acknowledge` would, which in older releases of the CDK refuses the "::"
    inside the brackets.
    """
    acknowledge(construct, f"IAM5[Resource::{resource}]", reason=reason)


def acknowledge(construct: IConstruct, finding: str, *, reason: str) -> None:
    """Accept one finding of cdk-nag's AwsSolutions rules on a construct and what is in it."""
    name = f"AwsSolutions::AwsSolutions-{finding}"
    construct.node.add_metadata(cdk.Validations.ACKNOWLEDGED_RULES_METADATA_KEY, {name: reason})


def skip_checks(construct: IConstruct, checks: Mapping[str, str]) -> None:
    """Leave out checks of checkov on one resource.

    Args:
        construct: The construct that stands for the resource.
        checks: The reason for each check.
    """
    resource = construct.node.default_child
    if isinstance(resource, cdk.CfnResource):
        resource.add_metadata("checkov", {"skip": [{"id": check, "comment": why} for check, why in checks.items()]})
