"""A tenant's account: a function that reads items of the central table, which may be in another region."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

import tableguard as tg
from stacks.table_function import TableFunction


class Tenant(cdk.Stack):
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
        TableFunction(self, "Reader", handler="reader", grant=grant, table=table)
