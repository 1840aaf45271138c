"""Who is a person, and what people are denied: decisions over the synthesized policies of table and stream."""

from __future__ import annotations

import datetime as dt
import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb, aws_iam as iam
from syrupy.assertion import SnapshotAssertion

import tableguard as tg
from tableguard.aws.dynamodb import ACTIONS, Resource, ResourcePolicySupport
from tableguard.policy.metadata import METADATA_KEY, read
from tableguard.policy.perimeter import (
    Exemption,
    LambdaPoller,
    RestrictedActions,
    RoleOfEveryAccount,
    ServiceLinkedRole,
)
from tableguard.review.as_text import as_text
from tableguard.review.assembly import read_assembly
from tableguard.review.collect import collect
from tableguard.review.report import Review
from tableguard.review.review import review
from tests.unit.organization.support import EVERYTHING, allows
from tests.unit.tables.support import (
    ANY_KIND,
    ORDERS,
    OWNER,
    PARTNER,
    READER,
    REGION,
    REPLICA,
    STREAM,
    Documents,
    app,
    role,
    stack,
    table_v2,
    warnings,
)

SUFFIX: Final = "0123456789abcdef"
ROOT: Final = f"arn:aws:iam::{OWNER}:root"
DELETE_POLICY: Final = "DeleteResourcePolicy"
# In reach of a table's policy, and left open: what is set, seen or repaired.
SETTINGS: Final = frozenset(action for _, action in RestrictedActions.SETTINGS.permissions)
STEWARDS: Final = tg.PermissionSet(account=OWNER, name="DataSteward")
ANSWERS: Final = Exemption(
    principal=STEWARDS, actions=RestrictedActions.on_table("GetItem", "Query"), reason="subject access requests"
)


def sso(name: str, account: str = OWNER, path: str = "eu-west-1/") -> str:
    return f"arn:aws:iam::{account}:role/aws-reserved/sso.amazonaws.com/{path}AWSReservedSSO_{name}_{SUFFIX}"


def restricted(**more: Any) -> Documents:
    scope = stack(app())
    table = table_v2(scope, dynamo_stream=dynamodb.StreamViewType.NEW_IMAGE)
    tg.NoHumanAccess(scope, "NoPeople", table=table, **more)
    return Documents.of(scope)


@pytest.fixture(scope="module")
def documents() -> Documents:
    return restricted(sign_in_roles=[tg.Role(account=OWNER, name="saml-ops"), RoleOfEveryAccount(name="Federated*")])


PEOPLE: Final = [
    ROOT,
    f"arn:aws:iam::{OWNER}:user/ann",
    f"arn:aws:iam::{OWNER}:user/on-call/bob",
    f"arn:aws:sts::{OWNER}:federated-user/ann",
    sso("AdministratorAccess"),
    sso("AdministratorAccess", path=""),
    role("saml-ops", OWNER),
    role("FederatedOps", OWNER),
]
APPLICATIONS: Final = [
    role("orders-service", OWNER),
    role("service-role/worker", OWNER),
    role("saml-ops-batch", OWNER),
    role("users", OWNER),
    role("user/ann", OWNER),
    role("aws-service-role/replication.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBReplication", OWNER),
    role("cdk-hnb659fds-cfn-exec-role-444455556666-us-east-1", OWNER),
    role("sso.amazonaws.com/AWSReservedSSO_AdministratorAccess_0123456789abcdef", OWNER),
]
DATA: Final = sorted(
    name
    for name, action in ACTIONS.items()
    if Resource.TABLE in action.resources
    and action.resource_policy is not ResourcePolicySupport.IDENTITY_ONLY
    and name not in SETTINGS
    # The replication service's own.
    and name not in ("ReadDataForReplication", "WriteDataForReplication", "ReplicateSettings")
)


@pytest.mark.parametrize("person", PEOPLE)
def test_people_are_denied_all_data(documents: Documents, person: str) -> None:
    reached = {action for action in DATA if allows(documents.table_policy(), action, principal=person)}
    # AWS lets a root user delete a policy whatever it says: that is the way back.
    assert reached == ({DELETE_POLICY} if person == ROOT else set())
    for action in ("GetRecords", "GetShardIterator", "PutResourcePolicy"):
        assert not allows(documents.stream_policy(), action, principal=person, resource=STREAM)


