"""Assertions on decisions: each has its opposite, and none takes a missing side for a refusal."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions, aws_dynamodb as dynamodb, aws_iam as iam, aws_kms as kms

import tableguard as tg
from tableguard.review.assembly import SynthesizedStack, read_assembly
from tableguard.review.collect import collect
from tableguard.review.picture import Picture
from tableguard.testing import assert_allowed, assert_denied

OWNER, READER, VENDOR = "444455556666", "222233334444", "333344445555"
KEY = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
LAMBDA = iam.ServicePrincipal("lambda.amazonaws.com")
TODAY = dt.date(2026, 11, 21)
GET, PUT = "dynamodb:GetItem", "dynamodb:PutItem"

reader = tg.TableGrant(tg.Role(account=READER, name="reader"), tg.Access.READ, reason="ADR-7")
vendor = tg.TableGrant(
    tg.Account(VENDOR),
    tg.Access.query(index="by-date"),
    reason="contract 12",
    until=dt.date(2027, 1, 31),
    conditions=[tg.FromNetwork("192.0.2.0/24")],
)
ref = tg.TableReference(account=OWNER, region="us-east-1", name="orders", indexes=("by-date",))
INSIDE = {"aws:SourceIp": "192.0.2.7"}
VENDORS_ROLE = f"arn:aws:iam::{VENDOR}:role/sync"


class Organization:
    """A table, a reader in another account, a worker in the table's own, and a vendor without a stack."""

    def __init__(self, folder: Path) -> None:
        self.app = cdk.App(outdir=str(folder))
        self.data = cdk.Stack(self.app, "Data", env=cdk.Environment(account=OWNER, region="us-east-1"))
        by_date = dynamodb.GlobalSecondaryIndexPropsV2(index_name="by-date", partition_key=KEY)
        self.orders = tg.CrossAccountTable(
            self.data,
            "Orders",
            table_name="orders",
            partition_key=KEY,
            global_secondary_indexes=[by_date],
            dynamo_stream=dynamodb.StreamViewType.NEW_IMAGE,
            table_grants=[reader, vendor],
        )
        self.worker = iam.Role(self.data, "Worker", assumed_by=LAMBDA)
        self.orders.table.grant_write_data(self.worker)
        self.admin = iam.Role(
            self.data,
            "Admin",
            assumed_by=LAMBDA,
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name("PowerUserAccess")],
        )
        self.consumer = cdk.Stack(self.app, "Reader", env=cdk.Environment(account=READER, region="us-east-1"))
        self.role = tg.ConsumerRole(self.consumer, "Role", grant=reader, table=ref, assumed_by=LAMBDA)


@pytest.fixture(scope="module")
def organization(tmp_path_factory: pytest.TempPathFactory) -> Organization:
    return Organization(tmp_path_factory.mktemp("organization"))


def fails(assertion: Any, *arguments: Any, **more: Any) -> str:
    with pytest.raises(AssertionError) as raised:
        assertion(*arguments, **more)
    return str(raised.value)


def test_the_examples_of_the_design_work_literally(organization: Organization) -> None:
    app = organization.app

    assert_denied(app, principal=reader.principal, action="dynamodb:PutItem", resource=ref)
    assert_allowed(app, principal=reader.principal, action="dynamodb:GetItem", resource=ref)


def test_failures_hold_the_explanation(organization: Organization) -> None:
    denied = fails(assert_allowed, organization.app, principal=reader.principal, action=PUT, resource=ref)

    assert f"Expected {PUT} on {ref.arn} by arn:aws:iam::{READER}:role/reader to be allowed." in denied
    assert "Denied: not everything that has to allow it does" in denied
    assert "resource policy" in denied
    assert "What is missing" in denied

    allowed = fails(assert_denied, organization.app, principal=reader.principal, action=GET, resource=ref)

    assert "Allowed\n" in allowed
    assert "/Properties/Replicas/0/ResourcePolicy/PolicyDocument" in allowed
    assert "Resources/Role" in allowed
    assert "aws:SecureTransport=true" in allowed


