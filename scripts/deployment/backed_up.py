"""What backups are made of: asked for by a template, and found in an account."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from scripts.deployment.accounts import Accounts
from scripts.deployment.documents import normal
from scripts.deployment.plan import Json, Place

_Properties = Mapping[str, Any]

# What S3 answers where a bucket has none.
_NONE = (
    "NoSuchBucketPolicy",
    "NoSuchLifecycleConfiguration",
    "ObjectLockConfigurationNotFoundError",
    "OwnershipControlsNotFoundError",
    "ReplicationConfigurationNotFoundError",
    "NoSuchPublicAccessBlockConfiguration",
    "ServerSideEncryptionConfigurationNotFoundError",
)
_ALARM = ("Dimensions", "ExtendedStatistic", "MetricName", "Namespace", "Period", "Statistic")


# --- What the templates ask for


def _asked_bucket(said: Json) -> _Properties:
    lock = said.get("ObjectLockConfiguration", {})
    events = said.get("NotificationConfiguration", {}).get("EventBridgeConfiguration", {})
    return {
        "policy": normal(said["attached"]),
        "object lock": lock.get("Rule", {}).get("DefaultRetention") if said.get("ObjectLockEnabled") else None,
        "versioning": said.get("VersioningConfiguration", {}).get("Status"),
        "replication": _replication(said.get("ReplicationConfiguration")),
        "lifecycle": sorted(
            json.dumps(_rule(each), sort_keys=True) for each in said.get("LifecycleConfiguration", {}).get("Rules", ())
        ),
        "encryption": [
            (
                each["ServerSideEncryptionByDefault"]["SSEAlgorithm"],
                each["ServerSideEncryptionByDefault"].get("KMSMasterKeyID"),
                each.get("BlockedEncryptionTypes", {}).get("EncryptionType", []),
            )
            for each in said["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        ],
        "public access": said["PublicAccessBlockConfiguration"],
        "ownership": [each["ObjectOwnership"] for each in said["OwnershipControls"]["Rules"]],
        "events": events.get("EventBridgeEnabled", False),
    }


def _rule(said: Json) -> Json:
    """A rule of a lifecycle, in the template's words or the API's; without an id of S3's own choice."""
    days = said.get("ExpirationInDays", said.get("Expiration", {}).get("Days"))
    markers = said.get("ExpiredObjectDeleteMarker", said.get("Expiration", {}).get("ExpiredObjectDeleteMarker"))
    return {
        "status": said["Status"],
        "days": days,
        "markers": bool(markers),
        "noncurrent": said.get("NoncurrentVersionExpiration"),
        "uploads": said.get("AbortIncompleteMultipartUpload"),
        "colder": [each for key in ("Transitions", "NoncurrentVersionTransitions") for each in said.get(key, ())],
        "below": said.get("Prefix") or said.get("Filter", {}).get("Prefix") or "",
        "tags": said.get("TagFilters") or said.get("Filter", {}).get("Tag") or said.get("Filter", {}).get("And"),
    }


def _replication(said: Json | None) -> Any:
    if said is None:
        return None
    return {
        "role": said["Role"],
        "rules": [
            {
                "status": rule["Status"],
                "to": rule["Destination"]["Bucket"],
                "key": rule["Destination"].get("EncryptionConfiguration"),
                "metrics": rule["Destination"].get("Metrics", {}).get("Status"),
                "delete markers": rule["DeleteMarkerReplication"]["Status"],
                "below": rule.get("Filter", {}).get("Prefix", ""),
            }
            for rule in said["Rules"]
        ],
    }


def _asked_machine(said: Json) -> _Properties:
    return {
        "definition": json.loads(said["DefinitionString"]),
        "role": said["RoleArn"],
        "type": said.get("StateMachineType", "STANDARD"),
        "log": [each["CloudWatchLogsLogGroup"]["LogGroupArn"] for each in said["LoggingConfiguration"]["Destinations"]],
        "level": said["LoggingConfiguration"]["Level"],
        "data in the log": said["LoggingConfiguration"]["IncludeExecutionData"],
        "traces": said.get("TracingConfiguration", {}).get("Enabled", False),
    }


def _asked_schedule(said: Json) -> _Properties:
    return {
        "expression": said["ScheduleExpression"],
        "zone": said.get("ScheduleExpressionTimezone", "UTC"),
        "state": said.get("State", "ENABLED"),
        "target": _target(said["Target"]),
    }


