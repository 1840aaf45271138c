"""What templates say, put together: tables, identities, restrictions, keys."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from tableguard.evaluation import Request
from tableguard.policy import Access, Role
from tableguard.review.assembly import SynthesizedStack
from tableguard.review.collect import collect
from tableguard.review.picture import Picture
from tableguard.review.unknown import UnknownKind
from tests.unit.review.support import (
    CONSUMER,
    KEY,
    LOCAL,
    OWNER,
    READER,
    REGION,
    TABLE,
    VENDOR,
    allow,
    claim,
    claiming,
    consumer,
    deny,
    document,
    picture,
    role,
    stack,
    table,
    to,
)


def unknown(found: Picture) -> list[str]:
    return [each.what for each in found.unknowns]


def managed(*statements: Any, **properties: Any) -> Any:
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document(*statements), **properties}}


def test_each_replica_of_a_global_table_is_a_table() -> None:
    policy = {"PolicyDocument": document(to(READER))}
    replicas = [{"Region": REGION, "ResourcePolicy": policy}, {"Region": "us-east-1"}]
    made = {"Type": "AWS::DynamoDB::GlobalTable", "Properties": {"TableName": "orders", "Replicas": replicas}}
    one, other = picture(stack(T=made)).tables
    assert (one.arn, one.policy is not None, one.has_stream) == (TABLE, True, True)
    assert (other.region, other.policy) == ("us-east-1", None)
    assert one.policy is not None
    assert one.policy.place is not None
    assert one.policy.place.path == "Resources/T/Properties/Replicas/0/ResourcePolicy/PolicyDocument"


def test_indexes_and_the_stream_are_found_with_their_policy() -> None:
    made = table(
        stream=[to(READER)], GlobalSecondaryIndexes=[{"IndexName": "a"}], LocalSecondaryIndexes=[{"IndexName": "b"}]
    )
    (found,) = picture(stack(T=made)).tables
    assert found.resources == (TABLE, f"{TABLE}/index/a", f"{TABLE}/index/b", f"{TABLE}/stream/{{Data.T}}")
    assert found.stream_policy is not None


def test_a_stream_has_one_placeholder_wherever_it_is_named() -> None:
    reader = role(allow("dynamodb:GetRecords", {"Fn::GetAtt": ["T", "StreamArn"]}))
    found = picture(stack(T=table(StreamSpecification={}), R=reader))
    (statement,) = found.identities[0].documents[0].source["Statement"]  # type: ignore[index]
    assert statement["Resource"] == found.tables[0].stream_arn


@pytest.mark.parametrize(
    ("stated", "resources"),
    [
        ({"Ref": "Key"}, {}),
        ({"Fn::GetAtt": ["Key", "Arn"]}, {}),
        ({"Fn::GetAtt": ["Key", "KeyId"]}, {}),
        ("alias/orders", {"A": {"AliasName": "alias/orders", "TargetKeyId": {"Ref": "Key"}}}),
        ({"Ref": "A"}, {"A": {"TargetKeyId": {"Fn::GetAtt": ["Key", "Arn"]}}}),
    ],
)
def test_a_table_finds_its_key_by_id_arn_or_alias(stated: Any, resources: Any) -> None:
    aliases = {name: {"Type": "AWS::KMS::Alias", "Properties": alias} for name, alias in resources.items()}
    made = table(SSESpecification={"SSEEnabled": True, "KMSMasterKeyId": stated})
    made_too: Any = {"T": made, "Key": {"Type": "AWS::KMS::Key"}, **aliases}
    found = picture(stack(template={"Resources": made_too}))
    assert (found.tables[0].key_arn, found.tables[0].aws_managed_key) == (KEY, False)
    assert found.key(KEY) is not None


def test_a_table_with_the_key_that_aws_manages_says_so() -> None:
    (found,) = picture(stack(T=table(SSESpecification={"SSEEnabled": True}))).tables
    assert (found.key_arn, found.aws_managed_key) == (None, True)


def test_a_key_that_cannot_be_resolved_is_named_as_unknown() -> None:
    found = picture(stack(T=table(SSESpecification={"KMSMasterKeyId": {"Fn::ImportValue": "x"}})))
    assert unknown(found) == ["the key of the table is known at deployment only"]


def documents_of(found: Picture, arn: str = READER) -> int:
    identity = found.identity_of(arn)
    assert identity is not None
    return len(identity.documents)


@pytest.mark.parametrize(
    "resources",
    [
        {"R": role(allow())},
        {
            "R": role(),
            "P": {
                "Type": "AWS::IAM::Policy",
                "Properties": {"PolicyDocument": document(allow()), "Roles": [{"Ref": "R"}]},
            },
        },
        {
            "R": role(),
            "P": {
                "Type": "AWS::IAM::RolePolicy",
                "Properties": {"PolicyDocument": document(allow()), "RoleName": "reader"},
            },
        },
        {"R": role(ManagedPolicyArns=[{"Ref": "P"}]), "P": managed(allow())},
        {"R": role(), "P": managed(allow(), Roles=[{"Ref": "R"}])},
        {"P": managed(allow(), Roles=["reader"])},
        {"R": role(ManagedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"])},
    ],
    ids=["inline", "policy", "role policy", "managed", "managed attaches", "role made elsewhere", "administrator"],
)
def test_policies_are_attached_in_every_way(resources: Any) -> None:
    found = picture(consumer(**resources))
    assert documents_of(found) == 1
    identity = found.identity_of(READER)
    assert identity is not None
    assert identity.in_assembly is ("R" in resources)


def test_a_user_has_the_policies_of_its_groups() -> None:
    group = {
        "Type": "AWS::IAM::Group",
        "Properties": {"GroupName": "g", "Policies": [{"PolicyDocument": document(allow())}]},
    }
    user = {"Type": "AWS::IAM::User", "Properties": {"UserName": "u", "Groups": [{"Ref": "G"}, "elsewhere"]}}
    later = {"Type": "AWS::IAM::UserToGroupAddition", "Properties": {"GroupName": "g", "Users": ["v"]}}
    found = picture(consumer(G=group, U=user, A=later))
    assert documents_of(found, f"arn:aws:iam::{CONSUMER}:user/u") == 1
    assert documents_of(found, f"arn:aws:iam::{CONSUMER}:user/v") == 1
    assert [identity.unread for identity in found.identities] == [
        ("group elsewhere",),
        ("a policy attached elsewhere",),
    ]


def test_a_policy_that_aws_manages_is_not_read() -> None:
    arn = "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess"
    (identity,) = picture(consumer(R=role(ManagedPolicyArns=[arn]))).identities
    assert (identity.documents, identity.unread) == ((), (arn,))


def test_a_boundary_is_read_and_one_that_cannot_be_is_unknown() -> None:
    boundary = managed(allow("s3:*", "*"))
    (one, other) = picture(
        consumer(B=boundary, R=role(PermissionsBoundary={"Ref": "B"})),
        stack(L=role(name="local", PermissionsBoundary="arn:aws:iam::aws:policy/PowerUserAccess")),
    ).identities
    assert one.boundary[0].source == document(allow("s3:*", "*"))
    assert other.boundary[0].source is None


def test_a_role_is_found_by_its_session_and_by_its_name_where_only_that_is_known() -> None:
    found = picture(consumer(R=role(name="made", Path="/team/"), P=managed(allow(), Roles=["attached"])))
    made = found.identity_of(f"arn:aws:sts::{CONSUMER}:assumed-role/made/session")
    attached = found.identity_of(f"arn:aws:iam::{CONSUMER}:role/some/path/attached")
    assert made is not None
    assert made.arn.endswith("role/team/made")
    assert attached is not None
    assert found.identity_of(f"arn:aws:iam::{CONSUMER}:role/other/made") is None


def test_endpoints_for_dynamodb_are_found_with_their_vpc() -> None:
    service = {"Fn::Join": ["", ["com.amazonaws.", {"Ref": "AWS::Region"}, ".dynamodb"]]}
    made = {"Type": "AWS::EC2::VPCEndpoint", "Properties": {"ServiceName": service, "VpcId": {"Ref": "V"}}}
    s3 = {"Type": "AWS::EC2::VPCEndpoint", "Properties": {"ServiceName": "com.amazonaws.eu-west-1.s3"}}
    (found,) = picture(stack(E=made, S=s3, V={"Type": "AWS::EC2::VPC"})).endpoints
    assert (found.endpoint_id, found.vpc_id, found.policy) == ("{Data.E}", "{Data.V}", None)


def control(target: Any, kind: str = "SERVICE_CONTROL_POLICY") -> Any:
    policy = {
        "Type": kind,
        "TargetIds": [target],
        "Content": document(deny(Principal="*") if "RES" in kind else deny()),
    }
    return {"Type": "AWS::Organizations::Policy", "Properties": policy}


MANAGEMENT = "123412341234"


@pytest.mark.parametrize(
    ("target", "principal", "binds"),
    [
        (CONSUMER, READER, True),
        (VENDOR, READER, False),
        ("r-ab12", READER, True),
        ({"Fn::GetAtt": ["Org", "RootId"]}, READER, True),
        # An account outside the assembly may be outside the organization, too.
        ("r-ab12", f"arn:aws:iam::{VENDOR}:role/x", False),
        # The account that deploys policies may be the management account, which none of them binds.
        ("r-ab12", f"arn:aws:iam::{MANAGEMENT}:role/x", False),
        ("ou-ab12-12345678", READER, False),
    ],
)
def test_organization_policies_bind_whom_they_bind_for_certain(target: Any, principal: str, binds: bool) -> None:
    organization = {"Type": "AWS::Organizations::Organization"}
    found = picture(stack("Org", MANAGEMENT, P=control(target), Org=organization), stack(T=table()), consumer())
    policies = found.policies_for(Request(principal=principal, action="dynamodb:GetItem", resource=TABLE))
    assert bool(policies.service_control) is binds


def test_a_resource_control_policy_binds_the_account_of_the_resource() -> None:
    found = picture(stack("Org", MANAGEMENT, P=control("r-ab12", "RESOURCE_CONTROL_POLICY")), stack(T=table()))
    request = Request(principal=f"arn:aws:iam::{VENDOR}:role/x", action="dynamodb:GetItem", resource=TABLE)
    assert len(found.policies_for(request).resource_control) == 1


def test_targets_of_unknown_extent_are_named() -> None:
    found = picture(stack("Org", MANAGEMENT, P=control("ou-ab12-12345678")))
    assert unknown(found) == ["which accounts are in ou-ab12-12345678 is known at deployment only"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([{"Fn::ImportValue": "Nope"}], "Fn::ImportValue Nope"),
        ([{"Ref": "P"}, {"Ref": "P"}, {"Fn::GetAtt": ["X", "Arn"]}], 'Ref P, Fn::GetAtt ["X", "Arn"]'),
        ([{"Ref": "P"}, {"Ref": "Q"}, {"Ref": "S"}], "Ref P, Ref Q, 1 more"),
        (["{{resolve:ssm:/table}}"], "{{resolve:ssm:/table}}"),
        ([{"Fn::ImportValue": "x" * 200}], f"Fn::ImportValue {'x' * 64}…"),
    ],
)
def test_a_value_that_is_not_known_is_named(values: list[Any], said: str) -> None:
    found = picture(stack(R=role(allow(resource=values))))
    assert unknown(found) == [f"a value in a policy ({said}) is known at deployment only"]


def test_a_policy_behind_a_condition_is_not_lost() -> None:
    either: Any = {"Fn::If": ["C", {"PolicyDocument": document(to(READER))}, {"Ref": "AWS::NoValue"}]}
    conditions = {"C": {"Fn::Equals": ["a", "a"]}}
    (known,) = picture(stack(T=table(ResourcePolicy=either), template={"Conditions": conditions})).tables
    assert known.policy is not None
    assert known.policy.source == document(to(READER))
    depends = {"C": {"Fn::Equals": [{"Ref": "P"}, "a"]}}
    found = picture(stack(T=table(ResourcePolicy=either), template={"Conditions": depends}))
    assert found.tables[0].policy is not None
    assert unknown(found) == ["ResourcePolicy is known at deployment only"]


@pytest.mark.parametrize(("one", "tables"), [("b", 0), ("a", 1), ({"Ref": "P"}, 1)])
def test_a_resource_whose_condition_is_false_is_left_out(one: Any, tables: int) -> None:
    made = {**table(), "Condition": "C"}
    found = picture(stack(T=made, template={"Conditions": {"C": {"Fn::Equals": [one, "a"]}}}))
    assert len(found.tables) == tables
    assert bool(found.unknowns) is (one not in ("a", "b"))


@pytest.mark.parametrize(
    ("made", "named"),
    [
        (stack(account=None, T=table()), "the stack has no account or region"),
        (stack(template={"Transform": "AWS::Serverless-2016-10-31"}), "a macro changes the template"),
        (
            SynthesizedStack("Data", OWNER, REGION, {"Resources": {"Fn::ForEach::Tables": []}}),
            "resources that are made when it is deployed",
        ),
        (stack(N={"Type": "AWS::CloudFormation::Stack"}), "the template of a nested stack is not in the assembly"),
        (stack(P=managed(allow(), Roles=[{"Ref": "Nobody"}])), "an entry of Roles"),
        (stack(T=table(allow(Principal={"AWS": {"Ref": "Nobody"}}))), "a value in a policy"),
        (stack(R=role(Path={"Ref": "Nobody"})), "the path of a role"),
        (
            stack(T={"Type": "AWS::DynamoDB::GlobalTable", "Properties": {"Replicas": {"Ref": "X"}}}),
            "the list of its replicas",
        ),
    ],
)
def test_what_is_unknown_is_named(made: SynthesizedStack, named: str) -> None:
    assert any(each.startswith(named) for each in unknown(collect([made])))


def test_an_unknown_value_in_a_statement_about_other_services_is_nobodys_concern() -> None:
    statement = {"Effect": "Allow", "Action": ["s3:GetObject", "logs:*"], "Resource": {"Ref": "Nobody"}}
    assert unknown(picture(stack(R=role(statement)))) == []


def test_metadata_of_tables_and_of_consumers_policies_is_kept() -> None:
    said = claim(Role(account=OWNER, name="local"), Access.on_table("GetItem"), reason="why")
    policy = {**managed(allow(), Roles=["local"]), **claiming(table=TABLE, grants=[said])}
    found = picture(stack(T=table(metadata=[said, "nonsense"]), P=policy))
    (stated,) = found.tables[0].stated_grants
    assert (stated.grant.principal.principal, stated.grant.reason) == (Role(account=OWNER, name="local"), "why")
    assert [(each.kind, each.about) for each in found.unknowns] == [(UnknownKind.METADATA, ("grants/1 is no object",))]
    identity = found.identity_of(LOCAL)
    assert identity is not None
    assert [stated.table for stated in identity.stated_grants] == [TABLE]


TYPES = st.sampled_from(
    [
        "AWS::DynamoDB::Table",
        "AWS::DynamoDB::GlobalTable",
        "AWS::IAM::Role",
        "AWS::IAM::User",
        "AWS::IAM::Policy",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Group",
        "AWS::KMS::Key",
        "AWS::KMS::Alias",
        "AWS::EC2::VPCEndpoint",
        "AWS::Organizations::Policy",
        "AWS::IAM::UserToGroupAddition",
        "AWS::CloudFormation::Stack",
    ]
)
KEYS = st.sampled_from(
    [
        "TableName",
        "ResourcePolicy",
        "PolicyDocument",
        "Replicas",
        "Region",
        "StreamSpecification",
        "SSESpecification",
        "KMSMasterKeyId",
        "Policies",
        "Roles",
        "Users",
        "Groups",
        "Path",
        "Content",
        "TargetIds",
        "ManagedPolicyArns",
        "PermissionsBoundary",
        "Statement",
        "ServiceName",
        "Ref",
        "GlobalSecondaryIndexes",
        "IndexName",
        "RoleName",
        "GroupName",
        "Fn::If",
        "TargetKeyId",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "x", "A", "AWS::NoValue", "*"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=15,
)


@given(
    st.dictionaries(
        st.sampled_from(["A", "B"]),
        st.fixed_dictionaries(
            {"Type": TYPES}, optional={"Properties": VALUES, "Metadata": VALUES, "Condition": VALUES}
        ),
    )
)
def test_no_template_makes_collecting_fail(resources: Any) -> None:
    found = collect([SynthesizedStack("S", OWNER, REGION, {"Resources": resources})])
    assert found.accounts == (OWNER,)
