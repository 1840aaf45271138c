"""What a break-glass role refuses to be made of, and what its template says of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any, Final

import pytest
from syrupy.assertion import SnapshotAssertion

import tableguard as tg
from tests.unit.organization.support import ANN, EMERGENCY, PEOPLE, STRANGER, USERS, break_glass
from tests.unit.tables.support import OWNER, TODAY, app, stack, warnings

INSIDER: Final = tg.UsersWithMfa(users=[tg.User(account=OWNER, name="ann")])
FOREIGN: Final = tg.TableReference(account=STRANGER, region="us-east-1", name="orders")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: break_glass(assumed_by=[]), "at least one of UsersWithMfa"),
        (lambda: break_glass(assumed_by=USERS), "a list"),
        (lambda: break_glass(assumed_by=[USERS, USERS]), "each permission set and each user once"),
        (lambda: break_glass(assumed_by=[USERS, tg.UsersWithMfa(users=[ANN])]), "each user once"),
        (lambda: break_glass(assumed_by=[EMERGENCY, EMERGENCY]), "each permission set"),
        (lambda: break_glass(assumed_by=[tg.Account(PEOPLE)]), "cannot be named"),
        (lambda: break_glass(assumed_by=[tg.Role(account=PEOPLE, name="ops")]), "cannot be named"),
        (lambda: break_glass(assumed_by=[INSIDER]), f"another account than {OWNER}"),
        (lambda: break_glass(reason=" "), "why it is there"),
        (lambda: break_glass(access="full"), "BreakGlassAccess.SETTINGS"),
        (lambda: break_glass(tables=["orders"]), "a TableReference"),
        (lambda: break_glass(tables=[FOREIGN]), f"tables of {OWNER}"),
        (lambda: break_glass(role_name="break glass"), "the name of a Role"),
        (lambda: break_glass(until="2027-01-31"), "datetime.date"),
        (lambda: tg.UsersWithMfa(users=[]), "at least one user"),
        (lambda: tg.UsersWithMfa(users=[ANN, ANN]), "each once"),
        (lambda: tg.UsersWithMfa(users=[ANN, tg.User(account=STRANGER, name="eve")]), "all of one account"),
        (lambda: tg.UsersWithMfa(users=["ann"]), "a user of UsersWithMfa"),  # type: ignore[list-item]
        (lambda: tg.UsersWithMfa(users=[ANN], mfa_age=59), "60 to 3600"),
        (lambda: tg.UsersWithMfa(users=[ANN], mfa_age=3601), "60 to 3600"),
        (lambda: tg.UsersWithMfa(users=[ANN], mfa_age=True), "60 to 3600"),
    ],
)
def test_is_an_error(make: Callable[[], object], said: str) -> None:
    with pytest.raises(tg.InvalidInputError, match=said):
        make()


def test_more_users_than_a_trust_policy_holds_are_an_error() -> None:
    many = tg.UsersWithMfa(users=[tg.User(account=PEOPLE, name=f"on-call-{number:02}") for number in range(40)])
    with pytest.raises(tg.PolicyTooLargeError, match="trust policy of Data/BreakGlass"):
        break_glass(assumed_by=[many])
    raised = tg.Limit("trust policy", 4_096, "characters", "raised")
    assert break_glass(assumed_by=[many], trust_limit=raised).principal.name == "break-glass"


def test_more_tables_than_a_policy_holds_are_an_error() -> None:
    many = [tg.TableReference(account=OWNER, region="us-east-1", name=f"table-{number:03}") for number in range(150)]
    with pytest.raises(tg.PolicyTooLargeError, match="inline policy of Data/BreakGlass"):
        break_glass(tables=many)


def test_one_that_is_over_warns() -> None:
    scope = stack(app(**{TODAY: "2026-11-21"}))
    break_glass(scope, until=dt.date(2026, 11, 20))
    assert any("is over since 2026-11-20" in warning for warning in warnings(scope))


def test_one_that_ends_today_does_not() -> None:
    scope = stack(app(**{TODAY: "2026-11-21"}))
    break_glass(scope, until=dt.date(2026, 11, 21))
    assert not any("is over" in warning for warning in warnings(scope))


@pytest.mark.parametrize("how", ["least", "everything"])
def test_template(how: str, template_snapshots: SnapshotAssertion) -> None:
    orders = tg.TableReference(account=OWNER, region="us-east-1", name="orders")
    more: dict[str, Any] = {
        "assumed_by": [dataclasses.replace(USERS, source_identity=True, mfa_age=300), EMERGENCY],
        "access": tg.BreakGlassAccess.FULL,
        "tables": [orders],
        "until": dt.date(2027, 1, 31),
    }
    scope = stack(app(**{TODAY: "2026-11-21"}))
    break_glass(scope, **(more if how == "everything" else {}))
    assert scope == template_snapshots
