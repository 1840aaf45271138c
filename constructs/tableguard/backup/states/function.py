"""The Lambda functions behind the state machines of the backups."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam, aws_lambda as lambda_, aws_logs as logs
from constructs import Construct

from tableguard.policy.errors import InvalidInputError

_FOLDER: Final = Path(__file__).parent.parent
# The steps that there are, by module and function.
HANDLERS: Final = (
    "seal.open",
    "seal.copy",
    "seal.close",
    "seal.sweep",
    "seal.holes",
    "seal.problem",
    "restore.plan",
    "restore.load",
    "restore.digest",
    "restore.check",
    "restore.problem",
    "drill.check",
    "point_in_time.begin",
    "point_in_time.measure",
    "point_in_time.finish",
    "point_in_time.clear",
)


class BackupFunction(lambda_.Function):
    """One step of a backup's state machine that no service integration can do.

    Its log group, and its role if none is given, stand beside it: `{construct_id}Log` and `{construct_id}Role`.

    Args:
        scope: The parent.
        construct_id: The id.
        handler: The step, one of seal.open, seal.copy, seal.close, seal.sweep, seal.holes, seal.problem, restore.plan,
            restore.load, restore.digest, restore.check, restore.problem, drill.check, point_in_time.begin,
            point_in_time.measure, point_in_time.finish, point_in_time.clear.
        environment: The settings that the step's module names.
        role: The role that it runs as, which is let write the log; None makes one that may do that and nothing else.
        memory_mib: Memory in MiB, and with it the share of a processor: 1769 is one whole. Files are streamed, so a
            larger file needs no more.
        timeout: How long one invocation may take, up to 15 minutes, which is what leaving it out means. A step that
            needs longer goes on in the next one.
        reserved_concurrency: How many may run at once, taken from the account's share; None reserves none and
            leaves it to the state machine.
        function_name: Its name, where policies have to know it; CloudFormation's choice when None.
        log_retention: How long the log is kept. It says what was done to which file, never what an item holds.

    Raises:
        InvalidInputError: There is no such step.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        handler: str,
        environment: Mapping[str, str] | None = None,
        role: iam.IRole | None = None,
        memory_mib: int = 1769,
        timeout: cdk.Duration | None = None,
        reserved_concurrency: int | None = None,
        function_name: str | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_YEAR,
    ) -> None:
        if handler not in HANDLERS:
            raise InvalidInputError("The handler of a BackupFunction", value=handler, allowed=", ".join(HANDLERS))
        log = logs.LogGroup(
            scope, f"{construct_id}Log", retention=log_retention, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        role = role or iam.Role(scope, f"{construct_id}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log.grant_write(role)
        super().__init__(
            scope,
            construct_id,
            description=f"Step {handler} of backups",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(
                str(_FOLDER), exclude=["*", "!lambdas", "!lambdas/*.py"], ignore_mode=cdk.IgnoreMode.GLOB
            ),
            handler=f"lambdas.{handler}",
            environment=dict(environment or {}),
            role=role,
            log_group=log,
            memory_size=memory_mib,
            timeout=timeout or cdk.Duration.minutes(15),
            reserved_concurrent_executions=reserved_concurrency,
            function_name=function_name,
        )
