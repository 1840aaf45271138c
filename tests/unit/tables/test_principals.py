"""CDK principals at the border: what they become, and where their access is written."""

from collections.abc import Callable, Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam, aws_lambda as lambda_
from aws_cdk.assertions import Annotations, Match, Template

import tableguard as tg
from tests.unit.tables.support import (
    LAMBDA,
    OWNER,
    PARTNER,
    PK,
    READER,
    VENDOR,
    Documents,
    allowed,
    app,
    consumer_stack,
    decides,
    denied,
    role,
    stack,
    strings,
    table_v2,
    warnings,
)

ORGANIZATION = "o-a1b2c3d4e5"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": True}}

# principal, who gets in (with which context), who stays out
OUTSIDE: Mapping[str, tuple[Callable[[], iam.IPrincipal], tuple[str, dict[str, Any]], tuple[str, dict[str, Any]]]] = {
    "an account": (lambda: iam.AccountPrincipal(PARTNER), (role(), {}), (role(account=VENDOR), {})),
    "an account by its number": (lambda: iam.ArnPrincipal(PARTNER), (role(), {}), (role(account=VENDOR), {})),
    "a role by its ARN": (lambda: iam.ArnPrincipal(role("app/etl")), (role("app/etl"), {}), (role("etl"), {})),
    "an account by its root's ARN": (
        lambda: iam.ArnPrincipal(f"arn:aws:iam::{PARTNER}:root"),
        (role(), {}),
        (role(account=VENDOR), {}),
    ),
    "a user by its ARN": (
        lambda: iam.ArnPrincipal(f"arn:aws:iam::{PARTNER}:user/people/foo"),
        (f"arn:aws:iam::{PARTNER}:user/people/foo", {}),
        (f"arn:aws:iam::{PARTNER}:user/people/foobar", {}),
    ),
    "a session by its ARN": (
        lambda: iam.ArnPrincipal(f"arn:aws:sts::{PARTNER}:assumed-role/reader/alice"),
        (f"arn:aws:sts::{PARTNER}:assumed-role/reader/alice", {}),
        (f"arn:aws:sts::{PARTNER}:assumed-role/reader/bob", {}),
    ),
    "a federated user by its ARN": (
        lambda: iam.ArnPrincipal(f"arn:aws:sts::{PARTNER}:federated-user/alice"),
        (f"arn:aws:sts::{PARTNER}:federated-user/alice", {}),
        (f"arn:aws:sts::{PARTNER}:federated-user/bob", {}),
    ),
    "an organization": (
        lambda: iam.OrganizationPrincipal(ORGANIZATION),
        (role(), {"aws:PrincipalOrgID": ORGANIZATION}),
        (role(), {"aws:PrincipalOrgID": "o-9999999999"}),
    ),
    "an organization with a condition": (
        lambda: iam.OrganizationPrincipal(ORGANIZATION).with_conditions(MFA),
        (role(), {"aws:PrincipalOrgID": ORGANIZATION, "aws:MultiFactorAuthPresent": "true"}),
        (role(), {"aws:PrincipalOrgID": ORGANIZATION}),
    ),
    "a condition that is a boolean": (
        lambda: iam.AccountPrincipal(PARTNER).with_conditions(MFA),
        (role(), {"aws:MultiFactorAuthPresent": "true"}),
        (role(), {"aws:MultiFactorAuthPresent": "false"}),
    ),
    "a condition that is a number": (
        lambda: iam.AccountPrincipal(PARTNER).with_conditions(
            {"NumericLessThan": {"aws:MultiFactorAuthAge": 3600}, "StringLike": {"aws:PrincipalTag/team": ["a*", "b"]}}
        ),
        (role(), {"aws:MultiFactorAuthAge": "10", "aws:PrincipalTag/team": "alfa"}),
        (role(), {"aws:MultiFactorAuthAge": "3601", "aws:PrincipalTag/team": "alfa"}),
    ),
    "the second of a composite": (
        lambda: iam.CompositePrincipal(iam.AccountPrincipal(VENDOR), iam.ArnPrincipal(role())),
        (role(), {}),
        (role("other"), {}),
    ),
    "the first of a composite": (
        lambda: iam.CompositePrincipal(iam.AccountPrincipal(VENDOR), iam.ArnPrincipal(role())),
        (role("other", VENDOR), {}),
        (role("other"), {}),
    ),
}


