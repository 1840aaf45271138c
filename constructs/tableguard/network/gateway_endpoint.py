"""A gateway endpoint for DynamoDB."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from tableguard.network.endpoint_tables import ReachedTable
from tableguard.network.tables_endpoint import TablesEndpoint
from tableguard.policy import Limits


class DynamoDbGatewayEndpoint(TablesEndpoint):
    """Creates a gateway endpoint for DynamoDB whose policy allows your callers the named tables, and nothing else.

    Name all tables that are used from the VPC: a VPC has one such endpoint, since a route table takes a single route to
    DynamoDB. The endpoint reaches tables of its own region only, and no streams. For callers outside the VPC (peering,
    VPN, Direct Connect), use a `DynamoDbInterfaceEndpoint`.

    The resource has the same logical id as a `GatewayVpcEndpoint` with the same construct id.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        tables: Sequence[ReachedTable] = (),
        organization: str | None = None,
        accounts: Sequence[str] = (),
        subnets: Sequence[ec2.SubnetSelection] | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Make a gateway endpoint.

        Args:
            scope: The parent construct.
            construct_id: The construct's id, unique below its parent.
            vpc: The VPC.
            tables: Tables that callers reach through the endpoint; none when left out. Add more with `add_tables`; a
                `VpcOnlyTable` adds itself.
            organization: The id ("o-…") of the organization whose identities may call.
            accounts: The 12-digit ids of the accounts whose identities may call, instead of a whole organization. When
                both are left out, the endpoint's own account.
            subnets: The subnets whose route tables get the route; all subnets of the VPC when left out.
            limits: Limits on the size of policies; the published ones when left out.

        Raises:
            InvalidInputError: `tables` contains something else, or `organization` or `accounts` is malformed.
        """
        super().__init__(scope, construct_id)
        self._endpoint = ec2.GatewayVpcEndpoint(
            self,
            "Default",
            vpc=vpc,
            service=ec2.GatewayVpcEndpointAwsService.DYNAMODB,
            subnets=None if subnets is None else list(subnets),
        )
        self._reach(self._endpoint, tables, organization=organization, accounts=accounts, limits=limits)

    @property
    def endpoint(self) -> ec2.GatewayVpcEndpoint:
        """The CDK's endpoint."""
        return self._endpoint
