"""A request: who wants to do what, with which resource, in which circumstances."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, TypeAlias

from tableguard.evaluation.arns import Segments, split_arn
from tableguard.evaluation.callers import Caller, CallerKind, is_account, is_service_linked, parse_caller
from tableguard.evaluation.conditions import scalar_text
from tableguard.evaluation.match import MalformedError
from tableguard.policy.errors import InvalidInputError

ContextValue: TypeAlias = str | bool | int | float | Sequence[str | bool | int | float] | None
"""A value of the context. None and an empty list mean that the key is absent, as IAM sees them."""

_ROLE: Final = CallerKind.ROLE
_ROLE_SESSION: Final = CallerKind.ROLE_SESSION
_ACTION: Final = re.compile(r"[a-z0-9-]+:[a-z0-9_.-]+", re.ASCII)
_LONGEST_ARN: Final = 2048
_LONGEST_ACTION: Final = 192


@dataclass(slots=True)
class Situation:
    """A request made ready for matching; the evaluation's own form of it, which nothing changes.

    Not frozen, because every decision makes one and freezing would triple the time for that.

    Args:
        caller: Who asks.
        role_arn: The role behind the caller, when it is known.
        service_linked: Whether that is a service-linked role.
        federated_by: The user whose credentials a federated user session was made with, when it is known.
        action: In lower case.
        action_name: As it was given, for people.
        resource: The ARN, or `*`.
        segments: The ARN's segments; None for `*`.
        resource_account: The resource's account, when it has one.
        context: Lower-case keys, filled in with what follows from the caller and the resource.
    """

    caller: Caller
    role_arn: str | None
    service_linked: bool
    federated_by: str | None
    action: str
    action_name: str
    resource: str
    segments: Segments | None
    resource_account: str | None
    context: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request to AWS.

    What follows from the principal and the resource is filled into the context when it is absent: aws:PrincipalArn,
    aws:PrincipalAccount, aws:PrincipalType, aws:PrincipalIsAWSService, aws:PrincipalServiceName (and its list),
    aws:username, aws:userid of root, federated and anonymous callers, and aws:ResourceAccount. A role session leaves
    aws:PrincipalArn to the context, since its ARN does not tell the role's path; left out there, the key is absent,
    although AWS would have it: say it. Nothing else is invented: no time, no network, no TLS.

    Args:
        principal: The caller's ARN (account root, user, role, role session, federated user), a service's host name
            (`replication.dynamodb.amazonaws.com`), or `anonymous`. A role's ARN stands for any session of it.
        action: One action with its service, in any case: `dynamodb:GetItem`.
        resource: The ARN of one resource, or `*` for an action that goes to none.
        resource_account: The account that owns the resource. By default the one in the ARN; for a resource without
            an account, the caller's.
        context: The condition keys of the request, in any case, with their values.
        time: When the request is made, with a time zone. Fills in aws:CurrentTime and aws:EpochTime when they are
            absent. By default there is no time: conditions on it see an absent key.
        federated_by: The ARN of the user whose credentials made a federated user session.
        management_account: The organization's management account, which no organization policy binds. By default
            the policies given are taken to bind.

    Raises:
        InvalidInputError: If any of it is malformed, or if `resource_account` contradicts the ARN.
    """

    principal: str
    action: str
    resource: str
    resource_account: str | None = None
    context: Mapping[str, ContextValue] = field(default_factory=dict)
    time: dt.datetime | None = None
    federated_by: str | None = None
    management_account: str | None = None
    situation: Situation = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "situation", _situation(self))