@pytest.mark.parametrize("kind", OUTSIDE)
def test_a_principal_of_another_account_gets_in_by_the_tables_policy(kind: str) -> None:
    make, (inside, context), (outside, other_context) = OUTSIDE[kind]
    data = stack()
    grant = tg.TableGrant(make(), tg.Access.on_table("GetItem"), reason="ADR-7")
    tg.TableAccess(data, "Access", table=table_v2(data), table_grants=[grant])

    documents = Documents.of(data)
    policy = documents.table_policy()
    allowed(policy, "GetItem", principal=inside, context=context)
    denied(policy, "GetItem", principal=outside, context=other_context)
    assert documents.identity_policies == []


def test_a_boolean_is_written_as_iam_writes_it() -> None:
    data = stack()
    grant = tg.TableGrant(iam.AccountPrincipal(PARTNER).with_conditions(MFA), tg.Access.READ, reason="ADR-7")
    tg.TableAccess(data, "Access", table=table_v2(data), table_grants=[grant])

    (statement,) = (Documents.of(data).table_policy() or {})["Statement"]
    assert statement["Condition"] == {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def test_conditions_of_the_principal_and_of_the_grant_hold_together() -> None:
    data = stack()
    principal = iam.AccountPrincipal(PARTNER).with_conditions(MFA)
    grant = tg.TableGrant(principal, tg.Access.READ, reason="ADR-7", conditions=[tg.FromNetwork("192.0.2.0/24")])
    tg.TableAccess(data, "Access", table=table_v2(data), table_grants=[grant])

    for mfa, address, expected in (
        ("true", "192.0.2.1", True),
        ("false", "192.0.2.1", False),
        ("true", "198.51.100.1", False),
    ):
        context = {"aws:MultiFactorAuthPresent": mfa, "aws:SourceIp": address}
        decides(expected, data, "GetItem", context=context)


def test_a_role_of_this_app_in_another_account_is_known_by_its_name_and_path() -> None:
    root = app()
    data, other = stack(root), consumer_stack(root)
    reader = iam.Role(other, "Role", role_name="reader", path="/etl/", assumed_by=LAMBDA)
    tg.TableAccess(
        data, "Access", table=table_v2(data), table_grants=[tg.TableGrant(reader, tg.Access.READ, reason="ADR-7")]
    )

    # Its own side is left to its stack, which has no policy of ours.
    by_the_table = Template.from_stack(data)
    allowed(by_the_table, "GetItem", principal=role("etl/reader"))
    denied(by_the_table, "GetItem", principal=role("reader"))
    denied(data, "GetItem", principal=reader)
    assert not {"Fn::GetStackOutput", "Fn::ImportValue"} & set(strings(Documents.of(data).template))
    assert Documents.of(other).identity_policies == []


def test_a_function_is_as_good_as_its_role() -> None:
    data = stack()
    function = lambda_.Function(
        data,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("def handler(event, context): pass"),
    )
    tg.TableAccess(data, "Access", table=table_v2(data), table_grants=[tg.TableGrant(function, tg.Access.READ)])

    allowed(data, "GetItem", principal=function)
    denied(data, "PutItem", principal=function)


INSIDE: Mapping[str, Callable[[Any], iam.IGrantable]] = {
    "role": lambda scope: iam.Role(scope, "Grantee", assumed_by=LAMBDA),
    "user": lambda scope: iam.User(scope, "Grantee"),
    "group": lambda scope: iam.Group(scope, "Grantee"),
    "imported role": lambda scope: iam.Role.from_role_arn(scope, "Grantee", role("x", OWNER)),
    "imported role by name": lambda scope: iam.Role.from_role_name(scope, "Grantee", "x"),
    "imported user": lambda scope: iam.User.from_user_name(scope, "Grantee", "x"),
    "imported group": lambda scope: iam.Group.from_group_name(scope, "Grantee", "x"),
    "role with a condition": lambda scope: iam.PrincipalWithConditions(
        iam.Role(scope, "Grantee", assumed_by=LAMBDA), MFA
    ),
}


@pytest.mark.parametrize("kind", INSIDE)
@pytest.mark.parametrize("where", ["same stack", "other stack"])
@pytest.mark.parametrize("name", ["orders", None], ids=["named", "unnamed"])
def test_inside_the_account_the_identity_policy_grants_and_the_tables_policy_is_silent(
    kind: str, where: str, name: str | None
) -> None:
    root = app()
    data = stack(root)
    home = data if where == "same stack" else stack(root, "Other")
    grant = tg.TableGrant(INSIDE[kind](home), tg.Access.READ)
    tg.TableAccess(data, "Access", table=table_v2(data, name=name), table_grants=[grant])

    documents = Documents.of(home)
    context = {"aws:MultiFactorAuthPresent": "true"} if "condition" in kind else {}
    (policy,) = documents.identity_policies
    if name is not None:
        grantee = role("anybody", OWNER)
        allowed(None, "GetItem", principal=grantee, identity=[policy], context=context)
        denied(None, "PutItem", principal=grantee, identity=[policy], context=context)
        decides("condition" not in kind, None, "GetItem", principal=grantee, identity=[policy])
    assert Documents.of(data).table_policy() is None
    assert warnings(data) == []


def test_a_stack_without_an_env_can_grant_to_its_own_roles() -> None:
    data = cdk.Stack(app(), "Data")
    grant = tg.TableGrant(iam.Role(data, "Grantee", assumed_by=LAMBDA), tg.Access.READ)
    tg.TableAccess(data, "Access", table=table_v2(data, name=None), table_grants=[grant])

    template = Template.from_stack(data)
    template.has_resource_properties("AWS::DynamoDB::GlobalTable", {"Replicas": [{"ResourcePolicy": Match.absent()}]})
    arn = ["arn:", {"Ref": "AWS::Partition"}, ":dynamodb:", {"Ref": "AWS::Region"}, ":", {"Ref": "AWS::AccountId"}]
    table = {"Fn::Join": ["", Match.array_with([*arn, ":table/", {"Ref": Match.any_value()}])]}
    statement = Match.object_like({"Action": Match.array_with(["dynamodb:GetItem"]), "Resource": table})
    template.has_resource_properties(
        "AWS::IAM::Policy", {"PolicyDocument": Match.object_like({"Statement": Match.array_with([statement])})}
    )


def test_name_principal_names_the_role_in_the_tables_policy_as_well() -> None:
    data = stack()
    inside = iam.Role(data, "Role", assumed_by=LAMBDA)
    grant = tg.TableGrant(inside, tg.Access.on_table("GetItem"), name_principal=True)
    tg.TableAccess(data, "Access", table=table_v2(data), table_grants=[grant])

    documents = Documents.of(data)
    (statement,) = (documents.table_policy() or {})["Statement"]
    assert statement["Principal"]["AWS"].endswith(".Arn>")
    assert "Condition" not in statement
    assert len(documents.identity_policies) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda scope: iam.ArnPrincipal(role("x", OWNER)),
        lambda scope: iam.Role.from_role_arn(scope, "Imported", role("x", OWNER), mutable=False),
        lambda scope: iam.CompositePrincipal(
            iam.ArnPrincipal(role("y", OWNER)), iam.Role.from_role_arn(scope, "Imported", role("x", OWNER))
        ),
    ],
    ids=["an ARN", "an immutable role", "a composite"],
)
def test_name_principal_serves_principals_that_no_identity_policy_can_be_attached_to(
    make: Callable[[Any], iam.IGrantable],
) -> None:
    data = stack()
    grant = tg.TableGrant(make(data), tg.Access.on_table("GetItem"), name_principal=True)
    tg.TableAccess(data, "Access", table=table_v2(data), table_grants=[grant])

    allowed(data, "GetItem", principal=role("x", OWNER), identity=[])
    denied(data, "GetItem", principal=role("z", OWNER), identity=[])


