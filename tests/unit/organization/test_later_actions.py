"""Synthesized SCPs: what they decide about actions that AWS adds later, and that all else is decided as without it."""

from __future__ import annotations

from typing import Any, Final

from tableguard.aws.dynamodb import ACTIONS, Action, Resource
from tableguard.evaluation import Layer
from tests.unit.organization.guarded import (
    DEVELOPMENT,
    GUARDIAN_ARNS,
    INSIDE,
    OTHER_ARNS,
    OUTSIDE,
    STREAM,
    TABLE,
    UNBOUND,
    asked,
    bound,
    decide,
    decided,
    denied_by,
    everything,
    role,
)
from tests.unit.organization.test_control_decisions import PROTECTED, PUBLIC

_NEW: Final = "dynamodb:TeleportItems"
_SPARED: Final = {
    **GUARDIAN_ARNS,
    "cdk deploy": OTHER_ARNS["cdk deploy"],
    # The perimeter lets it delete a policy.
    "the root user": OTHER_ARNS["the root user"],
    "whom a guardrail exempts": role("backup-plan"),
    "a role of an account that is excluded": role("admin", account=DEVELOPMENT),
}
_CALLERS: Final = {**OTHER_ARNS, **_SPARED, **UNBOUND}


def _without() -> list[dict[str, Any]]:
    scps, _ = everything()
    kept = ([s for s in each["Statement"] if not s["Sid"].startswith("PerimeterUnclassified")] for each in scps)
    return [{"Version": "2012-10-17", "Statement": statements} for statements in kept if statements]


def test_from_outside_nobody_uses_a_new_action_but_whom_any_statement_exempts() -> None:
    scps, _ = everything()
    for name, arn in _CALLERS.items():
        for context in (OUTSIDE, {"aws:RequestedRegion": "us-west-2"} if name in _SPARED else OUTSIDE):
            by = {
                sid
                for layer, sid in denied_by(decide(arn, _NEW, scps=scps, context=context))
                if layer is Layer.SERVICE_CONTROL
            }
            refused = any(sid.startswith("PerimeterUnclassified") for sid in by)
            assert refused is (name not in _SPARED and name not in UNBOUND), name


def test_from_inside_everybody_uses_it() -> None:
    scps, _ = everything()
    for name, arn in _CALLERS.items():
        assert Layer.SERVICE_CONTROL not in {
            layer for layer, _ in denied_by(decide(arn, _NEW, scps=scps, context=INSIDE))
        }, name


def _resource(action: Action) -> str:
    if not action.resources:
        return "*"
    return STREAM if Resource.STREAM in action.resources else TABLE


def test_all_other_decisions_are_the_same() -> None:
    scps, _ = everything()
    without = _without()
    with_it, without_it = bound(scps=scps), bound(scps=without)
    assert sum(len(each["Statement"]) for each in scps) > sum(len(each["Statement"]) for each in without)
    compared = {
        *PROTECTED,
        *PUBLIC,
        *((f"dynamodb:{name}", _resource(a)) for name, a in ACTIONS.items()),
    }
    for action, resource in sorted(compared):
        for name, arn in _CALLERS.items():
            for context in (INSIDE, OUTSIDE):
                request = asked(arn, action, resource, context=context)
                one, other = (decided(request, policies).outcome for policies in (with_it, without_it))
                assert one is other, (name, action)
