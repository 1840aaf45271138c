"""Decides single requests over documents that were read back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from tableguard.evaluation import Policies, Request, evaluate


def may(
    principal: str,
    action: str,
    resource: str,
    policy: Any,
    *,
    identity: Sequence[Any],
    context: Mapping[str, Any] | None = None,
) -> bool:
    """Whether a request is allowed.

    Args:
        principal: The ARN of the caller.
        action: What is to be done.
        resource: The ARN of what it is done to, whose account decides, too.
        policy: The policy of the resource; None if it has none.
        identity: The policies that the caller's account gives it.
        context: The condition keys of the request; none when left out.
    """
    request = Request(
        principal=principal,
        action=action,
        resource=resource,
        resource_account=resource.split(":")[4],
        context=context or {},
        time=dt.datetime.now(dt.UTC),
    )
    decision = evaluate(request, Policies(identity=identity, resource=policy))
    assert decision.understood, decision
    return decision.allowed
