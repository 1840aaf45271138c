"""An organization with guardrails: who calls, what the synthesized policies decide."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

import aws_cdk as cdk

import tableguard as tg
from tableguard.evaluation import ContextValue, Decision, Layer, Policies, Request, evaluate

Json = dict[str, Any]
Context = Mapping[str, ContextValue]

MANAGEMENT: Final = "999988887777"
DATA: Final = "444455556666"
PARTNER: Final = "222233334444"
DEVELOPMENT: Final = "333344445555"
STRANGER: Final = "666677778888"
UNIT: Final = "ou-ab12-11111111"
REGION: Final = "eu-west-1"
VPC: Final = "vpc-0abc1234"

DEPLOYMENT: Final = tg.RoleOfEveryAccount(name="cdk-hnb659fds-cfn-exec-role-*")
CDK_DEPLOY: Final = tg.RoleOfEveryAccount(name="cdk-hnb659fds-deploy-role-*")
BREAK_GLASS: Final = tg.Role(account=DATA, name="break-glass", path="/emergency/")
ON_CALL: Final = tg.PermissionSet(account=DATA, name="OnCall")
BACKUP_ROLE: Final = tg.Role(account=DATA, name="backup-plan")
ADMINISTRATORS: Final[list[tg.RoleOfEveryAccount | tg.Role | tg.PermissionSet]] = [DEPLOYMENT, BREAK_GLASS, ON_CALL]

PERIMETER: Final = tg.Perimeter(
    networks=[tg.FromVpc(VPC, region=REGION)],
    exemptions=[tg.Exemption(principal=DEPLOYMENT, actions=tg.RestrictedActions.DEPLOYMENT, reason="deployments")],
    administrators=ADMINISTRATORS,
    pass_role_principals=[CDK_DEPLOY],
)
GUARDRAILS: Final = (
    tg.OnlyRegions(REGION),
    tg.NoEc2(reason="everything is serverless"),
    tg.ProtectTables(),
    tg.ProtectBackups(exempt_principals=[BACKUP_ROLE]),
    tg.ProtectTrails(),
    tg.ProtectKeys(),
    tg.ProtectSchedules(names=["nightly-export-*"]),
    tg.StayInOrganization(),
)

TABLE: Final = f"arn:aws:dynamodb:{REGION}:{DATA}:table/orders"
STREAM: Final = f"{TABLE}/stream/2026-11-21T10:00:00.000"
KEY: Final = f"arn:aws:kms:{REGION}:{DATA}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
VAULT: Final = f"arn:aws:backup:{REGION}:{DATA}:backup-vault:orders"
TRAIL: Final = f"arn:aws:cloudtrail:{REGION}:{DATA}:trail/all"
SCHEDULE: Final = f"arn:aws:scheduler:{REGION}:{DATA}:schedule/default/nightly-export-orders"

INSIDE: Final[Context] = {"aws:RequestedRegion": REGION, "aws:SourceVpc": VPC}
OUTSIDE: Final[Context] = {"aws:RequestedRegion": REGION, "aws:SourceIp": "203.0.113.9"}

ALLOW: Final[Json] = {"Effect": "Allow", "Action": "*", "Resource": "*"}
FULL_ACCESS: Final[Json] = {"Version": "2012-10-17", "Statement": [ALLOW]}
FULL_ACCESS_TO_RESOURCE: Final[Json] = {"Version": "2012-10-17", "Statement": [{**ALLOW, "Principal": "*"}]}


def role(name: str, account: str = DATA, path: str = "/") -> str:
    return f"arn:aws:iam::{account}:role{path}{name}"


_SSO: Final = role("AWSReservedSSO_OnCall_0123456789abcdef", path="/aws-reserved/sso.amazonaws.com/eu-west-1/")
GUARDIAN_ARNS: Final = {
    "the deployment": role(f"cdk-hnb659fds-cfn-exec-role-{DATA}-{REGION}"),
    "break-glass": role("break-glass", path="/emergency/"),
    "the permission set on call": _SSO,
    "the permission set on call, of us-east-1": _SSO.replace("eu-west-1/", ""),
}
OTHER_ARNS: Final = {
    "an administrator": role("admin"),
    "an application": role("app"),
    "a user": f"arn:aws:iam::{DATA}:user/dev",
    "the root user": f"arn:aws:iam::{DATA}:root",
    "break-glass of another account": role("break-glass", account=PARTNER, path="/emergency/"),
    "break-glass without its path": role("break-glass"),
    "a longer name than break-glass": role("break-glass-2", path="/emergency/"),
    "a user of break-glass's name": f"arn:aws:iam::{DATA}:user/emergency/break-glass",
    "another permission set": _SSO.replace("OnCall", "OnCallReader"),
    "cdk deploy": role(f"cdk-hnb659fds-deploy-role-{DATA}-{REGION}"),
    "a role in a folder of that name": role("cdk-hnb659fds-cfn-exec-role-x", path="/mine/"),
}
UNBOUND: Final = {
    "replication": role(
        "AWSServiceRoleForDynamoDBReplication", path="/aws-service-role/replication.dynamodb.amazonaws.com/"
    ),
    "autoscaling": role(
        "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable",
        path="/aws-service-role/dynamodb.application-autoscaling.amazonaws.com/",
    ),
    "a service": "replication.dynamodb.amazonaws.com",
}


def session(arn: str) -> tuple[str, Context]:
    """The principal of a role's session and what its request carries; others call as they are."""
    if ":role/" not in arn or "/aws-service-role/" in arn:
        return arn, {}
    return f"arn:aws:sts::{arn.split(':')[4]}:assumed-role/{arn.rsplit('/', 1)[1]}/s", {"aws:PrincipalArn": arn}


