"""TableBackupPlan: its rules, role, alarms, test restores, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk.assertions import Annotations, Match
from syrupy.assertion import SnapshotAssertion

import tableguard as tg
from tableguard.evaluation import Policies, Request, evaluate
from tableguard.policy.perimeter.restricted_actions import Side
from tests.unit.backup.aws_backup.plan_support import (
    ALONE,
    CHECK,
    LOCK,
    RULE,
    SAFE,
    everything,
    metadata,
    of_kind,
    only,
    plan,
    restore_testing,
    template,
    vault,
)
from tests.unit.organization.event_patterns import matches
from tests.unit.tables.support import (
    ORDERS,
    OWNER,
    PARTNER,
    REGION,
    Documents,
    Json,
    app,
    resolved,
    stack,
    table_v1,
    table_v2,
)

RULES: Final = "AWS::Events::Rule"
ALARM: Final = "AWS::CloudWatch::Alarm"
MACHINE: Final = "AWS::StepFunctions::StateMachine"


@pytest.fixture(scope="module")
def whole() -> Json:
    scope = stack()
    everything(scope)
    return template(scope)


def test_a_rule_is_rendered_with_its_copy(whole: Json) -> None:
    (rendered,) = only(whole, "AWS::Backup::BackupPlan")["BackupPlan"]["BackupPlanRule"]
    assert rendered == {
        "RuleName": "daily",
        "TargetBackupVault": rendered["TargetBackupVault"],
        "ScheduleExpression": "cron(0 5 ? * * *)",
        "StartWindowMinutes": 480,
        "CompletionWindowMinutes": 10_080,
        "Lifecycle": {"DeleteAfterDays": 35},
        "CopyActions": [{"DestinationBackupVaultArn": SAFE.arn("aws"), "Lifecycle": {"DeleteAfterDays": 100}}],
    }


def test_what_is_backed_up_does_not_depend_on_tags(whole: Json) -> None:
    selection = only(whole, "AWS::Backup::BackupSelection")["BackupSelection"]
    (table,) = selection["Resources"]
    assert table.startswith("<Orders")
    assert "ListOfTags" not in selection


def test_the_roles_have_names_and_no_policy_of_aws(whole: Json) -> None:
    for word, name in (("PlanRole", "backups"), ("RestoreTestsRole", "test-restores")):
        made = only(whole, "AWS::IAM::Role", word)
        assert made["RoleName"] == name
        assert "ManagedPolicyArns" not in made


def test_the_role_uses_the_keys_of_vault_and_table_and_no_other() -> None:
    scope = stack()
    key = cdk.aws_kms.Key(scope, "TableKey")
    plan(scope, tables=[table_v1(scope, encryption_key=key)])
    policy = only(template(scope), "AWS::IAM::Role", "PlanRole")["Policies"][0]["PolicyDocument"]
    (decrypt,) = [each for each in policy["Statement"] if "kms:Decrypt" in each["Action"]]
    assert sorted(each[:9] for each in decrypt["Resource"]) == ["<TableKey", "<VaultKey"]


def event(kind: str, table: str, **detail: Any) -> Json:
    return {"source": "aws.backup", "detail-type": kind, "detail": {"resourceArn": table, **detail}}


BACKUP: Final = "Backup Job State Change"
COPY: Final = "Copy Job State Change"
ELSEWHERE: Final = SAFE.arn("aws").replace(PARTNER, OWNER)


@pytest.mark.parametrize(
    ("kind", "detail", "counted"),
    [
        (BACKUP, {"state": "COMPLETED"}, {"CompletedBackups"}),
        (BACKUP, {"state": "FAILED"}, {"FailedBackups"}),
        (BACKUP, {"state": "EXPIRED"}, {"FailedBackups"}),
        (BACKUP, {"state": "ABORTED"}, {"FailedBackups"}),
        (BACKUP, {"state": "RUNNING"}, set()),
        (COPY, {"state": "COMPLETED", "destinationBackupVaultArn": SAFE.arn("aws")}, {"CompletedCopies"}),
        (COPY, {"state": "FAILED", "destinationBackupVaultArn": SAFE.arn("aws")}, {"FailedCopies"}),
        (COPY, {"state": "COMPLETED", "destinationBackupVaultArn": ELSEWHERE}, set()),
        ("Region Setting State Change", {}, {"SettingsChanged"}),
        ("Restore Job State Change", {"status": "COMPLETED"}, set()),
    ],
)
def test_each_job_is_counted_once(whole: Json, kind: str, detail: Mapping[str, str], counted: set[str]) -> None:
    table = only(whole, "AWS::Backup::BackupSelection")["BackupSelection"]["Resources"][0]
    found = {
        word
        for word in ("CompletedBackups", "FailedBackups", "CompletedCopies", "FailedCopies", "SettingsChanged")
        if matches(only(whole, RULES, word)["EventPattern"], event(kind, table, **detail))
    }
    assert found == counted
    if "Setting" not in kind:
        other = event(kind, f"{table}-other", **detail)
        assert not any(matches(each["EventPattern"], other) for each in of_kind(whole, RULES, "PlanJobs"))


def test_every_count_goes_to_the_machine_with_its_name(whole: Json) -> None:
    for word in ("CompletedBackups", "FailedBackups", "CompletedCopies", "FailedCopies"):
        (target,) = only(whole, RULES, word)["Targets"]
        assert f'"metric":"{word}"' in target["InputTransformer"]["InputTemplate"]
        assert ('"vault":<detail-destinationBackupVaultArn>' in target["InputTransformer"]["InputTemplate"]) is (
            "Copies" in word
        )


@pytest.mark.parametrize(
    ("word", "metric", "dimensions", "missing", "periods"),
    [
        ("Backups0Failed", "FailedBackups", {"Table"}, "notBreaching", 1),
        ("Backups0Absent", "CompletedBackups", {"Table"}, "breaching", 34),
        ("Copies0To0Failed", "FailedCopies", {"Table", "Vault"}, "notBreaching", 1),
        ("Copies0To0Absent", "CompletedCopies", {"Table", "Vault"}, "breaching", 34),
    ],
)
def test_a_failed_job_rings_and_so_does_an_absent_one(
    whole: Json, word: str, metric: str, dimensions: set[str], missing: str, periods: int
) -> None:
    rings = only(whole, ALARM, word)
    assert (rings["Namespace"], rings["MetricName"], rings["Period"]) == ("tableguard/backup", metric, 3600)
    assert {each["Name"] for each in rings["Dimensions"]} == dimensions
    assert rings["TreatMissingData"] == missing
    assert rings["EvaluationPeriods"] == periods
    assert rings["Threshold"] == 1
    less = "LessThanThreshold" if missing == "breaching" else "GreaterThanOrEqualToThreshold"
    assert rings["ComparisonOperator"] == less
    assert rings["AlarmActions"][0].startswith("<Alarms")


def test_every_table_has_its_alarms() -> None:
    scope = stack()
    other = dynamodb.TableV2(
        scope, "Other", partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING)
    )
    plan(scope, tables=[table_v2(scope), other])
    tables = {
        dimension["Value"]
        for each in of_kind(template(scope), ALARM, "Absent")
        for dimension in each["Dimensions"]
        if dimension["Name"] == "Table"
    }
    assert len(tables) == 2


def test_without_an_absence_alarm_there_is_a_warning() -> None:
    scope = stack()
    plan(scope, alarm_after=None)
    assert of_kind(template(scope), ALARM, "Absent") == []
    found = Annotations.from_stack(scope).find_warning("*", Match.string_like_regexp("Nobody is told"))
    assert len(found) == 1


def test_the_plan_waits_for_the_setting_that_it_needs(whole: Json) -> None:
    (made,) = [each for each in whole["Resources"].values() if each["Type"] == "AWS::Backup::BackupPlan"]
    assert any(name.startswith("AdvancedConfirmed") for name in made["DependsOn"])


def test_test_restores_are_of_the_named_tables_from_the_own_vault(whole: Json) -> None:
    tests = only(whole, "AWS::Backup::RestoreTestingPlan")
    assert tests["RecoveryPointSelection"]["Algorithm"] == "LATEST_WITHIN_WINDOW"
    assert tests["RecoveryPointSelection"]["IncludeVaults"][0].startswith("<Vault")
    selection = only(whole, "AWS::Backup::RestoreTestingSelection")
    assert selection["ProtectedResourceType"] == "DynamoDB"
    assert selection["ProtectedResourceArns"][0].startswith("<Orders")
    assert selection["ValidationWindowHours"] == 8


@pytest.mark.parametrize(
    ("detail", "validated", "told"),
    [
        ({"status": "COMPLETED"}, True, False),
        ({"status": "FAILED"}, False, True),
        ({"status": "ABORTED"}, False, True),
        ({"status": "RUNNING"}, False, False),
        ({"status": "COMPLETED", "restoreTestingPlanArn": "another"}, False, False),
    ],
)
def test_only_restores_of_the_plan_are_validated(
    whole: Json, detail: Mapping[str, str], validated: bool, told: bool
) -> None:
    restored, lost = (only(whole, RULES, f"RestoreTests{word}") for word in ("Restored", "NotRestored"))
    (ours,) = restored["EventPattern"]["detail"]["restoreTestingPlanArn"]
    seen = {
        "source": "aws.backup",
        "detail-type": "Restore Job State Change",
        "detail": {"restoreTestingPlanArn": ours, **detail},
    }
    assert matches(restored["EventPattern"], seen) is validated
    assert matches(lost["EventPattern"], seen) is told
    assert restored["Targets"][0]["Arn"].startswith("<PlanRestoreTestsValidate")
    assert restored["Targets"][0]["InputPath"] == "$.detail"
    assert lost["Targets"][0]["Arn"].startswith("<Alarms")


def test_a_restore_that_is_never_validated_rings(whole: Json) -> None:
    absent = only(whole, ALARM, "RestoreTestsAbsent")
    assert (absent["MetricName"], absent["TreatMissingData"]) == ("ExecutionsSucceeded", "breaching")
    assert absent["EvaluationPeriods"] == 50
    failed = only(whole, ALARM, "NotValidated")
    assert {each["MetricStat"]["Metric"]["MetricName"] for each in failed["Metrics"] if "MetricStat" in each} == {
        "ExecutionsFailed",
        "ExecutionsTimedOut",
        "ExecutionsAborted",
    }


def test_the_machine_may_start_the_validation_and_no_other(whole: Json) -> None:
    policy = only(whole, "AWS::IAM::Policy", "ValidatePolicy")["PolicyDocument"]
    (start,) = [each for each in policy["Statement"] if each["Action"] == "states:StartExecution"]
    assert start["Resource"] == CHECK
    (wait,) = [each for each in policy["Statement"] if "states:StopExecution" in each["Action"]]
    assert wait["Resource"] == f"arn:aws:states:{REGION}:{OWNER}:execution:check:*"


def test_exemptions_are_for_backups_and_for_restores_alone() -> None:
    made = everything(stack())
    backups = made.exemption(reason="AWS Backup, ADR-9")
    assert backups.principal == tg.Role(account=OWNER, name="backups")
    assert backups.covers("StartAwsBackupJob", Side.TABLE)
    assert not backups.covers("Scan", Side.TABLE)
    assert not backups.covers("ExportTableToPointInTime", Side.TABLE)
    restores = made.restore_exemption(reason="test restores, ADR-9")
    assert restores.principal == tg.Role(account=OWNER, name="test-restores")
    assert restores.covers("RestoreTableFromAwsBackup", Side.TABLE)
    assert restores.covers("PutItem", Side.NEW_TABLE)
    assert not restores.covers("PutItem", Side.TABLE)


def test_a_review_can_read_what_is_backed_up(whole: Json) -> None:
    said = metadata(whole, "AWS::Backup::BackupPlan")["plan"]
    assert said["rules"] == [
        {
            "schedule": "cron(0 5 ? * * *)",
            "keep_days": 35,
            "vault": "data",
            "copies": [{"vault_arn": SAFE.arn("aws"), "account": PARTNER, "keep_days": 100}],
        }
    ]
    assert (said["restore_testing"], said["alarm_after_minutes"]) == (True, 34 * 60)


def test_a_setting_that_is_off_fails_the_deployment(whole: Json) -> None:
    confirmed = only(whole, "AWS::SSM::Parameter")
    assert confirmed["AllowedPattern"] == "^true true$"
    maps = ("ResourceTypeManagementPreference", "ResourceTypeOptInPreference")
    assert [each.split(".", 1)[1] for each in confirmed["Value"].split(" ")] == [f"{each}.DynamoDB>" for each in maps]
    call = json.loads(only(whole, "Custom::TableguardUpdateRegionSettings")["Create"])
    # Other types are not named, neither on nor off.
    assert call["parameters"] == {each: {"DynamoDB": True} for each in maps}
    assert "Delete" not in only(whole, "Custom::TableguardUpdateRegionSettings")
    allowed = {
        action
        for each in of_kind(whole, "AWS::IAM::Policy", "Advanced")
        for statement in each["PolicyDocument"]["Statement"]
        for action in [statement["Action"]]
    }
    assert allowed == {"backup:DescribeRegionSettings", "backup:UpdateRegionSettings"}


def test_a_check_changes_nothing() -> None:
    scope = stack()
    tg.AdvancedDynamoDbBackup(scope, "Advanced", check_only=True)
    found = template(scope)
    assert of_kind(found, "Custom::TableguardUpdateRegionSettings") == []
    assert only(found, "AWS::SSM::Parameter")["AllowedPattern"] == "^true true$"
    assert "backup:UpdateRegionSettings" not in json.dumps(found)


def elsewhere(scope: cdk.Stack) -> tg.LockedBackupVault:
    return vault(stack(cdk.App(), "There", region="eu-west-1"))


def foreign(scope: cdk.Stack) -> dynamodb.ITable:
    return dynamodb.Table.from_table_arn(scope, "Theirs", f"arn:aws:dynamodb:{REGION}:{PARTNER}:table/theirs")


SHORT: Final = tg.BackupRule(name="short", schedule="cron(0 5 ? * * *)", keep_days=6)
LONG: Final = tg.BackupRule(name="long", schedule="cron(0 5 ? * * *)", keep_days=91)

REFUSALS: Final[list[tuple[str, Callable[[cdk.Stack], object], str]]] = [
    ("no table", lambda s: plan(s, tables=[]), "1 to 500 tables"),
    ("a table twice", lambda s: plan(s, tables=[table_v2(s)] * 2), "each of them once"),
    ("no table at all", lambda s: plan(s, tables=["orders"]), "a Table or TableV2"),
    ("a table of another account", lambda s: plan(s, tables=[foreign(s)]), f"tables of account {OWNER}"),
    ("no rule", lambda s: plan(s, rules=[]), "at least one"),
    ("two rules of one name", lambda s: plan(s, rules=[RULE, ALONE]), "each with its own name"),
    ("something else than a rule", lambda s: plan(s, rules=["daily"]), "a BackupRule"),
    ("too short for the lock", lambda s: plan(s, rules=[SHORT]), "7 to 90 days"),
    ("too long for the lock", lambda s: plan(s, rules=[LONG]), "7 to 90 days"),
    ("a copy that the vault does not name", lambda s: plan(s, vault=vault(s, copies_to=[])), "be copied to"),
    ("a vault of another region", lambda s: plan(s, vault=elsewhere(s)), "where the plan is"),
    ("a vault's reference", lambda s: plan(s, vault=SAFE), "a LockedBackupVault"),
    ("nobody for advanced backup", lambda s: plan(s, advanced=""), "who has seen to it"),
    ("a yes for advanced backup", lambda s: plan(s, advanced=True), "who has seen to it"),
    ("a role without a name", lambda s: plan(s, role_name="a b"), "1 to 64"),
    ("a plan without a name", lambda s: plan(s, plan_name=" "), "a name"),
    ("an alarm after 8 days", lambda s: plan(s, alarm_after=cdk.Duration.hours(169)), "1 to 168"),
    ("an alarm after minutes", lambda s: plan(s, alarm_after=cdk.Duration.minutes(90)), "whole hours"),
    ("tests by another schedule", lambda s: restore_testing(s, schedule="rate(1 day)"), "six fields"),
    ("tests of a dashed name", lambda s: restore_testing(s, name="a-b"), "'_'"),
    ("tests without a machine", lambda s: restore_testing(s, validation=CHECK), "a state machine"),
    ("tests of 0 hours", lambda s: restore_testing(s, validation_hours=0), "1 to 168"),
    ("tests that start late", lambda s: restore_testing(s, start_within_hours=169), "1 to 168"),
    ("tests of old backups", lambda s: restore_testing(s, window_days=366), "1 to 365"),
    ("tests with a late alarm", lambda s: restore_testing(s, alarm_after=cdk.Duration.days(8)), "1 to 168"),
    ("no test restores to exempt", lambda s: plan(s).restore_exemption(reason="x"), "with restore_testing"),
]


@pytest.mark.parametrize(("make", "allowed"), [each[1:] for each in REFUSALS], ids=[each[0] for each in REFUSALS])
def test_a_slip_is_refused(make: Callable[[cdk.Stack], object], allowed: str) -> None:
    with pytest.raises(tg.InvalidInputError) as caught:
        make(stack(app()))
    assert allowed in caught.value.allowed


def test_a_plan_without_copies_is_taken() -> None:
    scope = stack()
    made = plan(scope, vault=vault(scope, lock=LOCK, copies_to=[]), rules=[ALONE])
    assert made.restore_tests is None
    assert of_kind(template(scope), RULES, "Copies") == []


@pytest.mark.parametrize("how", ["least", "everything"])
def test_template(how: str, template_snapshots: SnapshotAssertion) -> None:
    scope = stack()
    if how == "everything":
        everything(scope)
    else:
        plan(scope, vault=vault(scope, copies_to=[]), rules=[ALONE])
    assert scope == template_snapshots


def test_the_snapshot_of_a_plan_is_of_this_account() -> None:
    scope = stack()
    made = everything(scope)
    assert resolved(scope.resolve(made.role.arn("aws"))) == f"arn:aws:iam::{OWNER}:role/backups"


@pytest.mark.parametrize(
    ("exempt", "action", "may"),
    [
        (True, "dynamodb:StartAwsBackupJob", True),
        (False, "dynamodb:StartAwsBackupJob", False),
        (True, "dynamodb:Scan", False),
        (True, "dynamodb:ExportTableToPointInTime", False),
    ],
)
def test_a_perimeter_lets_the_plan_back_up_and_no_more(exempt: bool, action: str, may: bool) -> None:
    scope = stack()
    table = table_v2(scope)
    made = plan(scope, tables=[table])
    exemptions = [made.exemption(reason="AWS Backup, ADR-9")] if exempt else []
    perimeter = tg.Perimeter(networks=[tg.FromVpcEndpoint("vpce-1a2b3c4d")], exemptions=exemptions)
    deployed_by = tg.RoleOfEveryAccount(name="cdk-hnb659fds-cfn-exec-role-*")
    tg.TablePerimeter(scope, "Perimeter", table=table, perimeter=perimeter, deployed_by=deployed_by)
    policy = Documents.of(scope).table_policy()
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    request = Request(principal=made.role.arn("aws"), action=action, resource=ORDERS)
    decision = evaluate(request, Policies(identity=[allowed], resource=policy))
    assert decision.understood
    assert decision.allowed is may
