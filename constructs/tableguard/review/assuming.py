"""Who may assume a role: its trust policy and the caller's own policies together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tableguard.policy.evaluation import AnyDocument, Decision, Document, Layer, Policies, Request, evaluate


def assuming(request: Request, trust: AnyDocument, policies: Policies) -> Decision:
    """Decide a request to assume a role.

    A trust policy names no resource, and unlike the policy of a table it has to allow callers of its own account as
    well: their own policies alone are not enough.
    Source: IAM user guide, "Policy evaluation for requests within a single account", on role trust policies.

    Args:
        request: The request, of sts:AssumeRole or one of its kind.
        trust: The role's trust policy.
        policies: The policies on the caller's side.
    """
    complete = completed(trust)
    # A layer that has to allow, whether to the caller or to its account, is what an endpoint's policy is.
    decision = evaluate(request, replace(policies, resource=complete, endpoint=complete))
    reasons = (replace(r, layer=Layer.RESOURCE) if r.layer is Layer.ENDPOINT else r for r in decision.because)
    return replace(decision, because=tuple(dict.fromkeys(reasons)))


def completed(trust: AnyDocument) -> Document:
    """A trust policy that names "*" as its resource, so that it can be read like other policies.

    Args:
        trust: The trust policy.
    """
    source: object = trust.source if isinstance(trust, Document) else trust
    place = trust.place if isinstance(trust, Document) else None
    if not isinstance(source, Mapping):
        return Document(source, place)
    stated: Any = source.get("Statement", [])
    statements = stated if isinstance(stated, list) else [stated]
    return Document({**source, "Statement": [_on_everything(each) for each in statements]}, place)


def _on_everything(statement: object) -> object:
    return {**statement, "Resource": "*"} if isinstance(statement, Mapping) else statement
