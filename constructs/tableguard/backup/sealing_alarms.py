"""What rings when a vault stops sealing, or is being filled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from tableguard.backup.sealing_machine import ACCOUNT, MISSING, NAMESPACE, SEALED, TABLE, VAULT
from tableguard.policy import InvalidInputError
from tableguard.policy.backup import ReplicationSource, SourceQuota

_HOUR: Final = cdk.Duration.hours(1)
_MOST_HOURS: Final = (
    7 * 24
)  # Source: CloudWatch user guide, "Using Amazon CloudWatch alarms": periods of an hour or more
_FAILURES: Final = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted", "ExecutionThrottled")


class SealingAlarms(Construct):
    """The alarms of a `SealedVault`: a failure, an absence, a window that is missing, a flood."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        sources: Sequence[ReplicationSource],
        quota: SourceQuota,
        intake_name: str,
        sealed_name: str,
        machines: Sequence[str],
        alarm_after: cdk.Duration,
    ) -> None:
        """Make them.

        Args:
            scope: The vault.
            construct_id: The construct's id.
            sources: Who sends backups. Each table that a source names has an alarm of its own, a source that names
                none one for all of its account.
            quota: What one source may send in a day.
            intake_name: The intake's name.
            sealed_name: The sealed bucket's name.
            machines: ARNs of the state machines that must not fail.
            alarm_after: How long nothing may be sealed.

        Raises:
            InvalidInputError: No whole number of hours, or more than 7 days.
        """
        super().__init__(scope, construct_id)
        hours = alarm_after.to_hours(integral=False)
        if hours % 1 or not 1 <= hours <= _MOST_HOURS:
            raise InvalidInputError(
                f"alarm_after of {scope.node.path}",
                value=f"{hours} hours",
                allowed=f"1 to {_MOST_HOURS} hours, as a whole number",
            )
        self._hours = int(hours)
        self._vault = sealed_name
        accounts = {source.account for source in sources}
        self._alarms = (
            self._failure(machines),
            *(self._absence(account, table) for account, table in _watched(sources)),
            *(self._hole(account, table) for account, table in _watched(sources)),
            self._flood(intake_name, quota.bytes_per_day * len(accounts)),
        )

    @property
    def alarms(self) -> tuple[cloudwatch.Alarm, ...]:
        """All of them."""
        return self._alarms

    def _failure(self, machines: Sequence[str]) -> cloudwatch.Alarm:
        metrics = {
            f"m{number}": cloudwatch.Metric(
                namespace="AWS/States",
                metric_name=name,
                dimensions_map={"StateMachineArn": machine},
                statistic="Sum",
                period=cdk.Duration.minutes(5),
            )
            for number, (machine, name) in enumerate((m, f) for m in machines for f in _FAILURES)
        }
        return cloudwatch.MathExpression(
            expression=f"SUM([{', '.join(f'FILL({name}, 0)' for name in metrics)}])",
            using_metrics=metrics,
            label="failed executions",
            period=cdk.Duration.minutes(5),
        ).create_alarm(
            self,
            "Failed",
            alarm_description=f"Sealing or sweeping of {self._vault} failed, or refused an export: see the executions",
            threshold=1,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _absence(self, account: str, table: str | None) -> cloudwatch.Alarm:
        return self._metric(SEALED, "Sum", account, table).create_alarm(
            self,
            f"Absent{account}{table or ''}",
            alarm_description=(
                f"No backup of {_what(account, table)} has been sealed in {self._vault} for {self._hours} hours"
            ),
            threshold=1,
            evaluation_periods=self._hours,
            datapoints_to_alarm=self._hours,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )

    def _hole(self, account: str, table: str | None) -> cloudwatch.Alarm:
        """A sweep finds it hours after the next window was sealed; what comes late until then is no hole."""
        return self._metric(MISSING, "Maximum", account, table).create_alarm(
            self,
            f"Missing{account}{table or ''}",
            alarm_description=(
                f"Between the backups of {_what(account, table)} in {self._vault} a window is missing, and no restore "
                "goes past it until the next full export: the output of the last sweep names it"
            ),
            threshold=1,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            # Between two sweeps there is nothing to measure: what was measured last holds.
            treat_missing_data=cloudwatch.TreatMissingData.IGNORE,
        )

    def _metric(self, name: str, statistic: str, account: str, table: str | None = None) -> cloudwatch.Metric:
        dimensions = {VAULT: self._vault, ACCOUNT: account, **({TABLE: table} if table is not None else {})}
        return cloudwatch.Metric(
            namespace=NAMESPACE, metric_name=name, dimensions_map=dimensions, statistic=statistic, period=_HOUR
        )

    def _flood(self, intake_name: str, most: int) -> cloudwatch.Alarm:
        """S3 reports a bucket's size once a day, so a flood is seen a day later; the quota bounds what is sealed."""
        size = cloudwatch.Metric(
            namespace="AWS/S3",
            metric_name="BucketSizeBytes",
            dimensions_map={"BucketName": intake_name, "StorageType": "StandardStorage"},
            statistic="Average",
            period=cdk.Duration.days(1),
        )
        return cloudwatch.MathExpression(
            expression="DIFF(size)", using_metrics={"size": size}, label="bytes more than a day ago",
            period=cdk.Duration.days(1),
        ).create_alarm(
            self,
            "Flooded",
            alarm_description=f"The intake {intake_name} grew by more than the quota of all its sources in a day",
            threshold=most,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )  # fmt: skip


def _what(account: str, table: str | None) -> str:
    return f"account {account}" if table is None else f"table {table} of account {account}"


def _watched(sources: Sequence[ReplicationSource]) -> Iterator[tuple[str, str | None]]:
    """Each account and table once, whichever role sends it."""
    seen: dict[tuple[str, str | None], None] = {}
    for source in sources:
        for table in source.tables if source.tables is not None else (None,):
            seen[source.account, table] = None
    yield from seen
