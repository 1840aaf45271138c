"""A synthesized vault, those who attack it, and what its policies decide."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk.assertions import Template

import tableguard as tg
from tableguard.evaluation import ContextValue, Decision, Document, Outcome, Policies, Request, evaluate
from tableguard.policy.deny_statements import denying
from tableguard.policy.guardrails import Control

Json = dict[str, Any]
Context = Mapping[str, ContextValue]

VAULT: Final = "777788889999"
DATA: Final = "444455556666"
STRANGER: Final = "999988887777"
REGION: Final = "eu-west-1"
INTAKE: Final = "acme-intake"
SEALED: Final = "acme-sealed"
SOURCE: Final = tg.ReplicationSource(account=DATA, role_name="backup-replication", tables=("orders",))
READER: Final = tg.Role(account=DATA, name="restore")
BREAK_GLASS: Final = tg.Role(account=VAULT, name="break-glass")
DEPLOYER: Final = tg.Role(account=VAULT, name="operator")
CFN: Final = f"cdk-hnb659fds-cfn-exec-role-{VAULT}-{REGION}"
QUOTA: Final = tg.SourceQuota(bytes_per_day=10**12, exports_per_day=100)
GOVERNANCE: Final = tg.Retention.governance(days=35)
COMPLIANCE: Final = tg.Retention.compliance(days=35, acknowledge="tried in governance mode first")

FULL: Final[Json] = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
ENCRYPTION: Final = "s3:x-amz-server-side-encryption"


def stack(account: str = VAULT) -> cdk.Stack:
    app = cdk.App(analytics_reporting=False, context={"aws:cdk:disable-asset-staging": True})
    return cdk.Stack(app, "Backups", env=cdk.Environment(account=account, region=REGION))


def vault(scope: cdk.Stack, **options: Any) -> tg.SealedVault:
    least: dict[str, Any] = {
        "sources": [SOURCE],
        "retention": COMPLIANCE,
        "quota": QUOTA,
        "intake_bucket_name": INTAKE,
        "sealed_bucket_name": SEALED,
    }
    return tg.SealedVault(scope, "Vault", **{**least, **options})


@functools.cache
def resources(*, governance: bool = False) -> Json:
    scope = stack()
    mode = {"retention": GOVERNANCE, "bypass_governance_roles": [BREAK_GLASS]} if governance else {}
    vault(scope, readers=[READER], **mode)
    found: Json = Template.from_stack(scope).to_json()["Resources"]
    return found


def policy_of(found: Json, bucket: str) -> Json:
    """The policy of the bucket of a name."""
    (logical_id,) = (
        name
        for name, each in found.items()
        if each["Type"] == "AWS::S3::Bucket" and each["Properties"].get("BucketName") == bucket
    )
    (document,) = (
        each["Properties"]["PolicyDocument"]
        for each in found.values()
        if each["Type"] == "AWS::S3::BucketPolicy" and each["Properties"]["Bucket"] == {"Ref": logical_id}
    )
    return dict(document)


@dataclass(frozen=True)
class Attacker:
    """Whoever calls, with every right that his own account can give him."""

    principal: str
    context: Context = field(default_factory=dict)

    @property
    def account(self) -> str:
        return self.principal.split(":")[4]


def role(name: str, account: str) -> Attacker:
    arn = f"arn:aws:iam::{account}:role/{name}"
    return Attacker(f"arn:aws:sts::{account}:assumed-role/{name}/s", {"aws:PrincipalArn": arn})


ATTACKERS: Final = {
    "root of the data account": Attacker(f"arn:aws:iam::{DATA}:root"),
    "admin of the data account": role("admin", DATA),
    "replication role": role("backup-replication", DATA),
    "its name elsewhere": role("backup-replication", STRANGER),
    "restore reader": role("restore", DATA),
    "root of the vault": Attacker(f"arn:aws:iam::{VAULT}:root"),
    "admin of the vault": role("admin", VAULT),
    "sealing role": role("tableguard-sealing", VAULT),
    "break-glass": role("break-glass", VAULT),
    "deployment": role(CFN, VAULT),
    "stranger": role("admin", STRANGER),
}

TLS: Final[Context] = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
_NEW: Final[Context] = {"s3:ObjectCreationOperation": "true"}
_ONCE: Final[Context] = {**_NEW, "s3:if-none-match": "*"}


def locked(mode: str, days: int) -> Context:
    return {"s3:object-lock-mode": mode, "s3:object-lock-remaining-retention-days": days}


_HELD: Final[Context] = {"s3:object-lock-event-hold": "ON", "s3:object-lock-event-hold-duration-days": 36_500}
_LET_GO: Final[Context] = {"s3:object-lock-event-hold": "OFF"}
FILE: Final = f"exports/{DATA}/{REGION}/orders/01/x.json.gz"
ENTRY: Final = f"catalogue/{DATA}/{REGION}/orders/20261122T000000Z-full-01.json"
ARRIVED: Final = f"{DATA}/{REGION}/orders/AWSDynamoDB/01/manifest-summary.json"


@dataclass(frozen=True)
class Asked:
    """A request, whoever makes it."""

    bucket: str
    action: str
    key: str | None = None
    context: Context = field(default_factory=dict)

    @property
    def resource(self) -> str:
        return f"arn:aws:s3:::{self.bucket}" + ("" if self.key is None else f"/{self.key}")


def decide(
    asked: Asked, by: Attacker, policy: Json | Document, *, scps: tuple[Json, ...] = (), identity: Json = FULL
) -> Decision:
    """Decide on a bucket's policy; `scps` bind the vault's account alone, `identity` is the caller's own policy."""
    bound = [[FULL, *scps]] if scps and by.account == VAULT else []
    resource = policy if isinstance(policy, Document) else Document(policy)
    policies = Policies(identity=[identity], resource=resource, service_control=bound)
    return decided(request_of(asked, by), policies)


