"""The data account by itself, with backups by AWS Backup which are tested and validated."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb, aws_scheduler as scheduler

import tableguard as tg
from tests.integration.backup import organization as org

SCHEDULE = "cron(0 5 ? * * *)"
DRILLED = "drilled-"


class Data(cdk.Stack):
    """A table, a drill of its point-in-time recovery, and a plan whose test restores the drill's check validates."""

    def __init__(self, scope: cdk.App) -> None:
        super().__init__(scope, "Data", env=cdk.Environment(account=org.DATA, region=org.REGION))
        table = dynamodb.TableV2(
            self,
            "Orders",
            table_name=org.TABLE,
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.NUMBER),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=True,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        restore = tg.TableRestore(
            self,
            "Restore",
            blueprint=tg.TableBlueprint.like(table),
            point_in_time=tg.TableReference(account=org.DATA, region=org.REGION, name=org.TABLE),
            table_prefix=DRILLED,
            files_at_once=4,
            segments=4,
        )
        drill = tg.RestoreDrill(
            self,
            "Drill",
            restore=restore,
            schedule=scheduler.ScheduleExpression.rate(cdk.Duration.days(1)),
            alarm_after=cdk.Duration.hours(26),
            canary=tg.Canary(key=org.CANARY),
            test_restores=True,
        )
        plan = tg.TableBackupPlan(
            self,
            "Plan",
            tables=[table],
            vault=tg.LockedBackupVault(
                self, "Vault", vault_name="data", lock=tg.VaultLock.governance(at_least_days=7, at_most_days=90)
            ),
            rules=[tg.BackupRule(name="daily", schedule=SCHEDULE, keep_days=35)],
            plan_name="orders",
            role_name="backups",
            advanced="A test.",
            alarm_after=cdk.Duration.hours(34),
            restore_testing=tg.RestoreTesting(
                name="orders",
                schedule=SCHEDULE,
                role_name="test-restores",
                validation=drill.check_machine,
                alarm_after=cdk.Duration.hours(50),
            ),
        )
        assert plan.restore_tests is not None
        cdk.CfnOutput(self, "DrillMachine", value=drill.machine.state_machine_arn)
        cdk.CfnOutput(self, "CheckMachine", value=drill.check_machine.state_machine_arn)
        cdk.CfnOutput(self, "ValidateMachine", value=plan.restore_tests.machine.state_machine_arn)
        cdk.CfnOutput(self, "TestPlan", value=plan.restore_tests.plan.attr_restore_testing_plan_arn)
