"""An organization with everything that keeps data inside, synthesized once: what its templates decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb, aws_kms as kms

import tableguard as tg
from tableguard.evaluation import ContextValue, Decision, Policies, Request, evaluate
from tableguard.review.assuming import assuming
from tests.unit.tables.support import (
    KEY,
    NOON,
    ORDERS,
    OWNER,
    PARTNER,
    PER_REPLICA,
    PK,
    REGION,
    REPLICA,
    REPLICA_KEY,
    Documents,
    resolved,
    stack,
)

Json = dict[str, Any]
Context = Mapping[str, ContextValue]

MANAGEMENT: Final = "999988887777"
DELEGATED: Final = "777766665555"
DEVELOPMENT: Final = "333344445555"
PEOPLE: Final = "111122223333"
SIGN_IN: Final = "555566667777"
STRANGER: Final = "666677778888"
ACCOUNTS: Final = (OWNER, PARTNER, DELEGATED, DEVELOPMENT, PEOPLE, SIGN_IN)
"""The organization's accounts; the management account is the one that no policy binds."""

ORGANIZATION: Final = "o-a1b2c3d4e5"
ROOT: Final = "r-ab12"
VPC, SECOND_VPC, REPLICA_VPC = "vpc-0abc1234", "vpc-0abc5678", "vpc-0def5678"
ENDPOINT: Final = "vpce-1a2b3c4d"

CDK: Final = tg.RoleOfEveryAccount(name="cdk-hnb659fds-cfn-exec-role-*")
CDK_DEPLOY: Final = tg.RoleOfEveryAccount(name="cdk-hnb659fds-deploy-role-*")
BACKUP: Final = tg.Role(account=OWNER, name="backup-plan")
BREAK_GLASS, BREAK_GLASS_SETTINGS = "break-glass", "break-glass-settings"
ANN: Final = tg.User(account=PEOPLE, name="ann")
DOORS: Final = (tg.UsersWithMfa(users=[ANN]), tg.PermissionSet(account=SIGN_IN, name="Emergency"))
STEWARDS: Final = tg.PermissionSet(account=OWNER, name="DataSteward")

REPLICA_TABLE: Final = ORDERS.replace(REGION, REPLICA)
RESOURCES: Final[Mapping[str, str]] = {
    "table": ORDERS,
    "stream": f"{ORDERS}/stream/2026-11-21T10:00:00.000",
    "replica": REPLICA_TABLE,
    "backup": f"{ORDERS}/backup/01234567890123-abcdefab",
    "copy": f"{ORDERS}-copy",
    "ledger": ORDERS.replace("orders", "ledger"),
    "ledger's stream": f"{ORDERS.replace('orders', 'ledger')}/stream/2026-11-21T10:00:00.000",
    "scratch table of development": f"arn:aws:dynamodb:{REGION}:{DEVELOPMENT}:table/scratch",
    "key": KEY,
    "exempt role": f"arn:aws:iam::{OWNER}:role/exporter",
    "break-glass role": f"arn:aws:iam::{OWNER}:role/{BREAK_GLASS}",
    "break-glass role for settings": f"arn:aws:iam::{OWNER}:role/{BREAK_GLASS_SETTINGS}",
    "deployment's role": f"arn:aws:iam::{OWNER}:role/cdk-hnb659fds-cfn-exec-role-{OWNER}-{REGION}",
    "new role": f"arn:aws:iam::{OWNER}:role/new",
    "boundary": f"arn:aws:iam::{OWNER}:policy/data-access-boundary",
    # Organizations checks its own delegation besides, which a delegated administrator has.
    "organization": "*",
    "deployed stack": f"arn:aws:cloudformation:{REGION}:{OWNER}:stack/Data/01234567-89ab-cdef-0123-456789abcdef",
    "exempt function": f"arn:aws:lambda:{REGION}:{OWNER}:function:exporter",
}

# What a resource's own policy and an RCP bear on, of all that is asked for here but assuming a role.
_WITH_POLICIES: Final = ("arn:aws:dynamodb:", "arn:aws:kms:")
ALLOW: Final[Json] = {"Effect": "Allow", "Action": "*", "Resource": "*"}
EVERYTHING: Final[Json] = {"Version": "2012-10-17", "Statement": [ALLOW]}


