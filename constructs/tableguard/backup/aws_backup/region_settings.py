"""Advanced DynamoDB backup: the setting of a region without which backups cannot be copied."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam, aws_logs as logs, aws_ssm as ssm, custom_resources as cr
from constructs import Construct

_MAPS: Final = ("ResourceTypeManagementPreference", "ResourceTypeOptInPreference")
_TYPE: Final = "DynamoDB"


class AdvancedDynamoDbBackup(Construct):
    """Turns on advanced DynamoDB backup for an account and region, or checks that it is on.

    Where it is off, AWS Backup still makes backups of tables, which cannot be copied to another account or region, nor
    go to cold storage. It is on by default only in accounts that had no backup vault before 21 November 2021.

    It sets DynamoDB in both maps of UpdateRegionSettings and names no other type: this is the procedure that AWS
    documents ("Enabling advanced DynamoDB backup programmatically"), in which the others keep what they have. That a
    type that is left out keeps its setting is not said in the API reference. Users of Terraform's
    aws_backup_region_settings, which calls the same operation, see the settings of all other types unchanged
    (hashicorp/terraform-provider-aws#22744); one reports that in a fresh region AWS turned some on
    (…#30881), none that one was turned off. Use `check_only` where that matters.

    Then it reads the settings back, and the deployment fails unless both are on: as an SSM parameter, whose pattern
    takes nothing else. It runs when it is deployed first. Deleting it turns nothing off; that somebody else does shows
    in an alarm of the `TableBackupPlan`. Where `ProtectBackups` is in force, the deployment cannot set it: set it once
    as an administrator, and use `check_only`.
    """

    def __init__(self, scope: Construct, construct_id: str, *, check_only: bool = False) -> None:
        """Turn it on, or check it.

        Args:
            scope: The parent construct. Once for an account and region is enough.
            construct_id: The construct's id, unique below its parent.
            check_only: Whether to change nothing, and fail the deployment where it is off. False when left out.
        """
        super().__init__(scope, construct_id)
        log = logs.LogGroup(
            self, "Log", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        called = self._call(
            "Described", "DescribeRegionSettings", {}, log, outputs=[f"{each}.{_TYPE}" for each in _MAPS]
        )
        if not check_only:
            on = {_TYPE: True}
            called.node.add_dependency(self._call("Set", "UpdateRegionSettings", dict.fromkeys(_MAPS, on), log))
        said = cdk.Fn.join(" ", [called.get_response_field(f"{each}.{_TYPE}") for each in _MAPS])
        self._confirmed = ssm.CfnParameter(
            self,
            "Confirmed",
            type="String",
            description="Advanced DynamoDB backup: full management and opt-in, both of which have to be on",
            value=said,
            allowed_pattern="^true true$",
        )

    @property
    def confirmed(self) -> ssm.CfnParameter:
        """What exists only where both settings are on: whatever depends on them depends on it."""
        return self._confirmed

    def _call(
        self,
        construct_id: str,
        action: str,
        parameters: dict[str, object],
        log: logs.ILogGroup,
        outputs: list[str] | None = None,
    ) -> cr.AwsCustomResource:
        call = cr.AwsSdkCall(
            service="Backup",
            action=action,
            parameters=parameters,
            output_paths=outputs,
            physical_resource_id=cr.PhysicalResourceId.of(f"tableguard-{action}"),
        )
        # Neither action knows resources. Source: service authorization reference, AWS Backup.
        policy = iam.PolicyStatement(actions=[f"backup:{action}"], resources=["*"])
        return cr.AwsCustomResource(
            self,
            construct_id,
            on_update=call,
            install_latest_aws_sdk=False,
            log_group=log,
            policy=cr.AwsCustomResourcePolicy.from_statements([policy]),
            resource_type=f"Custom::Tableguard{action}",
        )