@pytest.mark.parametrize("kind", ["app", "stack", "another stack", "folder", "text", "picture"])
def test_it_can_be_asked_of_whatever_was_synthesized(organization: Organization, kind: str) -> None:
    folder = Path(organization.app.synth().directory)
    where: Any = {
        "app": organization.app,
        "stack": organization.data,
        "another stack": organization.consumer,
        "folder": folder,
        "text": str(folder),
        "picture": collect(read_assembly(folder)),
    }[kind]

    assert_allowed(where, principal=reader.principal, action=GET, resource=ref)
    assert_denied(where, principal=reader.principal, action=PUT, resource=ref)


def test_a_stage_is_asked_about_its_own_stacks(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    stage = cdk.Stage(app, "Prod", env=cdk.Environment(account=OWNER, region="us-east-1"))
    orders = dynamodb.TableV2(cdk.Stack(stage, "Data"), "Orders", table_name="orders", partition_key=KEY)
    worker = iam.Role(cdk.Stack.of(orders), "Worker", assumed_by=LAMBDA)
    orders.grant_read_data(worker)

    assert_allowed(stage, principal=worker, action=GET, resource=orders)
    assert_denied(stage, principal=worker, action=PUT, resource=orders)


class TestTemplates:
    def test_the_tables_template_shows_the_tables_side(self, organization: Organization) -> None:
        template = assertions.Template.from_stack(organization.data)

        assert_allowed(template, principal=reader.principal, action=GET, resource=ref, identity="any")
        assert_denied(template, principal=reader.principal, action=PUT, resource=ref)

    def test_the_consumers_template_shows_the_consumers_side(self, organization: Organization) -> None:
        template = assertions.Template.from_stack(organization.consumer)

        assert_allowed(template, principal=reader.principal, action=GET, resource=ref, table_policy="any")
        assert_denied(template, principal=reader.principal, action=PUT, resource=ref)

    def test_they_need_an_account(self, organization: Organization) -> None:
        template = assertions.Template.from_stack(organization.data)

        with pytest.raises(tg.InvalidInputError, match="an ARN or a TableReference"):
            assert_denied(template, principal=VENDORS_ROLE, action=GET, resource=organization.orders)


class TestPrincipals:
    @pytest.mark.parametrize("kind", ["arn", "principal", "construct", "session"])
    def test_a_role_may_be_said_in_any_way(self, organization: Organization, kind: str) -> None:
        principal: Any = {
            "arn": f"arn:aws:iam::{READER}:role/reader",
            "principal": reader.principal,
            "construct": organization.role.role,
            "session": tg.RoleSession(account=READER, role="reader", session="s1"),
        }[kind]
        context = {"aws:PrincipalArn": f"arn:aws:iam::{READER}:role/reader"} if kind == "session" else None

        assert_allowed(organization.app, principal=principal, action=GET, resource=ref, context=context)
        assert_denied(organization.app, principal=principal, action=PUT, resource=ref, context=context)

    def test_a_role_without_a_name_is_found_by_its_place(self, organization: Organization) -> None:
        assert_allowed(organization.app, principal=organization.worker, action=PUT, resource=ref)
        assert_denied(organization.app, principal=organization.worker, action="dynamodb:DeleteTable", resource=ref)

    @pytest.mark.parametrize("principal", [tg.Account(READER), tg.Organization("o-a1b2c3d4e5"), 7])
    def test_a_group_makes_no_requests(self, organization: Organization, principal: Any) -> None:
        with pytest.raises(tg.InvalidInputError, match="a principal that makes requests"):
            assert_denied(organization.app, principal=principal, action=GET, resource=ref)

    def test_a_service_and_the_anonymous_are_denied(self, organization: Organization) -> None:
        for principal in (
            "anonymous",
            "glue.amazonaws.com",
            tg.AwsService(service="glue.amazonaws.com", source_account=READER),
        ):
            assert_denied(organization.app, principal=principal, action=GET, resource=ref)
            fails(assert_allowed, organization.app, principal=principal, action=GET, resource=ref)


class TestResources:
    @pytest.mark.parametrize("kind", ["arn", "reference", "construct", "L2"])
    def test_a_table_may_be_said_in_any_way(self, organization: Organization, kind: str) -> None:
        resource: Any = {
            "arn": ref.arn,
            "reference": organization.orders.reference,
            "construct": organization.orders,
            "L2": organization.orders.table,
        }[kind]

        assert_allowed(organization.app, principal=reader.principal, action=GET, resource=resource)
        assert_denied(organization.app, principal=reader.principal, action=PUT, resource=resource)

    def test_an_action_on_streams_goes_to_the_tables_stream(self, organization: Organization) -> None:
        app, worker, records = organization.app, organization.worker, "dynamodb:GetRecords"

        said = fails(assert_allowed, app, principal=worker, action=records, resource=organization.orders)

        assert f"{ref.arn}/stream/" in said
        assert_denied(app, principal=worker, action=records, resource=ref)

    def test_what_is_no_table_is_refused(self, organization: Organization) -> None:
        with pytest.raises(tg.InvalidInputError, match="the resource of a decision"):
            assert_denied(organization.app, principal=reader.principal, action=GET, resource=object())


class TestASideThatNoTemplateShows:
    RESOURCE = ref.index_arn("by-date")

    def test_is_taken_to_allow_everything_when_a_denial_is_asserted(self, organization: Organization) -> None:
        request: dict[str, Any] = {"principal": VENDORS_ROLE, "action": "dynamodb:Query", "resource": self.RESOURCE}

        said = fails(assert_denied, organization.app, **request, context=INSIDE, today=TODAY)

        assert f"The identity policies of {VENDORS_ROLE} stand in no template" in said
        assert_denied(organization.app, **request, context={"aws:SourceIp": "198.51.100.7"}, today=TODAY)

    def test_fails_an_assertion_that_something_is_allowed(self, organization: Organization) -> None:
        request: dict[str, Any] = {"principal": VENDORS_ROLE, "action": "dynamodb:Query", "resource": self.RESOURCE}
        request |= {"context": INSIDE, "today": TODAY}

        said = fails(assert_allowed, organization.app, **request)

        assert 'identity="any"' in said
        assert_allowed(organization.app, **request, identity="any")

    def test_can_be_given(self, organization: Organization) -> None:
        request: dict[str, Any] = {"principal": VENDORS_ROLE, "action": "dynamodb:Query", "resource": self.RESOURCE}
        request |= {"context": INSIDE, "today": TODAY}
        both: Any = vendor.identity_policy(organization.orders.reference)
        nothing = {"Version": "2012-10-17", "Statement": []}

        assert_allowed(organization.app, **request, identity=[both])
        assert_denied(organization.app, **request, identity=[nothing])
        assert "identity" in fails(assert_allowed, organization.app, **request, identity=[nothing])

    def test_may_be_one_policy_among_several(self, organization: Organization) -> None:
        request: dict[str, Any] = {"principal": organization.admin, "action": GET, "resource": ref}

        said = fails(assert_denied, organization.app, **request)

        assert "PowerUserAccess" in said
        assert_denied(organization.app, **request, identity=[])

    def test_may_be_the_tables(self, organization: Organization, tmp_path: Path) -> None:
        app = cdk.App(outdir=str(tmp_path))
        stack = cdk.Stack(app, "Reader", env=cdk.Environment(account=READER, region="us-east-1"))
        tg.ConsumerRole(stack, "Role", grant=reader, table=ref, assumed_by=LAMBDA)

        assert_denied(app, principal=reader.principal, action=PUT, resource=ref)
        assert "table_policy" in fails(assert_denied, app, principal=reader.principal, action=GET, resource=ref)
        assert "table_policy" in fails(assert_allowed, app, principal=reader.principal, action=GET, resource=ref)
        assert_allowed(app, principal=reader.principal, action=GET, resource=ref, table_policy="any")
        nothing = {"Version": "2012-10-17", "Statement": []}
        assert_denied(app, principal=reader.principal, action=GET, resource=ref, table_policy=nothing)


def test_the_day_counts(organization: Organization) -> None:
    request: dict[str, Any] = {
        "principal": VENDORS_ROLE,
        "action": "dynamodb:Query",
        "resource": ref.index_arn("by-date"),
    }
    request |= {"context": {"aws:SourceIp": "192.0.2.7"}, "identity": "any"}

    assert_allowed(organization.app, **request, today=dt.date(2027, 1, 31))
    assert_denied(organization.app, **request, today=dt.date(2027, 2, 1))


def template(statement: dict[str, Any]) -> dict[str, Any]:
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    properties = {"TableName": "orders", "ResourcePolicy": {"PolicyDocument": policy}}
    return {"Resources": {"Orders": {"Type": "AWS::DynamoDB::Table", "Properties": properties}}}


@pytest.mark.parametrize(("value", "known"), [("vpce-1a2b3c4d", True), ({"Ref": "Endpoint"}, False)])
def test_a_refusal_by_what_is_not_understood_is_no_refusal(value: Any, known: bool) -> None:
    condition = {"StringEquals": {"aws:SourceVpce": value}}
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": READER},
        "Action": GET,
        "Resource": "*",
        "Condition": condition,
    }
    where = assertions.Template.from_json(template(statement))

    if known:
        assert_denied(where, principal=reader.principal, action=GET, resource=ref)
        return
    assert "not known" in fails(assert_denied, where, principal=reader.principal, action=GET, resource=ref)


