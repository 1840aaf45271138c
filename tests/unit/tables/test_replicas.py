"""Replicas in other regions get their policies in two phases, whatever the feature flag says."""

import json
import re
from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb, aws_iam as iam, aws_kms as kms

import tableguard as tg
from tests.unit.tables.support import (
    LISTENER,
    ORDERS,
    OWNER,
    PER_REPLICA,
    PK,
    READER,
    REGION,
    REPLICA,
    REPLICA_KEY,
    SK,
    VENDOR,
    Documents,
    allowed,
    app,
    cfn_global_table,
    decides,
    denied,
    encryption_context,
    role,
    stack,
    table_v2,
    warnings,
)

FLAGS: dict[str, dict[str, Any]] = {"with the flag": {PER_REPLICA: True}, "without it": {PER_REPLICA: False}}
THEIRS = "arn:aws:dynamodb:eu-west-1:444455556666:table/orders"
LISTENING = role("listener", VENDOR)


def attached(
    context: dict[str, Any], *, deployed: Sequence[str] = (), replica_is: str = "there before", **properties: Any
) -> cdk.Stack:
    data = stack(app(**context))
    replicas = [dynamodb.ReplicaTableProps(region=REPLICA)] if replica_is == "there before" else None
    table = table_v2(
        data,
        replicas=replicas,
        dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
        global_secondary_indexes=[dynamodb.GlobalSecondaryIndexPropsV2(index_name="by-date", partition_key=SK)],
        **properties,
    )
    tg.TableAccess(data, "Access", table=table, table_grants=[READER, LISTENER], deployed_replicas=deployed)
    if not replicas:
        table.add_replica(region=REPLICA)
    return data


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("replica_is", ["there before", "added after"])
def test_phase_1_leaves_the_replica_without_a_policy_of_ours_and_says_so(flag: str, replica_is: str) -> None:
    data = attached(FLAGS[flag], replica_is=replica_is)

    (warning,) = warnings(data)
    documents = Documents.of(data)
    assert "tableguard:replica-without-policy" in warning
    assert f"deployed_replicas=['{REPLICA}']" in warning
    assert documents.table_policy(REPLICA) is None
    assert documents.stream_policy(REPLICA) is None
    allowed(data, "GetItem")


def test_beside_a_grant_within_the_account_one_to_another_stands_in_the_policy_and_waits_for_replicas() -> None:
    data = stack(app(**FLAGS["with the flag"]))
    table = table_v2(data, replicas=[dynamodb.ReplicaTableProps(region=REPLICA)])
    own = tg.TableGrant(tg.Role(account=OWNER, name="app"), tg.Access.READ, reason="a test")
    tg.TableAccess(data, "Access", table=table, table_grants=[own, READER])

    (warning,) = warnings(data)
    assert "tableguard:replica-without-policy" in warning
    policy = Documents.of(data).table_policy()
    allowed(policy, "GetItem")
    assert "role/app" not in json.dumps(policy)


def test_of_two_replicas_the_one_that_is_new_waits_and_is_warned_of() -> None:
    data = attached(FLAGS["with the flag"], replica_is="added after", deployed=[REPLICA])
    table = data.node.find_child("Orders")
    assert isinstance(table, dynamodb.TableV2)
    table.add_replica(region="us-west-2")

    (warning,) = warnings(data)
    documents = Documents.of(data)
    assert "tableguard:replica-without-policy" in warning
    assert "the replicas in us-west-2 get none" in warning
    assert "deployed_replicas=['us-west-2']" in warning
    assert documents.table_policy("us-west-2") is None
    assert documents.table_policy(REPLICA) is not None


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("replica_is", ["there before", "added after"])
def test_phase_2_gives_the_replica_a_policy_for_its_own_arn_indexes_and_stream(flag: str, replica_is: str) -> None:
    data = attached(FLAGS[flag], replica_is=replica_is, deployed=[REPLICA])

    documents = Documents.of(data)
    assert warnings(data) == []
    for region, arn, other in ((REGION, ORDERS, THEIRS), (REPLICA, THEIRS, ORDERS)):
        policy = documents.table_policy(region)
        allowed(policy, "GetItem", resource=arn)
        allowed(policy, "Query", resource=f"{arn}/index/by-date")
        denied(policy, "GetItem", resource=other)
        denied(policy, "GetItem", resource=arn, principal=LISTENING)
        stream = documents.stream_policy(region)
        allowed(stream, "GetRecords", resource=f"{arn}/stream/x", principal=LISTENING)
        denied(stream, "GetRecords", resource=f"{arn}/stream/x")


