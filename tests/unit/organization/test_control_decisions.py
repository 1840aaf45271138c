"""What the synthesized SCPs and RCPs decide: nobody but the administrators, and nobody who must not be hit."""

from __future__ import annotations

from typing import Final

import pytest

from tableguard.evaluation import Layer
from tests.unit.organization.guarded import (
    DATA,
    DEVELOPMENT,
    GUARDIAN_ARNS,
    INSIDE,
    KEY,
    MANAGEMENT,
    OTHER_ARNS,
    OUTSIDE,
    PARTNER,
    REGION,
    SCHEDULE,
    STRANGER,
    STREAM,
    TABLE,
    TRAIL,
    UNBOUND,
    VAULT,
    decide,
    denied_by,
    everything,
    role,
)

_BACKUP: Final = f"{TABLE}/backup/01234567890123-abcdefab"
_RULE: Final = f"arn:aws:events:{REGION}:{DATA}:rule/nightly-export-orders"
_MACHINE: Final = f"arn:aws:states:{REGION}:{DATA}:stateMachine:nightly-export-orders"
_EXECUTION: Final = f"arn:aws:states:{REGION}:{DATA}:execution:nightly-export-orders:run-1"
_GROUP: Final = f"arn:aws:scheduler:{REGION}:{DATA}:schedule-group/nightly-export-all"
_RECOVERY_POINT: Final = f"arn:aws:dynamodb:{REGION}:{DATA}:table/orders/backup/1"

PROTECTED: Final = [
    # Tables.
    ("dynamodb:PutResourcePolicy", TABLE),
    ("dynamodb:PutResourcePolicy", STREAM),
    ("dynamodb:UpdateContinuousBackups", TABLE),
    ("dynamodb:UpdateTable", TABLE),
    ("dynamodb:DeleteTable", TABLE),
    ("dynamodb:UpdateTimeToLive", TABLE),
    ("dynamodb:CreateTableReplica", TABLE),
    ("dynamodb:DeleteTableReplica", TABLE),
    ("dynamodb:UpdateGlobalTable", TABLE),
    ("dynamodb:UpdateTableReplicaAutoScaling", TABLE),
    ("dynamodb:EnableKinesisStreamingDestination", TABLE),
    ("dynamodb:DisableKinesisStreamingDestination", TABLE),
    ("dynamodb:TagResource", TABLE),
    ("dynamodb:UntagResource", TABLE),
    ("dynamodb:UpdateAbacStatus", "*"),
    # Backups.
    ("dynamodb:DeleteBackup", _BACKUP),
    ("backup:DeleteRecoveryPoint", _RECOVERY_POINT),
    ("backup:UpdateRecoveryPointLifecycle", _RECOVERY_POINT),
    ("backup:DeleteBackupPlan", f"arn:aws:backup:{REGION}:{DATA}:backup-plan:1"),
    ("backup:UpdateBackupPlan", f"arn:aws:backup:{REGION}:{DATA}:backup-plan:1"),
    ("backup:DeleteBackupVault", VAULT),
    ("backup:PutBackupVaultAccessPolicy", VAULT),
    ("backup:DeleteBackupVaultLockConfiguration", VAULT),
    ("backup:UpdateRegionSettings", "*"),
    # Trails.
    ("cloudtrail:StopLogging", TRAIL),
    ("cloudtrail:DeleteTrail", TRAIL),
    ("cloudtrail:UpdateTrail", TRAIL),
    ("cloudtrail:PutEventSelectors", TRAIL),
    # Keys.
    ("kms:ScheduleKeyDeletion", KEY),
    ("kms:DisableKey", KEY),
    ("kms:PutKeyPolicy", KEY),
    ("kms:RevokeGrant", KEY),
    ("kms:DeleteCustomKeyStore", "*"),
    # Schedules.
    ("scheduler:UpdateSchedule", SCHEDULE),
    ("scheduler:DeleteSchedule", SCHEDULE),
    ("scheduler:DeleteScheduleGroup", _GROUP),
    ("events:DisableRule", _RULE),
    ("events:RemoveTargets", _RULE.replace("rule/", "rule/own-bus/")),
    ("states:UpdateStateMachine", _MACHINE),
    ("states:StopExecution", _EXECUTION),
    # Whoever guards, and whoever is let through.
    ("iam:UpdateAssumeRolePolicy", role("break-glass", path="/emergency/")),
    ("iam:PutRolePolicy", role(f"cdk-hnb659fds-cfn-exec-role-{DATA}-{REGION}")),
    ("iam:CreateRole", role("cdk-hnb659fds-cfn-exec-role-of-mine")),
    ("iam:AttachRolePolicy", role(f"cdk-hnb659fds-deploy-role-{DATA}-{REGION}")),
    ("iam:DeleteRole", role("backup-plan")),
    ("iam:PassRole", role("break-glass", path="/emergency/")),
    ("iam:PassRole", role("backup-plan")),
    ("iam:PassRole", role(f"cdk-hnb659fds-cfn-exec-role-{DATA}-{REGION}")),
    ("iam:PassRole", role(f"cdk-hnb659fds-deploy-role-{DATA}-{REGION}")),
]
PUBLIC: Final = [
    # What nobody guards stays open.
    ("dynamodb:DescribeTable", TABLE),
    ("dynamodb:GetItem", TABLE),
    ("dynamodb:CreateTable", TABLE),
    ("dynamodb:CreateBackup", TABLE),
    ("backup:StartBackupJob", VAULT),
    ("kms:Decrypt", KEY),
    ("kms:CancelKeyDeletion", KEY),
    ("cloudtrail:LookupEvents", "*"),
    ("cloudtrail:CreateTrail", TRAIL),
    ("scheduler:DeleteSchedule", SCHEDULE.replace("nightly-export", "weekly")),
    ("events:DisableRule", _RULE.replace("nightly-export", "weekly")),
    ("iam:CreateRole", role("anything")),
    ("iam:PassRole", role("app")),
    ("ec2:DescribeInstances", "*"),
]


