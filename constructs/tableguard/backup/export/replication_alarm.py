"""What rings when objects do not reach the bucket that they are replicated into."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch, aws_sns as sns
from constructs import Construct

from tableguard.backup.alarms import alarm


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
    failed = cloudwatch.Metric(
        namespace="AWS/S3",
        metric_name="OperationsFailedReplication",
        dimensions_map={"SourceBucket": source, "DestinationBucket": destination, "RuleId": rule_id},
        statistic="Sum",
        period=cdk.Duration.minutes(5),
    )
    return alarm(scope, "Failed", failed, f"Objects failed to replicate to {destination}", topic)
