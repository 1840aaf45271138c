"""Value objects are shown as one would write them, the same in every run, and are equal whatever the order."""

from __future__ import annotations

import ast
import datetime as dt
import os
import subprocess
import sys
from typing import Any, Final

import pytest

from tableguard import policy
from tableguard.policy import (
    Access,
    InvalidInputError,
    break_glass,
    deny_statements,
    documents,
    guardrails,
    perimeter,
    principals,
)
from tableguard.policy.conditions import Until
from tableguard.policy.guardrails import GLOBAL_SERVICES, OnlyRegions
from tableguard.policy.guardrails.rendered import Control
from tableguard.policy.metadata.permissions import access_json, restricted_actions_json
from tableguard.policy.people import NoPeople
from tableguard.policy.perimeter import RestrictedActions
from tableguard.policy.perimeter.restricted_actions import Side

READER: Final = "Role(account='111122223333', name='reader')"
EXEMPTION: Final = f"Exemption(principal={READER}, actions=RestrictedActions.EXPORT, reason='nightly')"
NETWORK: Final = "FromNetwork('192.0.2.0/24')"

# Each is made, and shown as it was written.
WRITTEN: Final = [
    "Access.READ",
    "Access.READ_WRITE",
    "Access.READ | Access.STREAM",
    "Access.READ_ITEMS | Access.WRITE | Access.SETTINGS",
    "Access.on_table('GetItem', 'Query')",
    "Access.on_index('Query', index='by-date')",
    "Access.on_index('Query', 'Scan')",
    "Access.STREAM | Access.on_table('GetItem') | Access.on_index('Query', index='by-date')",
    "Access.on_stream('GetRecords')",
    "RestrictedActions.ITEMS",
    "RestrictedActions.ALL",
    "RestrictedActions.ALL | RestrictedActions.SETTINGS",
    "RestrictedActions.DEPLOYMENT | RestrictedActions.NEW_COPY",
    "RestrictedActions.EXPORT | RestrictedActions.on_table('Query') | RestrictedActions.on_stream('GetRecords')",
    "BreakGlassAccess.SETTINGS_AND_TTL",
    "BreakGlassAccess.FULL",
    "Account('111122223333')",
    READER,
    "Role(account='111122223333', name='reader', path='/apps/')",
    "User(account='111122223333', name='ann')",
    "ArnIdentity(account='111122223333', principal_arn='arn:aws:iam::111122223333:role/r', described_as='App/R')",
    "RoleSession(account='111122223333', role='reader', session='nightly')",
    "FederatedUser(account='111122223333', name='bob')",
    "PermissionSet(account='111122223333', name='Steward')",
    "AwsService(service='glue.amazonaws.com', source_account='111122223333')",
    "Organization('o-a1b2c3d4e5')",
    "OrganizationalUnit('o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/')",
    "ServiceLinkedRole(account='111122223333', service='dax.amazonaws.com', name='AWSServiceRoleForDAX')",
    "RoleOfEveryAccount(name='deploy-*', path='/ci/')",
    f"LambdaPoller({READER})",
    "Forwarding('athena.amazonaws.com', 'glue.amazonaws.com')",
    "Forwarding()",
    "FromVpc('vpc-0abc1234', region='eu-west-1')",
    "FromVpcEndpoint('vpce-1a2b3c4d', 'vpce-2a2b3c4d')",
    NETWORK,
    "FromVpcsOfAccount('111122223333')",
    "FromVpcsOfOrganization('o-a1b2c3d4e5')",
    "InOrganization('o-a1b2c3d4e5')",
    "LeadingKeys('a', 'b*')",
    "LeadingKeys('a', attribute=2)",
    "Attributes('pk', 'name')",
    "Until(datetime.date(2027, 1, 31))",
    "Clause('StringEquals', 'aws:PrincipalTag/team', ['red'])",
    f"TableGrant({READER}, Access.READ)",
    f"TableGrant({READER}, Access.READ, reason='ADR-7', conditions=[{NETWORK}], until=datetime.date(2027, 1, 31))",
    EXEMPTION,
    f"Perimeter(networks=[{NETWORK}])",
    f"Perimeter(networks=[{NETWORK}], exemptions=[{EXEMPTION}])",
    "NoPeople()",
    f"NoPeople(sign_in_roles=[{READER}])",
    "TableReference(account='111122223333', region='eu-west-1', name='orders')",
    "TableReference(account='111122223333', region='eu-west-1', name='orders', indexes=['by-date'])",
    "DenyStatement(sid='Wall', actions=['dynamodb:*'], clauses=[Clause('Bool', 'aws:SecureTransport', ['false'])])",
    "AllowStatement(['dynamodb:GetItem'], ['*'])",
    "ProtectTables()",
    f"ProtectTables(exempt_principals=[{READER}], parts=[TablePart.POLICY, TablePart.TAGS], tags=['team'])",
    "ProtectKeys()",
    "OnlyRegions('eu-west-1', 'us-east-1')",
    "NoEc2(reason='serverless')",
    f"VaultGuardrail(deployers=[{READER}], buckets=['acme-sealed'])",
    f"Control(guardrails=[ProtectTables()], administrators=[{READER}], excluded_accounts={{'222233334444': 'trials'}})",
    "UsersWithMfa(users=[User(account='111122223333', name='ann')], mfa_age=600)",
]


