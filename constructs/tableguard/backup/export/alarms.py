"""The alarms of exports: on failure, on exports that fall behind, and on their absence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch, aws_sns as sns
from constructs import Construct

from tableguard.backup.alarms import tell
from tableguard.backup.export.machine import AGE, COMPLETED, DIMENSION, NAMESPACE

_HOUR: Final = cdk.Duration.hours(1)
_FIVE_MINUTES: Final = cdk.Duration.minutes(5)
_FAILURES: Final = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")
_AT_LEAST: Final = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD


class ExportAlarms(Construct):
    """Rings when an execution fails, and for each table when its newest export is old or none completes at all.

    Absence is counted in whole hours, each without a completed export: where nothing is measured any more, because the
    schedule, the machine or its role is gone, that is an hour without one. The alarm may ring some hours late:
    CloudWatch looks at more periods than it evaluates, and what is missing counts only where there are too few others.
    Source: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data".
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        machine_arn: str,
        tables: Mapping[str, str],
        alarm_after: cdk.Duration,
        topic: sns.ITopic | None,
    ) -> None:
        """Make the alarms.

        Args:
            scope: The parent construct.
            construct_id: The construct's id, unique below its parent.
            machine_arn: The state machine that exports.
            tables: The tables' names, by an id for each.
            alarm_after: How long a table may be without a completed export, in whole hours.
            topic: Who is told; nobody when None.
        """
        super().__init__(scope, construct_id)
        self._topic = topic
        hours = alarm_after.to_hours()
        ended = {
            f"m{position}": cloudwatch.Metric(
                namespace="AWS/States",
                metric_name=name,
                dimensions_map={"StateMachineArn": machine_arn},
                statistic="Sum",
                period=_FIVE_MINUTES,
            )
            for position, name in enumerate(_FAILURES)
        }
        self._alarm(
            "Failed",
            cloudwatch.MathExpression(
                expression=f"SUM([{', '.join(f'FILL({name}, 0)' for name in ended)}])",
                using_metrics=ended,
                period=_FIVE_MINUTES,
                label="failed exports",
            ),
            "An export failed. The next execution tries the same window again; read why in the last execution.",
            threshold=1,
            periods=1,
            comparison=_AT_LEAST,
            missing=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        for construct_id_of_table, table in tables.items():
            here = Construct(self, construct_id_of_table)
            self._alarm(
                "Absent",
                self._metric(COMPLETED, "Sum", table),
                f"No export of table {table} has completed for {hours} hours.",
                threshold=1,
                periods=int(hours),
                comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
                missing=cloudwatch.TreatMissingData.BREACHING,
                scope=here,
            )
            self._alarm(
                "Old",
                self._metric(AGE, "Maximum", table),
                f"The newest export of table {table} is older than {hours} hours: exports complete, and fall behind.",
                threshold=int(hours) * 3600,
                periods=1,
                comparison=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
                # Between two executions there is nothing to measure: what was measured last holds.
                missing=cloudwatch.TreatMissingData.IGNORE,
                scope=here,
            )

    def _metric(self, name: str, statistic: str, table: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={DIMENSION: table},
            statistic=statistic,
            period=_HOUR,
        )

    def _alarm(
        self,
        construct_id: str,
        metric: cloudwatch.IMetric,
        description: str,
        *,
        threshold: int,
        periods: int,
        comparison: cloudwatch.ComparisonOperator,
        missing: cloudwatch.TreatMissingData,
        scope: Construct | None = None,
    ) -> None:
        alarm = cloudwatch.Alarm(
            scope or self,
            construct_id,
            metric=metric,
            alarm_description=description,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=comparison,
            treat_missing_data=missing,
        )
        tell(self._topic, alarm)
