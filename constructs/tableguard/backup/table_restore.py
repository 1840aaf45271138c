"""Rebuilds a table from a backup, in a machine that never overwrites one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Final

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct, IValidation

from tableguard.backup.blueprint_policy import deployable, exempting, policy_document
from tableguard.backup.create_table import create_table
from tableguard.backup.function import BackupFunction
from tableguard.backup.restore_bucket import restore_bucket
from tableguard.backup.restore_machine import PLACEHOLDER, Functions, RestoreMachine
from tableguard.backup.restore_planning import from_catalogue, from_point_in_time
from tableguard.backup.restore_targets import RestoreTargets, bucket_access, running_maps, sealed_reading
from tableguard.backup.table_blueprint import Blueprint, TableBlueprint
from tableguard.network.deployment import execution_role
from tableguard.policy import InvalidInputError, Limits, Role, TableguardError, TableReference, check_size, names
from tableguard.policy.backup import SealedReference
from tableguard.policy.documents import Json
from tableguard.policy.perimeter import Exemption, Fenced
from tableguard.policy.tokens import is_unresolved
from tableguard.tables.policies import METADATA_KEY

_FIT: Final = "Restore with fewer grants: pass policy=BlueprintPolicy(…) to the blueprint."
_ROLES: Final = {"machine": "", "plan": "-plan", "load": "-load", "digest": "-digest"}
_LONGEST_NAME: Final = 64  # IAM user guide, "IAM and AWS STS quotas"
_DAYS: Final = 7
_MOST_AT_ONCE: Final = 1_000  # Lambda developer guide: concurrent executions of an account, unless it was raised
_MOST_SEGMENTS: Final = 200  # of the scan, so that what they answer fits into a state


@jsii.implements(cdk.IStringProducer)
class _Definition:
    """Rendered when the template is written: by then everything has been granted on the table that it is like."""

    def __init__(self, definition: Callable[[], Json]) -> None:
        self._definition = definition

    def produce(self, context: cdk.IResolveContext) -> str:
        # Not by the CDK, which leaves out what is null, and null says something to a state.
        return json.dumps(self._definition())


@jsii.implements(IValidation)
class _Validate:
    """Says what is wrong with a definition in words: an error in a lazy value would come out with a trace around it."""

    def __init__(self, definition: Callable[[], Json]) -> None:
        self._definition = definition

    def validate(self) -> list[str]:
        try:
            self._definition()
        except TableguardError as error:
            return [str(error)]
        return []


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
    with {"resume": "ARN of the failed execution"} and the same name to go on with that table, or delete it.

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
        limits: Limits | None = None,
    ) -> None:
        """Make the machine.

        Args:
            scope: The parent construct, in a stack of the account and region that tables are restored in.
            construct_id: The construct's id, unique below its parent.
            blueprint: How the restored table is made: a `TableBlueprint`, or `TableBlueprint.like(table)`.
            sealed: The sealed bucket that exports are taken from. Whoever deploys its vault names `reader_roles` as
                readers there, unless it is of this account.
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
            limits: Limits on the size of policies, where AWS has raised yours.

        Raises:
            InvalidInputError: Neither or both of sealed and point_in_time, no source, no target, or a wrong value.
        """
        super().__init__(scope, construct_id)
        self._stack = cdk.Stack.of(self)
        self._blueprint = blueprint
        self._limits = limits or Limits()
        self._files_at_once = _within(self, "files_at_once", files_at_once, _MOST_AT_ONCE)
        self._segments = _within(self, "segments", segments, _MOST_SEGMENTS)
        self._timeout = timeout or cdk.Duration.days(7)
        self._sealed, self._living = self._origin(sealed, point_in_time)
        self._source = self._sourced(source)
        self._targets = RestoreTargets(
            account=self._stack.account,
            region=self._stack.region,
            partition=self._stack.partition if is_unresolved(self._stack.region) else self._partition(),
            table_names=tuple(names.listed("the table names of a restore", table_names)),
            table_prefix=table_prefix,
        )
        self._targets.check_source(self._source)
        self._role_name = _checked_role_name(role_name)
        self._work = restore_bucket(self, "Work", versioned=False, days=_DAYS)
        self._exports = restore_bucket(self, "Exports", versioned=True, days=_DAYS) if self._living else None
        self._key = encryption_key
        if encryption_key is None and self._now().customer_managed_key:
            self._key = kms.Key(
                self,
                "Key",
                description=f"Encrypts tables restored from {self._source.name}",
                enable_key_rotation=True,
                removal_policy=cdk.RemovalPolicy.RETAIN,
            )
        self._readers: list[str] = []
        self._roles: dict[str, iam.Role] = {}
        self._functions = self._make_functions()
        self._role = self._make_role()
        self._machine = self._make_machine()

    @property
    def machine(self) -> sfn.StateMachine:
        """The machine."""
        return self._machine

    @property
    def role(self) -> iam.Role:
        """The role of the machine."""
        return self._role

    @property
    def work_bucket(self) -> s3.Bucket:
        """The bucket that it works in."""
        return self._work

    @property
    def source(self) -> TableReference:
        """The table whose items are restored."""
        return self._source

    @property
    def targets(self) -> RestoreTargets:
        """Where restored tables may be."""
        return self._targets

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
        return tuple(Role(account=self._stack.account, name=f"{name}{_ROLES[part]}") for part in ("plan", "load"))

    def exemption(self, reason: str) -> Exemption:
        """What a perimeter around the living table has to let through, so that it can be exported.

        Args:
            reason: Why, for whoever reviews the perimeter.

        Raises:
            InvalidInputError: The name of the machine's role is CloudFormation's to choose.
        """
        role = Role(account=self._stack.account, name=self._known_role_name())
        return Exemption(principal=role, fenced=Fenced.EXPORT, reason=reason)

    def admit(self, role: iam.IRole) -> None:
        """Let a role past the fences of tables that are restored in isolation, for whoever looks into them.

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

    def _partition(self) -> str:
        return TableReference(account="1" * 12, region=self._stack.region, name="any").partition_id

    def _origin(
        self, sealed: SealedReference | None, living: TableReference | None
    ) -> tuple[SealedReference | None, TableReference | None]:
        if (sealed is None) == (living is None):
            raise InvalidInputError(
                f"the origin of {self.node.path}",
                value=(sealed, living),
                allowed="either sealed=SealedReference(…) or point_in_time=TableReference(…)",
            )
        if sealed is not None and not isinstance(sealed, SealedReference):
            raise InvalidInputError(f"sealed of {self.node.path}", value=sealed, allowed="a SealedReference")
        if living is not None:
            here = (self._stack.account, self._stack.region)
            if not isinstance(living, TableReference) or (living.account, living.region) != here:
                raise InvalidInputError(
                    f"point_in_time of {self.node.path}",
                    value=living,
                    allowed="a TableReference of the account and region of its stack: no other may export it",
                )
        return sealed, living

    def _sourced(self, source: TableReference | None) -> TableReference:
        found = source or self._living or self._blueprint.source
        if found is None or any(map(is_unresolved, (found.account, found.region, found.name))):
            raise InvalidInputError(
                f"the source of {self.node.path}",
                value=found,
                allowed="a table by its literal account, region and name",
                fix='Pass source=TableReference(account="…", region="…", name="…").',
            )
        if self._living is not None and found.arn != self._living.arn:
            raise InvalidInputError(
                f"the source of {self.node.path}", value=found.arn, allowed=f"{self._living.arn}, whose state is taken"
            )
        return found

    def _now(self) -> TableBlueprint:
        return self._blueprint.blueprint()

    def _make_functions(self) -> dict[str, BackupFunction]:
        work, source = self._work.bucket_arn, self._source
        bucket = self._sealed.bucket if self._sealed is not None else self._bucket_of_exports().bucket_name
        settings = {"SEALED_BUCKET": bucket, "WORK_BUCKET": self._work.bucket_name}
        made: dict[str, tuple[str, list[Json]]] = {
            "Load": ("restore.load", [*self._targets.filling(), *self._decrypting()]),
            "Digest": ("restore.digest", [*self._targets.reading("dynamodb:Scan"), *self._decrypting()]),
            "Check": ("restore.check", []),
        }
        own = bucket_access(work, read=["*"], write=["*"], listing=True)
        if self._sealed is not None:
            partition = self._targets.partition
            reading = {"partition": partition, "bucket": self._sealed.bucket, "source": source}
            made["Load"][1].extend(sealed_reading(**reading, catalogue=False))  # type: ignore[arg-type]
            made["Plan"] = ("restore.plan", [*sealed_reading(**reading, catalogue=True), *own])  # type: ignore[arg-type]
        else:
            arn = self._bucket_of_exports().bucket_arn
            read = _allow_versions(arn)
            made["Load"][1].append(read)
            for part, handler in (("Open", "begin"), ("Measure", "measure"), ("Close", "finish")):
                made[part] = (f"point_in_time.{handler}", [read, _list_versions(arn), *own])
        functions = {}
        for part, (handler, statements) in sorted(made.items()):
            named = self._role_name if part.lower() in _ROLES else None
            role = iam.Role(
                self,
                f"{part}Role",
                role_name=f"{named}{_ROLES[part.lower()]}" if named is not None else None,
                assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            )
            if statements:
                _attach(role, statements)
            self._roles[part] = role
            functions[part] = BackupFunction(self, part, handler=handler, environment=settings, role=role)
        return functions

    def _bucket_of_exports(self) -> s3.Bucket:
        assert self._exports is not None  # noqa: S101
        return self._exports

    def _decrypting(self) -> list[Json]:
        return self._targets.encrypting(self._key.key_arn) if self._key is not None else []

    def _make_role(self) -> iam.Role:
        stack = self._stack
        machines = stack.format_arn(service="states", resource="stateMachine", resource_name="*", arn_format=_COLON)
        role = iam.Role(
            self,
            "Role",
            role_name=self._role_name,
            description=f"Restores {self._source.name} into new tables",
            assumed_by=iam.ServicePrincipal(
                "states.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {"aws:SourceArn": machines},
                },
            ),
        )
        functions = [function.function_arn for function in self._functions.values()]
        work = self._work.bucket_arn
        statements = [
            *self._targets.making(),
            *(self._targets.encrypting(self._key.key_arn, making=True) if self._key is not None else []),
            {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": functions},
            *bucket_access(work, read=["*"], write=["results/*"]),
            {
                "Effect": "Allow",
                "Action": ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
                "Resource": f"{work}/results/*",
            },
        ]
        if self._living is not None:
            statements += [
                {"Effect": "Allow", "Action": "dynamodb:ExportTableToPointInTime", "Resource": self._living.arn},
                {"Effect": "Allow", "Action": "dynamodb:DescribeExport", "Resource": f"{self._living.arn}/export/*"},
                {
                    "Effect": "Allow",
                    "Action": ["s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl"],
                    "Resource": f"{self._bucket_of_exports().bucket_arn}/*",
                },
            ]
        _attach(role, statements)
        return role

    def _make_machine(self) -> sfn.StateMachine:
        lazy = cdk.Lazy.uncached_string(_Definition(self.definition))
        log = logs.LogGroup(
            self, "Log", retention=logs.RetentionDays.ONE_YEAR, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        machine = sfn.StateMachine(
            self,
            "Machine",
            comment=f"Restores {self._source.name}",
            definition_body=sfn.DefinitionBody.from_string(lazy),
            role=self._role,
            state_machine_type=sfn.StateMachineType.STANDARD,
            # Not the data: a definition's variables hold policies, and a worker's input names files.
            logs=sfn.LogOptions(destination=log, level=sfn.LogLevel.ALL, include_execution_data=False),
            tracing_enabled=True,
        )
        stack = self._stack
        statements = running_maps(
            machine.state_machine_arn,
            partition=stack.partition,
            region=stack.region,
            account=stack.account,
            name=machine.state_machine_name,
        )
        # A policy of its own: the machine waits for that of its role, and this one names the machine.
        iam.Policy(self, "Maps", document=_document(statements), roles=[self._role])
        self.node.add_validation(_Validate(self.definition))
        resource = machine.node.default_child
        assert isinstance(resource, sfn.CfnStateMachine)  # noqa: S101
        sealed = self._sealed
        origin: Json = (
            {"sealed": {"account": sealed.account, "region": sealed.region, "bucket": sealed.bucket}}
            if sealed is not None
            else {"point_in_time": self._source.arn}
        )
        resource.add_metadata(
            METADATA_KEY,
            {"restore": {**origin, "source": self._source.arn, "targets": self._targets.described}},
        )
        return machine

    def definition(self) -> Json:
        """The definition of the machine as it stands at the moment, for tests and reviews; it may hold tokens.

        Raises:
            InvalidInputError: The table that it is like has something that cannot be restored as it is.
            PolicyTooLargeError: The policy of the restored table is over the limit.
        """
        return self._described(self._now()).definition()

    def _described(self, blueprint: TableBlueprint) -> RestoreMachine:
        target = self._targets.reference(PLACEHOLDER)
        final, stream = (self._deployable(policy) for policy in _policies(blueprint, target))
        working = [self._roles[part].role_arn for part in ("Load", "Digest")]
        policy = exempting(final, [self._role.role_arn, *working, *self._readers]) if final is not None else None
        for document, limit in ((policy, self._limits.table), (stream, self._limits.stream)):
            if document is not None:
                check_size(document, limit, owner=self.node.path, fix=_FIT)
        functions = {part: function.function_arn for part, function in self._functions.items()}
        insights = {"": blueprint.contributor_insights} | {
            index.name: index.contributor_insights for index in blueprint.global_indexes
        }
        source = self._source
        return RestoreMachine(
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
            planning=self._planning(functions),
            functions=Functions(load=functions["Load"], digest=functions["Digest"], check=functions["Check"]),
            work_bucket=self._work.bucket_name,
            files_at_once=self._files_at_once,
            segments=self._segments,
            timeout_seconds=int(self._timeout.to_seconds()),
        )

    def _deployable(self, policy: Json | None) -> Json | None:
        role = execution_role(self._stack)
        return deployable(policy, role.arn(self._targets.partition)) if policy and role else policy

    def _planning(self, functions: dict[str, str]) -> dict[str, Json]:
        if self._living is None:
            return from_catalogue(functions["Plan"])
        return from_point_in_time(
            table_arn=self._living.arn,
            account=self._living.account,
            bucket=self._bucket_of_exports().bucket_name,
            work_bucket=self._work.bucket_name,
            files_at_once=self._files_at_once,
            functions=(functions["Open"], functions["Measure"], functions["Close"]),
        )


_COLON: Final = cdk.ArnFormat.COLON_RESOURCE_NAME


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


def _within(construct: Construct, name: str, value: object, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise InvalidInputError(f"{name} of {construct.node.path}", value=value, allowed=f"1 to {most}")
    return value


def _checked_role_name(name: str | None) -> str | None:
    if name is None:
        return None
    names.role_name("the role_name of a TableRestore", name)
    longest = _LONGEST_NAME - max(map(len, _ROLES.values()))
    if is_unresolved(name) or len(name) > longest:
        raise InvalidInputError(
            "the role_name of a TableRestore", value=name, allowed=f"a literal name of up to {longest} characters"
        )
    return name


def _attach(role: iam.Role, statements: Sequence[Json]) -> None:
    """Attach statements in one border crossing each, as they were written."""
    role.attach_inline_policy(iam.Policy(role, "Restore", document=_document(statements)))


def _document(statements: Sequence[Json]) -> iam.PolicyDocument:
    return iam.PolicyDocument.from_json({"Version": "2012-10-17", "Statement": list(statements)})


def _allow_versions(bucket_arn: str) -> Json:
    return {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectVersion"], "Resource": f"{bucket_arn}/*"}


def _list_versions(bucket_arn: str) -> Json:
    return {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:ListBucketVersions"], "Resource": bucket_arn}
