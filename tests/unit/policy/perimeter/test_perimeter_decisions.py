"""Who gets past a perimeter with what, in every policy that renders it: both outcomes, the deciding statement named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tableguard.aws.dynamodb import ResourcePolicySupport
from tableguard.evaluation import Layer, Outcome, Policies
from tableguard.policy import (
    ACTIONS,
    Access,
    FromNetwork,
    FromVpc,
    FromVpcEndpoint,
    Role,
    TableGrant,
    TableReference,
    document,
)
from tableguard.policy.perimeter import (
    Exemption,
    Forwarding,
    FromVpcsOfAccount,
    FromVpcsOfOrganization,
    LambdaPoller,
    Perimeter,
    RestrictedActions,
)
from tests.unit.policy.perimeter.parties import (
    CALLERS,
    ENDPOINT,
    EVERYTHING,
    INSIDE,
    ORDERS,
    ORGANIZATION,
    OUTSIDE,
    PERIMETER,
    POLLER,
    RESOURCES,
    VPC,
    Caller,
    Context,
    allowed,
    decision,
    identity_policies,
    resource_control_policies,
    service_control_policies,
    session,
    stream_policies,
    table_policies,
)
from tests.unit.policy.support import OWNER, PARTNER, REGION

# What each column asks for.
ASKS: Final = {
    "get": ("GetItem", "table"),
    "query": ("Query", "index"),
    "partiql": ("PartiQLSelect", "table"),
    "export": ("ExportTableToPointInTime", "table"),
    "backup": ("CreateBackup", "table"),
    "restore": ("RestoreTableToPointInTime", "table"),
    "replica": ("CreateTableReplica", "table"),
    "kinesis": ("EnableKinesisStreamingDestination", "table"),
    "put": ("PutResourcePolicy", "table"),
    "delete": ("DeleteResourcePolicy", "table"),
    "update": ("UpdateTable", "table"),
    "records": ("GetRecords", "stream"),
    "put-s": ("PutResourcePolicy", "stream"),
    "old": ("RestoreTableFromBackup", "backup"),
    "other": ("GetItem", "other table"),
}

# "yes": allowed from outside. Everything is allowed from inside, and a dot is denied outside.
TABLE: Final = """
                                      | get query partiql export backup restore replica kinesis put delete update
an application                        |  .    .     .       .      .       .       .       .     .    .     yes
an administrator                      |  .    .     .       .      .       .       .       .     .    .     yes
a user                                |  .    .     .       .      .       .       .       .     .    .     yes
the root user                         |  .    .     .       .      .       .       .       .     .   yes    yes
a consumer of another account         |  .    .     .       .      .       .       .       .     .    .     yes
break-glass                           | yes  yes   yes     yes    yes     yes     yes     yes   yes  yes    yes
break-glass without its path          |  .    .     .       .      .       .       .       .     .    .     yes
break-glass of another account        |  .    .     .       .      .       .       .       .     .    .     yes
the deployment                        |  .    .     .       .      .       .      yes     yes   yes  yes    yes
a stranger's deployment               |  .    .     .       .      .       .       .       .     .    .     yes
Lambda polling                        |  .    .     .       .      .       .       .       .     .    .     yes
the polling function's code           |  .    .     .       .      .       .       .       .     .    .     yes
the exporter                          |  .    .     .      yes     .       .       .       .     .    .     yes
the restorer                          |  .    .     .       .      .      yes      .       .     .    .     yes
an auditor                            |  .   yes    .       .      .       .       .       .     .    .     yes
an auditor of us-east-1               |  .   yes    .       .      .       .       .       .     .    .     yes
an application for an account         |  .    .     .       .      .       .       .       .     .    .     yes
an auditor of a longer name           |  .    .     .       .      .       .       .       .     .    .     yes
the user on call                      |  .    .     .       .     yes      .       .       .     .    .     yes
replication                           | yes  yes   yes      .      .       .       .       .     .    .     yes
autoscaling                           |  .    .     .       .      .       .       .       .     .    .     yes
a service for us                      | yes  yes   yes     yes    yes     yes     yes     yes   yes  yes    yes
a service for nobody named            | yes  yes   yes     yes    yes     yes     yes     yes   yes  yes    yes
"""

STREAM: Final = """
                                      | records put-s
