"""Who attacks what is sealed, and what they try: the words of the table of attacks, and the requests they stand for."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk.assertions import Template
from botocore.exceptions import ClientError

import tableguard as tg
from tableguard.policy.deny_statements import denying
from tableguard.policy.guardrails import Control
from tests.integration.backup import organization as org
from tests.integration.backup.attack_rows import WORKS
from tests.integration.backup.flow import Flow

MANAGEMENT: Final = "111122223333"
GOVERNED: Final = "governed-backups"
ANALYST: Final = "analyst"
DEPLOYER: Final = f"cdk-hnb659fds-cfn-exec-role-{org.VAULT}-{org.REGION}"
_LAYERS: Final = {
    "resource": "bucket policy",
    "identity": "own policy",
    "service_control": "SCP",
    "service": "S3's rule",
}
_EVERYTHING: Final = {"Effect": "Allow", "Action": "*", "Resource": "*"}

CALLERS: Final[Mapping[str, tuple[str, str | None]]] = {
    "root of the data account": (org.DATA, None),
    "the replication role": (org.DATA, org.REPLICATION),
    "a reader in the data account (Athena)": (org.DATA, ANALYST),
    "root of the vault account": (org.VAULT, None),
    "the sealing role": (org.VAULT, org.SEALING),
    "the break-glass role": (org.VAULT, org.BREAK_GLASS),
    "a deployment of the vault": (org.VAULT, DEPLOYER),
    "the restore reader": (org.RECOVERY, org.READER),
}


@dataclass(frozen=True)
class Target:
    """What a request is about.

    Args:
        bucket: A bucket.
        key: An object of it.
        version: A version of the object.
        now: What time it is there.
    """

    bucket: str
    key: str
    version: str
    now: dt.datetime

    @property
    def object(self) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self.key, "VersionId": self.version}

    def until(self, days: float) -> dt.datetime:
        return self.now + dt.timedelta(days=days)

    def written(self, key: str | None = None, **more: Any) -> dict[str, Any]:
        return {"Bucket": self.bucket, "Key": key or self.key, "Body": b"forged", **more}


RETAINING: Final = (
    "shortens its retention to a day",
    "makes it governance for a day, bypassing governance",
    "extends its retention to a hundred years",
    "puts a legal hold on it",
    "writes a file locked for a day",
)
"""What is refused by a bucket without Object Lock, because it knows nothing of it."""


def lifecycle() -> dict[str, Any]:
    """Rules that delete everything after a day."""
    rule = {
        "ID": "expire",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Expiration": {"Days": 1},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
    }
    return {"Rules": [rule]}


def opened(bucket: str) -> str:
    """A policy that lets all accounts of the organization do everything."""
    accounts = [f"arn:aws:iam::{account}:root" for account in (org.DATA, org.VAULT, org.RECOVERY)]
    return document(
        {
            "Effect": "Allow",
            "Principal": {"AWS": accounts},
            "Action": "s3:*",
            "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        }
    )


def document(*statements: Mapping[str, Any]) -> str:
    """A policy of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _retention(mode: str, days: float) -> Callable[[Any, Target], Any]:
    return lambda s3, at: s3.put_object_retention(
        **at.object, Retention={"Mode": mode, "RetainUntilDate": at.until(days)}
    )


def _released(s3: Any, at: Target) -> Any:
    return s3.put_object_retention(
        **at.object,
        BypassGovernanceRetention=True,
        Retention={"Mode": "GOVERNANCE", "RetainUntilDate": at.until(1)},
    )


def _deleted_in_bulk(s3: Any, at: Target) -> Any:
    told = s3.delete_objects(
        Bucket=at.bucket, Delete={"Objects": [{"Key": at.key, "VersionId": at.version}]}, BypassGovernanceRetention=True
    )
    for error in told.get("Errors", ()):
        raise ClientError({"Error": error, "ResponseMetadata": told["ResponseMetadata"]}, "DeleteObjects")
    return told


