"""What a perimeter keeps inside, against what each action can do: a way out for items is in, or left out by name."""

from __future__ import annotations

from typing import Final

import pytest

from tableguard.aws.actions import Effect
from tableguard.aws.dynamodb import ACTIONS, Action, Resource, ResourcePolicySupport
from tableguard.policy import Access
from tableguard.policy.break_glass.access import BreakGlassAccess
from tableguard.policy.perimeter.restricted_actions import RestrictedActions, Side, restricted_anywhere, restricted_at

DANGEROUS: Final = frozenset(Effect) - {Effect.HARMLESS, Effect.CHANGES_PROTECTION}
# Open on purpose, so that a mistake can be put right from anywhere: docs/private-table.md says what that leaves.
LEFT_OPEN: Final = {
    "DeleteGlobalTableWitness": "deletes a witness",
    "DeleteTable": "deletion protection and guardrails keep it",
    "DeleteTableReplica": "deletes a replica",
    "DisassociateTableReplica": "takes a replica out",
    "TagResource": "tags decide only where policies go by them",
    "UntagResource": "likewise",
    "UpdateAbacStatus": "an account's setting, which no table's policy reaches",
    "UpdateContributorInsights": "its reports show keys of items; `settings_too` covers it",
    "UpdateTimeToLive": "deletes items, and reveals none",
}


def names(actions: object) -> set[str]:
    assert isinstance(actions, frozenset)
    return {name for _, name in actions}


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_what_can_reach_items_or_open_the_table_is_restricted_or_left_open_for_a_reason(action: Action) -> None:
    dangerous = action.can(*DANGEROUS) and not action.by_service
    restricted = action.name in restricted_anywhere(settings=False)
    assert restricted is (dangerous and action.name not in LEFT_OPEN), (
        f"decide about {action.qualified}: restriction, or list it"
    )


def test_what_is_left_open_takes_no_items_elsewhere() -> None:
    for name in LEFT_OPEN:
        assert not ACTIONS[name].can(Effect.MOVES_ITEMS_OUT, Effect.MAKES_COPY)


@pytest.mark.parametrize(("side", "resource"), [(Side.TABLE, Resource.TABLE), (Side.STREAM, Resource.STREAM)])
@pytest.mark.parametrize("settings", [True, False])
def test_a_policy_restricts_only_what_it_can_speak_of(side: Side, resource: Resource, settings: bool) -> None:
    for name in restricted_at(side, settings=settings):
        assert resource in ACTIONS[name].resources
        assert ACTIONS[name].resource_policy is not ResourcePolicySupport.IDENTITY_ONLY


def test_settings_are_everything_else_that_a_policy_can_speak_of() -> None:
    assert set(restricted_at(Side.TABLE, settings=True)) == {
        action.name
        for action in ACTIONS.values()
        if Resource.TABLE in action.resources
        and action.resource_policy is not ResourcePolicySupport.IDENTITY_ONLY
        and not action.by_service
    }
    assert set(restricted_at(Side.STREAM, settings=True)) - set(restricted_at(Side.STREAM, settings=False)) == {
        "TagResource",
        "UntagResource",
    }


def test_what_polls_a_stream_is_never_restricted_as_a_setting() -> None:
    assert not {"DescribeStream", "GetRecords", "GetShardIterator"} & names(RestrictedActions.SETTINGS.permissions)


def test_a_deployment_is_exempt_from_nothing_that_shows_items() -> None:
    revealing = {action.name for action in ACTIONS.values() if action.can(Effect.REVEALS_ITEMS)}
    assert not names(RestrictedActions.DEPLOYMENT.permissions) & revealing


@pytest.mark.parametrize(
    ("access", "never"),
    [
        (Access.READ, DANGEROUS - {Effect.REVEALS_ITEMS}),
        (Access.READ_ITEMS, DANGEROUS - {Effect.REVEALS_ITEMS}),
        (Access.STREAM, DANGEROUS - {Effect.REVEALS_ITEMS}),
        (Access.WRITE, DANGEROUS - {Effect.REVEALS_ITEMS, Effect.CHANGES_ITEMS}),
        (Access.SETTINGS, DANGEROUS),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_named_access_does_no_more_than_it_says(access: Access, never: frozenset[Effect]) -> None:
    assert [action.name for action in access.actions if action.can(*never)] == []
    assert all(action.across_accounts for action in access.actions)


@pytest.mark.parametrize(
    ("access", "never"),
    [
        (BreakGlassAccess.SETTINGS, DANGEROUS),
        (BreakGlassAccess.SETTINGS_AND_TTL, DANGEROUS - {Effect.CHANGES_ITEMS}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_break_glass_for_settings_reaches_no_item(access: BreakGlassAccess, never: frozenset[Effect]) -> None:
    listed = [ACTIONS[action.partition(":")[2]] for action in access.on_tables]
    assert [action.name for action in listed if action.can(*never)] == []
