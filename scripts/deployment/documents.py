"""Policy documents as AWS may hand them back: with other words for the same."""

from __future__ import annotations

import json
import re
from typing import Any

_ROOT = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):root")
_LISTS = ("Action", "NotAction", "Resource", "NotResource")


def normal(document: Any) -> Any:
    """One form for documents that say the same: what may be a list is one, in order, and an account is its id.

    Args:
        document: A policy document, as JSON or as text; None for none.
    """
    if document is None:
        return None
    said = json.loads(document) if isinstance(document, str) else document
    statements = said["Statement"] if isinstance(said["Statement"], list) else [said["Statement"]]
    return {**said, "Statement": sorted((_statement(each) for each in statements), key=_text)}


def _statement(said: dict[str, Any]) -> dict[str, Any]:
    found = dict(said)
    for element in _LISTS:
        if element in found:
            found[element] = _listed(found[element])
    for element in ("Principal", "NotPrincipal"):
        if isinstance(found.get(element), dict):
            found[element] = {kind: sorted(map(_account, _listed(who))) for kind, who in found[element].items()}
    if "Condition" in found:
        found["Condition"] = {
            operator: {key: _listed(values) for key, values in clauses.items()}
            for operator, clauses in found["Condition"].items()
        }
    return found


def _listed(value: Any) -> list[str]:
    return sorted(map(str, value)) if isinstance(value, list) else [str(value)]


def _account(principal: str) -> str:
    return _ROOT.sub(r"\1", principal)


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True)
