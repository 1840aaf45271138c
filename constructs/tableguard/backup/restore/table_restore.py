"""Rebuilds a table from a backup, in a machine that never overwrites one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam, aws_kms as kms, aws_s3 as s3, aws_stepfunctions as sfn
from constructs import Construct

from tableguard.backup.protected_bucket import partition_in
from tableguard.backup.restore.blueprint_policy import deployable, exempting, policy_document
from tableguard.backup.restore.bucket import ExportBucket, restore_bucket
from tableguard.backup.restore.checks import check_perimeter, deploying, key_of_here, within
from tableguard.backup.restore.create_table import create_table
from tableguard.backup.restore.machine import Functions, RestoreMachine
from tableguard.backup.restore.origin import Origin
from tableguard.backup.restore.planning import Measuring, from_catalogue, from_point_in_time
from tableguard.backup.restore.table_blueprint import Blueprint, TableBlueprint
from tableguard.backup.restore.targets import RestoreTargets
from tableguard.backup.restore.templates import PLACEHOLDER, named
from tableguard.backup.restore.workers import ROLE_NAMES, RestoreWorkers, checked_role_name, restore_policy
from tableguard.backup.states.state_machine import BackupMachine, tasks_in
from tableguard.policy import InvalidInputError, Limits, Role, TableReference, check_size
from tableguard.policy.backup import SealedReference
from tableguard.policy.documents import Json
from tableguard.policy.lists import texts_of
from tableguard.policy.metadata.backups import RestoreClaim
from tableguard.policy.perimeter import Exemption, RestrictedActions

_FIT: Final = "Restore with fewer grants: pass policy=BlueprintPolicy(…) to the blueprint."
_DAYS: Final = 7
_MOST_AT_ONCE: Final = 1_000  # Lambda developer guide: concurrent executions of an account, unless it was raised
_MOST_SEGMENTS: Final = 200  # of the scan, so that what they answer fits into a state


class TableRestore(Construct):
    """Rebuilds one table, under another name, in the account and region of the stack that it is deployed to.

    An execution is started with {"table": "restored-orders"} and takes the newest complete chain of sealed exports, or
    with "until" (a moment, as "2026-11-22T10:00:00Z") the newest that ends by then. Whoever takes an account over can
    have false exports sealed, of moments before that: "sealed_by" (the moment of the takeover) leaves out what was
    sealed later. Without it, a restore fails that finds sealed exports contradicting each other. With `point_in_time`
    it takes the state of a living table at that moment instead. It

    1. finds the exports, before anything is made, and checks that nothing is missing or altered;
    2. makes the table with everything an import cannot make: its policy, local indexes, deletion protection, stream,
       tags, warm throughput, the key of this account. A table of that name that it did not make is an error;
    3. loads the full export and the increments in order, however often a part has to be done again;
    4. reads the whole table and fails unless count and digest are those that were computed while sealing;
    5. marks it (`tableguard:verified` = the digest), and sets what would have changed items or kept the loader out.

    A restore that fails leaves its table, marked `tableguard:restore-state` = incomplete, and says so. Start it again
    with {"resume": ARN} and the same "table" (and "sealed_by") to go on with that table, or delete it. The ARN is that
    of the execution that made the table, which its tag `tableguard:restore` keeps; another tag keeps the moment that it
    was made for, which is gone on to whatever was sealed meanwhile. Where every item had been verified, only the
    settings that were left are made.

    Tags limit what its roles may do: the loader writes to tables that are marked incomplete and to nothing else. That
    takes attribute-based access control of DynamoDB, which is on in most accounts. Source: DynamoDB developer guide,
    "Enabling ABAC in DynamoDB". Where it is off, every restore fails before it makes a table.

    What is not restored stands in `TableBlueprint`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        blueprint: Blueprint,
        sealed: SealedReference | None = None,
        point_in_time: TableReference | None = None,
        source: TableReference | None = None,
        table_names: Sequence[str] = (),
        table_prefix: str | None = None,
        encryption_key: kms.IKey | None = None,
        role_name: str | None = None,
        files_at_once: int = 40,
        segments: int = 16,
        timeout: cdk.Duration | None = None,
        deployed_by: Role | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Make the machine.

        Args:
            scope: The parent construct, in a stack of the account and region that tables are restored in.
            construct_id: The construct's id, unique below its parent.
            blueprint: How the restored table is made: a `TableBlueprint`, or `TableBlueprint.like(table)`.
            sealed: The sealed bucket that exports are taken from. Whoever deploys its vault names `reader_roles` as
                readers there, in whichever account it is: nobody else may read what is sealed. The roles may use its
                `key_arn`, through S3 alone.
            point_in_time: Instead of `sealed` a table of this account and region whose point-in-time recovery is used.
                Where a perimeter surrounds it, give that the `exemption` of this construct.
            source: The table whose items are restored. When left out, the one that the blueprint is like.
            table_names: Names that restored tables may have. The source's own is allowed where it is gone: there is
                no other way back under that name.
            table_prefix: What other names begin with. One of the two is required.
            encryption_key: The key of restored tables, of this account and region. A key that is made for it when left
                out and the blueprint has a customer-managed key, which lasts when the stack is deleted.
            role_name: The name of the machine's role. Those of its functions follow from it: NAME-plan, NAME-load,
                NAME-digest. Names that CloudFormation chooses when left out, which no other account can know.
            files_at_once: How many files are loaded at the same time, 1 to 1,000. Each takes one concurrent execution
                of Lambda, and write capacity of the table.
            segments: In how many segments the table is read for its digest, 1 to 200.
            timeout: How long an execution may take; seven days when left out.
            deployed_by: The role that deploys in this account, which may change the policies of restored tables once
                they are verified: CloudFormation's execution role of the stack's synthesizer when left out. A
                synthesizer that was passed to the stack or the app does not tell it: then it must be named where a
                restored table has a perimeter, and with `point_in_time`.
            limits: Limits on the size of policies, where AWS has raised yours.

        Raises:
            InvalidInputError: Neither or both of sealed and point_in_time, no source, no target, or a wrong value.
        """
        super().__init__(scope, construct_id)
        self._stack = cdk.Stack.of(self)
        self._blueprint = blueprint
        self._limits = limits or Limits()
        self._files_at_once = within(self, "files_at_once", files_at_once, _MOST_AT_ONCE)
        self._segments = within(self, "segments", segments, _MOST_SEGMENTS)
        self._timeout = timeout or cdk.Duration.days(7)
        self._origin = Origin.checked(
            self, sealed=sealed, point_in_time=point_in_time, sources=(source, blueprint.source)
        )
        self._source = self._origin.source
        self._targets = RestoreTargets(
            account=self._stack.account,
            region=self._stack.region,
            partition=partition_in(self._stack),
            table_names=tuple(texts_of("the table names of a restore", table_names)),
            table_prefix=table_prefix,
        )
        self._targets.check_source(self._source)
        self._role_name = checked_role_name(role_name)
        self._work = restore_bucket(self, "Work", days=_DAYS)
        self._deployer = deploying(self, deployed_by)
        exporting = self._exporting() if self._origin.living else None
        self._exports = exporting.bucket if exporting is not None else None
        self._key = key_of_here(self, encryption_key)
        if encryption_key is None and self._now().customer_managed_key:
            self._key = kms.Key(
                self,
                "Key",
                description=f"Encrypts tables restored from {self._source.name}",
                enable_key_rotation=True,
                removal_policy=cdk.RemovalPolicy.RETAIN,
            )
        self._readers: list[str] = []
        parts: dict[str, Any] = {"origin": self._origin, "targets": self._targets, "key": self._key}
        parts |= {"work": self._work, "exports": self._exports}
        self._workers = RestoreWorkers(self, role_name=self._role_name, **parts)
        self._machine = BackupMachine(
            self,
            "Machine",
            definition=self.definition,
            policy=restore_policy(functions=list(self._workers.functions.values()), **parts),
            role_name=self._role_name,
            describes=f"Restores {self._source.name} into new tables",
            distributed=True,
        )
        if exporting is not None:
            check_perimeter(
                self,
                blueprint,
                source=self._source,
                role=self._machine.role,
                role_name=self._role_name,
                partition=self._targets.partition,
            )
            exporting.protect(writer=self._machine.role, workers=self._workers.roles, limits=self._limits)
        self._machine.describe(
            RestoreClaim(source=self._source.arn, sealed=self._origin.described, targets=tuple(self._targets.described))
        )

    @property
    def machine(self) -> sfn.StateMachine:
        """The machine."""
        return self._machine.machine

    @property
    def role(self) -> iam.Role:
        """The role of the machine."""
        return self._machine.role

    @property
    def work_bucket(self) -> s3.Bucket:
        """The bucket that it works in."""
        return self._work

    @property
    def origin(self) -> Origin:
        """Where the items come from."""
        return self._origin

    @property
    def problem_function(self) -> str:
        """The ARN of the function that says what the workers of a map have met, from their notes in `work_bucket`."""
        return self._workers.functions["Problem"]

    @property
    def source(self) -> TableReference:
        """The table whose items are restored."""
        return self._source

    @property
    def targets(self) -> RestoreTargets:
        """Where restored tables may be."""
        return self._targets

    @property
    def key(self) -> Mapping[str, str]:
        """The key of restored tables: its attributes, each with its type."""
        blueprint = self._now()
        return {**blueprint.partition_key, **(blueprint.sort_key or {})}

    @property
    def encryption_key(self) -> kms.IKey | None:
        """The key of restored tables; None where they have the AWS-owned key."""
        return self._key

    @property
    def reader_roles(self) -> tuple[Role, ...]:
        """The roles that read the sealed bucket, for the `readers` of a `SealedVault` in another account.

        Raises:
            InvalidInputError: Their names are CloudFormation's to choose.
        """
        name = self._known_role_name()
        return tuple(Role(account=self._stack.account, name=f"{name}{ROLE_NAMES[part]}") for part in ("plan", "load"))

    def exemption(self, reason: str) -> Exemption:
        """What a perimeter around the living table has to let through, so that it can be exported.

        Args:
            reason: Why, for whoever reviews the perimeter.

        Raises:
            InvalidInputError: The name of the machine's role is CloudFormation's to choose.
        """
        role = Role(account=self._stack.account, name=self._known_role_name())
        return Exemption(principal=role, actions=RestrictedActions.EXPORT, reason=reason)

    def admit(self, role: iam.IRole) -> None:
        """Let a role past the restrictions of tables that are restored in isolation, for whoever looks into them.

        It grants nothing. A table that was not restored in isolation loses this exemption once it is verified.

        Args:
            role: The role.
        """
        self._readers.append(role.role_arn)

    def _known_role_name(self) -> str:
        if self._role_name is None:
            raise InvalidInputError(
                f"the role_name of {self.node.path}",
                value=None,
                allowed="a name, since somebody else has to know it",
                fix='Pass role_name="restore-orders".',
            )
        return self._role_name

    def _now(self) -> TableBlueprint:
        return self._blueprint.blueprint()

    def definition(self) -> Json:
        """The definition of the machine as it stands at the moment, for tests and reviews; it may hold tokens.

        Raises:
            InvalidInputError: The table that it is like has something that cannot be restored as it is, or nobody would
                be left who can change the restored table's policy.
            PolicyTooLargeError: The policy of the restored table is over the limit.
        """
        return self._described(self._now()).definition()

    def _described(self, blueprint: TableBlueprint) -> RestoreMachine:
        target = self._targets.reference(PLACEHOLDER)
        final, stream = (
            deployable(policy, self._deployer, table=target, owner=self.node.path) if policy is not None else None
            for policy in _policies(blueprint, target)
        )
        exempt = [self._machine.role.role_arn, *self._workers.working_roles, *self._readers]
        policy = exempting(final, exempt) if final is not None else None
        if final is not None:
            # At its longest: an execution chooses the table's name, and CloudFormation those of the roles.
            roles = [f"arn:aws:iam::{target.account}:role/{number:0>64}" for number in range(len(exempt))]
            longest = named(exempting(final, roles), self._targets.longest_name)
            check_size(longest, self._limits.table, owner=self.node.path, fix=_FIT)
        if stream is not None:
            longest = named(stream, self._targets.longest_name)
            check_size(longest, self._limits.stream, owner=self.node.path, fix=_FIT)
        functions = self._workers.functions
        insights = {"": blueprint.contributor_insights} | {
            index.name: index.contributor_insights for index in blueprint.global_indexes
        }
        source = self._source
        return RestoreMachine(
            tasks=tasks_in(self),
            source={"account": source.account, "region": source.region, "table": source.name},
            table_arn=self._targets.arn(PLACEHOLDER),
            arguments=create_table(
                blueprint,
                key_arn=self._key.key_arn if self._key is not None and blueprint.customer_managed_key else None,
            ),
            deletion_protection=blueprint.deletion_protection,
            tags=blueprint.tags,
            policy=policy,
            final_policy=final,
            stream_policy=stream if blueprint.stream is not None else None,
            recovery_days=blueprint.recovery_days,
            time_to_live=blueprint.time_to_live,
            insights={index: mode for index, mode in insights.items() if mode is not None},
            sealed=self._origin.sealed is not None,
            planning=self._planning(functions),
            functions=Functions(
                load=functions["Load"],
                digest=functions["Digest"],
                check=functions["Check"],
                problem=functions["Problem"],
            ),
            work_bucket=self._work.bucket_name,
            files_at_once=self._files_at_once,
            segments=self._segments,
            clearing=functions.get("Clear"),
            timeout_seconds=int(self._timeout.to_seconds()),
        )

    def _exporting(self) -> ExportBucket:
        if self._deployer is None:
            raise InvalidInputError(
                f"deployed_by of {self.node.path}",
                value=None,
                allowed="the role that deploys there, since the stack's synthesizer does not tell: nobody else could "
                "change the policy of the bucket that the table is exported into",
                fix='Pass deployed_by=Role(account=…, name="cdk-…-cfn-exec-role-…").',
            )
        days = max(1, math.ceil(self._timeout.to_days(integral=False)))
        return ExportBucket(self, "Exports", deployed_by=self._deployer, days=days)

    def _planning(self, functions: dict[str, str]) -> dict[str, Json]:
        living = self._origin.living
        if living is None or self._exports is None:
            return from_catalogue(tasks_in(self), functions["Plan"])
        return from_point_in_time(
            tasks_in(self),
            table_arn=living.arn,
            account=living.account,
            bucket=self._exports.bucket_name,
            work_bucket=self._work.bucket_name,
            files_at_once=self._files_at_once,
            functions=Measuring(
                open=functions["Open"],
                measure=functions["Measure"],
                close=functions["Close"],
                problem=functions["Problem"],
            ),
        )


def _policies(blueprint: TableBlueprint, target: TableReference) -> tuple[Json | None, Json | None]:
    """The policies of table and stream, with placeholders for the name."""
    if blueprint.policy is None:
        return None, None
    named = TableReference(
        account=target.account,
        region=target.region,
        name=target.name,
        partition=target.partition,
        indexes=blueprint.index_names,
        customer_managed_key=blueprint.customer_managed_key,
    )
    table = policy_document(blueprint.policy.statements(named, stream=False))
    stream = policy_document(blueprint.policy.statements(named, stream=True))
    return table, stream
