"""Adds tables to the policy of an existing VPC endpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import aws_cdk as cdk
import jsii
from aws_cdk import aws_dynamodb as dynamodb, aws_ec2 as ec2, aws_iam as iam
from constructs import Construct, IValidation, Node

from tableguard.network.inside import of_app
from tableguard.policy import (
    FromVpc,
    InvalidInputError,
    Limits,
    TableguardError,
    TableReference,
    check_size,
    document,
    minified,
)
from tableguard.policy.documents import Json
from tableguard.policy.perimeter import endpoint_statements
from tableguard.policy.tokens import is_unresolved
from tableguard.tables.attachable import imported, unwrapped
from tableguard.tables.attachment.overlay import properties_of
from tableguard.tables.attachment.policies import TablePolicies
from tableguard.tables.granting import check_limits, check_list

AnyEndpoint: TypeAlias = ec2.GatewayVpcEndpoint | ec2.InterfaceVpcEndpoint
ReachedTable: TypeAlias = TableReference | dynamodb.ITable | dynamodb.ITableV2 | Any

_OF_TABLES: Final = ("dynamodb", "dynamodb-fips")
_OF_STREAMS: Final = ("dynamodb-streams",)
_TOO_LARGE: Final = (
    "To make it fit: name an organization instead of many accounts, shorten table names, or reach some of the tables "
    "from another VPC."
)


class EndpointTables(Construct):
    """Adds tables to the policy of an existing VPC endpoint, so that your callers can reach them through it.

    An endpoint with a policy keeps its statements. An endpoint *without* a policy allows every table in the world; with
    the first statement, it allows only what its policy names. Accept that with `narrow=True`, and name all tables that
    are used through the endpoint.

    `DynamoDbGatewayEndpoint` and `DynamoDbInterfaceEndpoint` create a new endpoint with such a policy.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint: AnyEndpoint,
        tables: Sequence[ReachedTable] = (),
        organization: str | None = None,
        accounts: Sequence[str] = (),
        narrow: bool = False,
        limits: Limits | None = None,
    ) -> None:
        """Add statements to the policy of an endpoint.

        Args:
            scope: The parent construct.
            construct_id: The construct's id, unique below its parent.
            endpoint: The endpoint for DynamoDB or for DynamoDB Streams. It must be made in this app.
            tables: Tables that callers reach through the endpoint: references, or tables of this library or the CDK;
                none when left out. Add more with `add_tables`; a `VpcOnlyTable` adds itself.
            organization: The id ("o-…") of the organization whose identities may call.
            accounts: The 12-digit ids of the accounts whose identities may call, instead of a whole organization. When
                both are left out, the endpoint's own account.
            narrow: True allows the construct to give a policy to an endpoint that has none, which so far allows
                everything. False, the default, makes such an endpoint an error.
            limits: Limits on the size of policies; the published ones when left out.

        Raises:
            InvalidInputError: The endpoint is not of this app (the message has the statements for its owner), is of
                another service, or has no policy and `narrow` is False; or `organization` or `accounts` is malformed.
        """
        super().__init__(scope, construct_id)
        check_list(self, "tables", tables)
        check_list(self, "accounts", accounts)
        check_limits(self, limits)
        self._limit = (limits or Limits()).endpoint
        own = cdk.Stack.of(endpoint if isinstance(endpoint, Construct) else self)
        self._callers: dict[str, Any] = {
            "organization": organization,
            "accounts": tuple(accounts) or (() if organization is not None else (own.account,)),
        }
        self._region = own.region
        self._tables: dict[str, TableReference] = {}
        self._endpoint = endpoint
        self._resource = _resource(endpoint, lambda: self._for_its_owner(tables))
        self._streams = self._is_of_streams()
        self._check_policy(narrow=narrow)
        self.node.add_validation(_Validate(self))
        self.add_tables(*tables)

    @property
    def endpoint(self) -> AnyEndpoint:
        """The endpoint."""
        return self._endpoint

    @property
    def region(self) -> str:
        """The region of the endpoint, and of all tables that it reaches."""
        return self._region

    @property
    def tables(self) -> tuple[TableReference, ...]:
        """The tables that callers reach through the endpoint."""
        return tuple(self._tables.values())

    def network(self, stack: cdk.Stack) -> FromVpc:
        """The endpoint's VPC as a network for a perimeter.

        The perimeter names the VPC and not the endpoint: if the table's policy named the endpoint and the endpoint's
        policy named the table, the two resources would depend on each other.

        Args:
            stack: The stack of the table.

        Raises:
            InvalidInputError: The VPC's id is known at deployment only, and the table is in another account or region.
        """
        home = cdk.Stack.of(self._resource)
        return of_app(self._resource.vpc_id, home.account, home.region, self, stack)

    def add_tables(self, *tables: ReachedTable) -> None:
        """Let callers reach more tables. Tables that the policy names already are skipped.

        Args:
            tables: References, or tables of this library or the CDK.

        Raises:
            InvalidInputError: An argument is not a table, is in another region, or has a name that is not known in the
                endpoint's stack.
        """
        known = [_reference(self, table, self._resource.vpc_id) for table in tables]
        first = not self._tables
        for table in known:
            self._tables.setdefault(table.arn, table)
        if first and self._tables:
            for statement in self._rendered(self.tables, streams=self._streams):
                if statement["Resource"] != "*":
                    statement["Resource"] = cdk.Lazy.uncached_list(_Resources(self))
                self._endpoint.add_to_policy(iam.PolicyStatement.from_json(statement))

    def resources(self) -> list[str]:
        """The ARNs in the endpoint's policy: of the tables and their indexes, or of their streams."""
        statements = self._rendered(self.tables, streams=self._streams)
        named = [s["Resource"] for s in statements if s["Resource"] != "*"]
        return [arn for each in named for arn in ([each] if isinstance(each, str) else each)]

    def problems(self) -> list[str]:
        """The problems of the whole policy, including statements of other code."""
        if not self._tables:
            none = InvalidInputError(
                f"the tables of {self.node.path}",
                value=(),
                allowed="at least one table, since the endpoint's policy allows only the tables that it names",
                fix="Pass tables=[…], or the endpoint to a VpcOnlyTable.",
            )
            return [str(none)]
        resource = self._resource
        stack = cdk.Stack.of(resource)
        whole = stack.resolve(properties_of(resource).get("policyDocument")) or {}
        there = minified(whole)
        lost = [arn for arn in stack.resolve(self.resources()) if minified(arn) not in there]
        if lost:
            replaced = InvalidInputError(
                f"the policy of {resource.node.path}",
                value="a document that was assigned to the resource",
                allowed=f"the endpoint's own policy: the assigned document has replaced its statement on {lost[0]}",
                fix="Add your statements with endpoint.add_to_policy(…).",
            )
            return [str(replaced)]
        try:
            check_size(whole, self._limit, owner=resource.node.path, fix=_TOO_LARGE)
        except TableguardError as error:
            return [str(error)]
        return []

    def _rendered(self, tables: Sequence[TableReference], *, streams: bool) -> list[Json]:
        statements: list[Json] = document(endpoint_statements(tables, streams=streams, **self._callers))["Statement"]
        return statements

    def _for_its_owner(self, tables: Sequence[ReachedTable]) -> str:
        """The statements for the owner of an imported endpoint, if all their values are known."""
        known = [_reference(self, table, "") for table in tables]
        text = minified(self._rendered(known, streams=False)) if known else ""
        return f", by these statements: {text}" if text and not is_unresolved(text) else "."

    def _is_of_streams(self) -> bool:
        name = _service(cdk.Stack.of(self._resource).resolve(self._resource.service_name))
        if name not in (*_OF_TABLES, *_OF_STREAMS):
            raise InvalidInputError(
                f"the service of {self._endpoint.node.path}", value=name, allowed="DynamoDB or DynamoDB Streams"
            )
        return name in _OF_STREAMS

    def _check_policy(self, *, narrow: bool) -> None:
        if narrow:
            return
        stated = properties_of(self._resource).get("policyDocument")
        if not cdk.Stack.of(self._resource).resolve(stated):
            raise InvalidInputError(
                f"the policy of {self._endpoint.node.path}",
                value=None,
                allowed="an endpoint with a policy. This endpoint has none, so it allows every table, and a first "
                "statement would cut off all tables that are not named",
                fix="Pass narrow=True, and in tables=[…] all tables that are used through the endpoint. Or do not use "
                "this construct: the endpoint already allows this table.",
            )


