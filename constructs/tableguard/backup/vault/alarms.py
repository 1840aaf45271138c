"""What rings when a vault stops sealing, or is being filled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from tableguard.backup.alarms import alarm
from tableguard.backup.vault.machine import ACCOUNT, MISSING, NAMESPACE, OVER_QUOTA, REJECTED, SEALED, TABLE, VAULT
from tableguard.policy import InvalidInputError
from tableguard.policy.backup import ReplicationSource, SourceQuota

_HOUR: Final = cdk.Duration.hours(1)
_MOST_HOURS: Final = (
    7 * 24
)  # Source: CloudWatch user guide, "Using Amazon CloudWatch alarms": periods of an hour or more
_FAILURES: Final = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")
# A source's rule chooses the storage class of its replicas. With the expression ten, the most metrics of an alarm.
# Sources: S3 user guide, "Amazon S3 CloudWatch daily storage metrics"; CloudWatch user guide, "Alarms on expressions".
_STORAGE_TYPES: Final = (
    "StandardStorage",
    "ReducedRedundancyStorage",
    "StandardIAStorage",
    "OneZoneIAStorage",
    "IntelligentTieringFAStorage",
    "IntelligentTieringIAStorage",
    "GlacierInstantRetrievalStorage",
    "GlacierStorage",
    "DeepArchiveStorage",
)
_SMALL: Final = 128 * 1024  # bytes: what is smaller costs by the object rather than by its size
_SMALL_FILES: Final = 100  # an export's manifests, and data files of partitions that hold little


class SealingAlarms(Construct):
    """The alarms of a `SealedVault`: a failure, an absence, a window that is missing, a refusal, a flood.

    An alarm on an absence may ring some hours late: CloudWatch looks at more periods than it evaluates, and as long as
    one of them has a sealed export, what is missing counts as breaching only where a period has to be made up for.
    Source: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data". Tables of one name in two
    regions of an account count as one.
    """

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
            *(each for account in sorted(accounts) for each in self._refusals(account)),
            self._flood(intake_name, quota.bytes_per_day * len(accounts)),
            self._crowd(
                intake_name,
                (quota.bytes_per_day // _SMALL + quota.exports_per_day * _SMALL_FILES) * len(accounts),
            ),
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
        failed = cloudwatch.MathExpression(
            expression=f"SUM([{', '.join(f'FILL({name}, 0)' for name in metrics)}])",
            using_metrics=metrics,
            label="failed executions",
            period=cdk.Duration.minutes(5),
        )
        what = f"Sealing or sweeping of {self._vault} failed, or refused an export: see the executions"
        return alarm(self, "Failed", failed, what, None)

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

    def _refusals(self, account: str) -> tuple[cloudwatch.Alarm, ...]:
        """The machine's failures are those of the vault and of its sources; these are a source's alone."""
        return (
            alarm(
                self,
                f"OverQuota{account}",
                self._metric(OVER_QUOTA, "Sum", account),
                f"Account {account} sends more to {self._vault} than its quota: what is over it waits to be swept up",
                None,
            ),
            alarm(
                self,
                f"Rejected{account}",
                self._metric(REJECTED, "Sum", account),
                f"Account {account} sent an export to {self._vault} that is not what it says of itself, and is not "
                "sealed: read why in the execution that failed",
                None,
            ),
        )

    def _flood(self, intake_name: str, most: int) -> cloudwatch.Alarm:
        """S3 reports a bucket's size once a day, so a flood is seen a day later; the quota bounds what is sealed."""
        sizes = {f"m{number}": _size(intake_name, kind) for number, kind in enumerate(_STORAGE_TYPES)}
        # Of a storage class that nothing is in S3 reports nothing.
        total = f"SUM([{', '.join(f'FILL({name}, 0)' for name in sizes)}])"
        what = f"The intake {intake_name} grew by more than the quota of all its sources in a day"
        return self._growth("Flooded", f"DIFF({total})", sizes, most, what)

    def _crowd(self, intake_name: str, most: int) -> cloudwatch.Alarm:
        count = _size(intake_name, "AllStorageTypes", "NumberOfObjects")
        what = f"The intake {intake_name} got more objects in a day than the quota of all its sources has use for"
        return self._growth("Crowded", "DIFF(m0)", {"m0": count}, most, what)

    def _growth(
        self, construct_id: str, expression: str, metrics: dict[str, cloudwatch.IMetric], most: int, what: str
    ) -> cloudwatch.Alarm:
        """One of the last three days is enough: S3 tells of a day late, and until then that day is empty."""
        return cloudwatch.MathExpression(
            expression=expression, using_metrics=metrics, label="more than a day ago", period=cdk.Duration.days(1)
        ).create_alarm(
            self,
            construct_id,
            alarm_description=what,
            threshold=most,
            evaluation_periods=3,
            datapoints_to_alarm=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )


def _size(bucket: str, kind: str, name: str = "BucketSizeBytes") -> cloudwatch.IMetric:
    return cloudwatch.Metric(
        namespace="AWS/S3",
        metric_name=name,
        dimensions_map={"BucketName": bucket, "StorageType": kind},
        statistic="Average",
        period=cdk.Duration.days(1),
    )


def _what(account: str, table: str | None) -> str:
    return f"account {account}" if table is None else f"table {table} of account {account}"


def _watched(sources: Sequence[ReplicationSource]) -> Iterator[tuple[str, str | None]]:
    """Each account and table once, whichever role sends it."""
    seen: dict[tuple[str, str | None], None] = {}
    for source in sources:
        for table in source.tables if source.tables is not None else (None,):
            seen[source.account, table] = None
    yield from seen
