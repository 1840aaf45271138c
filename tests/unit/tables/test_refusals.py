"""What is refused before anything is synthesized: one row for each rule, with what, value, what is allowed, the fix."""

import dataclasses
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb, aws_iam as iam, aws_kms as kms

import tableguard as tg
from tests.unit.tables.support import (
    ANY_KIND,
    LAMBDA,
    LISTENER,
    OWNER,
    PARTNER,
    PK,
    READER,
    REGION,
    REPLICA,
    SK,
    TODAY,
    VENDOR,
    app,
    cfn_global_table,
    cfn_table,
    consumer_stack,
    role,
    stack,
    table_v1,
    table_v2,
)

TABLE = tg.TableReference(account=OWNER, region=REGION, name="orders", indexes=("by-date",))
UNNAMED = tg.TableReference(account=OWNER, region=REGION, name="${Token[TOKEN.1]}")
AT_DEPLOYMENT = "a value that is known only at deployment"
BY_AWS = "the AWS-managed key aws/dynamodb"
SET_ENV = "Set env=Environment(account=…, region=…)"


@dataclass(frozen=True)
class Row:
    make: Callable[[], object]
    what: str
    value: object
    allowed: str
    fix: str = ""


def access(table: Any, *grants: Any, **properties: Any) -> tg.TableAccess:
    return tg.TableAccess(cdk.Stack.of(table), "Access", table=table, table_grants=list(grants), **properties)


def cross(scope: cdk.Stack, **properties: Any) -> tg.CrossAccountTable:
    return tg.CrossAccountTable(scope, "Orders", **{"partition_key": PK, **properties})


def to(principal: Callable[[cdk.Stack], Any], **properties: Any) -> Callable[[], object]:
    def make() -> object:
        data = stack()
        grant = tg.TableGrant(principal(data), tg.Access.READ, **{"reason": "ADR-7", **properties})
        return access(table_v2(data), grant)

    return make


def foreign_role(**properties: Any) -> Callable[[cdk.Stack], iam.Role]:
    return lambda data: iam.Role(consumer_stack(data.node.root), "Role", assumed_by=LAMBDA, **properties)  # type: ignore[arg-type]


def role_of_nowhere(data: cdk.Stack) -> iam.Role:
    nowhere = cdk.Stack(data.node.root, "Nowhere")  # type: ignore[arg-type]
    return iam.Role(nowhere, "Role", role_name="reader", assumed_by=LAMBDA)


def user_of_nowhere() -> object:
    data = stack()
    nowhere = cdk.Stack(data.node.root, "Nowhere")  # type: ignore[arg-type]
    return access(table_v2(data), tg.TableGrant(iam.User(nowhere, "User", user_name="reader"), tg.Access.READ))


def replica_without_key() -> object:
    data = stack()
    encryption = dynamodb.TableEncryptionV2.customer_managed_key(kms.Key(data, "Key"))
    replicas = [dynamodb.ReplicaTableProps(region=REPLICA)]
    return cross(data, table_name="orders", encryption=encryption, replicas=replicas, table_grants=[READER])


def granted(make: Callable[..., Any], *grants: tg.TableGrant, **properties: Any) -> Callable[[], object]:
    return lambda: access(make(stack(), **properties), *grants)


def twice() -> None:
    access(table_v2(stack()), READER).grant(READER)


def consumer(grant: tg.TableGrant, table: tg.TableReference = TABLE, **env: Any) -> Callable[[], object]:
    def make() -> object:
        scope = consumer_stack(app(), **env)
        return tg.ConsumerRole(scope, "Reader", grant=grant, table=table, assumed_by=LAMBDA)

    return make


def consumer_with(
    make_role: Callable[[cdk.Stack], Any], grant: tg.TableGrant = READER, **properties: Any
) -> Callable[[], object]:
    def make() -> object:
        scope = consumer_stack(app())
        return tg.ConsumerAccess(scope, "Access", role=make_role(scope), grant=grant, table=TABLE, **properties)

    return make


def reader_with_attributes(*attributes: str) -> tg.TableGrant:
    actions = tg.Access.on_table("GetItem") | tg.Access.on_index("Query", index="by-date")
    return tg.TableGrant(tg.Account(PARTNER), actions, reason="x", conditions=[tg.Attributes(*attributes)])


