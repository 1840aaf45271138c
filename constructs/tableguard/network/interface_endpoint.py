"""An interface endpoint for DynamoDB or DynamoDB Streams."""

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
    endpoint is enough. Lambda needs no endpoint to poll a stream: it polls from its own network (see `LambdaPoller`).

    The security group allows HTTPS from the VPC and from `callers`, and no outbound traffic.
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
            streams: True for the streams of the tables; False, the default, for the tables themselves.
            tables: Tables that callers reach through the endpoint; none when left out. Add more with `add_tables`; a
                `VpcOnlyTable` adds itself.
            organization: The id ("o-…") of the organization whose identities may call.
            accounts: The 12-digit ids of the accounts whose identities may call, instead of a whole organization. When
                both are left out, the endpoint's own account.
            callers: IP ranges outside the VPC that may connect, such as those of a peered VPC or an office.
            private_dns: Whether the service's usual host name resolves to the endpoint inside the VPC. If False, give
                all clients the endpoint's own host name; other clients do not use the endpoint. AWS's pages disagree on
                whether DynamoDB offers private DNS: if it does not, the deployment fails with an error.
            subnets: The subnets of the endpoint's addresses, one for each Availability Zone; the CDK's choice when left
                out.
            security_groups: The endpoint's security groups; a new one when left out.
            limits: Limits on the size of policies; the published ones when left out.

        Raises:
            InvalidInputError: `tables` contains something else, `organization`, `accounts` or `callers` is malformed,
                or there are both `callers` and `security_groups`.
        """
        super().__init__(scope, construct_id)
        check_list(self, "callers", callers)
        ranges = [names.network(f"a caller of {self.node.path}", each) for each in callers]
        if security_groups is not None and ranges:
            raise InvalidInputError(
                f"the callers of {self.node.path}",
                value=ranges,
                allowed="no callers together with security_groups, which decide who may connect",
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
        """The CDK's endpoint."""
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