def _situation(request: Request) -> Situation:
    caller = _caller("the principal of a Request", request.principal)
    action = _action(request.action)
    resource = request.resource
    segments = split_arn(resource) if isinstance(resource, str) else None
    if resource != "*" and (segments is None or "*" in resource or "?" in resource):
        raise InvalidInputError("the resource of a Request", value=resource, allowed="the ARN of one resource, or '*'")
    account = _resource_account(request, segments)
    if request.federated_by is not None:
        _caller("federated_by of a Request", request.federated_by)
    if request.management_account is not None and not is_account(request.management_account):
        raise InvalidInputError(
            "management_account of a Request", value=request.management_account, allowed="a 12-digit account id"
        )
    context = _context(request)
    for key, values in caller.implied.items():
        if key not in context:
            context[key] = values
    if account is not None and "aws:resourceaccount" not in context:
        context["aws:resourceaccount"] = (account,)
    role_arn, linked = None, False
    if caller.kind is _ROLE:
        role_arn, linked = caller.text, caller.service_linked
    elif caller.kind is _ROLE_SESSION:
        role_arn = caller.stated_role(context)
        linked = role_arn is not None and is_service_linked(role_arn)
    owner = account or caller.account
    return Situation(
        caller, role_arn, linked, request.federated_by, action, request.action, resource, segments, owner, context
    )


def _action(text: object) -> str:
    if isinstance(text, str) and len(text) <= _LONGEST_ACTION:
        action = _cached_action(text)
        if action is not None:
            return action
    raise InvalidInputError("the action of a Request", value=text, allowed="one action, as in 'dynamodb:GetItem'")


@lru_cache(maxsize=4096)
def _cached_action(text: str) -> str | None:
    lowered = text.lower()
    return lowered if _ACTION.fullmatch(lowered) else None


def _caller(what: str, text: object) -> Caller:
    if not isinstance(text, str) or len(text) > _LONGEST_ARN:
        raise InvalidInputError(what, value=text, allowed="the text of an ARN, a host name, or 'anonymous'")
    return parse_caller(text)


def _resource_account(request: Request, segments: Segments | None) -> str | None:
    given = request.resource_account
    in_arn = segments[4] if segments else ""
    if given is None or given == in_arn:
        return in_arn or None
    if not is_account(given):
        raise InvalidInputError("resource_account of a Request", value=given, allowed="a 12-digit account id")
    if in_arn:
        raise InvalidInputError(
            "resource_account of a Request",
            value=given,
            allowed=f"the account of {request.resource}",
            fix="Leave it out.",
        )
    return given


def _context(request: Request) -> dict[str, tuple[str, ...]]:
    if not isinstance(request.context, Mapping):
        raise InvalidInputError(
            "the context of a Request", value=type(request.context).__name__, allowed="an object of condition keys"
        )
    context: dict[str, tuple[str, ...]] = {}
    absent = []
    for name, value in request.context.items():
        key = name.lower() if isinstance(name, str) else ""
        if not key or key in context:
            raise InvalidInputError(
                "a key of a Request's context", value=name, allowed="text, different from the other keys in any case"
            )
        if isinstance(value, str):
            context[key] = (value,)
            continue
        try:
            values = tuple(map(scalar_text, value if isinstance(value, (list, tuple)) else _some(value)))
        except MalformedError as error:
            raise InvalidInputError(
                f"the context's {name}", value=str(error), allowed="text, a number, a boolean, or a list of them"
            ) from error
        context[key] = values
        if not values:
            absent.append(key)
    for key in absent:
        del context[key]
    if request.time is not None:
        _fill_time(request.time, context)
    return context


def _some(value: object) -> tuple[object, ...]:
    return () if value is None else (value,)


def _fill_time(time: object, context: dict[str, tuple[str, ...]]) -> None:
    if not isinstance(time, dt.datetime) or time.tzinfo is None:
        raise InvalidInputError("the time of a Request", value=time, allowed="a datetime with a time zone")
    day, epoch = _in_words(time)
    context.setdefault("aws:currenttime", day)
    context.setdefault("aws:epochtime", epoch)


@lru_cache(maxsize=256)
def _in_words(time: dt.datetime) -> tuple[tuple[str], tuple[str]]:
    """The moment as aws:CurrentTime and aws:EpochTime have it. Many requests are made at the same one."""
    moment = time.astimezone(dt.UTC)
    return (moment.strftime("%Y-%m-%dT%H:%M:%SZ"),), (str(int(moment.timestamp())),)
