"""What the machine that restores may do."""

from __future__ import annotations

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from tableguard.backup.restore.loading import RESULTS
from tableguard.backup.restore.origin import Origin
from tableguard.backup.restore.targets import RestoreTargets, bucket_access
from tableguard.policy.documents import VERSION, Json


def restore_policy(
    *,
    origin: Origin,
    targets: RestoreTargets,
    functions: list[str],
    key: kms.IKey | None,
    work: s3.IBucket,
    exports: s3.IBucket | None,
) -> Json:
    """The policy of its role: it makes tables, starts the functions, and exports the living table. It reads no items.

    Args:
        origin: Where the items come from.
        targets: Where restored tables may be.
        functions: The ARNs of the functions.
        key: The key of restored tables; None for that of AWS.
        work: The work bucket.
        exports: The bucket for an export of the living table; None with sealed exports.
    """
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
    return {"Version": VERSION, "Statement": statements}
