"""What a perimeter refuses, before anything is synthesized."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tableguard.policy import (
    Account,
    Clause,
    FromNetwork,
    FromVpc,
    FromVpcEndpoint,
    PermissionSet,
    Role,
    TableReference,
    User,
)
from tableguard.policy.metadata import perimeter_json
from tableguard.policy.metadata.permissions import restricted_actions_json
from tableguard.policy.networks import Network
from tableguard.policy.perimeter import (
    Exemption,
    Forwarding,
    FromVpcsOfAccount,
    FromVpcsOfOrganization,
    LambdaPoller,
    Perimeter,
    RestrictedActions,
    RoleOfEveryAccount,
    ServiceLinkedRole,
    endpoint_statements,
    guard_statements,
)
from tests.unit.policy.support import ORDERS, OWNER, TOKEN, Refusal, assert_refused

DEPLOYER = Role(account=OWNER, name="deployer")
ENDPOINT = FromVpcEndpoint("vpce-1a2b3c4d")
DEPLOYMENT = Exemption(principal=DEPLOYER, actions=RestrictedActions.DEPLOYMENT, reason="deployments")
NETWORKS = "FromVpc, FromVpcEndpoint, FromNetwork"


@dataclass(frozen=True)
class ByCaller(Network):
    """A network of somebody else's making."""

    @property
    def source(self) -> Clause:
        return Clause("StringEquals", "aws:UserAgent", ("curl",))

    @property
    def label(self) -> str:
        return "from curl"


