"""An account whose table is reached from inside its own network alone, and the way in for an emergency."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb, aws_ec2 as ec2
from constructs import Construct

import tableguard as tg
from stacks.backups import PRIVATE_EXPORTER, PRIVATE_TABLE
from stacks.exported_table import ExportedTable
from stacks.findings import acknowledge, acknowledge_wildcard, skip_checks
from stacks.table_function import Network, TableFunction

CATEGORY = dynamodb.Attribute(name="category", type=dynamodb.AttributeType.STRING)
ITEM = dynamodb.Attribute(name="item", type=dynamodb.AttributeType.STRING)
READER = "private-reader"
BREAK_GLASS = "break-glass"


class PrivateWorkload(cdk.Stack):
    """The table, a function in the VPC that reads it, and a break-glass role with its alarm.

    The VPC has no way out but the endpoint, whose policy reaches this table and no other. From elsewhere the table
    refuses everybody but the break-glass role, whatever their own policies say: administrators of the account as well.
    What the table cannot refuse, such as a copy restored from a backup, `Management` does.

    The alarm is in this Region. It hears of changes to the role, which are events of IAM, if that is us-east-1; in
    every Region but this one nobody can use the role: see the guardrails of `Management`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        env: cdk.Environment,
        emergency_account: str,
        vault: tg.VaultReference,
    ) -> None:
        """Make the workload.

        Args:
            scope: The app.
            construct_id: The stack's name.
            env: Account and region.
            emergency_account: The account of the emergency users, which holds nothing else.
            vault: Where the table's exports go.
        """
        super().__init__(scope, construct_id, env=env)
        self.break_glass = tg.BreakGlassRole(
            self,
            "BreakGlass",
            role_name=BREAK_GLASS,
            assumed_by=[
                tg.UsersWithMfa(
                    users=[tg.User(account=emergency_account, name=name) for name in ("on-call-1", "on-call-2")]
                ),
                tg.PermissionSet(account=self.account, name="Emergency"),
            ],
            access=tg.BreakGlassAccess.FULL,
            tables=[tg.TableReference(account=self.account, region=self.region, name=PRIVATE_TABLE)],
            reason="runbook 7: the VPC, its endpoint or their policies are what is broken",
        )
        self._acknowledge_what_emergencies_take()
        self.alarm = tg.BreakGlassAlarm(self, "BreakGlassAlarm", roles=[self.break_glass.principal])
        acknowledge(self.alarm.dead_letters, "SQS3", reason="It is the queue of what could not be delivered.")
        skip_checks(self.alarm.dead_letters, {"CKV_AWS_27": "SQS encrypts it with a key of its own (SSE-SQS)."})
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            nat_gateways=0,
            subnet_configuration=[ec2.SubnetConfiguration(name="Inside", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)],
            # The function has a security group of its own; emptying the default one takes a function of the CDK's.
            restrict_default_security_group=False,
        )
        acknowledge(
            self.vpc,
            "VPC7",
            reason="It has no way out but the endpoint: CloudTrail names the calls that go through it.",
        )
        self.endpoint = tg.DynamoDbGatewayEndpoint(self, "ToTables", vpc=self.vpc)
        self.grant = tg.TableGrant(
            tg.Role(account=self.account, name=READER),
            tg.Access.on_table("GetItem"),
            reason="ADR-12: payroll shows one entry at a time",
        )
        self.table = tg.VpcOnlyTable(
            self,
            "Table",
            table_name=PRIVATE_TABLE,
            partition_key=CATEGORY,
            sort_key=ITEM,
            perimeter=tg.Perimeter(
                networks=[tg.FromVpc(self.vpc.vpc_id, region=self.region)],
                exemptions=[self.break_glass.exemption, self.exporting],
            ),
            endpoints=[self.endpoint],
        )
        self.backup = ExportedTable(self, "Backup", table=self.table.table, vault=vault, role_name=PRIVATE_EXPORTER)
        group = ec2.SecurityGroup(
            self, "Function", vpc=self.vpc, allow_all_outbound=False, description="The function, to DynamoDB alone"
        )
        # The VPC has no route but the endpoint's.
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "DynamoDB")
        self.reader = TableFunction(
            self,
            "Reader",
            handler="reader",
            grant=self.grant,
            table=self.table.reference,
            network=Network(vpc=self.vpc, group=group),
        )
        cdk.CfnOutput(self, "FunctionName", value=self.reader.function.function_name)

    @property
    def exporting(self) -> tg.Exemption:
        """Who takes exports, from the network of Step Functions: of the table he may do nothing else.

        It is what `TableExport.exemption` says, before there is a table to export.
        """
        return tg.Exemption(
            principal=tg.Role(account=self.account, name=PRIVATE_EXPORTER),
            actions=tg.RestrictedActions.EXPORT,
            reason="the vault of another account seals the exports: docs/backups.md",
        )

    @property
    def inside(self) -> Mapping[str, str]:
        """Where the function's requests come from, for rules: the VPC, by its name in the template."""
        vpc = self.get_logical_id(cast("cdk.CfnElement", self.vpc.node.default_child))
        return {"aws:SourceVpc": f"{{{self.stack_name}.{vpc}}}", "aws:VpceAccount": self.account}

    def _acknowledge_what_emergencies_take(self) -> None:
        acknowledge(
            self.break_glass,
            "IAM5[Action::dynamodb:*]",
            reason="An emergency is what nobody has thought of. Its last statements deny what it must not.",
        )
        for resource in (
            f"arn:aws:dynamodb:{self.region}:{self.account}:table/{PRIVATE_TABLE}/*",
            f"arn:aws:kms:*:{self.account}:key/*",
            f"arn:aws:application-autoscaling:*:{self.account}:scalable-target/*",
            "*",
        ):
            acknowledge_wildcard(
                self.break_glass,
                resource,
                reason="What belongs to the table has no name before: indexes, its key (through DynamoDB alone), what "
                "scales it, and lists that are on no resource.",
            )

    @property
    def availability_zones(self) -> list[str]:
        """The first two of the region, whichever they are: looking them up would take credentials at synth."""
        return [cdk.Fn.select(number, cdk.Fn.get_azs()) for number in (0, 1)]