def test_name_principal_serves_a_composite_of_roles_of_this_app() -> None:
    data = stack()
    roles = [iam.Role(data, f"Role{number}", assumed_by=LAMBDA) for number in range(2)]
    grant = tg.TableGrant(iam.CompositePrincipal(*roles), tg.Access.on_table("GetItem"), name_principal=True)
    tg.TableAccess(data, "Access", table=table_v2(data), table_grants=[grant])

    other = iam.Role(data, "Other", assumed_by=LAMBDA)
    for one in roles:
        allowed(data, "GetItem", principal=one)
        denied(data, "PutItem", principal=one)
    denied(data, "GetItem", principal=other)


def test_a_role_of_the_account_that_is_only_named_gets_a_hint_where_its_access_is_written() -> None:
    data = stack()
    batch = tg.TableGrant(tg.Role(account=OWNER, name="batch"), tg.Access.READ)
    tg.TableAccess(data, "Access", table=table_v2(data), table_grants=[batch])

    (info,) = Annotations.from_stack(data).find_info("*", Match.any_value())
    assert "role batch of 444455556666 is in the table's own account" in str(info.entry.data)
    assert Documents.of(data).table_policy() is None


def test_a_session_of_the_account_is_named_in_the_tables_policy_without_a_hint() -> None:
    data = stack()
    alice = tg.TableGrant(tg.RoleSession(account=OWNER, role="admin", session="alice"), tg.Access.on_table("GetItem"))
    tg.TableAccess(data, "Access", table=table_v2(data), table_grants=[alice])

    session = f"arn:aws:sts::{OWNER}:assumed-role/admin/"
    allowed(data, "GetItem", principal=f"{session}alice", identity=[])
    denied(data, "GetItem", principal=f"{session}bob", identity=[])
    assert Annotations.from_stack(data).find_info("*", Match.any_value()) == []