@pytest.mark.parametrize("flag", FLAGS)
def test_a_policy_of_the_caller_stays_what_it_would_be_without_us(flag: str) -> None:
    deny = iam.PolicyStatement(
        sid="Mine",
        effect=iam.Effect.DENY,
        actions=["dynamodb:DeleteTable"],
        principals=[iam.AccountPrincipal(VENDOR)],
        resources=["*"],
    )

    def policies(*, ours: bool) -> list[list[str]]:
        data = stack(app(**FLAGS[flag]))
        table = table_v2(
            data,
            replicas=[dynamodb.ReplicaTableProps(region=REPLICA)],
            resource_policy=iam.PolicyDocument(statements=[deny]),
        )
        if ours:
            tg.TableAccess(data, "Access", table=table, table_grants=[READER], deployed_replicas=[REPLICA])
        documents = Documents.of(data)
        return [
            [s["Sid"] for s in (documents.table_policy(region) or {}).get("Statement", []) if "Sid" in s]
            for region in (REGION, REPLICA)
        ]

    assert policies(ours=True) == policies(ours=False)


def test_one_replica_can_be_ahead_of_another() -> None:
    data = attached({}, deployed=[REPLICA])
    table = data.node.find_child("Orders")
    assert isinstance(table, dynamodb.TableV2)
    table.add_replica(region="ap-south-1")

    (warning,) = warnings(data)
    documents = Documents.of(data)
    assert "the replicas in ap-south-1 get" in warning
    allowed(data, "GetItem", resource=THEIRS)
    assert documents.table_policy("ap-south-1") is None


def test_grants_inside_the_account_leave_no_replica_waiting() -> None:
    data = stack()
    table = table_v2(data, replicas=[dynamodb.ReplicaTableProps(region=REPLICA)])
    inside = iam.Role(data, "Role", assumed_by=iam.AccountRootPrincipal())
    tg.TableAccess(data, "Access", table=table, table_grants=[tg.TableGrant(inside, tg.Access.READ)])

    assert warnings(data) == []


def test_the_warning_can_be_acknowledged() -> None:
    data = attached({})
    cdk.Annotations.of(data).acknowledge_warning("tableguard:replica-without-policy", "deployed next week")

    assert warnings(data) == []


def test_a_replica_that_does_not_exist_fails_the_synthesis() -> None:
    data = attached({}, deployed=["eu-west-2"])

    with pytest.raises(RuntimeError, match=r"deployed_replicas of Data/Orders/Resource: got 'eu-west-2'.*eu-west-1"):
        data.node.root.synth()  # type: ignore[attr-defined]


@pytest.mark.parametrize("replica_is", ["there before", "added after"])
def test_the_key_of_a_replica_is_somebody_elses_to_change_and_the_warning_holds_its_statement(replica_is: str) -> None:
    data = stack()
    key = kms.Key(data, "Key")
    table = table_v2(
        data,
        encryption=dynamodb.TableEncryptionV2.customer_managed_key(key, {REPLICA: REPLICA_KEY}),
        replicas=[dynamodb.ReplicaTableProps(region=REPLICA)] if replica_is == "there before" else None,
    )
    tg.TableAccess(data, "Access", table=table, table_grants=[READER], deployed_replicas=[REPLICA])
    if replica_is == "added after":
        table.add_replica(region=REPLICA)

    (warning,) = warnings(data)
    assert "tableguard:key-policy" in warning
    assert f"the key in {REPLICA} of table orders" in warning
    found = re.search(r"\[\{.*\}\]", warning)
    assert found is not None
    policy = {"Version": "2012-10-17", "Statement": json.loads(found[0])}
    for region, expected in ((REPLICA, True), (REGION, False)):
        context = encryption_context(region=region)
        decides(expected, policy, "kms:Decrypt", resource=REPLICA_KEY, context=context)