def with_index(data: cdk.Stack) -> dynamodb.TableV2:
    return table_v2(
        data,
        sort_key=SK,
        global_secondary_indexes=[
            dynamodb.GlobalSecondaryIndexPropsV2(
                index_name="by-date",
                partition_key=dynamodb.Attribute(name="date", type=dynamodb.AttributeType.STRING),
            )
        ],
    )


def with_bad_date() -> object:
    data = stack(app(**{TODAY: "tomorrow"}))
    return access(table_v2(data), tg.TableGrant(tg.Account(PARTNER), tg.Access.READ, reason="x"))


MANAGED = dynamodb.TableEncryption.AWS_MANAGED
MANAGED_V2 = dynamodb.TableEncryptionV2.aws_managed_key()
MANAGED_L1 = dynamodb.CfnTable.SSESpecificationProperty(sse_enabled=True)
MANAGED_L1_GLOBAL = dynamodb.CfnGlobalTable.SSESpecificationProperty(sse_enabled=True)
OWNED_OR_OWN = "a customer-managed key, or the AWS-owned key, once a grant leaves the table's account"
USE_A_KEY = "Pass encryption=TableEncryptionV2.customer_managed_key(key)."
A_PRINCIPAL = "the principal of a TableGrant"
SESSION = tg.RoleSession(account=OWNER, role="admin", session="alice")

