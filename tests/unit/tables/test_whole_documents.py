"""What only the whole document shows: its size, and whether it lets everybody in, statements of others included."""

import datetime as dt
import json
import re
import shlex
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb, aws_iam as iam

import tableguard as tg
from tests.unit.tables.support import (
    ANY_KIND,
    LAMBDA,
    LISTENER,
    ORDERS,
    OWNER,
    PARTNER,
    PK,
    READER,
    REGION,
    REPLICA,
    TODAY,
    VENDOR,
    Documents,
    allowed,
    app,
    cfn_table,
    consumer_stack,
    denied,
    role,
    stack,
    table_v1,
    table_v2,
    warnings,
)

TINY = tg.Limit("table policy", 300, "bytes", "a test")
TINY_STREAM = tg.Limit("stream policy", 100, "bytes", "a test")


def many(count: int) -> list[tg.TableGrant]:
    return [
        tg.TableGrant(tg.Role(account=PARTNER, name=f"reader-with-a-long-name-{n:04}"), tg.Access.READ, reason="x")
        for n in range(count)
    ]


@pytest.mark.parametrize("kind", ANY_KIND)
def test_our_own_statements_over_the_limit_are_refused_at_once(kind: str) -> None:
    data = stack()
    access = tg.TableAccess(data, "Access", table=ANY_KIND[kind](data), table_grants=many(200))

    with pytest.raises(tg.PolicyTooLargeError, match=r"20,480.*To make it fit: grant to an Account"):
        access.grant(*many(400)[200:])

    assert len(access.table_grants) == 200


@pytest.mark.parametrize(
    ("limits", "grant", "kind"),
    [(tg.Limits(table=TINY), READER, "table policy"), (tg.Limits(stream=TINY_STREAM), LISTENER, "stream policy")],
)
def test_the_callers_limits_hold(limits: tg.Limits, grant: tg.TableGrant, kind: str) -> None:
    data = stack()
    table = table_v2(data, dynamo_stream=dynamodb.StreamViewType.NEW_IMAGE)

    with pytest.raises(tg.PolicyTooLargeError, match=kind):
        tg.TableAccess(data, "Access", table=table, table_grants=[grant], limits=limits)


def test_limits_hold_for_the_table_whoever_sets_them() -> None:
    data = stack()
    table = table_v2(data)
    tg.TableAccess(data, "Access", table=table, limits=tg.Limits(table=TINY))

    with pytest.raises(tg.PolicyTooLargeError):
        tg.TableAccess(data, "Other", table=table, table_grants=[READER])


def test_cross_account_table_passes_limits_on() -> None:
    with pytest.raises(tg.PolicyTooLargeError):
        tg.CrossAccountTable(
            stack(),
            "Orders",
            partition_key=PK,
            table_name="orders",
            table_grants=[READER],
            limits=tg.Limits(table=TINY),
        )


@pytest.mark.parametrize("construct", ["ConsumerRole", "ConsumerAccess"])
def test_an_identity_policy_over_the_limit_is_refused(construct: str) -> None:
    consumer = stack(account=PARTNER)
    table = tg.TableReference(account=OWNER, region=REGION, name="orders")
    common: dict[str, Any] = {
        "grant": READER,
        "table": table,
        "limits": tg.Limits(inline=tg.Limit("inline policy", 300, "characters", "a test")),
    }

    def make() -> object:
        if construct == "ConsumerRole":
            return tg.ConsumerRole(
                consumer, "Reader", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"), **common
            )
        return tg.ConsumerAccess(consumer, "Reader", role=iam.Role.from_role_arn(consumer, "Role", role()), **common)

    with pytest.raises(tg.PolicyTooLargeError, match=r"inline policy of Data/Reader.*name fewer indexes"):
        make()