an application                        |    .      .
the root user                         |    .      .
break-glass                           |   yes    yes
the deployment                        |    .     yes
a stranger's deployment               |    .      .
Lambda polling                        |   yes     .
the polling function's code           |   yes     .
the exporter                          |    .      .
replication                           |   yes     .
a service for us                      |   yes    yes
"""

# A member's root user is bound like everybody. A role of every account is one of the organization, whichever account.
SERVICE_CONTROL: Final = """
                                      | get query export backup restore old replica put delete update records other
an application                        |  .    .     .      .       .     .     .     .    .     yes     .      .
the root user                         |  .    .     .      .       .     .     .     .   yes    yes     .      .
a consumer of another account         |  .    .     .      .       .     .     .     .    .     yes     .      .
break-glass                           | yes  yes   yes    yes     yes   yes   yes   yes  yes    yes    yes    yes
break-glass of another account        |  .    .     .      .       .     .     .     .    .     yes     .      .
the deployment                        |  .    .     .      .       .     .    yes   yes  yes    yes     .      .
Lambda polling                        |  .    .     .      .       .     .     .     .    .     yes    yes     .
the polling function's code           |  .    .     .      .       .     .     .     .    .     yes     .      .
the exporter                          |  .    .    yes     .       .     .     .     .    .     yes     .      .
the restorer                          | yes  yes    .      .      yes   yes    .     .    .     yes     .     yes
an auditor                            |  .   yes    .      .       .     .     .     .    .     yes     .      .
the user on call                      |  .    .     .     yes      .     .     .     .    .     yes     .      .
replication                           | yes  yes   yes    yes     yes   yes   yes   yes  yes    yes    yes    yes
a service for a stranger              | yes  yes   yes    yes     yes   yes   yes   yes  yes    yes    yes    yes
"""

RESOURCE_CONTROL: Final = """
                                      | get query export backup restore old replica put delete update records other
an application                        |  .    .     .      .       .     .     .     .    .     yes     .      .
the root user                         |  .    .     .      .       .     .     .     .   yes    yes     .      .
a consumer of another account         |  .    .     .      .       .     .     .     .    .     yes     .      .
break-glass                           | yes  yes   yes    yes     yes   yes   yes   yes  yes    yes    yes    yes
the deployment                        |  .    .     .      .       .     .    yes   yes  yes    yes     .      .
a stranger's deployment               |  .    .     .      .       .     .     .     .    .     yes     .      .
Lambda polling                        |  .    .     .      .       .     .     .     .    .     yes    yes     .
the exporter                          |  .    .    yes     .       .     .     .     .    .     yes     .      .
replication                           | yes  yes   yes    yes     yes   yes   yes   yes  yes    yes    yes    yes
a service for us                      | yes  yes   yes    yes     yes   yes   yes   yes  yes    yes    yes    yes
a service for nobody named            | yes  yes   yes    yes     yes   yes   yes   yes  yes    yes    yes    yes
"""

IDENTITY: Final = """
                                      | get query export restore old put delete update records other
