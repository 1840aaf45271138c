"""What a perimeter refuses, and what it says to do instead."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb, aws_ec2 as ec2
from aws_cdk.assertions import Template

import tableguard as tg
from tests.unit.network.support import (
    ADMIN,
    APP,
    EVERYTHING,
    HERE,
    INSIDE,
    OUTSIDE,
    REPLICA_VPC,
    allows,
    exempt,
    plain,
    vpc_of,
)
from tests.unit.tables.support import (
    ORDERS,
    OWNER,
    PER_REPLICA,
    REGION,
    REPLICA,
    Documents,
    app,
    role,
    stack,
    table_v1,
    table_v2,
    warnings,
)

PERIMETER = tg.Perimeter(networks=[HERE])
DEPLOYER = tg.Role(account=OWNER, name="deployer")
ANOTHER = "us-west-2"


def refused(make: Callable[[], object]) -> tg.InvalidInputError:
    with pytest.raises(tg.InvalidInputError) as caught:
        make()
    return caught.value


def around(data: cdk.Stack, **properties: Any) -> tg.TablePerimeter:
    table = properties.pop("table", None) or table_v2(data)
    return tg.TablePerimeter(data, "Perimeter", table=table, **{"perimeter": PERIMETER, **properties})


def test_a_second_perimeter_is_refused() -> None:
    data = stack()
    table = table_v2(data)
    around(data, table=table)
    error = refused(lambda: tg.TablePerimeter(data, "Second", table=table, perimeter=PERIMETER))
    assert error.what == "the restriction (perimeter) of Data/Orders/Resource"
    assert "everything into one" in error.fix


def test_a_perimeter_with_nothing_inside_is_refused() -> None:
    error = refused(lambda: around(stack(), perimeter=None))
    assert (error.what, error.value) == ("the perimeter of Data/Perimeter", None)
    assert "vpcs=[vpc]" in error.fix


@pytest.mark.parametrize("name", ["vpcs", "endpoints", "deployed_replicas"])
def test_a_list_has_to_be_one(name: str) -> None:
    assert refused(lambda: around(stack(), **{name: "vpc-0abc1234"})).what == f"{name} of Data/Perimeter"


def test_limits_have_to_be_some() -> None:
    assert refused(lambda: around(stack(), limits=20_480)).what == "limits of Data/Perimeter"


def test_something_else_than_a_vpc_or_an_endpoint_is_refused() -> None:
    assert refused(lambda: around(stack(), vpcs=["vpc-0abc1234"])).what == "a VPC of a perimeter"
    data = stack()
    imported = ec2.GatewayVpcEndpoint.from_gateway_vpc_endpoint_id(data, "Endpoint", "vpce-1a2b3c4d")
    assert "EndpointTables(" in refused(lambda: around(data, endpoints=[imported])).fix


def test_a_vpc_whose_id_the_template_cannot_know_is_refused() -> None:
    scope = app()
    elsewhere = ec2.Vpc(stack(scope, "Network", account="222233334444"), "Vpc", max_azs=1)
    error = refused(lambda: around(stack(scope), vpcs=[elsewhere]))
    assert error.what == "the VPC of Network/Vpc"
    assert "222233334444" in str(error.value)
    assert "FromVpc(" in error.fix


def test_no_network_that_reaches_the_region_is_refused() -> None:
    there = tg.Perimeter(networks=[tg.FromVpc(REPLICA_VPC, region=REPLICA)])
    assert "reaches us-east-1" in refused(lambda: around(stack(), perimeter=there)).allowed


def test_a_table_of_something_else_is_refused() -> None:
    assert refused(lambda: around(stack(), table="orders")).what == "the table of a TablePerimeter"


def test_replicas_of_a_custom_resource_are_refused() -> None:
    data = stack()
    table = table_v1(data, replication_regions=[REPLICA])
    assert "TableV2" in refused(lambda: around(data, table=table)).fix


# The role that deploys


def test_a_synthesizer_that_does_not_tell_its_role_is_refused() -> None:
    error = refused(lambda: around(plain()))
    assert error.what == "deployed_by of the perimeter in stack Data"
    assert "deployed_by=Role(" in error.fix


@pytest.mark.parametrize("synthesizer", [cdk.CliCredentialsStackSynthesizer, cdk.LegacyStackSynthesizer])
def test_other_synthesizers_are_refused_as_well(synthesizer: Any) -> None:
    data = cdk.Stack(app(), "Data", env=cdk.Environment(account=OWNER, region=REGION), synthesizer=synthesizer())
    assert refused(lambda: around(data)).what == "deployed_by of the perimeter in stack Data"


def test_the_role_can_be_named() -> None:
    data = plain()
    around(data, deployed_by=DEPLOYER)
    policy = Documents.of(data).table_policy()
    outside = OUTSIDE["no endpoint"]
    assert allows(policy, "PutResourcePolicy", principal=DEPLOYER.arn("aws"), context=outside)
    assert not allows(policy, "GetItem", principal=DEPLOYER.arn("aws"), context=outside)
    assert not allows(policy, "PutResourcePolicy", principal=ADMIN, context=outside)


def test_an_exemption_may_name_it_instead() -> None:
    data = plain()
    deployment = exempt(tg.Forwarding("cloudformation.amazonaws.com"), tg.RestrictedActions.DEPLOYMENT)
    around(data, perimeter=tg.Perimeter(networks=[HERE], exemptions=[deployment]))
    policy = Documents.of(data).table_policy()
    by_cloudformation = {"aws:ViaAWSService": "true", "aws:CalledViaLast": "cloudformation.amazonaws.com"}
    assert allows(policy, "PutResourcePolicy", principal=ADMIN, context=by_cloudformation)
    assert not allows(policy, "PutResourcePolicy", principal=ADMIN, context=OUTSIDE["no endpoint"])


def test_an_exemption_that_does_not_cover_policies_is_not_enough() -> None:
    reader = exempt(DEPLOYER, tg.RestrictedActions.ITEMS)
    perimeter = tg.Perimeter(networks=[HERE], exemptions=[reader])
    assert refused(lambda: around(plain(), perimeter=perimeter)).value is None


# None of them can put the policy of a table of this account, so the table would be locked.
NEVER_DEPLOY: dict[str, Any] = {
    "a role of another account": tg.Role(account="111122223333", name="deployer"),
    "a permission set of another account": tg.PermissionSet(account="111122223333", name="Deployers"),
    "a service-linked role": tg.ServiceLinkedRole(
        account=OWNER, service="replication.dynamodb.amazonaws.com", name="AWSServiceRoleForDynamoDBReplication"
    ),
}


@pytest.mark.parametrize("who", NEVER_DEPLOY)
def test_somebody_who_cannot_deploy_here_is_no_deploying_role(who: str) -> None:
    error = refused(lambda: around(plain(), deployed_by=NEVER_DEPLOY[who]))
    assert (error.what, error.value) == ("deployed_by of the perimeter in stack Data", NEVER_DEPLOY[who].label)
    assert f"an identity of {OWNER}" in error.allowed


def test_an_arn_is_no_deploying_role() -> None:
    error = refused(lambda: around(plain(), deployed_by=DEPLOYER.arn("aws")))
    assert (error.what, error.value) == ("the principal of an Exemption", DEPLOYER.arn("aws"))


@pytest.mark.parametrize("who", NEVER_DEPLOY)
def test_an_exemption_of_somebody_who_cannot_deploy_here_is_not_enough(who: str) -> None:
    perimeter = tg.Perimeter(networks=[HERE], exemptions=[exempt(NEVER_DEPLOY[who], tg.RestrictedActions.ALL)])
    assert refused(lambda: around(plain(), perimeter=perimeter)).value is None


def test_an_exemption_of_the_deploying_role_is_widened() -> None:
    data = stack()
    perimeter = tg.Perimeter(networks=[HERE], exemptions=[exempt(DEPLOYER, tg.RestrictedActions.EXPORT)])
    made = around(data, perimeter=perimeter, deployed_by=DEPLOYER)
    (exemption,) = made.perimeter.exemptions
    assert exemption.reason == "a test; deploys the table and its policies"
    policy = Documents.of(data).table_policy()
    for action in ("ExportTableToPointInTime", "PutResourcePolicy"):
        assert allows(policy, action, principal=DEPLOYER.arn("aws"), context=OUTSIDE["no endpoint"])


@pytest.mark.parametrize(
    "restricted", [None, tg.RestrictedActions.DEPLOYMENT], ids=["not exempt", "exempt for a deployment"]
)
def test_where_settings_are_restricted_the_deploying_role_may_change_them(
    restricted: tg.RestrictedActions | None,
) -> None:
    data = stack()
    operator = exempt(tg.Role(account=OWNER, name="operator"), tg.RestrictedActions.SETTINGS)
    own = [] if restricted is None else [exempt(DEPLOYER, restricted)]
    perimeter = tg.Perimeter(networks=[HERE], exemptions=[operator, *own], settings_too="nobody looks from outside")
    around(data, perimeter=perimeter, deployed_by=DEPLOYER)
    policy = Documents.of(data).table_policy()
    for action in ("PutResourcePolicy", "UpdateTable", "DescribeTable", "TagResource", "DeleteTable"):
        assert allows(policy, action, principal=DEPLOYER.arn("aws"), context=OUTSIDE["no endpoint"])
        assert not allows(policy, action, principal=ADMIN, context=OUTSIDE["no endpoint"])
    assert not allows(policy, "GetItem", principal=DEPLOYER.arn("aws"), context=OUTSIDE["no endpoint"])


def test_who_may_not_change_restricted_settings_cannot_deploy() -> None:
    operator = exempt(tg.Role(account=OWNER, name="operator"), tg.RestrictedActions.SETTINGS)
    exemptions = [operator, exempt(DEPLOYER, tg.RestrictedActions.DEPLOYMENT)]
    perimeter = tg.Perimeter(networks=[HERE], exemptions=exemptions, settings_too="nobody looks from outside")
    assert refused(lambda: around(plain(), perimeter=perimeter)).value is None


def test_a_pattern_that_holds_the_deploying_role_is_enough() -> None:
    everywhere = exempt(tg.RoleOfEveryAccount(name="cdk-hnb659fds-cfn-exec-role-*"), tg.RestrictedActions.DEPLOYMENT)
    perimeter = tg.Perimeter(networks=[HERE], exemptions=[everywhere])
    assert around(stack(), perimeter=perimeter).perimeter == perimeter


def test_a_pattern_that_does_not_hold_it_is_not() -> None:
    others = exempt(tg.RoleOfEveryAccount(name="cdk-acme-cfn-exec-role-*"), tg.RestrictedActions.DEPLOYMENT)
    made = around(stack(), perimeter=tg.Perimeter(networks=[HERE], exemptions=[others]))
    assert [e.principal.label for e in made.perimeter.exemptions][1:] == [
        f"role cdk-hnb659fds-cfn-exec-role-{OWNER}-{REGION} of {OWNER}"
    ]


def test_nobody_may_change_a_sealed_table_but_the_root_user() -> None:
    data = stack()
    around(data, no_deployment_role="deployed from a runner inside the VPC")
    policy = Documents.of(data).table_policy()
    exec_role = role(f"cdk-hnb659fds-cfn-exec-role-{OWNER}-{REGION}", OWNER)
    assert not allows(policy, "PutResourcePolicy", principal=exec_role, context=OUTSIDE["no endpoint"])
    assert allows(policy, "PutResourcePolicy", principal=exec_role, context=INSIDE)
    assert allows(
        policy, "DeleteResourcePolicy", principal=f"arn:aws:iam::{OWNER}:root", context=OUTSIDE["no endpoint"]
    )


@pytest.mark.parametrize("no_deployment_role", ["", "  ", True])
def test_no_deployment_role_takes_a_reason(no_deployment_role: Any) -> None:
    assert (
        refused(lambda: around(stack(), no_deployment_role=no_deployment_role)).what
        == "no_deployment_role of a perimeter"
    )


def test_a_sealed_table_has_no_deploying_role() -> None:
    error = refused(lambda: around(stack(), no_deployment_role="why", deployed_by=DEPLOYER))
    assert error.what == "deployed_by of a perimeter"


def test_a_nested_stack_is_deployed_with_its_parent() -> None:
    nested = cdk.NestedStack(stack(), "Nested")
    made = around(nested)
    assert [e.principal.label for e in made.perimeter.exemptions] == [
        f"role cdk-hnb659fds-cfn-exec-role-{OWNER}-{REGION} of {OWNER}"
    ]
    policy = Documents.of(nested).table_policy()
    assert allows(policy, "GetItem", principal=APP, context=INSIDE)
    assert not allows(policy, "GetItem", principal=APP, context=OUTSIDE["no endpoint"])


# Replicas


def with_replica(perimeter: tg.Perimeter = PERIMETER, **properties: Any) -> cdk.Stack:
    data = stack(app(**{PER_REPLICA: True}))
    table = table_v2(data, replicas=[dynamodb.ReplicaTableProps(region=REPLICA)])
    around(data, table=table, perimeter=perimeter, **properties)
    return data


def test_a_new_replica_would_stand_open() -> None:
    with pytest.raises(
        RuntimeError, match=r"the replicas of Data/Perimeter: got 'eu-west-1'.*stand open.*open_replicas"
    ):
        Template.from_stack(with_replica())


def with_two_replicas(**properties: Any) -> cdk.Stack:
    """One of them has been deployed."""
    data = stack(app(**{PER_REPLICA: True}))
    table = table_v2(data, replicas=[dynamodb.ReplicaTableProps(region=region) for region in (REPLICA, ANOTHER)])
    networks = [HERE, *(tg.FromVpc("vpc-0def5678", region=region) for region in (REPLICA, ANOTHER))]
    around(data, table=table, perimeter=tg.Perimeter(networks=networks), deployed_replicas=[REPLICA], **properties)
    return data


def test_of_two_replicas_the_one_that_is_new_would_stand_open() -> None:
    with pytest.raises(RuntimeError, match=r"got 'us-west-2'.*stand open.*open_replicas") as caught:
        Template.from_stack(with_two_replicas())
    assert f"got '{REPLICA}'" not in str(caught.value)


def test_that_one_replica_may_stand_open_says_nothing_of_another() -> None:
    data = stack(app(**{PER_REPLICA: True}))
    table = table_v2(data, replicas=[dynamodb.ReplicaTableProps(region=region) for region in (REPLICA, ANOTHER)])
    around(data, table=table, open_replicas={REPLICA: "empty until next week"})
    with pytest.raises(RuntimeError, match=r"got 'us-west-2'.*stand open") as caught:
        Template.from_stack(data)
    assert f"got '{REPLICA}'" not in str(caught.value)


def test_of_two_replicas_the_one_that_is_new_is_warned_of_and_the_other_is_restricted() -> None:
    data = with_two_replicas(open_replicas={ANOTHER: "empty until next week"})
    (warning,) = [text for text in warnings(data) if "tableguard:replica-without-perimeter" in text]
    assert "deployed_replicas=['us-west-2']" in warning
    documents = Documents.of(data)
    assert documents.table_policy(ANOTHER) is None
    policy, there = documents.table_policy(REPLICA), ORDERS.replace(REGION, REPLICA)
    outside = {"aws:RequestedRegion": REPLICA}
    assert not allows(policy, "GetItem", principal=APP, resource=there, context=outside)


def test_a_replica_with_nothing_inside_is_refused() -> None:
    error = refused(lambda: with_replica(deployed_replicas=[REPLICA]))
    assert "reaches eu-west-1" in error.allowed


def test_a_replica_with_nothing_inside_that_another_construct_says_is_deployed_is_refused() -> None:
    data = stack(app(**{PER_REPLICA: True}))
    table = table_v2(data, replicas=[dynamodb.ReplicaTableProps(region=REPLICA)])
    around(data, table=table)
    tg.TableAccess(data, "Access", table=table, deployed_replicas=[REPLICA])
    with pytest.raises(RuntimeError, match=r"networks of Data/Perimeter.*reaches eu-west-1"):
        Template.from_stack(data)


@pytest.mark.parametrize("given", [[REPLICA], {REPLICA: ""}, {REPLICA: True}])
def test_an_open_replica_takes_a_reason(given: Any) -> None:
    assert refused(lambda: with_replica(open_replicas=given)).what == "open_replicas of Data/Perimeter"


# Imported tables


def test_an_imported_table_is_refused_with_the_commands_for_its_owner() -> None:
    data = stack()
    imported = dynamodb.Table.from_table_arn(data, "Orders", ORDERS)
    perimeter = tg.Perimeter(networks=[HERE], exemptions=[exempt(DEPLOYER, tg.RestrictedActions.DEPLOYMENT)])
    error = refused(lambda: around(data, table=imported, perimeter=perimeter))
    assert error.value == ORDERS
    of_table, of_stream = error.fix.splitlines()[1:]
    policy = json.loads(shlex.split(of_table)[-1])
    everybody = {"Effect": "Allow", "Principal": {"AWS": OWNER}, "Action": "*", "Resource": "*"}
    whole = {**policy, "Statement": [*policy["Statement"], everybody]}
    assert allows(whole, "GetItem", principal=APP, context=INSIDE, identity=(EVERYTHING,))
    assert not allows(whole, "GetItem", principal=APP, context=OUTSIDE["no endpoint"])
    assert allows(whole, "PutResourcePolicy", principal=DEPLOYER.arn("aws"), context=OUTSIDE["no endpoint"])
    assert "LATEST_STREAM_LABEL" in of_stream
    assert "GetRecords" in of_stream


def test_no_command_would_lock_the_owner_of_an_imported_table_out() -> None:
    data = stack()
    error = refused(lambda: around(data, table=dynamodb.Table.from_table_arn(data, "Orders", ORDERS)))
    assert "put-resource-policy" not in error.fix
    assert "RestrictedActions.DEPLOYMENT" in error.fix


UNKNOWN = tg.FromVpc("${Token[TOKEN.42]}", region=REGION)


@pytest.mark.parametrize(
    "options",
    [{}, {"perimeter": tg.Perimeter(networks=[HERE, UNKNOWN])}],
    ids=["a VPC of the app", "one beside one that is written down"],
)
def test_the_owner_of_an_imported_table_needs_ids_that_are_written_down(options: dict[str, Any]) -> None:
    data = stack()
    table = dynamodb.Table.from_table_arn(data, "Orders", ORDERS)
    given = options if "perimeter" in options else {"perimeter": None, "vpcs": [vpc_of(data)]}
    error = refused(lambda: around(data, table=table, **given))
    assert "ids written down" in error.fix
