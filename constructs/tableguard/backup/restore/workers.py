"""The functions of a restore, each with a role of its own, and what each of them may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import aws_iam as iam, aws_kms as kms, aws_s3 as s3
from constructs import Construct

from tableguard.backup.restore.loading import RESULTS
from tableguard.backup.restore.origin import Origin
from tableguard.backup.restore.targets import RestoreTargets, bucket_access, sealed_reading
from tableguard.backup.states.function import BackupFunction
from tableguard.policy import InvalidInputError, names
from tableguard.policy.documents import VERSION, Json
from tableguard.policy.tokens import is_unresolved

ROLE_NAMES: Final = {"machine": "", "plan": "-plan", "load": "-load", "digest": "-digest"}
PROBLEMS: Final = "*/problems/*"
_LONGEST_NAME: Final = 64  # IAM user guide, "IAM and AWS STS quotas"


class RestoreWorkers:
    """The functions of a restore.

    Args:
        scope: The restore.
        origin: Where the items come from.
        targets: Where restored tables may be.
        key: The key of restored tables; None for that of AWS.
        work: The work bucket.
        exports: The bucket for an export of the living table; None with sealed exports.
        role_name: What the names of roles begin with that others have to know; None for CloudFormation's choice.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        origin: Origin,
        targets: RestoreTargets,
        key: kms.IKey | None,
        work: s3.IBucket,
        exports: s3.IBucket | None,
        role_name: str | None,
    ) -> None:
        self._origin, self._targets = origin, targets
        self._key, self._work, self._exports = key, work, exports
        settings = {"SEALED_BUCKET": self._bucket_name(), "WORK_BUCKET": work.bucket_name}
        self._roles: dict[str, iam.Role] = {}
        self._functions: dict[str, BackupFunction] = {}
        for part, (handler, statements) in sorted(self._parts().items()):
            named = role_name if part.lower() in ROLE_NAMES else None
            role = iam.Role(
                scope,
                f"{part}Role",
                role_name=f"{named}{ROLE_NAMES[part.lower()]}" if named is not None else None,
                assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            )
            if statements:
                attach(role, statements)
            self._roles[part] = role
            self._functions[part] = BackupFunction(scope, part, handler=handler, environment=settings, role=role)

    @property
    def functions(self) -> dict[str, str]:
        """The ARNs of the functions, by their part."""
        return {part: function.function_arn for part, function in self._functions.items()}

    @property
    def working_roles(self) -> list[str]:
        """The ARNs of the roles that write and read restored tables."""
        return [self._roles[part].role_arn for part in ("Load", "Digest")]

    @property
    def roles(self) -> Mapping[str, iam.Role]:
        """The roles of the functions, by their part."""
        return self._roles

    def _bucket_name(self) -> str:
        if self._origin.sealed is not None:
            return self._origin.sealed.bucket
        return self._of_exports().bucket_name

    def _of_exports(self) -> s3.IBucket:
        assert self._exports is not None  # noqa: S101
        return self._exports

    def _parts(self) -> dict[str, tuple[str, list[Json]]]:
        """The handler of each part, and what it may do."""
        targets = self._targets
        decrypting = targets.encrypting(self._key.key_arn) if self._key is not None else []
        parts: dict[str, tuple[str, list[Json]]] = {
            "Load": ("restore.load", [*targets.filling(), *decrypting]),
            "Digest": ("restore.digest", [*targets.reading("dynamodb:Scan"), *decrypting]),
            "Check": ("restore.check", []),
            "Problem": (
                "restore.problem",
                bucket_access(self._work.bucket_arn, read=[PROBLEMS], listing=True),
            ),
        }
        for part in ("Load", "Digest"):
            parts[part][1].extend(bucket_access(self._work.bucket_arn, write=[PROBLEMS]))
        own = bucket_access(self._work.bucket_arn, read=["*"], write=["*"], listing=True)
        sealed, source = self._origin.sealed, self._origin.source
        if sealed is not None:
            loading, planning = (
                sealed_reading(partition=targets.partition, sealed=sealed, source=source, catalogue=catalogue)
                for catalogue in (False, True)
            )
            parts["Load"][1].extend(loading)
            parts["Plan"] = ("restore.plan", [*planning, *own])
            return parts
        arn = self._of_exports().bucket_arn
        read = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectVersion"], "Resource": f"{arn}/*"}
        listing = {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:ListBucketVersions"], "Resource": arn}
        parts["Load"][1].append(read)
        for part, handler in (("Open", "begin"), ("Measure", "measure"), ("Close", "finish")):
            parts[part] = (f"point_in_time.{handler}", [read, listing, *own])
        removing = {"Effect": "Allow", "Action": "s3:DeleteObjectVersion", "Resource": f"{arn}/*"}
        parts["Clear"] = ("point_in_time.clear", [listing, removing])
        return parts


def checked_role_name(name: str | None) -> str | None:
    """Check a name that the names of all roles begin with.

    Args:
        name: The name; None for none.

    Raises:
        InvalidInputError: It is malformed, known only at the deployment, or too long.
    """
    if name is None:
        return None
    names.role_name("the role_name of a TableRestore", name)
    longest = _LONGEST_NAME - max(map(len, ROLE_NAMES.values()))
    if is_unresolved(name) or len(name) > longest:
        raise InvalidInputError(
            "the role_name of a TableRestore", value=name, allowed=f"a literal name of up to {longest} characters"
        )
    return name


def attach(role: iam.Role, statements: Sequence[Json]) -> None:
    """Attach statements in one border crossing, as they were written.

    Args:
        role: The role.
        statements: The statements.
    """
    role.attach_inline_policy(iam.Policy(role, "Restore", document=document(statements)))


def document(statements: Sequence[Json]) -> iam.PolicyDocument:
    """A document of statements.

    Args:
        statements: The statements.
    """
    return iam.PolicyDocument.from_json({"Version": VERSION, "Statement": list(statements)})


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