@pytest.mark.parametrize(("action", "resource"), PROTECTED)
def test_administrators_may(action: str, resource: str) -> None:
    scps, _ = everything()
    for name, arn in GUARDIAN_ARNS.items():
        assert decide(arn, action, resource, scps=scps).allowed, name


@pytest.mark.parametrize(("action", "resource"), PROTECTED)
def test_nobody_else_may(action: str, resource: str) -> None:
    scps, _ = everything()
    for name, arn in OTHER_ARNS.items():
        if name == "cdk deploy" and action == "iam:PassRole":
            continue  # which is what it is for
        decision = decide(arn, action, resource, scps=scps)
        assert {layer for layer, _ in denied_by(decision)} == {Layer.SERVICE_CONTROL}, name


@pytest.mark.parametrize(("action", "resource"), PUBLIC)
def test_everything_else_stays_open(action: str, resource: str) -> None:
    scps, _ = everything()
    for name, arn in {**GUARDIAN_ARNS, **OTHER_ARNS}.items():
        decision = decide(arn, action, resource, scps=scps)
        # From another account some actions do not work at all, whatever the policies say.
        assert decision.allowed or (
            PARTNER in arn and {layer for layer, _ in denied_by(decision)} == {Layer.SERVICE}
        ), name


@pytest.mark.parametrize(("action", "resource"), PROTECTED)
def test_services_their_roles_and_the_management_account_are_not_bound(action: str, resource: str) -> None:
    scps, _ = everything()
    for arn in (*UNBOUND.values(), role("admin", account=MANAGEMENT)):
        layers = {layer for layer, _ in denied_by(decide(arn, action, resource, scps=scps))}
        assert Layer.SERVICE_CONTROL not in layers


def test_an_account_that_is_excluded_is_not_bound() -> None:
    scps, _ = everything()
    table = TABLE.replace(DATA, DEVELOPMENT)
    for action in ("dynamodb:DeleteTable", "dynamodb:GetItem", "ec2:RunInstances", "organizations:LeaveOrganization"):
        context = {**OUTSIDE, "aws:RequestedRegion": "us-west-2"}
        assert decide(role("admin", account=DEVELOPMENT), action, table, scps=scps, context=context).allowed
        assert not decide(role("admin"), action, TABLE, scps=scps, context=context).allowed


@pytest.mark.parametrize(
    ("action", "allowed"),
    [("iam:PassRole", True), ("iam:PutRolePolicy", False), ("iam:CreateRole", False), ("dynamodb:UpdateTable", False)],
)
def test_cdk_deploy_passes_the_deployments_role_and_no_more(action: str, allowed: bool) -> None:
    scps, _ = everything()
    deploy = OTHER_ARNS["cdk deploy"]
    resource = TABLE if action.startswith("dynamodb") else GUARDIAN_ARNS["the deployment"]
    assert decide(deploy, action, resource, scps=scps).allowed is allowed


def test_the_backup_role_deletes_backups_and_changes_nothing_else() -> None:
    scps, _ = everything()
    backup = role("backup-plan")
    assert decide(backup, "dynamodb:DeleteBackup", _BACKUP, scps=scps).allowed
    assert not decide(backup, "dynamodb:UpdateTable", scps=scps).allowed
    assert not decide(backup, "cloudtrail:StopLogging", TRAIL, scps=scps).allowed
    assert not decide(role("backup-plan", account=PARTNER), "dynamodb:DeleteBackup", _BACKUP, scps=scps).allowed


