"""Each action that a guardrail is about, decided: a list that has lost one keeps nobody from it."""

from __future__ import annotations

from typing import Any, Final

import pytest

import tableguard as tg
from tableguard.evaluation import Policies, Request, evaluate
from tableguard.policy.backup.sealing_names import METRICS
from tableguard.policy.guardrails import Control, Guardrail
from tests.unit.policy.guardrails.test_guardrail_statements import (
    ACCOUNT,
    ADMIN,
    FULL,
    GUARDIAN,
    OF_RESOURCE,
    documents,
)

SEALER: Final = tg.Role(account=ACCOUNT, name="tableguard-sealing")
VAULT: Final = tg.VaultGuardrail(deployers=[], sealing_roles=[SEALER])
TABLES: Final = tg.ProtectTables()
TRAILS, KEYS, BACKUPS = tg.ProtectTrails(), tg.ProtectKeys(), tg.ProtectBackups()
STAY, NO_EC2 = tg.StayInOrganization(), tg.NoEc2(reason="serverless")
SCHEDULES: Final = tg.ProtectSchedules(names=["nightly"])
_AT: Final = f"eu-west-1:{ACCOUNT}"

# What nobody but the administrators may do.
GUARDED: Final[dict[str, tuple[Guardrail, str, str]]] = {
    "backups": (
        BACKUPS,
        "*",
        (
            "dynamodb:DeleteBackup backup:AssociateBackupVaultMpaApprovalTeam backup:CancelLegalHold"
            " backup:DeleteBackupPlan backup:DeleteBackupSelection backup:DeleteBackupVault"
            " backup:DeleteBackupVaultAccessPolicy backup:DeleteBackupVaultLockConfiguration"
            " backup:DeleteBackupVaultNotifications backup:DeleteBackupVaultSharingPolicy backup:DeleteRecoveryPoint"
            " backup:DisassociateBackupVaultMpaApprovalTeam backup:DisassociateRecoveryPoint"
            " backup:DisassociateRecoveryPointFromParent backup:PutBackupVaultAccessPolicy"
            " backup:PutBackupVaultLockConfiguration backup:PutBackupVaultNotifications"
            " backup:PutBackupVaultSharingPolicy backup:StopBackupJob backup:UpdateBackupPlan"
            " backup:UpdateGlobalSettings backup:UpdateRecoveryPointLifecycle backup:UpdateRegionSettings"
        ),
    ),
    "keys": (
        KEYS,
        f"arn:aws:kms:{_AT}:key/1",
        (
            "kms:DeleteImportedKeyMaterial kms:DisableKey kms:PutKeyPolicy kms:RevokeGrant kms:ScheduleKeyDeletion"
            " kms:UpdatePrimaryRegion"
        ),
    ),
    "stores of keys": (
        KEYS,
        "*",
        "kms:DeleteCustomKeyStore kms:DisconnectCustomKeyStore kms:UpdateCustomKeyStore",
    ),
    "trails": (
        TRAILS,
        "*",
        (
            "cloudtrail:DeleteChannel cloudtrail:DeleteEventDataStore cloudtrail:DeleteResourcePolicy"
            " cloudtrail:DeleteTrail cloudtrail:PutEventConfiguration cloudtrail:PutEventSelectors"
            " cloudtrail:PutInsightSelectors cloudtrail:PutResourcePolicy cloudtrail:StopEventDataStoreIngestion"
            " cloudtrail:StopLogging cloudtrail:UpdateChannel cloudtrail:UpdateEventDataStore cloudtrail:UpdateTrail"
        ),
    ),
    "schedules": (SCHEDULES, f"arn:aws:scheduler:{_AT}:schedule/any/nightly", "scheduler:DeleteSchedule"),
    "changed schedules": (SCHEDULES, f"arn:aws:scheduler:{_AT}:schedule/any/nightly", "scheduler:UpdateSchedule"),
    "groups": (SCHEDULES, f"arn:aws:scheduler:{_AT}:schedule-group/nightly", "scheduler:DeleteScheduleGroup"),
    "rules": (
        SCHEDULES,
        f"arn:aws:events:{_AT}:rule/nightly",
        "events:DeleteRule events:DisableRule events:PutRule events:PutTargets events:RemoveTargets",
    ),
    "rules of a bus": (SCHEDULES, f"arn:aws:events:{_AT}:rule/bus/nightly", "events:DeleteRule events:DisableRule"),
    "machines": (
        SCHEDULES,
        f"arn:aws:states:{_AT}:stateMachine:nightly",
        "states:DeleteStateMachine states:UpdateStateMachine",
    ),
    "executions": (SCHEDULES, f"arn:aws:states:{_AT}:execution:nightly:one", "states:StopExecution"),
    "tables": (
        TABLES,
        f"arn:aws:dynamodb:{_AT}:table/orders",
        (
            "dynamodb:PutResourcePolicy dynamodb:DeleteResourcePolicy dynamodb:UpdateContinuousBackups"
            " dynamodb:DeleteTable dynamodb:UpdateTable dynamodb:UpdateTimeToLive dynamodb:AssociateTableReplica"
            " dynamodb:CreateGlobalTable dynamodb:CreateGlobalTableWitness dynamodb:CreateTableReplica"
            " dynamodb:DeleteGlobalTableWitness dynamodb:DeleteTableReplica dynamodb:UpdateGlobalTable"
            " dynamodb:UpdateGlobalTableSettings dynamodb:UpdateGlobalTableVersion"
            " dynamodb:UpdateTableReplicaAutoScaling dynamodb:DisableKinesisStreamingDestination"
            " dynamodb:EnableKinesisStreamingDestination dynamodb:UpdateKinesisStreamingDestination"
            " dynamodb:TagResource dynamodb:UntagResource"
        ),
    ),
    "the account's ABAC": (TABLES, "*", "dynamodb:UpdateAbacStatus"),
    "what seals": (
        VAULT,
        "*",
        (
            "lambda:AddPermission lambda:DeleteFunction lambda:DeleteFunctionConcurrency lambda:PutFunctionConcurrency"
            " lambda:PutFunctionEventInvokeConfig lambda:PutRuntimeManagementConfig lambda:RemovePermission"
            " lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration lambda:UpdateFunctionEventInvokeConfig"
            " states:DeleteStateMachine states:UpdateStateMachine states:StopExecution events:DeleteRule"
            " events:DisableRule events:PutRule events:PutTargets events:RemoveTargets scheduler:DeleteSchedule"
            " scheduler:DeleteScheduleGroup scheduler:UpdateSchedule cloudwatch:DeleteAlarms"
            " cloudwatch:DisableAlarmActions cloudwatch:PutAlarmMuteRule cloudwatch:PutMetricAlarm"
            " cloudwatch:SetAlarmState sns:AddPermission sns:DeleteTopic sns:PutDataProtectionPolicy"
            " sns:RemovePermission sns:SetSubscriptionAttributes sns:SetTopicAttributes sns:Unsubscribe"
            " s3:PutAccountPublicAccessBlock backup:DeleteRecoveryPoint kms:ScheduleKeyDeletion"
        ),
    ),
    "the vault's stacks": (
        VAULT,
        "*",
        (
            "cloudformation:CancelUpdateStack cloudformation:ContinueUpdateRollback cloudformation:CreateChangeSet"
            " cloudformation:DeleteStack cloudformation:ExecuteChangeSet cloudformation:ExecuteStackRefactor"
            " cloudformation:RollbackStack cloudformation:SetStackPolicy cloudformation:UpdateStack"
            " cloudformation:UpdateTerminationProtection"
        ),
    ),
    "the vault's functions": (
        VAULT,
        f"arn:aws:lambda:{_AT}:function:tableguard-sealing-copy",
        "lambda:InvokeAsync lambda:InvokeFunction lambda:InvokeFunctionUrl",
    ),
    "the vault's buckets": (
        VAULT,
        "arn:aws:s3:::sealed",
        (
            "s3:CreateBucketMetadataTableConfiguration s3:DeleteBucket s3:DeleteBucketPolicy"
            " s3:PutAccelerateConfiguration s3:PutAnalyticsConfiguration s3:PutBucketAbac s3:PutBucketAcl"
            " s3:PutBucketCORS s3:PutBucketLogging s3:PutBucketNotification s3:PutBucketObjectLockConfiguration"
            " s3:PutBucketOwnershipControls s3:PutBucketPolicy s3:PutBucketPublicAccessBlock s3:PutBucketRequestPayment"
            " s3:PutBucketVersioning s3:PutBucketWebsite s3:PutEncryptionConfiguration"
            " s3:PutIntelligentTieringConfiguration s3:PutInventoryConfiguration s3:PutLifecycleConfiguration"
            " s3:PutMetricsConfiguration s3:PutReplicationConfiguration"
        ),
    ),
    "the vault's objects": (VAULT, "arn:aws:s3:::sealed/x", "s3:UpdateObjectEncryption"),
}