def forbidden(flow: Flow) -> Callable[[], None]:
    """Put VaultGuardrail on the vault account, as an SCP of the organization; says what takes it off again."""
    control = Control(
        guardrails=[
            tg.VaultGuardrail(
                deployers=[],
                sealing_roles=[tg.Role(account=org.VAULT, name=org.SEALING)],
                bypass_governance_roles=[tg.Role(account=org.VAULT, name=org.BREAK_GLASS)],
                buckets=[org.INTAKE, org.SEALED],
            )
        ],
        administrators=[tg.RoleOfEveryAccount(name="cdk-hnb659fds-cfn-exec-role-*")],
        pass_role_principals=[tg.RoleOfEveryAccount(name="cdk-hnb659fds-deploy-role-*")],
    )
    policy = {
        "Type": "AWS::Organizations::Policy",
        "Properties": {
            "Name": "vault",
            "Type": "SERVICE_CONTROL_POLICY",
            "Content": denying(control.service_control()),
            "TargetIds": [org.VAULT],
        },
    }
    guard = _deploy(flow, MANAGEMENT, "Guard", {"Policy": policy})

    def detach() -> None:
        client = flow.client("cloudformation", MANAGEMENT)
        client.delete_stack(StackName=guard)
        flow.controls.stack_at(client, guard, "DELETE_COMPLETE")

    return detach


def deploy_governed(flow: Flow) -> None:
    """A sealed bucket like the vault's, with a lock that the break-glass role may lift."""
    app = cdk.App(analytics_reporting=False)
    stack = cdk.Stack(app, "Governed", env=cdk.Environment(account=org.VAULT, region=org.REGION))
    sealing = tg.Role(account=org.VAULT, name=org.SEALING)
    tg.ImmutableBackupBucket(
        stack,
        "Sealed",
        bucket_name=GOVERNED,
        retention=tg.Retention.governance(days=org.DAYS),
        bypass_governance_roles=[tg.Role(account=org.VAULT, name=org.BREAK_GLASS)],
        writers=[sealing],
        readers=[sealing, tg.Role(account=org.RECOVERY, name=org.READER)],
        write_once=True,
    )
    _deploy(flow, org.VAULT, "Governed", Template.from_stack(stack).to_json()["Resources"])


def _deploy(flow: Flow, account: str, name: str, resources: Mapping[str, Any]) -> str:
    client = flow.client("cloudformation", account)
    stack: str = client.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))["StackId"]
    flow.controls.stack_at(client, stack, "CREATE_COMPLETE")
    return stack


def _replicated_away(s3: Any, at: Target) -> Any:
    rule = {
        "ID": "away",
        "Status": "Enabled",
        "Priority": 1,
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": f"arn:aws:s3:::{org.INTAKE}"},
    }
    role = f"arn:aws:iam::{org.VAULT}:role/{org.SEALING}"
    return s3.put_bucket_replication(Bucket=at.bucket, ReplicationConfiguration={"Role": role, "Rules": [rule]})


