"""What a break-glass role may do.

The last statement denies everything else, even if another policy of the role or a table's policy allows it: a
break-glass role cannot assume another role, change anything in IAM, or pass a role to a service.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from tableguard.aws.dynamodb import ACTIONS, SERVICE
from tableguard.aws.partitions import dns_suffix_of
from tableguard.policy.break_glass.trust import ends
from tableguard.policy.conditions import Clause
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.documents import VERSION, AllowStatement, Json
from tableguard.policy.tables import TableReference
from tableguard.policy.tokens import is_unresolved


def _all(service: str, names: str) -> tuple[str, ...]:
    return tuple(f"{service}:{name}" for name in names.split())


# Account-wide, and all of it only looks. Not contributor insights: its reports show keys of items.
_LOOK: Final = (
    *_all("application-autoscaling", "DescribeScalableTargets DescribeScalingActivities DescribeScalingPolicies"),
    *_all("cloudwatch", "DescribeAlarms GetMetricData GetMetricStatistics ListMetrics"),
    *_all(SERVICE, "DescribeEndpoints DescribeLimits ListStreams ListTables"),
)
_SEE: Final = _all(
    SERVICE,
    "DescribeContinuousBackups DescribeKinesisStreamingDestination DescribeStream DescribeTable DescribeTimeToLive"
    " GetResourcePolicy ListTagsOfResource",
)
# Without the first, auto scaling would undo in minutes what the second has set.
_SCALING: Final = _all("application-autoscaling", "DeregisterScalableTarget RegisterScalableTarget")
_CHANGE: Final = _all(SERVICE, "UpdateTable")
_TTL: Final = _all(SERVICE, "UpdateTimeToLive")
_EVERYTHING: Final = (f"{SERVICE}:*",)
# What DynamoDB asks of KMS as the caller of an encrypted table.
_KEY_USE: Final = _all("kms", "Decrypt DescribeKey Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext")
_KEY_GRANT: Final = _all("kms", "CreateGrant")


@dataclass(frozen=True, slots=True)
class BreakGlassAccess:
    """States what a break-glass role may do: use one of the constants `SETTINGS`, `SETTINGS_AND_TTL` or `FULL`.

    Args:
        name: The name in messages and metadata.
        on_tables: The actions on the tables.
        data: Whether it has access to items, for which it needs the tables' keys.
    """

    name: str
    on_tables: tuple[str, ...]
    data: bool = False

    def __repr__(self) -> str:
        return f"BreakGlassAccess.{self.name.upper().replace(' AND ', '_AND_')}"

    SETTINGS: ClassVar[BreakGlassAccess]
    """Everything that `UpdateTable` does (throughput, indexes, table class and more), and the limits of auto scaling.
    It cannot read or move items, or change policies, replicas, backups or tags. `UpdateTable` cannot be narrowed, so
    the role can also delete an index, turn off the stream or the deletion protection, and switch to the AWS-owned key:
    docs/break-glass.md lists what that destroys."""
    SETTINGS_AND_TTL: ClassVar[BreakGlassAccess]
    """`SETTINGS` and time to live, which permanently deletes items if its attribute has times in the past."""
    FULL: ClassVar[BreakGlassAccess]
    """All actions of DynamoDB on the tables, including items and policies. No bucket to export to, no role to pass, no
    action in IAM."""


BreakGlassAccess.SETTINGS = BreakGlassAccess("settings", (*_SEE, *_CHANGE))
BreakGlassAccess.SETTINGS_AND_TTL = BreakGlassAccess("settings and TTL", (*_SEE, *_CHANGE, *_TTL))
BreakGlassAccess.FULL = BreakGlassAccess("full", _EVERYTHING, data=True)


def permissions(
    access: BreakGlassAccess,
    *,
    account: str,
    partition: str = "aws",
    tables: Sequence[TableReference] = (),
    until: dt.date | None = None,
) -> Json:
    """The identity policy of a break-glass role.

    Args:
        access: What it may do.
        account: The account of the role and of the tables.
        partition: Their partition.
        tables: The tables; every table of the account when empty.
        until: The last day (in UTC), or the moment with a time zone, on which it allows anything; no end when None.
    """
    found = tuple(_statements(access, account, partition, tables))
    # A Deny, since a table's policy may allow the role more; and it denies as well if there were no time to compare.
    over = (
        DenyStatement(
            sid="Over", actions=("*",), clauses=(Clause("DateGreaterThanEqualsIfExists", end.key, end.values),)
        )
        for end in ends(until)
    )
    closed = DenyStatement(sid="NothingElse", but_actions=tuple(action for each in found for action in each.actions))
    return {
        "Version": VERSION,
        "Statement": [
            *(statement.to_json() for statement in found),
            closed.to_json(),
            *(denial.to_json() for denial in over),
        ],
    }


def _statements(
    access: BreakGlassAccess, account: str, partition: str, tables: Sequence[TableReference]
) -> Iterable[AllowStatement]:
    yield AllowStatement(access.on_tables, _arns(account, partition, tables))
    yield AllowStatement(_LOOK, ("*",))
    namespace = Clause("StringEquals", "application-autoscaling:service-namespace", (SERVICE,))
    targets = f"arn:{partition}:application-autoscaling:*:{account}:scalable-target/*"
    yield AllowStatement(_SCALING, (targets,), clauses=(namespace,))
    if access.data:
        suffix = "*" if is_unresolved(partition) else dns_suffix_of(partition)
        through = Clause("StringLike", "kms:ViaService", (f"{SERVICE}.*.{suffix}",))
        keys = (f"arn:{partition}:kms:*:{account}:key/*",)
        yield AllowStatement(_KEY_USE, keys, clauses=(through,))
        yield AllowStatement(
            _KEY_GRANT, keys, clauses=(through, Clause("Bool", "kms:GrantIsForAWSResource", ("true",)))
        )


def _arns(account: str, partition: str, tables: Sequence[TableReference]) -> tuple[str, ...]:
    if not tables:
        return (f"arn:{partition}:{SERVICE}:*:{account}:table/*",)
    return tuple(arn for table in tables for arn in (table.arn, f"{table.arn}/*"))


# A slip in a name must not survive an import.
for _action in (*_LOOK, *_SEE, *_CHANGE, *_TTL):
    if _action.startswith(f"{SERVICE}:") and _action.removeprefix(f"{SERVICE}:") not in ACTIONS:
        raise AssertionError(_action)
