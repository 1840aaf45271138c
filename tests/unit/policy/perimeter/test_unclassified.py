"""Actions that AWS adds later: refused from outside, open to whoever is exempt, and nothing else decided otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any, Final

import pytest

from tableguard.aws.dynamodb import ACTIONS, Resource, ResourcePolicySupport
from tableguard.evaluation import Outcome, Policies, evaluate
from tableguard.policy import FromVpc
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.metadata import perimeter_json
from tableguard.policy.metadata.restrictions import read_restriction
from tableguard.policy.metadata.source import Source
from tableguard.policy.perimeter import Exemption, Forwarding, Perimeter, RestrictedActions
from tests.unit.policy.perimeter.parties import (
    CALLERS,
    DEPLOYER,
    EVERYTHING,
    INSIDE,
    ORDERS,
    OUTSIDE,
    PERIMETER,
    POLLER,
    RESOURCES,
    Context,
    allowed,
    asked,
    decision,
    plain_policy,
    resource_policy,
    session,
)
from tests.unit.policy.support import OWNER, PARTNER, REGION

NEW: Final = "TeleportItems"
AT_TABLES: Final = replace(PERIMETER, not_action_at_tables="tried on 2026-12-01")
KINDS: Final = ("service control", "identity", "identity of a role", "table", "stream")
_LINKED: Final = session(f"arn:aws:iam::{OWNER}:role/aws-service-role/new.amazonaws.com/AWSServiceRoleForNew")
_EVERYBODY: Final = {**CALLERS, "a new service-linked role": _LINKED}
# From where the decisions on actions that are classified are compared; what the others would add decides alike.
_PLACES: Final[dict[str, Context]] = {
    "the internet": OUTSIDE["the internet"],
    "another VPC": OUTSIDE["another VPC"],
    "Athena": OUTSIDE["Athena"],
    "the VPC": INSIDE["the VPC"],
    "the VPC, in another region": {**INSIDE["the VPC"], "aws:RequestedRegion": "eu-west-1"},
    "the VPC, in a region without VPCs": {**INSIDE["the VPC"], "aws:RequestedRegion": "ap-south-1"},
}


def statements(kind: str, perimeter: Perimeter = AT_TABLES) -> tuple[DenyStatement, ...]:
    match kind:
        case "service control":
            return perimeter.service_control_statements()
        case "identity":
            return perimeter.identity_statements()
        case "identity of a role":
            return perimeter.identity_statements(role=POLLER)
        case "table":
            return perimeter.table_statements(ORDERS)
    return perimeter.stream_statements(ORDERS)


def later(kind: str, perimeter: Perimeter = AT_TABLES) -> tuple[DenyStatement, ...]:
    return tuple(each for each in statements(kind, perimeter) if each.sid.startswith("PerimeterUnclassified"))


def policies(kind: str, *denials: DenyStatement) -> Policies:
    if kind == "service control":
        documents = [[EVERYTHING, plain_policy(*denials)]]
        return Policies(identity=[EVERYTHING], resource=resource_policy(), service_control=documents)
    if kind.startswith("identity"):
        return Policies(identity=[plain_policy(*denials)], resource=resource_policy())
    return Policies(identity=[EVERYTHING], resource=resource_policy(*denials))


@cache
def whole(kind: str) -> Policies:
    return policies(kind, *statements(kind))


def resource_of(kind: str) -> str:
    return RESOURCES["stream" if kind == "stream" else "table"]


def _resources(kind: str, action: str) -> Iterator[str]:
    """The resources that an action goes to, of those that a policy is about."""
    known = {
        Resource.TABLE: RESOURCES["table"],
        Resource.INDEX: RESOURCES["index"],
        Resource.STREAM: RESOURCES["stream"],
        Resource.BACKUP: RESOURCES["backup"],
        Resource.EXPORT: f"{ORDERS.arn}/export/01234567890123-abcdefab",
        Resource.IMPORT: f"{ORDERS.arn}/import/01234567890123-abcdefab",
        Resource.GLOBAL_TABLE: f"arn:aws:dynamodb::{OWNER}:global-table/orders",
        Resource.BULK_OPERATION: f"{ORDERS.arn}/bulk-operation/01234567890123-abcdefab",
    }
    of_kind = {"table": {Resource.TABLE, Resource.INDEX}, "stream": {Resource.STREAM}}.get(kind, set(Resource))
    found = [known[each] for each in sorted(ACTIONS[action].resources & of_kind)]
    yield from found or (["*"] if kind not in ("table", "stream") else [])


def _compared(kind: str) -> Iterator[str]:
    # Of other actions a table's policy knows nothing: DynamoDB does not support them there.
    for name, action in ACTIONS.items():
        if kind not in ("table", "stream") or action.resource_policy is not ResourcePolicySupport.IDENTITY_ONLY:
            yield name


@pytest.mark.parametrize("kind", KINDS)
def test_it_decides_nothing_about_a_classified_action(kind: str) -> None:
    with_it = whole(kind)
    without = policies(kind, *(each for each in statements(kind) if each not in later(kind)))
    compared = 0
    for action in _compared(kind):
        for resource in _resources(kind, action):
            for caller in _EVERYBODY.values():
                for place in _PLACES.values():
                    request = asked(caller=caller, place=place, action=action, resource=resource)
                    assert evaluate(request, with_it).outcome is evaluate(request, without).outcome, request
                    compared += 1
    assert compared > (500 if kind == "stream" else 8_000)


# Who may do tomorrow's action from outside: whoever another statement of the same policy exempts from anything, and
# whoever deploys.
_DEPLOYING: Final = {"break-glass", "break-glass in a function", "the deployment", "cdk deploy"}
_POLLING: Final = {"Lambda polling", "the polling function's code"}
_OF_TABLES: Final = {"the exporter", "the restorer", "an auditor", "an auditor of us-east-1", "the user on call"}
_SERVICES: Final = {
    "a service for us",
    "a service for nobody named",
    "a service for a stranger",
    "a service for a stranger of no organization",
}
_LINKED_ROLES: Final = {"replication", "autoscaling", "a new service-linked role"}
_ALLOWED: Final[dict[str, set[str]]] = {
    # A role of every account is one of the organization, which is all that an SCP binds.
    "service control": {
        *_DEPLOYING, *_POLLING, *_OF_TABLES, *_SERVICES, *_LINKED_ROLES,
        "the root user", "a stranger's deployment", "anonymous",
    },
    # Neither services nor root users have an identity policy.
    "identity": {*_SERVICES, "the root user", "anonymous"},
    "identity of a role": {*_DEPLOYING, *_POLLING, *_OF_TABLES, *_SERVICES, "the root user", "anonymous"},
    "table": {*_DEPLOYING, *_OF_TABLES, *_SERVICES, *_LINKED_ROLES},
    "stream": {*_DEPLOYING, *_POLLING, *_SERVICES, *_LINKED_ROLES},
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", [name for name in OUTSIDE if name != "Athena"])
def test_from_outside_it_denies_a_new_action_to_all_but_the_exempt(kind: str, place: str) -> None:
    for name, caller in _EVERYBODY.items():
        made = decision(whole(kind), caller=caller, place=OUTSIDE[place], action=NEW, resource=resource_of(kind))
        assert (made.outcome is not Outcome.EXPLICITLY_DENIED) is (name in _ALLOWED[kind]), name


@pytest.mark.parametrize("kind", KINDS)
def test_from_inside_it_denies_nothing(kind: str) -> None:
    for place in INSIDE.values():
        for name, caller in _EVERYBODY.items():
            made = decision(whole(kind), caller=caller, place=place, action=NEW, resource=resource_of(kind))
            assert made.outcome is not Outcome.EXPLICITLY_DENIED, name


@pytest.mark.parametrize("kind", KINDS)
def test_a_service_that_may_forward_anything_may_forward_it(kind: str) -> None:
    anybody = CALLERS["an application"]
    # No statement of the stream's policy is about exports, for which Athena is exempt.
    for service, passes in (("Athena", kind != "stream"), ("CloudFormation", False)):
        request: dict[str, Any] = {"action": NEW, "resource": resource_of(kind), "place": OUTSIDE[service]}
        assert allowed(whole(kind), caller=anybody, **request) is passes
    forwarding = Exemption(
        principal=Forwarding(), actions=RestrictedActions.EXPORT | RestrictedActions.STREAM, reason="reports"
    )
    every = replace(AT_TABLES, exemptions=[forwarding])
    assert allowed(policies(kind, *statements(kind, every)), caller=anybody, **request)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("action", ["DescribeTeleport", "ListTeleports"])
def test_looking_stays_open_unless_settings_are_restricted(kind: str, action: str) -> None:
    request: dict[str, Any] = {
        "caller": CALLERS["an application"], "place": OUTSIDE["the internet"], "action": action,
        "resource": resource_of(kind),
    }  # fmt: skip
    assert allowed(whole(kind), **request)
    deployer = Exemption(
        principal=DEPLOYER, actions=RestrictedActions.DEPLOYMENT | RestrictedActions.SETTINGS, reason="deployments"
    )
    closed = replace(AT_TABLES, exemptions=[deployer], settings_too="the table's shape is a secret")
    assert not allowed(policies(kind, *statements(kind, closed)), **request)
    for known in ("ListTables", "DescribeEndpoints"):
        of_none = {**request, "action": known, "resource": "*"}
        assert allowed(policies(kind, *statements(kind, closed)), **of_none)


@pytest.mark.parametrize("kind", ["service control", "identity", "identity of a role"])
@pytest.mark.parametrize(
    ("action", "resource"),
    [
        # A recovery point of a table has an ARN of DynamoDB's.
        ("backup:StartRestoreJob", RESOURCES["backup"]),
        ("backup:DeleteRecoveryPoint", RESOURCES["backup"]),
        ("backup:TeleportRecoveryPoint", RESOURCES["backup"]),
        ("s3:GetObject", "arn:aws:s3:::bucket/key"),
        ("s3:TeleportObject", "arn:aws:s3:::bucket/key"),
        ("dax:TeleportItems", f"arn:aws:dax:{REGION}:{OWNER}:cache/orders"),
        ("iam:GetRole", "*"),
        ("kms:Decrypt", f"arn:aws:kms:{REGION}:{OWNER}:key/1"),
        # Without a resource it cannot be told from what other services do.
        ("dynamodb:TeleportAccount", "*"),
    ],
)
def test_it_leaves_other_services_alone(kind: str, action: str, resource: str) -> None:
    for caller in ("an application", "an administrator", "the root user"):
        place = OUTSIDE["the internet"]
        assert allowed(whole(kind), caller=CALLERS[caller], place=place, action=action, resource=resource)


@pytest.mark.parametrize(
    ("kind", "resources"),
    [
        *(
            (kind, (*RESOURCES.values(), f"arn:aws:dynamodb::{OWNER}:global-table/orders"))
            for kind in ("service control", "identity", "identity of a role")
        ),
        ("table", (RESOURCES["table"], RESOURCES["index"])),
        ("stream", (RESOURCES["stream"],)),
    ],
)
def test_it_covers_every_resource_of_dynamodb(kind: str, resources: tuple[str, ...]) -> None:
    for resource in resources:
        request: dict[str, Any] = {"place": OUTSIDE["the internet"], "action": NEW, "resource": resource}
        assert not allowed(whole(kind), caller=CALLERS["an application"], **request), resource


@pytest.mark.parametrize("kind", ["service control", "identity"])
def test_it_covers_the_resources_of_its_partition(kind: str) -> None:
    china = ORDERS.arn.replace("arn:aws:", "arn:aws-cn:")
    made = (
        PERIMETER.service_control_statements(partition="aws-cn")
        if kind == "service control"
        else PERIMETER.identity_statements(partition="aws-cn")
    )
    request: dict[str, Any] = {"place": OUTSIDE["the internet"], "action": NEW, "resource": china}
    assert not allowed(policies(kind, *made), caller=CALLERS["an application"], **request)


@pytest.mark.parametrize(
    ("kind", "passes"), [("service control", False), ("table", False), ("stream", False), ("identity", True)]
)
def test_a_vpc_counts_in_its_own_region_but_in_a_boundary(kind: str, passes: bool) -> None:
    """Where there is room for one statement alone, the ids of all regions' VPCs stand in it."""
    perimeter = Perimeter(
        networks=[FromVpc("vpc-0abc1234", region=REGION), FromVpc("vpc-0def5678", region="eu-west-1")],
        not_action_at_tables="tried",
    )
    place = {"aws:SourceVpc": "vpc-0def5678", "aws:RequestedRegion": REGION}
    request: dict[str, Any] = {"place": place, "action": NEW, "resource": resource_of(kind)}
    assert allowed(policies(kind, *statements(kind, perimeter)), caller=CALLERS["an application"], **request) is passes