ROWS = {
    "AWS-managed key, TableV2": Row(
        granted(table_v2, READER, encryption=MANAGED_V2),
        "the encryption of Data/Orders/Resource",
        BY_AWS,
        OWNED_OR_OWN,
        USE_A_KEY,
    ),
    "AWS-managed key, Table": Row(
        granted(table_v1, READER, encryption=MANAGED),
        "the encryption of Data/Orders/Resource",
        BY_AWS,
        OWNED_OR_OWN,
        USE_A_KEY,
    ),
    "AWS-managed key, CfnTable": Row(
        granted(cfn_table, READER, sse_specification=MANAGED_L1),
        "the encryption of Data/Orders",
        BY_AWS,
        OWNED_OR_OWN,
        USE_A_KEY,
    ),
    "AWS-managed key, CfnGlobalTable": Row(
        granted(cfn_global_table, READER, sse_specification=MANAGED_L1_GLOBAL),
        "the encryption of Data/Orders",
        BY_AWS,
        OWNED_OR_OWN,
        USE_A_KEY,
    ),
    "AWS-managed key, CrossAccountTable": Row(
        lambda: cross(stack(), table_name="orders", encryption=MANAGED_V2, table_grants=[READER]),
        "the encryption of Data/Orders/Default/Resource",
        BY_AWS,
        OWNED_OR_OWN,
        USE_A_KEY,
    ),
    "no account": Row(
        lambda: cross(cdk.Stack(app(), "Data", env=cdk.Environment(region=REGION))),
        "the account of stack Data",
        AT_DEPLOYMENT,
        "a concrete account",
        SET_ENV,
    ),
    "no region": Row(
        lambda: cross(cdk.Stack(app(), "Data", env=cdk.Environment(account=OWNER))),
        "the region of stack Data",
        AT_DEPLOYMENT,
        "a concrete region",
        SET_ENV,
    ),
    "no account, TableAccess": Row(
        lambda: access(table_v2(cdk.Stack(app(), "Data")), READER),
        "the account of the table",
        AT_DEPLOYMENT,
        "12 digits",
        SET_ENV,
    ),
    "no account, user of another stack": Row(
        user_of_nowhere,
        A_PRINCIPAL,
        "Nowhere/User",
        "a principal whose account is known",
        SET_ENV,
    ),
    "no account, consumer": Row(
        lambda: tg.ConsumerRole(cdk.Stack(app(), "Consumer"), "R", grant=READER, table=TABLE, assumed_by=LAMBDA),
        "the account of stack Consumer",
        AT_DEPLOYMENT,
        "12 digits",
        SET_ENV,
    ),
    "replicas without encryption": Row(
        lambda: cross(stack(), replicas=[dynamodb.ReplicaTableProps(region=REPLICA)]),
        "the encryption of a CrossAccountTable with replicas",
        None,
        "an encryption that names a key for each region",
        "{region: key_arn, …}",
    ),
    "no name": Row(
        lambda: cross(stack(), table_grants=[READER]),
        "the table_name of Data/Orders",
        None,
        "a name, since the grant to role reader of 222233334444 leaves the table's account",
        "to a new table. A name would replace a deployed table: there, grant with TableAccess.",
    ),
    "no name, later": Row(
        lambda: cross(stack()).grant(READER),
        "the table_name of Data/Orders",
        None,
        "a name, since",
        "Pass table_name=…",
    ),
    "no reason": Row(
        granted(table_v2, tg.TableGrant(tg.Account(PARTNER), tg.Access.READ)),
        f"the reason of the grant to account {PARTNER}",
        "",
        "why somebody outside the table's account has access",
        'Add reason="…"',
    ),
    "stream without stream, TableV2": Row(
        granted(table_v2, LISTENER),
        f"the access of the grant to role listener of {VENDOR}",
        "STREAM",
        "access to what Data/Orders/Resource has, and it has no stream",
        "Turn the stream on first",
    ),
    "stream without stream, CfnTable": Row(
        granted(cfn_table, LISTENER),
        f"the access of the grant to role listener of {VENDOR}",
        "STREAM",
        "access to what Data/Orders has, and it has no stream",
        "Turn the stream on first",
    ),
    "unknown index": Row(
        lambda: access(
            with_index(stack()), tg.TableGrant(tg.Account(PARTNER), tg.Access.query(index="by-dat"), reason="x")
        ),
        "an index of table orders",
        "by-dat",
        "by-date",
        "by-date",
    ),
    "the same grant twice in a list": Row(
        granted(table_v2, READER, READER),
        "a grant on Data/Orders/Resource",
        READER,
        "each access of a principal once",
        "Remove one of the two.",
    ),
    "the same access with another end": Row(
        granted(table_v2, READER, dataclasses.replace(READER, until=dt.date(2030, 1, 31), reason="until then")),
        "a grant on Data/Orders/Resource",
        ...,
        "with one reason and one end",
        "Remove one of the two.",
    ),
    "the same grant twice": Row(
        twice,
        "a grant on Data/Orders/Resource",
        READER,
        "each access of a principal once",
        "Remove one of the two.",
    ),
    "no grant at all": Row(
        lambda: access(table_v2(stack())).grant("reader"),  # type: ignore[arg-type]
        "a grant",
        "reader",
        "a TableGrant",
    ),
    "a grant for a list": Row(
        lambda: tg.TableAccess(s := stack(), "Access", table=table_v2(s), table_grants=READER),  # type: ignore[arg-type]
        "table_grants of Data/Access",
        READER,
        "a list",
    ),
    "a grant for a list, CrossAccountTable": Row(
        lambda: cross(stack(), table_name="orders", table_grants=READER),
        "table_grants of Data/Orders",
        READER,
        "a list",
    ),
    "a region for a list": Row(
        lambda: access(table_v2(stack()), deployed_replicas=REPLICA),
        "deployed_replicas of Data/Access",
        REPLICA,
        "a list",
    ),
    "no table": Row(
        lambda: tg.TableAccess(stack(), "Access", table="orders"),  # type: ignore[arg-type]
        "the table of a TableAccess",
        "orders",
        "a TableV2, Table, CfnTable or CfnGlobalTable",
    ),
    "replicas of the old Table": Row(
        granted(table_v1, READER, replication_regions=[REPLICA]),
        "replication_regions of Data/Orders",
        "replicas that a custom resource makes",
        "a table whose replicas are part of its resource",
        "Use TableV2 with replicas=[…].",
    ),
    "attributes without the keys of table and index": Row(
        lambda: access(with_index(stack()), reader_with_attributes("price")),
        f"the attributes of the grant to account {PARTNER}",
        ["price"],
        "lists with all key attributes; missing: pk, sk, date",
        "DynamoDB refuses every request that cannot name the keys.",
    ),
    "attributes without the key of the index": Row(
        lambda: access(with_index(stack()), reader_with_attributes("price", "pk", "sk")),
        f"the attributes of the grant to account {PARTNER}",
        ["price", "pk", "sk"],
        "missing: date",
        "DynamoDB refuses",
    ),
    "today is no date": Row(with_bad_date, f"the context {TODAY}", "tomorrow", 'a date: "2027-01-31"'),
    "an unnamed role of another account": Row(
        to(foreign_role()),
        A_PRINCIPAL,
        "Consumer/Role",
        "a role or user whose account and name are known in the table's account",
        "Give it a physical name (role_name=…)",
    ),
    "a role of an unknown account": Row(
        to(role_of_nowhere), A_PRINCIPAL, "Nowhere/Role", "a principal whose account is known", SET_ENV
    ),
    "an account that only the deployment knows": Row(
        to(lambda _: iam.AccountPrincipal(cdk.Aws.ACCOUNT_ID)),
        A_PRINCIPAL,
        "AccountPrincipal",
        "a principal whose account is known",
        SET_ENV,
    ),
    "no ARN": Row(
        to(lambda _: iam.ArnPrincipal("reader")),
        A_PRINCIPAL,
        "reader",
        "a principal whose account is known",
        "tg.Role(account=…, name=…)",
    ),
    "an ARN with a wildcard": Row(
        to(lambda _: iam.ArnPrincipal(role("*"))), "the name of a Role", "*", "1 to 64 letters, digits"
    ),
    "a service": Row(
        to(lambda _: iam.ServicePrincipal("lambda.amazonaws.com")),
        A_PRINCIPAL,
        "Service lambda.amazonaws.com",
        "accounts, roles, users and sessions",
        "Use AwsService(service=…, source_account=…).",
    ),
    "an identity provider": Row(
        to(lambda _: iam.FederatedPrincipal("cognito-identity.amazonaws.com", {})),
        A_PRINCIPAL,
        "Federated cognito-identity.amazonaws.com",
        "accounts, roles, users and sessions",
        "Grant to the role that it assumes.",
    ),
    "a group of another account": Row(
        to(lambda _: iam.ArnPrincipal(f"arn:aws:iam::{PARTNER}:group/readers")),
        A_PRINCIPAL,
        f"AWS arn:aws:iam::{PARTNER}:group/readers",
        "accounts, roles, users and sessions",
        "Grant to the role that it assumes.",
    ),
    "a group in the table's policy": Row(
        to(lambda data: iam.Group(data, "Group"), name_principal=True),
        A_PRINCIPAL,
        "Group Data/Group",
        "accounts, roles, users and sessions",
        "Grant to its users, or leave name_principal out",
    ),
    "a composite with conditions": Row(
        to(
            lambda _: iam.CompositePrincipal(
                iam.AccountPrincipal(PARTNER),
                iam.AccountPrincipal(VENDOR).with_conditions({"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
            )
        ),
        A_PRINCIPAL,
        "CompositePrincipal",
        "a principal that a policy can name",
        "Grant to each of its principals by itself. The CDK says:",
    ),
    "an ARN of the table's own account": Row(
        to(lambda _: iam.ArnPrincipal(role("x", OWNER))),
        "the principal of a TableGrant inside the table's own account",
        "ArnPrincipal",
        "a role, user or group of this app, which an identity policy can be attached to",
        "set name_principal=True",
    ),
    "the table's own account": Row(
        to(lambda _: iam.AccountRootPrincipal()),
        "the principal of a TableGrant inside the table's own account",
        "AccountRootPrincipal",
        "a role, user or group of this app",
        "Grant to the role itself",
    ),
    "a composite that holds a principal of the table's own account": Row(
        to(lambda _: iam.CompositePrincipal(iam.ArnPrincipal(role()), iam.ArnPrincipal(role("x", OWNER)))),
        "the principal of a TableGrant inside the table's own account",
        "CompositePrincipal",
        "a role, user or group of this app",
        "Grant to the role itself",
    ),
    "an imported role that may not change": Row(
        to(lambda data: iam.Role.from_role_arn(data, "Role", role("x", OWNER), mutable=False)),
        "the principal of a TableGrant inside the table's own account",
        "Data/Role",
        "not an immutable role",
        "Import the role without mutable=False",
    ),
    "a role of this app that may not change": Row(
        to(lambda data: iam.Role(data, "Role", assumed_by=LAMBDA).without_policy_updates()),
        "the principal of a TableGrant inside the table's own account",
        "Data/ImmutableRoleRole",
        "not an immutable role",
        "Import the role without mutable=False",
    ),
    "consumer in another account": Row(
        consumer(READER, account=VENDOR),
        "the account of stack Consumer",
        VENDOR,
        f"{PARTNER}, the account of the grant to role reader of {PARTNER}",
    ),
    "consumer that is a user": Row(
        consumer(tg.TableGrant(tg.User(account=PARTNER, name="foo"), tg.Access.READ, reason="x")),
        "the grant of a consumer",
        f"user foo of {PARTNER}",
        "a grant to a Role, a RoleSession, an Account or an organization",
        "grant.identity_policy(table)",
    ),
    "consumer that is a federated user": Row(
        consumer(tg.TableGrant(tg.FederatedUser(account=PARTNER, name="foo"), tg.Access.READ, reason="x")),
        "the grant of a consumer",
        f"federated user foo of {PARTNER}",
        "a grant to a Role, a RoleSession, an Account or an organization",
        "grant.identity_policy(table)",
    ),
    "consumer that is a permission set": Row(
        consumer(tg.TableGrant(tg.PermissionSet(account=PARTNER, name="Data"), tg.Access.READ, reason="x")),
        "the grant of a consumer",
        f"permission set Data of {PARTNER}",
        "a grant to a Role, a RoleSession, an Account or an organization",
        "grant.identity_policy(table)",
    ),
    "consumer that is a service": Row(
        consumer(
            tg.TableGrant(
                tg.AwsService(service="glue.amazonaws.com", source_account=PARTNER), tg.Access.READ, reason="x"
            )
        ),
        "the grant of a consumer",
        f"glue.amazonaws.com for {PARTNER}",
        "a grant to a Role, a RoleSession, an Account or an organization",
        "grant.identity_policy(table)",
    ),
    "session inside the table's account": Row(
        consumer(tg.TableGrant(SESSION, tg.Access.READ), account=OWNER),
        "the grant of a consumer",
        f"session alice of role admin of {OWNER}",
        "a grant to a principal outside the table's account",
        "an identity policy grants to all sessions",
    ),
    "consumer with a CDK principal": Row(
        consumer(tg.TableGrant(iam.AccountPrincipal(PARTNER), tg.Access.READ, reason="x")),
        A_PRINCIPAL,
        ...,
        "a principal such as Role(account=…, name=…)",
        "Only CrossAccountTable and TableAccess can convert an iam.IGrantable.",
    ),
    "consumer without a reason": Row(
        consumer(tg.TableGrant(tg.Account(PARTNER), tg.Access.READ)),
        f"the reason of the grant to account {PARTNER}",
        "",
        "why somebody outside",
        'Add reason="…"',
    ),
    "consumer of an unnamed table, other account": Row(
        consumer(READER, UNNAMED),
        "the table of a consumer",
        "a name that only the table's own stack knows",
        "a table with a name, if the consumer is in another account or region",
        "For a deployed table, where table_name=… would replace it, pass TableReference(",
    ),
    "consumer of an unnamed table, other region": Row(
        lambda: tg.ConsumerRole(
            stack(region=REPLICA),
            "R",
            grant=tg.TableGrant(tg.Role(account=OWNER, name="batch"), tg.Access.READ),
            table=UNNAMED,
            assumed_by=LAMBDA,
        ),
        "the table of a consumer",
        "a name that only the table's own stack knows",
        "a table with a name",
        "Pass table_name=…",
    ),
    "role of another name": Row(
        consumer_with(lambda scope: iam.Role(scope, "Role", role_name="writer", assumed_by=LAMBDA)),
        f"the role of role reader of {PARTNER}",
        "writer",
        'the role that the grant names, "reader"',
        "Use ConsumerRole, or give the role this role_name.",
    ),
    "role without a name": Row(
        consumer_with(lambda scope: iam.Role(scope, "Role", assumed_by=LAMBDA)),
        f"the role of role reader of {PARTNER}",
        "Consumer/Role, which has no name",
        'the role that the grant names, "reader"',
        "Use ConsumerRole",
    ),
    "imported role of another name": Row(
        consumer_with(lambda scope: iam.Role.from_role_arn(scope, "Role", role("writer"))),
        f"the role of role reader of {PARTNER}",
        "writer",
        'the role that the grant names, "reader"',
        "Use ConsumerRole",
    ),
    "role of another name than the session's": Row(
        consumer_with(
            lambda scope: iam.Role(scope, "Role", role_name="reader", assumed_by=LAMBDA),
            tg.TableGrant(tg.RoleSession(account=PARTNER, role="admin", session="alice"), tg.Access.READ, reason="x"),
        ),
        f"the role of session alice of role admin of {PARTNER}",
        "reader",
        'the role that the grant names, "admin"',
        "Use ConsumerRole",
    ),
    "role of another path": Row(
        consumer_with(lambda scope: iam.Role(scope, "Role", role_name="reader", path="/etl/", assumed_by=LAMBDA)),
        f"the path of role reader of {PARTNER}",
        "/etl/",
        'a role with the path "/"',
        "Give the grant the path of the role",
    ),
    "role without the path": Row(
        consumer_with(
            lambda scope: iam.Role(scope, "Role", role_name="reader", assumed_by=LAMBDA),
            tg.TableGrant(tg.Role(account=PARTNER, name="reader", path="/etl/"), tg.Access.READ, reason="x"),
        ),
        f"the path of role etl/reader of {PARTNER}",
        "/",
        'a role with the path "/etl/"',
        "Give the grant the path of the role",
    ),
    "existing role for a user": Row(
        consumer_with(
            lambda scope: iam.Role.from_role_arn(scope, "Role", role()),
            tg.TableGrant(tg.User(account=PARTNER, name="foo"), tg.Access.READ, reason="x"),
        ),
        "the grant of a consumer",
        f"user foo of {PARTNER}",
        "a grant to a Role, a RoleSession, an Account or an organization",
        "grant.identity_policy(table)",
    ),
    "imported role of another path": Row(
        consumer_with(lambda scope: iam.Role.from_role_arn(scope, "Role", role("etl/reader"))),
        f"the path of role reader of {PARTNER}",
        "/etl/",
        'a role with the path "/"',
        "import the role by its whole ARN",
    ),
    "imported role of another account": Row(
        consumer_with(lambda scope: iam.Role.from_role_arn(scope, "Role", role("reader", VENDOR), mutable=True)),
        f"the role of role reader of {PARTNER}",
        "Consumer/Role",
        "a role",
        "",
    ),
    "role of a stack in another account": Row(
        consumer_with(
            lambda scope: iam.Role(
                stack(scope.node.root, "Other", account=VENDOR),  # type: ignore[arg-type]
                "Role",
                role_name="reader",
                assumed_by=LAMBDA,
            )
        ),
        f"the role of role reader of {PARTNER}",
        "Other/Role",
        f"a role of the stack's account {PARTNER}: a policy cannot be attached to one of {VENDOR}",
    ),
    "imported role that may not change, consumer": Row(
        consumer_with(lambda scope: iam.Role.from_role_arn(scope, "Role", role(), mutable=False)),
        f"the role of role reader of {PARTNER}",
        "Consumer/Role",
        "a role that a policy may be attached to, not an immutable one",
        "Import it without mutable=False.",
    ),
    "a principal of another partition": Row(
        to(lambda _: iam.ArnPrincipal(f"arn:aws-us-gov:iam::{PARTNER}:role/x")),
        A_PRINCIPAL,
        f"arn:aws-us-gov:iam::{PARTNER}:role/x",
        "a principal of the table's partition, aws",
        "",
    ),
    "a replica without a key": Row(
        replica_without_key,
        "the properties of Data/Orders/Default/Resource",
        ...,
        "properties that the CDK can render",
        "Replicas need a key each",
    ),
    "a table name that only the deployment knows": Row(
        lambda: cross(
            (data := stack()), table_name=cdk.CfnParameter(data, "Name").value_as_string, table_grants=[READER]
        ),
        "the table_name of Data/Orders",
        ...,
        "a name",
        "Pass table_name=…",
    ),
    "limits that are none": Row(
        lambda: access(table_v2(stack()), limits=20), "limits of Data/Access", 20, "Limits(…)", ""
    ),
    "limits that are none, consumer": Row(
        consumer_with(lambda scope: iam.Role.from_role_arn(scope, "Role", role()), limits=20),
        "limits of Consumer/Access",
        20,
        "Limits(…)",
        "",
    ),
    "a table instead of its reference, consumer": Row(
        lambda: tg.ConsumerRole(
            consumer_stack(app()),
            "R",
            grant=READER,
            table=cross(stack(), table_name="orders"),  # type: ignore[arg-type]
            assumed_by=LAMBDA,
        ),
        "the table of a consumer",
        ...,
        "a TableReference",
        "Pass .reference",
    ),
    "no grant, consumer": Row(
        lambda: tg.ConsumerRole(consumer_stack(app()), "R", grant="read", table=TABLE, assumed_by=LAMBDA),  # type: ignore[arg-type]
        "the grant of a consumer",
        "read",
        "a TableGrant",
        "",
    ),
    "no role, consumer": Row(consumer_with(lambda _: None), "the role of Consumer/Access", None, "an iam.IRole", ""),
    "everybody assumes the role": Row(
        lambda: tg.ConsumerRole(consumer_stack(app()), "R", grant=READER, table=TABLE, assumed_by=iam.AnyPrincipal()),
        "assumed_by of Consumer/R",
        "everybody",
        "a service, a role, an account or an identity provider",
        "",
    ),
    "a named principal of another stack on a table without a name": Row(
        lambda: access(
            table_v2(data := stack(), name=None),
            tg.TableGrant(
                iam.Role(stack(data.node.root, "Other"), "Role", assumed_by=LAMBDA),  # type: ignore[arg-type]
                tg.Access.READ,
                name_principal=True,
            ),
        ),
        "name_principal of a TableGrant",
        "Other/Role",
        "a principal of the table's own stack",
        "Give the table a name",
    ),
}


@pytest.mark.parametrize("rule", ROWS)
def test_it_is_refused_with_what_the_value_what_is_allowed_and_the_fix(rule: str) -> None:
    row = ROWS[rule]

    with pytest.raises(tg.InvalidInputError) as caught:
        row.make()

    error = caught.value
    assert isinstance(error, ValueError)
    assert error.what == row.what
    assert row.value is ... or error.value == row.value
    assert row.allowed in error.allowed
    assert row.fix in error.fix
    for part in (error.what, error.allowed, error.fix):
        assert part in str(error)


@pytest.mark.parametrize(
    "principal",
    [
        iam.AnyPrincipal,
        iam.StarPrincipal,
        lambda: iam.AnyPrincipal().with_conditions({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}),
        lambda: iam.AnyPrincipal().with_conditions({"StringLike": {"aws:PrincipalOrgID": "o-*"}}),
        lambda: iam.AnyPrincipal().with_conditions(
            {"StringEquals": {"aws:PrincipalOrgID": ["o-a1b2c3d4e5", "o-9999999999"]}}
        ),
    ],
)
def test_a_grant_to_everybody_is_refused(principal: Callable[[], iam.IPrincipal]) -> None:
    with pytest.raises(tg.PublicPolicyError, match=r"stands for everybody\. Allowed: a named principal"):
        to(lambda _: principal())()


@pytest.mark.parametrize("kind", ANY_KIND)
def test_every_kind_of_table_checks_its_indexes(kind: str) -> None:
    grant = tg.TableGrant(tg.Account(PARTNER), tg.Access.query(index="by-date"), reason="x")

    with pytest.raises(tg.InvalidInputError, match="no index of this table is known"):
        granted(ANY_KIND[kind], grant)()


def test_a_consumer_that_is_refused_leaves_no_role_behind() -> None:
    scope = consumer_stack(app(), account=VENDOR)

    with pytest.raises(tg.InvalidInputError):
        tg.ConsumerRole(scope, "Reader", grant=READER, table=TABLE, assumed_by=LAMBDA)

    assert scope.node.find_child("Reader").node.children == []
