"""Who calls from where, and a perimeter that tells them apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tableguard.evaluation import ContextValue, Decision, Outcome, Policies, Request, evaluate
from tableguard.policy import (
    FromNetwork,
    FromVpc,
    FromVpcEndpoint,
    PermissionSet,
    Role,
    TableReference,
    User,
)
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.documents import VERSION
from tableguard.policy.perimeter import (
    Exemption,
    Forwarding,
    LambdaPoller,
    Perimeter,
    RestrictedActions,
    RoleOfEveryAccount,
)
from tests.unit.policy.support import OWNER, PARTNER, REGION, STRANGER

Context = Mapping[str, ContextValue]

ORGANIZATION: Final = "o-a1b2c3d4e5"
ORDERS: Final = TableReference(account=OWNER, region=REGION, name="orders", indexes=("by-date",))
VPC: Final = "vpc-0abc1234"
ENDPOINT: Final = "vpce-1a2b3c4d"

BREAK_GLASS: Final = Role(account=OWNER, name="break-glass", path="/emergency/")
POLLER: Final = Role(account=OWNER, name="stream-worker")
EXPORTER: Final = Role(account=OWNER, name="exporter")
RESTORER: Final = Role(account=OWNER, name="restorer")
AUDITOR: Final = PermissionSet(account=OWNER, name="Auditor")
ON_CALL: Final = User(account=OWNER, name="on-call")
DEPLOYER: Final = RoleOfEveryAccount(name="cdk-hnb659fds-cfn-exec-role-*")
CONSUMER: Final = Role(account=PARTNER, name="reader")

PERIMETER: Final = Perimeter(
    networks=[
        FromVpc(VPC, region=REGION),
        FromVpc("vpc-0def5678", region="eu-west-1"),
        FromVpcEndpoint(ENDPOINT),
        FromNetwork("192.0.2.0/24", "2001:db8::/32"),
    ],
    exemptions=[
        Exemption(principal=BREAK_GLASS, actions=RestrictedActions.ALL, reason="emergencies"),
        Exemption(principal=DEPLOYER, actions=RestrictedActions.DEPLOYMENT, reason="deployments"),
        Exemption(principal=LambdaPoller(POLLER), actions=RestrictedActions.STREAM, reason="the search index"),
        Exemption(principal=EXPORTER, actions=RestrictedActions.EXPORT, reason="nightly export"),
        Exemption(
            principal=RESTORER, actions=RestrictedActions.RESTORE | RestrictedActions.NEW_COPY, reason="restore drill"
        ),
        Exemption(principal=AUDITOR, actions=RestrictedActions.on_table("Query"), reason="audits from the console"),
        Exemption(principal=ON_CALL, actions=RestrictedActions.BACKUP, reason="a backup before anything else"),
        Exemption(principal=Forwarding("athena.amazonaws.com"), actions=RestrictedActions.EXPORT, reason="reports"),
    ],
    administrators=[DEPLOYER, BREAK_GLASS],
    pass_role_principals=[RoleOfEveryAccount(name="cdk-hnb659fds-deploy-role-*")],
    organization=ORGANIZATION,
)

INSIDE: Final[dict[str, Context]] = {
    "the VPC": {"aws:SourceVpc": VPC, "aws:SourceVpce": "vpce-99999999", "aws:RequestedRegion": REGION},
    "the endpoint": {"aws:SourceVpc": "vpc-99999999", "aws:SourceVpce": ENDPOINT, "aws:RequestedRegion": REGION},
    "the office": {"aws:SourceIp": "192.0.2.7", "aws:RequestedRegion": REGION},
    "the office over IPv6": {"aws:SourceIp": "2001:db8:1::7", "aws:RequestedRegion": REGION},
}
OUTSIDE: Final[dict[str, Context]] = {
    "nowhere that is known": {"aws:RequestedRegion": REGION},
    "the internet": {"aws:SourceIp": "203.0.113.9", "aws:RequestedRegion": REGION},
    "the internet over IPv6": {"aws:SourceIp": "2001:dba::1", "aws:RequestedRegion": REGION},
    "another VPC": {"aws:SourceVpc": "vpc-99999999", "aws:SourceVpce": "vpce-99999999", "aws:RequestedRegion": REGION},
    "Athena": {
        "aws:ViaAWSService": "true",
        "aws:CalledVia": ["athena.amazonaws.com"],
        "aws:CalledViaLast": "athena.amazonaws.com",
        "aws:RequestedRegion": REGION,
    },
    "CloudFormation": {
        "aws:ViaAWSService": "true",
        "aws:CalledVia": ["athena.amazonaws.com", "cloudformation.amazonaws.com"],
        "aws:CalledViaLast": "cloudformation.amazonaws.com",
        "aws:RequestedRegion": REGION,
    },
}


@dataclass(frozen=True)
class Caller:
    """Somebody who calls, and what AWS says of him."""

    principal: str
    context: Context = field(default_factory=dict)


def session(arn: str, name: str = "session") -> Caller:
    account, role = arn.split(":")[4], arn.rsplit("/", 1)[1]
    return Caller(f"arn:aws:sts::{account}:assumed-role/{role}/{name}", {"aws:PrincipalArn": arn})


_SSO: Final = f"arn:aws:iam::{OWNER}:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_"
_LINKED: Final = f"arn:aws:iam::{OWNER}:role/aws-service-role/"
CALLERS: Final[dict[str, Caller]] = {
    "an application": session(f"arn:aws:iam::{OWNER}:role/app"),
    "an administrator": session(f"arn:aws:iam::{OWNER}:role/admin"),
    "a user": Caller(f"arn:aws:iam::{OWNER}:user/dev"),
    "the root user": Caller(f"arn:aws:iam::{OWNER}:root"),
    "a consumer of another account": session(CONSUMER.arn("aws")),
    "break-glass": session(BREAK_GLASS.arn("aws")),
    "break-glass in a function": Caller(
        f"arn:aws:sts::{OWNER}:assumed-role/break-glass/function",
        {
            "aws:PrincipalArn": BREAK_GLASS.arn("aws"),
            "lambda:SourceFunctionArn": f"arn:aws:lambda:{REGION}:{OWNER}:function:emergency",
        },
    ),
    "break-glass without its path": session(f"arn:aws:iam::{OWNER}:role/break-glass"),
    "break-glass of another account": session(f"arn:aws:iam::{PARTNER}:role/emergency/break-glass"),
    "the deployment": session(f"arn:aws:iam::{OWNER}:role/cdk-hnb659fds-cfn-exec-role-{OWNER}-{REGION}"),
    "cdk deploy": session(f"arn:aws:iam::{OWNER}:role/cdk-hnb659fds-deploy-role-{OWNER}-{REGION}"),
    "a stranger's deployment": session(f"arn:aws:iam::{STRANGER}:role/cdk-hnb659fds-cfn-exec-role-{OWNER}-{REGION}"),
    "Lambda polling": session(POLLER.arn("aws")),
    "the polling function's code": Caller(
        f"arn:aws:sts::{OWNER}:assumed-role/stream-worker/worker",
        {
            "aws:PrincipalArn": POLLER.arn("aws"),
            "lambda:SourceFunctionArn": f"arn:aws:lambda:{REGION}:{OWNER}:function:worker",
        },
    ),
    "the exporter": session(EXPORTER.arn("aws")),
    "the restorer": session(RESTORER.arn("aws")),
    "an auditor": session(f"{_SSO}Auditor_0123456789abcdef"),
    "an auditor of us-east-1": session(f"{_SSO.replace('eu-west-1/', '')}Auditor_0123456789abcdef"),
    "an auditor of a longer name": session(f"{_SSO}Auditor_Admin_0123456789abcdef"),
    "the user on call": Caller(ON_CALL.arn("aws")),
    "replication": session(f"{_LINKED}replication.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBReplication"),
    "autoscaling": session(
        f"{_LINKED}dynamodb.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_DynamoDBTable"
    ),
    "anonymous": Caller("anonymous"),
    "an application for an account": Caller(
        f"arn:aws:sts::{OWNER}:assumed-role/app/session",
        {"aws:PrincipalArn": f"arn:aws:iam::{OWNER}:role/app", "aws:SourceAccount": STRANGER},
    ),
    "a service for us": Caller("redshift.amazonaws.com", {"aws:SourceAccount": OWNER, "aws:SourceOrgID": ORGANIZATION}),
    "a service for nobody named": Caller("redshift.amazonaws.com"),
    "a service for a stranger": Caller(
        "redshift.amazonaws.com", {"aws:SourceAccount": STRANGER, "aws:SourceOrgID": "o-zzzzzzzzzz"}
    ),
    "a service for a stranger of no organization": Caller("redshift.amazonaws.com", {"aws:SourceAccount": STRANGER}),
}

STREAM_ARN: Final = f"{ORDERS.arn}/stream/2026-11-21T10:00:00.000"
RESOURCES: Final = {
    "table": ORDERS.arn,
    "index": f"{ORDERS.arn}/index/by-date",
    "stream": STREAM_ARN,
    "other table": ORDERS.arn.replace("orders", "other"),
    "backup": f"{ORDERS.arn}/backup/01234567890123-abcdefab",
}
_ALLOW: Final[dict[str, Any]] = {"Effect": "Allow", "Action": "*", "Resource": "*"}
EVERYTHING: Final = {"Version": VERSION, "Statement": [_ALLOW]}


def resource_policy(*denials: DenyStatement) -> dict[str, Any]:
    """A policy that allows everybody everything but what is denied, so that the denials alone decide."""
    allow = {**_ALLOW, "Principal": "*"}
    return {"Version": VERSION, "Statement": [allow, *(denial.to_json(principal="*") for denial in denials)]}


def plain_policy(*denials: DenyStatement) -> dict[str, Any]:
    return {"Version": VERSION, "Statement": [_ALLOW, *(denial.to_json() for denial in denials)]}


def decision(
    policies: Policies,
    *,
    caller: Caller,
    place: Context,
    action: str,
    resource: str,
    management_account: str | None = None,
) -> Decision:
    request = asked(caller=caller, place=place, action=action, resource=resource, management_account=management_account)
    return evaluate(request, policies)


def asked(
    *, caller: Caller, place: Context, action: str, resource: str, management_account: str | None = None
) -> Request:
    return Request(
        principal=caller.principal,
        action=action if ":" in action else f"dynamodb:{action}",
        resource=resource,
        context={**place, **caller.context},
        management_account=management_account,
    )


def allowed(policies: Policies, **request: Any) -> bool:
    return decision(policies, **request).outcome is Outcome.ALLOWED


def table_policies(perimeter: Perimeter = PERIMETER) -> Policies:
    return Policies(identity=[EVERYTHING], resource=resource_policy(*perimeter.table_statements(ORDERS)))


def stream_policies(perimeter: Perimeter = PERIMETER) -> Policies:
    return Policies(identity=[EVERYTHING], resource=resource_policy(*perimeter.stream_statements(ORDERS)))


def service_control_policies(perimeter: Perimeter = PERIMETER) -> Policies:
    return Policies(
        identity=[EVERYTHING],
        resource=resource_policy(),
        service_control=[[EVERYTHING, plain_policy(*perimeter.service_control_statements())]],
    )


def resource_control_policies(perimeter: Perimeter = PERIMETER) -> Policies:
    return Policies(
        identity=[EVERYTHING],
        resource=resource_policy(),
        resource_control=[[resource_policy(*perimeter.resource_control_statements())]],
    )


def identity_policies(perimeter: Perimeter = PERIMETER, *, role: Role | None = None) -> Policies:
    return Policies(identity=[plain_policy(*perimeter.identity_statements(role=role))], resource=resource_policy())