def perimeter(*more: tg.Exemption) -> tg.Perimeter:
    return tg.Perimeter(
        networks=[
            tg.FromVpc(VPC, SECOND_VPC, region=REGION),
            tg.FromVpc(REPLICA_VPC, region=REPLICA),
            tg.FromVpcEndpoint(ENDPOINT),
        ],
        exemptions=[
            *more,
            tg.Exemption(principal=CDK, actions=tg.RestrictedActions.DEPLOYMENT, reason="deployments"),
            tg.Exemption(
                principal=tg.LambdaPoller(tg.Role(account=OWNER, name="stream-worker")),
                actions=tg.RestrictedActions.STREAM,
                reason="the search index",
            ),
            tg.Exemption(
                principal=tg.Role(account=OWNER, name="exporter"),
                actions=tg.RestrictedActions.EXPORT,
                reason="nightly export",
            ),
            tg.Exemption(
                principal=tg.Role(account=OWNER, name="restorer"),
                actions=tg.RestrictedActions.RESTORE | tg.RestrictedActions.NEW_COPY,
                reason="restore drill",
            ),
            tg.Exemption(principal=BACKUP, actions=tg.RestrictedActions.BACKUP, reason="the backup plan"),
            tg.Exemption(
                principal=tg.Forwarding("athena.amazonaws.com"),
                actions=tg.RestrictedActions.on_table("Scan"),
                reason="reports",
            ),
        ],
        administrators=[CDK, *(tg.Role(account=OWNER, name=name) for name in (BREAK_GLASS, BREAK_GLASS_SETTINGS))],
        pass_role_principals=[CDK_DEPLOY],
        organization=ORGANIZATION,
    )


@dataclass(frozen=True)
class Fortress:
    """The documents of the synthesized templates.

    Args:
        resources: Policies of tables, streams and the key, and trust policies of roles, by ARN.
        identities: The policies of the break-glass roles, by ARN.
        boundary: The boundary of the roles that teams make.
        service_control: The SCPs.
        resource_control: The RCPs.
    """

    resources: Mapping[str, Json]
    identities: Mapping[str, Json]
    boundary: Json
    service_control: list[Json]
    resource_control: list[Json]


@dataclass(frozen=True)
class Caller:
    """Somebody who calls.

    Args:
        principal: As in a request.
        context: What AWS says of them.
        bounded: Whether they carry the boundary.
    """

    principal: str
    context: Context = field(default_factory=dict)
    bounded: bool = False

    @property
    def arn(self) -> str:
        return str(self.context.get("aws:PrincipalArn", self.principal))

    @property
    def account(self) -> str | None:
        parts = self.principal.split(":")
        return parts[4] if len(parts) > 4 else None


@cache
def fortress() -> Fortress:
    """The documents of its templates."""
    return _read(*build())


@cache
def build() -> tuple[cdk.Stack, cdk.Stack, cdk.Stack]:
    """Its app: the stacks of the two tables and of the organization."""
    app = cdk.App(analytics_reporting=False, context={PER_REPLICA: True})
    data, people = stack(app), stack(app, "Ledger")
    roles = [
        tg.BreakGlassRole(data, name, role_name=name, assumed_by=DOORS, reason="runbook 7", access=access)
        for name, access in (
            (BREAK_GLASS, tg.BreakGlassAccess.FULL),
            (BREAK_GLASS_SETTINGS, tg.BreakGlassAccess.SETTINGS),
        )
    ]
    inside = perimeter(*(role.exemption for role in roles))
    tg.VpcOnlyTable(
        data,
        "Orders",
        table_name="orders",
        partition_key=PK,
        perimeter=inside,
        dynamo_stream=dynamodb.StreamViewType.NEW_IMAGE,
        encryption=dynamodb.TableEncryptionV2.customer_managed_key(kms.Key(data, "Key"), {REPLICA: REPLICA_KEY}),
        replicas=[dynamodb.ReplicaTableProps(region=REPLICA)],
        deployed_replicas=[REPLICA],
        table_grants=[tg.TableGrant(tg.Role(account=PARTNER, name="reader"), tg.Access.READ, reason="ADR-7")],
    )
    boundary = tg.DataAccessBoundary(
        data, "Boundary", perimeter=replace(inside, unclassified_open="no room: the SCP denies what AWS adds later")
    )
    ledger = dynamodb.TableV2(
        people,
        "Ledger",
        table_name="ledger",
        partition_key=PK,
        dynamo_stream=dynamodb.StreamViewType.NEW_IMAGE,
    )
    tg.NoHumanAccess(
        people,
        "NoPeople",
        table=ledger,
        sign_in_roles=[tg.Role(account=OWNER, name="saml-ops")],
        exceptions=[
            tg.Exemption(
                principal=STEWARDS,
                actions=tg.RestrictedActions.on_table("GetItem", "Query"),
                reason="subject access requests",
            )
        ],
    )
    org = stack(app, "Org", account=MANAGEMENT)
    more: Json = {
        "targets": [ROOT],
        "perimeter": inside,
        "excluded_accounts": {DEVELOPMENT: "development, no data of customers"},
    }
    tg.BreakGlassSCP(
        org,
        "Scp",
        guardrails=[
            tg.ProtectTables(),
            tg.ProtectBackups(exempt_principals=[BACKUP]),
            tg.StayInOrganization(),
            tg.ProtectKeys(keys=[KEY]),
            boundary.guardrail,
        ],
        **more,
    )
    tg.BreakGlassRCP(org, "Rcp", guardrails=[tg.ProtectTables(), tg.ProtectKeys(keys=[KEY])], **more)
    return data, people, org


