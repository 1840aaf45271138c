"""A drill: proves on a schedule that a backup comes back whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import aws_cdk as cdk
from aws_cdk import (
    aws_cloudwatch as cloudwatch,
    aws_iam as iam,
    aws_scheduler as scheduler,
    aws_sns as sns,
    aws_stepfunctions as sfn,
)
from constructs import Construct

from tableguard.aws.managed_policies import RESTORE_TEST_TABLES
from tableguard.backup.drill.alarms import drill_alarms
from tableguard.backup.drill.canary import Canary
from tableguard.backup.drill.check_machine import CheckMachine
from tableguard.backup.drill.checks import (
    check_alarm_after,
    check_canary,
    check_largest_fall,
    checked_prefix,
    seconds_of,
    trusted_moment,
)
from tableguard.backup.drill.machine import DrillMachine
from tableguard.backup.drill.report import NAMESPACE
from tableguard.backup.drill.sweeping import DrillTables
from tableguard.backup.drill.watch import watch_definition
from tableguard.backup.restore.table_restore import TableRestore
from tableguard.backup.restore.tags import RESTORE_TAG
from tableguard.backup.restore.targets import bucket_access
from tableguard.backup.restore.workers import PROBLEMS, document
from tableguard.backup.service_trust import own_service
from tableguard.backup.states.function import BackupFunction
from tableguard.backup.states.state_machine import BackupMachine, executions_of, tasks_in
from tableguard.policy.documents import VERSION, Json
from tableguard.policy.metadata.backups import DrillClaim, TableClaim

_PART: Final = "drill-"
_SEGMENTS: Final = 16
# How much later than it should be the canary may have been written when an export's window ended.
_LATE_SECONDS: Final = 300


class RestoreDrill(Construct):
    """Restores a backup on a schedule into a table of its own, checks it, reports what it found and deletes it.

    That the restored table equals its backup does not prove that the backup is good: a backup of an emptied table, or
    of last month, is equal too. So a drill also checks that the backup ends no longer ago than `oldest`, compares it
    with the last good drill, whose figures are kept in an SSM parameter, and looks for a canary that an independent
    writer (`CanaryWriter`) put into the original table shortly before the backup's end.

    The first drill has nothing to compare with. If a table is meant to shrink, drills fail until you raise
    `largest_fall` or delete the parameter (`parameter_name`).

    After a takeover, sealed exports contradict each other and every drill fails until the last false one has left the
    vault. `sealed_by` says up to when sealed exports are trusted, and drills prove those. It is part of the state
    machine, so only those who can deploy it can set it. {"sealed_by": moment} as the input of an execution started by
    hand tries a moment: such a drill reports what it found, but does not count.

    It tells of each drill by metrics (namespace "tableguard/backup"), an event ("tableguard.backup", "Restore drill")
    and a message to the topic, and alarms when one fails and when no good one was begun for `alarm_after`.

    `check_machine` checks any restored table of these targets with the same measure: start it with {"table": name}.
    With `test_restores` it is what `RestoreTesting` wants as its `validation`.

    A drill that is aborted cannot delete its table. A second machine, which reports every hour how old the last good
    drill is, deletes it after six hours, by its name and tag; not with `keep_failed`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        restore: TableRestore,
        schedule: scheduler.ScheduleExpression,
        alarm_after: cdk.Duration,
        canary: Canary | None = None,
        largest_fall: float = 0.2,
        oldest: cdk.Duration | None = None,
        sealed_by: datetime | None = None,
        keep_failed: bool = False,
        test_restores: bool = False,
        alarms_topic: sns.ITopic | None = None,
        timeout: cdk.Duration | None = None,
    ) -> None:
        """Drill a restore.

        Args:
            scope: The parent construct, in the stack of the restore or one beside it.
            construct_id: The construct's id, unique below its parent.
            restore: What is drilled. It needs a table_prefix: the drill's tables begin with that and "drill-".
            schedule: When.
            alarm_after: How old the last good drill may be before an alarm says so, one hour at least. More than the
                time between two drills and what one takes.
            canary: The item to find, which a `CanaryWriter` writes. When left out, whoever exports an old state again
                and again passes for as long as it does not shrink.
            largest_fall: The share by which count or bytes of the items may fall from one good drill to the next, from
                0 up to but not including 1.
            oldest: How long before a drill begins its backup may end, 30 minutes at least; 2 days when left out, since
                a `TableExport` exports once a day or more often. Take twice its `every`, and some hours for a large
                table. With `sealed_by`, how long before that moment.
            sealed_by: Up to when what was sealed is trusted, with its offset from UTC: the moment of a takeover. What
                was sealed later is left out, and so no drill proves what is newer, for as long as this is set. A moment
                that is still to come fails every drill. Everything is looked at when left out.
            keep_failed: Whether the table of a drill that failed is kept for inspection, and that of one that was
                killed. They are removed when left out.
            test_restores: Whether `check_machine` may also read the tables that AWS Backup restores for a test here,
                "awsbackup-restore-test-…". Where they have a customer-managed key, its policy has to let the check's
                functions use it. Not when left out.
            alarms_topic: Who is told of drills and alarms. Nobody when left out, and the alarms only show.
            timeout: How long a drill may take; the restore's own limit when left out.

        Raises:
            InvalidInputError: A restore without a prefix, a share, duration or moment that makes no sense, or a
                `sealed_by` for a restore that takes no sealed exports.
        """
        super().__init__(scope, construct_id)
        path = self.node.path
        self._restore = restore
        self._test_restores = test_restores
        self._prefix = f"{checked_prefix(restore, room=len(_PART))}{_PART}"
        check_largest_fall(path, largest_fall)
        check_alarm_after(path, alarm_after, schedule)
        check_canary(path, canary, restore.key)
        oldest_seconds = seconds_of(path, oldest)
        trusted = trusted_moment(self, sealed_by, origin=restore.origin)
        self._stack = cdk.Stack.of(self)
        self._name = cdk.Names.unique_resource_name(self, max_length=80, separator="-")
        self._parameter = f"/tableguard/drill/{self._name}"
        self._check_machine = self._checking(canary, largest_fall=largest_fall, oldest_seconds=oldest_seconds)
        self._machine = self._drilling(
            canary, trusted=trusted, keep_failed=keep_failed, topic=alarms_topic, timeout=timeout
        )
        self._watch = self._watching(keep_failed=keep_failed)
        if alarms_topic is not None:
            # With the topic's key, where it has one of its own.
            alarms_topic.grant_publish(self._machine.role)
        # They look at the drill's table and remove it, which a perimeter that restricts settings would deny.
        for cleaning in (self._machine,) if keep_failed else (self._machine, self._watch):
            restore.admit(cleaning.role)
        self._scheduled("Schedule", self._machine, schedule.expression_string, schedule.time_zone)
        self._scheduled("Watching", self._watch, "rate(1 hour)", None)
        self._alarms = drill_alarms(
            self,
            name=self._name,
            source=restore.source.name,
            prefix=self._prefix,
            drill=self._machine.machine,
            watch=self._watch.machine,
            after=alarm_after,
            topic=alarms_topic,
        )
        source = restore.source
        self._machine.describe(
            DrillClaim(
                source=TableClaim(account=source.account, region=source.region, table=source.name),
                schedule=schedule.expression_string,
                canary=canary is not None,
                largest_fall=largest_fall,
                oldest_minutes=oldest_seconds // 60,
                sealed_by=trusted,
                alarm_after_minutes=int(alarm_after.to_minutes()),
            )
        )

    @property
    def machine(self) -> sfn.StateMachine:
        """The machine of the drill."""
        return self._machine.machine

    @property
    def check_machine(self) -> sfn.StateMachine:
        """The machine that checks a restored table, whoever restored it."""
        return self._check_machine.machine

    @property
    def alarms(self) -> tuple[cloudwatch.Alarm, ...]:
        """The alarms: a drill failed, a drill or the sweep came to no good end (four), no good drill for too long."""
        return self._alarms

    @property
    def table_prefix(self) -> str:
        """What the names of its tables begin with."""
        return self._prefix

    @property
    def parameter_name(self) -> str:
        """The SSM parameter that keeps what the last good drill found. Without it, the next is like the first."""
        return self._parameter

    @property
    def _parameter_arn(self) -> str:
        return self._stack.format_arn(service="ssm", resource="parameter", resource_name=self._parameter[1:])

    def _checking(self, canary: Canary | None, *, largest_fall: float, oldest_seconds: int) -> BackupMachine:
        restore = self._restore
        # What went wrong with a segment is noted where the restore notes its problems.
        notes = {"WORK_BUCKET": restore.work_bucket.bucket_name}
        digest = self._function("Digest", "restore.digest", "dynamodb:Scan", notes)
        check = self._function("Look", "drill.check", "dynamodb:GetItem")
        machine = CheckMachine(
            tasks=tasks_in(self),
            parameter=self._parameter,
            digest=digest.function_arn,
            check=check.function_arn,
            problem=restore.problem_function,
            canary_key=canary.as_json if canary else None,
            largest_fall=largest_fall,
            oldest_seconds=oldest_seconds,
            segments=_SEGMENTS,
        )
        functions = [digest.function_arn, check.function_arn, restore.problem_function]
        statements = [_allow("lambda:InvokeFunction", functions), _allow("ssm:GetParameter", [self._parameter_arn])]
        return self._make("Check", machine.definition(), statements, maps=True)

    def _drilling(
        self,
        canary: Canary | None,
        *,
        trusted: str | None,
        keep_failed: bool,
        topic: sns.ITopic | None,
        timeout: cdk.Duration | None,
    ) -> BackupMachine:
        machine = DrillMachine(
            tasks=tasks_in(self),
            name=self._name,
            restore=self._restore.machine.state_machine_arn,
            check=self._check_machine.arn,
            prefix=self._prefix,
            arn_prefix=self._restore.targets.arn(self._prefix),
            parameter=self._parameter,
            sealed_by=trusted,
            canary_age=canary.every_minutes * 60 + _LATE_SECONDS if canary else None,
            topic=topic.topic_arn if topic else None,
            keep_failed=keep_failed,
            timeout_seconds=int((timeout or cdk.Duration.days(8)).to_seconds()),
        )
        return self._make("Machine", machine.definition(), self._running())

    def _watching(self, *, keep_failed: bool) -> BackupMachine:
        tables = DrillTables(
            drill=self._machine.arn,
            restore=self._restore.machine.state_machine_arn,
            prefix=self._prefix,
            arn_prefix=self._restore.targets.arn(self._prefix),
        )
        definition = watch_definition(
            tasks_in(self), name=self._name, parameter=self._parameter, tables=None if keep_failed else tables
        )
        statements = [
            _allow("ssm:GetParameter", [self._parameter_arn]),
            self._measuring(),
            *([] if keep_failed else self._sweeping()),
        ]
        return self._make("Watch", definition, statements)

    def _function(
        self, construct_id: str, handler: str, action: str, environment: Mapping[str, str] | None = None
    ) -> BackupFunction:
        role = iam.Role(self, f"{construct_id}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        key = self._restore.encryption_key
        statements = [
            *self._restore.targets.reading(action),
            *(self._restore.targets.encrypting(key.key_arn) if key is not None else []),
        ]
        if environment:
            statements += bucket_access(self._restore.work_bucket.bucket_arn, write=[PROBLEMS])
        if self._test_restores:
            tested = self._stack.format_arn(service="dynamodb", resource="table", resource_name=RESTORE_TEST_TABLES)
            statements.append(_allow(action, [tested]))
        role.attach_inline_policy(iam.Policy(role, "Reads", document=document(statements)))
        self._restore.admit(role)
        return BackupFunction(self, construct_id, handler=handler, role=role, environment=environment)

    def _running(self) -> list[Json]:
        stack = self._stack
        machines = [self._restore.machine, self.check_machine]
        executions = [executions_of(machine, ":*") for machine in machines]
        rule = stack.format_arn(
            service="events", resource="rule", resource_name="StepFunctionsGetEventsForStepFunctionsExecutionRule"
        )
        bus = stack.format_arn(service="events", resource="event-bus", resource_name="default")
        return [
            _allow("states:StartExecution", [machine.state_machine_arn for machine in machines]),
            _allow(["states:DescribeExecution", "states:StopExecution"], executions),
            # How Step Functions hears of the end. Source: Step Functions developer guide, "Start workflow executions".
            _allow(["events:PutTargets", "events:PutRule", "events:DescribeRule"], [rule]),
            _allow(["ssm:GetParameter", "ssm:PutParameter"], [self._parameter_arn]),
            *self._removing(),
            self._measuring(),
            _allow("events:PutEvents", [bus]),
        ]

    def _removing(self) -> list[Json]:
        tables = [f"{self._restore.targets.arn(self._prefix)}*"]
        return [
            _allow(["dynamodb:ListTagsOfResource", "dynamodb:DescribeTable"], tables),
            {
                **_allow("dynamodb:DeleteTable", tables),
                "Condition": {"Null": {f"aws:ResourceTag/{RESTORE_TAG}": "false"}},
            },
        ]

    def _sweeping(self) -> list[Json]:
        return [
            # The action knows no resource. Source: service authorization reference, Amazon DynamoDB.
            _allow("dynamodb:ListTables", ["*"]),
            _allow("states:DescribeExecution", [executions_of(self.machine, ":*")]),
            *self._removing(),
        ]

    @staticmethod
    def _measuring() -> Json:
        # The action knows no resource. Source: service authorization reference, Amazon CloudWatch.
        return {
            **_allow("cloudwatch:PutMetricData", ["*"]),
            "Condition": {"StringEquals": {"cloudwatch:namespace": NAMESPACE}},
        }

    def _make(
        self, construct_id: str, definition: Json, statements: Sequence[Json], *, maps: bool = False
    ) -> BackupMachine:
        policy = {"Version": VERSION, "Statement": list(statements)}
        return BackupMachine(self, construct_id, definition=definition, policy=policy, distributed=maps)

    def _scheduled(self, construct_id: str, machine: BackupMachine, expression: str, zone: cdk.TimeZone | None) -> None:
        home = Construct(self, construct_id)
        role = iam.Role(
            home,
            "Role",
            assumed_by=own_service(self, "scheduler.amazonaws.com"),
        )
        statements = [_allow("states:StartExecution", [machine.arn])]
        role.attach_inline_policy(iam.Policy(home, "Policy", document=document(statements)))
        scheduler.CfnSchedule(
            home,
            "Schedule",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            schedule_expression=expression,
            schedule_expression_timezone=zone.timezone_name if zone is not None else None,
            target=scheduler.CfnSchedule.TargetProperty(arn=machine.arn, role_arn=role.role_arn, input="{}"),
        )


def _allow(action: str | Sequence[str], resources: Sequence[str]) -> Json:
    return {"Effect": "Allow", "Action": action, "Resource": list(resources)}
