"""The ETL account: a function that reads one index of the central table, and the table's stream."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

import tableguard as tg
from stacks.findings import acknowledge_wildcard
from stacks.grants import BY_DATE
from stacks.table_function import TableFunction


class Etl(cdk.Stack):
    """The pipeline.

    Its function looks for the stream itself, so that one deployment is enough. To let Lambda poll the stream instead,
    add an event source mapping with the stream's exact ARN once the table is deployed; the grant covers it, as long as
    this account is deployed into the table's region.
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
        pipeline = TableFunction(
            self, "Pipeline", handler="pipeline", grant=grant, table=table, environment={"INDEX_NAME": BY_DATE}
        )
        acknowledge_wildcard(
            pipeline,
            table.stream_arn,
            reason="A stream's ARN ends in the moment at which it was enabled, which nobody knows before.",
        )
