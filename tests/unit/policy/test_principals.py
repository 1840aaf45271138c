"""Who is granted access: whom the rendered policies admit, and whom they keep out."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tableguard.evaluation import ContextValue
from tableguard.policy import (
    Access,
    Account,
    AwsService,
    FederatedUser,
    Organization,
    OrganizationalUnit,
    PermissionSet,
    Principal,
    Role,
    RoleSession,
    TableGrant,
    TableReference,
    User,
)
from tableguard.policy.principals import ArnIdentity
from tests.unit.policy.support import (
    ORDERS,
    OWNER,
    PARTNER,
    STRANGER,
    TOKEN,
    Refusal,
    assert_refused,
    by_key_policy,
    by_resource_side,
    encryption_context,
    role,
    user,
)

ORGANIZATION = "o-a1b2c3d4e5"
UNIT = f"{ORGANIZATION}/r-ab12/ou-ab12-11111111/"
RESERVED = "/aws-reserved/sso.amazonaws.com/"
SUFFIX = "0123456789abcdef"

READER = Role(account=PARTNER, name="reader")
IN_TEAM = Role(account=PARTNER, name="reader", path="/team/")
FOO = User(account=PARTNER, name="foo")
SESSION = RoleSession(account=PARTNER, role="reader", session="nightly")
FEDERATED = FederatedUser(account=PARTNER, name="bob")
DATA = PermissionSet(account=PARTNER, name="Data")
MEMBERS = Organization(ORGANIZATION)
UNIT_MEMBERS = OrganizationalUnit(UNIT)
ROOT = f"arn:aws:iam::{PARTNER}:root"


def session(name: str, of: str = "reader", account: str = PARTNER) -> str:
    return f"arn:aws:sts::{account}:assumed-role/{of}/{name}"


def member(organization: str = ORGANIZATION, path: str = UNIT) -> dict[str, ContextValue]:
    return {"aws:PrincipalOrgID": organization, "aws:PrincipalOrgPaths": [path]}


def permission_set(name: str, *, region: str = "eu-west-1/", account: str = PARTNER, suffix: str = SUFFIX) -> str:
    return role(f"AWSReservedSSO_{name}_{suffix}", account, f"{RESERVED}{region}")


# A principal, whether it is named itself, a caller, what the caller's request carries, and the decision.
Row = tuple[Principal, bool, str, Mapping[str, ContextValue], bool]


def identities(named: bool) -> list[Row]:
    return [
        (READER, named, role(), {}, True),
        (READER, named, session("any"), {"aws:PrincipalArn": role()}, True),
        (READER, named, role("reader2"), {}, False),
        (READER, named, role("Reader"), {}, False),
        (READER, named, role("writer"), {}, False),
        (READER, named, role(path="/team/"), {}, False),
        (READER, named, role(account=STRANGER), {}, False),
        (READER, named, user("reader"), {}, False),
        (READER, named, session("reader", of="writer"), {"aws:PrincipalArn": role("writer")}, False),
        (READER, named, ROOT, {}, False),
        (READER, named, f"arn:aws-cn:iam::{PARTNER}:role/reader", {}, False),
        (IN_TEAM, named, role(path="/team/"), {}, True),
        (IN_TEAM, named, role(), {}, False),
        (IN_TEAM, named, role(path="/team/alfa/"), {}, False),
        (FOO, named, user(), {}, True),
        (FOO, named, user("foobar"), {}, False),
        (FOO, named, user(path="/team/"), {}, False),
        (FOO, named, role("foo"), {}, False),
        (FOO, named, user(account=STRANGER), {}, False),
    ]


CALLERS: list[Row] = [
    (Account(PARTNER), False, role(), {}, True),
    (Account(PARTNER), False, user(), {}, True),
    (Account(PARTNER), False, ROOT, {}, True),
    (Account(PARTNER), False, role(account=STRANGER), {}, False),
    (Account(PARTNER), False, "redshift.amazonaws.com", {"aws:SourceAccount": PARTNER}, False),
    *identities(named=False),
    *identities(named=True),
    (User(account=PARTNER, name="foo", path="/team/"), False, user(path="/team/"), {}, True),
    (SESSION, False, session("nightly"), {"aws:PrincipalArn": role()}, True),
    (SESSION, False, session("weekly"), {"aws:PrincipalArn": role()}, False),
    (SESSION, False, session("nightly", of="writer"), {"aws:PrincipalArn": role("writer")}, False),
    (SESSION, False, session("nightly", account=STRANGER), {"aws:PrincipalArn": role(account=STRANGER)}, False),
    (FEDERATED, False, f"arn:aws:sts::{PARTNER}:federated-user/bob", {}, True),
    (FEDERATED, False, f"arn:aws:sts::{PARTNER}:federated-user/alice", {}, False),
    (FEDERATED, False, f"arn:aws:sts::{STRANGER}:federated-user/bob", {}, False),
    (FEDERATED, False, user("bob"), {}, False),
    (DATA, False, permission_set("Data"), {}, True),
    (DATA, False, permission_set("Data", region=""), {}, True),
    (DATA, False, permission_set("Data", suffix="fedcba9876543210"), {}, True),
    (DATA, False, permission_set("Data_Admin"), {}, False),
    (DATA, False, permission_set("Data_Admin", region=""), {}, False),
    (DATA, False, permission_set("MyData"), {}, False),
    (DATA, False, permission_set("Data", account=STRANGER), {}, False),
    (DATA, False, permission_set("Data", suffix="0123"), {}, False),
    # somebody who may create roles, but not under the reserved path
    (DATA, False, role(f"AWSReservedSSO_Data_{SUFFIX}"), {}, False),
    (DATA, False, role(f"AWSReservedSSO_Data_{SUFFIX}", path="/sso.amazonaws.com/"), {}, False),
    (MEMBERS, False, role(), member(), True),
    (MEMBERS, False, user(account=STRANGER), member(), True),
    (MEMBERS, False, role(), member("o-9999999999"), False),
    (MEMBERS, False, role(), {}, False),
    (MEMBERS, False, "redshift.amazonaws.com", {"aws:SourceOrgID": ORGANIZATION}, False),
    (UNIT_MEMBERS, False, role(), member(), True),
    (UNIT_MEMBERS, False, role(), member(path=f"{UNIT}ou-ab12-22222222/"), True),
    (UNIT_MEMBERS, False, role(), member(path=f"{ORGANIZATION}/r-ab12/ou-ab12-33333333/"), False),
    (UNIT_MEMBERS, False, role(), member(path=f"{ORGANIZATION}/r-ab12/"), False),
    (UNIT_MEMBERS, False, role(), {"aws:PrincipalOrgID": ORGANIZATION}, False),
    (UNIT_MEMBERS, False, role(), member("o-9999999999"), False),
    (UNIT_MEMBERS, False, role(), {}, False),
]


@pytest.mark.parametrize(("principal", "named", "caller", "context", "expected"), CALLERS)
def test_a_grant_admits_its_principal_and_nobody_else(
    principal: Principal, named: bool, caller: str, context: Mapping[str, ContextValue], expected: bool
) -> None:
    everything = Access.READ | Access.STREAM
    grant = TableGrant(principal, everything, reason="a test", name_principal=named)
    assert by_resource_side(grant, caller, "GetItem", context=context) is expected
    assert by_resource_side(grant, caller, "GetRecords", "/stream/2026-11-21T10:00:00.000", context=context) is expected
    assert by_key_policy(grant, caller, context={**encryption_context(), **context}) is expected
    assert not by_resource_side(grant, caller, "PutItem", context=context)


@pytest.mark.parametrize("principal", [MEMBERS, UNIT_MEMBERS])
def test_an_organization_grant_gives_nothing_past_the_identity_policies_of_the_tables_own_account(
    principal: Principal,
) -> None:
    grant = TableGrant(principal, Access.READ, reason="a test")
    own = role(account=OWNER)
    assert not by_resource_side(grant, own, "GetItem", identity=None, context=member())
    assert by_resource_side(grant, own, "GetItem", context=member())


def test_a_grant_to_another_account_alone_is_not_enough() -> None:
    grant = TableGrant(READER, Access.READ, reason="a test")
    assert not by_resource_side(grant, role(), "GetItem", identity=None)
    assert by_resource_side(grant, role(), "GetItem")


REPLICATION = AwsService(service="replication.dynamodb.amazonaws.com", source_account=PARTNER)
ONE_SOURCE = AwsService(
    service="redshift.amazonaws.com",
    source_account=PARTNER,
    source_arn=f"arn:aws:redshift:us-east-1:{PARTNER}:integration:1234",
)
SOURCE: Mapping[str, ContextValue] = {"aws:SourceAccount": PARTNER}
BUCKET = AwsService(service="glue.amazonaws.com", source_account=PARTNER, source_arn="arn:aws:s3:::a-bucket")


@pytest.mark.parametrize(
    ("principal", "caller", "context", "expected"),
    [
        (REPLICATION, "replication.dynamodb.amazonaws.com", SOURCE, True),
        (REPLICATION, "replication.dynamodb.amazonaws.com", {"aws:SourceAccount": STRANGER}, False),
        (REPLICATION, "replication.dynamodb.amazonaws.com", {}, False),
        (REPLICATION, "redshift.amazonaws.com", SOURCE, False),
        (REPLICATION, role(), SOURCE, False),
        (ONE_SOURCE, "redshift.amazonaws.com", {**SOURCE, "aws:SourceArn": ONE_SOURCE.source_arn}, True),
        (ONE_SOURCE, "redshift.amazonaws.com", SOURCE, False),
        (
            ONE_SOURCE,
            "redshift.amazonaws.com",
            {**SOURCE, "aws:SourceArn": f"arn:aws:redshift:us-east-1:{PARTNER}:integration:5678"},
            False,
        ),
        (ONE_SOURCE, "redshift.amazonaws.com", {"aws:SourceArn": ONE_SOURCE.source_arn}, False),
        (BUCKET, "glue.amazonaws.com", {**SOURCE, "aws:SourceArn": "arn:aws:s3:::a-bucket"}, True),
        (
            BUCKET,
            "glue.amazonaws.com",
            {"aws:SourceAccount": STRANGER, "aws:SourceArn": "arn:aws:s3:::a-bucket"},
            False,
        ),
    ],
)
def test_a_service_is_admitted_only_on_behalf_of_its_source(
    principal: AwsService, caller: str, context: Mapping[str, ContextValue], expected: bool
) -> None:
    grant = TableGrant(principal, Access.READ, reason="a test")
    assert by_resource_side(grant, caller, "GetItem", context=context) is expected


@pytest.mark.parametrize(
    ("principal", "home", "label", "by_name"),
    [
        (Account(PARTNER), PARTNER, f"account {PARTNER}", False),
        (READER, PARTNER, f"role reader of {PARTNER}", False),
        (IN_TEAM, PARTNER, f"role team/reader of {PARTNER}", False),
        (FOO, PARTNER, f"user foo of {PARTNER}", False),
        (User(account=PARTNER, name="foo", path="/team/"), PARTNER, f"user team/foo of {PARTNER}", False),
        (SESSION, PARTNER, f"session nightly of role reader of {PARTNER}", True),
        (FEDERATED, PARTNER, f"federated user bob of {PARTNER}", True),
        (DATA, PARTNER, f"permission set Data of {PARTNER}", False),
        (REPLICATION, PARTNER, f"replication.dynamodb.amazonaws.com for {PARTNER}", True),
        (ONE_SOURCE, PARTNER, f"redshift.amazonaws.com for {ONE_SOURCE.source_arn}", True),
        (ArnIdentity(account=TOKEN, principal_arn=TOKEN, described_as="App/Fn"), TOKEN, "App/Fn", False),
        (MEMBERS, None, f"organization {ORGANIZATION}", False),
        (UNIT_MEMBERS, None, f"organizational unit {UNIT}", False),
        (
            ArnIdentity(account=PARTNER, principal_arn=TOKEN, described_as="App/Fn"),
            PARTNER,
            f"App/Fn of {PARTNER}",
            False,
        ),
    ],
)
def test_a_principal_says_who_it_is_and_where_it_lives(
    principal: Principal, home: str | None, label: str, by_name: bool
) -> None:
    assert principal.home == home
    assert principal.label == label
    assert principal.by_name is by_name


@pytest.mark.parametrize(
    ("region", "partition"),
    [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("eusc-de-east-1", "aws-eusc")],
)
@pytest.mark.parametrize("principal", [READER, FOO, SESSION, FEDERATED, DATA], ids=lambda p: type(p).__name__)
def test_an_arn_is_of_the_tables_partition(principal: Principal, region: str, partition: str) -> None:
    table = TableReference(account=OWNER, region=region, name="orders")
    trust = principal.trust(partition=table.partition_id, owner=OWNER, named=False)
    arns = [value for clause in trust.clauses for value in clause.values] or [trust.value]
    assert arns
    assert all(arn.startswith(f"arn:{partition}:") for arn in arns)


def test_an_identity_of_which_only_the_arn_is_known_is_trusted_by_that_arn() -> None:
    known = ArnIdentity(account=PARTNER, principal_arn=role("made"), described_as="App/Fn")
    grant = TableGrant(known, Access.READ, reason="a test")
    assert by_resource_side(grant, role("made"), "GetItem")
    assert not by_resource_side(grant, role("other"), "GetItem")
    assert by_resource_side(TableGrant(known, Access.READ, reason="x", name_principal=True), role("made"), "GetItem")


def test_principals_are_equal_and_hashable_by_what_they_say() -> None:
    assert Role(account=PARTNER, name="reader", path="/") == READER
    assert len({READER, Role(account=PARTNER, name="reader"), IN_TEAM}) == 2
    assert len({User(account=PARTNER, name="reader"), READER}) == 2


@pytest.mark.parametrize(
    "principal",
    [
        Account(TOKEN),
        Role(account=TOKEN, name=TOKEN, path=TOKEN),
        User(account=TOKEN, name=TOKEN, path=TOKEN),
        RoleSession(account=TOKEN, role=TOKEN, session=TOKEN),
        FederatedUser(account=TOKEN, name=TOKEN),
        PermissionSet(account=TOKEN, name=TOKEN),
        AwsService(service=TOKEN, source_account=TOKEN, source_arn=TOKEN),
        AwsService(
            service="glue.amazonaws.com", source_account=PARTNER, source_arn=f"arn:aws:glue:us-east-1:{TOKEN}:x"
        ),
        Organization(TOKEN),
        OrganizationalUnit(f"{ORGANIZATION}/r-ab12/{TOKEN}/"),
    ],
)
def test_values_that_only_the_deployment_knows_pass(principal: Principal) -> None:
    trust = principal.trust(partition="aws", owner=OWNER, named=False)
    assert TOKEN in f"{trust.value} {[clause.values for clause in trust.clauses]}"


DIGITS = "the 12 digits of an AWS account id"
IAM_NAME = "letters, digits or any of '+=,.@_-'"
PATH = "'/', or a path that starts and ends with '/'"
STAR = "*" * 12
BAD_INPUT = {
    "the account of an Account": Refusal(lambda: Account(STAR), "the account of an Account", STAR, DIGITS),
    "the account of a Role": Refusal(lambda: Role(account="", name="r"), "the account of a Role", "", DIGITS),
    "the name of a Role": Refusal(
        lambda: Role(account=PARTNER, name="reader-*"), "the name of a Role", "reader-*", f"1 to 64 {IAM_NAME}"
    ),
    "a path in the name of a Role": Refusal(
        lambda: Role(account=PARTNER, name="team/reader"),
        "the name of a Role",
        "team/reader",
        f"1 to 64 {IAM_NAME}",
        "its path is an argument of its own",
    ),
    "the path of a Role": Refusal(
        lambda: Role(account=PARTNER, name="r", path="/*/"), "the path of a Role", "/*/", PATH
    ),
    "the account of a User": Refusal(lambda: User(account="1", name="u"), "the account of a User", "1", DIGITS),
    "the name of a User": Refusal(
        lambda: User(account=PARTNER, name="${aws:username}"), "the name of a User", "${aws:username}", IAM_NAME
    ),
    "the path of a User": Refusal(
        lambda: User(account=PARTNER, name="u", path="team"), "the path of a User", "team", PATH
    ),
    "the account of a converted principal": Refusal(
        lambda: ArnIdentity(account="1", principal_arn=TOKEN, described_as="x"),
        "the account of a principal",
        "1",
        DIGITS,
    ),
    "the ARN of a converted principal": Refusal(
        lambda: ArnIdentity(account=PARTNER, principal_arn=role("*"), described_as="x"),
        "the ARN of a principal",
        role("*"),
        "one ARN, without wildcards",
    ),
    "the account of a RoleSession": Refusal(
        lambda: RoleSession(account="1", role="r", session="ss"), "the account of a RoleSession", "1", DIGITS
    ),
    "the role of a RoleSession": Refusal(
        lambda: RoleSession(account=PARTNER, role="*", session="ss"), "the role of a RoleSession", "*", IAM_NAME
    ),
    "the session of a RoleSession": Refusal(
        lambda: RoleSession(account=PARTNER, role="r", session="*"),
        "the session of a RoleSession",
        "*",
        f"2 to 64 {IAM_NAME}",
    ),
    "the account of a FederatedUser": Refusal(
        lambda: FederatedUser(account="1", name="bob"), "the account of a FederatedUser", "1", DIGITS
    ),
    "the name of a FederatedUser": Refusal(
        lambda: FederatedUser(account=PARTNER, name="*"), "the name of a FederatedUser", "*", f"2 to 32 {IAM_NAME}"
    ),
    "the account of a PermissionSet": Refusal(
        lambda: PermissionSet(account="1", name="Data"), "the account of a PermissionSet", "1", DIGITS
    ),
    "the name of a PermissionSet": Refusal(
        lambda: PermissionSet(account=PARTNER, name="Data*"),
        "the name of a PermissionSet",
        "Data*",
        f"1 to 32 {IAM_NAME}",
    ),
    "a permission set that is named itself": Refusal(
        lambda: DATA.trust(partition="aws", owner=OWNER, named=True),
        "name_principal on a grant to a PermissionSet",
        value=True,
        allowed="False: Identity Center chooses the role's name",
    ),
    "the service of an AwsService": Refusal(
        lambda: AwsService(service="*", source_account=PARTNER),
        "the service of an AwsService",
        "*",
        "redshift.amazonaws.com",
    ),
    "the source_account of an AwsService": Refusal(
        lambda: AwsService(service="glue.amazonaws.com", source_account="*"),
        "the source_account of an AwsService",
        "*",
        DIGITS,
    ),
    "the source_arn of an AwsService": Refusal(
        lambda: AwsService(service="glue.amazonaws.com", source_account=PARTNER, source_arn="*"),
        "the source_arn of an AwsService",
        "*",
        "one ARN, without wildcards",
    ),
    "a source_arn of another account": Refusal(
        lambda: AwsService(
            service="glue.amazonaws.com", source_account=PARTNER, source_arn=f"arn:aws:glue:us-east-1:{STRANGER}:x"
        ),
        "the source_arn of an AwsService",
        f"arn:aws:glue:us-east-1:{STRANGER}:x",
        f"an ARN of the source_account {PARTNER}",
    ),
    "the id of an Organization": Refusal(
        lambda: Organization("o-*"), "the id of an Organization", "o-*", 'an id such as "o-a1b2c3d4e5"'
    ),
    "the path of an OrganizationalUnit": Refusal(
        lambda: OrganizationalUnit(f"{ORGANIZATION}/*"),
        "the path of an OrganizationalUnit",
        f"{ORGANIZATION}/*",
        "organization, root and units",
    ),
    "a path whose organization is not known": Refusal(
        lambda: OrganizationalUnit(TOKEN),
        "the path of an OrganizationalUnit",
        "a value that is known only at deployment",
        "the organization's id, is known",
        "Write the path down",
    ),
}


@pytest.mark.parametrize("refusal", BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_a_bad_principal_is_refused(refusal: Refusal) -> None:
    assert_refused(refusal)


def test_a_table_of_the_principals_own_account_needs_no_trust() -> None:
    own = TableGrant(Role(account=OWNER, name="reader"), Access.READ)
    assert own.table_statements(ORDERS) == ()
