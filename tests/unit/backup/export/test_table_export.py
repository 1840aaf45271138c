"""Exports on a schedule: what their role may do, what is refused, and when the alarms ring."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb, aws_kms as kms, aws_s3 as s3, aws_sns as sns
from aws_cdk.assertions import Template

import tableguard as tg
from tests.unit.backup.exported import (
    BUCKET,
    EXPORTER,
    INTAKE,
    OBJECT,
    PITR,
    VAULT_ACCOUNT,
    allowed,
    bucket_policy,
    export,
    identity_policy,
    landing,
    recovered,
    resources,
    role_arn,
    table_policy,
)
from tests.unit.network.support import HERE, INSIDE, OUTSIDE, allows
from tests.unit.tables.support import (
    ANY_KIND,
    ORDERS,
    OWNER,
    PK,
    REGION,
    Json,
    app,
    cfn_global_table,
    resolved,
    stack,
    table_v2,
)

hours, minutes = cdk.Duration.hours, cdk.Duration.minutes


@pytest.fixture(scope="module")
def data() -> cdk.Stack:
    scope = stack()
    export(scope)
    return scope


@pytest.fixture(scope="module")
def role(data: cdk.Stack) -> Json:
    return identity_policy(data, "MachinePolicy")


OTHERS = f"arn:aws:dynamodb:{REGION}:{OWNER}:table/customers"
KEY = f"arn:aws:kms:{REGION}:{OWNER}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
LEFT_TO_IAM = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": OWNER}, "Action": "kms:*", "Resource": "*"}],
}
LEDGER = f"arn:aws:dynamodb:{REGION}:{OWNER}:table/ledger"


@pytest.mark.parametrize(
    ("action", "resource", "may"),
    [
        ("dynamodb:ExportTableToPointInTime", ORDERS, True),
        ("dynamodb:ExportTableToPointInTime", OTHERS, False),
        ("dynamodb:DescribeTable", ORDERS, True),
        ("dynamodb:DescribeContinuousBackups", ORDERS, True),
        ("dynamodb:UpdateContinuousBackups", ORDERS, False),
        ("dynamodb:DescribeExport", f"{ORDERS}/export/0123-abcd", True),
        ("dynamodb:DescribeExport", f"{OTHERS}/export/0123-abcd", False),
        ("dynamodb:GetItem", LEDGER, True),
        ("dynamodb:UpdateItem", LEDGER, True),
        ("dynamodb:DeleteItem", LEDGER, False),
        ("dynamodb:GetItem", ORDERS, False),
        ("dynamodb:Scan", ORDERS, False),
        ("s3:PutObject", OBJECT, True),
        ("s3:PutObjectAcl", OBJECT, True),
        ("s3:AbortMultipartUpload", OBJECT, True),
        ("s3:PutObject", OBJECT.replace("/orders/", "/customers/"), False),
        ("s3:PutObject", OBJECT.replace("/orders/", "/orders2/"), False),
        ("s3:PutObject", OBJECT.replace(BUCKET, "other"), False),
        ("s3:GetObject", OBJECT, False),
        ("s3:DeleteObject", OBJECT, False),
    ],
)
def test_the_role_exports_its_tables_and_no_more(role: Json, action: str, resource: str, may: bool) -> None:
    assert allowed(action, resource, principal=role_arn(EXPORTER), identity=role) is may


@pytest.mark.parametrize(("namespace", "may"), [("tableguard/backup", True), ("AWS/DynamoDB", False)])
def test_the_role_puts_metrics_of_its_own_namespace(role: Json, namespace: str, may: bool) -> None:
    asked = allowed(
        "cloudwatch:PutMetricData",
        "*",
        principal=role_arn(EXPORTER),
        identity=role,
        context={"cloudwatch:namespace": namespace},
    )
    assert asked is may


def test_the_role_may_do_what_the_machine_does(data: cdk.Stack, role: Json) -> None:
    (machine,) = resources(data, "AWS::StepFunctions::StateMachine").values()
    states = json.loads(machine["DefinitionString"])["States"].values()
    called = {state["Resource"].split(":aws-sdk:")[1] for state in states if state["Type"] == "Task"}
    asked = {f"{service}:{action[0].upper()}{action[1:]}" for service, action in (each.split(":") for each in called)}
    given = {
        action
        for statement in role["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert asked == {action for action in given if action.split(":")[0] in ("dynamodb", "cloudwatch")}
    assert not any("*" in action for action in given)


def test_the_landing_bucket_lets_the_role_write(data: cdk.Stack) -> None:
    policy, writes = bucket_policy(data), "s3:PutObject"
    assert allowed(writes, principal=role_arn(EXPORTER), identity=identity_policy(data, "MachinePolicy"), bucket=policy)


def test_two_exports_share_a_landing_bucket() -> None:
    scope = stack()
    first = landing(scope)
    export(scope, landing=first)
    more = dynamodb.TableV2(
        scope, "More", table_name="more", partition_key=PK, point_in_time_recovery_specification=PITR
    )
    tg.TableExport(
        scope, "Second", tables=[more], landing=first, every=hours(24), full_every=hours(24 * 14), alarm_after=hours(48)
    )
    policy = bucket_policy(scope)
    assert allowed("s3:PutObject", principal=role_arn(EXPORTER), bucket=policy)
    assert not allowed("s3:PutObject", principal=role_arn("admin"), bucket=policy)
    (writing,) = [each for each in policy["Statement"] if each["Sid"] == "OnlyExportsWrite"]
    assert len(writing["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]) == 2


def test_the_ledger_outlives_everything(data: cdk.Stack) -> None:
    tables = Template.from_stack(data).find_resources("AWS::DynamoDB::GlobalTable")
    (ledger,) = [each for name, each in tables.items() if "Ledger" in name]
    (replica,) = ledger["Properties"]["Replicas"]
    assert replica["DeletionProtectionEnabled"] is True
    assert replica["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert ledger["Properties"]["BillingMode"] == "PAY_PER_REQUEST"
    assert ledger["DeletionPolicy"] == ledger["UpdateReplacePolicy"] == "Retain"


def test_each_table_has_a_schedule() -> None:
    scope = stack()
    others = [
        dynamodb.TableV2(scope, name, table_name=name, partition_key=PK, point_in_time_recovery_specification=PITR)
        for name in ("customers", "invoices")
    ]
    export(scope, tables=others, every=minutes(30), full_every=hours(24))
    schedules = resources(scope, "AWS::Scheduler::Schedule").values()
    assert {each["ScheduleExpression"] for each in schedules} == {"rate(30 minutes)"}
    assert len({each["Target"]["Input"] for each in schedules}) == 2
    assert {each["FlexibleTimeWindow"]["Mode"] for each in schedules} == {"OFF"}
    assert {each["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] for each in schedules} == {1800}
    starter = identity_policy(scope, "Starter")
    (machine,) = {each["Target"]["Arn"] for each in schedules}
    start = "states:StartExecution"
    assert allowed(start, machine, principal=role_arn("starter"), identity=starter)
    assert not allowed(start, f"{machine}2", principal=role_arn("starter"), identity=starter)


def alarms(scope: cdk.Stack) -> dict[str, Json]:
    found = resources(scope, "AWS::CloudWatch::Alarm")
    return {word: each for word in ("Failed", "Absent", "Old") for name, each in found.items() if word in name}


def test_the_alarms_ring_on_failure_on_absence_and_on_age() -> None:
    scope = stack()
    export(scope, alarms_topic=sns.Topic(scope, "Topic"))
    found = alarms(scope)
    assert all(len(each["AlarmActions"]) == 1 for each in found.values())
    absent = found["Absent"]
    assert (absent["MetricName"], absent["Statistic"], absent["TreatMissingData"]) == (
        "CompletedExports",
        "Sum",
        "breaching",
    )
    assert absent["ComparisonOperator"] == "LessThanThreshold"
    assert (absent["Threshold"], absent["Period"], absent["EvaluationPeriods"]) == (1, 3600, 6)
    assert absent["Dimensions"] == [{"Name": "Table", "Value": "orders"}]
    assert absent["Namespace"] == "tableguard/backup"
    old = found["Old"]
    assert (old["MetricName"], old["Statistic"], old["Threshold"]) == ("NewestExportAge", "Maximum", 6 * 3600)
    assert old["ComparisonOperator"] == "GreaterThanThreshold"
    failed = found["Failed"]
    watched = [each["MetricStat"]["Metric"]["MetricName"] for each in failed["Metrics"] if "MetricStat" in each]
    assert watched == ["ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"]
    assert failed["TreatMissingData"] == "notBreaching"


def test_without_a_topic_alarms_ring_nowhere(data: cdk.Stack) -> None:
    assert all("AlarmActions" not in each for each in alarms(data).values())


def test_it_says_what_it_does(data: cdk.Stack) -> None:
    (machine,) = Template.from_stack(data).find_resources("AWS::StepFunctions::StateMachine").values()
    said = machine["Metadata"]["tableguard"]["export"]
    assert {name: value for name, value in said.items() if name != "tables"} == {
        "every_minutes": 60,
        "full_every_minutes": 72 * 60,
        "alarm_after_minutes": 360,
        "landing": BUCKET,
    }
    assert len(said["tables"]) == 1


# --- Perimeters


def restricted(scope: cdk.Stack, **options: Any) -> cdk.Stack:
    """An export of a table with a perimeter."""
    table = recovered(scope)
    made = export(scope, tables=[table])
    exemptions = options.pop("exemptions", lambda each: [each.exemption(reason="backups")])(made)
    tg.TablePerimeter(
        scope, "Perimeter", table=table, perimeter=tg.Perimeter(networks=[HERE], exemptions=exemptions, **options)
    )
    return scope


def test_the_exemption_lets_the_role_export_and_nothing_else() -> None:
    policy = table_policy(restricted(stack()))
    exporter, outside = role_arn(EXPORTER), OUTSIDE["no endpoint"]
    assert allows(policy, "ExportTableToPointInTime", principal=exporter, context=outside)
    for action in ("GetItem", "Scan", "PutResourcePolicy", "RestoreTableToPointInTime"):
        assert not allows(policy, action, principal=exporter, context=outside)
        assert allows(policy, action, principal=exporter, context=INSIDE)
    assert not allows(policy, "ExportTableToPointInTime", principal=role_arn("admin"), context=outside)


SETTINGS_TOO = "nobody looks in from outside"


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ({}, None),
        ({"exemptions": lambda _: []}, "ExportTableToPointInTime"),
        ({"exemptions": lambda _: [exempt("somebody-else")]}, "ExportTableToPointInTime"),
        ({"exemptions": lambda _: [exempt(EXPORTER)]}, None),
        ({"exemptions": lambda _: [exempt("acme-*")]}, None),
        ({"exemptions": lambda _: [exempt(EXPORTER, tg.RestrictedActions.ITEMS)]}, "ExportTableToPointInTime"),
        (
            {
                "exemptions": lambda made: [made.exemption(reason="backups"), deployer()],
                "settings_too": SETTINGS_TOO,
            },
            "DescribeContinuousBackups, DescribeTable",
        ),
        (
            {
                "exemptions": lambda made: [made.exemption(reason="backups", settings_too=True), deployer()],
                "settings_too": SETTINGS_TOO,
            },
            None,
        ),
    ],
)
def test_a_perimeter_without_the_exemption_is_an_error(options: dict[str, Any], missing: str | None) -> None:
    scope = restricted(stack(), **options)
    if missing is None:
        Template.from_stack(scope)
        return
    with pytest.raises(RuntimeError, match=f"an exemption for {missing}, since Step Functions"):
        Template.from_stack(scope)


def exempt(name: str, restricted: tg.RestrictedActions = tg.RestrictedActions.EXPORT) -> tg.Exemption:
    principal = tg.RoleOfEveryAccount(name=name) if "*" in name else tg.Role(account=OWNER, name=name)
    return tg.Exemption(principal=principal, actions=restricted, reason="a test")


def deployer() -> tg.Exemption:
    principal = tg.Role(account=OWNER, name=f"cdk-hnb659fds-cfn-exec-role-{OWNER}-{REGION}")
    return tg.Exemption(
        principal=principal, actions=tg.RestrictedActions.SETTINGS | tg.RestrictedActions.DEPLOYMENT, reason="deploys"
    )


def test_an_exemption_works_without_a_name_for_the_role() -> None:
    scope = stack()
    table = recovered(scope)
    made = export(scope, tables=[table], role_name=None)
    exemption = made.exemption(reason="backups")
    tg.TablePerimeter(scope, "Perimeter", table=table, perimeter=tg.Perimeter(networks=[HERE], exemptions=[exemption]))
    policy, outside = table_policy(scope), OUTSIDE["no endpoint"]
    assert allows(policy, "ExportTableToPointInTime", principal=role_arn(EXPORTER), context=outside)
    assert not allows(policy, "ExportTableToPointInTime", principal=role_arn("admin"), context=outside)


# --- Tables


def without_recovery(kind: Callable[..., Any], **off: Any) -> cdk.Stack:
    scope = stack()
    export(scope, tables=[kind(scope, **off)])
    return scope


OFF = dynamodb.PointInTimeRecoverySpecification(point_in_time_recovery_enabled=False)


@pytest.mark.parametrize("kind", ANY_KIND.values(), ids=ANY_KIND)
def test_a_table_without_recovery_is_an_error(kind: Callable[..., Any]) -> None:
    with pytest.raises(RuntimeError, match=r"Orders.* without point-in-time recovery"):
        Template.from_stack(without_recovery(kind))


def test_recovery_that_is_said_to_be_off_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="without point-in-time recovery"):
        Template.from_stack(without_recovery(table_v2, point_in_time_recovery_specification=OFF))


ON: Mapping[str, Mapping[str, Any]] = {
    "TableV2": {"point_in_time_recovery_specification": PITR},
    "Table": {"point_in_time_recovery_specification": PITR},
    "CfnTable": {
        "point_in_time_recovery_specification": dynamodb.CfnTable.PointInTimeRecoverySpecificationProperty(
            point_in_time_recovery_enabled=True
        )
    },
    "CfnGlobalTable": {
        "replicas": [
            dynamodb.CfnGlobalTable.ReplicaSpecificationProperty(
                region=REGION,
                point_in_time_recovery_specification=dynamodb.CfnGlobalTable.PointInTimeRecoverySpecificationProperty(
                    point_in_time_recovery_enabled=True
                ),
            )
        ]
    },
}


@pytest.mark.parametrize("kind", ANY_KIND)
def test_every_kind_of_table_is_exported(kind: str) -> None:
    scope = without_recovery(ANY_KIND[kind], **ON[kind])
    (schedule,) = resources(scope, "AWS::Scheduler::Schedule").values()
    table = json.loads(schedule["Target"]["Input"])["table"]
    role = identity_policy(scope, "MachinePolicy")
    assert allowed("dynamodb:ExportTableToPointInTime", table, principal=role_arn(EXPORTER), identity=role)


def test_a_table_of_this_library_is_exported() -> None:
    scope = stack()
    table = tg.CrossAccountTable(
        scope, "Orders", table_name="orders", partition_key=PK, point_in_time_recovery_specification=PITR
    )
    export(scope, tables=[table])
    Template.from_stack(scope)


def test_of_an_imported_table_nothing_is_known() -> None:
    scope = stack()
    export(scope, tables=[dynamodb.TableV2.from_table_name(scope, "Theirs", "customers")])
    role = identity_policy(scope, "MachinePolicy")
    export_table = "dynamodb:ExportTableToPointInTime"
    assert allowed(export_table, OTHERS, principal=role_arn(EXPORTER), identity=role)


def test_replicas_elsewhere_change_nothing() -> None:
    on = {"point_in_time_recovery_enabled": True}
    there = dynamodb.CfnGlobalTable.ReplicaSpecificationProperty(
        region="eu-west-1",
        point_in_time_recovery_specification=dynamodb.CfnGlobalTable.PointInTimeRecoverySpecificationProperty(**on),
    )
    here = dynamodb.CfnGlobalTable.ReplicaSpecificationProperty(region=REGION)
    with pytest.raises(RuntimeError, match="without point-in-time recovery"):
        Template.from_stack(without_recovery(cfn_global_table, replicas=[here, there]))


def test_a_stack_that_is_agnostic_of_its_environment_exports() -> None:
    scope = cdk.Stack(app(), "Data")
    bucket = s3.Bucket.from_bucket_name(scope, "Bucket", BUCKET)
    export(scope, landing=bucket)
    (machine,) = Template.from_stack(scope).find_resources("AWS::StepFunctions::StateMachine").values()
    assert {"Ref": "AWS::AccountId"} in machine["Properties"]["DefinitionString"]["Fn::Join"][1]


def test_a_bucket_of_ones_own_may_have_a_key() -> None:
    scope = stack()
    bucket = s3.Bucket(scope, "Own", encryption_key=kms.Key(scope, "Key"), encryption=s3.BucketEncryption.KMS)
    export(scope, landing=bucket)
    role = identity_policy(scope, "MachinePolicy")
    (statement,) = [each for each in role["Statement"] if "kms:GenerateDataKey" in each["Action"]]
    assert "<Key" in statement["Resource"]
    # Through S3, and not by the role's own hand.
    identity = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": KEY}]}
    for service, may in (("s3", True), ("dynamodb", False), (None, False)):
        context = {} if service is None else {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}
        for action in ("kms:Decrypt", "kms:GenerateDataKey"):
            may_now = allowed(
                action, KEY, principal=role_arn(EXPORTER), identity=identity, bucket=LEFT_TO_IAM, context=context
            )
            assert may_now is may
    (machine,) = resources(scope, "AWS::StepFunctions::StateMachine").values()
    assert '"S3SseAlgorithm": "KMS"' in machine["DefinitionString"]


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"tables": []}, "tables of Data/Export"),
        ({"tables": "orders"}, "tables of Data/Export"),
        ({"tables": ["orders"]}, "a table of Data/Export"),
        ({"landing": "acme-landing"}, "the landing of Data/Export"),
        ({"role_name": "a/b"}, "role_name of Data/Export"),
        ({"every": minutes(14)}, "every of Data/Export"),
        ({"every": cdk.Duration.seconds(1830)}, "every of Data/Export"),
        ({"every": hours(25)}, "every of Data/Export"),
        ({"every": 60}, "every of Data/Export"),
        ({"full_every": minutes(59)}, "full_every of Data/Export"),
        ({"full_every": hours(91)}, "full_every of Data/Export"),
        ({"every": hours(24), "full_every": hours(36 * 24)}, "full_every of Data/Export"),
        ({"alarm_after": hours(1)}, "alarm_after of Data/Export"),
        ({"alarm_after": minutes(150)}, "alarm_after of Data/Export"),
        ({"alarm_after": hours(169)}, "alarm_after of Data/Export"),
    ],
)
def test_what_it_refuses(options: dict[str, Any], what: str) -> None:
    with pytest.raises(tg.InvalidInputError) as caught:
        export(stack(), **options)
    assert caught.value.what == what


@pytest.mark.parametrize(
    "options",
    [
        {"every": minutes(15), "full_every": minutes(90 * 15), "alarm_after": hours(2)},
        {"every": hours(24), "full_every": hours(35 * 24), "alarm_after": hours(168)},
    ],
)
def test_the_ends_of_the_ranges_are_within(options: dict[str, Any]) -> None:
    export(stack(), **options)


def test_a_table_twice_is_refused() -> None:
    scope = stack()
    table = recovered(scope)
    with pytest.raises(tg.InvalidInputError, match="each table once"):
        export(scope, tables=[table, table])


@pytest.mark.parametrize("arn", [ORDERS.replace(OWNER, "999988887777"), ORDERS.replace(REGION, "eu-west-1")])
def test_a_table_of_elsewhere_is_refused(arn: str) -> None:
    scope = stack()
    with pytest.raises(tg.InvalidInputError, match="nothing else can be exported from here"):
        export(scope, tables=[dynamodb.TableV2.from_table_arn(scope, "Theirs", arn)])


def test_a_landing_bucket_of_another_account_is_refused() -> None:
    whole = app()
    elsewhere = landing(stack(whole, "Elsewhere", account="999988887777"))
    with pytest.raises(tg.InvalidInputError, match="one of the tables' account"):
        export(stack(whole), landing=elsewhere)


def test_too_many_tables_for_one_role_are_refused() -> None:
    scope = stack()
    many = [dynamodb.TableV2.from_table_name(scope, f"T{n}", f"{n:04}" + "x" * 200) for n in range(30)]
    with pytest.raises(tg.PolicyTooLargeError, match="Make several TableExport"):
        export(scope, tables=many)


def test_the_machine_knows_the_vault_behind_the_landing_bucket_and_waits_for_its_replication() -> None:
    scope = stack()
    export(scope)
    found = Template.from_stack(scope)
    (machine,) = found.find_resources("AWS::StepFunctions::StateMachine").values()
    assert f"{VAULT_ACCOUNT}/{INTAKE}" in resolved(machine["Properties"]["DefinitionString"])
    assert found.find_resources("AWS::S3::Bucket").keys() <= set(machine["DependsOn"])


def _apart(**options: Any) -> tuple[cdk.Stack, cdk.Stack]:
    """The table and its landing bucket in one stack, and what exports it in another."""
    first = stack()
    second = cdk.Stack(cast("cdk.App", first.node.root), "Exports", env=cdk.Environment(account=OWNER, region=REGION))
    export(second, tables=[recovered(first)], landing=landing(first), **options)
    return first, second


def test_it_may_stand_in_another_stack_than_its_table_and_its_landing_bucket() -> None:
    first, second = _apart()
    assert allowed("s3:PutObject", principal=role_arn(EXPORTER), bucket=bucket_policy(first))
    assert second.dependencies == [first]
    assert not allowed("s3:PutObject", principal=role_arn("admin"), bucket=bucket_policy(first))


def test_a_landing_bucket_of_another_stack_needs_a_role_with_a_name() -> None:
    with pytest.raises(tg.InvalidInputError, match="is in another stack") as caught:
        _apart(role_name=None)
    assert caught.value.what == "role_name of Exports/Export"