TRIES: Final[Mapping[str, Callable[[Any, Target], Any]]] = {
    "deletes a sealed version": lambda s3, at: s3.delete_object(**at.object),
    "deletes it, bypassing governance": lambda s3, at: s3.delete_object(**at.object, BypassGovernanceRetention=True),
    "deletes it among many, bypassing governance": _deleted_in_bulk,
    "hides it under a delete marker": lambda s3, at: s3.delete_object(Bucket=at.bucket, Key=at.key),
    "shortens its retention to a day": _retention("COMPLIANCE", 1),
    "makes it governance for a day, bypassing governance": _released,
    "extends its retention to a hundred years": _retention("COMPLIANCE", 36_500),
    "puts a legal hold on it": lambda s3, at: s3.put_object_legal_hold(**at.object, LegalHold={"Status": "ON"}),
    "writes over it": lambda s3, at: s3.put_object(**at.written()),
    "puts an entry into the catalogue": lambda s3, at: s3.put_object(
        **at.written(f"catalogue/{org.SOURCE}/20991231T000000Z-full-forged-{at.version}.json"), IfNoneMatch="*"
    ),
    "writes without If-None-Match": lambda s3, at: s3.put_object(**at.written("exports/forged")),
    "writes a file locked for a day": lambda s3, at: s3.put_object(
        **at.written("exports/short", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=at.until(1)),
        IfNoneMatch="*",
    ),
    "reads it": lambda s3, at: s3.get_object(**at.object),
    "lists what is sealed": lambda s3, at: s3.list_objects_v2(Bucket=at.bucket),
    "puts it under a KMS key (UpdateObjectEncryption)": lambda s3, at: s3.update_object_encryption(
        **at.object,
        ObjectEncryption={"SSEKMS": {"KMSKeyArn": f"arn:aws:kms:{org.REGION}:{org.VAULT}:key/{'1' * 8}"}},
    ),
    "suspends versioning": lambda s3, at: s3.put_bucket_versioning(
        Bucket=at.bucket, VersioningConfiguration={"Status": "Suspended"}
    ),
    "makes the default retention governance for a day": lambda s3, at: s3.put_object_lock_configuration(
        Bucket=at.bucket,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}},
        },
    ),
    "adds a lifecycle that expires all": lambda s3, at: s3.put_bucket_lifecycle_configuration(
        Bucket=at.bucket, LifecycleConfiguration=lifecycle()
    ),
    "replicates it away": _replicated_away,
    "stops the events": lambda s3, at: s3.put_bucket_notification_configuration(
        Bucket=at.bucket, NotificationConfiguration={}
    ),
    "replaces the bucket policy": lambda s3, at: s3.put_bucket_policy(Bucket=at.bucket, Policy=opened(at.bucket)),
    "deletes the bucket policy": lambda s3, at: s3.delete_bucket_policy(Bucket=at.bucket),
}


class Attackers:
    """Clients of everybody who attacks, each with all rights that his own account can give him.

    Args:
        flow: The organization.
    """

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        for account, role in CALLERS.values():
            if role is not None:
                _empower(flow, account, role)

    def client(self, who: str) -> Any:
        """A client of S3."""
        account, role = CALLERS[who]
        return self._flow.client("s3", account, role)

    def outcome(self, who: str, tries: str, target: Target) -> str:
        """What comes of an attack, in the words of the table."""
        return outcome(lambda: TRIES[tries](self.client(who), target))


def _empower(flow: Flow, account: str, role: str) -> None:
    iam = flow.client("iam", account)
    if role not in {each["RoleName"] for each in iam.list_roles()["Roles"]}:
        trust = document(
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
        )
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName=role, PolicyName="everything", PolicyDocument=document(_EVERYTHING))


def outcome(request: Callable[[], object]) -> str:
    """What comes of a request: that it works, or who refuses it.

    Args:
        request: Makes it.
    """
    try:
        request()
    except ClientError as error:
        return refusal(error)
    return WORKS


def refusal(error: ClientError) -> str:
    """Who has refused: the extension says so in a header that the emulated S3 does not have."""
    said = error.response["Error"]
    headers = error.response["ResponseMetadata"]["HTTPHeaders"]
    if "x-tableguard-decided" not in headers:
        return f"S3 {said['Code']}"
    return decided(said["Message"])


def decided(message: str) -> str:
    """Which policies decided, and by which statements, from what the extension says of a refusal."""
    what, _, layers = message.replace(" (tableguard's evaluation, not S3's)", "").partition("; decided by ")
    statements = what.rpartition(" (")[2].removesuffix(")")
    return f"{', '.join(_LAYERS[layer] for layer in layers.split(', '))}: {statements}"
