"""A small organization with backups: its data, its vault and where it restores, each an account.

The table has a local and a global index, grants and tags. It is exported every hour, sealed in the vault in compliance
mode, and restored and drilled in the recovery account.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb, aws_scheduler as scheduler, aws_sns as sns

import tableguard as tg

DATA, VAULT, RECOVERY = "161617171818", "181819192020", "202021212222"
CONSUMER = "222233334444"
REGION = "us-east-1"
TABLE = "orders"
TABLE_ARN = f"arn:aws:dynamodb:{REGION}:{DATA}:table/{TABLE}"
SOURCE = f"{DATA}/{REGION}/{TABLE}"
LANDING, INTAKE, SEALED = "landing-of-orders", "intake-of-backups", "sealed-backups"
REPLICATION = "orders-replication"
SEALING = "tableguard-sealing"  # the role that seals, and the beginning of its functions' names
RESTORER = "restore-orders"
READER = f"{RESTORER}-plan"
"""The role that may read the catalogue."""
BREAK_GLASS = "break-glass"
RESTORED = "restored-"
REWOUND = "rewound-"
"""What the names of tables begin with that are restored beside the living one, from point-in-time recovery."""
CANARY = {"pk": {"S": "tableguard#canary"}, "sk": {"N": "0"}}
DAYS = 35
"""How long a sealed file is locked."""


def _attribute(name: str, kind: dynamodb.AttributeType) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=kind)


class Data(cdk.Stack):
    """The account of the table: whatever is in it may be lost."""

    def __init__(self, scope: cdk.App, vault: tg.VaultReference) -> None:
        super().__init__(scope, "Data", env=cdk.Environment(account=DATA, region=REGION))
        string, number = dynamodb.AttributeType.STRING, dynamodb.AttributeType.NUMBER
        self.table = dynamodb.TableV2(
            self,
            "Orders",
            table_name=TABLE,
            partition_key=_attribute("pk", string),
            sort_key=_attribute("sk", number),
            local_secondary_indexes=[
                dynamodb.LocalSecondaryIndexProps(index_name="by-kind", sort_key=_attribute("kind", string))
            ],
            global_secondary_indexes=[
                dynamodb.GlobalSecondaryIndexPropsV2(
                    index_name="by-owner",
                    partition_key=_attribute("owner", string),
                    sort_key=_attribute("amount", number),
                )
            ],
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=True,
            removal_policy=cdk.RemovalPolicy.DESTROY,
            tags=[cdk.CfnTag(key="cost-centre", value="4711")],
        )
        shipping = tg.TableGrant(
            tg.Role(account=CONSUMER, name="reader"), tg.Access.READ, reason="They ship the orders."
        )
        tg.TableAccess(self, "Access", table=self.table, table_grants=[shipping])
        landing = tg.LandingBucket(self, "Landing", bucket_name=LANDING, vault=vault, replication_role_name=REPLICATION)
        export = tg.TableExport(
            self,
            "Export",
            tables=[self.table],
            landing=landing,
            every=cdk.Duration.hours(1),
            full_every=cdk.Duration.days(3),
            alarm_after=cdk.Duration.hours(3),
        )
        tg.CanaryWriter(self, "Canary", table=self.table, canary=tg.Canary(key=CANARY))
        rewind = tg.TableRestore(
            self,
            "Rewind",
            blueprint=tg.TableBlueprint.like(self.table),
            point_in_time=tg.TableReference(account=DATA, region=REGION, name=TABLE),
            table_prefix=REWOUND,
            files_at_once=4,
            segments=4,
        )
        cdk.CfnOutput(self, "RewindMachine", value=rewind.machine.state_machine_arn)
        cdk.CfnOutput(self, "ExportMachine", value=export.machine.state_machine_arn)
        cdk.CfnOutput(self, "Ledger", value=export.ledger.table_name)


class Vault(cdk.Stack):
    """The account that seals."""

    def __init__(self, scope: cdk.App, readers: tuple[tg.Role, ...]) -> None:
        super().__init__(scope, "Vault", env=cdk.Environment(account=VAULT, region=REGION))
        self.vault = tg.SealedVault(
            self,
            "Vault",
            sources=[tg.ReplicationSource(account=DATA, role_name=REPLICATION)],
            retention=tg.Retention.compliance(days=DAYS, acknowledge="A test."),
            quota=tg.SourceQuota(bytes_per_day=1_000_000_000, exports_per_day=100),
            intake_bucket_name=INTAKE,
            sealed_bucket_name=SEALED,
            readers=readers,
        )
        cdk.CfnOutput(self, "SealingMachine", value=self.vault.machine.state_machine_arn)
        cdk.CfnOutput(self, "Sweeper", value=self.vault.sweeper.state_machine_arn)


class Recovery(cdk.Stack):
    """The account that restores, and proves on a schedule that it can."""

    def __init__(self, scope: cdk.App, table: dynamodb.TableV2) -> None:
        super().__init__(scope, "Recovery", env=cdk.Environment(account=RECOVERY, region=REGION))
        topic = sns.Topic(self, "Alarms")
        self.restore = tg.TableRestore(
            self,
            "Restore",
            blueprint=tg.TableBlueprint.like(table),
            sealed=tg.SealedReference(account=VAULT, region=REGION, bucket=SEALED),
            table_prefix=RESTORED,
            role_name=RESTORER,
            files_at_once=4,
            segments=4,
        )
        drill = tg.RestoreDrill(
            self,
            "Drill",
            restore=self.restore,
            schedule=scheduler.ScheduleExpression.rate(cdk.Duration.days(1)),
            alarm_after=cdk.Duration.hours(26),
            canary=tg.Canary(key=CANARY),
            alarms_topic=topic,
        )
        cdk.CfnOutput(self, "RestoreMachine", value=self.restore.machine.state_machine_arn)
        cdk.CfnOutput(self, "RestoreWork", value=self.restore.work_bucket.bucket_name)
        cdk.CfnOutput(self, "DrillMachine", value=drill.machine.state_machine_arn)
        cdk.CfnOutput(self, "CheckMachine", value=drill.check_machine.state_machine_arn)
        cdk.CfnOutput(self, "DrillParameter", value=drill.parameter_name)
        cdk.CfnOutput(self, "DrillTables", value=drill.table_prefix)


def build(app: cdk.App) -> None:
    """Make the three stacks."""
    data = Data(app, tg.VaultReference(account=VAULT, region=REGION, intake_bucket=INTAKE))
    recovery = Recovery(app, data.table)
    vault = Vault(app, recovery.restore.reader_roles)
    # S3 looks for the intake when replication is set up.
    data.add_dependency(vault)