def _read(data: cdk.Stack, people: cdk.Stack, org: cdk.Stack) -> Fortress:
    orders, ledger, policies = Documents.of(data), Documents.of(people), Documents.of(org)
    (key,) = orders.resources("AWS::KMS::Key")
    found = {
        RESOURCES["table"]: orders.table_policy(),
        RESOURCES["stream"]: orders.stream_policy(),
        RESOURCES["replica"]: orders.table_policy(REPLICA),
        RESOURCES["key"]: resolved(key["Properties"]["KeyPolicy"]),
        RESOURCES["ledger"]: ledger.table_policy(),
        RESOURCES["ledger's stream"]: ledger.stream_policy(),
    }
    identities: dict[str, Json] = {}
    for role in orders.resources("AWS::IAM::Role"):
        properties = resolved(role["Properties"])
        arn = f"arn:aws:iam::{OWNER}:role/{properties['RoleName']}"
        found[arn] = properties["AssumeRolePolicyDocument"]
        identities[arn] = properties["Policies"][0]["PolicyDocument"]
    (managed,) = orders.resources("AWS::IAM::ManagedPolicy")
    control: dict[str, list[Json]] = {"SERVICE_CONTROL_POLICY": [], "RESOURCE_CONTROL_POLICY": []}
    for policy in policies.resources("AWS::Organizations::Policy"):
        control[policy["Properties"]["Type"]].append(policy["Properties"]["Content"])
    return Fortress(
        {arn: policy for arn, policy in found.items() if policy is not None},
        identities,
        resolved(managed["Properties"]["PolicyDocument"]),
        control["SERVICE_CONTROL_POLICY"],
        control["RESOURCE_CONTROL_POLICY"],
    )


@cache
def _policies(caller: str, account: str | None, resource: str, bounded: bool) -> Policies:
    return policies_of(fortress(), caller, account, resource, bounded=bounded)


def policies_of(made: Fortress, caller: str, account: str | None, resource: str, *, bounded: bool = False) -> Policies:
    """The policies that bear on a request of a caller.

    Everybody's own policies allow everything, as an administrator's do, but for those that a template makes.

    Args:
        made: The documents.
        caller: The caller's ARN.
        account: The caller's account.
        resource: The ARN.
        bounded: Whether the caller carries the boundary.
    """
    owner = resource.split(":")[4] if resource != "*" else None
    bound = account in ACCOUNTS or account == MANAGEMENT
    return Policies(
        identity=[made.identities.get(caller, EVERYTHING)],
        resource=made.resources.get(resource) if resource.startswith(_WITH_POLICIES) else None,
        boundary=[made.boundary] if bounded else [],
        service_control=[[EVERYTHING], [EVERYTHING, *made.service_control]] if bound else [],
        resource_control=[made.resource_control] if owner in ACCOUNTS and resource.startswith(_WITH_POLICIES) else [],
    )


def decide(caller: Caller, action: str, resource: str, context: Context) -> Decision:
    """What the synthesized templates decide.

    Args:
        caller: Who.
        action: What, with its service.
        resource: The ARN, or "*".
        context: Where from, and what else the request carries.
    """
    request = Request(
        principal=caller.principal,
        action=action,
        resource=resource,
        resource_account=OWNER if resource == "*" and caller.account is None else None,
        context={**context, **caller.context},
        time=NOON,
        management_account=MANAGEMENT,
    )
    policies = _policies(caller.arn, caller.account, resource, caller.bounded)
    trust = fortress().resources.get(resource) if action.startswith("sts:") else None
    decision = evaluate(request, policies) if trust is None else assuming(request, trust, policies)
    assert decision.understood, decision
    return decision