def stack(account: str = MANAGEMENT, *, app: cdk.App | None = None) -> cdk.Stack:
    env = cdk.Environment(account=account, region="us-east-1")
    return cdk.Stack(app or cdk.App(analytics_reporting=False), "Org", env=env)


def synthesized(scope: cdk.Stack) -> list[Json]:
    """The properties of the policies in a stack's template."""
    app = scope.node.root
    assert isinstance(app, cdk.App)
    resources = app.synth().get_stack_by_name(scope.stack_name).template["Resources"].values()
    return [r["Properties"] for r in resources if r["Type"] == "AWS::Organizations::Policy"]


def contents(properties: Iterable[Json], kind: str) -> list[Json]:
    return [each["Content"] for each in properties if each["Type"] == kind]


@cache
def everything() -> tuple[list[Json], list[Json]]:
    """The SCPs and the RCPs of an organization that has everything, from one synthesized template."""
    org = stack()
    tg.BreakGlassSCP(
        org,
        "Scp",
        targets=[UNIT],
        perimeter=PERIMETER,
        guardrails=GUARDRAILS,
        excluded_accounts={DEVELOPMENT: "development, no data of customers"},
    )
    tg.BreakGlassRCP(
        org,
        "Rcp",
        targets=[UNIT],
        perimeter=PERIMETER,
        guardrails=[tg.ProtectTables(), tg.ProtectKeys()],
        excluded_accounts={DEVELOPMENT: "development, no data of customers"},
    )
    found = synthesized(org)
    return contents(found, "SERVICE_CONTROL_POLICY"), contents(found, "RESOURCE_CONTROL_POLICY")


@cache
def _policies(scps: str, rcps: str) -> Policies:
    levels = [[FULL_ACCESS], [FULL_ACCESS, *json.loads(scps)], [FULL_ACCESS]]
    resource_levels = [[FULL_ACCESS_TO_RESOURCE], [FULL_ACCESS_TO_RESOURCE, *json.loads(rcps)]]
    return Policies(
        identity=[FULL_ACCESS],
        resource=FULL_ACCESS_TO_RESOURCE,
        service_control=levels,
        resource_control=resource_levels,
    )


def decide(
    arn: str,
    action: str,
    resource: str = TABLE,
    *,
    scps: Sequence[Json] = (),
    rcps: Sequence[Json] = (),
    context: Context = INSIDE,
) -> Decision:
    """What organization policies decide where everything else allows."""
    return decided(asked(arn, action, resource, context=context), bound(scps=scps, rcps=rcps))


def asked(arn: str, action: str, resource: str, *, context: Context) -> Request:
    principal, carried = session(arn)
    return Request(
        principal=principal,
        action=action,
        resource=resource,
        resource_account=DATA if resource == "*" else None,
        context={**context, **carried},
        management_account=MANAGEMENT,
    )


def bound(*, scps: Sequence[Json] = (), rcps: Sequence[Json] = ()) -> Policies:
    return _policies(json.dumps(scps), json.dumps(rcps))


def decided(request: Request, policies: Policies) -> Decision:
    decision = evaluate(request, policies)
    assert decision.understood, decision
    return decision


def denied_by(decision: Decision) -> set[tuple[Layer, str]]:
    """The layers and statements that deny; nothing where it is allowed."""
    return set() if decision.allowed else {(reason.layer, str(reason.sid)) for reason in decision.because}
