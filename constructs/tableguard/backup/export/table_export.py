"""Exports of tables on a schedule: full ones, and increments whose windows adjoin."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import (
    aws_dynamodb as dynamodb,
    aws_iam as iam,
    aws_s3 as s3,
    aws_scheduler as scheduler,
    aws_sns as sns,
    aws_stepfunctions as sfn,
)
from constructs import Construct, Node

from tableguard.aws.limits import RECOVERY_DAYS
from tableguard.backup.export.alarms import ExportAlarms
from tableguard.backup.export.checks import READS, ExportChecks
from tableguard.backup.export.landing_bucket import LandingBucket
from tableguard.backup.export.machine import NAMESPACE, ExportSettings, export_definition
from tableguard.backup.export.plan import LONGEST_HOURS, SHORTEST_MINUTES
from tableguard.backup.protected_bucket import partition_in
from tableguard.backup.service_trust import own_service
from tableguard.backup.states.state_machine import BackupMachine
from tableguard.policy import InvalidInputError, Limits, Role, check_size, document, names
from tableguard.policy.backup.landing import Exported, exporter_statements
from tableguard.policy.metadata.backups import ExportClaim
from tableguard.policy.perimeter import Exemption, RestrictedActions
from tableguard.policy.principals import ArnIdentity
from tableguard.policy.tokens import is_unresolved
from tableguard.tables.attachable import AnyTable, unwrapped
from tableguard.tables.attachment.facts import CfnAnyTable
from tableguard.tables.granting import check_list

_DAY: Final = 24 * 60
_MOST_WINDOWS: Final = 90
"""Increments between two full exports. A restore takes a chain of 100 steps; the rest is for those that catch up."""
_MOST_ALARM_HOURS: Final = 7 * 24  # Source: CloudWatch API reference, PutMetricAlarm, with periods of an hour
_MACHINE_NAME: Final = 80


class TableExport(Construct):
    """Exports tables to a landing bucket on a schedule: first in full, then the changes, window after window.

    One state machine is started for each table by its own schedule and continues the table's chain of exports. The
    state of the chain is kept in `ledger`, a table that outlives the stack. After a pause the machine catches up, in
    windows of 24 hours at most. It begins again with a full export if the chain has a gap (point-in-time recovery was
    off, or the pause was longer than it reaches back), if the table was deleted and created again, for another landing
    bucket or vault, and when `full_every` has passed. Exports are never filtered. The next execution repeats a failed
    export with the same window.

    Windows shorter than 15 minutes wait for the next execution. So with `every` of 15 minutes a window is sometimes 30
    minutes long.

    It works in environment-agnostic stacks, and with tables without a name. Of an imported table it cannot see whether
    point-in-time recovery is on: where it is not, executions fail and the alarm rings. For a table with a perimeter,
    pass `exemption(reason=…)` to the perimeter: of tables of this app that is checked.

    A table that was emptied is exported as an empty table. The older exports are still in the vault, and a restore
    drill notices.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        tables: Sequence[AnyTable],
        landing: LandingBucket | s3.IBucket,
        every: cdk.Duration,
        full_every: cdk.Duration,
        alarm_after: cdk.Duration,
        alarms_topic: sns.ITopic | None = None,
        role_name: str | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Export tables.

        Args:
            scope: The parent construct, in a stack of the tables' account and region.
            construct_id: The construct's id, unique below its parent.
            tables: The tables, with point-in-time recovery on.
            landing: Where exports are written to. A bucket of your own needs a policy that lets `role` write if it is
                another account's; its KMS key, if it has one, has to let `role` use it.
            every: How often each table is exported: 15 minutes to 24 hours, in whole minutes. At most that much, and
                what an export takes, is lost with the table.
            full_every: How long increments go on from one full export: `every` to 90 times `every`, and 35 days at
                most. A restore loads the newest full export and every increment after it.
            alarm_after: How long a table may be without a completed export: an hour more than `every` at least, whole
                hours, 7 days at most. Leave room for a full export, which may take hours.
            alarms_topic: Who is told; alarms ring nowhere when left out. A topic with a key has to let CloudWatch use
                it.
            role_name: The name of the role that exports, where an exemption has to name it before it is made, or a
                `LandingBucket` of another stack; CloudFormation's choice when left out.
            limits: Limits on the size of policies; the published ones when left out.

        Raises:
            InvalidInputError: No table, one twice, one of another account or region, a duration out of range, or a
                `LandingBucket` of another stack without a `role_name`. At synthesis: a table of this app without
                point-in-time recovery, or with a perimeter that shuts the role out.
            PolicyTooLargeError: There are too many tables for one role.
        """
        super().__init__(scope, construct_id)
        check_list(self, "tables", tables)
        stack = cdk.Stack.of(self)
        sources = _sources(self, stack, tables)
        every_minutes = _minutes(self, "every", every, SHORTEST_MINUTES, LONGEST_HOURS * 60)
        longest = min(_MOST_WINDOWS * every_minutes, RECOVERY_DAYS.most * _DAY)
        full_every_minutes = _minutes(self, "full_every", full_every, every_minutes, longest)
        alarm_minutes = _minutes(self, "alarm_after", alarm_after, every_minutes + 60, _MOST_ALARM_HOURS * 60, unit=60)
        target = _target(self, stack, landing, role_name)
        self._ledger = dynamodb.TableV2(
            self,
            "Ledger",
            partition_key=dynamodb.Attribute(name="table", type=dynamodb.AttributeType.STRING),
            billing=dynamodb.Billing.on_demand(),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=True,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        statements = document(
            exporter_statements(
                [source.exported for source in sources],
                bucket_arn=target.arn,
                ledger_arn=self._ledger.table_arn,
                namespace=NAMESPACE,
                key_arn=target.key_arn,
            )
        )
        fix = "Make several TableExport, each with some of the tables; they may share the landing bucket."
        check_size(stack.resolve(statements), (limits or Limits()).inline, owner=self.node.path, fix=fix)
        settings = ExportSettings(
            partition=partition_in(stack),
            ledger=self._ledger.table_name,
            bucket=target.name,
            bucket_owner=target.owner,
            vault=target.vault,
            key_arn=target.key_arn,
            every_minutes=every_minutes,
            full_every_minutes=full_every_minutes,
        )
        if role_name is not None:
            names.role_name(f"role_name of {self.node.path}", role_name)
        self._machine = BackupMachine(
            self,
            "Machine",
            name=cdk.Names.unique_resource_name(self, max_length=_MACHINE_NAME, separator="-"),
            definition=export_definition(settings),
            policy=statements,
            role_name=role_name,
        )
        self._identity: Role | ArnIdentity = (
            ArnIdentity(
                account=stack.account,
                principal_arn=self.role.role_arn,
                described_as=f"the role of {self.node.path}",
            )
            if role_name is None
            else Role(account=stack.account, name=role_name)
        )
        if isinstance(landing, LandingBucket):
            # By its name, where it has one: a reference would make the bucket's stack wait for this one.
            landing.admit(self.role if role_name is None else Role(account=stack.account, name=role_name))
            # A full export for another vault must not land before the bucket is replicated there.
            machine, bucket = (each.node.default_child for each in (self.machine, landing.bucket))
            if machine is not None and bucket is not None:
                machine.node.add_dependency(bucket)
        self._schedule(sources, every_minutes)
        self._alarms = ExportAlarms(
            self,
            "Alarms",
            machine_arn=self._machine.arn,
            tables={source.id: source.exported.name for source in sources},
            alarm_after=alarm_after,
            topic=alarms_topic,
        )
        self._machine.describe(
            ExportClaim(
                tables=tuple(source.exported.arn for source in sources),
                every_minutes=every_minutes,
                full_every_minutes=full_every_minutes,
                alarm_after_minutes=alarm_minutes,
                landing=target.name,
            )
        )
        self.node.add_validation(
            ExportChecks(
                self.node.path,
                identity=self._identity,
                partition=settings.partition,
                resources=[source.resource for source in sources if source.resource is not None],
            )
        )

    @property
    def machine(self) -> sfn.StateMachine:
        """The state machine. An execution takes `{"table": "<ARN of the table>"}`."""
        return self._machine.machine

    @property
    def ledger(self) -> dynamodb.TableV2:
        """The table with the state of the chains: an item for each exported table."""
        return self._ledger

    @property
    def role(self) -> iam.Role:
        """The role that exports."""
        return self._machine.role

    @property
    def alarms(self) -> ExportAlarms:
        """The alarms."""
        return self._alarms

    def exemption(self, *, reason: str, settings_too: bool = False) -> Exemption:
        """What a perimeter of one of the tables needs: Step Functions does not call from inside.

        Args:
            reason: Why the data may leave, in a reviewer's words.
            settings_too: Whether the perimeter restricts settings as well: the role reads some of the table's.
        """
        restricted = RestrictedActions.EXPORT | READS if settings_too else RestrictedActions.EXPORT
        return Exemption(principal=self._identity, actions=restricted, reason=reason)

    def _schedule(self, sources: Sequence[_Source], every_minutes: int) -> None:
        starter = iam.Role(
            self,
            "Starter",
            assumed_by=own_service(self, "scheduler.amazonaws.com"),
        )
        starter.add_to_policy(iam.PolicyStatement(actions=["states:StartExecution"], resources=[self._machine.arn]))
        for source in sources:
            schedule = scheduler.CfnSchedule(
                self,
                f"Every{source.id}",
                description=f"Exports table {source.exported.name}",
                schedule_expression=f"rate({every_minutes} minutes)",
                flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
                target=scheduler.CfnSchedule.TargetProperty(
                    arn=self._machine.arn,
                    role_arn=starter.role_arn,
                    input=json.dumps({"table": source.exported.arn}),
                    # What starts later than the next one is not needed any more.
                    retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=every_minutes * 60, maximum_retry_attempts=10
                    ),
                ),
            )
            schedule.node.add_dependency(self._machine, starter)


@dataclass(frozen=True, slots=True)
class _Source:
    """A table to export.

    Args:
        id: What constructs for it are called.
        exported: The table as policies and messages name it.
        resource: Its resource; None for an imported table.
    """

    id: str
    exported: Exported
    resource: CfnAnyTable | None


@dataclass(frozen=True, slots=True)
class _Target:
    """Where exports go.

    Args:
        name: The bucket's name.
        arn: Its ARN.
        owner: Its account.
        key_arn: Its KMS key; None where it has none.
        vault: Where it is replicated to, account and bucket; empty where nothing says so.
    """

    name: str
    arn: str
    owner: str
    key_arn: str | None
    vault: str


def _sources(scope: Construct, stack: cdk.Stack, tables: Sequence[AnyTable]) -> list[_Source]:
    if not tables:
        raise InvalidInputError(f"tables of {scope.node.path}", value=[], allowed="at least one table")
    sources = [_source(scope, stack, unwrapped(table)) for table in tables]
    arns = [source.exported.arn for source in sources]
    twice = [source.exported.name for source in sources if arns.count(source.exported.arn) > 1]
    if twice:
        raise InvalidInputError(f"tables of {scope.node.path}", value=twice, allowed="each table once")
    return sources


def _source(scope: Construct, stack: cdk.Stack, table: Any) -> _Source:
    what = f"a table of {scope.node.path}"
    node = getattr(table, "node", None)
    is_resource = isinstance(table, dynamodb.CfnTable | dynamodb.CfnGlobalTable)
    if not isinstance(node, Node) or not (is_resource or hasattr(table, "table_arn")):
        raise InvalidInputError(what, value=table, allowed="a TableV2, Table, CfnTable or CfnGlobalTable")
    resource = table if is_resource else node.default_child
    own = resource if isinstance(resource, dynamodb.CfnTable | dynamodb.CfnGlobalTable) else None
    arn, name = (table.attr_arn, table.ref) if is_resource else (table.table_arn, table.table_name)
    env = table.env
    for kind, there, here in (("account", env.account, stack.account), ("region", env.region, stack.region)):
        if there != here and not is_unresolved(f"{there}{here}"):
            raise InvalidInputError(
                what,
                value=f"{table.node.path} of {kind} {there}",
                allowed=f"tables of the stack's own {kind}, {here}: nothing else can be exported from here",
                fix="Make the TableExport in a stack of the table's account and region.",
            )
    exported = Exported(arn=arn, account=stack.account, region=stack.region, name=name)
    return _Source(table.node.addr[-8:], exported, own)


def _target(scope: Construct, stack: cdk.Stack, landing: LandingBucket | s3.IBucket, role: str | None) -> _Target:
    what = f"the landing of {scope.node.path}"
    if isinstance(landing, LandingBucket):
        account = cdk.Stack.of(landing).account
        if account != stack.account and not is_unresolved(f"{account}{stack.account}"):
            raise InvalidInputError(
                what, value=f"a LandingBucket of {account}", allowed=f"one of the tables' account, {stack.account}"
            )
        if role is None and cdk.Stack.of(landing) is not stack:
            raise InvalidInputError(
                f"role_name of {scope.node.path}",
                value=None,
                allowed=f"a name: {landing.node.path} is in another stack, and its policy has to name the role, while "
                "this stack has to be deployed after it",
                fix="Pass role_name=…, or make both in one stack.",
            )
        to = landing.vault
        vault = "" if to is None else f"{to.account}/{to.intake_bucket}"
        return _Target(landing.bucket_name, landing.bucket_arn, account, None, vault)
    if not hasattr(landing, "bucket_arn") or not hasattr(landing, "env"):
        raise InvalidInputError(what, value=landing, allowed="a LandingBucket, or an s3.IBucket")
    key = landing.encryption_key
    key_arn = None if key is None else key.key_arn
    return _Target(landing.bucket_name, landing.bucket_arn, landing.env.account, key_arn, "")


def _minutes(scope: Construct, name: str, value: object, least: int, most: int, *, unit: int = 1) -> int:
    minutes = value.to_minutes(integral=False) if isinstance(value, cdk.Duration) and not value.is_unresolved() else 0
    if minutes % unit or not least <= minutes <= most:
        words = "hours" if unit > 1 else "minutes"
        raise InvalidInputError(
            f"{name} of {scope.node.path}",
            value=f"{minutes:g} minutes" if minutes else value,
            allowed=f"a cdk.Duration of {-(-least // unit)} to {most // unit} whole {words}",
        )
    return int(minutes)
