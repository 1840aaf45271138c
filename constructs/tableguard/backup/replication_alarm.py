"""What rings when objects do not reach the bucket that they are replicated into."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from tableguard.backup.alarms import tell


def replication_alarm(
    scope: Construct, *, source: str, destination: str, rule_id: str, topic: sns.ITopic | None
) -> cloudwatch.Alarm:
    """An alarm for each object that S3 could not replicate. S3 does not try it again.

    S3 counts them only where the rule has metrics on. Source: S3 user guide, "Monitoring replication with metrics,
    event notifications, and statuses".

    Args:
        scope: The parent construct, in the source's stack: S3 counts there.
        source: The source's name.
        destination: The destination's name.
        rule_id: The replication rule's id.
        topic: Who is told; nobody when None.
    """
    alarm = cloudwatch.Metric(
        namespace="AWS/S3",
        metric_name="OperationsFailedReplication",
        dimensions_map={"SourceBucket": source, "DestinationBucket": destination, "RuleId": rule_id},
        statistic="Sum",
        period=cdk.Duration.minutes(5),
    ).create_alarm(
        scope,
        "Failed",
        alarm_description=f"Objects failed to replicate to {destination}",
        threshold=1,
        evaluation_periods=1,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    tell(topic, alarm)
    return alarm