an application                        |  .    .     .       .     .   .    .     yes     .      .
the deployment                        |  .    .     .       .     .   .    .     yes     .      .
"""

LAYERS: Final = {
    "table": (TABLE, table_policies(), Layer.RESOURCE),
    "stream": (STREAM, stream_policies(), Layer.RESOURCE),
    "service control": (SERVICE_CONTROL, service_control_policies(), Layer.SERVICE_CONTROL),
    "resource control": (RESOURCE_CONTROL, resource_control_policies(), Layer.RESOURCE_CONTROL),
    "identity": (IDENTITY, identity_policies(), Layer.IDENTITY),
}


def cells() -> Iterator[tuple[str, str, str, bool]]:
    for layer, (matrix, _, _) in LAYERS.items():
        head, *rows = matrix.strip("\n").splitlines()
        for row in rows:
            caller, answers = row.split("|")
            for ask, answer in zip(head.split("|")[1].split(), answers.split(), strict=True):
                yield layer, caller.strip(), ask, answer == "yes"


CELLS: Final = tuple(cells())


@pytest.mark.parametrize(("layer", "caller", "ask", "passes"), CELLS)
def test_outside_only_the_exempt_pass_and_inside_everybody(layer: str, caller: str, ask: str, passes: bool) -> None:
    _, policies, denies = LAYERS[layer]
    action, resource = ASKS[ask]
    for name, place in OUTSIDE.items():
        if name == "Athena" and ask == "export":
            continue
        made = decision(policies, caller=CALLERS[caller], place=place, action=action, resource=RESOURCES[resource])
        assert (made.outcome is Outcome.ALLOWED) is passes, name
        if not passes:
            assert made.outcome is Outcome.EXPLICITLY_DENIED
            assert {reason.layer for reason in made.because} == {denies}
            assert all((reason.sid or "").startswith("Perimeter") for reason in made.because)
        assert made.understood
    foreign = "another account" in caller or "stranger's" in caller
    if foreign and not ACTIONS[action].across_accounts:
        return  # no policy makes these work from another account
    for name, place in INSIDE.items():
        assert allowed(policies, caller=CALLERS[caller], place=place, action=action, resource=RESOURCES[resource]), name


def test_the_matrices_ask_for_both_outcomes_of_everything() -> None:
    for layer in LAYERS:
        answers = {passes for of, _, _, passes in CELLS if of == layer}
        assert answers == {True, False}
    assert len(CELLS) > 500


@pytest.mark.parametrize("layer", ["table", "service control", "resource control"])
def test_a_service_that_may_forward_exports_forwards_nothing_else(layer: str) -> None:
    _, policies, _ = LAYERS[layer]
    anybody = CALLERS["an application"]

    def forwarded(action: str, by: str) -> bool:
        return allowed(policies, caller=anybody, place=OUTSIDE[by], action=action, resource=ORDERS.arn)

    assert forwarded("ExportTableToPointInTime", "Athena")
    assert not forwarded("GetItem", "Athena")
    assert not forwarded("ExportTableToPointInTime", "CloudFormation")


@pytest.mark.parametrize("layer", ["table", "stream", "resource control"])
@pytest.mark.parametrize("caller", ["a service for a stranger", "a service for a stranger of no organization"])
def test_a_service_that_calls_for_a_stranger_is_denied_even_inside(layer: str, caller: str) -> None:
    _, policies, denies = LAYERS[layer]
    action, resource = ("GetRecords", "stream") if layer == "stream" else ("ExportTableToPointInTime", "table")
    for place in (*OUTSIDE.values(), *INSIDE.values()):
        made = decision(policies, caller=CALLERS[caller], place=place, action=action, resource=RESOURCES[resource])
        assert made.outcome is Outcome.EXPLICITLY_DENIED
        assert {(reason.layer, reason.sid) for reason in made.because} == {(denies, "PerimeterServicesForStrangers")}


@pytest.mark.parametrize("layer", ["table", "resource control"])
def test_without_an_organization_services_are_ours_for_the_table_s_own_account(layer: str) -> None:
    perimeter = Perimeter(networks=[FromVpcEndpoint(ENDPOINT)])
    policies = table_policies(perimeter) if layer == "table" else resource_control_policies(perimeter)

    def passes(caller: str) -> bool:
        return allowed(
            policies, caller=CALLERS[caller], place=OUTSIDE["the internet"], action="GetItem", resource=ORDERS.arn
        )

    assert passes("a service for us")
    assert passes("a service for nobody named")
    assert not passes("a service for a stranger")
    assert not passes("a service for a stranger of no organization")


def test_a_vpc_counts_in_its_own_region_only() -> None:
    elsewhere = {"aws:SourceVpc": VPC, "aws:SourceVpce": "vpce-99999999", "aws:RequestedRegion": "eu-west-1"}
    there = ORDERS.arn.replace(REGION, "eu-west-1")
    anybody = CALLERS["an application"]
    for layer in ("service control", "resource control", "identity"):
        _, policies, _ = LAYERS[layer]
        assert not allowed(policies, caller=anybody, place=elsewhere, action="GetItem", resource=there)
        for inside in ("the endpoint", "the office"):
            place = {**INSIDE[inside], "aws:RequestedRegion": "eu-west-1"}
            assert allowed(policies, caller=anybody, place=place, action="GetItem", resource=there)


def test_each_region_has_its_own_vpcs() -> None:
    perimeter = Perimeter(networks=[FromVpc(VPC, region=REGION), FromVpc("vpc-0def5678", region="eu-west-1")])
    anybody = CALLERS["an application"]
    policies = service_control_policies(perimeter)
    for vpc, region, passes in (
        (VPC, REGION, True),
        (VPC, "eu-west-1", False),
        ("vpc-0def5678", "eu-west-1", True),
        ("vpc-0def5678", REGION, False),
        (VPC, "ap-south-1", False),
    ):
        place = {"aws:SourceVpc": vpc, "aws:RequestedRegion": region}
        assert allowed(policies, caller=anybody, place=place, action="GetItem", resource=ORDERS.arn) is passes
    replica = TableReference(account=OWNER, region="eu-west-1", name="orders")
    [ours, *_] = perimeter.table_statements(replica)
    assert ours.resources[0] == replica.arn
    assert ("aws:SourceVpc", ("vpc-0def5678",)) in {(clause.key, clause.values) for clause in ours.clauses}


@pytest.mark.parametrize(
    ("network", "inside", "outside"),
    [
        (FromVpcsOfAccount(OWNER), {"aws:VpceAccount": OWNER}, {"aws:VpceAccount": "999988887777"}),
        (FromVpcsOfOrganization(ORGANIZATION), {"aws:VpceOrgID": ORGANIZATION}, {"aws:VpceOrgID": "o-zzzzzzzzzz"}),
        (FromNetwork("192.0.2.0/24"), {"aws:SourceIp": "192.0.2.1"}, {"aws:SourceIp": "192.0.3.1"}),
        (FromVpcEndpoint(ENDPOINT), {"aws:SourceVpce": ENDPOINT}, {"aws:SourceVpce": "vpce-99999999"}),
    ],
)
def test_one_network_alone_is_a_perimeter(network: FromVpcEndpoint, inside: Context, outside: Context) -> None:
    policies = table_policies(Perimeter(networks=[network]))
    anybody = CALLERS["an application"]
    assert allowed(policies, caller=anybody, place=inside, action="GetItem", resource=ORDERS.arn)
    for place in (outside, {}):
        assert not allowed(policies, caller=anybody, place=place, action="GetItem", resource=ORDERS.arn)


def test_the_policy_of_one_role_counts_its_own_exemptions() -> None:
    code, polling = CALLERS["the polling function's code"], CALLERS["Lambda polling"]
    outside = OUTSIDE["the internet"]
    ours, anybodys = identity_policies(role=POLLER), identity_policies()

    def reads(policies: Policies, caller: Caller) -> bool:
        return allowed(policies, caller=caller, place=outside, action="GetRecords", resource=RESOURCES["stream"])

    assert reads(ours, polling)
    assert not reads(ours, code)
    assert not reads(anybodys, polling)
    assert not allowed(ours, caller=polling, place=outside, action="GetItem", resource=ORDERS.arn)


def test_a_poller_that_is_exempt_by_itself_reads_with_its_own_code_too() -> None:
    perimeter = Perimeter(
        networks=PERIMETER.networks,
        exemptions=[
            Exemption(principal=LambdaPoller(POLLER), actions=RestrictedActions.STREAM, reason="polling"),
            Exemption(principal=POLLER, actions=RestrictedActions.STREAM, reason="its code reads the stream as well"),
        ],
        administrators=[Role(account=OWNER, name="deployer")],
    )
    for caller in ("the polling function's code", "Lambda polling"):
        assert allowed(
            service_control_policies(perimeter),
            caller=CALLERS[caller],
            place=OUTSIDE["the internet"],
            action="GetRecords",
            resource=RESOURCES["stream"],
        )


def test_an_scp_of_some_accounts_leaves_the_roles_of_others_out() -> None:
    everybody = PERIMETER.service_control_statements()
    others = PERIMETER.service_control_statements(accounts=["222233334444"])
    assert any("break-glass" in value for d in everybody for c in d.clauses for value in c.values)
    # What is left of break-glass is that it guards.
    assert not any(
        "break-glass" in value for d in others if not d.sid.startswith("Guard") for c in d.clauses for value in c.values
    )
    assert any("cdk-hnb659fds" in value for d in others for c in d.clauses for value in c.values)


def test_organization_policies_leave_the_management_account_alone() -> None:
    for layer in ("service control", "resource control"):
        _, policies, _ = LAYERS[layer]
        for account, passes in ((OWNER, True), ("111122223333", False)):
            made = decision(
                policies,
                caller=session(f"arn:aws:iam::{OWNER}:role/admin"),
                place=OUTSIDE["the internet"],
                action="GetItem",
                resource=ORDERS.arn,
                management_account=account,
            )
            assert (made.outcome is Outcome.ALLOWED) is passes


def test_settings_are_restricted_when_asked_for_and_somebody_may_still_change_them() -> None:
    deployer = Role(account=OWNER, name="deployer")
    perimeter = Perimeter(
        networks=[FromVpcEndpoint(ENDPOINT)],
        exemptions=[
            Exemption(
                principal=deployer,
                actions=RestrictedActions.DEPLOYMENT | RestrictedActions.SETTINGS,
                reason="deployments",
            )
        ],
        administrators=[deployer],
        settings_too="the table's shape is a secret",
    )
    outside = OUTSIDE["the internet"]
    for policies in (table_policies(perimeter), service_control_policies(perimeter)):
        for action in ("UpdateTable", "DescribeTable", "DeleteTable", "UpdateTimeToLive", "TagResource"):
            anybody, its = CALLERS["an administrator"], session(deployer.arn("aws"))
            assert not allowed(policies, caller=anybody, place=outside, action=action, resource=ORDERS.arn)
            assert allowed(policies, caller=its, place=outside, action=action, resource=ORDERS.arn)
        assert allowed(
            policies, caller=CALLERS["the root user"], place=outside, action="DeleteResourcePolicy", resource=ORDERS.arn
        )


# Every policy of a perimeter whose exemption is about forwarding.
RENDERED: Final = {
    "table": table_policies,
    "service control": service_control_policies,
    "resource control": resource_control_policies,
    "identity": identity_policies,
}


@pytest.mark.parametrize("layer", RENDERED)
@pytest.mark.parametrize(
    ("forwarding", "passing"),
    [
        (Forwarding("athena.amazonaws.com"), {"Athena"}),
        (Forwarding("athena.amazonaws.com", "cloudformation.amazonaws.com"), {"Athena", "CloudFormation"}),
        (Forwarding(), {"Athena", "CloudFormation"}),
    ],
)
def test_what_services_forward_passes_where_they_are_exempt(
    layer: str, forwarding: Forwarding, passing: set[str]
) -> None:
    exemption = Exemption(principal=forwarding, actions=RestrictedActions.EXPORT, reason="reports")
    policies = RENDERED[layer](Perimeter(networks=PERIMETER.networks, exemptions=[exemption]))

    def passes(place: str, action: str) -> bool:
        anybody = CALLERS["an application"]
        return allowed(policies, caller=anybody, place=OUTSIDE[place], action=action, resource=ORDERS.arn)

    assert {place for place in OUTSIDE if passes(place, "ExportTableToPointInTime")} == passing
    assert not any(passes(place, "GetItem") for place in OUTSIDE)


@pytest.mark.parametrize(
    ("network", "inside", "outside"),
    [
        (FromVpcsOfAccount(OWNER), {"aws:VpceAccount": OWNER}, {"aws:VpceAccount": "999988887777"}),
        (FromVpcsOfOrganization(ORGANIZATION), {"aws:VpceOrgID": ORGANIZATION}, {"aws:VpceOrgID": "o-zzzzzzzzzz"}),
    ],
)
def test_a_grant_may_be_for_the_networks_of_an_account_or_an_organization(
    network: FromVpcsOfAccount, inside: Context, outside: Context
) -> None:
    reader = Role(account=PARTNER, name="reader")
    grant = TableGrant(reader, Access.READ, reason="ADR-7", conditions=[network])
    policies = Policies(identity=[EVERYTHING], resource=document(grant.table_statements(ORDERS)))
    caller = session(reader.arn("aws"))
    assert allowed(policies, caller=caller, place=inside, action="GetItem", resource=ORDERS.arn)
    for place in (outside, {}):
        assert not allowed(policies, caller=caller, place=place, action="GetItem", resource=ORDERS.arn)


def test_each_policy_names_each_of_its_statements_once_and_no_action_that_it_may_not() -> None:
    """IAM takes no name twice, and DynamoDB no action that no policy of a resource can hold."""
    of_resources = {
        "table": PERIMETER.table_statements(ORDERS),
        "stream": PERIMETER.stream_statements(ORDERS),
    }
    others = {
        "service control": PERIMETER.service_control_statements(),
        "resource control": PERIMETER.resource_control_statements(),
        "identity": PERIMETER.identity_statements(role=POLLER),
    }
    for name, denials in {**of_resources, **others}.items():
        sids = [denial.sid for denial in denials]
        assert len(set(sids)) == len(sids), name
    # There are some that would have the same name.
    assert any(sid[-1].isdigit() for sid in (denial.sid for denial in PERIMETER.table_statements(ORDERS)))
    for name, denials in of_resources.items():
        actions = {action.removeprefix("dynamodb:") for denial in denials for action in denial.actions}
        assert not [
            action for action in actions if ACTIONS[action].resource_policy is ResourcePolicySupport.IDENTITY_ONLY
        ], name
