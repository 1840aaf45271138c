"""What passes through VPC endpoints, decided from their synthesized policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb, aws_ec2 as ec2, aws_iam as iam
from aws_cdk.assertions import Template

import tableguard as tg
from tableguard.evaluation import Policies, Request, evaluate
from tests.unit.network.support import APP, EVERYTHING, ORGANIZATION, STRANGER, vpc_of
from tests.unit.tables.support import (
    NOON,
    ORDERS,
    OWNER,
    PK,
    REGION,
    REPLICA,
    STREAM,
    Documents,
    Json,
    app,
    resolved,
    role,
    stack,
    table_v2,
)

ENDPOINT = "AWS::EC2::VPCEndpoint"
BOOKS = tg.TableReference(account=OWNER, region=REGION, name="books")
OF_BOOKS = ORDERS.replace("orders", "books")


def policy_of(data: cdk.Stack) -> Json:
    (endpoint,) = Documents.of(data).resources(ENDPOINT)
    return dict(resolved(endpoint["Properties"]["PolicyDocument"]))


def passes(policy: Json, action: str, resource: str = ORDERS, *, caller: str = APP, **context: str) -> bool:
    """Whether an endpoint lets a request through that everything else allows."""
    anybody = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    decision = evaluate(
        Request(principal=caller, action=action, resource=resource, context=context, time=NOON),
        Policies(identity=[EVERYTHING], resource={"Version": "2012-10-17", "Statement": [anybody]}, endpoint=policy),
    )
    assert decision.understood, decision
    return decision.allowed


def test_a_gateway_endpoint_lets_our_callers_reach_its_tables_alone() -> None:
    data = stack()
    tg.DynamoDbGatewayEndpoint(data, "ToTables", vpc=vpc_of(data), tables=[BOOKS, table_v2(data)])
    policy = policy_of(data)
    for table in (OF_BOOKS, f"{OF_BOOKS}/index/by-date", ORDERS):
        assert passes(policy, "dynamodb:GetItem", table)
    assert not passes(policy, "dynamodb:GetItem", ORDERS.replace("orders", "orders-2"))
    assert not passes(policy, "dynamodb:GetItem", ORDERS.replace(OWNER, STRANGER))
    assert not passes(policy, "dynamodb:GetItem", caller=role("thief", STRANGER))
    assert passes(policy, "dynamodb:ListTables", "*")
    assert not passes(policy, "dynamodb:CreateTable", ORDERS.replace("orders", "new"))


def test_the_organizations_callers_pass_where_it_is_named() -> None:
    data = stack()
    tg.DynamoDbGatewayEndpoint(data, "ToTables", vpc=vpc_of(data), tables=[BOOKS], organization=ORGANIZATION)
    policy, consumer = policy_of(data), role("reader", STRANGER)
    assert passes(policy, "dynamodb:GetItem", OF_BOOKS, caller=consumer, **{"aws:PrincipalOrgID": ORGANIZATION})
    assert not passes(policy, "dynamodb:GetItem", OF_BOOKS, caller=consumer, **{"aws:PrincipalOrgID": "o-zzzzzzzzzz"})
    assert not passes(policy, "dynamodb:GetItem", OF_BOOKS, caller=consumer)


def test_the_named_accounts_callers_pass() -> None:
    data = stack()
    tg.DynamoDbGatewayEndpoint(data, "ToTables", vpc=vpc_of(data), tables=[BOOKS], accounts=[STRANGER])
    assert passes(policy_of(data), "dynamodb:GetItem", OF_BOOKS, caller=role("reader", STRANGER))
    assert not passes(policy_of(data), "dynamodb:GetItem", OF_BOOKS)


def test_tables_can_follow_each_once() -> None:
    data = stack()
    endpoint = tg.DynamoDbGatewayEndpoint(data, "ToTables", vpc=vpc_of(data), tables=[BOOKS])
    endpoint.add_tables(table_v2(data))
    endpoint.add_tables(BOOKS)
    assert [table.name for table in endpoint.tables] == ["books", "orders"]
    assert passes(policy_of(data), "dynamodb:Query", ORDERS)
    assert len(policy_of(data)["Statement"]) == 2


def test_an_endpoint_without_a_table_is_refused() -> None:
    data = stack()
    tg.DynamoDbGatewayEndpoint(data, "ToTables", vpc=vpc_of(data))
    with pytest.raises(RuntimeError, match=r"the tables of Data/ToTables/Tables.*VpcOnlyTable"):
        Template.from_stack(data)


def test_it_takes_the_place_of_the_cdks_own() -> None:
    ours, theirs = stack(), stack()
    tg.DynamoDbGatewayEndpoint(ours, "ToTables", vpc=vpc_of(ours), tables=[BOOKS])
    service = ec2.GatewayVpcEndpointAwsService.DYNAMODB
    ec2.GatewayVpcEndpoint(theirs, "ToTables", vpc=vpc_of(theirs), service=service)
    found = [set(Template.from_stack(each).find_resources(ENDPOINT)) for each in (ours, theirs)]
    assert found[0] == found[1]


def test_the_streams_of_tables_are_reached_through_an_endpoint_of_their_own() -> None:
    data = stack()
    tg.DynamoDbInterfaceEndpoint(data, "ToStreams", vpc=vpc_of(data), streams=True, tables=[table_v2(data)])
    policy = policy_of(data)
    assert passes(policy, "dynamodb:GetRecords", STREAM)
    assert not passes(policy, "dynamodb:GetRecords", STREAM.replace("orders", "books"))
    assert not passes(policy, "dynamodb:GetRecords", STREAM, caller=role("thief", STRANGER))
    assert passes(policy, "dynamodb:ListStreams", "*")
    (endpoint,) = Documents.of(data).resources(ENDPOINT)
    assert resolved(endpoint["Properties"]["ServiceName"]) == "com.amazonaws.us-east-1.dynamodb-streams"
    assert endpoint["Properties"]["PrivateDnsEnabled"] is True


def ingress(data: cdk.Stack) -> list[tuple[str, int]]:
    (group,) = Documents.of(data).resources("AWS::EC2::SecurityGroup")
    return [
        (rule.get("CidrIp") or rule["CidrIpv6"], rule["FromPort"])
        for rule in group["Properties"]["SecurityGroupIngress"]
    ]


def test_an_interface_endpoint_lets_https_in_from_its_vpc_and_its_callers() -> None:
    data = stack()
    tg.DynamoDbInterfaceEndpoint(
        data,
        "ToTables",
        vpc=vpc_of(data),
        tables=[BOOKS],
        callers=["10.9.0.0/16", "2001:db8::/32"],
        private_dns=False,
    )
    assert ingress(data) == [("10.0.0.0/16", 443), ("10.9.0.0/16", 443), ("2001:db8::/32", 443)]
    (endpoint,) = Documents.of(data).resources(ENDPOINT)
    assert resolved(endpoint["Properties"]["ServiceName"]) == "com.amazonaws.us-east-1.dynamodb"
    assert endpoint["Properties"]["PrivateDnsEnabled"] is False
    assert passes(policy_of(data), "dynamodb:GetItem", OF_BOOKS)


def test_security_groups_can_be_given() -> None:
    data = stack()
    group = ec2.SecurityGroup.from_security_group_id(data, "Group", "sg-0123abcd")
    tg.DynamoDbInterfaceEndpoint(data, "ToTables", vpc=vpc_of(data), tables=[BOOKS], security_groups=[group])
    (endpoint,) = Documents.of(data).resources(ENDPOINT)
    assert endpoint["Properties"]["SecurityGroupIds"] == ["sg-0123abcd"]
    assert not Documents.of(data).resources("AWS::EC2::SecurityGroup")


# Endpoints that are there


def existing(data: cdk.Stack, *, policy: bool = True, service: Any = None) -> ec2.GatewayVpcEndpoint:
    endpoint = ec2.GatewayVpcEndpoint(
        data, "There", vpc=vpc_of(data), service=service or ec2.GatewayVpcEndpointAwsService.DYNAMODB
    )
    if policy:
        endpoint.add_to_policy(
            iam.PolicyStatement(principals=[iam.AnyPrincipal()], actions=["dynamodb:PutItem"], resources=[OF_BOOKS])
        )
    return endpoint


def test_the_policy_of_an_endpoint_that_is_there_is_added_to() -> None:
    data = stack()
    tg.EndpointTables(data, "Ours", endpoint=existing(data), tables=[table_v2(data)])
    policy = policy_of(data)
    assert passes(policy, "dynamodb:PutItem", OF_BOOKS)
    assert not passes(policy, "dynamodb:GetItem", OF_BOOKS)
    assert passes(policy, "dynamodb:GetItem", ORDERS)


def test_two_may_add_to_one_endpoint() -> None:
    data = stack()
    endpoint = existing(data, policy=False)
    tg.EndpointTables(data, "One", endpoint=endpoint, tables=[BOOKS], narrow=True)
    tg.EndpointTables(data, "Two", endpoint=endpoint, tables=[table_v2(data)])
    assert passes(policy_of(data), "dynamodb:GetItem", OF_BOOKS)
    assert passes(policy_of(data), "dynamodb:GetItem", ORDERS)


def test_an_endpoint_without_a_policy_is_not_narrowed_unless_that_is_said() -> None:
    data = stack()
    endpoint = existing(data, policy=False)
    with pytest.raises(tg.InvalidInputError, match=r"the policy of Data/There.*cut off.*narrow=True"):
        tg.EndpointTables(data, "Ours", endpoint=endpoint, tables=[BOOKS])
    assert Documents.of(data).resources(ENDPOINT)[0]["Properties"].get("PolicyDocument") is None


def test_an_imported_endpoint_is_refused_with_the_statements_for_its_owner() -> None:
    data = stack()
    imported: Any = ec2.GatewayVpcEndpoint.from_gateway_vpc_endpoint_id(data, "Far", "vpce-1a2b3c4d")
    with pytest.raises(tg.InvalidInputError) as caught:
        tg.EndpointTables(data, "Ours", endpoint=imported, tables=[BOOKS])
    assert caught.value.value == "Data/Far"
    assert f'"Resource":["{OF_BOOKS}","{OF_BOOKS}/index/*"]' in caught.value.fix


def test_a_table_of_another_region_is_refused() -> None:
    data = stack()
    there = tg.TableReference(account=OWNER, region=REPLICA, name="books")
    with pytest.raises(tg.InvalidInputError, match="no other region"):
        tg.DynamoDbGatewayEndpoint(data, "To", vpc=vpc_of(data), tables=[there])


def test_an_endpoint_where_a_replica_is_reaches_the_replica() -> None:
    scope = app()
    data, far = stack(scope), stack(scope, "Far", region=REPLICA)
    endpoint = tg.DynamoDbGatewayEndpoint(far, "To", vpc=vpc_of(far))
    table = table_v2(data, replicas=[dynamodb.ReplicaTableProps(region=REPLICA)])
    near = tg.Perimeter(networks=[tg.FromVpcEndpoint("vpce-1a2b3c4d")])
    made = tg.TablePerimeter(
        data, "Perimeter", table=table, perimeter=near, endpoints=[endpoint], deployed_replicas=[REPLICA]
    )
    assert made.perimeter.networks[-1] == tg.FromVpc("vpc-0abc1234", region=REPLICA)
    assert passes(policy_of(far), "dynamodb:GetItem", ORDERS.replace(REGION, REPLICA))
    assert not passes(policy_of(far), "dynamodb:GetItem", ORDERS)


def test_callers_of_the_endpoints_account_pass_when_nothing_is_said() -> None:
    scope = app()
    consumer, data = stack(scope, "Consumer", account=STRANGER), stack(scope)
    endpoint = existing(consumer)
    tg.EndpointTables(data, "Ours", endpoint=endpoint, tables=[BOOKS])
    assert passes(policy_of(consumer), "dynamodb:GetItem", OF_BOOKS, caller=role("reader", STRANGER))
    assert not passes(policy_of(consumer), "dynamodb:GetItem", OF_BOOKS)


REFUSED: dict[str, tuple[Callable[[cdk.Stack], object], str]] = {
    "an endpoint of another service": (
        lambda data: tg.EndpointTables(
            data, "Ours", endpoint=existing(data, service=ec2.GatewayVpcEndpointAwsService.S3), tables=[BOOKS]
        ),
        "the service of Data/There: got 's3'",
    ),
    "no endpoint": (
        lambda data: tg.EndpointTables(data, "Ours", endpoint="vpce-1a2b3c4d", tables=[BOOKS]),  # type: ignore[arg-type]
        "the endpoint of an EndpointTables",
    ),
    "no table": (
        lambda data: tg.DynamoDbGatewayEndpoint(data, "To", vpc=vpc_of(data), tables=["books"]),
        "a table of Data/To/Tables: got 'books'",
    ),
    "tables that are no list": (
        lambda data: tg.DynamoDbGatewayEndpoint(data, "To", vpc=vpc_of(data), tables=BOOKS),  # type: ignore[arg-type]
        "tables of Data/To/Tables",
    ),
    "an organization and accounts": (
        lambda data: tg.DynamoDbGatewayEndpoint(
            data, "To", vpc=vpc_of(data), tables=[BOOKS], organization=ORGANIZATION, accounts=[OWNER]
        ),
        "the callers of an endpoint policy",
    ),
    "callers with security groups": (
        lambda data: tg.DynamoDbInterfaceEndpoint(
            data, "To", vpc=vpc_of(data), tables=[BOOKS], callers=["10.9.0.0/16"], security_groups=[]
        ),
        "the callers of Data/To",
    ),
    "a malformed caller": (
        lambda data: tg.DynamoDbInterfaceEndpoint(data, "To", vpc=vpc_of(data), callers=["10.9.0.1/16"]),
        "a caller of Data/To",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    make, what = REFUSED[name]
    with pytest.raises(tg.InvalidInputError) as caught:
        make(stack())
    assert str(caught.value).startswith(what)


def test_a_table_without_a_name_is_refused_where_two_stacks_would_wait_for_each_other() -> None:
    scope = app()
    network, data = stack(scope, "Network"), stack(scope)
    endpoint = tg.DynamoDbGatewayEndpoint(network, "To", vpc=ec2.Vpc(network, "Vpc", max_azs=1))
    table = dynamodb.TableV2(data, "Orders", partition_key=PK)
    with pytest.raises(tg.InvalidInputError, match="table_name"):
        endpoint.add_tables(table)
    with pytest.raises(tg.InvalidInputError, match="table_name"):
        tg.TablePerimeter(data, "Perimeter", table=table, endpoints=[endpoint])


def test_a_table_without_a_name_is_fine_in_another_stack_where_the_vpc_is_known() -> None:
    scope = app()
    network, data = stack(scope, "Network"), stack(scope)
    endpoint = tg.DynamoDbGatewayEndpoint(network, "To", vpc=vpc_of(network))
    tg.VpcOnlyTable(data, "Orders", partition_key=PK, endpoints=[endpoint])
    assert "table/<Data:ExportsOutputRefOrders" in str(policy_of(network))


def test_a_policy_that_somebody_assigned_to_the_resource_is_refused() -> None:
    data = stack()
    made = tg.DynamoDbGatewayEndpoint(data, "To", vpc=vpc_of(data), tables=[BOOKS])
    resource = made.endpoint.node.default_child
    assert isinstance(resource, ec2.CfnVPCEndpoint)
    resource.policy_document = {"Version": "2012-10-17", "Statement": []}
    with pytest.raises(RuntimeError, match=r"was assigned to the resource.*table/books"):
        Template.from_stack(data)


def test_a_policy_over_its_limit_is_refused() -> None:
    data = stack()
    many = [tg.TableReference(account=OWNER, region=REGION, name=f"{'t' * 200}{n}") for n in range(50)]
    tg.DynamoDbGatewayEndpoint(data, "To", vpc=vpc_of(data), tables=many)
    with pytest.raises(RuntimeError, match=r"endpoint policy of Data/To/Default/Resource is .* Allowed: 20,480"):
        Template.from_stack(data)
