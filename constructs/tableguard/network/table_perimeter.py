"""A perimeter around a table that is already there."""

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
    """Denies everybody outside a perimeter to read, write or move the data of an existing table.

    It adds statements to the policies of the table and of its stream, beside those of grants, of the caller and of the
    CDK. Grants and identity policies still decide what callers inside may do. It works on `TableV2`, `Table`,
    `CfnTable` and `CfnGlobalTable`. A table has one perimeter at most.

    Settings stay open (`RestrictedActions.SETTINGS`) and replication continues. The role that deploys the stack is
    exempt for what a deployment does, and the root user of the account can delete the policy.

    Before you add this to a table in use, find out who would be denied: docs/private-table.md says how. A client inside
    the VPC that does not go through an endpoint is outside.
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
            table: The table, of this app.
            perimeter: What is inside and who may cross the line. May be left out where `vpcs` or `endpoints` say what
                is inside and nobody is exempt.
            vpcs: VPCs that are inside as well, of the table's account and region or imported by their ids.
            endpoints: Endpoints of this library. The table is added to their policies, and their VPCs are inside.
            deployed_by: The role that the stack is deployed as, exempt for what a deployment does
                (`RestrictedActions.DEPLOYMENT`, and `RestrictedActions.SETTINGS` where the perimeter restricts those
                too): CloudFormation's execution role of the stack's synthesizer when left out. A synthesizer that was
                passed to the stack does not tell it: then it must be named.
            no_deployment_role: Why no role is exempt for deployments: only who is inside changes the policies. Only the
                root user of the account can then delete them; the deploying role is exempt when left out.
            deployed_replicas: Regions of replicas that have been deployed already and can have policies now; see
                `TableAccess`.
            open_replicas: Replicas in other regions that this deployment creates, by region, each with the reason why
                it may stand open until the next one: CloudFormation cannot create a replica together with its
                policy, so until then nothing but identity policies and the organization's policies protect it.
            limits: Limits on the size of policies, where AWS has raised yours; the published ones when left out.

        Raises:
            InvalidInputError: A table that cannot have a policy here or has a perimeter already, nothing inside, nobody
                left who could change the policies, or no network that reaches a region of the table.
            PolicyTooLargeError: Our statements alone, those of grants included, are over a limit.
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
                # An error while it can come through in one piece.
                self._perimeter.table_statements(reference.in_region(region))
        self._policies.enclose(restriction)
        for endpoint in listed:
            in_replica = endpoint.region in reference.replica_regions
            endpoint.add_tables(reference.in_region(endpoint.region) if in_replica else resource)

    @property
    def perimeter(self) -> Perimeter:
        """The perimeter, with every VPC and exemption that it got here."""
        return self._perimeter

    @property
    def reference(self) -> TableReference:
        """The table by literal values, where they are known."""
        return self._policies.reference


@dataclass(frozen=True, slots=True)
class PerimeterRestriction:
    """A perimeter as the restriction of one table.

    Args:
        construct: Where it was made, for warnings.
        perimeter: The perimeter.
        open_replicas: Why a replica may stand open, by region.
    """

    construct: Construct
    perimeter: Perimeter
    open_replicas: Mapping[str, str]
    kind: str = "perimeter"

    def statements(self, table: TableReference, *, stream: bool) -> list[Json]:
        """What the policy of a table, or of its stream, denies.

        Args:
            table: The table, in the region that the policy is for.
            stream: Whether it is the policy of the stream.
        """
        if not self.perimeter.trusted.outside(table.region):
            # Nothing is inside there: `problems` says so, since an error would not come through here in one piece.
            return []
        return denied(self.perimeter, table, stream=stream)

    def described(self, table: TableReference, *, deployed: Collection[str]) -> Json:
        """What the template's metadata says of it.

        Args:
            table: The table; its replicas stand in `open_replicas`, as the perimeter was told.
            deployed: Regions of the replicas that can have policies.
        """
        return perimeter_json(self.perimeter, open_replicas=self.open_replicas, refer=True)

    def problems(self, table: TableReference, *, deployed: Collection[str], grants: Sequence[TableGrant]) -> list[str]:
        """What is wrong with it, at the last moment before templates are rendered.

        Args:
            table: The table.
            deployed: Regions of the replicas that can have policies.
            grants: Everything that is granted on the table.
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
            allowed="replicas that can have a policy: CloudFormation cannot create one together with its policy, so a "
            "new one would stand open",
            fix=f"Pass deployed_replicas=[{region!r}] once it has been deployed, and for the deployment that creates "
            f'it open_replicas={{{region!r}: "why it may"}}. An SCP closes the gap.',
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
    """What the owner of an imported table could do instead."""
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
