"""On-demand backups of tables on a schedule: the simple way, inside the table's own account and region."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import aws_cdk as cdk
from aws_cdk import (
    aws_dynamodb as dynamodb,
    aws_iam as iam,
    aws_scheduler as scheduler,
    aws_sns as sns,
    aws_stepfunctions as sfn,
)
from constructs import Construct

from tableguard.backup.alarms import absence, hours_of, watch_failure
from tableguard.backup.aws_backup.plan_tables import tables_here
from tableguard.backup.on_demand.machine import on_demand_machine
from tableguard.backup.service_trust import own_service
from tableguard.backup.states.state_machine import BackupMachine
from tableguard.policy import InvalidInputError, Role
from tableguard.policy.backup.backup_vaults import whole_days
from tableguard.policy.documents import AllowStatement, document
from tableguard.policy.metadata.backups import OnDemandClaim
from tableguard.policy.names import role_name as checked_role_name
from tableguard.policy.perimeter import Exemption, RestrictedActions

_SCHEDULE: Final = r"rate\([1-9]\d* (minutes?|hours?|days?)\)|cron\(\S+( \S+){5}\)"
_PREFIX: Final = r"[a-zA-Z0-9_.-]{3,200}"
_RUN_HOURS: Final = 6
_MOST_KEPT: Final = 10_000
_MOST_TABLES: Final = 100


class OnDemandBackups(Construct):
    """Backups of tables by DynamoDB itself, on a schedule, with a machine that removes its own old ones.

    They survive a deleted table, and nothing more: they are in the table's account and region, whoever may call
    dynamodb:DeleteBackup there deletes them, and they carry no policy of the table. Put `ProtectBackups` over the
    account, with `role` among its exempt ones. For a copy in another account use a `TableBackupPlan`, or exports and a
    `SealedVault`.

    A backup is the machine's own if its name is `name_prefix` and a time, whole; it removes no other. It removes what
    is older than `keep_days`, and only while at least `keep_at_least` younger ones are good. A run that is repeated
    makes one backup more, which does no harm.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        tables: Sequence[dynamodb.ITable | dynamodb.ITableV2],
        name_prefix: str,
        role_name: str,
        schedule: str,
        keep_days: int,
        alarm_after: cdk.Duration,
        keep_at_least: int = 3,
        alarms_topic: sns.ITopic | None = None,
    ) -> None:
        """Make the machine and its schedule.

        Args:
            scope: The parent construct, in a stack of the tables' account and region.
            construct_id: The construct's id, unique below its parent.
            tables: The tables, 1 to 100.
            name_prefix: What the names of the backups begin with, 3 to 200 of a-z, A-Z, 0-9, '-', '_', '.'. Another
                machine for the same tables needs another one. After a change, the backups with the old one stay for
                good.
            role_name: The name of the role that the machine works as, so that perimeters can name it.
            schedule: When, as an expression of EventBridge Scheduler in UTC: "rate(1 day)", "cron(0 5 * * ? *)".
            keep_days: How old a backup becomes: 1 to 36,500 days.
            alarm_after: After how long without a successful run an alarm rings: whole hours, 1 to 168; more than the
                time between two runs.
            keep_at_least: How many good backups younger than `keep_days` must be there before an older one is
                removed: 1 to 10,000. 3 when left out. With more than the schedule makes in `keep_days`, nothing is ever
                removed.
            alarms_topic: Who is told by the alarms; nobody when left out.

        Raises:
            InvalidInputError: One of them is malformed or out of bounds, or a table of another account or region.
        """
        super().__init__(scope, construct_id)
        path, stack = self.node.path, cdk.Stack.of(self)
        known = tables_here(self, tables, most=_MOST_TABLES)
        self._check(name_prefix, schedule, keep_at_least)
        whole_days(f"keep_days of {path}", keep_days, least=1)
        after = hours_of(f"alarm_after of {path}", alarm_after)
        arns = [table.table_arn for table in known]
        self._principal = Role(account=stack.account, name=checked_role_name(f"the role_name of {path}", role_name))
        definition = on_demand_machine(
            tables=arns,
            prefix=name_prefix,
            keep_days=keep_days,
            keep_at_least=keep_at_least,
            hours=_RUN_HOURS,
            partition=stack.partition,
        )
        backups = tuple(f"{arn}/backup/*" for arn in arns)
        policy = document(
            [
                AllowStatement(actions=("dynamodb:CreateBackup",), resources=tuple(arns)),
                AllowStatement(actions=("dynamodb:DeleteBackup", "dynamodb:DescribeBackup"), resources=backups),
                # It knows no resources. Source: service authorization reference, Amazon DynamoDB.
                AllowStatement(actions=("dynamodb:ListBackups",), resources=("*",)),
            ]
        )
        made = BackupMachine(self, "Machine", definition=definition, policy=policy, role_name=role_name)
        self._machine = made.machine
        made.describe(
            OnDemandClaim(
                tables=tuple(arns),
                schedule=schedule,
                keep_days=keep_days,
                keep_at_least=keep_at_least,
                alarm_after_minutes=after * 60,
            )
        )
        self._schedule(schedule)
        hour = cdk.Duration.hours(1)
        watch_failure(self, "Failed", self._machine, "A table was not backed up", alarms_topic)
        absence(
            self,
            "Absent",
            self._machine.metric_succeeded(period=hour),
            f"No run of {path} has backed up every table for {after} hours.",
            after_hours=after,
            topic=alarms_topic,
        )

    @property
    def machine(self) -> sfn.StateMachine:
        """The machine. It takes no input: an execution more is a backup more."""
        return self._machine

    @property
    def role(self) -> Role:
        """The role that it works as."""
        return self._principal

    def exemption(self, *, reason: str) -> Exemption:
        """Its exemption from a `Perimeter` of the tables: it calls from no network of yours.

        It is for backups alone: it reads no item.

        Args:
            reason: Why, in a reviewer's words.
        """
        return Exemption(principal=self._principal, actions=RestrictedActions.BACKUP, reason=reason)

    def _check(self, name_prefix: str, schedule: str, keep_at_least: int) -> None:
        path = self.node.path
        if not isinstance(name_prefix, str) or not re.fullmatch(_PREFIX, name_prefix):
            raise InvalidInputError(
                f"the name_prefix of {path}",
                value=name_prefix,
                allowed="3 to 200 of a-z, A-Z, 0-9, '-', '_', '.', written down",
            )
        if not isinstance(schedule, str) or not re.fullmatch(_SCHEDULE, schedule):
            raise InvalidInputError(
                f"the schedule of {path}", value=schedule, allowed='"rate(1 day)" or "cron(0 5 * * ? *)", of six fields'
            )
        if (
            isinstance(keep_at_least, bool)
            or not isinstance(keep_at_least, int)
            or not 1 <= keep_at_least <= _MOST_KEPT
        ):
            raise InvalidInputError(
                f"keep_at_least of {path}",
                value=keep_at_least,
                allowed=f"a whole number from 1 to {_MOST_KEPT:,}",
                fix="Without one, a clean-up could remove the last good backup.",
            )

    def _schedule(self, expression: str) -> None:
        starter = iam.Role(
            self,
            "Starter",
            assumed_by=own_service(self, "scheduler.amazonaws.com"),
        )
        self._machine.grant_start_execution(starter)
        scheduler.CfnSchedule(
            self,
            "Schedule",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            schedule_expression=expression,
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self._machine.state_machine_arn,
                role_arn=starter.role_arn,
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=3600, maximum_retry_attempts=10
                ),
            ),
        )