def test_an_scp_exempts_deployments_of_the_accounts_that_it_binds() -> None:
    made = PERIMETER.service_control_statements(accounts=[PARTNER])
    for name, passes in (("the deployment", True), ("cdk deploy", True), ("break-glass", False)):
        request: dict[str, Any] = {"place": OUTSIDE["the internet"], "action": NEW, "resource": ORDERS.arn}
        assert allowed(policies("service control", *made), caller=CALLERS[name], **request) is passes


def test_whoever_deploys_is_guarded_where_nobody_else_is_exempt() -> None:
    perimeter = replace(PERIMETER, exemptions=[])
    made = policies("service control", *perimeter.service_control_statements())
    deployment, admin = CALLERS["the deployment"], CALLERS["an administrator"]
    role = str(deployment.context["aws:PrincipalArn"])
    request: dict[str, Any] = {"place": OUTSIDE["the internet"], "action": NEW, "resource": ORDERS.arn}
    assert allowed(made, caller=deployment, **request)
    assert not allowed(made, caller=admin, **request)
    for caller, passes in ((deployment, True), (admin, False)):
        assert allowed(made, caller=caller, place={}, action="iam:CreateRole", resource=role) is passes
    open_ = replace(perimeter, unclassified_open="why")
    assert not any(denial.sid.startswith("Guard") for denial in open_.service_control_statements())


