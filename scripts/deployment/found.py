"""What is in the accounts, resource by resource, read through the API of each service."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.deployment.accounts import Accounts
from scripts.deployment.backed_up import BACKUPS_FOUND
from scripts.deployment.cdk import TOOLKIT
from scripts.deployment.documents import normal
from scripts.deployment.plan import Json, Place
from scripts.deployment.restricted import FOUND
from scripts.deployment.wanted import Properties, Resource, place_of
from tableguard.review.assembly import SynthesizedStack

_TOOLKIT_KINDS = {"AWS::IAM::Role": "role", "AWS::S3::Bucket": "bucket", "AWS::KMS::Key": "key"}


@dataclass(frozen=True)
class Found:
    """Reads what is in the accounts.

    Args:
        accounts: The accounts.
    """

    accounts: Accounts

    def physical_ids(self, stack: SynthesizedStack) -> Mapping[str, str]:
        """The names that CloudFormation gave to the resources of a stack, by logical id."""
        client = self.accounts.client("cloudformation", place_of(stack))
        found = client.describe_stack_resources(StackName=stack.stack_name)["StackResources"]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}

    def outputs(self, stack: SynthesizedStack) -> Mapping[str, str]:
        """The outputs of a stack."""
        return {each["OutputKey"]: each["OutputValue"] for each in self._described(stack).get("Outputs", ())}

    def changed(self, stack: SynthesizedStack) -> str:
        """When a stack was changed last."""
        described = self._described(stack)
        return str(described.get("LastUpdatedTime", described["CreationTime"]))

    def status(self, stack: SynthesizedStack) -> str:
        """The status of a stack."""
        return str(self._described(stack)["StackStatus"])

    def of_toolkit(self, place: Place) -> Iterator[tuple[str, str]]:
        """Kind and name of all that `cdk bootstrap` has made in an account and region."""
        yield "stack", TOOLKIT
        client = self.accounts.client("cloudformation", place)
        for each in client.describe_stack_resources(StackName=TOOLKIT)["StackResources"]:
            if each["ResourceType"] in _TOOLKIT_KINDS:
                yield _TOOLKIT_KINDS[each["ResourceType"]], each["PhysicalResourceId"]

    def of(self, resource: Resource) -> Properties:
        """The properties of a resource."""
        reader = _READERS.get(resource.kind)
        return reader(self.accounts, resource.place, resource.physical_id) if reader else {}

    def _described(self, stack: SynthesizedStack) -> Json:
        client = self.accounts.client("cloudformation", place_of(stack))
        found: Json = client.describe_stacks(StackName=stack.stack_name)["Stacks"][0]
        return found


def table_policy(accounts: Accounts, place: Place, arn: str) -> Any:
    """The policy of a table or of a stream; None if it has none.

    Args:
        accounts: The accounts.
        place: Where the table is.
        arn: Of the table or of the stream.
    """
    client = accounts.client("dynamodb", place)
    try:
        return normal(client.get_resource_policy(ResourceArn=arn)["Policy"])
    except client.exceptions.PolicyNotFoundException:
        return None


def identity_of(accounts: Accounts, place: Place, name: str) -> list[Any]:
    """All identity policies of a role, those that are attached to it included.

    Args:
        accounts: The accounts.
        place: Where the role is; any region.
        name: Of the role.
    """
    iam = accounts.client("iam", place)
    found = list(_own_policies(accounts, place, name).values())
    for arn in _managed(accounts, place, name):
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found.append(normal(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]))
    return found


def _own_policies(accounts: Accounts, place: Place, name: str) -> Mapping[str, Any]:
    iam = accounts.client("iam", place)
    names = iam.list_role_policies(RoleName=name)["PolicyNames"]
    return {each: normal(iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"]) for each in names}


def _managed(accounts: Accounts, place: Place, name: str) -> list[str]:
    attached = accounts.client("iam", place).list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    return sorted(each["PolicyArn"] for each in attached)


def _table(accounts: Accounts, place: Place, name: str) -> Properties:
    client = accounts.client("dynamodb", place)
    table = client.describe_table(TableName=name)["Table"]
    backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups["PointInTimeRecoveryDescription"]
    encryption = table.get("SSEDescription", {})
    stream = table.get("LatestStreamArn")
    return {
        "key": {each["KeyType"]: each["AttributeName"] for each in table["KeySchema"]},
        "indexes": sorted(each["IndexName"] for each in table.get("GlobalSecondaryIndexes", ())),
        "billing": table["BillingModeSummary"]["BillingMode"],
        "replicas in other regions": sorted(each["RegionName"] for each in table.get("Replicas", ())),
        "stream": table.get("StreamSpecification", {}).get("StreamViewType"),
        "encryption with": encryption.get("KMSMasterKeyArn") if encryption.get("Status") == "ENABLED" else None,
        "deletion protection": table["DeletionProtectionEnabled"],
        "point-in-time recovery": recovery["PointInTimeRecoveryStatus"] == "ENABLED",
        "days that one can go back": recovery.get("RecoveryPeriodInDays"),
        "policy": table_policy(accounts, place, table["TableArn"]),
        "policy of the stream": table_policy(accounts, place, stream) if stream else None,
    }


def _key(accounts: Accounts, place: Place, key_id: str) -> Properties:
    client = accounts.client("kms", place)
    return {
        "enabled": client.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] == "Enabled",
        "rotation": client.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"],
        "policy": normal(client.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"]),
    }


def _role(accounts: Accounts, place: Place, name: str) -> Properties:
    role = accounts.client("iam", place).get_role(RoleName=name)["Role"]
    return {
        "description": role.get("Description", ""),
        "trust": normal(role["AssumeRolePolicyDocument"]),
        "policies": _own_policies(accounts, place, name),
        "managed policies": _managed(accounts, place, name),
        "boundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "session of seconds": role["MaxSessionDuration"],
    }


def _function(accounts: Accounts, place: Place, name: str) -> Properties:
    found = accounts.client("lambda", place).get_function_configuration(FunctionName=name)
    return {
        "runtime": found["Runtime"],
        "architecture": found["Architectures"],
        "handler": found["Handler"],
        "role": found["Role"],
        "environment": found.get("Environment", {}).get("Variables", {}),
        "memory": found["MemorySize"],
        "timeout": found["Timeout"],
        "log": found["LoggingConfig"]["LogGroup"],
        "subnets": sorted(found.get("VpcConfig", {}).get("SubnetIds", ())),
        "security groups": found.get("VpcConfig", {}).get("SecurityGroupIds", []),
    }


def _log(accounts: Accounts, place: Place, name: str) -> Properties:
    groups = accounts.client("logs", place).describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    (group,) = (each for each in groups if each["logGroupName"] == name)
    return {"days of retention": group.get("retentionInDays")}


_READERS: Mapping[str, Callable[[Accounts, Place, str], Properties]] = {
    "AWS::DynamoDB::GlobalTable": _table,
    "AWS::KMS::Key": _key,
    "AWS::IAM::Role": _role,
    "AWS::Lambda::Function": _function,
    "AWS::Logs::LogGroup": _log,
    **FOUND,
    **BACKUPS_FOUND,
}
