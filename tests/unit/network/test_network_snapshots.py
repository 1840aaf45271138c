"""Each construct as a template, with the least that it takes and with more."""

from __future__ import annotations

from aws_cdk import aws_dynamodb as dynamodb
from syrupy.assertion import SnapshotAssertion

import tableguard as tg
from tests.unit.network.support import HERE, ORGANIZATION, POLLER, exempt, vpc_of
from tests.unit.tables.support import PK, READER, cfn_table, stack

EVERYTHING = tg.Perimeter(
    networks=[HERE, tg.FromNetwork("192.0.2.0/24")],
    exemptions=[
        exempt(tg.LambdaPoller(POLLER), tg.RestrictedActions.STREAM),
        exempt(tg.Forwarding("athena.amazonaws.com"), tg.RestrictedActions.ITEMS),
    ],
    organization=ORGANIZATION,
)


def test_table_perimeter_least(template_snapshots: SnapshotAssertion) -> None:
    data = stack()
    tg.TablePerimeter(data, "Perimeter", table=cfn_table(data), perimeter=tg.Perimeter(networks=[HERE]))
    assert data == template_snapshots


def test_vpc_only_table_everything(template_snapshots: SnapshotAssertion) -> None:
    data = stack()
    ways: list[tg.DynamoDbGatewayEndpoint | tg.DynamoDbInterfaceEndpoint] = [
        tg.DynamoDbGatewayEndpoint(data, "ToTables", vpc=vpc_of(data), organization=ORGANIZATION),
        tg.DynamoDbInterfaceEndpoint(
            data, "ToStreams", vpc=vpc_of(data, "Same"), streams=True, callers=["10.9.0.0/16"]
        ),
    ]
    tg.VpcOnlyTable(
        data,
        "Orders",
        table_name="orders",
        partition_key=PK,
        dynamo_stream=dynamodb.StreamViewType.NEW_IMAGE,
        perimeter=EVERYTHING,
        endpoints=ways,
        table_grants=[READER],
    )
    assert data == template_snapshots


def test_data_access_boundary_least(template_snapshots: SnapshotAssertion) -> None:
    data = stack()
    tg.DataAccessBoundary(data, "Boundary", perimeter=tg.Perimeter(networks=[HERE]))
    assert data == template_snapshots