def test_an_app_is_synthesized_and_read_once(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []

    def counted(folder: Path) -> tuple[SynthesizedStack, ...]:
        read.append(folder)
        return read_assembly(folder)

    monkeypatch.setattr("tableguard.testing.whereabouts.read_assembly", counted)

    for _ in range(3):
        assert_allowed(organization.app, principal=reader.principal, action=GET, resource=ref)

    assert len(read) <= 1


def test_a_folder_that_was_written_anew_is_read_anew(tmp_path: Path) -> None:
    allow = {"Effect": "Allow", "Principal": {"AWS": READER}, "Action": GET, "Resource": "*"}
    artifact = {
        "type": "aws:cloudformation:stack",
        "environment": f"aws://{OWNER}/us-east-1",
        "properties": {"templateFile": "Data.template.json"},
    }

    def write(statement: dict[str, Any], version: str) -> None:
        (tmp_path / "Data.template.json").write_text(json.dumps(template(statement)))
        (tmp_path / "manifest.json").write_text(json.dumps({"version": version, "artifacts": {"Data": artifact}}))

    write(allow, "55.0.0")
    assert_allowed(tmp_path, principal=reader.principal, action=GET, resource=ref, identity="any")
    write({**allow, "Action": PUT}, "55.0.0 ")
    assert_denied(tmp_path, principal=reader.principal, action=GET, resource=ref)


@pytest.mark.parametrize("where", [None, 7, object()])
def test_it_is_asked_of_something_synthesized(where: Any) -> None:
    with pytest.raises(tg.InvalidInputError, match="where a decision is made"):
        assert_denied(where, principal=reader.principal, action=GET, resource=ref)


@pytest.mark.parametrize("assertion", [assert_allowed, assert_denied])
@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("dynamodb:GetItm", "Did you mean 'dynamodb:GetItem'"),
        ("dynamodb:TransactGetItems", "authorized as 'dynamodb:GetItem'"),
        ("dynamodb:TransactWriteItems", "'dynamodb:ConditionCheckItem'"),
        ("dynamodb:ExecuteTransaction", "'dynamodb:PartiQLSelect'"),
        ("dynamodb:Zzzzzzzz", "an action of DynamoDB"),
    ],
)
def test_an_action_that_does_not_exist_is_refused(
    organization: Organization, assertion: Any, action: str, said: str
) -> None:
    with pytest.raises(tg.InvalidInputError, match=said):
        assertion(organization.data, principal=VENDORS_ROLE, action=action, resource=organization.orders)


