"""What all buckets of backups have in common, as the CDK makes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam, aws_kms as kms, aws_s3 as s3
from constructs import Construct

from tableguard.aws.partitions import partition_of
from tableguard.policy import AllowStatement, InvalidInputError, Limits, Role, check_size, names
from tableguard.policy.backup import Bucket, bucket_policy
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.metadata import METADATA_KEY, backup_metadata
from tableguard.policy.tokens import is_unresolved
from tableguard.tables.deployment import execution_role
from tableguard.tables.granting import check_limits, check_list

_TOO_LARGE = "To make it fit: name fewer sources, tables, readers or roles."
_DAYS_OF_AN_UPLOAD = 7


class ProtectedBucket:
    """A bucket that is versioned, private, encrypted and kept, with a policy that is written once.

    Args:
        scope: The construct that it belongs to; the bucket is its child "Default".
        bucket_name: Its name; CloudFormation's choice when None.
        encryption_key: The key that it encrypts with, of the bucket's account; S3's own when None.
        access_logs: The bucket that requests are logged in; none when None.
        deployed_by: Roles that may change its settings; the stack's own when None.
        lifecycle_rules: What happens to objects by and by.
        destroyed: Whether it goes with its stack.
        further: Further properties of the CDK's Bucket.

    Raises:
        InvalidInputError: A malformed name, a key of another account, or no role that deploys it.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        bucket_name: str | None,
        encryption_key: kms.IKey | None,
        access_logs: s3.IBucket | None,
        deployed_by: Sequence[Role] | None,
        lifecycle_rules: Sequence[s3.LifecycleRule],
        destroyed: bool = False,
        further: Mapping[str, Any] | None = None,
    ) -> None:
        if bucket_name is not None:
            names.bucket_name(f"the bucket name of {scope.node.path}", bucket_name)
        if encryption_key is not None:
            _check_key(scope, encryption_key)
        self._scope = scope
        self.bucket_name = bucket_name
        stack = cdk.Stack.of(scope)
        partition = partition_in(stack)
        removal = cdk.RemovalPolicy.DESTROY if destroyed else cdk.RemovalPolicy.RETAIN
        self._removal = removal
        deployers = deployers_of(scope, deployed_by)
        self.bucket = s3.Bucket(
            scope,
            "Default",
            bucket_name=bucket_name,
            versioned=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            encryption=s3.BucketEncryption.S3_MANAGED if encryption_key is None else s3.BucketEncryption.KMS,
            encryption_key=encryption_key,
            # With one, S3 asks KMS for one key for many objects.
            bucket_key_enabled=True if encryption_key is not None else None,
            blocked_encryption_types=[s3.BlockedEncryptionType.SSE_C],
            server_access_logs_bucket=access_logs,
            server_access_logs_prefix=None if access_logs is None else f"{scope.node.id}/",
            removal_policy=removal,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="AbortIncompleteUploads",
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(_DAYS_OF_AN_UPLOAD),
                ),
                *lifecycle_rules,
            ],
            **(further or {}),
        )
        resource = self.bucket.node.default_child
        assert isinstance(resource, s3.CfnBucket)  # noqa: S101 - what the CDK's Bucket is made of
        self.resource = resource
        self.described = Bucket(
            # A literal one where it can be had, so that whoever reads the template sees whose policy it is.
            arn=f"arn:{partition}:s3:::{bucket_name}" if bucket_name else self.bucket.bucket_arn,
            partition=partition,
            key_arn=None if encryption_key is None else encryption_key.key_arn,
            deployers=deployers,
        )

    def attach(
        self, statements: Sequence[AllowStatement], denials: Sequence[DenyStatement], limits: Limits | None
    ) -> None:
        """Write its policy.

        Args:
            statements: What it allows.
            denials: What it denies.
            limits: Limits on its size.

        Raises:
            PolicyTooLargeError: It is over its limit.
        """
        check_limits(self._scope, limits)
        document = cdk.Stack.of(self._scope).resolve(bucket_policy(statements, denials))
        check_size(document, (limits or Limits()).bucket, owner=self._scope.node.path, fix=_TOO_LARGE)
        for statement in bucket_policy(statements, denials)["Statement"]:
            # Through the CDK's own policy: a second resource of that kind would silently replace it.
            self.bucket.add_to_resource_policy(iam.PolicyStatement.from_json(statement))
        if self.bucket.policy is not None:
            # A bucket that outlives its stack has to keep its policy, too.
            self.bucket.policy.apply_removal_policy(self._removal)

    def describe(self, *what: object) -> None:
        """Say in the template what it is.

        Args:
            what: What it is, for reviews: claims of `tableguard.policy.metadata.backups`.
        """
        self.resource.add_metadata(METADATA_KEY, backup_metadata(*what))


def _check_key(scope: Construct, key: kms.IKey) -> None:
    """Refuse a key that another account can delete, as far as the account is known before the deployment."""
    # Of an imported key it is what its ARN says.
    account, owner = cdk.Stack.of(scope).account, key.env.account
    if owner != account and not is_unresolved(f"{owner}{account}"):
        raise InvalidInputError(
            f"the encryption_key of {scope.node.path}",
            value=f"a key of {owner}",
            allowed=f"a key of {account}, the bucket's account: whoever has {owner} could delete the key, and with it "
            "everything in the bucket",
            fix="Make the key in the bucket's stack, or leave it out.",
        )


def partition_in(stack: cdk.Stack) -> str:
    """The partition of a stack: literal where its region is.

    Args:
        stack: The stack.
    """
    return stack.partition if is_unresolved(stack.region) else partition_of(stack.region)


def deployers_of(scope: Construct, deployed_by: Sequence[Role] | None) -> tuple[Role, ...]:
    """The roles that may change a bucket's settings.

    Args:
        scope: The bucket's construct.
        deployed_by: What the caller says; the role that CloudFormation deploys the stack as when None.

    Raises:
        InvalidInputError: No role, or something that is none: nobody but the root user could repair the policy.
    """
    if deployed_by is None:
        found = execution_role(cdk.Stack.of(scope))
        deployed_by = () if found is None else (found,)
    roles = roles_of(scope, "deployed_by", deployed_by)
    if not roles:
        raise InvalidInputError(
            f"deployed_by of {scope.node.path}",
            value=roles,
            allowed="at least one role that may change the bucket's policy, since the stack's synthesizer does not "
            "tell which role deploys it; nobody but the account's root user could change it otherwise",
            fix='Pass deployed_by=[Role(account=…, name="cdk-…-cfn-exec-role-…")].',
        )
    return roles


def roles_of(scope: Construct, name: str, values: Sequence[Role]) -> tuple[Role, ...]:
    """Check an argument that is a list of roles.

    Args:
        scope: The construct that was given it.
        name: The argument's name.
        values: The list; it may be empty.

    Raises:
        InvalidInputError: It is no list, or something in it is no Role.
    """
    check_list(scope, name, values)
    for value in values:
        if not isinstance(value, Role):
            raise InvalidInputError(f"{name} of {scope.node.path}", value=value, allowed="a list of Role(…)")
    return tuple(values)