def test_an_arn_with_a_token_in_its_name_belongs_to_the_account_that_it_says() -> None:
    data = stack()
    name = cdk.CfnParameter(data, "Name").value_as_string
    grant = tg.TableGrant(iam.ArnPrincipal(f"arn:aws:iam::{PARTNER}:role/{name}"), tg.Access.READ, reason="x")
    tg.TableAccess(data, "Access", table=table_v2(data), table_grants=[grant])

    (statement,) = (Documents.of(data).table_policy() or {})["Statement"]
    assert statement["Principal"] == {"AWS": PARTNER}
    assert str(statement["Condition"]["ArnEquals"]["aws:PrincipalArn"]).startswith(f"arn:aws:iam::{PARTNER}:role/")


def test_a_named_role_of_another_stack_is_named_without_a_reference() -> None:
    root = app(**{"@aws-cdk/core:defaultCrossStackReferences": "weak"})
    data, other = stack(root), stack(root, "Other")
    grantee = iam.Role(other, "Grantee", role_name="etl", path="/app/", assumed_by=LAMBDA)
    grant = tg.TableGrant(grantee, tg.Access.READ, name_principal=True)
    tg.TableAccess(data, "Access", table=table_v2(data), table_grants=[grant])

    (statement,) = (Documents.of(data).table_policy() or {})["Statement"]
    assert statement["Principal"] == {"AWS": role("app/etl", OWNER)}
    assert "GetStackOutput" not in str(Documents.of(data).template) + str(Documents.of(other).template)


def test_a_refused_grant_leaves_no_identity_policy_of_another_one_behind() -> None:
    data = stack()
    access = tg.TableAccess(data, "Access", table=table_v2(data))
    fine = tg.TableGrant(iam.Role(data, "Grantee", assumed_by=LAMBDA), tg.Access.READ)
    with pytest.raises(tg.InvalidInputError):
        access.grant(fine, tg.TableGrant(iam.ArnPrincipal(role("x", OWNER)), tg.Access.READ))

    assert access.table_grants == ()
    assert Documents.of(data).identity_policies == []


def test_a_cross_account_table_is_as_good_as_the_table_in_it() -> None:
    data = stack()
    orders = tg.CrossAccountTable(data, "Orders", table_name="orders", partition_key=PK)
    tg.TableAccess(data, "Access", table=orders, table_grants=[READER])  # type: ignore[arg-type]

    allowed(data, "GetItem")
    assert warnings(data) == []
