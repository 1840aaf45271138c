"""Which grants a perimeter denies, whatever the caller does."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import tableguard as tg
from tableguard.network.denied_grants import denied_grants
from tableguard.policy import Condition
from tableguard.policy.perimeter import Network
from tests.unit.network.support import ENDPOINT, HERE, ORGANIZATION, POLLER, REPLICA_VPC, STRANGER, THERE, VPC, exempt
from tests.unit.tables.support import OWNER, PARTNER, REGION

ORDERS = tg.TableReference(account=OWNER, region=REGION, name="orders", replica_regions=("eu-west-1",))
READER = tg.Role(account=PARTNER, name="reader")
TOKEN = "${Token[TOKEN.42]}"


def denied(
    principal: tg.Principal,
    access: tg.Access = tg.Access.READ,
    *,
    conditions: Sequence[Condition] = (),
    networks: Sequence[Network] = (HERE,),
    exemptions: Sequence[tg.Exemption] = (),
    organization: str | None = None,
) -> str:
    """Why the grant is denied; nothing where it is not."""
    perimeter = tg.Perimeter(networks=networks, exemptions=exemptions, organization=organization)
    grant = tg.TableGrant(principal, access, reason="a test", conditions=conditions)
    return "".join(why for _, why in denied_grants(perimeter, ORDERS, [grant]))


@pytest.mark.parametrize(
    ("condition", "network", "meet"),
    [
        (tg.FromNetwork("192.0.2.0/24"), tg.FromNetwork("192.0.2.128/25"), True),
        (tg.FromNetwork("192.0.2.0/24"), tg.FromNetwork("203.0.113.0/24"), False),
        (tg.FromNetwork("192.0.2.0/24"), tg.FromNetwork("2001:db8::/32"), False),
        (tg.FromNetwork("192.0.2.0/24"), tg.FromNetwork(TOKEN), True),
        (tg.FromNetwork("192.0.2.0/24"), HERE, False),
        (HERE, tg.FromNetwork("192.0.2.0/24"), False),
        (HERE, tg.FromVpc(REPLICA_VPC, VPC, region=REGION), True),
        (HERE, tg.FromVpc(REPLICA_VPC, region=REGION), False),
        (HERE, tg.FromVpc(VPC, region="eu-west-1"), False),
        (HERE, tg.FromVpc(TOKEN, region=REGION), True),
        (HERE, tg.FromVpcEndpoint(ENDPOINT), True),
        (tg.FromVpcEndpoint(ENDPOINT), tg.FromVpcEndpoint("vpce-99999999"), False),
        (tg.FromVpcEndpoint(ENDPOINT), tg.FromVpcEndpoint("vpce-99999999", ENDPOINT), True),
        (tg.FromVpcEndpoint(ENDPOINT), tg.FromVpcsOfAccount(OWNER), True),
        (tg.FromVpcsOfAccount(OWNER), tg.FromVpcsOfAccount(OWNER, PARTNER), True),
        (tg.FromVpcsOfAccount(OWNER), tg.FromVpcsOfAccount(PARTNER), False),
        (tg.FromVpcsOfOrganization(ORGANIZATION), tg.FromVpcsOfOrganization(ORGANIZATION), True),
        (tg.FromVpcsOfOrganization(ORGANIZATION), tg.FromVpcsOfOrganization("o-zzzzzzzzzz"), False),
    ],
)
def test_a_network_of_the_grant_has_to_meet_one_of_the_perimeter(
    condition: Condition, network: Network, *, meet: bool
) -> None:
    assert bool(denied(READER, conditions=[condition], networks=[network])) is not meet


def test_one_network_that_it_meets_is_enough() -> None:
    assert denied(READER, conditions=[THERE], networks=[HERE, THERE]) == ""


def test_a_grant_from_anywhere_may_come_inside() -> None:
    assert denied(READER) == ""


def test_a_grant_of_settings_is_not_restricted() -> None:
    for principal in (READER, tg.Account(PARTNER)):
        assert denied(principal, tg.Access.SETTINGS, conditions=[tg.FromNetwork("192.0.2.0/24")]) == ""


def test_whoever_is_exempt_for_all_of_it_is_not_denied() -> None:
    office = tg.FromNetwork("192.0.2.0/24")
    for restricted, is_denied in ((tg.RestrictedActions.ITEMS, False), (tg.RestrictedActions.EXPORT, True)):
        why = denied(READER, tg.Access.READ_ITEMS, conditions=[office], exemptions=[exempt(READER, restricted)])
        assert bool(why) is is_denied
    poller = exempt(tg.LambdaPoller(POLLER), tg.RestrictedActions.STREAM)
    assert denied(POLLER, tg.Access.STREAM, conditions=[office], exemptions=[poller]) == ""
    assert denied(POLLER, tg.Access.READ_ITEMS, conditions=[office], exemptions=[poller])


def test_whoever_is_exempt_for_some_of_it_is_denied_the_rest() -> None:
    office = tg.FromNetwork("192.0.2.0/24")
    some = exempt(READER, tg.RestrictedActions.on_table("GetItem"))
    assert denied(READER, tg.Access.on_table("GetItem", "Query"), conditions=[office], exemptions=[some])
    assert denied(READER, tg.Access.on_table("GetItem"), conditions=[office], exemptions=[some]) == ""


@pytest.mark.parametrize(
    ("account", "organization", "is_denied"),
    [(STRANGER, None, True), (STRANGER, ORGANIZATION, False), (OWNER, None, False), (TOKEN, None, False)],
)
def test_a_service_that_calls_for_another_account_is_denied(
    account: str, organization: str | None, *, is_denied: bool
) -> None:
    service = tg.AwsService(service="redshift.amazonaws.com", source_account=account)
    assert bool(denied(service, tg.Access.on_table("Scan"), organization=organization)) is is_denied
