"""What is written into the metadata of templates comes back as what it was made of."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, Final, get_args

import pytest

from tableguard.policy import (
    Access,
    Account,
    Attributes,
    AwsService,
    Clause,
    Condition,
    FederatedUser,
    FromNetwork,
    FromVpc,
    FromVpcEndpoint,
    InOrganization,
    LeadingKeys,
    Organization,
    OrganizationalUnit,
    PermissionSet,
    Principal,
    Role,
    RoleSession,
    TableGrant,
    TableReference,
    User,
    metadata as schema,
)
from tableguard.policy.break_glass import BreakGlassAccess, UsersWithMfa
from tableguard.policy.guardrails import Control, ProtectTables, VaultGuardrail
from tableguard.policy.metadata import Readable, ResourceClaims, backups
from tableguard.policy.metadata.conditions import condition_json, read_condition
from tableguard.policy.metadata.permissions import (
    access_json,
    read_access,
    read_restricted_actions,
    restricted_actions_json,
)
from tableguard.policy.metadata.principals import Someone, principal_json, read_principal
from tableguard.policy.metadata.source import Source
from tableguard.policy.people import NoPeople
from tableguard.policy.perimeter import (
    Exempt,
    Exemption,
    Forwarding,
    LambdaPoller,
    Perimeter,
    RestrictedActions,
    RoleOfEveryAccount,
    ServiceLinkedRole,
)
from tableguard.policy.perimeter.restricted_actions import PARTS
from tableguard.policy.principals import ArnIdentity

OWNER: Final = "111122223333"
PARTNER: Final = "222233334444"
UNIT: Final = "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/"
READER: Final = Role(account=PARTNER, name="reader", path="/apps/")
ORDERS: Final = TableReference(account=OWNER, region="eu-west-1", name="orders")


def template(value: object) -> Any:
    """A value as a template holds it."""
    return json.loads(json.dumps(value))


PRINCIPALS: Final[dict[str, Someone]] = {
    "account": Account(PARTNER),
    "role": READER,
    "user": User(account=PARTNER, name="ann", path="/people/"),
    "identity": ArnIdentity(account=PARTNER, principal_arn=READER.arn("aws"), described_as="App/Role"),
    "role session": RoleSession(account=PARTNER, role="reader", session="nightly"),
    "federated user": FederatedUser(account=PARTNER, name="bob"),
    "permission set": PermissionSet(account=PARTNER, name="Steward"),
    "service": AwsService(service="glue.amazonaws.com", source_account=PARTNER),
    "service for a resource": AwsService(
        service="redshift.amazonaws.com",
        source_account=PARTNER,
        source_arn=f"arn:aws:redshift:eu-west-1:{PARTNER}:namespace:x",
    ),
    "organization": Organization("o-a1b2c3d4e5"),
    "unit": OrganizationalUnit(UNIT),
    "service-linked role": ServiceLinkedRole(account=OWNER, service="dax.amazonaws.com", name="AWSServiceRoleForDAX"),
    "role of every account": RoleOfEveryAccount(name="deploy-*", path="/ci/"),
    "poller": LambdaPoller(READER),
    "forwarding": Forwarding("athena.amazonaws.com", "glue.amazonaws.com"),
    "forwarding by any": Forwarding(),
    "trusted": UsersWithMfa(users=[User(account=PARTNER, name="ann")], mfa_age=600, source_identity=True),
}


@pytest.mark.parametrize("name", PRINCIPALS)
def test_principals(name: str) -> None:
    found = read_principal(Source(template(principal_json(PRINCIPALS[name]))))
    assert found.principal == PRINCIPALS[name]
    assert found.label == PRINCIPALS[name].label


def concrete(kind: type[object]) -> set[str]:
    """The names of the classes below one that something can be made of, those of this library."""
    # By name: a dataclass with slots leaves the class behind that it was made from.
    below: set[str] = set()
    for inner in kind.__subclasses__():
        below |= concrete(inner)
    return below or ({kind.__name__} if kind.__module__.startswith("tableguard.") else set())


def test_every_kind_of_principal_has_a_case_here() -> None:
    expected = concrete(Principal) | {each.__name__ for each in (*get_args(Exempt), UsersWithMfa)}
    assert {type(each).__name__ for each in PRINCIPALS.values()} == expected


ACCESSES: Final = [
    Access.READ,
    Access.READ_ITEMS,
    Access.WRITE,
    Access.READ_WRITE,
    Access.STREAM,
    Access.SETTINGS,
    Access.query(),
    Access.query(index="by-date") | Access.STREAM,
    Access.on_table("GetItem") | Access.on_index("Query") | Access.on_stream("GetRecords"),
]


@pytest.mark.parametrize("access", ACCESSES, ids=lambda access: access.name)
def test_accesses(access: Access) -> None:
    assert read_access(Source(template(access_json(access)))) == access


RESTRICTED: Final = [
    *(part.actions for part in PARTS),
    RestrictedActions.ALL,
    RestrictedActions.DEPLOYMENT,
    RestrictedActions.NEW_COPY | RestrictedActions.EXPORT,
]


@pytest.mark.parametrize("restricted", RESTRICTED, ids=lambda restricted: restricted.name)
def test_what_is_restricted(restricted: RestrictedActions) -> None:
    assert read_restricted_actions(Source(template(restricted_actions_json(restricted)))) == restricted


CONDITIONS: Final[list[tuple[Condition, Access]]] = [
    (FromVpc("vpc-0abc1234", region="eu-west-1"), Access.READ),
    (FromVpcEndpoint("vpce-1a2b3c4d", "vpce-2a2b3c4d"), Access.WRITE),
    (FromNetwork("192.0.2.0/24"), Access.READ),
    (InOrganization("o-a1b2c3d4e5"), Access.STREAM),
    (LeadingKeys("a", "b-*"), Access.READ_ITEMS),
    (LeadingKeys("a", attribute=3), Access.query()),
    (Attributes("pk", "name"), Access.on_table("GetItem", "UpdateItem")),
    (Clause("StringEquals", "aws:PrincipalTag/team", ("red",)), Access.READ),
    (Clause("DateGreaterThan", "aws:CurrentTime", ("2027-01-31T00:00:00Z",)), Access.READ),
    (Clause("ForAnyValue:StringLikeIfExists", "aws:TagKeys", ("a*",)), Access.READ),
]


@pytest.mark.parametrize(("condition", "access"), CONDITIONS, ids=lambda value: getattr(value, "label", None))
def test_conditions_ask_of_each_action_what_they_asked_before(condition: Condition, access: Access) -> None:
    found = read_condition(Source(template(condition_json(condition, access.actions))))
    assert found.label == condition.label
    for action in access.actions:
        asked = {(clause.operator, clause.key, clause.values) for clause in condition.clauses(action)}
        assert {(each.operator, each.key, each.values) for each in found.for_action(action.name)} == asked


@pytest.mark.parametrize(
    "until", [None, dt.date(2027, 1, 31), dt.datetime(2027, 1, 31, 12, 30, tzinfo=dt.timezone(dt.timedelta(hours=2)))]
)
def test_grants(until: dt.date | None) -> None:
    conditions = [FromVpcEndpoint("vpce-1a2b3c4d"), LeadingKeys("a")]
    grant = TableGrant(READER, Access.READ_ITEMS, reason="ADR-7", conditions=conditions, until=until)
    (found,) = read(schema.table_metadata([grant], owner=OWNER)).grants
    assert (found.principal.principal, found.access, found.reason, found.until) == (
        READER,
        Access.READ_ITEMS,
        "ADR-7",
        until,
    )
    assert [each.label for each in found.conditions] == ["through vpce-1a2b3c4d", "partition keys a"]


def read(metadata: object) -> ResourceClaims:
    """What is read, all of which can be."""
    found = schema.read(template(metadata))
    assert (found.readable, found.problems) == (Readable.ALL, ())
    return found.claims


def test_a_consumers_policy_names_its_table() -> None:
    claims = read(schema.consumer_metadata(TableGrant(READER, Access.READ, reason="x"), ORDERS))
    assert claims.table == ORDERS.arn
    assert [each.access for each in claims.grants] == [Access.READ]


EXEMPTION: Final = Exemption(
    principal=READER, actions=RestrictedActions.EXPORT | RestrictedActions.on_table("Scan"), reason="nightly"
)
PERIMETER: Final = Perimeter(
    networks=[FromVpc("vpc-0abc1234", region="eu-west-1"), FromNetwork("192.0.2.0/24")], exemptions=[EXEMPTION]
)


def test_restrictions() -> None:
    people = NoPeople(sign_in_roles=[Role(account=OWNER, name="saml")], exceptions=[EXEMPTION])
    restrictions = {
        "perimeter": schema.perimeter_json(PERIMETER, open_replicas={"us-east-1": "later"}),
        "people": schema.people_json(people),
    }
    claims = read(schema.table_metadata([], owner=OWNER, restrictions=restrictions))
    assert claims.perimeter is not None
    assert claims.people is not None
    for restriction in (claims.perimeter, claims.people):
        (exempt,) = restriction.exemptions
        assert (exempt.principal.principal, exempt.actions, exempt.reason) == (READER, EXEMPTION.actions, "nightly")
    assert claims.perimeter.open_replicas == {"us-east-1": "later"}
    assert [each.values_in("eu-west-1") for each in claims.perimeter.networks] == [("vpc-0abc1234",), ("192.0.2.0/24",)]
    assert [each.values_in("us-east-1") for each in claims.perimeter.networks] == [(), ("192.0.2.0/24",)]
    assert [each.principal for each in claims.people.sign_in_roles] == [Role(account=OWNER, name="saml")]


def test_organization_policies() -> None:
    deployer, passer = Role(account=OWNER, name="deployer"), Role(account=OWNER, name="passer")
    control = Control(
        perimeter=PERIMETER,
        guardrails=[
            ProtectTables(exempt_principals=[READER]),
            VaultGuardrail(deployers=[deployer], buckets=["acme-sealed"]),
        ],
        administrators=[deployer],
        pass_role_principals=[passer],
        excluded_accounts={PARTNER: "development"},
    )
    claims = read(schema.control_metadata(control)).control
    assert claims is not None
    assert claims.perimeter is not None
    assert [each.name for each in claims.guardrails] == ["ProtectTables", "VaultGuardrail"]
    assert [each.principal for each in claims.guardrails[0].exempt_principals] == [READER]
    assert claims.guardrails[1].details["buckets"] == ("acme-sealed",)
    (said,) = claims.guardrails[1].details["deployers"]
    assert not isinstance(said, str)
    assert said.principal == deployer
    assert (
        [each.principal for each in claims.administrators],
        [each.principal for each in claims.pass_role_principals],
    ) == (
        [deployer],
        [passer],
    )
    assert claims.excluded_accounts == {PARTNER: "development"}


def test_break_glass_roles() -> None:
    trusted = UsersWithMfa(users=[User(account=PARTNER, name="ann")])
    said = schema.break_glass_metadata(
        BreakGlassAccess.FULL, assumed_by=[trusted], reason="emergencies", until=dt.date(2027, 1, 31)
    )
    claims = read(said).break_glass
    assert claims is not None
    assert (claims.access, claims.reason, claims.until) == ("full", "emergencies", dt.date(2027, 1, 31))
    assert [each.principal for each in claims.assumed_by] == [trusted]


KEPT: Final = [
    backups.ImmutableClaim(
        mode="COMPLIANCE", days=35, at_least_days=30, at_most_days=40, bypass_governance_roles=("arn:a",)
    ),
    backups.SealedClaim(
        intake="in",
        sources=(
            backups.SourceClaim(account=OWNER, role="r", tables=("orders",)),
            backups.SourceClaim(account=PARTNER, role="r", tables=None),
        ),
        mode="COMPLIANCE",
        days=35,
        quota=backups.QuotaClaim(bytes_per_day=1, exports_per_day=2),
        readers=("arn:b",),
        alarm_after_minutes=60,
    ),
    backups.LandingClaim(
        vault=backups.IntakeClaim(account=OWNER, intake="in", region="eu-west-1"), role="r", expires_after_days=14
    ),
    backups.ExportClaim(
        tables=(ORDERS.arn,), every_minutes=60, full_every_minutes=4320, alarm_after_minutes=360, landing="landing"
    ),
    backups.RestoreClaim(
        source=ORDERS.arn,
        sealed=backups.BucketClaim(account=OWNER, region="eu-west-1", bucket="sealed"),
        targets=("new-*",),
    ),
    backups.DrillClaim(
        source=backups.TableClaim(account=OWNER, region="eu-west-1", table="orders"),
        schedule="rate(7 days)",
        canary=True,
        largest_fall=0.2,
        oldest_minutes=1440,
        sealed_by="2027-01-31T00:00:00Z",
        alarm_after_minutes=11520,
    ),
    backups.OnDemandClaim(
        tables=(ORDERS.arn,), schedule="rate(1 day)", keep_days=35, keep_at_least=3, alarm_after_minutes=1560
    ),
    backups.PlanClaim(
        tables=(ORDERS.arn,),
        rules=(
            backups.RuleClaim(
                schedule="cron(0 5 ? * * *)",
                keep_days=35,
                vault="kept",
                copies=(backups.CopyClaim(vault_arn="arn:c", account=PARTNER, keep_days=None),),
            ),
        ),
        restore_testing=True,
        advanced="ann",
        alarm_after_minutes=2040,
    ),
    backups.VaultClaim(
        lock="COMPLIANCE", min_days=7, max_days=90, changeable_for_days=0, air_gapped=True, acknowledged="ann"
    ),
]


@pytest.mark.parametrize("claim", KEPT, ids=lambda claim: type(claim).__name__)
def test_what_keeps_backups(claim: object) -> None:
    (name,) = (name for name, kind in backups.CLAIMS.items() if kind is type(claim))
    assert getattr(read(schema.backup_metadata(claim)), name) == claim


def test_every_claim_about_backups_has_a_case_here() -> None:
    assert {type(claim) for claim in KEPT} == set(backups.CLAIMS.values())


def test_a_bucket_may_be_several_things() -> None:
    claims = read(schema.backup_metadata(KEPT[0], KEPT[1]))
    assert (claims.immutable, claims.sealed) == (KEPT[0], KEPT[1])