def test_the_reference_goes_from_region_to_region() -> None:
    data = stack()
    table = table_v2(data, replicas=[dynamodb.ReplicaTableProps(region=REPLICA)])
    reference = tg.TableAccess(data, "Access", table=table).reference

    assert reference.replica_regions == (REPLICA,)
    assert reference.in_region(REPLICA).arn == THEIRS
    with pytest.raises(tg.InvalidInputError, match="Allowed: us-east-1, eu-west-1"):
        reference.in_region("eu-west-2")


def test_an_l1_global_table_goes_through_the_same_phases() -> None:
    of = dynamodb.CfnGlobalTable.ReplicaSpecificationProperty
    data = stack()
    table = cfn_global_table(data, [of(region=REPLICA), of(region=REGION)])
    tg.TableAccess(data, "Access", table=table, table_grants=[READER])

    documents = Documents.of(data)
    assert documents.table_policy(REPLICA) is None
    allowed(data, "GetItem")
    (warning,) = warnings(data)
    assert "tableguard:replica-without-policy" in warning


def test_a_table_with_replicas_has_a_stream_without_asking_for_it() -> None:
    data = stack()
    table = table_v2(data, replicas=[dynamodb.ReplicaTableProps(region=REPLICA)])
    tg.TableAccess(data, "Access", table=table, table_grants=[LISTENER])

    allowed(data, "GetRecords", resource=f"{ORDERS}/stream/x", principal=LISTENING)


def test_an_l1_global_table_with_replicas_has_a_stream_as_well() -> None:
    of = dynamodb.CfnGlobalTable.ReplicaSpecificationProperty
    data = stack()
    table = cfn_global_table(data, [of(region=REGION), of(region=REPLICA)])
    tg.TableAccess(data, "Access", table=table, table_grants=[LISTENER])

    allowed(data, "GetRecords", resource=f"{ORDERS}/stream/x", principal=LISTENING)


def test_the_partition_is_left_to_the_deployment_with_the_region() -> None:
    data = cdk.Stack(app(), "Data")
    reference = tg.TableAccess(data, "Access", table=table_v2(data)).reference

    assert data.resolve(reference.arn) == data.resolve(
        f"arn:{cdk.Aws.PARTITION}:dynamodb:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}:table/orders"
    )


def test_cross_account_table_passes_replicas_on() -> None:
    data = stack()
    tg.CrossAccountTable(
        data,
        "Orders",
        partition_key=PK,
        table_name="orders",
        encryption=dynamodb.TableEncryptionV2.dynamo_owned_key(),
        replicas=[dynamodb.ReplicaTableProps(region=REPLICA)],
        deployed_replicas=[REPLICA],
        table_grants=[READER],
    )

    allowed(data, "GetItem", resource=THEIRS)
    assert OWNER in THEIRS


@pytest.mark.parametrize("flag", [True, False])
def test_statements_that_the_cdk_copies_to_a_new_replica_are_warned_of(flag: bool) -> None:
    data = stack(app(**{PER_REPLICA: flag}))
    table = table_v2(data)
    tg.TableAccess(data, "Access", table=table, table_grants=[READER])
    table.grants.read_data(iam.AccountPrincipal(VENDOR))
    table.add_replica(region=REPLICA)

    found = [text for text in warnings(data) if "tableguard:new-replica-with-policy" in text]
    assert len(found) == (0 if flag else 1)
