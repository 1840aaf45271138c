"""Findings of cdk-nag and checkov about backups that do not fit, with the reasons: the same in three accounts."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_, aws_logs as logs, aws_s3 as s3
from constructs import Construct

from stacks.findings import acknowledge, acknowledge_wildcard, skip_checks

_FUNCTION = {
    "CKV_AWS_115": "Reserved concurrency takes from what the account has left; the state machine says how many run.",
    "CKV_AWS_116": "A state machine invokes it, sees the error and fails loudly: a queue would stay empty.",
    "CKV_AWS_117": "It reaches S3 and DynamoDB alone, and needs nothing inside a VPC.",
    "CKV_AWS_173": "Its environment holds names and numbers, no secrets.",
}
_LOG = {"CKV_AWS_158": "It tells of files and counts, never of items. CloudWatch Logs encrypts it with its own key."}
_BUCKET = {"CKV_AWS_18": "Access logs are one more bucket in every account; CloudTrail's data events tell as much."}
_WORK = {**_BUCKET, "CKV_AWS_21": "It holds lists that a machine works with, each written once and gone after a week."}

_RUNTIME = "The library names a runtime that it was tested with: a newer one comes with a newer release of it."
_TRANSPORT = "The policy denies whatever comes without TLS, on bucket and objects: in one statement for all of S3."
_ANY = (
    "CloudWatch's metrics, X-Ray's traces and the delivery of logs are on no resource. The metrics are narrowed to one "
    "namespace by a condition."
)
_FILES = "Files have no name before they are written. The part of the name that is known is in it."
_EXECUTIONS = "An execution has no name before it is started."


def excuse(construct: Construct, wildcards: Mapping[str, str] | None = None) -> None:
    """Accept what tools say of the parts of backups.

    Args:
        construct: A construct of this library.
        wildcards: Resources with a wildcard in its policies, each with the reason: as cdk-nag writes them.
    """
    acknowledge(construct, "S1", reason=next(iter(_BUCKET.values())))
    acknowledge(construct, "S10", reason=_TRANSPORT)
    acknowledge(construct, "L1", reason=_RUNTIME)
    acknowledge_wildcard(construct, "*", reason=_ANY)
    for resource, reason in (wildcards or {}).items():
        acknowledge_wildcard(construct, resource, reason=reason)
    for child in construct.node.find_all():
        if isinstance(child, lambda_.Function):
            skip_checks(child, _FUNCTION)
        elif isinstance(child, logs.LogGroup):
            skip_checks(child, _LOG)
        elif isinstance(child, s3.Bucket):
            skip_checks(child, _WORK if child.node.id == "Work" else _BUCKET)


def files(*resources: str) -> dict[str, str]:
    """The reason for files that are named by the beginning of their keys.

    Args:
        resources: As cdk-nag writes them.
    """
    return dict.fromkeys(resources, _FILES)


def executions(region: str, account: str, *machines: str) -> dict[str, str]:
    """The reason for executions of machines.

    Args:
        region: Where they are.
        account: Whose they are.
        machines: The machines' names, as cdk-nag writes them.
    """
    prefix = f"arn:aws:states:{region}:{account}:execution:"
    return {f"{prefix}{machine}{ending}": _EXECUTIONS for machine in machines for ending in ("/*", ":*")}


def named(resource: cdk.CfnResource, attribute: str = "") -> str:
    """A resource of the same stack as cdk-nag writes it.

    Args:
        resource: The resource.
        attribute: The attribute that a policy refers to; the resource itself when left out.
    """
    name = cdk.Stack.of(resource).get_logical_id(resource)
    return f"<{name}.{attribute}>" if attribute else f"<{name}>"
