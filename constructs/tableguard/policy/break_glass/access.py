"""What a break-glass role may do.

Whatever else is attached to the role, or granted to it by a table's own policy, the last statement takes it away: a
break-glass role assumes no other role, changes nothing in IAM, and passes no role to a service.
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
    """What a break-glass role may do: one of the constants below.

    Args:
        name: What messages and metadata call it.
        on_tables: The actions on the tables.
        data: Whether it reaches items, for which it needs the tables' keys.
    """

    name: str
    on_tables: tuple[str, ...]
    data: bool = False

    def __repr__(self) -> str:
        return f"BreakGlassAccess.{self.name.upper().replace(' AND ', '_AND_')}"

    SETTINGS: ClassVar[BreakGlassAccess]
    """Throughput, indexes, table class, whatever else `UpdateTable` does, and the reach of auto scaling. It reads no
    item, moves none and changes no policy, replica, backup or tag. `UpdateTable` cannot be narrowed any further, so it
    can also delete an index, turn off the stream or the deletion protection, and go back to the key that AWS owns:
    docs/break-glass.md lists what that destroys."""
    SETTINGS_AND_TTL: ClassVar[BreakGlassAccess]
    """The same, and time to live: turned on for an attribute that holds past times, it deletes items for good."""
    FULL: ClassVar[BreakGlassAccess]
    """Everything that DynamoDB can do with the tables, items and policies included. No bucket to export to, no role to
    pass, nothing in IAM."""


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