@jsii.implements(cdk.IListProducer)
class _Resources:
    """Renders the ARNs at the end of the synthesis, since tables can be added until then."""

    def __init__(self, policy: EndpointTables) -> None:
        self._policy = policy

    def produce(self, context: cdk.IResolveContext) -> list[str]:
        return self._policy.resources()


@jsii.implements(IValidation)
class _Validate:
    def __init__(self, policy: EndpointTables) -> None:
        self._policy = policy

    def validate(self) -> list[str]:
        return self._policy.problems()


def endpoint_tables(endpoint: object) -> EndpointTables:
    """Return the `EndpointTables` of an endpoint of this library.

    Args:
        endpoint: An `EndpointTables`, `DynamoDbGatewayEndpoint` or `DynamoDbInterfaceEndpoint`.

    Raises:
        InvalidInputError: The argument is something else.
    """
    found = getattr(endpoint, "endpoint_tables", endpoint)
    if not isinstance(found, EndpointTables):
        raise InvalidInputError(
            "an endpoint of a perimeter",
            value=endpoint,
            allowed="a DynamoDbGatewayEndpoint, DynamoDbInterfaceEndpoint or EndpointTables",
            fix="Wrap an existing endpoint: EndpointTables(scope, id, endpoint=…, tables=[…]).",
        )
    return found


