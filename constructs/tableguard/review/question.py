"""Asks one question of a picture, and gives the explained answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from tableguard.policy.evaluation import ContextValue, Request
from tableguard.review.decide import ANY_IDENTITY, decide
from tableguard.review.explain import Explanation, explain
from tableguard.review.lookup import near_miss
from tableguard.review.picture import Picture, account_of
from tableguard.review.samples import at
from tableguard.review.sentences import Shelf
from tableguard.review.subjects import label_of

_NOON: Final = dt.time(12, tzinfo=dt.UTC)


def answer(
    picture: Picture,
    *,
    principal: str,
    action: str,
    resource: str,
    context: Mapping[str, Sequence[str]],
    today: dt.date,
) -> tuple[Explanation, tuple[str, ...]]:
    """Decide a request and explain the decision; with notes on what the answer leaves open.

    Args:
        picture: The picture.
        principal: Who, as in a `Request`.
        action: The action.
        resource: The ARN.
        context: Condition keys with their values; a key without values is taken out of the request.
        today: The day, in UTC; the request is made at noon, over TLS.

    Raises:
        InvalidInputError: The request cannot be one.
    """
    table = picture.table_of(resource)
    plain: dict[str, ContextValue] = {
        "aws:securetransport": "true",
        "aws:viaawsservice": "false",
        **{key: list(values) for key, values in at(dt.datetime.combine(today, _NOON)).items()},
    }
    if table is not None:
        plain["aws:requestedregion"] = table.region
    plain |= {key.lower(): list(values) for key, values in context.items()}
    request = Request(principal=principal, action=action, resource=resource, context=plain)
    verdict = decide(picture, request, outsider=ANY_IDENTITY)
    return explain(verdict, Shelf()), tuple(_notes(picture, request, assumed=verdict.assumed))


def _notes(picture: Picture, request: Request, *, assumed: bool) -> list[str]:
    found = []
    label = label_of(request.principal)
    meant = near_miss(request.principal, picture)
    if meant is not None:
        found.append(f"No template makes {label}. Did you mean {meant}?")
    elif assumed and account_of(request.principal) in picture.accounts:
        found.append(f"No template makes {label} or attaches a policy to it.")
    identity = picture.identity_of(request.principal)
    if identity is not None and identity.unread:
        found.append(f"Not read, because they stand in no template: {', '.join(identity.unread)}.")
    units = [p for p in picture.organization_policies if any(target.startswith("ou-") for target in p.targets)]
    if units:
        found.append("Policies on organizational units are left aside: no template tells which accounts are in them.")
    return found
