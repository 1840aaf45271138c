"""Who reaches the data of a table with a perimeter, decided from the synthesized policies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb, aws_ec2 as ec2, aws_iam as iam

import tableguard as tg
from tableguard.policy.metadata import METADATA_KEY, read
from tests.unit.network.support import (
    ADMIN,
    APP,
    CONSUMER,
    EXECUTION,
    HERE,
    INSIDE,
    MOVING,
    ORGANIZATION,
    OUTSIDE,
    POLLER,
    READING,
    REPLICA_VPC,
    REPLICATION,
    ROOT,
    STRANGER,
    THERE,
    USER,
    VPC,
    allows,
    exempt,
    vpc_of,
)
from tests.unit.tables.support import (
    ANY_KIND,
    LISTENER,
    ORDERS,
    OWNER,
    PER_REPLICA,
    PK,
    READER,
    REGION,
    REPLICA,
    STREAM,
    VENDOR,
    Documents,
    Json,
    app,
    role,
    stack,
    statements,
    table_v2,
    warnings,
)

NEW_IMAGE = dynamodb.StreamViewType.NEW_IMAGE
Perimeter = Callable[..., Documents]


def restricted(
    *,
    networks: Sequence[Any] = (HERE,),
    exemptions: Sequence[tg.Exemption] = (),
    grants: Sequence[tg.TableGrant] = (),
    organization: str | None = None,
    **properties: Any,
) -> Documents:
    """The documents of a table with a stream and a perimeter."""
    data = stack()
    table = table_v2(data, dynamo_stream=NEW_IMAGE)
    if grants:
        tg.TableAccess(data, "Access", table=table, table_grants=grants)
    perimeter = tg.Perimeter(networks=networks, exemptions=exemptions, organization=organization)
    tg.TablePerimeter(data, "Perimeter", table=table, perimeter=perimeter, **properties)
    return Documents.of(data)


@pytest.fixture(scope="module")
def simple() -> Documents:
    return restricted()


@pytest.mark.parametrize("action", [*READING, *MOVING, "PutItem", "DescribeTable", "UpdateTable", "DeleteTable"])
@pytest.mark.parametrize("caller", [APP, ADMIN, USER])
def test_whoever_is_inside_does_what_identity_policies_allow(simple: Documents, caller: str, action: str) -> None:
    assert allows(simple.table_policy(), action, principal=caller, context=INSIDE)


@pytest.mark.parametrize("place", OUTSIDE)
@pytest.mark.parametrize("action", [*READING, *MOVING, "PutItem"])
@pytest.mark.parametrize("caller", [APP, ADMIN, USER])
def test_nobody_outside_reads_or_moves_data(simple: Documents, caller: str, action: str, place: str) -> None:
    assert not allows(simple.table_policy(), action, principal=caller, context=OUTSIDE[place])


@pytest.mark.parametrize("action", ["Query", "Scan"])
def test_an_index_is_restricted_like_its_table(simple: Documents, action: str) -> None:
    index = f"{ORDERS}/index/by-date"
    assert allows(simple.table_policy(), action, principal=APP, resource=index, context=INSIDE)
    assert not allows(simple.table_policy(), action, principal=APP, resource=index, context=OUTSIDE["no endpoint"])


@pytest.mark.parametrize("action", ["GetRecords", "GetShardIterator", "PutResourcePolicy"])
def test_the_stream_is_restricted_by_its_own_policy(simple: Documents, action: str) -> None:
    policy = simple.stream_policy()
    assert allows(policy, action, principal=APP, resource=STREAM, context=INSIDE)
    for place in OUTSIDE.values():
        assert not allows(policy, action, principal=APP, resource=STREAM, context=place)


def test_a_stream_that_is_not_there_gets_no_policy() -> None:
    data = stack()
    tg.TablePerimeter(data, "Perimeter", table=table_v2(data), perimeter=tg.Perimeter(networks=[HERE]))
    documents = Documents.of(data)
    assert documents.table_policy() is not None
    assert "ReplicaStreamSpecification" not in documents.replica()


def test_a_stream_that_is_turned_on_later_is_restricted() -> None:
    data = stack()
    table = table_v2(data)
    tg.TablePerimeter(data, "Perimeter", table=table, perimeter=tg.Perimeter(networks=[HERE]))
    resource = table.node.default_child
    assert isinstance(resource, dynamodb.CfnGlobalTable)
    resource.stream_specification = dynamodb.CfnGlobalTable.StreamSpecificationProperty(stream_view_type="NEW_IMAGE")
    policy = Documents.of(data).stream_policy()
    assert not allows(policy, "GetRecords", principal=APP, resource=STREAM, context=OUTSIDE["no endpoint"])


@pytest.mark.parametrize("action", ["DescribeTable", "UpdateTable", "UpdateTimeToLive", "DeleteTable"])
def test_settings_stay_open(simple: Documents, action: str) -> None:
    assert allows(simple.table_policy(), action, principal=ADMIN, context=OUTSIDE["no endpoint"])


def test_the_execution_role_deploys_and_reads_nothing(simple: Documents) -> None:
    outside = OUTSIDE["no endpoint"]
    for action in ("PutResourcePolicy", "DeleteResourcePolicy", "CreateTableReplica", "UpdateTable"):
        assert allows(simple.table_policy(), action, principal=EXECUTION, context=outside)
    for action in (*READING, "PutItem", "ExportTableToPointInTime", "CreateBackup"):
        assert not allows(simple.table_policy(), action, principal=EXECUTION, context=outside)
    assert allows(simple.stream_policy(), "PutResourcePolicy", principal=EXECUTION, resource=STREAM, context=outside)
    assert not allows(simple.stream_policy(), "GetRecords", principal=EXECUTION, resource=STREAM, context=outside)


def test_a_role_of_that_name_elsewhere_is_not_exempt(simple: Documents) -> None:
    other = role(f"team/cdk-hnb659fds-cfn-exec-role-{OWNER}-{REGION}", OWNER)
    assert not allows(simple.table_policy(), "PutResourcePolicy", principal=other, context=OUTSIDE["no endpoint"])


def test_replication_reads_and_writes_and_moves_nothing(simple: Documents) -> None:
    outside = OUTSIDE["no endpoint"]
    for action in ("GetItem", "PutItem", "Scan"):
        assert allows(simple.table_policy(), action, principal=REPLICATION, context=outside)
    assert allows(simple.stream_policy(), "GetRecords", principal=REPLICATION, resource=STREAM, context=outside)
    assert not allows(simple.table_policy(), "ExportTableToPointInTime", principal=REPLICATION, context=outside)


def test_the_root_user_can_put_a_mistake_right_and_read_nothing(simple: Documents) -> None:
    outside = OUTSIDE["the internet"]
    assert allows(simple.table_policy(), "DeleteResourcePolicy", principal=ROOT, context=outside, identity=())
    assert not allows(simple.table_policy(), "GetItem", principal=ROOT, context=outside, identity=())
    stranger = f"arn:aws:iam::{STRANGER}:root"
    assert not allows(simple.table_policy(), "DeleteResourcePolicy", principal=stranger, context=outside)


def test_a_lambda_poller_reads_the_stream_and_no_item() -> None:
    documents = restricted(exemptions=[exempt(tg.LambdaPoller(POLLER), tg.RestrictedActions.STREAM)])
    outside, poller = OUTSIDE["no endpoint"], POLLER.arn("aws")
    assert allows(documents.stream_policy(), "GetRecords", principal=poller, resource=STREAM, context=outside)
    assert not allows(
        documents.stream_policy(), "PutResourcePolicy", principal=poller, resource=STREAM, context=outside
    )
    assert not allows(documents.table_policy(), "GetItem", principal=poller, context=outside)
    assert not allows(documents.stream_policy(), "GetRecords", principal=APP, resource=STREAM, context=outside)


def test_a_forwarded_call_goes_through_where_its_service_is_exempt() -> None:
    athena = exempt(tg.Forwarding("athena.amazonaws.com"), tg.RestrictedActions.ITEMS)
    documents = restricted(exemptions=[athena])
    forwarded = OUTSIDE["a forwarding service"]
    assert allows(documents.table_policy(), "Query", principal=APP, context=forwarded)
    assert not allows(documents.table_policy(), "ExportTableToPointInTime", principal=APP, context=forwarded)
    other = {**forwarded, "aws:CalledViaLast": "cloudformation.amazonaws.com"}
    assert not allows(documents.table_policy(), "Query", principal=APP, context=other)
    assert not allows(documents.table_policy(), "Query", principal=APP, context=OUTSIDE["no endpoint"])


REDSHIFT = "redshift.amazonaws.com"
ZERO_ETL = tg.TableGrant(
    tg.AwsService(service=REDSHIFT, source_account=OWNER),
    tg.Access.on_table("ExportTableToPointInTime", "DescribeTable"),
)


@pytest.mark.parametrize(
    ("organization", "source", "let_through"),
    [
        (None, {"aws:SourceAccount": OWNER}, True),
        (None, {"aws:SourceAccount": STRANGER}, False),
        (ORGANIZATION, {"aws:SourceAccount": OWNER, "aws:SourceOrgID": ORGANIZATION}, True),
        (ORGANIZATION, {"aws:SourceAccount": STRANGER, "aws:SourceOrgID": "o-zzzzzzzzzz"}, False),
    ],
)
def test_services_call_for_our_accounts_alone(
    organization: str | None, source: dict[str, str], let_through: bool
) -> None:
    policy = restricted(organization=organization).table_policy()
    assert policy is not None
    anything: Json = {"Effect": "Allow", "Principal": {"Service": REDSHIFT}, "Action": "dynamodb:*", "Resource": "*"}
    whole = {**policy, "Statement": [*policy["Statement"], anything]}
    context = {**source, "aws:RequestedRegion": REGION}
    assert allows(whole, "ExportTableToPointInTime", principal=REDSHIFT, context=context) is let_through


def test_grants_and_perimeter_combine() -> None:
    documents = restricted(grants=[READER, LISTENER])
    table, stream = documents.table_policy(), documents.stream_policy()
    assert allows(table, "GetItem", principal=CONSUMER, context=INSIDE)
    assert not allows(table, "PutItem", principal=CONSUMER, context=INSIDE)
    listener = role("listener", VENDOR)
    assert allows(stream, "GetRecords", principal=listener, resource=STREAM, context=INSIDE)
    for place in OUTSIDE.values():
        assert not allows(table, "GetItem", principal=CONSUMER, context=place)
        assert not allows(stream, "GetRecords", principal=listener, resource=STREAM, context=place)


def test_grants_that_follow_the_perimeter_combine_as_well() -> None:
    data = stack()
    table = table_v2(data)
    tg.TablePerimeter(data, "Perimeter", table=table, perimeter=tg.Perimeter(networks=[HERE]))
    tg.TableAccess(data, "Access", table=table, table_grants=[READER])
    policy = Documents.of(data).table_policy()
    assert allows(policy, "GetItem", principal=CONSUMER, context=INSIDE)
    assert not allows(policy, "GetItem", principal=CONSUMER, context=OUTSIDE["another VPC"])


@pytest.mark.parametrize("kind", ANY_KIND)
def test_works_on_every_kind_of_table(kind: str) -> None:
    data = stack()
    tg.TablePerimeter(data, "Perimeter", table=ANY_KIND[kind](data), perimeter=tg.Perimeter(networks=[HERE]))
    policy = Documents.of(data).table_policy()
    assert allows(policy, "GetItem", principal=APP, context=INSIDE)
    assert not allows(policy, "GetItem", principal=APP, context=OUTSIDE["no endpoint"])
    assert allows(policy, "PutResourcePolicy", principal=EXECUTION, context=OUTSIDE["no endpoint"])


def test_what_others_put_into_the_policy_stays() -> None:
    data = stack()
    table = table_v2(data)
    tg.TablePerimeter(data, "Perimeter", table=table, perimeter=tg.Perimeter(networks=[HERE]))
    theirs = iam.PolicyStatement(
        sid="Theirs", principals=[iam.AccountPrincipal(VENDOR)], actions=["dynamodb:GetItem"], resources=["*"]
    )
    table.add_to_resource_policy(theirs)
    policy = Documents.of(data).table_policy()
    assert statements(policy)[0]["Sid"] == "Theirs"
    assert allows(policy, "GetItem", principal=role("any", VENDOR), context=INSIDE)
    assert not allows(policy, "GetItem", principal=role("any", VENDOR), context=OUTSIDE["no endpoint"])


def test_a_property_override_has_the_last_word() -> None:
    data = stack()
    table = table_v2(data)
    tg.TablePerimeter(data, "Perimeter", table=table, perimeter=tg.Perimeter(networks=[HERE]))
    resource = table.node.default_child
    assert isinstance(resource, cdk.CfnResource)
    resource.add_property_override("Replicas.0.ResourcePolicy", {"PolicyDocument": {"Statement": []}})
    assert statements(Documents.of(data).table_policy()) == []


def test_a_vpc_of_the_app_is_named_by_reference() -> None:
    data = stack()
    vpc = ec2.Vpc(data, "Vpc", max_azs=1)
    tg.TablePerimeter(data, "Perimeter", table=table_v2(data), vpcs=[vpc])
    policy = Documents.of(data).table_policy()
    assert allows(policy, "GetItem", principal=APP, context={**INSIDE, "aws:SourceVpc": "<Vpc8378EB38>"})
    assert not allows(policy, "GetItem", principal=APP, context=INSIDE)


def test_a_vpc_of_another_stack_is_imported() -> None:
    scope = app()
    network, data = stack(scope, "Network"), stack(scope)
    vpc = ec2.Vpc(network, "Vpc", max_azs=1)
    tg.TablePerimeter(data, "Perimeter", table=table_v2(data), vpcs=[vpc])
    policy = Documents.of(data).table_policy()
    (clause,) = {str(s["Condition"]["StringNotEquals"].get("aws:SourceVpc")) for s in statements(policy)[:-1]}
    assert clause.startswith("<Network:ExportsOutputRefVpc")
    assert not allows(policy, "GetItem", principal=APP, context=INSIDE)


def test_a_stack_without_an_environment_works_on_what_the_deployment_knows() -> None:
    data = cdk.Stack(app(), "Data")
    vpc = ec2.Vpc(data, "Vpc", max_azs=1)
    table = table_v2(data, name=None)
    tg.TablePerimeter(data, "Perimeter", table=table, vpcs=[vpc])
    policy = Documents.of(data).table_policy()
    inside = {**INSIDE, "aws:SourceVpc": "<Vpc8378EB38>"}
    assert {str(s["Resource"]) for s in statements(policy)} == {"*"}
    assert allows(policy, "GetItem", principal=APP, context=inside)
    assert not allows(policy, "GetItem", principal=APP, context=INSIDE)
    assert allows(policy, "PutResourcePolicy", principal=EXECUTION, context=INSIDE)
    assert not allows(policy, "PutResourcePolicy", principal=ADMIN, context=INSIDE)


def test_vpcs_and_perimeter_are_joined() -> None:
    data = stack()
    office = tg.Perimeter(networks=[tg.FromNetwork("192.0.2.0/24")])
    made = tg.TablePerimeter(data, "Perimeter", table=table_v2(data), perimeter=office, vpcs=[vpc_of(data)])
    policy = Documents.of(data).table_policy()
    assert allows(policy, "GetItem", principal=APP, context=INSIDE)
    assert allows(policy, "GetItem", principal=APP, context={"aws:SourceIp": "192.0.2.9"})
    assert not allows(policy, "GetItem", principal=APP, context=OUTSIDE["the internet"])
    assert made.perimeter.networks == (tg.FromNetwork("192.0.2.0/24"), HERE)
    assert made.reference.arn == ORDERS


def replicated(**properties: Any) -> cdk.Stack:
    data = stack(app(**{PER_REPLICA: True}))
    table = table_v2(data, replicas=[dynamodb.ReplicaTableProps(region=REPLICA)])
    tg.TablePerimeter(data, "Perimeter", table=table, perimeter=tg.Perimeter(networks=[HERE, THERE]), **properties)
    return data


def test_a_replica_trusts_the_vpcs_of_its_own_region() -> None:
    documents = Documents.of(replicated(deployed_replicas=[REPLICA]))
    there = {"aws:SourceVpc": REPLICA_VPC, "aws:RequestedRegion": REPLICA}
    namesake = {"aws:SourceVpc": VPC, "aws:RequestedRegion": REPLICA}
    table = ORDERS.replace(REGION, REPLICA)
    policy, stream = documents.table_policy(REPLICA), documents.stream_policy(REPLICA)
    assert allows(policy, "GetItem", principal=APP, resource=table, context=there)
    assert not allows(policy, "GetItem", principal=APP, resource=table, context=namesake)
    assert allows(policy, "PutItem", principal=REPLICATION, resource=table, context={})
    assert allows(policy, "PutResourcePolicy", principal=EXECUTION, resource=table, context={})
    in_stream = STREAM.replace(REGION, REPLICA)
    assert allows(stream, "GetRecords", principal=REPLICATION, resource=in_stream, context={})
    assert allows(stream, "GetRecords", principal=APP, resource=in_stream, context=there)
    assert not allows(stream, "GetRecords", principal=APP, resource=in_stream, context=namesake)
    here = documents.table_policy()
    assert not allows(here, "GetItem", principal=APP, context={**there, "aws:RequestedRegion": REGION})


def test_a_replica_may_stand_open_for_one_deployment_with_a_reason() -> None:
    data = replicated(open_replicas={REPLICA: "empty until next week"})
    (warning,) = [text for text in warnings(data) if "no perimeter" in text]
    assert "empty until next week" in warning
    assert "tableguard:replica-without-perimeter" in warning
    assert Documents.of(data).table_policy(REPLICA) is None


@pytest.mark.parametrize(
    ("grant", "why"),
    [
        (
            tg.TableGrant(tg.Account(VENDOR), tg.Access.READ, reason="r", conditions=[tg.FromNetwork("192.0.2.0/24")]),
            "192",
        ),
        (ZERO_ETL, ""),
        (
            tg.TableGrant(
                tg.AwsService(service=REDSHIFT, source_account=VENDOR), tg.Access.on_table("Scan"), reason="r"
            ),
            VENDOR,
        ),
        (READER, ""),
    ],
)
def test_a_grant_that_is_denied_whatever_its_caller_does_is_warned_of(grant: tg.TableGrant, why: str) -> None:
    data = stack()
    table = table_v2(data)
    tg.TablePerimeter(data, "Perimeter", table=table, perimeter=tg.Perimeter(networks=[HERE]))
    tg.TableAccess(data, "Access", table=table, table_grants=[grant])
    found = [text for text in warnings(data) if "tableguard:perimeter-denies-grant" in text]
    assert len(found) == bool(why)
    assert all(why in text for text in found)


def test_the_metadata_tells_networks_and_exemptions() -> None:
    documents = restricted(grants=[READER])
    claims = read(documents.table["Metadata"][METADATA_KEY]).claims
    assert [grant.reason for grant in claims.grants] == ["ADR-7"]
    assert claims.perimeter is not None
    assert [network.values_in(REGION) for network in claims.perimeter.networks] == [(VPC,)]
    (deployment,) = claims.perimeter.exemptions
    assert deployment.reason == "deploys the table and its policies"


def test_the_policies_stay_within_their_limits_together() -> None:
    data = stack()
    table = table_v2(data)
    small = tg.Limit("table policy", 3_000, "bytes", "a test")
    limits = tg.Limits(table=small)
    tg.TablePerimeter(data, "Perimeter", table=table, perimeter=tg.Perimeter(networks=[HERE]), limits=limits)
    grants = [tg.TableGrant(tg.Role(account=VENDOR, name=f"reader-{n}"), tg.Access.READ, reason="r") for n in range(20)]
    with pytest.raises(tg.PolicyTooLargeError, match="3,000"):
        tg.TableAccess(data, "Access", table=table, table_grants=grants)


def test_a_table_without_a_name_names_itself_by_a_wildcard() -> None:
    data = stack()
    table = dynamodb.TableV2(data, "Orders", partition_key=PK)
    tg.TablePerimeter(data, "Perimeter", table=table, perimeter=tg.Perimeter(networks=[HERE]))
    assert {str(s["Resource"]) for s in statements(Documents.of(data).table_policy())} == {"*"}