# What not even they may do.
NOBODYS: Final[dict[str, tuple[Guardrail, str, str]]] = {
    "leaving": (STAY, "*", "account:CloseAccount organizations:LeaveOrganization"),
    "leaving with a vault": (
        VAULT,
        "*",
        "account:CloseAccount account:DisableRegion account:EnableRegion organizations:LeaveOrganization",
    ),
    "the vault's locks": (
        VAULT,
        "arn:aws:s3:::sealed/x",
        "s3:BypassGovernanceRetention s3:DeleteObjectVersion s3:PutObjectLegalHold s3:PutObjectRetention",
    ),
    "instances": (
        NO_EC2,
        "*",
        (
            "ec2:AllocateHosts ec2:CreateCapacityReservation ec2:CreateCapacityReservationFleet ec2:CreateFleet"
            " ec2:ImportInstance ec2:ModifyFleet ec2:ModifySpotFleetRequest ec2:PurchaseCapacityBlock"
            " ec2:PurchaseHostReservation ec2:PurchaseReservedInstancesOffering ec2:PurchaseScheduledInstances"
            " ec2:RequestSpotFleet ec2:RequestSpotInstances ec2:RunInstances ec2:RunScheduledInstances"
            " ec2:StartInstances autoscaling:CreateAutoScalingGroup autoscaling:CreateLaunchConfiguration"
            " autoscaling:PutWarmPool autoscaling:SetDesiredCapacity autoscaling:UpdateAutoScalingGroup"
            " batch:CreateComputeEnvironment batch:UpdateComputeEnvironment eks:CreateNodegroup"
            " eks:UpdateNodegroupConfig lightsail:CreateInstances lightsail:CreateInstancesFromSnapshot"
        ),
    ),
}


