"""The central data account: the table that everybody else works on, and who may."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

import tableguard as tg
from stacks.backups import EXPORTER, TABLE
from stacks.exported_table import ExportedTable
from stacks.grants import BY_DATE
from stacks.recovery import CANARY

CATEGORY = dynamodb.Attribute(name="category", type=dynamodb.AttributeType.STRING)
ITEM = dynamodb.Attribute(name="item", type=dynamodb.AttributeType.STRING)
TIME = dynamodb.Attribute(name="time", type=dynamodb.AttributeType.STRING)


class CentralData(cdk.Stack):
    """The table, its side of every grant, and the exports that a vault in another account seals.

    The other side of the vendor's is not ours to deploy: it is the vendor's account, and we hold no credentials for
    it. The output `VendorPolicy` is the identity policy that the vendor attaches to whichever role needs it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        env: cdk.Environment,
        table_grants: Sequence[tg.TableGrant],
        vendor_grant: tg.TableGrant,
        vault: tg.VaultReference,
    ) -> None:
        super().__init__(scope, construct_id, env=env)
        self.table = tg.CrossAccountTable(
            self,
            "Table",
            table_name=TABLE,
            partition_key=CATEGORY,
            sort_key=ITEM,
            global_secondary_indexes=[
                dynamodb.GlobalSecondaryIndexPropsV2(index_name=BY_DATE, partition_key=CATEGORY, sort_key=TIME)
            ],
            dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            table_grants=table_grants,
        )
        self.backup = ExportedTable(self, "Backup", table=self.table.table, vault=vault, role_name=EXPORTER)
        # A drill looks for this item, which neither the export nor the vault has a hand in.
        tg.CanaryWriter(self, "Canary", table=self.table.table, canary=CANARY)
        cdk.CfnOutput(
            self,
            "VendorPolicy",
            description="The identity policy that the vendor attaches to its role",
            value=self.to_json_string(vendor_grant.identity_policy(self.table.reference)),
        )
