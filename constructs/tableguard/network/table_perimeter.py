"""A perimeter for an existing table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from tableguard.network.denied_grants import denied_grants
from tableguard.network.denying import denied
from tableguard.network.endpoint_tables import EndpointTables, endpoint_tables
from tableguard.network.inside import from_vpc, with_vpcs
from tableguard.network.tables_endpoint import TablesEndpoint
from tableguard.policy import InvalidInputError, Limits, TableGrant, TableReference
from tableguard.policy.deny_statements import denying
from tableguard.policy.documents import VERSION, Json
from tableguard.policy.metadata import perimeter_json
from tableguard.policy.perimeter import Exempt, Perimeter
from tableguard.policy.perimeter.restricted_actions import Side
from tableguard.policy.tokens import is_unresolved
from tableguard.tables.attachable import AnyTable, Instead, table_resource, unwrapped
from tableguard.tables.attachment.policies import TablePolicies
from tableguard.tables.deployment import deployable
from tableguard.tables.granting import check_limits, check_list

DENIED_GRANT: Final = "tableguard:perimeter-denies-grant"
OPEN_REPLICA: Final = "tableguard:replica-without-perimeter"


class TablePerimeter(Construct):
    """Denies callers outside a perimeter to read, write or move the data of an existing table.

    It adds deny statements to the policies of the table and its stream; all other statements stay. Grants and identity
    policies still decide what callers inside may do. It works on `TableV2`, `Table`, `CfnTable` and `CfnGlobalTable`. A
    table has one perimeter at most.

    The perimeter does not deny settings (`RestrictedActions.SETTINGS`) or replication. The role that deploys the stack
    is exempt for what a deployment does, and the root user of the account can delete the policy.

    Before you add this to a table in use, find out who would be denied: docs/private-table.md says how. A client in the
    VPC that does not go through an endpoint is outside.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        table: AnyTable,
        perimeter: Perimeter | None = None,
        vpcs: Sequence[ec2.IVpc] = (),
        endpoints: Sequence[TablesEndpoint | EndpointTables] = (),
        deployed_by: Exempt | None = None,
        no_deployment_role: str | None = None,
        deployed_replicas: Sequence[str] = (),
        open_replicas: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Put a perimeter around a table.

        Args:
            scope: The parent construct.
            construct_id: The construct's id, unique below its parent.
            table: The table. It must be made in this app.
            perimeter: The networks inside and the exemptions. It may be left out if `vpcs` or `endpoints` say what is
                inside and nobody is exempt.
            vpcs: Further VPCs inside, of the table's account and region or imported by their ids.
            endpoints: Endpoints of this library. The table is added to their policies, and their VPCs are inside.
            deployed_by: The role that the stack is deployed as; CloudFormation's execution role of the stack's
                synthesizer when left out. If a synthesizer was passed to the stack, it does not tell the role: name the
                role here. It is exempt for `RestrictedActions.DEPLOYMENT`, and for `RestrictedActions.SETTINGS` if the
                perimeter restricts these too.
            no_deployment_role: The reason why no role is exempt for deployments. Then only callers inside can change
                the policies, and otherwise only the root user can delete them. When left out, a role is exempt.
            deployed_replicas: Regions of replicas that are already deployed and can have policies; see `TableAccess`.
            open_replicas: Regions of replicas that this deployment creates, each with the reason why the replica may be
                open until the next deployment. CloudFormation cannot create a replica together with its policy, so
                until then only identity policies and the organization's policies protect it.
            limits: Limits on the size of policies, if AWS has raised yours; the published ones when left out.

        Raises:
            InvalidInputError: The table cannot have a policy here or has a perimeter already; nothing is inside; nobody
                could change the policies; or no network reaches a region of the table.
            PolicyTooLargeError: The statements of this library alone, including those of grants, are over a limit.
        """
        super().__init__(scope, construct_id)
        for name, value in (("vpcs", vpcs), ("endpoints", endpoints), ("deployed_replicas", deployed_replicas)):
            check_list(self, name, value)
        check_limits(self, limits)
        listed = [endpoint_tables(endpoint) for endpoint in endpoints]
        table = unwrapped(table)
        resource = table_resource(table, "TablePerimeter", instead=lambda found: _instead(perimeter, found))
        stack = cdk.Stack.of(resource)
        inside = [
            *(from_vpc(vpc, stack) for vpc in vpcs),
            *(endpoint.network(stack) for endpoint in listed),
        ]
        self._perimeter = deployable(
            with_vpcs(self.node.path, perimeter, inside),
            stack,
            deployed_by=deployed_by,
            no_deployment_role=no_deployment_role,
        )
        restriction = PerimeterRestriction(self, self._perimeter, _reasons(self, open_replicas))
        self._policies = TablePolicies.of(resource)
        reference = self._policies.reference
        self._policies.configure(limits=limits, deployed_replicas=deployed_replicas)
        for region in (reference.region, *self._policies.deployed_replicas):
            if region in (reference.region, *reference.replica_regions):
                # Raised here, since an error that is raised during synthesis does not arrive intact.
                self._perimeter.table_statements(reference.in_region(region))
        self._policies.enclose(restriction)
        for endpoint in listed:
            in_replica = endpoint.region in reference.replica_regions
            endpoint.add_tables(reference.in_region(endpoint.region) if in_replica else resource)

    @property
    def perimeter(self) -> Perimeter:
        """The perimeter, with all VPCs and exemptions that this construct added."""
        return self._perimeter

    @property
    def reference(self) -> TableReference:
        """The table's account, region and name, with literal values where they are known."""
        return self._policies.reference


