"""Templates of backups made by hand: an account with a table and its export, and a vault's account."""

from __future__ import annotations

import copy
from typing import Any, Final

from tableguard.policy.metadata import METADATA_KEY
from tableguard.review.assembly import SynthesizedStack
from tableguard.review.report import Review
from tests.unit.review.support import OWNER, REGION, TABLE, Json, claiming, document, reviewed, stack, table

VAULT: Final = "777788889999"
LANDING: Final = "acme-landing"
INTAKE: Final = "acme-intake"
SEALED: Final = "acme-sealed"
REPLICATOR: Final = f"arn:aws:iam::{OWNER}:role/replicator"
MACHINE: Final = f"arn:aws:states:{REGION}:{OWNER}:stateMachine:exports"


def schedule(expression: str, target: Any, given: str = "{}", **more: Any) -> Json:
    properties = {"ScheduleExpression": expression, "Target": {"Arn": target, "Input": given}, **more}
    return {"Type": "AWS::Scheduler::Schedule", "Properties": properties}


def machine(name: str | None = None, **metadata: Any) -> Json:
    properties = {"StateMachineName": name} if name else {}
    return {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties, **claiming(**metadata)}


def bucket(name: str, metadata: Any = None, **properties: Any) -> Json:
    made = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name, **properties}}
    if metadata is None:
        return made
    return {**made, **(claiming(**metadata) if isinstance(metadata, dict) else {"Metadata": {METADATA_KEY: metadata}})}


def locked(mode: str = "COMPLIANCE", **length: int) -> Json:
    rule = {"DefaultRetention": {"Mode": mode, **(length or {"Days": 35})}}
    return {"ObjectLockEnabled": True, "ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": rule}}


def data(**changes: Any) -> Json:
    """A table, its landing bucket and what exports it every hour; resources by their ids."""
    rule = {"Status": "Enabled", "Destination": {"Bucket": f"arn:aws:s3:::{INTAKE}"}, "Filter": {"Prefix": ""}}
    vault = {"account": VAULT, "region": REGION, "intake": INTAKE}
    export = {
        "tables": [{"Fn::GetAtt": ["T", "Arn"]}],
        "every_minutes": 60,
        "full_every_minutes": 4320,
        "alarm_after_minutes": 360,
        "landing": LANDING,
    }
    made = {
        "T": table(),
        "Landing": bucket(
            LANDING,
            {"landing": {"vault": vault, "role": "replicator", "expires_after_days": 14}},
            ReplicationConfiguration={"Role": REPLICATOR, "Rules": [rule]},
        ),
        "Machine": machine("exports", export=export),
        "Every": schedule("rate(60 minutes)", MACHINE, f'{{"table": "{TABLE}"}}'),
        **changes,
    }
    return {name: resource for name, resource in made.items() if resource is not None}


def vault(**changes: Any) -> Json:
    """An intake that takes exports of the table, and a sealed bucket."""
    takes = {
        "Effect": "Allow",
        "Principal": {"AWS": OWNER},
        "Action": ["s3:ReplicateObject", "s3:ReplicateTags"],
        "Resource": f"arn:aws:s3:::{INTAKE}/{OWNER}/*/orders/*",
        "Condition": {"ArnEquals": {"aws:PrincipalArn": REPLICATOR}},
    }
    policy = {"Bucket": {"Ref": "Intake"}, "PolicyDocument": document(takes)}
    source = {"account": OWNER, "role": "replicator", "tables": ["orders"]}
    made = {
        "Intake": bucket(INTAKE),
        "IntakePolicy": {"Type": "AWS::S3::BucketPolicy", "Properties": policy},
        "Sealed": bucket(
            SEALED,
            {"sealed": {"intake": INTAKE, "sources": [source], "mode": "COMPLIANCE", "days": 35}},
            **locked(),
        ),
        **changes,
    }
    return {name: resource for name, resource in made.items() if resource is not None}


def drill(**claims: Any) -> Json:
    """What restores the table and tries that out, in the vault's account."""
    source = {"account": OWNER, "region": REGION, "table": "orders"}
    restore = {"sealed": {"account": VAULT, "region": REGION, "bucket": SEALED}, "source": TABLE, "targets": ["new-*"]}
    said = {"source": source, "schedule": "rate(7 days)", "canary": True, "alarm_after_minutes": 11520, **claims}
    return {
        "Restore": machine(restore=restore),
        "Drill": machine(drill=said),
        "Weekly": schedule("rate(7 days)", {"Ref": "Drill"}),
    }


def both(data_: Json | None = None, vault_: Json | None = None) -> tuple[SynthesizedStack, SynthesizedStack]:
    """The two accounts' stacks."""
    return (
        stack(**(data() if data_ is None else data_)),
        stack("Vault", VAULT, **({**vault(), **drill()} if vault_ is None else vault_)),
    )


def review_of(data_: Json | None = None, vault_: Json | None = None) -> Review:
    return reviewed(*both(data_, vault_))


def changed(resource: Json, *path: str, to: Any) -> Json:
    """A resource with another value at a path."""
    made: Json = copy.deepcopy(resource)
    holder: Any = made
    for step in path[:-1]:
        holder = holder[int(step)] if isinstance(holder, list) else holder[step]
    holder[path[-1]] = to
    return made


def plan(*rules: Json, selection: Json | None = None) -> Json:
    """A plan of AWS Backup, its vault with a lock that can be lifted for a while, and what it selects."""
    lock = {"MinRetentionDays": 7, "MaxRetentionDays": 90, "ChangeableForDays": 14}
    chosen = selection if selection is not None else {"Resources": [{"Fn::GetAtt": ["T", "Arn"]}]}
    return {
        "T": table(PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}),
        "Kept": {
            "Type": "AWS::Backup::BackupVault",
            "Properties": {"BackupVaultName": "kept", "LockConfiguration": lock},
        },
        "Plan": {"Type": "AWS::Backup::BackupPlan", "Properties": {"BackupPlan": {"BackupPlanRule": list(rules)}}},
        "Chosen": {
            "Type": "AWS::Backup::BackupSelection",
            "Properties": {"BackupPlanId": {"Ref": "Plan"}, "BackupSelection": chosen},
        },
    }


def rule(*copies: Json, **more: Any) -> Json:
    return {
        "TargetBackupVault": {"Ref": "Kept"},
        "ScheduleExpression": "cron(0 5 ? * * *)",
        "StartWindowMinutes": 60,
        "Lifecycle": {"DeleteAfterDays": 35},
        "CopyActions": list(copies),
        **more,
    }


def copied(account: str = VAULT, days: int = 100) -> Json:
    arn = f"arn:aws:backup:{REGION}:{account}:backup-vault:safe"
    return {"DestinationBackupVaultArn": arn, "Lifecycle": {"DeleteAfterDays": days}}


def safe(*, approval: bool = True, **more: Any) -> Json:
    """A logically air-gapped vault."""
    team = {"MpaApprovalTeamArn": "arn:aws:mpa:us-east-1:777788889999:approval-team/keepers"} if approval else {}
    properties = {"BackupVaultName": "safe", "MinRetentionDays": 7, "MaxRetentionDays": 400, **team, **more}
    return {"Type": "AWS::Backup::LogicallyAirGappedBackupVault", "Properties": properties}
