"""The way to DynamoDB, or to its streams, by private addresses."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from tableguard.network.endpoint_tables import ReachedTable
from tableguard.network.tables_endpoint import TablesEndpoint
from tableguard.policy import InvalidInputError, Limits, names
from tableguard.tables.granting import check_list

_HTTPS = 443


class DynamoDbInterfaceEndpoint(TablesEndpoint):
    """Creates an interface endpoint for DynamoDB, or its streams, that allows your callers the named tables only.

    Use it for streams, and for tables whose callers come over peering, VPN or Direct Connect; otherwise a gateway
    endpoint is enough. Lambda's polling of a stream needs no endpoint: it comes from Lambda's network (see
    `LambdaPoller`).

    Its security group allows HTTPS from the VPC and from `callers`, and nothing out.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        streams: bool = False,
        tables: Sequence[ReachedTable] = (),
        organization: str | None = None,
        accounts: Sequence[str] = (),
        callers: Sequence[str] = (),
        private_dns: bool = True,
        subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Make an interface endpoint.

        Args:
            scope: The parent construct.
            construct_id: The construct's id, unique below its parent.
            vpc: The VPC.
            streams: Whether it is for the tables' streams; for the tables themselves when left out.
            tables: Tables to reach through it. More can follow with `add_tables`; a `VpcOnlyTable` adds itself.
            organization: The id of the organization whose identities may call.
            accounts: The 12-digit ids of the accounts whose identities may call, where that is not the whole
                organization; the endpoint's own account when both are left out.
            callers: IP ranges beyond the VPC that may connect, such as that of a peered VPC or of an office.
            private_dns: Whether the service's usual host name leads to the endpoint inside the VPC. Without it, clients
                have to be given the endpoint's own host name, and those that are not miss it. AWS's pages disagree on
                whether DynamoDB offers it: where it does not, the deployment fails and says so.
            subnets: The subnets that it has addresses in, one for each Availability Zone; as the CDK chooses when left
                out.
            security_groups: Security groups to use instead of one of its own.
            limits: Limits on the size of policies; the published ones when left out.

        Raises:
            InvalidInputError: A table that is none, malformed callers, or callers together with security groups.
        """
        super().__init__(scope, construct_id)
        check_list(self, "callers", callers)
        ranges = [names.network(f"a caller of {self.node.path}", each) for each in callers]
        if security_groups is not None and ranges:
            raise InvalidInputError(
                f"the callers of {self.node.path}",
                value=ranges,
                allowed="none with security_groups, which say who may connect",
            )
        groups = [_security_group(self, vpc, ranges)] if security_groups is None else list(security_groups)
        service = ec2.InterfaceVpcEndpointAwsService
        self._endpoint = ec2.InterfaceVpcEndpoint(
            self,
            "Default",
            vpc=vpc,
            service=service.DYNAMODB_STREAMS if streams else service.DYNAMODB,
            private_dns_enabled=private_dns,
            open=False,
            subnets=subnets,
            security_groups=groups,
        )
        self._reach(self._endpoint, tables, organization=organization, accounts=accounts, limits=limits)

    @property
    def endpoint(self) -> ec2.InterfaceVpcEndpoint:
        """The endpoint itself."""
        return self._endpoint


def _security_group(scope: Construct, vpc: ec2.IVpc, ranges: Sequence[str]) -> ec2.SecurityGroup:
    group = ec2.SecurityGroup(
        scope,
        "SecurityGroup",
        vpc=vpc,
        description="HTTPS to the VPC endpoint",
        allow_all_outbound=False,
    )
    group.add_ingress_rule(ec2.Peer.ipv4(vpc.vpc_cidr_block), ec2.Port.tcp(_HTTPS), "the VPC")
    for each in ranges:
        peer = ec2.Peer.ipv6(each) if ":" in each else ec2.Peer.ipv4(each)
        group.add_ingress_rule(peer, ec2.Port.tcp(_HTTPS), "callers beyond the VPC")
    return group