def open_to(principal: str, guardrail: Guardrail | None, resource: str, actions: str) -> list[str]:
    """The actions that somebody may do whose own policy, and that of the resource, allow everything."""
    denials = () if guardrail is None else Control(guardrails=[guardrail], administrators=[GUARDIAN]).service_control()
    scps: tuple[dict[str, Any], ...] = documents(*denials) if denials else ()
    policies = Policies(identity=[FULL], resource=OF_RESOURCE, service_control=[[FULL, *scps]])
    found = []
    for action in actions.split():
        request = Request(
            principal=principal,
            action=action,
            resource=resource,
            resource_account=ACCOUNT,
            context={"aws:RequestedRegion": "eu-west-1"},
        )
        decision = evaluate(request, policies)
        assert decision.understood
        if decision.allowed:
            found.append(action)
    return found


@pytest.mark.parametrize("name", GUARDED)
def test_each_action_is_the_administrators_alone(name: str) -> None:
    guardrail, resource, actions = GUARDED[name]
    assert open_to(ADMIN, guardrail, resource, actions) == []
    assert open_to(GUARDIAN.arn("aws"), guardrail, resource, actions) == actions.split()
    assert open_to(ADMIN, None, resource, actions) == actions.split()


@pytest.mark.parametrize("name", NOBODYS)
def test_each_action_is_nobodys(name: str) -> None:
    guardrail, resource, actions = NOBODYS[name]
    for principal in (ADMIN, GUARDIAN.arn("aws")):
        assert open_to(principal, guardrail, resource, actions) == []
    assert open_to(ADMIN, None, resource, actions) == actions.split()


def test_nobody_but_the_machines_reports_that_something_was_sealed() -> None:
    denials = Control(guardrails=[VAULT], administrators=[GUARDIAN]).service_control()
    policies = Policies(identity=[FULL], service_control=[[FULL, *documents(*denials)]])

    def may(principal: str, namespace: str) -> bool:
        request = Request(
            principal=principal,
            action="cloudwatch:PutMetricData",
            resource="*",
            context={"aws:RequestedRegion": "eu-west-1", "cloudwatch:namespace": namespace},
        )
        return evaluate(request, policies).allowed

    machine = f"{SEALER.arn('aws')}-machine"
    assert (may(machine, METRICS), may(GUARDIAN.arn("aws"), METRICS)) == (True, True)
    assert not may(ADMIN, METRICS)
    assert may(ADMIN, "acme/orders")


def test_without_roles_that_seal_nothing_is_said_of_functions_and_metrics() -> None:
    alone = tg.VaultGuardrail(deployers=[])
    assert open_to(ADMIN, alone, "*", "lambda:InvokeFunction cloudwatch:PutMetricData") == [
        "lambda:InvokeFunction",
        "cloudwatch:PutMetricData",
    ]
    assert open_to(ADMIN, alone, "*", "states:StopExecution lambda:UpdateFunctionCode") == []


def test_named_buckets_are_guarded_and_no_others() -> None:
    named = tg.VaultGuardrail(deployers=[], buckets=["sealed"])
    of_bucket, of_object = "s3:DeleteBucketPolicy s3:PutLifecycleConfiguration", "s3:DeleteObjectVersion"
    assert open_to(ADMIN, named, "arn:aws:s3:::sealed", of_bucket) == []
    assert open_to(ADMIN, named, "arn:aws:s3:::sealed/x", f"{of_object} s3:PutObjectRetention") == []
    assert open_to(ADMIN, named, "arn:aws:s3:::sealed-not", of_bucket) == of_bucket.split()
    assert open_to(ADMIN, named, "arn:aws:s3:::sealed-not/x", of_object) == [of_object]


def test_nobody_of_a_vaults_account_becomes_a_passer_but_its_deployers() -> None:
    passer, deployer = (tg.Role(account=ACCOUNT, name=name) for name in ("deploy", "pipeline"))
    control = Control(
        guardrails=[tg.VaultGuardrail(deployers=[deployer])], administrators=[GUARDIAN], pass_role_principals=[passer]
    ).service_control()
    policies = Policies(identity=[FULL], resource=OF_RESOURCE, service_control=[[FULL, *documents(*control)]])

    def may(principal: str, role: tg.Role) -> bool:
        request = Request(principal=principal, action="sts:AssumeRole", resource=role.arn("aws"))
        return evaluate(request, policies).allowed

    assert not may(ADMIN, passer)
    assert (may(deployer.arn("aws"), passer), may(GUARDIAN.arn("aws"), passer)) == (True, True)
    assert may(ADMIN, tg.Role(account=ACCOUNT, name="reader"))
