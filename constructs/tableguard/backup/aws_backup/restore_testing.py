"""Test restores by AWS Backup, validated by a machine of one's own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import aws_cdk as cdk
from aws_cdk import (
    aws_backup as backup,
    aws_events as events,
    aws_events_targets as targets,
    aws_iam as iam,
    aws_sns as sns,
    aws_stepfunctions as sfn,
)
from constructs import Construct

from tableguard.backup.alarms import absence, hours_of, told_of, watch_failure
from tableguard.backup.aws_backup.job_machine import COMPLETED, FAILED, RESTORES, validating_machine
from tableguard.backup.states.state_machine import BackupMachine
from tableguard.policy import InvalidInputError
from tableguard.policy.backup.backup_rules import cron
from tableguard.policy.backup.backup_vaults import whole_days
from tableguard.policy.backup.service_roles import restore_testing_policy
from tableguard.policy.documents import AllowStatement, document
from tableguard.policy.names import role_name as checked_role_name

_NAME: Final = r"[a-zA-Z0-9_]{1,50}"
_WEEK: Final = 168
MOST_TABLES: Final = 30
"""How many resources a restore testing selection names. Source: AWS Backup API reference,
RestoreTestingSelectionForCreate."""


@dataclass(frozen=True, kw_only=True)
class RestoreTesting:
    """How backups are proved: AWS Backup restores each table from its newest one, and a machine looks at the result.

    AWS Backup makes a table "awsbackup-restore-test-…", starts `validation`, and deletes the table when that has ended,
    at the latest after `validation_hours`. The table carries no policy of the original: whoever may read every table of
    the account can read it while it is there.

    `validation` is given {"table": name of the restored table, "source": ARN of the original, "recovery_point",
    "restore_job"} and has passed if its execution succeeds. "source" and "recovery_point" are null where the event of
    AWS Backup leaves them out: of a job's end it documents the job and the table. It works with a role of its own,
    which needs the rights to read tables of the name "awsbackup-restore-test-*". Sources: AWS Backup developer guide,
    "Restore testing" and "Restore testing validation".

    Args:
        name: The name of the restore testing plan: 1 to 50 of a-z, A-Z, 0-9, '_'.
        schedule: When, as a cron expression of six fields in UTC.
        role_name: The name of the role that restores, so that perimeters can name it.
        validation: The machine that validates: the `check_machine` of a `RestoreDrill(…, test_restores=True)` of the
            same account and region, or one of yours.
        alarm_after: After how long without a validated restore an alarm rings: whole hours, 1 to 168. None: no such
            alarm, for tests that run more rarely than once a week.
        validation_hours: How long the table stays for it, 1 to 168 hours; 8 when left out.
        window_days: From how many days back the newest backup is taken, 1 to 365; 30 when left out.
        start_within_hours: How late a test may start, 1 to 168 hours; 24 when left out.

    Raises:
        InvalidInputError: One of them is malformed or out of bounds.
    """

    name: str
    schedule: str
    role_name: str
    validation: sfn.IStateMachine
    alarm_after: cdk.Duration | None
    validation_hours: int = 8
    window_days: int = 30
    start_within_hours: int = 24

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not re.fullmatch(_NAME, self.name):
            raise InvalidInputError(
                "the name of a RestoreTesting", value=self.name, allowed="1 to 50 of a-z, A-Z, 0-9, '_'"
            )
        cron("the schedule of a RestoreTesting", self.schedule)
        checked_role_name("the role_name of a RestoreTesting", self.role_name)
        if not hasattr(self.validation, "state_machine_arn"):
            raise InvalidInputError(
                "the validation of a RestoreTesting", value=self.validation, allowed="a state machine"
            )
        if self.alarm_after is not None:
            hours_of("alarm_after of a RestoreTesting", self.alarm_after)
        for what, hours in (
            ("validation_hours", self.validation_hours),
            ("start_within_hours", self.start_within_hours),
        ):
            if isinstance(hours, bool) or not isinstance(hours, int) or not 1 <= hours <= _WEEK:
                raise InvalidInputError(
                    f"{what} of a RestoreTesting", value=hours, allowed="a whole number of hours from 1 to 168"
                )
        whole_days("window_days of a RestoreTesting", self.window_days, least=1, most=365)


class RestoreTests(Construct):
    """The resources of a `RestoreTesting`, made by a `TableBackupPlan`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        testing: RestoreTesting,
        tables: Sequence[str],
        vault: str,
        keys: Sequence[str],
        topic: sns.ITopic | None,
    ) -> None:
        """Make the restore testing plan, the machine around the validation, and their alarms.

        Args:
            scope: The plan.
            construct_id: The construct's id, unique below its parent.
            testing: How backups are proved.
            tables: The ARNs of the tables.
            vault: The ARN of the vault whose backups are proved.
            keys: The ARNs of the customer-managed keys of vault and tables.
            topic: Who is told; nobody when None.

        Raises:
            InvalidInputError: More than 30 tables.
        """
        super().__init__(scope, construct_id)
        if len(tables) > MOST_TABLES:
            raise InvalidInputError(
                f"the tables of {self.node.path}",
                value=len(tables),
                allowed=f"at most {MOST_TABLES} with test restores",
            )
        stack = cdk.Stack.of(self)
        self._testing = testing
        role = iam.CfnRole(
            self,
            "Role",
            role_name=testing.role_name,
            assume_role_policy_document=assumed_by_backup(),
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name="TestRestores",
                    policy_document=restore_testing_policy(
                        keys=keys, partition=stack.partition, region=stack.region, account=stack.account
                    ),
                )
            ],
        )
        self._plan = backup.CfnRestoreTestingPlan(
            self,
            "Plan",
            restore_testing_plan_name=testing.name,
            schedule_expression=testing.schedule,
            start_window_hours=testing.start_within_hours,
            recovery_point_selection=backup.CfnRestoreTestingPlan.RestoreTestingRecoveryPointSelectionProperty(
                algorithm="LATEST_WITHIN_WINDOW",
                include_vaults=[vault],
                recovery_point_types=["SNAPSHOT"],
                selection_window_days=testing.window_days,
            ),
        )
        selection = backup.CfnRestoreTestingSelection(
            self,
            "Selection",
            restore_testing_plan_name=testing.name,
            restore_testing_selection_name=testing.name,
            iam_role_arn=role.attr_arn,
            protected_resource_type="DynamoDB",
            protected_resource_arns=list(tables),
            validation_window_hours=testing.validation_hours,
        )
        selection.node.add_dependency(self._plan)
        self._machine = self._wrapped()
        self._watch(topic)

    @property
    def machine(self) -> sfn.StateMachine:
        """The machine that has a restored table validated and tells AWS Backup what came of it."""
        return self._machine

    @property
    def plan(self) -> backup.CfnRestoreTestingPlan:
        """The restore testing plan."""
        return self._plan

    def _wrapped(self) -> sfn.StateMachine:
        stack, validation = cdk.Stack.of(self), self._testing.validation.state_machine_arn
        execution = cdk.Fn.join(
            ":",
            [
                "arn",
                stack.partition,
                "states",
                stack.region,
                stack.account,
                "execution",
                cdk.Fn.select(6, cdk.Fn.split(":", validation)),
                "*",
            ],
        )
        # How Step Functions waits for an execution. Source: Step Functions developer guide, "Start Step Functions
        # workflow executions", IAM policies.
        rule = f"arn:{stack.partition}:events:{stack.region}:{stack.account}:rule"
        policy = document(
            [
                AllowStatement(actions=("states:StartExecution",), resources=(validation,)),
                AllowStatement(actions=("states:DescribeExecution", "states:StopExecution"), resources=(execution,)),
                AllowStatement(
                    actions=("events:DescribeRule", "events:PutRule", "events:PutTargets"),
                    resources=(f"{rule}/StepFunctionsGetEventsForStepFunctionsExecutionRule",),
                ),
                # It knows no resources. Source: service authorization reference, AWS Backup.
                AllowStatement(actions=("backup:PutRestoreValidationResult",), resources=("*",)),
            ]
        )
        definition = validating_machine(
            validation=validation, hours=self._testing.validation_hours, partition=stack.partition
        )
        return BackupMachine(self, "Validate", definition=definition, policy=policy).machine

    def _watch(self, topic: sns.ITopic | None) -> None:
        ours = {"restoreTestingPlanArn": [self._plan.attr_restore_testing_plan_arn]}
        restored = self._rule("Restored", {"status": [COMPLETED], **ours})
        restored.add_target(
            targets.SfnStateMachine(self._machine, input=events.RuleTargetInput.from_event_path("$.detail"))
        )
        lost = self._rule("NotRestored", {"status": list(FAILED), **ours})
        if topic is not None:
            told_of(topic, lost)
        watch_failure(self, "NotValidated", self._machine, "A restored table did not pass its validation", topic)
        if self._testing.alarm_after is not None:
            hours = hours_of("alarm_after of a RestoreTesting", self._testing.alarm_after)
            absence(
                self,
                "Absent",
                self._machine.metric_succeeded(period=cdk.Duration.hours(1)),
                f"No restore of a backup was validated for {hours} hours: read the restore testing jobs in AWS Backup.",
                after_hours=hours,
                topic=topic,
            )

    def _rule(self, construct_id: str, detail: dict[str, list[str]]) -> events.Rule:
        pattern = events.EventPattern(source=["aws.backup"], detail_type=[RESTORES], detail=detail)
        return events.Rule(self, construct_id, event_pattern=pattern)


def assumed_by_backup() -> dict[str, object]:
    """The trust policy of a role that AWS Backup works with.

    Without a condition on the source: whether AWS Backup sends aws:SourceAccount when it assumes a role is not
    documented, and who names the role in a plan needs iam:PassRole for it, in its own account.
    """
    statement = {"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}
