"""The alarms of a drill."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch, aws_sns as sns, aws_stepfunctions as sfn
from constructs import Construct

from tableguard.backup.alarms import tell
from tableguard.backup.drill.report import BAD, NAMESPACE
from tableguard.backup.drill.watch import AGE


def drill_alarms(
    scope: Construct,
    *,
    name: str,
    source: str,
    prefix: str,
    drill: sfn.StateMachine,
    watch: sfn.StateMachine,
    after: cdk.Duration,
    topic: sns.ITopic | None,
) -> tuple[cloudwatch.Alarm, ...]:
    """Make the alarms: a drill failed, a machine of it came to no good end, no good drill for too long.

    Args:
        scope: The drill.
        name: What its metrics call it.
        source: The name of the table whose backup it restores.
        prefix: What the names of its tables begin with.
        drill: Its machine.
        watch: The hourly one.
        after: How old the last good drill may be.
        topic: Who is told; None for nobody.
    """
    hour = cdk.Duration.hours(1)

    def ours(metric: str, statistic: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=metric,
            dimensions_map={"Drill": name},
            statistic=statistic,
            period=hour,
        )

    failed = ours(BAD, "Sum").create_alarm(
        scope,
        "Failed",
        alarm_description=f"A restore drill of {source} failed: its backup may be of no use.",
        threshold=1,
        evaluation_periods=1,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    # A drill that fails in its own states does not come to saying so by the first metric.
    ends = {
        "Broken": drill.metric_failed(period=hour),
        "TimedOut": drill.metric_timed_out(period=hour),
        "Aborted": drill.metric_aborted(period=hour),
        # The hourly one cannot remove what a killed drill has left.
        "Unswept": watch.metric_failed(period=hour),
    }
    ended = [
        metric.create_alarm(
            scope,
            how,
            alarm_description=f"A restore drill of {source} came to no good end. A table whose "
            f"name begins with {prefix} may be left.",
            threshold=1,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        for how, metric in ends.items()
    ]
    absent = ours(AGE, "Maximum").create_alarm(
        scope,
        "Absent",
        alarm_description=f"No good restore drill of {source} for too long.",
        threshold=after.to_hours(integral=False),
        # Three hours without a figure: the one that measures is dead, or there never was a good drill.
        evaluation_periods=3,
        datapoints_to_alarm=3,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
    )
    alarms = (failed, *ended, absent)
    tell(topic, *alarms)
    return alarms