NAMES: Final[dict[str, Any]] = {
    name: value
    for module in (policy, deny_statements, documents, principals, perimeter, guardrails, break_glass)
    for name, value in vars(module).items()
} | {"datetime": dt, "Until": Until, "Side": Side, "NoPeople": NoPeople, "Control": Control}


def made(text: str) -> Any:
    return eval(text, NAMES)  # noqa: S307 - written above


@pytest.mark.parametrize("text", WRITTEN)
def test_is_what_one_would_write(text: str) -> None:
    assert repr(made(text)) == text
    assert made(repr(made(text))) == made(text)


def test_an_exempt_service_of_only_regions_is_shown_where_it_is_one_more() -> None:
    assert repr(OnlyRegions("eu-west-1", exempt_actions=tuple(reversed(GLOBAL_SERVICES)))) == "OnlyRegions('eu-west-1')"
    assert "'wafv2:*'" in repr(OnlyRegions("eu-west-1", exempt_actions=(*GLOBAL_SERVICES, "wafv2:*")))


def test_errors_show_it() -> None:
    with pytest.raises(InvalidInputError, match=r"got Access\.READ \| Access\.STREAM\."):
        raise InvalidInputError("it", value=Access.STREAM | Access.READ, allowed="x")


READ_AND_STREAM: Final = (Access.READ | Access.STREAM, Access.STREAM | Access.READ)
TWO_ACTIONS: Final = (Access.on_table("GetItem", "Query"), Access.on_table("Query", "GetItem"))
ONE_BY_ONE: Final = (
    Access.on_table("Query") | Access.on_index("Query") | Access.READ,
    Access.READ | Access.on_index("Query") | Access.on_table("Query"),
)


@pytest.mark.parametrize("pair", [READ_AND_STREAM, TWO_ACTIONS, ONE_BY_ONE])
def test_the_order_of_an_access_changes_nothing(pair: tuple[Access, Access]) -> None:
    one, other = pair
    assert (one, hash(one), repr(one), one.name) == (other, hash(other), repr(other), other.name)
    assert access_json(one) == access_json(other)


@pytest.mark.parametrize(
    "pair",
    [
        (RestrictedActions.ITEMS | RestrictedActions.STREAM, RestrictedActions.STREAM | RestrictedActions.ITEMS),
        (RestrictedActions.on_table("Scan", "GetItem"), RestrictedActions.on_table("GetItem", "Scan")),
    ],
)
def test_the_order_of_what_is_restricted_changes_nothing(pair: tuple[RestrictedActions, RestrictedActions]) -> None:
    one, other = pair
    assert (one, hash(one), repr(one), one.name) == (other, hash(other), repr(other), other.name)
    assert restricted_actions_json(one) == restricted_actions_json(other)


def test_what_it_is_called_makes_no_other_access() -> None:
    named = Access("mine", Access.READ.permissions)
    assert named == Access.READ
    assert hash(named) == hash(Access.READ)
    assert named != Access.READ_ITEMS
    assert RestrictedActions("mine", RestrictedActions.EXPORT.permissions) == RestrictedActions.EXPORT
    assert RestrictedActions.EXPORT != RestrictedActions.BACKUP


def test_a_set_that_no_call_makes_is_shown_sorted() -> None:
    actions = ["GetItem", "PutItem", "Query", "Scan", "UpdateItem"]
    new = RestrictedActions("some", frozenset((Side.NEW_TABLE, action) for action in actions))
    pairs = ", ".join(f"(Side.NEW_TABLE, {action!r})" for action in actions)
    assert repr(new) == f"RestrictedActions('some', {{{pairs}}})"
    assert made(repr(new)) == new


def test_every_run_shows_the_same() -> None:
    """Strings hash otherwise in each process, and sets go by that."""
    names = "WRITTEN, made, access_json, restricted_actions_json, Access, RestrictedActions"
    code = f"from tests.unit.policy.test_representation import {names}; print([repr(made(t)) for t in WRITTEN])"
    code += "; print(access_json(Access.READ), restricted_actions_json(RestrictedActions.ALL))"
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    (printed,) = found
    assert ast.literal_eval(printed.splitlines()[0]) == WRITTEN
