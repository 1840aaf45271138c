"""Who attacks from where, and what they try: the words of the table of attacks, and what they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.unit.organization.fortress import (
    DELEGATED,
    DEVELOPMENT,
    ENDPOINT,
    MANAGEMENT,
    ORGANIZATION,
    PEOPLE,
    REPLICA_VPC,
    RESOURCES,
    SECOND_VPC,
    SIGN_IN,
    STRANGER,
    VPC,
    Caller,
    Context,
)
from tests.unit.tables.support import OWNER, PARTNER, REGION, REPLICA

_MFA: Final[Context] = {"aws:MultiFactorAuthPresent": "true", "sts:RoleSessionName": "ann"}


def _role(name: str, account: str = OWNER, *, bounded: bool = False, **more: str) -> Caller:
    """The session of a role, with what else AWS says of it; a path stands in the name."""
    session = f"arn:aws:sts::{account}:assumed-role/{name.rpartition('/')[2]}/session"
    extra = {key.replace("__", ":"): value for key, value in more.items()}
    return Caller(session, {"aws:PrincipalArn": f"arn:aws:iam::{account}:role/{name}", **extra}, bounded)


def _user(name: str, account: str = OWNER, **context: object) -> Caller:
    return Caller(f"arn:aws:iam::{account}:user/{name}", context)  # type: ignore[arg-type]


def _sso(name: str, account: str = OWNER) -> Caller:
    return _role(f"aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_{name}_0123456789abcdef", account)


def _linked(service: str, name: str, account: str = OWNER) -> Caller:
    return _role(f"aws-service-role/{service}/{name}", account)


_REPLICATION: Final = ("replication.dynamodb.amazonaws.com", "AWSServiceRoleForDynamoDBReplication")
_EXECUTION: Final = "cdk-hnb659fds-cfn-exec-role"
_DEPLOY: Final = "cdk-hnb659fds-deploy-role"

CALLERS: Final[Mapping[str, Caller]] = {
    "an application": _role("app"),
    "an administrator": _role("admin"),
    "a console user": _sso("AdministratorAccess"),
    "an IAM user": _user("dev"),
    "a federated user": Caller(f"arn:aws:sts::{OWNER}:federated-user/dev"),
    "a person of the SAML role": _role("saml-ops"),
    "a data steward": _sso("DataSteward"),
    "a data steward of another account": _sso("DataSteward", PARTNER),
    "the root user": Caller(f"arn:aws:iam::{OWNER}:root"),
    "a thief of the application's credentials": _role("app"),
    "a team's role in its boundary": _role("team", bounded=True),
    "the reader of another account": _role("reader", PARTNER),
    "another role of that account": _role("intern", PARTNER),
    "break-glass": _role("break-glass"),
    "break-glass for settings": _role("break-glass-settings"),
    "a role named break-glass of another account": _role("break-glass", PARTNER),
    "a role named break-glass under a path": _role("mine/break-glass"),
    "CDK's execution role": _role(f"{_EXECUTION}-{OWNER}-{REGION}"),
    "CDK's execution role of another account": _role(f"{_EXECUTION}-{PARTNER}-{REGION}", PARTNER),
    "a stranger's role of that name": _role(f"{_EXECUTION}-{OWNER}-{REGION}", STRANGER),
    "the role of cdk deploy": _role(f"{_DEPLOY}-{OWNER}-{REGION}"),
    "the exporter": _role("exporter"),
    "an exporter of another account": _role("exporter", PARTNER),
    "the restorer": _role("restorer"),
    "AWS Backup's role": _role("backup-plan"),
    "DAX's role": _role("dax"),
    "Lambda polling": _role("stream-worker"),
    "the polling function's code": _role(
        "stream-worker", lambda__SourceFunctionArn=f"arn:aws:lambda:{REGION}:{OWNER}:function:worker"
    ),
    "Lambda polling as another role": _role("app"),
    "replication": _linked(*_REPLICATION),
    "replication of another account": _linked(*_REPLICATION, STRANGER),
    "auto scaling": _linked(
        "dynamodb.application-autoscaling.amazonaws.com", "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable"
    ),
    "a service for us": Caller("redshift.amazonaws.com", {"aws:SourceAccount": OWNER, "aws:SourceOrgID": ORGANIZATION}),
    "a service for a stranger": Caller(
        "redshift.amazonaws.com", {"aws:SourceAccount": STRANGER, "aws:SourceOrgID": "o-zzzzzzzzzz"}
    ),
    "the management account's administrator": _role("admin", MANAGEMENT),
    "the delegated administrator": _role("admin", DELEGATED),
    "a stranger": _role("admin", STRANGER),
    "an administrator of development": _role("admin", DEVELOPMENT),
    "ann, MFA a minute ago": _user("ann", PEOPLE, **{**_MFA, "aws:MultiFactorAuthAge": "60"}),
    "ann, MFA an hour ago": _user("ann", PEOPLE, **{**_MFA, "aws:MultiFactorAuthAge": "3600"}),
    "ann without MFA": _user("ann", PEOPLE, **{"sts:RoleSessionName": "ann"}),
    "ann with her access key alone": _user("ann", PEOPLE),
    "bob, MFA a minute ago": _user("bob", PEOPLE, **{**_MFA, "aws:MultiFactorAuthAge": "60"}),
    "ann of the table's account": _user("ann", OWNER, **{**_MFA, "aws:MultiFactorAuthAge": "60"}),
    "the people of the permission set": _sso("Emergency", SIGN_IN),
    "another permission set": _sso("EmergencyReader", SIGN_IN),
    "that permission set of another account": _sso("Emergency", PARTNER),
    "a role made to look like it": _role("AWSReservedSSO_Emergency_0123456789abcdef", SIGN_IN),
}

_HERE: Final[Context] = {"aws:RequestedRegion": REGION}
_NEXT: Final[Context] = {"aws:SourceVpc": "vpc-99999999", "aws:SourceVpce": "vpce-99999999"}


def _via(host: str) -> Context:
    return {**_HERE, "aws:ViaAWSService": "true", "aws:CalledVia": [host], "aws:CalledViaLast": host}


PLACES: Final[Mapping[str, Context]] = {
    "the VPC": {**_HERE, "aws:SourceVpc": VPC, "aws:SourceVpce": "vpce-99999999"},
    "the second VPC": {**_HERE, "aws:SourceVpc": SECOND_VPC, "aws:SourceVpce": "vpce-88888888"},
    "the endpoint": {**_HERE, "aws:SourceVpc": "vpc-99999999", "aws:SourceVpce": ENDPOINT},
    "the replica's VPC": {"aws:RequestedRegion": REPLICA, "aws:SourceVpc": REPLICA_VPC},
    "the VPC's id in another region": {"aws:RequestedRegion": REPLICA, "aws:SourceVpc": VPC},
    "another endpoint": {**_HERE, **_NEXT},
    "no endpoint": _HERE,
    "the internet": {**_HERE, "aws:SourceIp": "203.0.113.9"},
    "the internet, to the replica": {"aws:RequestedRegion": REPLICA, "aws:SourceIp": "203.0.113.9"},
    "the internet, over IPv6": {**_HERE, "aws:SourceIp": "2001:db8::9"},
    "the internet, to a third region": {"aws:RequestedRegion": "ap-south-1", "aws:SourceIp": "203.0.113.9"},
    "Athena": _via("athena.amazonaws.com"),
    "CloudFormation": _via("cloudformation.amazonaws.com"),
}

# What DynamoDB says to KMS when it asks as the caller of the table.
_BY_DYNAMODB: Final[Context] = {
    "kms:ViaService": f"dynamodb.{REGION}.amazonaws.com",
    "kms:EncryptionContext:aws:dynamodb:tableName": "orders",
    "kms:EncryptionContext:aws:dynamodb:subscriberId": OWNER,
}

TRIES: Final[Mapping[str, tuple[str, str, Context]]] = {
    "reads an item": ("dynamodb:GetItem", "table", {}),
    "queries": ("dynamodb:Query", "table", {}),
    "scans": ("dynamodb:Scan", "table", {}),
    "reads by PartiQL": ("dynamodb:PartiQLSelect", "table", {}),
    "searches by vector": ("dynamodb:SearchVectors", "table", {}),
    "writes an item": ("dynamodb:PutItem", "table", {}),
    "deletes an item": ("dynamodb:DeleteItem", "table", {}),
    "writes in bulk": ("dynamodb:StartBulkPutItems", "table", {}),
    "reads the stream": ("dynamodb:GetRecords", "stream", {}),
    "reads the replica": ("dynamodb:GetItem", "replica", {}),
    "exports the table": ("dynamodb:ExportTableToPointInTime", "table", {}),
    "backs the table up": ("dynamodb:CreateBackup", "table", {}),
    "starts an AWS Backup job": ("dynamodb:StartAwsBackupJob", "table", {}),
    "restores a point in time": ("dynamodb:RestoreTableToPointInTime", "table", {}),
    "restores a backup": ("dynamodb:RestoreTableFromBackup", "backup", {}),
    "reads the copy": ("dynamodb:GetItem", "copy", {}),
    "writes the copy": ("dynamodb:PutItem", "copy", {}),
    "adds a replica": ("dynamodb:CreateTableReplica", "table", {}),
    "adds a replica of the old kind": ("dynamodb:UpdateGlobalTable", "table", {}),
    "adds a Kinesis destination": ("dynamodb:EnableKinesisStreamingDestination", "table", {}),
    "puts a policy": ("dynamodb:PutResourcePolicy", "table", {}),
    "puts a policy on the stream": ("dynamodb:PutResourcePolicy", "stream", {}),
    "deletes the policy": ("dynamodb:DeleteResourcePolicy", "table", {}),
    "changes the table": ("dynamodb:UpdateTable", "table", {}),
    "turns on TTL": ("dynamodb:UpdateTimeToLive", "table", {}),
    "turns off point-in-time recovery": ("dynamodb:UpdateContinuousBackups", "table", {}),
    "describes the table": ("dynamodb:DescribeTable", "table", {}),
    "deletes the table": ("dynamodb:DeleteTable", "table", {}),
    "deletes a backup": ("dynamodb:DeleteBackup", "backup", {}),
    "reads the ledger": ("dynamodb:GetItem", "ledger", {}),
    "scans the ledger": ("dynamodb:Scan", "ledger", {}),
    "writes the ledger": ("dynamodb:PutItem", "ledger", {}),
    "reads the ledger's stream": ("dynamodb:GetRecords", "ledger's stream", {}),
    "exports the ledger": ("dynamodb:ExportTableToPointInTime", "ledger", {}),
    "puts a policy on the ledger": ("dynamodb:PutResourcePolicy", "ledger", {}),
    "deletes the ledger's policy": ("dynamodb:DeleteResourcePolicy", "ledger", {}),
    "describes the ledger": ("dynamodb:DescribeTable", "ledger", {}),
    "reads a table of development": ("dynamodb:GetItem", "scratch table of development", {}),
    "widens an exempt role": ("iam:PutRolePolicy", "exempt role", {}),
    "changes who may assume an exempt role": ("iam:UpdateAssumeRolePolicy", "exempt role", {}),
    "passes an exempt role to a function": (
        "iam:PassRole", "exempt role", {"iam:PassedToService": "lambda.amazonaws.com"}
    ),
    "deletes an exempt role": ("iam:DeleteRole", "exempt role", {}),
    "changes who may assume break-glass": ("iam:UpdateAssumeRolePolicy", "break-glass role", {}),
    "makes a role of an exempt name": ("iam:CreateRole", "exempt role", {}),
    "makes a role of the deployment's name": ("iam:CreateRole", "deployment's role", {}),
    "passes the deployment's role to CloudFormation": (
        "iam:PassRole", "deployment's role", {"iam:PassedToService": "cloudformation.amazonaws.com"}
    ),
    "makes a role without the boundary": ("iam:CreateRole", "new role", {}),
    "makes a role with the boundary": (
        "iam:CreateRole", "new role", {"iam:PermissionsBoundary": RESOURCES["boundary"]}
    ),
    "takes the boundary off": ("iam:DeleteRolePermissionsBoundary", "new role", {}),
    "writes a new version of the boundary": ("iam:CreatePolicyVersion", "boundary", {}),
    "takes the role break-glass": ("sts:AssumeRole", "break-glass role", {}),
    "takes the role break-glass for settings": ("sts:AssumeRole", "break-glass role for settings", {}),
    "detaches an organization policy": ("organizations:DetachPolicy", "organization", {}),
    "leaves the organization": ("organizations:LeaveOrganization", "organization", {}),
    "changes a stack that the deployment's role deploys": ("cloudformation:UpdateStack", "deployed stack", {}),
    "lets itself into a role without the boundary": ("iam:UpdateAssumeRolePolicy", "new role", {}),
    "decrypts with the key directly": ("kms:Decrypt", "key", {}),
    "decrypts with the key through DynamoDB": ("kms:Decrypt", "key", _BY_DYNAMODB),
    "schedules the key's deletion": ("kms:ScheduleKeyDeletion", "key", {}),
    "puts a policy on the key": ("kms:PutKeyPolicy", "key", {}),
    "changes the code of an exempt function": ("lambda:UpdateFunctionCode", "exempt function", {}),
}  # fmt: skip