def test_actions_are_known_in_any_case(organization: Organization) -> None:
    assert_denied(
        organization.data,
        principal=f"arn:aws:iam::{READER}:role/somebody",
        action="dynamodb:deleteitem",
        resource=organization.orders,
    )


@pytest.mark.parametrize("made_here", [True, False])
def test_a_role_that_no_template_makes_may_have_more_policies_than_the_templates_show(made_here: bool) -> None:
    policy = {
        "Type": "AWS::IAM::RolePolicy",
        "Properties": {
            "RoleName": "app",
            "PolicyName": "some",
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
            },
        },
    }
    made = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "app", "AssumeRolePolicyDocument": {}}}
    resources = {"Policy": policy, **({"Role": made} if made_here else {}), **template({})["Resources"]}
    for each in resources.values():
        each.get("Properties", {}).pop("ResourcePolicy", None)
    on = collect((SynthesizedStack("Data", OWNER, "us-east-1", {"Resources": resources}),))
    asked: dict[str, Any] = {"principal": f"arn:aws:iam::{OWNER}:role/app", "action": GET, "resource": on.tables[0].arn}

    if made_here:
        assert_denied(on, **asked)
    else:
        assert "These policies of the principal stand in no template" in fails(assert_denied, on, **asked)
        assert_denied(on, **asked, identity=[])