@pytest.mark.parametrize("application", APPLICATIONS)
def test_applications_are_not_touched(documents: Documents, application: str) -> None:
    for action in DATA:
        assert allows(documents.table_policy(), action, principal=application)
    for action in ("GetRecords", "GetShardIterator", "DescribeStream"):
        assert allows(documents.stream_policy(), action, principal=application, resource=STREAM)


@pytest.mark.parametrize("person", PEOPLE)
def test_people_keep_the_settings(documents: Documents, person: str) -> None:
    for action in ("DescribeTable", "UpdateTable", "UpdateTimeToLive", "UpdateContinuousBackups", "DeleteTable"):
        assert allows(documents.table_policy(), action, principal=person)
    assert allows(documents.stream_policy(), "DescribeStream", principal=person, resource=STREAM)


EXECUTION: Final = "cdk-hnb659fds-cfn-exec-role-444455556666-us-east-1"


@pytest.mark.parametrize(
    "deploying",
    [tg.Role(account=OWNER, name=EXECUTION), RoleOfEveryAccount(name="cdk-hnb659fds-cfn-exec-role-*")],
    ids=["by its name", "by a pattern"],
)
def test_a_role_that_people_sign_in_with_and_that_deploys_would_lock_the_policy(deploying: Any) -> None:
    with pytest.raises(tg.InvalidInputError) as caught:
        restricted(sign_in_roles=[deploying])
    assert (caught.value.what, caught.value.value) == ("a sign_in_role of Data/NoPeople", deploying.label)
    assert "RestrictedActions.POLICY" in caught.value.fix
    reading = Exemption(principal=deploying, actions=RestrictedActions.ITEMS, reason="a test")
    with pytest.raises(tg.InvalidInputError):
        restricted(sign_in_roles=[deploying], exceptions=[reading])


def test_that_somebody_else_may_change_the_policy_is_of_no_use_to_it() -> None:
    other = Exemption(principal=tg.Role(account=OWNER, name="other"), actions=RestrictedActions.POLICY, reason="a test")
    with pytest.raises(tg.InvalidInputError, match="a sign_in_role of Data/NoPeople"):
        restricted(sign_in_roles=[tg.Role(account=OWNER, name=EXECUTION)], exceptions=[other])


def test_it_may_be_one_once_it_may_change_the_policy() -> None:
    deploying = tg.Role(account=OWNER, name=EXECUTION)
    policy = Exemption(principal=deploying, actions=RestrictedActions.POLICY, reason="deploys")
    found = restricted(sign_in_roles=[deploying], exceptions=[policy]).table_policy()
    assert allows(found, "PutResourcePolicy", principal=role(EXECUTION, OWNER))
    assert not allows(found, "GetItem", principal=role(EXECUTION, OWNER))


@pytest.mark.parametrize("resource", [ORDERS, f"{ORDERS}/index/by-date"])
def test_indexes_are_restricted_as_well(documents: Documents, resource: str) -> None:
    assert not allows(documents.table_policy(), "Query", principal=PEOPLE[1], resource=resource)
    assert allows(documents.table_policy(), "Query", principal=APPLICATIONS[0], resource=resource)


def test_a_session_of_a_person_is_known_by_its_role(documents: Documents) -> None:
    session = f"arn:aws:sts::{OWNER}:assumed-role/AWSReservedSSO_AdministratorAccess_{SUFFIX}/ann"
    context = {"aws:PrincipalArn": sso("AdministratorAccess")}
    assert not allows(documents.table_policy(), "GetItem", principal=session, context=context)


@pytest.mark.parametrize("via", ["athena.amazonaws.com", "cloudformation.amazonaws.com"])
def test_a_service_that_calls_for_a_person_is_that_person(documents: Documents, via: str) -> None:
    context = {"aws:ViaAWSService": "true", "aws:CalledViaLast": via}
    assert not allows(documents.table_policy(), "Scan", principal=PEOPLE[4], context=context)
    assert allows(documents.table_policy(), "Scan", principal=APPLICATIONS[0], context=context)