class TestRegions:
    @pytest.mark.parametrize(
        "action",
        [
            "iam:GetRole",
            "sts:AssumeRole",
            "organizations:ListRoots",
            "cloudfront:GetDistribution",
            "route53:ListHostedZones",
            "s3:ListAllMyBuckets",
            "support:DescribeCases",
            "signin:CreateOAuth2Token",
            "health:DescribeEvents",
        ],
    )
    def test_global_services_work_from_us_east_1(self, action: str) -> None:
        scps, _ = everything()
        assert decide(role("admin"), action, "*", scps=scps, context={"aws:RequestedRegion": "us-east-1"}).allowed

    @pytest.mark.parametrize(
        "action", ["s3:CreateBucket", "lambda:InvokeFunction", "dynamodb:CreateTable", "kms:Decrypt"]
    )
    @pytest.mark.parametrize("caller", [*GUARDIAN_ARNS.values(), role("admin"), f"arn:aws:iam::{DATA}:root"])
    def test_regional_ones_work_in_the_region_only(self, action: str, caller: str) -> None:
        scps, _ = everything()
        assert decide(caller, action, "*", scps=scps).allowed
        for region in ("us-east-1", "eu-west-2"):
            decision = decide(caller, action, "*", scps=scps, context={"aws:RequestedRegion": region})
            assert (Layer.SERVICE_CONTROL, "OnlyRegions") in denied_by(decision)


class TestEc2:
    @pytest.mark.parametrize(
        "action",
        [
            "ec2:RunInstances",
            "ec2:StartInstances",
            "ec2:RequestSpotFleet",
            "ec2:CreateFleet",
            "autoscaling:CreateAutoScalingGroup",
            "autoscaling:SetDesiredCapacity",
            "batch:CreateComputeEnvironment",
            "eks:CreateNodegroup",
            "lightsail:CreateInstances",
        ],
    )
    def test_nobody_launches(self, action: str) -> None:
        scps, _ = everything()
        for arn in (*GUARDIAN_ARNS.values(), *OTHER_ARNS.values()):
            assert denied_by(decide(arn, action, "*", scps=scps)) == {(Layer.SERVICE_CONTROL, "NoEc2")}

    @pytest.mark.parametrize("action", ["ec2:TerminateInstances", "ec2:StopInstances", "lambda:CreateFunction"])
    def test_stopping_and_serverless_stay_open(self, action: str) -> None:
        scps, _ = everything()
        assert decide(role("admin"), action, "*", scps=scps).allowed


def test_no_account_leaves_the_organization() -> None:
    scps, _ = everything()
    for arn in (*GUARDIAN_ARNS.values(), *OTHER_ARNS.values()):
        decision = decide(arn, "organizations:LeaveOrganization", "*", scps=scps)
        assert denied_by(decision) == {(Layer.SERVICE_CONTROL, "StayInOrganization")}


class TestPerimeter:
    @pytest.mark.parametrize(
        "action", ["dynamodb:GetItem", "dynamodb:ExportTableToPointInTime", "dynamodb:CreateBackup"]
    )
    def test_data_is_reached_from_the_network_only(self, action: str) -> None:
        scps, rcps = everything()
        for arn in (role("app"), role("break-glass", path="/emergency/")):
            assert decide(arn, action, scps=scps, rcps=rcps, context=INSIDE).allowed
            assert {layer for layer, _ in denied_by(decide(arn, action, scps=scps, context=OUTSIDE))} == {
                Layer.SERVICE_CONTROL
            }
            assert {layer for layer, _ in denied_by(decide(arn, action, rcps=rcps, context=OUTSIDE))} == {
                Layer.RESOURCE_CONTROL
            }

    def test_a_deployment_puts_policies_from_outside(self) -> None:
        scps, rcps = everything()
        deployment = GUARDIAN_ARNS["the deployment"]
        assert decide(deployment, "dynamodb:PutResourcePolicy", scps=scps, rcps=rcps, context=OUTSIDE).allowed
        assert not decide(role("admin"), "dynamodb:PutResourcePolicy", scps=scps, rcps=rcps, context=OUTSIDE).allowed