@pytest.mark.parametrize("kind", KINDS)
def test_it_can_be_left_out_and_tables_have_it_when_asked_for(kind: str) -> None:
    at_tables = kind in ("table", "stream")
    assert bool(later(kind, PERIMETER)) is not at_tables
    assert later(kind, AT_TABLES)
    open_ = replace(PERIMETER, unclassified_open="the vendor's tool does what AWS adds")
    assert not later(kind, open_)
    assert statements(kind, open_) == tuple(each for each in statements(kind, PERIMETER) if each not in later(kind))


def test_an_rcp_takes_no_such_statement() -> None:
    assert all(denial.actions for denial in AT_TABLES.resource_control_statements())


def test_metadata_say_where_it_stands() -> None:
    for perimeter, at_tables, open_ in (
        (PERIMETER, None, None),
        (AT_TABLES, "tried on 2026-12-01", None),
        (replace(PERIMETER, unclassified_open="no room"), None, "no room"),
    ):
        said = read_restriction(Source(perimeter_json(perimeter)))
        assert (said.not_action_at_tables, said.unclassified_open) == (at_tables, open_)


def _mutants(statement: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The statement with one thing less, each with an action whose decision has to change."""
    names = statement["NotAction"]
    for name in names:
        rest = [other for other in names if other != name]
        yield f"NotAction without {name}", {**statement, "NotAction": rest}, name.replace("*", "Teleport")
    yield "every action of DynamoDB", {**statement, "NotAction": [*names, "dynamodb:*"]}, f"dynamodb:{NEW}"
    yield "every new reader", {**statement, "NotAction": [*names, "dynamodb:T*"]}, f"dynamodb:{NEW}"
    if "backup:*" in names:
        yield "every resource", {**statement, "Resource": "*"}, "s3:TeleportObject"
    resources = statement["Resource"] if isinstance(statement["Resource"], list) else []
    for resource in resources:
        rest = [other for other in resources if other != resource]
        yield f"without {resource}", {**statement, "Resource": rest}, f"dynamodb:{NEW}"
    for operator, keys in statement["Condition"].items():
        for key, values in keys.items():
            listed = values if isinstance(values, list) else [values]
            for left in ([], *([v for v in listed if v != value] for value in listed if len(listed) > 1)):
                others = {name: value for name, value in keys.items() if name != key}
                changed = {**others, key: left} if left else others
                condition = {**statement["Condition"], operator: changed}
                if not changed:
                    del condition[operator]
                gone = [value for value in listed if value not in left]
                yield f"{key} without {gone}", {**statement, "Condition": condition}, f"dynamodb:{NEW}"


_REGIONS: Final = (REGION, "eu-west-1", "ap-south-1")
_FROM: Final = (*_PLACES.values(), INSIDE["the endpoint"], INSIDE["the office"], INSIDE["the office over IPv6"])


@pytest.mark.parametrize("kind", KINDS)
def test_every_part_of_it_is_needed(kind: str) -> None:
    survivors = []
    for denial in later(kind):
        statement = denial.to_json(principal="*" if kind in ("table", "stream") else None)
        for change, mutant, action in _mutants(statement):
            if not _noticed(kind, statement, mutant, action):
                survivors.append(f"{denial.sid}: {change}")
    # It is one of the service-linked roles of the account, all of which are exempt.
    assert [each for each in survivors if "AWSServiceRoleForDynamoDBReplication" not in each] == []


def _noticed(kind: str, statement: dict[str, Any], mutant: dict[str, Any], action: str) -> bool:
    one, other = (_alone(kind, each) for each in (statement, mutant))
    resources = (f"arn:aws:s3:::bucket/{action}",) if action.startswith("s3:") else tuple(RESOURCES.values())

    requests = (
        asked(caller=caller, place=place, action=action, resource=resource)
        for resource in resources
        for network in (*_FROM, {"aws:SourceVpc": "vpc-0def5678"})
        for place in ({**network, "aws:RequestedRegion": region} for region in _REGIONS)
        for caller in _EVERYBODY.values()
    )
    return any(evaluate(request, one).outcome is not evaluate(request, other).outcome for request in requests)


def _alone(kind: str, statement: dict[str, Any]) -> Policies:
    """The policies with this statement and no other: the restriction would deny some of it as well."""
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    if kind in ("table", "stream"):
        document = {"Version": "2012-10-17", "Statement": [{**allow, "Principal": "*"}, statement]}
        return Policies(identity=[EVERYTHING], resource=document)
    document = {"Version": "2012-10-17", "Statement": [allow, statement]}
    if kind == "service control":
        return Policies(identity=[EVERYTHING], resource=resource_policy(), service_control=[[EVERYTHING, document]])
    return Policies(identity=[document], resource=resource_policy())