def test_a_service_in_its_own_name_is_let_through() -> None:
    scope = stack(app())
    table = table_v2(scope)
    service = tg.AwsService(service="glue.amazonaws.com", source_account=OWNER)
    tg.TableAccess(
        scope, "Access", table=table, table_grants=[tg.TableGrant(service, tg.Access.READ, reason="zero-ETL")]
    )
    tg.NoHumanAccess(scope, "NoPeople", table=table)
    policy = Documents.of(scope).table_policy()
    context = {"aws:SourceAccount": OWNER}
    assert allows(policy, "GetItem", principal="glue.amazonaws.com", context=context)


@pytest.mark.parametrize(
    ("person", "granted"),
    [
        (tg.User(account=PARTNER, name="ann"), f"arn:aws:iam::{PARTNER}:user/ann"),
        (tg.PermissionSet(account=PARTNER, name="Analyst"), sso("Analyst", PARTNER)),
        (tg.Account(PARTNER), f"arn:aws:iam::{PARTNER}:root"),
        (tg.Account(PARTNER), f"arn:aws:iam::{PARTNER}:user/eve"),
    ],
    ids=["a user", "a permission set", "a root user", "anybody of an account"],
)
def test_people_of_other_accounts_are_denied_what_a_grant_allows(person: tg.Principal, granted: str) -> None:
    scope = stack(app())
    table = table_v2(scope)
    tg.TableAccess(scope, "Access", table=table, table_grants=[tg.TableGrant(person, tg.Access.READ, reason="ADR-9")])
    open_ = Documents.of(scope).table_policy()
    scope = stack(app())
    table = table_v2(scope)
    tg.TableAccess(scope, "Access", table=table, table_grants=[tg.TableGrant(person, tg.Access.READ, reason="ADR-9")])
    tg.NoHumanAccess(scope, "NoPeople", table=table)
    closed = Documents.of(scope).table_policy()
    assert allows(open_, "GetItem", principal=granted)
    assert not allows(closed, "GetItem", principal=granted)


class TestGrantsToPeople:
    @staticmethod
    def warned(
        principal: Any, access: tg.Access = tg.Access.READ, *, first: bool = False, **restriction: Any
    ) -> list[str]:
        scope = stack(app())
        table = table_v2(scope)
        given = tg.TableGrant(principal(scope) if callable(principal) else principal, access, reason="ADR-9")
        if first:
            tg.NoHumanAccess(scope, "NoPeople", table=table, **restriction)
        tg.TableAccess(scope, "Access", table=table, table_grants=[given])
        if not first:
            tg.NoHumanAccess(scope, "NoPeople", table=table, **restriction)
        return [text for text in warnings(scope) if "tableguard:grant-to-people-denied" in text]

    @pytest.mark.parametrize("first", [False, True])
    @pytest.mark.parametrize(
        ("person", "label"),
        [
            (tg.User(account=PARTNER, name="ann"), f"user ann of {PARTNER}"),
            (tg.User(account=OWNER, name="ann", path="/on-call/"), f"user on-call/ann of {OWNER}"),
            (tg.PermissionSet(account=PARTNER, name="Analyst"), f"permission set Analyst of {PARTNER}"),
            (tg.FederatedUser(account=PARTNER, name="ann"), f"federated user ann of {PARTNER}"),
            (tg.Role(account=OWNER, name="saml-ops"), f"role saml-ops of {OWNER}"),
            (tg.Role(account=OWNER, name="FederatedOps"), f"role FederatedOps of {OWNER}"),
            (tg.RoleSession(account=OWNER, role="saml-ops", session="ann"), "session ann of role saml-ops"),
            (lambda scope: iam.User(scope, "Ann"), "Data/Ann"),
            (lambda scope: iam.User(scope, "Ann", user_name="ann"), "Data/Ann"),
        ],
    )
    def test_are_warned_of(self, person: Any, label: str, *, first: bool) -> None:
        (warning,) = self.warned(
            person,
            tg.Access.on_table("GetItem", "DescribeTable"),
            first=first,
            sign_in_roles=[tg.Role(account=OWNER, name="saml-ops"), RoleOfEveryAccount(name="Federated*")],
        )
        assert f"denies what the grant to {label}" in warning
        assert "GetItem" in warning
        assert "DescribeTable" not in warning
        assert "exceptions=[Exemption(" in warning

    @pytest.mark.parametrize(
        ("principal", "access"),
        [
            (tg.Role(account=PARTNER, name="reader"), tg.Access.READ),
            (tg.Role(account=PARTNER, name="saml-ops"), tg.Access.READ),
            (tg.RoleSession(account=PARTNER, role="reader", session="job"), tg.Access.READ),
            (tg.Account(PARTNER), tg.Access.READ),
            (tg.User(account=PARTNER, name="ann"), tg.Access.on_table("DescribeTable", "UpdateTable")),
            (lambda scope: iam.Role(scope, "App", assumed_by=iam.AccountRootPrincipal()), tg.Access.READ),
            (tg.AwsService(service="glue.amazonaws.com", source_account=OWNER), tg.Access.on_table("Scan")),
        ],
    )
    def test_those_that_work_are_not(self, principal: Any, access: tg.Access) -> None:
        assert self.warned(principal, access, sign_in_roles=[tg.Role(account=OWNER, name="saml-ops")]) == []

    @pytest.mark.parametrize(
        ("person", "access", "denied"),
        [
            (STEWARDS, tg.Access.on_table("GetItem", "Query"), ""),
            (STEWARDS, tg.Access.on_table("GetItem", "Scan"), "Scan"),
            (tg.PermissionSet(account=PARTNER, name="DataSteward"), tg.Access.on_table("GetItem"), "GetItem"),
        ],
    )
    def test_an_exception_lets_what_it_is_for(self, person: Any, access: tg.Access, denied: str) -> None:
        found = self.warned(person, access, exceptions=[ANSWERS])
        assert len(found) == bool(denied)
        assert all(f"({denied})" in text for text in found)


