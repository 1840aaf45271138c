"""What watches the jobs of a backup plan: a count of each that completed or failed, and alarms on both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import (
    aws_cloudwatch as cloudwatch,
    aws_events as events,
    aws_events_targets as targets,
    aws_sns as sns,
    aws_stepfunctions as sfn,
)
from constructs import Construct

from tableguard.backup.alarms import absence, alarm, told_of, watch_failure
from tableguard.backup.aws_backup.job_machine import (
    BACKUPS,
    COMPLETED,
    COPIES,
    FAILED,
    NAMESPACE,
    SETTINGS,
    counting_machine,
)
from tableguard.backup.states.state_machine import BackupMachine
from tableguard.policy.conditions import Clause
from tableguard.policy.documents import AllowStatement, document

_HOUR: Final = cdk.Duration.hours(1)
_READ: Final = "read the job's message in AWS Backup"


class JobWatch(Construct):
    """Counts the jobs of AWS Backup for some tables, and rings when one fails, or none completes.

    AWS Backup's events are delivered at best effort. One that is lost makes an absence alarm ring in time, never keep
    silent. The metrics are in the namespace "tableguard/backup": CompletedBackups and FailedBackups by Table (its ARN),
    CompletedCopies and FailedCopies by Table and Vault (the ARN of the destination). Source: AWS Backup developer
    guide, "Monitoring AWS Backup events using Amazon EventBridge".
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        tables: Sequence[str],
        copies: Sequence[str],
        after_hours: int | None,
        topic: sns.ITopic | None,
    ) -> None:
        """Make the machine that counts, its rules and the alarms.

        Args:
            scope: The plan.
            construct_id: The construct's id, unique below its parent.
            tables: The ARNs of the tables.
            copies: The ARNs of the vaults that copies go to.
            after_hours: After how many hours without a completed job an alarm rings; None: there is no such alarm.
            topic: Who is told; nobody when None.
        """
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        ours = Clause("StringEquals", "cloudwatch:namespace", (NAMESPACE,))
        policy = document([AllowStatement(actions=("cloudwatch:PutMetricData",), resources=("*",), clauses=(ours,))])
        counting = counting_machine(partition=stack.partition)
        counter = BackupMachine(self, "Counter", definition=counting, policy=policy).machine
        watch_failure(self, "NotCounted", counter, "A job of AWS Backup was not counted", topic)
        kinds: list[tuple[str, str, dict[str, Any]]] = [("Backups", BACKUPS, {})]
        if copies:
            kinds.append(("Copies", COPIES, {"destinationBackupVaultArn": list(copies)}))
        for name, kind, more in kinds:
            for word, states in (("Completed", (COMPLETED,)), ("Failed", FAILED)):
                detail = {"resourceArn": list(tables), "state": list(states), **more}
                self._count(counter, f"{word}{name}", kind, detail, to_vault=bool(more))
        for number, table in enumerate(tables):
            self._watch(f"Backups{number}", "Backups", {"Table": table}, after_hours, topic)
            for other, vault in enumerate(copies):
                where = {"Table": table, "Vault": vault}
                self._watch(f"Copies{number}To{other}", "Copies", where, after_hours, topic)
        if topic is not None:
            self._watch_settings(topic)

    def _count(
        self, counter: sfn.IStateMachine, metric: str, kind: str, detail: Mapping[str, Any], *, to_vault: bool
    ) -> None:
        given: dict[str, object] = {"metric": metric, "table": events.EventField.from_path("$.detail.resourceArn")}
        if to_vault:
            given["vault"] = events.EventField.from_path("$.detail.destinationBackupVaultArn")
        rule = self._rule(metric, kind, detail)
        rule.add_target(targets.SfnStateMachine(counter, input=events.RuleTargetInput.from_object(given)))

    def _rule(self, construct_id: str, kind: str, detail: Mapping[str, Any] | None) -> events.Rule:
        pattern = events.EventPattern(source=["aws.backup"], detail_type=[kind], detail=detail)
        return events.Rule(self, construct_id, event_pattern=pattern)

    def _watch(
        self,
        construct_id: str,
        what: str,
        dimensions: Mapping[str, str],
        after_hours: int | None,
        topic: sns.ITopic | None,
    ) -> None:
        def metric(word: str) -> cloudwatch.Metric:
            return cloudwatch.Metric(
                namespace=NAMESPACE,
                metric_name=f"{word}{what}",
                dimensions_map=dimensions,
                period=_HOUR,
                statistic="Sum",
            )

        of = _words(dimensions.values())
        alarm(self, f"{construct_id}Failed", metric("Failed"), f"A job of AWS Backup failed ({of}): {_READ}.", topic)
        if after_hours is not None:
            none = f"No job of AWS Backup completed for {after_hours} hours ({of}): {_READ}."
            absence(self, f"{construct_id}Absent", metric("Completed"), none, after_hours=after_hours, topic=topic)

    def _watch_settings(self, topic: sns.ITopic) -> None:
        # What such an event holds is not documented, so every one is told of.
        told_of(topic, self._rule("SettingsChanged", SETTINGS, None))


def _words(values: Iterable[str]) -> str:
    return " to ".join(values)
