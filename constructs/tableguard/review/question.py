"""Asks one question of a picture, and gives the explained answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from tableguard.evaluation import ContextValue, Request
from tableguard.evaluation.callers import CallerKind, parse_caller
from tableguard.evaluation.noon import noon
from tableguard.review.decide import ANY_IDENTITY, NETWORK, decide
from tableguard.review.explain import Explanation, explain
from tableguard.review.lookup import near_miss
from tableguard.review.picture import Picture, account_of
from tableguard.review.samples import ANYWHERE, at
from tableguard.review.sentences import Shelf
from tableguard.review.subjects import label_of

_REGION: Final = 3


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
        today: The day, in UTC; the request is made at noon.

    Raises:
        InvalidInputError: The request cannot be one.
    """
    now = at(noon(today))
    plain: dict[str, ContextValue] = {key: list(values) for key, values in now.items()}
    plain |= {key.lower(): list(values) for key, values in context.items()}
    plain |= usual(picture, principal=principal, resource=resource, given=plain)
    request = Request(principal=principal, action=action, resource=resource, context=plain)
    verdict = decide(picture, request, outsider=ANY_IDENTITY)
    return explain(verdict, Shelf()), tuple(_notes(picture, request, assumed=verdict.assumed))


def usual(picture: Picture, *, principal: str, resource: str, given: Collection[str]) -> Mapping[str, ContextValue]:
    """What a request carries unless somebody says otherwise.

    It comes over TLS, by the caller itself, to the region of its resource, with the tags that the caller's template
    gives it and, if it is a role's session, with that role as its aws:PrincipalArn, and over the internet: every
    request but a service's has an address, or else comes through a VPC endpoint.

    Args:
        picture: The picture.
        principal: Who makes it.
        resource: The ARN that it is for.
        given: The condition keys that are said already. With one about networks, no address is filled in.
    """
    said = {key.lower() for key in given}
    identity = picture.identity_of(principal)
    caller = parse_caller(principal)
    keys: dict[str, ContextValue] = {"aws:SecureTransport": "true", "aws:ViaAWSService": "false"}
    parts = resource.split(":", _REGION + 1)
    if len(parts) > _REGION and parts[_REGION]:
        keys["aws:RequestedRegion"] = parts[_REGION]
    if caller.kind is not CallerKind.SERVICE and not said & NETWORK:
        keys["aws:SourceIp"] = ANYWHERE
    if identity is not None:
        keys |= identity.tag_keys
        if caller.kind is CallerKind.ROLE_SESSION and identity.in_assembly:
            # A session's ARN lacks its role's path, and the templates tell it.
            keys["aws:PrincipalArn"] = identity.arn
    return {key: value for key, value in keys.items() if key.lower() not in said}


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