def request_of(asked: Asked, by: Attacker) -> Request:
    return Request(
        principal=by.principal,
        action=asked.action,
        resource=asked.resource,
        resource_account=VAULT,
        context={"aws:RequestedRegion": REGION, **TLS, **by.context, **asked.context},
    )


def decided(request: Request, policies: Policies) -> Decision:
    decision = evaluate(request, policies)
    assert decision.understood
    return decision


def deciding(decision: Decision) -> str:
    """What decided: "allowed", the statements that deny, or the layer that is silent."""
    if decision.outcome is Outcome.ALLOWED:
        return "allowed"
    if decision.outcome is Outcome.EXPLICITLY_DENIED:
        return " ".join(sorted({str(reason.sid) for reason in decision.because}))
    return " ".join(sorted({f"({reason.layer.value})" for reason in decision.because}))


def guardrail_control() -> Control:
    """What the SCP of the vault's account is to enforce."""
    sealing = tg.Role(account=VAULT, name="tableguard-sealing")
    return Control(
        guardrails=[
            tg.VaultGuardrail(deployers=[DEPLOYER], sealing_roles=[sealing], bypass_governance_roles=[BREAK_GLASS])
        ],
        administrators=[tg.RoleOfEveryAccount(name="cdk-hnb659fds-cfn-exec-role-*")],
        pass_role_principals=[tg.RoleOfEveryAccount(name="cdk-hnb659fds-deploy-role-*")],
    )


@functools.cache
def guardrail() -> tuple[Json, ...]:
    """The SCP of the vault's account."""
    return (denying(guardrail_control().service_control()),)