def test_grants_to_applications_stay_as_they_are() -> None:
    scope = stack(app())
    table = table_v2(scope)
    tg.NoHumanAccess(scope, "NoPeople", table=table)
    tg.TableAccess(scope, "Access", table=table, table_grants=[READER])
    policy = Documents.of(scope).table_policy()
    assert allows(policy, "GetItem", principal=role())
    assert not allows(policy, "PutItem", principal=role())


class TestExceptions:
    @pytest.mark.parametrize(
        ("person", "action", "allowed"),
        [
            (sso("DataSteward"), "GetItem", True),
            (sso("DataSteward"), "Query", True),
            (sso("DataSteward"), "Scan", False),
            (sso("DataSteward"), "PutItem", False),
            (sso("DataSteward"), "ExportTableToPointInTime", False),
            (sso("DataSteward"), "PutResourcePolicy", False),
            (sso("DataSteward", PARTNER), "GetItem", False),
            (sso("DataStewardAdmin"), "GetItem", False),
            (f"arn:aws:iam::{OWNER}:user/ann", "GetItem", False),
        ],
    )
    def test_are_for_one_principal_and_its_actions(self, person: str, action: str, allowed: bool) -> None:
        policy = restricted(exceptions=[ANSWERS]).table_policy()
        assert allows(policy, action, principal=person) is allowed

    def test_stand_in_the_metadata_with_their_reasons(self) -> None:
        stated = read(restricted(exceptions=[ANSWERS]).table["Metadata"][METADATA_KEY]).claims.people
        assert stated is not None
        (answers,) = stated.exemptions
        said = (answers.principal.principal, answers.actions, answers.reason)
        assert said == (ANSWERS.principal, ANSWERS.actions, ANSWERS.reason)

    @pytest.mark.parametrize(
        "exceptions",
        [
            [Exemption(principal=LambdaPoller(tg.Role(account=OWNER, name="f")),
                       actions=RestrictedActions.STREAM, reason="x")],
            [Exemption(principal=ServiceLinkedRole(account=OWNER, service="dax.amazonaws.com", name="Linked"),
                       actions=RestrictedActions.ITEMS, reason="x")],
            [STEWARDS],
            [ANSWERS, ANSWERS],
            ANSWERS,
        ],
        ids=["a poller", "a service-linked role", "no exemption", "one twice", "no list"],
    )  # fmt: skip
    def test_are_for_people(self, exceptions: Any) -> None:
        with pytest.raises(tg.InvalidInputError, match="NoHumanAccess"):
            restricted(exceptions=exceptions)