def padded(count: int, *, principal: str = PARTNER) -> list[iam.PolicyStatement]:
    return [
        iam.PolicyStatement(
            sid=f"Statement{number}WithALongNameToFillTheDocument",
            actions=["dynamodb:GetItem"],
            principals=[iam.ArnPrincipal(f"arn:aws:iam::{principal}:role/role-with-a-rather-long-name-{number:03}")],
            resources=["*"],
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("kind", ["TableV2", "Table"])
def test_statements_of_others_are_counted(kind: str) -> None:
    data = stack()
    table = ANY_KIND[kind](data)
    tg.TableAccess(data, "Access", table=table, table_grants=[READER])
    for statement in padded(120):
        table.add_to_resource_policy(statement)

    with pytest.raises(RuntimeError, match=r"table policy of Data/Orders/Resource is .* bytes\. Allowed: 20,480 "):
        Documents.of(data)


def test_a_stream_policy_is_measured_by_itself() -> None:
    data = stack()
    table = table_v2(data, dynamo_stream=dynamodb.StreamViewType.NEW_IMAGE)
    tg.TableAccess(data, "Access", table=table, table_grants=[READER, LISTENER])
    for statement in padded(120):
        statement.add_actions("dynamodb:GetRecords")
        table.add_to_stream_resource_policy(statement)

    with pytest.raises(RuntimeError, match=r"stream policy of Data/Orders/Resource "):
        Documents.of(data)


def test_what_an_index_adds_that_comes_after_the_grant_is_counted() -> None:
    data = stack()
    table = table_v2(data)
    without_index = tg.Limit("table policy", 450, "bytes", "a test")
    tg.TableAccess(data, "Access", table=table, table_grants=[READER], limits=tg.Limits(table=without_index))
    table.add_global_secondary_index(index_name="by-date", partition_key=PK)

    with pytest.raises(RuntimeError, match=r"table policy of Data/Orders/Resource is .* Allowed: 450"):
        Documents.of(data)


def test_values_that_only_the_deployment_knows_are_counted_at_their_shortest_and_the_error_says_so() -> None:
    data = stack()
    table = table_v2(data)
    tg.TableAccess(data, "Access", table=table, table_grants=[READER])
    parameter = cdk.CfnParameter(data, "Parameter").value_as_string
    for number in range(150):
        table.add_to_resource_policy(
            iam.PolicyStatement(
                sid=f"Statement{number}WithALongNameToFillTheDocumentUpToItsLimit",
                actions=["dynamodb:GetItem"],
                principals=[iam.AccountPrincipal(PARTNER)],
                resources=["*"],
                conditions={"StringEquals": {f"aws:PrincipalTag/{number}": parameter}},
            )
        )

    with pytest.raises(RuntimeError, match=r"at least .* count with their shortest length"):
        Documents.of(data)


PUBLIC: dict[str, Callable[[Any], object]] = {
    "everybody": lambda table: table.add_to_resource_policy(everybody({})),
    "everybody in a VPC": lambda table: table.add_to_resource_policy(
        everybody({"StringEquals": {"aws:SourceVpc": "vpc-1a2b3c4d"}})
    ),
    "everybody from a network": lambda table: table.add_to_resource_policy(
        everybody({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})
    ),
    "an L2 grant to everybody": lambda table: table.grants.read_data(iam.AnyPrincipal()),
}


def everybody(conditions: dict[str, Any]) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=["dynamodb:GetItem"], principals=[iam.AnyPrincipal()], resources=["*"], conditions=conditions
    )


@pytest.mark.parametrize("kind", ["TableV2", "Table"])
@pytest.mark.parametrize("way", PUBLIC)
def test_a_public_statement_of_the_caller_fails_the_synthesis(kind: str, way: str) -> None:
    data = stack()
    table = ANY_KIND[kind](data)
    tg.TableAccess(data, "Access", table=table, table_grants=[READER])
    PUBLIC[way](table)

    with pytest.raises(RuntimeError, match=r"statement 0 of the policy of Data/Orders/Resource allows"):
        Documents.of(data)


def test_a_public_statement_of_a_replica_fails_the_synthesis_and_says_where() -> None:
    data = stack()
    table = table_v2(
        data,
        replicas=[
            dynamodb.ReplicaTableProps(region=REPLICA, resource_policy=iam.PolicyDocument(statements=[everybody({})]))
        ],
    )
    tg.TableAccess(data, "Access", table=table, table_grants=[READER], deployed_replicas=[REPLICA])

    with pytest.raises(RuntimeError, match=rf"policy of Data/Orders/Resource in {REPLICA} allows everybody"):
        Documents.of(data)


def test_everybody_of_a_named_organization_passes() -> None:
    data = stack()
    table = table_v2(data)
    tg.TableAccess(data, "Access", table=table, table_grants=[READER])
    table.add_to_resource_policy(everybody({"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}))

    allowed(
        data, "GetItem", principal=role("x", VENDOR),
        context={"aws:PrincipalOrgID": "o-a1b2c3d4e5"},
    )  # fmt: skip


def test_a_document_of_the_old_version_is_refused() -> None:
    data = stack()
    document = {"Version": "2008-10-17", "Statement": []}
    table = cfn_table(data, resource_policy=dynamodb.CfnTable.ResourcePolicyProperty(policy_document=document))
    tg.TableAccess(data, "Access", table=table, table_grants=[READER])

    with pytest.raises(RuntimeError, match=r"the version of the table policy of Data/Orders: got '2008-10-17'"):
        Documents.of(data)


OVER = tg.TableGrant(tg.Account(PARTNER), tg.Access.READ, reason="migration", until=dt.date(2026, 11, 20))


@pytest.mark.parametrize(("today", "over"), [("2026-11-20", False), ("2026-11-21", True), ("2027-11-21", True)])
def test_a_grant_is_over_on_the_day_after_its_last(today: str, over: bool) -> None:
    data = stack(app(**{TODAY: today}))
    tg.TableAccess(data, "Access", table=table_v2(data), table_grants=[OVER])

    found = warnings(data)
    assert ["tableguard:grant-is-over" in warning for warning in found] == ([True] if over else [])
    assert not over or f"The grant to account {PARTNER} (migration) is over since 2026-11-20." in found[0]


def test_the_statement_of_a_grant_that_is_over_stays_and_allows_nothing() -> None:
    data = stack(app(**{TODAY: "2026-11-21"}))
    tg.TableAccess(data, "Access", table=table_v2(data), table_grants=[OVER])

    policy = Documents.of(data).table_policy()
    assert policy is not None
    allowed(data, "GetItem", today=dt.datetime(2026, 11, 20, 23, 59, 59, tzinfo=dt.UTC))
    denied(data, "GetItem", today=dt.datetime(2026, 11, 21, tzinfo=dt.UTC))


def test_the_warning_of_a_grant_that_is_over_can_be_acknowledged() -> None:
    data = stack(app(**{TODAY: "2026-11-21"}))
    access = tg.TableAccess(data, "Access", table=table_v2(data), table_grants=[OVER])
    cdk.Annotations.of(access).acknowledge_warning("tableguard:grant-is-over", "goes with the next release")

    assert warnings(data) == []


def test_without_a_date_in_the_context_today_is_today() -> None:
    data = stack()
    for number, (days, reason) in enumerate(((-3, "past"), (3, "future"))):
        until = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=days)
        account = PARTNER if number else VENDOR
        grant = tg.TableGrant(tg.Account(account), tg.Access.READ, reason=reason, until=until)
        tg.TableAccess(data, f"Access{number}", table=_same(data), table_grants=[grant])

    (warning,) = warnings(data)
    assert "(past)" in warning


def _same(data: cdk.Stack) -> dynamodb.TableV2:
    found = data.node.try_find_child("Orders")
    return found if isinstance(found, dynamodb.TableV2) else table_v2(data)


IMPORTS: dict[str, Callable[[cdk.Stack], Any]] = {
    "TableV2 by name": lambda data: dynamodb.TableV2.from_table_name(data, "Orders", "orders"),
    "TableV2 by ARN": lambda data: dynamodb.TableV2.from_table_arn(data, "Orders", ORDERS),
    "Table by name": lambda data: dynamodb.Table.from_table_name(data, "Orders", "orders"),
    "Table by attributes": lambda data: dynamodb.Table.from_table_attributes(data, "Orders", table_arn=ORDERS),
}
NASTY = tg.TableGrant(
    tg.Role(account=PARTNER, name="reader"),
    tg.Access.READ_ITEMS | tg.Access.query(index="by-date"),
    reason="ADR-7",
    conditions=[tg.LeadingKeys("O'Brien; rm -rf ~ `$x` *")],
)


@pytest.mark.parametrize("way", IMPORTS)
def test_an_imported_table_is_refused_with_the_commands_to_run_instead(way: str) -> None:
    data = stack()

    with pytest.raises(tg.InvalidInputError) as caught:
        tg.TableAccess(data, "Access", table=IMPORTS[way](data), table_grants=[NASTY, LISTENER])

    error = caught.value
    assert (error.what, error.value) == ("the table of a TableAccess", ORDERS)
    assert error.fix.startswith("Make the TableAccess in the app that owns the table, or let its owner add")
    table, stream = commands(error.fix)
    assert "\nThe policy of its customer-managed key, if it has one, needs these, too:\n[{" in error.fix
    assert (table["resource-arn"], stream["resource-arn"]) == (ORDERS, f"{ORDERS}/stream/LATEST_STREAM_LABEL")
    assert {table["region"], stream["region"]} == {REGION}
    keys = {"dynamodb:LeadingKeys": ["O'Brien; rm -rf ~ `$x` of it"]}
    policy = json.loads(table["policy"])
    allowed(policy, "GetItem", context=keys)
    allowed(policy, "Query", resource=f"{ORDERS}/index/by-date", context=keys)
    denied(policy, "GetItem", context={"dynamodb:LeadingKeys": ["O'Connor"]})
    listener = json.loads(stream["policy"])
    allowed(listener, "GetRecords", principal=role("listener", VENDOR), resource=f"{ORDERS}/stream/x")


def commands(fix: str) -> list[dict[str, str]]:
    """The commands of the message, taken apart as a shell does."""
    found = []
    for line in fix.splitlines():
        if not line.startswith("aws "):
            continue
        command = shlex.split(line)
        assert command[:3] == ["aws", "dynamodb", "put-resource-policy"]
        options = command[3:]
        found.append({name.removeprefix("--"): value for name, value in zip(options[::2], options[1::2], strict=True)})
    return found


def test_an_imported_table_of_another_account_and_region_is_spoken_of_where_it_is() -> None:
    data = stack()
    table = dynamodb.TableV2.from_table_arn(data, "Orders", f"arn:aws:dynamodb:{REPLICA}:{VENDOR}:table/orders")

    with pytest.raises(tg.InvalidInputError) as caught:
        tg.TableAccess(data, "Access", table=table, table_grants=[READER])

    assert re.search(rf"--region {REPLICA} --resource-arn arn:aws:dynamodb:{REPLICA}:{VENDOR}:table", caught.value.fix)


@pytest.mark.parametrize(
    ("scope", "grants"),
    [(stack, []), (lambda: cdk.Stack(app(), "Data"), [READER])],
    ids=["without grants", "in an env-agnostic stack"],
)
def test_an_imported_table_is_refused_without_commands_where_there_is_nothing_to_say(
    scope: Callable[[], cdk.Stack], grants: list[tg.TableGrant]
) -> None:
    data = scope()

    with pytest.raises(tg.InvalidInputError, match="a table of this app") as caught:
        tg.TableAccess(
            data, "Access", table=dynamodb.TableV2.from_table_name(data, "Orders", "orders"), table_grants=grants
        )

    assert caught.value.fix == "Make the TableAccess in the app that owns the table."


def test_the_grants_on_an_imported_table_are_checked_before_anybody_runs_a_command() -> None:
    data = stack()
    table = dynamodb.TableV2.from_table_name(data, "Orders", "orders")

    with pytest.raises(tg.InvalidInputError, match="the reason of the grant"):
        tg.TableAccess(data, "Access", table=table, table_grants=[tg.TableGrant(tg.Account(PARTNER), tg.Access.READ)])


def test_the_old_table_is_measured_by_what_it_will_render() -> None:
    data = stack()
    table = table_v1(data, resource_policy=iam.PolicyDocument(statements=padded(120)))
    tg.TableAccess(data, "Access", table=table, table_grants=[READER])

    with pytest.raises(RuntimeError, match="table policy of Data/Orders/Resource"):
        Documents.of(data)


def test_the_consumer_is_told_as_well_that_a_grant_is_over() -> None:
    consumer = consumer_stack(app(**{TODAY: "2026-11-21"}))
    table = tg.TableReference(account=OWNER, region=REGION, name="orders")
    tg.ConsumerRole(consumer, "Reader", grant=OVER, table=table, assumed_by=LAMBDA)

    (warning,) = warnings(consumer)
    assert "tableguard:grant-is-over" in warning


def test_an_imported_tables_owner_is_told_of_all_indexes_and_of_the_key() -> None:
    data = stack()
    with pytest.raises(tg.InvalidInputError) as caught:
        tg.TableAccess(data, "Access", table=dynamodb.Table.from_table_name(data, "T", "orders"), table_grants=[READER])

    (table,) = commands(caught.value.fix)
    allowed(json.loads(table["policy"]), "Query", resource=f"{ORDERS}/index/any")
    assert "customer-managed key" in caught.value.fix
    assert "kms:Decrypt" in caught.value.fix