REFUSALS = {
    "no network": Refusal(
        lambda: Perimeter(networks=[]), "the networks of a perimeter", (), NETWORKS, fix="locked out"
    ),
    "one network without a list": Refusal(
        lambda: Perimeter(networks=ENDPOINT),  # type: ignore[arg-type]
        "the networks of a perimeter",
        ENDPOINT,
        "a list",
        fix="Put it into a list",
    ),
    "an account for a network": Refusal(
        lambda: Perimeter(networks=[Account(OWNER)]),  # type: ignore[list-item]
        "the networks of a perimeter",
        Account(OWNER),
        NETWORKS,
    ),
    "a network that is told by a key which no perimeter denies by": Refusal(
        lambda: Perimeter(networks=[ByCaller()]), "the networks of a perimeter", ByCaller(), NETWORKS
    ),
    "halves of the internet": Refusal(
        lambda: Perimeter(networks=[FromNetwork("0.0.0.0/1"), FromNetwork("128.0.0.0/1")]),
        "the ranges of a perimeter",
        ("0.0.0.0/1", "128.0.0.0/1"),
        "narrower than the whole internet",
        fix="0.0.0.0/0",
    ),
    "a role for an exemption": Refusal(
        lambda: Perimeter(networks=[ENDPOINT], exemptions=[DEPLOYER]),  # type: ignore[list-item]
        "an exemption of a perimeter",
        DEPLOYER,
        "an Exemption",
    ),
    "the same principal twice": Refusal(
        lambda: Perimeter(networks=[ENDPOINT], exemptions=[DEPLOYMENT, DEPLOYMENT]),
        "the exemptions of a perimeter",
        DEPLOYER.label,
        "each principal once",
        fix="Join the actions",
    ),
    "an organization's name": Refusal(
        lambda: Perimeter(networks=[ENDPOINT], organization="acme"), "the organization of a perimeter", "acme", "an id"
    ),
    "settings without a reason": Refusal(
        lambda: Perimeter(networks=[ENDPOINT], settings_too=" "), "settings_too of a perimeter", " ", "the reason"
    ),
    "later actions left open without a reason": Refusal(
        lambda: Perimeter(networks=[ENDPOINT], unclassified_open=""),
        "unclassified_open of a perimeter",
        "",
        "the reason",
    ),
    "NotAction at tables without a reason": Refusal(
        lambda: Perimeter(networks=[ENDPOINT], not_action_at_tables=True),  # type: ignore[arg-type]
        "not_action_at_tables of a perimeter",
        True,
        "the reason",
    ),
    "later actions left open and denied at tables": Refusal(
        lambda: Perimeter(networks=[ENDPOINT], unclassified_open="no room", not_action_at_tables="tried"),
        "not_action_at_tables of a perimeter",
        "tried",
        "None while unclassified_open",
    ),
    "settings without anybody to change them": Refusal(
        lambda: Perimeter(networks=[ENDPOINT], exemptions=[DEPLOYMENT], settings_too="a secret"),
        "settings_too of a perimeter",
        "a secret",
        "may still change the table",
        fix="RestrictedActions.SETTINGS",
    ),
    "an administrator that is an account": Refusal(
        lambda: Perimeter(networks=[ENDPOINT], administrators=[Account(OWNER)]),  # type: ignore[list-item]
        "the administrators",
        Account(OWNER),
        "Role, User, PermissionSet and RoleOfEveryAccount",
    ),
    "an exempt role that nobody guards": Refusal(
        lambda: Perimeter(networks=[ENDPOINT], exemptions=[DEPLOYMENT]).service_control_statements(),
        "the administrators of a perimeter",
        (),
        "at least one, since role deployer of",
        fix="administrators=",
    ),
    "what CloudFormation works as, and nobody who passes it": Refusal(
        lambda: Perimeter(
            networks=[ENDPOINT],
            exemptions=[DEPLOYMENT],
            administrators=[
                Role(account=OWNER, name="break-glass"),
                RoleOfEveryAccount(name="cdk-acme-cfn-exec-role-*"),
            ],
        ).service_control_statements(),
        "the pass_role_principals of a perimeter",
        (),
        "role cdk-acme-cfn-exec-role-* of every account",
        fix="pass_role_principals=",
    ),
    "a whole account exempt": Refusal(
        lambda: Exemption(principal=Account(OWNER), actions=RestrictedActions.ALL, reason="all of them"),  # type: ignore[arg-type]
        "the principal of an Exemption",
        Account(OWNER),
        "a Role, User, PermissionSet",
        fix="A whole account",
    ),
    "a service-linked role as a role": Refusal(
        lambda: Exemption(
            principal=Role(account=OWNER, name="AWSServiceRoleForX", path="/aws-service-role/x.amazonaws.com/"),
            actions=RestrictedActions.ALL,
            reason="a service",
        ),
        "the principal of an Exemption",
        f"role aws-service-role/x.amazonaws.com/AWSServiceRoleForX of {OWNER}",
        "a role of your own",
        fix="ServiceLinkedRole",
    ),
    "no restricted actions": Refusal(
        lambda: Exemption(principal=DEPLOYER, actions="dynamodb:*", reason="all of them"),  # type: ignore[arg-type]
        "the actions of an Exemption",
        "dynamodb:*",
        "RestrictedActions.ITEMS",
    ),
    "no reason": Refusal(
        lambda: Exemption(principal=DEPLOYER, actions=RestrictedActions.ALL, reason="..."),
        "the reason of the exemption of role deployer of 444455556666",
        "...",
        "why it may cross",
    ),
    "a poller for items": Refusal(
        lambda: Exemption(principal=LambdaPoller(DEPLOYER), actions=RestrictedActions.ITEMS, reason="x"),
        "the actions of the exemption of Lambda polling as role deployer of 444455556666",
        "items",
        "RestrictedActions.STREAM",
    ),
    "a poller that is a user": Refusal(
        lambda: LambdaPoller(User(account=OWNER, name="dev")),  # type: ignore[arg-type]
        "the role of a LambdaPoller",
        User(account=OWNER, name="dev"),
        "a Role",
    ),
    "every role of every account": Refusal(
        lambda: RoleOfEveryAccount(name="*"), "the name of a RoleOfEveryAccount", "*", "at least four characters"
    ),
    "a wildcard in the middle": Refusal(
        lambda: RoleOfEveryAccount(name="cdk-*-role"), "the name of a RoleOfEveryAccount", "cdk-*-role", "at the end"
    ),
    "a path in the name": Refusal(
        lambda: RoleOfEveryAccount(name="emergency/break-glass"),
        "the name of a RoleOfEveryAccount",
        "emergency/break-glass",
        "1 to 64",
        fix="its path",
    ),
    "a service without a host": Refusal(
        lambda: Forwarding("athena"), "a service of Forwarding", "athena", "redshift.amazonaws.com"
    ),
    "a linked role of no service": Refusal(
        lambda: ServiceLinkedRole(account=OWNER, service="x", name="AWSServiceRoleForX"),
        "the service of a ServiceLinkedRole",
        "x",
        "redshift.amazonaws.com",
    ),
    "VPCs of no account": Refusal(
        lambda: FromVpcsOfAccount("acme"), "an account of FromVpcsOfAccount", "acme", "12 digits"
    ),
    "VPCs of no organization": Refusal(
        lambda: FromVpcsOfOrganization("acme"), "the organization of FromVpcsOfOrganization", "acme", "an id"
    ),
    "an action that is not restricted": Refusal(
        lambda: RestrictedActions.on_table("GetItems"),
        "a restricted action of the table",
        "GetItems",
        "GetItem",
        fix='"GetItem"',
    ),
    "a stream's action at the table": Refusal(
        lambda: RestrictedActions.on_table("GetRecords"), "a restricted action of the table", "GetRecords", "GetItem"
    ),
    "actions joined with a name": Refusal(
        lambda: RestrictedActions.ALL | "GetItem",  # type: ignore[operator]
        "what is joined to RestrictedActions actions with |",
        "GetItem",
        "RestrictedActions.EXPORT",
    ),
    "a table out of reach": Refusal(
        lambda: Perimeter(networks=[FromVpc("vpc-0abc1234", region="eu-west-1")]).table_statements(ORDERS),
        "the networks of the perimeter of table orders",
        ["from vpc-0abc1234 in eu-west-1"],
        "at least one network that reaches us-east-1",
        fix='FromVpc("vpc-…", region="us-east-1")',
    ),
    "an SCP of no account": Refusal(
        lambda: Perimeter(networks=[ENDPOINT]).service_control_statements(accounts=["acme"]),
        "an account of an SCP",
        "acme",
        "12 digits",
    ),
    "an endpoint for no table": Refusal(
        lambda: endpoint_statements([], organization="o-a1b2c3d4e5"),
        "the tables of an endpoint policy",
        (),
        "at least one TableReference",
    ),
    "an endpoint for something else beside a table": Refusal(
        lambda: endpoint_statements([ORDERS, ORDERS.arn], organization="o-a1b2c3d4e5"),  # type: ignore[list-item]
        "the tables of an endpoint policy",
        (ORDERS, ORDERS.arn),
        "at least one TableReference",
    ),
    "an endpoint for an organization that is none": Refusal(
        lambda: endpoint_statements([ORDERS], organization="acme"),
        "the organization of an endpoint policy",
        "acme",
        "an id",
    ),
    "an account that passes": Refusal(
        lambda: Perimeter(networks=[ENDPOINT], pass_role_principals=[Account(OWNER)]),  # type: ignore[list-item]
        "the pass_role_principals",
        Account(OWNER),
        "Role, User, PermissionSet and RoleOfEveryAccount",
    ),
    "three characters of a role's name": Refusal(
        lambda: RoleOfEveryAccount(name="cdk*"), "the name of a RoleOfEveryAccount", "cdk*", "at least four characters"
    ),
    "a path that is none": Refusal(
        lambda: RoleOfEveryAccount(name="deploy", path="ops"), "the path of a RoleOfEveryAccount", "ops", "/"
    ),
    "a service-linked role of no account": Refusal(
        lambda: ServiceLinkedRole(account="acme", service="dax.amazonaws.com", name="AWSServiceRoleForDAX"),
        "the account of a ServiceLinkedRole",
        "acme",
        "12 digits",
    ),
    "a service-linked role with a pattern for a name": Refusal(
        lambda: ServiceLinkedRole(account=OWNER, service="dax.amazonaws.com", name="AWSServiceRoleFor*"),
        "the name of a ServiceLinkedRole",
        "AWSServiceRoleFor*",
        "1 to 64",
    ),
    "an endpoint for nobody": Refusal(
        lambda: endpoint_statements([ORDERS]),
        "the callers of an endpoint policy",
        {"organization": None, "accounts": ()},
        "either an organization or accounts",
    ),
    "an endpoint for an account that is none": Refusal(
        lambda: endpoint_statements([ORDERS], accounts=["acme"]),
        "an account of an endpoint policy",
        "acme",
        "12 digits",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_meant_is_refused(case: str) -> None:
    assert_refused(REFUSALS[case])


def test_four_characters_of_a_roles_name_are_enough() -> None:
    assert RoleOfEveryAccount(name="cdk-*").arn_in("*", "aws") == "arn:aws:iam::*:role/cdk-*"


def test_values_that_only_the_deployment_knows_pass() -> None:
    perimeter = Perimeter(
        networks=[FromVpc(TOKEN, region=TOKEN), FromVpcEndpoint(TOKEN)],
        exemptions=[Exemption(principal=Role(account=TOKEN, name=TOKEN), actions=RestrictedActions.ALL, reason="x")],
        administrators=[PermissionSet(account=TOKEN, name="Admin")],
        organization=TOKEN,
    )
    table = TableReference(account=TOKEN, region=TOKEN, name=TOKEN, partition="aws")
    [items, *_] = perimeter.table_statements(table)
    assert {clause.key: clause.values for clause in items.clauses if clause.key.startswith("aws:SourceVpc")} == {
        "aws:SourceVpc": (TOKEN,),
        "aws:SourceVpce": (TOKEN,),
    }
    assert perimeter.service_control_statements()


def test_a_perimeter_without_exempt_roles_needs_no_administrator() -> None:
    perimeter = Perimeter(
        networks=[ENDPOINT],
        exemptions=[
            Exemption(principal=Forwarding("athena.amazonaws.com"), actions=RestrictedActions.EXPORT, reason="reports")
        ],
    )
    assert not [d for d in perimeter.service_control_statements() if d.sid.startswith("Guard")]
    assert guard_statements([Forwarding()], []) == ()


def test_a_perimeter_describes_itself_for_reviewers() -> None:
    perimeter = Perimeter(networks=[ENDPOINT, FromNetwork("192.0.2.0/24")], exemptions=[DEPLOYMENT])
    assert perimeter_json(perimeter) == {
        "inside": [
            {"kind": "vpc-endpoint", "values": ["vpce-1a2b3c4d"], "label": "through vpce-1a2b3c4d"},
            {"kind": "network", "values": ["192.0.2.0/24"], "label": "from 192.0.2.0/24"},
        ],
        "exemptions": [
            {
                "principal": {
                    "kind": "role",
                    "account": "444455556666",
                    "name": "deployer",
                    "path": "/",
                    "label": "role deployer of 444455556666",
                },
                "actions": restricted_actions_json(RestrictedActions.DEPLOYMENT),
                "reason": "deployments",
            }
        ],
    }


@pytest.mark.parametrize(
    ("principal", "label"),
    [
        (RoleOfEveryAccount(name="deploy-*", path="/ci/"), "role ci/deploy-* of every account"),
        (LambdaPoller(DEPLOYER), "Lambda polling as role deployer of 444455556666"),
        (Forwarding(), "calls forwarded by any AWS service"),
        (Forwarding("athena.amazonaws.com"), "calls forwarded by athena.amazonaws.com"),
        (
            ServiceLinkedRole(account=OWNER, service="x.amazonaws.com", name="AWSServiceRoleForX"),
            "service-linked role AWSServiceRoleForX of 444455556666",
        ),
    ],
)
def test_everybody_exempt_has_a_name(principal: Forwarding, label: str) -> None:
    assert principal.label == label