def _target(said: Json) -> Json:
    retries = said.get("RetryPolicy", {})
    return {
        "arn": said["Arn"],
        "role": said["RoleArn"],
        "input": json.loads(said["Input"]) if "Input" in said else None,
        # What AWS takes when nothing is said. Source: EventBridge Scheduler API reference, RetryPolicy.
        "seconds": int(retries.get("MaximumEventAgeInSeconds", 86_400)),
        "attempts": int(retries.get("MaximumRetryAttempts", 185)),
    }


def _asked_alarm(said: Json) -> _Properties:
    return _alarm(said)


def _alarm(said: Json) -> _Properties:
    return {
        "metric": {key: said[key] for key in _ALARM if said.get(key)} if "MetricName" in said else None,
        "metrics": sorted(json.dumps(each, sort_keys=True) for each in said.get("Metrics", ())),
        "threshold": f"{said['ComparisonOperator']} {float(said['Threshold'])}",
        "periods": (said["EvaluationPeriods"], said.get("DatapointsToAlarm")),
        "without data": said.get("TreatMissingData", "missing"),
        "actions": said.get("AlarmActions", []),
        "actions enabled": said.get("ActionsEnabled", True),
    }


BACKUPS_ASKED: Mapping[str, Callable[[Json], _Properties]] = {
    "AWS::S3::Bucket": _asked_bucket,
    "AWS::StepFunctions::StateMachine": _asked_machine,
    "AWS::Scheduler::Schedule": _asked_schedule,
    "AWS::CloudWatch::Alarm": _asked_alarm,
}
"""How to read a resource of a template, by its type."""


# --- What is there


def _bucket(accounts: Accounts, place: Place, name: str) -> _Properties:
    client = accounts.client("s3", place)

    def said(operation: str, member: str) -> Any:
        try:
            return getattr(client, operation)(Bucket=name).get(member)
        except ClientError as error:
            if error.response["Error"]["Code"] in _NONE:
                return None
            raise

    lock = said("get_object_lock_configuration", "ObjectLockConfiguration") or {}
    access = said("get_public_access_block", "PublicAccessBlockConfiguration")
    ownership = said("get_bucket_ownership_controls", "OwnershipControls") or {}
    rules = (said("get_bucket_encryption", "ServerSideEncryptionConfiguration") or {}).get("Rules", ())
    return {
        "policy": normal(said("get_bucket_policy", "Policy")),
        "object lock": lock.get("Rule", {}).get("DefaultRetention"),
        "versioning": said("get_bucket_versioning", "Status"),
        "replication": _replication(said("get_bucket_replication", "ReplicationConfiguration")),
        "lifecycle": sorted(
            json.dumps(_rule(each), sort_keys=True)
            for each in said("get_bucket_lifecycle_configuration", "Rules") or ()
        ),
        "encryption": [_encryption(each) for each in rules],
        "public access": access,
        "ownership": [each["ObjectOwnership"] for each in ownership.get("Rules", ())],
        "events": said("get_bucket_notification_configuration", "EventBridgeConfiguration") is not None,
    }


def _encryption(said: Json) -> tuple[str, str | None, list[str]]:
    default = said["ApplyServerSideEncryptionByDefault"]
    blocked = said.get("BlockedEncryptionTypes", {}).get("EncryptionType", [])
    return default["SSEAlgorithm"], default.get("KMSMasterKeyID"), blocked


def _machine(accounts: Accounts, place: Place, arn: str) -> _Properties:
    found = accounts.client("stepfunctions", place).describe_state_machine(stateMachineArn=arn)
    logs = found["loggingConfiguration"]
    return {
        "definition": json.loads(found["definition"]),
        "role": found["roleArn"],
        "type": found["type"],
        "log": [each["cloudWatchLogsLogGroup"]["logGroupArn"] for each in logs.get("destinations", ())],
        "level": logs["level"],
        "data in the log": logs["includeExecutionData"],
        "traces": found["tracingConfiguration"]["enabled"],
    }


def _schedule(accounts: Accounts, place: Place, name: str) -> _Properties:
    found = accounts.client("scheduler", place).get_schedule(Name=name)
    return {
        "expression": found["ScheduleExpression"],
        "zone": found.get("ScheduleExpressionTimezone", "UTC"),
        "state": found["State"],
        "target": _target(found["Target"]),
    }


def _found_alarm(accounts: Accounts, place: Place, name: str) -> _Properties:
    (found,) = accounts.client("cloudwatch", place).describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return _alarm(found)


BACKUPS_FOUND: Mapping[str, Callable[[Accounts, Place, str], _Properties]] = {
    "AWS::S3::Bucket": _bucket,
    "AWS::StepFunctions::StateMachine": _machine,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::CloudWatch::Alarm": _found_alarm,
}
"""How to read a resource of an account, by its type."""
