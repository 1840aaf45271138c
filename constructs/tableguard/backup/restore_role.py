"""The role of the machine that restores."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from tableguard.backup.restore_loading import RESULTS
from tableguard.backup.restore_origin import Origin
from tableguard.backup.restore_targets import RestoreTargets, bucket_access
from tableguard.backup.restore_workers import attach
from tableguard.backup.service_trust import own_service
from tableguard.policy.documents import Json


def restore_role(
    scope: Construct,
    *,
    origin: Origin,
    targets: RestoreTargets,
    functions: list[str],
    key: kms.IKey | None,
    work: s3.IBucket,
    exports: s3.IBucket | None,
    role_name: str | None,
) -> iam.Role:
    """Make the role: it makes tables, starts the functions, and exports the living table. It reads no items.

    Args:
        scope: The restore.
        origin: Where the items come from.
        targets: Where restored tables may be.
        functions: The ARNs of the functions.
        key: The key of restored tables; None for that of AWS.
        work: The work bucket.
        exports: The bucket for an export of the living table; None with sealed exports.
        role_name: Its name; None for CloudFormation's choice.
    """
    stack = cdk.Stack.of(scope)
    machines = stack.format_arn(
        service="states",
        resource="stateMachine",
        resource_name="*",
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
    role = iam.Role(
        scope,
        "Role",
        role_name=role_name,
        description=f"Restores {origin.source.name} into new tables",
        assumed_by=own_service(scope, "states.amazonaws.com", conditions={"ArnLike": {"aws:SourceArn": machines}}),
    )
    results = f"{work.bucket_arn}/{RESULTS}/*"
    statements: list[Json] = [
        *targets.making(),
        *(targets.encrypting(key.key_arn, making=True) if key is not None else []),
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": functions},
        *bucket_access(work.bucket_arn, read=["*"], write=[f"{RESULTS}/*"]),
        {"Effect": "Allow", "Action": ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"], "Resource": results},
    ]
    if origin.living is not None and exports is not None:
        living = origin.living.arn
        statements += [
            {"Effect": "Allow", "Action": "dynamodb:ExportTableToPointInTime", "Resource": living},
            {"Effect": "Allow", "Action": "dynamodb:DescribeExport", "Resource": f"{living}/export/*"},
            {
                "Effect": "Allow",
                "Action": ["s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl"],
                "Resource": f"{exports.bucket_arn}/*",
            },
        ]
    attach(role, statements)
    return role