def test_a_request_comes_from_the_caller_itself() -> None:
    condition = {"Bool": {"aws:ViaAWSService": "false"}}
    direct = {"Effect": "Allow", "Principal": {"AWS": READER}, "Action": GET, "Resource": "*", "Condition": condition}
    on = collect((SynthesizedStack("Data", OWNER, "us-east-1", template(direct)),))
    asked: dict[str, Any] = {"principal": reader.principal, "action": GET, "resource": on.tables[0].arn}

    assert_allowed(on, **asked, identity="any")
    assert_denied(on, **asked, context={"aws:viaAWSService": True})


@pytest.mark.parametrize("said", [True, False])
def test_a_stack_without_an_env_is_named(tmp_path: Path, said: bool) -> None:
    app = cdk.App(outdir=str(tmp_path))
    env = cdk.Environment(account=OWNER, region="us-east-1") if said else None
    orders = dynamodb.TableV2(cdk.Stack(app, "Data", env=env), "Orders", table_name="orders", partition_key=KEY)
    worker = iam.Role(cdk.Stack.of(orders), "Worker", role_name="worker", assumed_by=LAMBDA)
    orders.grant_read_data(worker)

    if said:
        assert_allowed(app, principal=worker, action=GET, resource=orders)
        assert_denied(app, principal=worker, action=PUT, resource=orders)
        return
    for assertion in (assert_allowed, assert_denied):
        for principal, resource in ((worker, ref), (f"arn:aws:iam::{OWNER}:role/worker", orders)):
            with pytest.raises(tg.InvalidInputError, match="Make the stack Data with env="):
                assertion(app, principal=principal, action=GET, resource=resource)
        by_arn: dict[str, Any] = {"principal": f"arn:aws:iam::{OWNER}:role/worker", "action": GET, "resource": ref}
        assert "do not say their account and region: Data" in fails(assertion, app, **by_arn)


def on_orders(*statements: dict[str, Any], **resources: Any) -> Picture:
    """A table with a policy, and what stands beside it."""
    made = template({})["Resources"]
    made["Orders"]["Properties"]["ResourcePolicy"]["PolicyDocument"]["Statement"] = list(statements)
    return collect((SynthesizedStack("Data", OWNER, "us-east-1", {"Resources": {**made, **resources}}),))


