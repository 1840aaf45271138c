"""The JSON form of requests, policies and decisions, for the batch command and for other programs.

Unknown keys inside a request or its policies are errors: a misspelt layer would silently leave out its Denies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tableguard.evaluation.cache import ContentCache
from tableguard.evaluation.decision import Decision, DocumentLocation, Reason
from tableguard.evaluation.policies import Policies
from tableguard.evaluation.request import Request
from tableguard.policy.errors import InvalidInputError

_REQUIRED: Final = frozenset({"principal", "action", "resource"})
_REQUEST: Final = _REQUIRED | {"resource_account", "context", "federated_by", "management_account"}
_POLICIES: Final = frozenset(
    ["identity", "resource", "service_control", "resource_control", "boundary", "session", "endpoint"]
)


def request_from_json(value: object) -> Request:
    """Read the `request` of a line.

    Args:
        value: An object with `principal`, `action` and `resource`, and perhaps `resource_account`, `context`,
            `federated_by` and `management_account`; null means left out.

    Raises:
        InvalidInputError: If it is no such object, or `Request` refuses it.
    """
    given = _object("request", value, _REQUEST)
    missing = sorted(_REQUIRED - given.keys())
    if missing:
        raise InvalidInputError("request", value=sorted(given), allowed="an object with principal, action and resource")
    return Request(**given)


def policies_from_json(value: object) -> Policies:
    """Read the `policies` of a line.

    Args:
        value: An object of layers as in `Policies`, as it was read from JSON; null means none, for a layer and for
            all of them.

    Raises:
        InvalidInputError: If it is no such object, or `Policies` refuses it.
    """
    return _POLICY_SETS.of_json(value)


def _policies(value: object) -> Policies:
    return Policies(**_object("policies", {} if value is None else value, _POLICIES))


# A batch asks many requests of the same policies, each time written out in full.
_POLICY_SETS: Final = ContentCache(_policies, generation_bytes=4 * 1024 * 1024)


def decision_to_json(decision: Decision) -> dict[str, Any]:
    """Write a decision: `decision`, `because`, and `understood` when it is false."""
    written: dict[str, Any] = {
        "decision": decision.outcome.value,
        "because": [_reason(reason) for reason in decision.because],
    }
    if not decision.understood:
        written["understood"] = False
    return written


def _object(name: str, value: object, allowed: frozenset[str]) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidInputError(name, value=type(value).__name__, allowed="an object")
    strange = value.keys() - allowed
    if strange:
        raise InvalidInputError(f"a key of {name}", value=min(map(str, strange)), allowed=", ".join(sorted(allowed)))
    return {key: item for key, item in value.items() if item is not None}


def _reason(reason: Reason) -> dict[str, Any]:
    written: dict[str, Any] = {
        "layer": reason.layer.value,
        "sid": reason.sid,
        "effect": None if reason.effect is None else reason.effect.value,
    }
    if reason.place is not None:
        written["place"] = _place(reason.place)
    if reason.statement is not None:
        written["statement"] = reason.statement
    if reason.level is not None:
        written["level"] = reason.level
    if not reason.understood:
        written["understood"] = False
    if reason.detail is not None:
        written["detail"] = reason.detail
    if reason.open is not None:
        written["open"] = reason.open.id
    return written


def _place(place: DocumentLocation) -> dict[str, str]:
    fields = {"policy": place.policy, "stack": place.stack, "logical_id": place.logical_id, "path": place.path}
    return {name: text for name, text in fields.items() if text is not None}
