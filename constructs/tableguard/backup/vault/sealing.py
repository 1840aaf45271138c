"""What seals a vault's exports: the role, the functions, the machines and what starts them."""

from __future__ import annotations

import json
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_events as events, aws_iam as iam, aws_s3 as s3, aws_scheduler as scheduler
from constructs import Construct

from tableguard.backup.protected_bucket import partition_in
from tableguard.backup.service_trust import own_service
from tableguard.backup.states.function import BackupFunction
from tableguard.backup.states.state_machine import BackupMachine, tasks_in
from tableguard.backup.vault.machine import MANIFEST, NAMESPACE, Sealing
from tableguard.policy import Role
from tableguard.policy.backup import Bucket, Retention, SealingNames, SourceQuota
from tableguard.policy.backup.common import unless
from tableguard.policy.conditions import Clause
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.documents import AllowStatement, document

WORK_DAYS: Final = 7
_FILES_AT_ONCE: Final = 20
STEPS: Final = ("open", "copy", "close", "problem", "sweep", "holes")


_COUNTING: Final = AllowStatement(
    actions=("cloudwatch:PutMetricData",),
    resources=("*",),
    clauses=(Clause("StringEquals", "cloudwatch:namespace", (NAMESPACE,)),),
)


class Sealers(Construct):
    """The parts of a `SealedVault` that work: nothing here decides what is kept, and for how long."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        role: Role,
        intake_arn: str,
        intake_name: str,
        sealed_arn: str,
        sealed_name: str,
        retention: Retention,
        quota: SourceQuota,
        sweep_every: cdk.Duration,
        access_logs: s3.IBucket | None,
    ) -> None:
        """Make them.

        Args:
            scope: The vault.
            construct_id: The construct's id.
            role: The role that all functions run as, which the buckets' policies name.
            intake_arn: The intake's ARN.
            intake_name: The intake's name.
            sealed_arn: The sealed bucket's ARN.
            sealed_name: The sealed bucket's name.
            retention: How long the vault locks.
            quota: How much it seals of one source in a day.
            sweep_every: How often it looks for what no event told of.
            access_logs: Where requests for the work bucket are logged.
        """
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        self._partition = partition_in(stack)
        called = SealingNames(role=role)
        self.role = iam.Role(
            self,
            "Role",
            role_name=role.name,
            description="Seals what arrives in the vault",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        self.work = self._work_bucket(access_logs)
        machine = stack.format_arn(
            service="states",
            resource="stateMachine",
            resource_name=f"{sealed_name}-seal",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        self._grant(intake_arn, sealed_arn, machine)
        kept = (
            {"RETENTION_DAYS": str(retention.days)}
            if retention.days is not None
            else {"RETENTION_YEARS": str(retention.years)}
        )
        environment = {
            "INTAKE_BUCKET": intake_name,
            "SEALED_BUCKET": sealed_name,
            "WORK_BUCKET": self.work.bucket_name,
            "RETENTION_MODE": retention.mode.value,
            # By its name: the machine names the functions.
            "SEALING_MACHINE": machine,
            "QUOTA_BYTES_PER_DAY": str(quota.bytes_per_day),
            "QUOTA_EXPORTS_PER_DAY": str(quota.exports_per_day),
            **kept,
        }
        functions = {
            step: BackupFunction(
                self,
                step.title(),
                handler=f"seal.{step}",
                environment=environment,
                role=self.role,
                function_name=called.function(step),
            ).function_arn
            for step in STEPS
        }
        sealing = Sealing(
            tasks=tasks_in(self),
            open_function=functions["open"],
            copy_function=functions["copy"],
            close_function=functions["close"],
            problem_function=functions["problem"],
            sweep_function=functions["sweep"],
            holes_function=functions["holes"],
            work_bucket=self.work.bucket_name,
            vault=sealed_name,
            at_once=_FILES_AT_ONCE,
        )
        self.machine = BackupMachine(
            self,
            "Machine",
            name=f"{sealed_name}-seal",
            definition=sealing.definition(),
            policy=document(
                [
                    _invoking(*(functions[step] for step in ("open", "copy", "close", "problem"))),
                    # The map's results may be larger than one part.
                    AllowStatement(
                        actions=(
                            "s3:AbortMultipartUpload",
                            "s3:GetObject",
                            "s3:ListMultipartUploadParts",
                            "s3:PutObject",
                        ),
                        resources=(f"{self.work.bucket_arn}/*",),
                    ),
                    _COUNTING,
                ]
            ),
            distributed=True,
            role_name=called.machine,
        )
        self.sweeper = BackupMachine(
            self,
            "Sweeper",
            name=f"{sealed_name}-sweep",
            definition=sealing.sweep_definition(self.machine.arn),
            policy=document(
                [
                    _invoking(functions["sweep"], functions["holes"]),
                    AllowStatement(actions=("states:StartExecution",), resources=(self.machine.arn,)),
                    _COUNTING,
                ]
            ),
            role_name=called.sweeper,
        )
        self._protect_work(role)
        self._start_by_event(intake_name, called.event)
        self._start_by_clock(sweep_every, called.clock)

    def _work_bucket(self, access_logs: s3.IBucket | None) -> s3.Bucket:
        return s3.Bucket(
            self,
            "Work",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            encryption=s3.BucketEncryption.S3_MANAGED,
            blocked_encryption_types=[s3.BlockedEncryptionType.SSE_C],
            server_access_logs_bucket=access_logs,
            server_access_logs_prefix=None if access_logs is None else f"{self.node.id}-work/",
            removal_policy=cdk.RemovalPolicy.DESTROY,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="Expire",
                    expiration=cdk.Duration.days(WORK_DAYS),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                )
            ],
        )

    def _protect_work(self, role: Role) -> None:
        """Nobody but the sealing itself writes its lists: they say which versions are copied."""
        arn = self.work.bucket_arn
        bucket = Bucket(arn=arn, partition=self._partition, key_arn=None, deployers=())
        sealing = unless(self._partition, role)[0]
        machine = DenyStatement(
            sid="OnlySealingWrites",
            actions=("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject"),
            resources=bucket.objects,
            clauses=(type(sealing)(sealing.operator, sealing.key, (*sealing.values, self.machine.role.role_arn)),),
        )
        for denial in (*bucket.transport(), *bucket.encryption(), machine):
            self.work.add_to_resource_policy(iam.PolicyStatement.from_json(denial.to_json(principal="*")))

    def _grant(self, intake_arn: str, sealed_arn: str, machine: str) -> None:
        work = self.work.bucket_arn
        for actions, resources in (
            (["s3:ListBucket", "s3:ListBucketVersions"], [intake_arn, sealed_arn]),
            (["s3:GetObject", "s3:GetObjectVersion"], [f"{intake_arn}/*", f"{sealed_arn}/*"]),
            (["s3:ListBucket"], [work]),
            # How long a copy is locked that an execution before this one made.
            (["s3:GetObjectRetention"], [f"{sealed_arn}/*"]),
            (["s3:PutObject", "s3:PutObjectRetention"], [f"{sealed_arn}/exports/*", f"{sealed_arn}/catalogue/*"]),
            (["s3:GetObject", "s3:PutObject"], [f"{work}/*"]),
            # What is over the quota is counted out again.
            (["s3:DeleteObject"], [f"{work}/quota/*"]),
            # A sweep leaves alone what is being sealed.
            (["states:ListExecutions"], [machine]),
        ):
            self.role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources))

    def _start_by_event(self, intake_name: str, role_name: str) -> None:
        role = self._starter("EventRole", "events.amazonaws.com", self.machine.arn, role_name)
        events.CfnRule(
            self,
            "Arrived",
            description="An export's manifest has arrived in the vault's intake",
            event_pattern={
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {"bucket": {"name": [intake_name]}, "object": {"key": [{"suffix": MANIFEST}]}},
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="Seal",
                    arn=self.machine.arn,
                    role_arn=role.role_arn,
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_paths_map={"bucket": "$.detail.bucket.name", "key": "$.detail.object.key"},
                        input_template='{"bucket": "<bucket>", "key": "<key>"}',
                    ),
                )
            ],
        ).node.add_dependency(self.machine)

    def _start_by_clock(self, every: cdk.Duration, role_name: str) -> None:
        role = self._starter("ScheduleRole", "scheduler.amazonaws.com", self.sweeper.arn, role_name)
        scheduler.CfnSchedule(
            self,
            "Swept",
            description="Looks for exports that arrived and are not sealed",
            schedule_expression=f"rate({int(every.to_minutes())} minutes)",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self.sweeper.arn, role_arn=role.role_arn, input=json.dumps({})
            ),
        ).node.add_dependency(self.sweeper)

    def _starter(self, construct_id: str, service: str, machine: str, name: str) -> iam.Role:
        """A role that starts one machine; the account keeps another account's schedules from using it."""
        role = iam.Role(
            self,
            construct_id,
            role_name=name,
            assumed_by=own_service(self, service),
        )
        role.add_to_policy(iam.PolicyStatement(actions=["states:StartExecution"], resources=[machine]))
        return role


def _invoking(*functions: str) -> AllowStatement:
    return AllowStatement(actions=("lambda:InvokeFunction",), resources=functions)
