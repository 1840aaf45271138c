"""The writer's account: a function that puts items into the central table."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

import tableguard as tg
from stacks.table_function import TableFunction


class Writer(cdk.Stack):
    """The writer.

    Proof that it works: invoke the function (the output `FunctionName`) with `{"category": "books", "item": "atlas"}`;
    it answers with the key of the item that it has written.

    Clean removal, in this order: take the grant out of stacks/grants.py and deploy the central account, then destroy
    this stack, then delete the items. The other way round, whoever may make a role of that name in this account has
    the access in the meantime.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        env: cdk.Environment,
        grant: tg.TableGrant,
        table: tg.TableReference,
    ) -> None:
        super().__init__(scope, construct_id, env=env)
        writer = TableFunction(self, "Writer", handler="writer", grant=grant, table=table)
        cdk.CfnOutput(self, "FunctionName", value=writer.function.function_name)