@dataclass(frozen=True, slots=True)
class PerimeterRestriction:
    """A perimeter as the restriction of one table.

    Args:
        construct: The construct that warnings are attached to.
        perimeter: The perimeter.
        open_replicas: The reasons why replicas may be open, by region.
    """

    construct: Construct
    perimeter: Perimeter
    open_replicas: Mapping[str, str]
    kind: str = "perimeter"

    def statements(self, table: TableReference, *, stream: bool) -> list[Json]:
        """The deny statements for the policy of a table or its stream.

        Args:
            table: The table, in the region that the policy is for.
            stream: True for the policy of the stream, False for that of the table.
        """
        if not self.perimeter.trusted.outside(table.region):
            # No network reaches this region. `problems` reports it, since an error raised here would not arrive intact.
            return []
        return denied(self.perimeter, table, stream=stream)

    def described(self, table: TableReference, *, deployed: Collection[str]) -> Json:
        """The description for the template's metadata.

        Args:
            table: The table. Its open replicas are taken from `open_replicas`.
            deployed: Regions of the replicas that can have policies now.
        """
        return perimeter_json(self.perimeter, open_replicas=self.open_replicas, refer=True)

    def problems(self, table: TableReference, *, deployed: Collection[str], grants: Sequence[TableGrant]) -> list[str]:
        """The problems of the perimeter, checked just before templates are rendered.

        Args:
            table: The table.
            deployed: Regions of the replicas that can have policies now.
            grants: All grants on the table.
        """
        for grant, why in denied_grants(self.perimeter, table, grants):
            cdk.Annotations.of(self.construct).add_warning_v2(
                DENIED_GRANT,
                f"The perimeter denies what the grant to {grant.subject.label} allows ({grant.access.name}): {why}. "
                "Bring its callers inside, add an Exemption, or remove the grant.",
            )
        return [problem for region in table.replica_regions for problem in self._of_replica(table, region, deployed)]

    def _of_replica(self, table: TableReference, region: str, deployed: Collection[str]) -> list[str]:
        where = self.construct.node.path
        if region in deployed:
            if self.perimeter.trusted.outside(region):
                return []
            nothing = InvalidInputError(
                f"the networks of {where}",
                value=[network.label for network in self.perimeter.networks],
                allowed=f"at least one network that reaches {region}, where a replica is",
                fix=f'Add FromVpc("vpc-…", region="{region}"), or an endpoint or range.',
            )
            return [str(nothing)]
        if region in self.open_replicas:
            cdk.Annotations.of(self.construct).add_warning_v2(
                OPEN_REPLICA,
                f"The replica in {region} has no perimeter in this deployment ({self.open_replicas[region]}). Once it "
                f"is deployed, add deployed_replicas=[{region!r}] and deploy again.",
            )
            return []
        stands_open = InvalidInputError(
            f"the replicas of {where}",
            value=region,
            allowed="replicas that can have a policy: CloudFormation cannot create a replica together with its policy, "
            "so a new replica would stand open",
            fix=f'For the deployment that creates the replica, pass open_replicas={{{region!r}: "the reason"}}; '
            f"afterwards, deployed_replicas=[{region!r}]. An SCP can protect the replica in between.",
        )
        return [str(stands_open)]


def _reasons(construct: Construct, open_replicas: object) -> dict[str, str]:
    given = {} if open_replicas is None else open_replicas
    if not isinstance(given, Mapping) or not all(isinstance(why, str) and why.strip() for why in given.values()):
        raise InvalidInputError(
            f"open_replicas of {construct.node.path}", value=given, allowed="a dict of regions, each with the reason"
        )
    return dict(given)


def _instead(perimeter: Perimeter | None, table: TableReference) -> Instead:
    """Return what the owner of an imported table could do instead."""
    if perimeter is None or any(is_unresolved(network.label) for network in perimeter.networks):
        besides = ". For the policy to give to its owner, pass perimeter=Perimeter(networks=[…]) with ids written down"
        return Instead(table=None, stream=None, besides=besides)
    if not any(exemption.covers("PutResourcePolicy", Side.TABLE) for exemption in perimeter.exemptions):
        besides = (
            ". For the policy to give to its owner, exempt the role that deploys the table there: otherwise the policy "
            "would lock its owner out. Exemption(principal=Role(…), actions=RestrictedActions.DEPLOYMENT, reason=…)"
        )
        return Instead(table=None, stream=None, besides=besides)
    return Instead(
        table=denying(perimeter.table_statements(table), principal="*"),
        stream={"Version": VERSION, "Statement": denied(perimeter, table, stream=True)},
    )