REQUESTS: Final = {
    # What arrives
    "replicate": Asked(INTAKE, "s3:ReplicateObject", ARRIVED),
    "replicate tags": Asked(INTAKE, "s3:ReplicateTags", ARRIVED),
    "replicate below another account": Asked(INTAKE, "s3:ReplicateObject", ARRIVED.replace(DATA, STRANGER)),
    "replicate another table": Asked(INTAKE, "s3:ReplicateObject", ARRIVED.replace("orders", "payments")),
    # `*` of a policy goes past slashes: none of these is an export of orders.
    "replicate into another table's folder": Asked(
        INTAKE, "s3:ReplicateObject", f"{DATA}/{REGION}/payments/AWSDynamoDB/orders/manifest-summary.json"
    ),
    "replicate a data file into another table's export": Asked(
        INTAKE, "s3:ReplicateObject", f"{DATA}/{REGION}/payments/AWSDynamoDB/orders/data/x.json.gz"
    ),
    "replicate an export in another table's": Asked(
        INTAKE, "s3:ReplicateObject", f"{DATA}/{REGION}/payments/AWSDynamoDB/orders/AWSDynamoDB/01/data/x.json.gz"
    ),
    "replicate outside of the exports": Asked(INTAKE, "s3:ReplicateObject", f"{DATA}/{REGION}/orders/x"),
    "replicate tags into another table's folder": Asked(
        INTAKE, "s3:ReplicateTags", f"{DATA}/{REGION}/payments/AWSDynamoDB/orders/AWSDynamoDB/01/_started"
    ),
    "replicate with a customer's key": Asked(
        INTAKE, "s3:ReplicateObject", ARRIVED, {f"{ENCRYPTION}-customer-algorithm": "AES256"}
    ),
    "replicate under a KMS key": Asked(INTAKE, "s3:ReplicateObject", ARRIVED, {ENCRYPTION: "aws:kms"}),
    "replicate a delete marker": Asked(INTAKE, "s3:ReplicateDelete", ARRIVED),
    "put into the intake": Asked(INTAKE, "s3:PutObject", ARRIVED, _NEW),
    "delete what arrived": Asked(INTAKE, "s3:DeleteObjectVersion", ARRIVED),
    "read what arrived": Asked(INTAKE, "s3:GetObjectVersion", ARRIVED),
    "list the intake": Asked(INTAKE, "s3:ListBucketVersions"),
    # What is sealed
    "replicate into the sealed": Asked(SEALED, "s3:ReplicateObject", FILE),
    "replicate a delete marker into the sealed": Asked(SEALED, "s3:ReplicateDelete", FILE),
    "write once": Asked(SEALED, "s3:PutObject", FILE, {**_ONCE, **locked("COMPLIANCE", 35)}),
    "write under the default lock": Asked(SEALED, "s3:PutObject", ENTRY, _ONCE),
    "overwrite": Asked(SEALED, "s3:PutObject", ENTRY, _NEW),
    "a part of an upload": Asked(SEALED, "s3:PutObject", FILE, {"s3:ObjectCreationOperation": "false"}),
    "write for a day": Asked(SEALED, "s3:PutObject", FILE, {**_ONCE, **locked("COMPLIANCE", 1)}),
    "write for a hundred years": Asked(SEALED, "s3:PutObject", FILE, {**_ONCE, **locked("COMPLIANCE", 36_500)}),
    "write in the other mode": Asked(SEALED, "s3:PutObject", FILE, {**_ONCE, **locked("GOVERNANCE", 35)}),
    "write with a hold": Asked(SEALED, "s3:PutObject", FILE, {**_ONCE, "s3:object-lock-legal-hold": "ON"}),
    "write with an event hold": Asked(SEALED, "s3:PutObject", FILE, {**_ONCE, **_HELD}),
    "write with an event hold that is off": Asked(SEALED, "s3:PutObject", FILE, {**_ONCE, **_LET_GO}),
    "annotate": Asked(SEALED, "s3:PutObjectAnnotation", FILE),
    "remove an annotation": Asked(SEALED, "s3:DeleteObjectVersionAnnotation", FILE),
    "list annotations": Asked(SEALED, "s3:ListObjectAnnotations", FILE),
    "replicate annotations into the sealed": Asked(SEALED, "s3:ReplicateObjectAnnotation", FILE),
    "replicate an event hold into the sealed": Asked(SEALED, "s3:ReplicateObject", FILE, _HELD),
    "replicate without an event hold into the sealed": Asked(SEALED, "s3:ReplicateObject", FILE, _LET_GO),
    "retain with an event hold": Asked(SEALED, "s3:PutObjectRetention", FILE, {**locked("COMPLIANCE", 35), **_HELD}),
    "pause replication": Asked(SEALED, "s3:PauseReplication"),
    "write with a customer's key": Asked(
        SEALED, "s3:PutObject", FILE, {**_ONCE, f"{ENCRYPTION}-customer-algorithm": "AES256"}
    ),
    "write under a KMS key": Asked(SEALED, "s3:PutObject", FILE, {**_ONCE, ENCRYPTION: "aws:kms"}),
    "retain as long": Asked(SEALED, "s3:PutObjectRetention", FILE, locked("COMPLIANCE", 35)),
    "retain shorter": Asked(SEALED, "s3:PutObjectRetention", FILE, locked("COMPLIANCE", 33)),
    "retain for a hundred years": Asked(SEALED, "s3:PutObjectRetention", FILE, locked("COMPLIANCE", 36_500)),
    "retain in the other mode": Asked(SEALED, "s3:PutObjectRetention", FILE, locked("GOVERNANCE", 35)),
    "take the retention away": Asked(SEALED, "s3:PutObjectRetention", FILE),
    "hold until let go": Asked(SEALED, "s3:PutObjectRetention", FILE, {"s3:object-lock-mode": "COMPLIANCE"}),
    "hold": Asked(SEALED, "s3:PutObjectLegalHold", FILE, {"s3:object-lock-legal-hold": "ON"}),
    "bypass governance": Asked(SEALED, "s3:BypassGovernanceRetention", FILE),
    "delete a version": Asked(SEALED, "s3:DeleteObjectVersion", FILE),
    "set a delete marker": Asked(SEALED, "s3:DeleteObject", FILE),
    "put under another key later": Asked(SEALED, "s3:UpdateObjectEncryption", FILE),
    "tag": Asked(SEALED, "s3:PutObjectVersionTagging", FILE),
    "read the catalogue": Asked(SEALED, "s3:GetObjectVersion", ENTRY),
    "list the catalogue": Asked(SEALED, "s3:ListBucket"),
    "read over plain HTTP": Asked(SEALED, "s3:GetObject", ENTRY, {"aws:SecureTransport": "false"}),
    "read over TLS 1.1": Asked(SEALED, "s3:GetObject", ENTRY, {"s3:TlsVersion": "1.1"}),
    # The bucket itself
    "replace the policy": Asked(SEALED, "s3:PutBucketPolicy"),
    "delete the policy": Asked(SEALED, "s3:DeleteBucketPolicy"),
    "copy names into a table": Asked(SEALED, "s3:CreateBucketMetadataTableConfiguration"),
    "export an analysis": Asked(SEALED, "s3:PutAnalyticsConfiguration"),
    "measure": Asked(SEALED, "s3:PutMetricsConfiguration"),
    "go by tags": Asked(SEALED, "s3:PutBucketAbac"),
    "suspend versioning": Asked(SEALED, "s3:PutBucketVersioning"),
    "change the lock's default": Asked(SEALED, "s3:PutBucketObjectLockConfiguration"),
    "change the lifecycle": Asked(SEALED, "s3:PutLifecycleConfiguration"),
    "replicate away": Asked(SEALED, "s3:PutReplicationConfiguration"),
    # Readers of other accounts would be refused, unless their requests say that they pay.
    "let readers pay": Asked(SEALED, "s3:PutBucketRequestPayment"),
    "delete the bucket": Asked(SEALED, "s3:DeleteBucket"),
    "silence the intake": Asked(INTAKE, "s3:PutBucketNotification"),
    "change the intake's lifecycle": Asked(INTAKE, "s3:PutLifecycleConfiguration"),
}
