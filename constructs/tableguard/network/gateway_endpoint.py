"""The way to DynamoDB for everything in a VPC."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from tableguard.network.endpoint_tables import ReachedTable
from tableguard.network.tables_endpoint import TablesEndpoint
from tableguard.policy import Limits


class DynamoDbGatewayEndpoint(TablesEndpoint):
    """Creates a gateway endpoint for DynamoDB whose policy allows your callers the named tables, and nothing else.

    A VPC has one, since a route table takes a single route to DynamoDB. It serves all tables that are used from the
    VPC, so name them all. It reaches tables of its own region only, and no streams. Callers beyond the VPC (peering,
    VPN, Direct Connect) cannot use it: use a `DynamoDbInterfaceEndpoint`.

    Its resource has the logical id that `GatewayVpcEndpoint` would have with the same construct id.
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
            tables: Tables to reach through it. More can follow with `add_tables`; a `VpcOnlyTable` adds itself.
            organization: The id of the organization whose identities may call.
            accounts: The 12-digit ids of the accounts whose identities may call, where that is not the whole
                organization; the endpoint's own account when both are left out.
            subnets: The subnets whose route tables get the route; all of the VPC when left out.
            limits: Limits on the size of policies; the published ones when left out.

        Raises:
            InvalidInputError: A table that is none, or malformed callers.
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
        """The endpoint itself."""
        return self._endpoint