def allow_all(**more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": READER}, "Action": GET, "Resource": "*", **more}


@pytest.mark.parametrize("kind", ["Role", "User"])
@pytest.mark.parametrize("effect", ["Allow", "Deny"])
@pytest.mark.parametrize("given", [None, "blue", "red"])
def test_the_callers_tags_are_those_of_its_template(kind: str, effect: str, given: str | None) -> None:
    tagged = {"StringEquals": {"aws:PrincipalTag/team": "blue"}}
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": GET, "Resource": "*"}}
    caller = {
        "Type": f"AWS::IAM::{kind}",
        "Properties": {
            f"{kind}Name": "app",
            "Tags": [{"Key": "team", "Value": "blue"}],
            "Policies": [{"PolicyName": "p", "PolicyDocument": policy}] if effect == "Deny" else [],
        },
    }
    arn = f"arn:aws:iam::{OWNER}:{kind.lower()}/app"
    on = on_orders(allow_all(Effect=effect, Principal={"AWS": arn}, Condition=tagged), App=caller)
    asked: dict[str, Any] = {"principal": arn, "action": GET, "resource": on.tables[0].arn}
    asked |= {"context": {"aws:principalTag/team": given}} if given else {}

    (assert_allowed if (effect == "Allow") is (given != "red") else assert_denied)(on, **asked)
    opposite = assert_denied if (effect == "Allow") is (given != "red") else assert_allowed
    fails(opposite, on, **asked)


@pytest.mark.parametrize("operator", ["IpAddress", "NotIpAddress"])
@pytest.mark.parametrize("endpoint", [True, False])
@pytest.mark.parametrize("networks", [["0.0.0.0/0"], ["192.0.2.0/24"]])
def test_a_request_comes_from_the_internet_or_through_an_endpoint(
    operator: str, endpoint: bool, networks: list[str]
) -> None:
    deny = allow_all(Effect="Deny", Condition={operator: {"aws:SourceIp": networks}})
    on = on_orders(allow_all(), deny)
    asked: dict[str, Any] = {"principal": reader.principal, "action": GET, "resource": on.tables[0].arn}
    asked |= {"context": {"aws:SourceVpce": "vpce-1a2b3c4d"}} if endpoint else {}

    inside = networks == ["0.0.0.0/0"] and not endpoint
    if inside is (operator == "IpAddress"):
        assert_denied(on, **asked)
        fails(assert_allowed, on, **asked, identity="any")
    else:
        assert_allowed(on, **asked, identity="any")
        fails(assert_denied, on, **asked)


@pytest.mark.parametrize("key", ["aws:SourceIp", "aws:SourceVpce", "aws:sourcevpc"])
def test_a_key_of_networks_that_is_none_leaves_the_request_without_an_address(key: str) -> None:
    on = on_orders(allow_all(Condition={"Null": {"aws:SourceIp": "true"}}))
    asked: dict[str, Any] = {"principal": reader.principal, "action": GET, "resource": on.tables[0].arn}

    assert_allowed(on, **asked, context={key: None}, identity="any")
    assert_denied(on, **asked)


def test_a_service_has_no_address() -> None:
    service = {"Principal": {"Service": "replication.dynamodb.amazonaws.com"}}
    on = on_orders(allow_all(**service, Condition={"Null": {"aws:SourceIp": "true"}}))
    asked: dict[str, Any] = {"action": GET, "resource": on.tables[0].arn}

    assert_allowed(on, **asked, principal="replication.dynamodb.amazonaws.com")
    assert_denied(on, **asked, principal="glue.amazonaws.com")


def test_a_moment_of_the_day_may_be_said() -> None:
    on = on_orders(allow_all(Condition={"DateLessThan": {"aws:CurrentTime": "2026-11-21T08:30:00Z"}}))
    asked: dict[str, Any] = {"principal": reader.principal, "action": GET, "resource": on.tables[0].arn}

    assert_allowed(on, **asked, identity="any", today=dt.datetime(2026, 11, 21, 8, 29, 59, tzinfo=dt.UTC))
    assert_denied(on, **asked, today=dt.datetime(2026, 11, 21, 8, 30, tzinfo=dt.UTC))
    assert_denied(on, **asked, today=dt.date(2026, 11, 21))


def test_a_key_may_be_asked_about(organization: Organization) -> None:
    (key,) = [each for each in organization.data.node.find_all() if isinstance(each, kms.Key)]
    asked: dict[str, Any] = {"principal": reader.principal, "action": "kms:Decrypt", "resource": key}
    by_dynamodb = {
        "kms:ViaService": "dynamodb.us-east-1.amazonaws.com",
        "kms:EncryptionContext:aws:dynamodb:subscriberId": OWNER,
        "kms:EncryptionContext:aws:dynamodb:tableName": "orders",
    }

    assert_allowed(organization.app, **asked, context=by_dynamodb)
    assert_denied(organization.app, **asked)


def test_a_condition_key_may_have_many_values() -> None:
    keys = "dynamodb:LeadingKeys"
    of_keys = {"ForAllValues:StringEquals": {keys: ["a", "b"]}, "Null": {keys: "false"}}
    on = on_orders(allow_all(Condition=of_keys))
    asked: dict[str, Any] = {"principal": reader.principal, "action": GET, "resource": on.tables[0].arn}

    assert_allowed(on, **asked, context={"dynamodb:LeadingKeys": ["a", "b"]}, identity="any")
    assert_denied(on, **asked, context={"dynamodb:LeadingKeys": ["a", "c"]})


@pytest.mark.parametrize(
    ("policy", "matters"), [("service-role/AWSLambdaBasicExecutionRole", False), ("ReadOnly", True)]
)
def test_a_policy_that_aws_manages_for_logs_alone_leaves_nothing_open(policy: str, matters: bool) -> None:
    managed = {"RoleName": "app", "ManagedPolicyArns": [f"arn:aws:iam::aws:policy/{policy}"]}
    on = on_orders(App={"Type": "AWS::IAM::Role", "Properties": managed})
    asked: dict[str, Any] = {"principal": f"arn:aws:iam::{OWNER}:role/app", "action": GET, "resource": on.tables[0].arn}

    if matters:
        assert "stand in no template" in fails(assert_denied, on, **asked)
    else:
        assert_denied(on, **asked)
        fails(assert_allowed, on, **asked)
