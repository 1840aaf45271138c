"""How CloudFormation's resources are named: what their ARNs are made of, and what stands for a name that is not known.

A resource that CloudFormation names gets a placeholder, such as `role/{Data.Reader}`: every reference to it comes to
the same text, which is no legal name, so it is never taken for another one. An attribute of it that is its own and
nothing else's, such as a role's id, is `{Data.Reader@RoleId}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tableguard.review.assembly import SynthesizedStack

# How the ARN of a named resource is made up: service, whether it has a region, what stands before the name.
ARNS: Final[Mapping[str, tuple[str, bool, str]]] = {
    "AWS::DynamoDB::GlobalTable": ("dynamodb", True, "table/"),
    "AWS::DynamoDB::Table": ("dynamodb", True, "table/"),
    "AWS::IAM::Group": ("iam", False, "group"),
    "AWS::IAM::ManagedPolicy": ("iam", False, "policy"),
    "AWS::IAM::Role": ("iam", False, "role"),
    "AWS::IAM::User": ("iam", False, "user"),
    "AWS::KMS::Key": ("kms", True, "key/"),
    "AWS::KMS::ReplicaKey": ("kms", True, "key/"),
    "AWS::Lambda::Function": ("lambda", True, "function:"),
}
NAMES: Final[Mapping[str, str]] = {
    "AWS::DynamoDB::GlobalTable": "TableName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::KMS::Alias": "AliasName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::S3::Bucket": "BucketName",
}
# Resources that Ref returns the ARN of.
REF_IS_ARN: Final = frozenset({"AWS::IAM::ManagedPolicy"})
# Attributes that are what Ref returns, under another name.
REF_TOO: Final = frozenset(
    {
        ("AWS::EC2::VPC", "VpcId"),
        ("AWS::EC2::VPCEndpoint", "Id"),
        ("AWS::KMS::Key", "KeyId"),
        ("AWS::KMS::ReplicaKey", "KeyId"),
    }
)
# Resources whose attributes hold whatever somebody put there, the ARN of a table perhaps.
ANYTHING: Final = ("AWS::CloudFormation::", "AWS::SSM::Parameter", "AWS::SecretsManager::", "Custom::")


def placeholder(stack: SynthesizedStack, logical_id: str, attribute: str = "") -> str:
    """What stands for a name that CloudFormation chooses: `{STACK.LOGICALID}`, with dots for a stack inside another.

    Args:
        stack: The stack that makes the resource.
        logical_id: The resource.
        attribute: An attribute of it; its name when left out.
    """
    return f"{{{stack.name.replace('/', '.')}.{logical_id}{'@' if attribute else ''}{attribute}}}"