def _resource(endpoint: Any, for_its_owner: Callable[[], str]) -> ec2.CfnVPCEndpoint:
    node = getattr(endpoint, "node", None)
    resource = node.default_child if isinstance(node, Node) else None
    if isinstance(endpoint, ec2.GatewayVpcEndpoint | ec2.InterfaceVpcEndpoint) and isinstance(
        resource, ec2.CfnVPCEndpoint
    ):
        return resource
    raise InvalidInputError(
        "the endpoint of an EndpointTables",
        value=node.path if isinstance(node, Node) else endpoint,
        allowed="a GatewayVpcEndpoint or InterfaceVpcEndpoint of this app: an imported one's policy cannot be changed "
        "from here",
        fix=f"Change the policy where the endpoint is made{for_its_owner()}",
    )


def _service(name: Any) -> str:
    """The last part of a service's name, such as "dynamodb"."""
    match name:
        case {"Fn::Join": [_, [*parts]]} if parts and isinstance(parts[-1], str):
            return parts[-1].rpartition(".")[2]
        case str():
            return name.rpartition(".")[2]
    return "a name that is known only at deployment"


def _reference(construct: EndpointTables, table: Any, vpc_id: str) -> TableReference:
    found = _known(table)
    if found is None:
        raise InvalidInputError(
            f"a table of {construct.node.path}",
            value=table,
            allowed="a TableReference, a table of this library, or a table of the CDK",
        )
    home = None if isinstance(table, TableReference) else cdk.Stack.of(table)
    unknown = is_unresolved(found.name) and is_unresolved(vpc_id)
    if unknown and home is not None and home is not cdk.Stack.of(construct):
        raise InvalidInputError(
            f"a table of {construct.node.path}",
            value=f"{table.node.path}, whose name is known only at deployment",
            allowed="a table with a name. Endpoint and table are in different stacks, and the table's policy names the "
            "endpoint's VPC: without a name, each stack would depend on the other",
            fix="Pass table_name=… to a new table. A name would replace a deployed table: put both into one stack.",
        )
    if found.region != construct.region and not is_unresolved(found.region + construct.region):
        raise InvalidInputError(
            f"the region of a table of {construct.node.path}",
            value=found.region,
            allowed=f"{construct.region}, the endpoint's region: an endpoint reaches no other region",
            fix=f'Pass the replica: reference.in_region("{construct.region}").',
        )
    return found


def _known(table: Any) -> TableReference | None:
    if isinstance(table, TableReference):
        return table
    stated = getattr(table, "reference", None)
    if isinstance(stated, TableReference):
        return stated
    inner: Any = unwrapped(table)
    node = getattr(inner, "node", None)
    resource = inner if not isinstance(node, Node) else node.default_child or inner
    if isinstance(resource, dynamodb.CfnTable | dynamodb.CfnGlobalTable):
        return TablePolicies.of(resource).reference
    return imported(inner) if hasattr(inner, "table_arn") else None
