"""Which grants to people a restriction of people denies, and which of their actions."""

from __future__ import annotations

import pytest

import tableguard as tg
from tableguard.network.no_human_access import denied_people
from tableguard.policy.people import NoPeople
from tableguard.policy.perimeter import Exemption, RestrictedActions
from tests.unit.tables.support import OWNER, PARTNER, REGION

ORDERS = tg.TableReference(account=OWNER, region=REGION, name="orders")
ANN = tg.User(account=PARTNER, name="ann")


def denied(access: tg.Access, *exceptions: Exemption, principal: tg.Principal = ANN) -> tuple[str, ...]:
    """The actions of the grant that are denied."""
    grants = [tg.TableGrant(principal, access, reason="a test")]
    people = NoPeople(exceptions=exceptions)
    return tuple(
        action for _, actions in denied_people(people, ORDERS, grants, is_user=lambda _arn: False) for action in actions
    )


@pytest.mark.parametrize("access", [tg.Access.READ, tg.Access.WRITE, tg.Access.STREAM])
def test_a_person_is_denied_items_and_the_stream(access: tg.Access) -> None:
    found = denied(access)
    assert found
    assert set(found) <= {action.name for action in access.actions}
    assert denied(access, principal=tg.Role(account=PARTNER, name="reader")) == ()


def test_of_the_stream_everything_that_reads_is_denied() -> None:
    assert {"GetRecords", "GetShardIterator"} <= set(denied(tg.Access.STREAM))


def test_an_exception_is_for_its_principal_and_its_actions() -> None:
    mine = Exemption(principal=ANN, actions=RestrictedActions.STREAM, reason="a test")
    others = Exemption(
        principal=tg.User(account=PARTNER, name="bob"), actions=RestrictedActions.STREAM, reason="a test"
    )
    assert denied(tg.Access.STREAM, mine) == ()
    assert denied(tg.Access.STREAM, others) == denied(tg.Access.STREAM)
    assert denied(tg.Access.READ, mine) == denied(tg.Access.READ)