class TestResourceControl:
    @pytest.mark.parametrize(
        ("action", "resource"),
        [
            ("dynamodb:UpdateTable", TABLE),
            ("dynamodb:DeleteTable", TABLE),
            ("dynamodb:TagResource", TABLE),
            ("dynamodb:AssociateTableReplica", TABLE),
            ("kms:PutKeyPolicy", KEY),
            ("kms:ScheduleKeyDeletion", KEY),
        ],
    )
    def test_binds_strangers_whatever_their_roles_are_called(self, action: str, resource: str) -> None:
        _, rcps = everything()
        for arn in GUARDIAN_ARNS.values():
            assert decide(arn, action, resource, rcps=rcps).allowed
            stranger = arn.replace(DATA, STRANGER)
            assert {layer for layer, _ in denied_by(decide(stranger, action, resource, rcps=rcps))} == {
                Layer.RESOURCE_CONTROL
            }
        for arn in OTHER_ARNS.values():
            assert not decide(arn, action, resource, rcps=rcps).allowed

    @pytest.mark.parametrize(
        "action", ["dynamodb:UpdateTable", "dynamodb:DeleteTable", "dynamodb:AssociateTableReplica"]
    )
    def test_leaves_services_and_their_roles_alone(self, action: str) -> None:
        _, rcps = everything()
        for arn in UNBOUND.values():
            assert decide(arn, action, rcps=rcps).allowed

    def test_leaves_resources_of_other_accounts_and_accounts_that_are_excluded_alone(self) -> None:
        _, rcps = everything()
        for account in (DEVELOPMENT, MANAGEMENT):
            table = TABLE.replace(DATA, account)
            assert decide(role("admin", account=account), "dynamodb:DeleteTable", table, rcps=rcps).allowed

    def test_says_nothing_of_other_services(self) -> None:
        _, rcps = everything()
        for document in rcps:
            for statement in document["Statement"]:
                assert statement["Principal"] == "*"
                assert {action.split(":")[0] for action in _list(statement["Action"])} <= {"dynamodb", "kms"}


class TestRecovery:
    @pytest.mark.parametrize("context", [INSIDE, OUTSIDE, {"aws:RequestedRegion": "us-west-2"}])
    @pytest.mark.parametrize("suffix", ["", "/stream/2026-11-21T10:00:00.000"])
    def test_the_root_user_deletes_a_policy_from_anywhere(self, context: dict[str, str], suffix: str) -> None:
        scps, rcps = everything()
        table = TABLE.replace(REGION, context["aws:RequestedRegion"]) + suffix
        root = f"arn:aws:iam::{DATA}:root"
        assert decide(root, "dynamodb:DeleteResourcePolicy", table, scps=scps, rcps=rcps, context=context).allowed
        for arn in OTHER_ARNS.values():
            if arn != root:
                decision = decide(arn, "dynamodb:DeleteResourcePolicy", table, scps=scps, rcps=rcps, context=context)
                assert not decision.allowed, arn

    @pytest.mark.parametrize(
        ("action", "region"),
        [
            # A root session makes a password, the root user signs in, looks, deletes, and the password goes again.
            ("iam:CreateLoginProfile", "us-east-1"),
            ("iam:GetLoginProfile", "us-east-1"),
            ("signin:AuthorizeOAuth2Access", "us-east-1"),
            ("sts:GetCallerIdentity", REGION),
            ("dynamodb:ListTables", REGION),
            ("dynamodb:GetResourcePolicy", REGION),
            ("iam:CreateVirtualMFADevice", "us-east-1"),
            ("iam:DeleteLoginProfile", "us-east-1"),
        ],
    )
    def test_a_root_session_and_a_root_sign_in_have_what_they_need(self, action: str, region: str) -> None:
        scps, rcps = everything()
        root = f"arn:aws:iam::{DATA}:root"
        context = {"aws:RequestedRegion": region, "aws:SourceIp": "203.0.113.9"}
        resource = TABLE if action.endswith("ResourcePolicy") else "*"
        assert decide(root, action, resource, scps=scps, rcps=rcps, context=context).allowed

    def test_a_stranger_s_root_user_deletes_nothing(self) -> None:
        _, rcps = everything()
        for account in (STRANGER, PARTNER):
            root = f"arn:aws:iam::{account}:root"
            decision = decide(root, "dynamodb:DeleteResourcePolicy", rcps=rcps)
            assert Layer.RESOURCE_CONTROL in {layer for layer, _ in denied_by(decision)}

    def test_the_management_account_rolls_back(self) -> None:
        scps, _ = everything()
        for action in ("organizations:DetachPolicy", "organizations:DeletePolicy", "cloudformation:UpdateStack"):
            admin = role("admin", account=MANAGEMENT)
            context = {"aws:RequestedRegion": "us-west-2"}
            assert not {layer for layer, _ in denied_by(decide(admin, action, "*", scps=scps, context=context))} & {
                Layer.SERVICE_CONTROL
            }


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