@pytest.mark.parametrize("roles", [["saml-ops"], [tg.Account(OWNER)], [STEWARDS]], ids=str)
def test_sign_in_roles_are_roles(roles: Any) -> None:
    with pytest.raises(tg.InvalidInputError, match="sign_in_role"):
        restricted(sign_in_roles=roles)


@pytest.mark.parametrize("kind", ANY_KIND)
def test_every_kind_of_table_can_be_restricted(kind: str) -> None:
    scope = stack(app())
    tg.NoHumanAccess(scope, "NoPeople", table=ANY_KIND[kind](scope))
    documents = Documents.of(scope)
    assert not allows(documents.table_policy(), "GetItem", principal=PEOPLE[1])
    assert allows(documents.table_policy(), "GetItem", principal=APPLICATIONS[0])
    assert documents.stream_policy() is None


def test_a_stream_that_is_turned_on_later_is_restricted() -> None:
    scope = stack(app())
    table = ANY_KIND["CfnTable"](scope)
    tg.NoHumanAccess(scope, "NoPeople", table=table)
    table.stream_specification = dynamodb.CfnTable.StreamSpecificationProperty(stream_view_type="NEW_IMAGE")
    policy = Documents.of(scope).stream_policy()
    assert not allows(policy, "GetRecords", principal=PEOPLE[1], resource=STREAM)


def test_replicas_are_restricted_once_they_are_deployed() -> None:
    def made(**more: Any) -> cdk.Stack:
        scope = stack(app())
        replicas = [dynamodb.ReplicaTableProps(region=REPLICA)]
        tg.NoHumanAccess(scope, "NoPeople", table=table_v2(scope, replicas=replicas), **more)
        return scope

    in_ireland = ORDERS.replace("us-east-1", REPLICA)
    first, second = made(), made(deployed_replicas=[REPLICA])
    assert any("this deployment does not deny people the replicas" in warning for warning in warnings(first))
    assert Documents.of(first).table_policy(REPLICA) is None
    policy = Documents.of(second).table_policy(REPLICA)
    assert not allows(policy, "GetItem", principal=PEOPLE[1], resource=in_ireland)
    assert allows(policy, "GetItem", principal=APPLICATIONS[0], resource=in_ireland)


def test_of_two_replicas_the_one_that_is_new_is_warned_of_and_the_other_is_restricted() -> None:
    scope = stack(app())
    replicas = [dynamodb.ReplicaTableProps(region=region) for region in (REPLICA, "us-west-2")]
    tg.NoHumanAccess(scope, "NoPeople", table=table_v2(scope, replicas=replicas), deployed_replicas=[REPLICA])
    (warning,) = [text for text in warnings(scope) if "tableguard:replica-open-to-people" in text]
    assert "this deployment does not deny people the replicas in us-west-2:" in warning
    assert "deployed_replicas=['us-west-2']" in warning
    documents = Documents.of(scope)
    assert documents.table["Metadata"]["tableguard"]["people"]["open_replicas"].keys() == {"us-west-2"}
    assert documents.table_policy("us-west-2") is None
    in_ireland = ORDERS.replace("us-east-1", REPLICA)
    assert not allows(documents.table_policy(REPLICA), "GetItem", principal=PEOPLE[1], resource=in_ireland)


def reviewed(scope: cdk.Stack) -> Review:
    assembly = scope.node.root.synth()  # type: ignore[attr-defined]
    stacks = read_assembly(Path(assembly.directory))
    return review(collect(stacks), stacks, today=dt.date(2026, 11, 21))


@pytest.mark.parametrize("how", ["before", "after", "deployed", "deployed later"])
def test_a_review_says_of_a_new_replica_that_it_is_open_and_finds_no_contradiction(how: str) -> None:
    scope = stack(app())
    replicas = [dynamodb.ReplicaTableProps(region=REPLICA)]
    table = table_v2(scope, replicas=[] if how == "after" else replicas)
    tg.NoHumanAccess(scope, "NoPeople", table=table, deployed_replicas=[REPLICA] if how == "deployed" else [])
    if how == "after":
        table.add_replica(region=REPLICA)
    if how == "deployed later":
        tg.TableAccess(scope, "Access", table=table, deployed_replicas=[REPLICA])
    found = reviewed(scope)
    assert [finding.message for finding in found.findings] == []
    open_because = {each.table.region: each.enclosure.open_because for each in found.tables}
    assert open_because[REGION] is None
    assert (open_because[REPLICA] is None) is how.startswith("deployed")
    people = {each.table.region: bool(each.enclosure.people) for each in found.tables}
    assert people == {REGION: True, REPLICA: how.startswith("deployed")}
    assert ("open     until its next deployment" in as_text(found)) is not how.startswith("deployed")


