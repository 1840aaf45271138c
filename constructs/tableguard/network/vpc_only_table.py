"""A table whose data can be reached only from inside a perimeter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict, Unpack

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb, aws_ec2 as ec2, aws_iam as iam, aws_kinesis as kinesis
from constructs import Construct

from tableguard.network.endpoint_tables import EndpointTables
from tableguard.network.table_perimeter import TablePerimeter
from tableguard.network.tables_endpoint import TablesEndpoint
from tableguard.policy import Limits, TableGrant
from tableguard.policy.perimeter import Exempt, Perimeter
from tableguard.tables.cross_account_table import CrossAccountTable


class TableProperties(TypedDict, total=False):
    """The other arguments of `CrossAccountTable`, whose docstring describes them."""

    sort_key: dynamodb.Attribute | None
    table_name: str | None
    table_grants: Sequence[TableGrant]
    encryption: dynamodb.TableEncryptionV2 | None
    replicas: Sequence[dynamodb.ReplicaTableProps] | None
    deletion_protection: bool
    removal_policy: cdk.RemovalPolicy
    point_in_time_recovery_specification: dynamodb.PointInTimeRecoverySpecification | None
    point_in_time_recovery: bool | None
    billing: dynamodb.Billing | None
    contributor_insights: bool | None
    contributor_insights_specification: dynamodb.ContributorInsightsSpecification | None
    dynamo_stream: dynamodb.StreamViewType | None
    global_secondary_indexes: Sequence[dynamodb.GlobalSecondaryIndexPropsV2] | None
    global_table_settings_replication_mode: dynamodb.GlobalTableSettingsReplicationMode | None
    kinesis_stream: kinesis.IStream | None
    local_secondary_indexes: Sequence[dynamodb.LocalSecondaryIndexProps] | None
    multi_region_consistency: dynamodb.MultiRegionConsistency | None
    resource_policy: iam.PolicyDocument | None
    stream_resource_policy: iam.PolicyDocument | None
    table_class: dynamodb.TableClass | None
    tags: Sequence[cdk.CfnTag] | None
    time_to_live_attribute: str | None
    warm_throughput: dynamodb.WarmThroughput | None
    witness_region: str | None


class VpcOnlyTable(CrossAccountTable):
    """Creates a DynamoDB table whose data can be read, written and moved only from inside your networks.

    It is a `CrossAccountTable` with a `TablePerimeter`. A consumer of another account needs a grant, and has to send
    its requests from inside.

    `TableV2(scope, "Orders", …)` and `VpcOnlyTable(scope, "Orders", …)` make a resource with the same logical id.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        partition_key: dynamodb.Attribute,
        perimeter: Perimeter | None = None,
        vpcs: Sequence[ec2.IVpc] = (),
        endpoints: Sequence[TablesEndpoint | EndpointTables] = (),
        deployed_by: Exempt | None = None,
        no_deployment_role: str | None = None,
        deployed_replicas: Sequence[str] = (),
        open_replicas: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        **properties: Unpack[TableProperties],
    ) -> None:
        """Make a table.

        Args:
            scope: The parent construct, in a stack with a concrete account and region (`env`).
            construct_id: The construct's id, unique below its parent.
            partition_key: The partition key.
            perimeter: As in `TablePerimeter`: the networks inside and the exemptions.
            vpcs: As in `TablePerimeter`: VPCs that are inside.
            endpoints: As in `TablePerimeter`: endpoints through which callers reach the table; their VPCs are inside.
            deployed_by: As in `TablePerimeter`: the role that the stack is deployed as.
            no_deployment_role: As in `TablePerimeter`: the reason why no role is exempt for deployments.
            deployed_replicas: As in `TablePerimeter`: regions of replicas that are already deployed.
            open_replicas: As in `TablePerimeter`: replicas that this deployment creates, each with the reason.
            limits: Limits on the size of policies, if AWS has raised yours; the published ones when left out.
            properties: All other arguments of `CrossAccountTable`.

        Raises:
            InvalidInputError: As `CrossAccountTable` or `TablePerimeter` raises it.
            PolicyTooLargeError: The statements of this library alone are over a limit.
        """
        super().__init__(
            scope,
            construct_id,
            partition_key=partition_key,
            deployed_replicas=deployed_replicas,
            limits=limits,
            **properties,
        )
        self._perimeter = TablePerimeter(
            self,
            "Perimeter",
            table=self.table,
            perimeter=perimeter,
            vpcs=vpcs,
            endpoints=endpoints,
            deployed_by=deployed_by,
            no_deployment_role=no_deployment_role,
            open_replicas=open_replicas,
        )

    @property
    def perimeter(self) -> Perimeter:
        """The perimeter, with all VPCs and exemptions that this construct added."""
        return self._perimeter.perimeter