def test_the_same_restriction_twice_is_an_error() -> None:
    scope = stack(app())
    table = table_v2(scope)
    tg.NoHumanAccess(scope, "NoPeople", table=table)
    with pytest.raises(tg.InvalidInputError, match="one of each kind for a table"):
        tg.NoHumanAccess(scope, "Again", table=table)


def test_too_many_sign_in_roles_are_an_error_that_says_so() -> None:
    many = [tg.Role(account=OWNER, name=f"sign-in-role-with-a-long-name-{number:03}") for number in range(300)]
    with pytest.raises(tg.PolicyTooLargeError, match="the table policy of Data/Orders"):
        restricted(sign_in_roles=many)


@pytest.mark.parametrize(("name", "given"), [("deployed_replicas", REPLICA), ("limits", 20_480)])
def test_what_cannot_be_meant_is_refused(name: str, given: object) -> None:
    with pytest.raises(tg.InvalidInputError) as caught:
        restricted(**{name: given})
    assert caught.value.what == f"{name} of Data/NoPeople"


def test_a_table_without_replicas_is_warned_of_nothing() -> None:
    scope = stack(app())
    tg.NoHumanAccess(scope, "NoPeople", table=table_v2(scope))
    assert warnings(scope) == []


def test_an_imported_table_is_refused_with_the_commands_for_its_owner() -> None:
    scope = stack(app())
    with pytest.raises(tg.InvalidInputError) as caught:
        tg.NoHumanAccess(scope, "NoPeople", table=dynamodb.Table.from_table_arn(scope, "Imported", ORDERS))
    of_table, of_stream = (json.loads(shlex.split(line)[-1]) for line in caught.value.fix.splitlines()[1:])
    for policy, action, resource in ((of_table, "GetItem", ORDERS), (of_stream, "GetRecords", STREAM)):
        assert policy["Version"] == "2012-10-17"
        assert not allows(policy, action, principal=PEOPLE[1], resource=resource)
        assert allows(policy, action, principal=APPLICATIONS[0], resource=resource)
        assert not allows(policy, "PutResourcePolicy", principal=PEOPLE[1], resource=resource)


def test_an_imported_table_is_an_error() -> None:
    scope = stack(app())
    imported = dynamodb.Table.from_table_name(scope, "Imported", "orders")
    with pytest.raises(tg.InvalidInputError, match="imported"):
        tg.NoHumanAccess(scope, "NoPeople", table=imported)


def test_in_a_stack_of_no_account_people_of_every_account_are_denied() -> None:
    scope = cdk.Stack(app(), "Anywhere")
    tg.NoHumanAccess(scope, "NoPeople", table=table_v2(scope))
    policy = Documents(dict(cdk.assertions.Template.from_stack(scope).to_json())).table_policy()
    assert not allows(policy, "GetItem", principal=PEOPLE[1])
    assert allows(policy, "GetItem", principal=APPLICATIONS[0])


def test_without_the_restriction_people_read() -> None:
    scope = stack(app())
    table_v2(scope)
    identity: Mapping[str, object] = EVERYTHING
    assert all(allows(None, "GetItem", principal=person, identity=[identity]) for person in PEOPLE)


@pytest.mark.parametrize("how", ["least", "everything"])
def test_template(how: str, template_snapshots: SnapshotAssertion) -> None:
    scope = stack(app())
    least = how == "least"
    table = table_v2(scope, dynamo_stream=None if least else dynamodb.StreamViewType.NEW_IMAGE)
    roles = [tg.Role(account=OWNER, name="saml-ops")]
    tg.NoHumanAccess(
        scope,
        "NoPeople",
        table=table,
        sign_in_roles=[] if least else roles,
        exceptions=[] if least else [ANSWERS],
    )
    assert scope == template_snapshots
