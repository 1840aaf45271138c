"""The decision: all layers together.

Source: IAM User Guide, "Policy evaluation logic" with its pages for one account and for cross-account requests;
Organizations User Guide, "SCP evaluation" and "RCP evaluation" for whom they bind; KMS Developer Guide, "Key policies
in AWS KMS", for keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from operator import attrgetter
from typing import Final

from tableguard.aws.dynamodb import ACTIONS
from tableguard.evaluation.callers import CallerKind
from tableguard.evaluation.decision import Decision, Effect, Layer, Outcome, Reason
from tableguard.evaluation.policies import LayerDocuments, Policies
from tableguard.evaluation.principals import Strength
from tableguard.evaluation.request import Request, Situation

# Reading a member from its enumeration takes as long as a whole comparison, and each decision does dozens.
_SERVICE_CONTROL: Final = Layer.SERVICE_CONTROL
_RESOURCE_CONTROL: Final = Layer.RESOURCE_CONTROL
_RESOURCE: Final = Layer.RESOURCE
_IDENTITY: Final = Layer.IDENTITY
_BOUNDARY: Final = Layer.BOUNDARY
_SESSION: Final = Layer.SESSION
_NONE: Final = Strength.NONE
_DIRECT: Final = Strength.DIRECT
_ROOT: Final = CallerKind.ROOT
_FEDERATED_USER: Final = CallerKind.FEDERATED_USER

_RECOVERIES: Final = frozenset(
    {"dynamodb:deleteresourcepolicy", "s3:deletebucketpolicy", "s3:getbucketpolicy", "s3:putbucketpolicy"}
)
_UNSIGNED: Final = "DynamoDB has no unsigned access"
_NO_CONSENT: Final = "no statement of the key's policy allows it, or leaves it to the account's identity policies"
_ROOT_NEEDS_NONE: Final = "the account's root user needs no identity policy"


class _Reading:
    """What one layer allows; `hoped` is what it would if statements that are not understood were Allows."""

    __slots__ = ("allow", "hoped", "strength")

    def __init__(self) -> None:
        self.allow: Reason | None = None
        self.strength: Strength = _NONE
        self.hoped: Strength = _NONE


class _Case:
    """A request with the readings of every layer that binds it."""

    __slots__ = (
        "bounded",
        "cross_account",
        "denies",
        "gates",
        "identity",
        "limits",
        "resource",
        "situation",
        "unclear",
    )

    def __init__(self, situation: Situation, policies: Policies) -> None:
        account = situation.caller.account
        self.situation = situation
        self.bounded = is_bounded(situation, policies)
        self.cross_account = account is not None and situation.resource_account != account
        self.resource = _NOTHING
        self.identity = _NOTHING
        # A federated user's session without session policies "has no permissions" but for what a resource policy gives
        # to the session itself (STS API Reference, "GetFederationToken").
        powerless = situation.caller.kind is _FEDERATED_USER and not policies.session
        self.limits: list[tuple[Layer, _Reading]] = [(_SESSION, _NOTHING)] if powerless else []
        self.gates: list[tuple[LayerDocuments, _Reading]] = []
        self.denies: list[Reason] = []
        self.unclear: list[Reason] = []


_NOTHING: Final = _Reading()
_GIVEN: Final[Callable[[_Reading], Strength]] = attrgetter("strength")
_HOPED: Final[Callable[[_Reading], Strength]] = attrgetter("hoped")


def evaluate(request: Request, policies: Policies) -> Decision:
    """Decide a request as AWS would.

    An Allow that cannot be understood grants nothing. A Deny that cannot be understood denies, and is marked so.

    Args:
        request: Who wants to do what.
        policies: The policies that bear on it. Those that AWS does not apply to such a request are left aside:
            service control policies for services, service-linked roles and the management account; resource control
            policies for service-linked roles and the management account's resources; identity policies and
            boundaries for root, services and anonymous callers. A KMS key always has a policy: without one nobody
            can use it.
    """
    situation = request.situation
    case = _Case(situation, policies)
    for each in policies.layers:
        layer = each.layer
        if not _binds(layer, situation, request.management_account):
            continue
        reading = _read(each, case)
        if layer is _IDENTITY:
            case.identity = reading
        elif layer is _RESOURCE:
            case.resource = reading
        elif layer is _BOUNDARY or layer is _SESSION:
            case.limits.append((layer, reading))
        elif layer is not _RESOURCE_CONTROL:
            case.gates.append((each, reading))
    denies = case.denies
    if denies and _is_recovery(situation):
        denies = [reason for reason in denies if reason.layer is not _RESOURCE]
    if denies:
        understood = any(reason.understood for reason in denies) or bool(_missing(case, hoping=True))
        return Decision(Outcome.EXPLICITLY_DENIED, tuple(denies), understood)
    missing = _missing(case, hoping=False)
    if missing:
        understood = not case.unclear or bool(_missing(case, hoping=True))
        return Decision(Outcome.IMPLICITLY_DENIED, (*missing, *case.unclear), understood)
    return Decision(Outcome.ALLOWED, tuple(_grounds(case)))


def _binds(layer: Layer, situation: Situation, management_account: str | None) -> bool:
    caller = situation.caller
    if layer is _RESOURCE:
        return True
    if layer is _IDENTITY or layer is _BOUNDARY:
        return caller.kind is not _ROOT and caller.account is not None
    if layer is _SESSION:
        return caller.account is not None
    if layer is _SERVICE_CONTROL:
        return caller.account is not None and caller.account != management_account and not situation.service_linked
    if layer is _RESOURCE_CONTROL:
        exempt = management_account is not None and situation.resource_account == management_account
        return not exempt and not situation.service_linked
    return True


def is_bounded(situation: Situation, policies: Policies) -> bool:
    """Whether the caller has a permissions boundary, as far as the policies say.

    Args:
        situation: The request.
        policies: The policies that bear on it.
    """
    return bool(policies.boundary) and _binds(_BOUNDARY, situation, None)


def _is_recovery(situation: Situation) -> bool:
    """Whether it is the way out of a lock-out.

    An account's root user may always remove its tables' policies, and read, replace and remove those of its buckets,
    whatever they say (S3 API reference, PutBucketPolicy). SCPs and endpoint policies bind it even there.
    """
    caller = situation.caller
    return caller.kind is _ROOT and situation.action in _RECOVERIES and situation.resource_account == caller.account


def _read(each: LayerDocuments, case: _Case) -> _Reading:
    reading = _Reading()
    situation = case.situation
    action = situation.action
    layer = each.layer
    named = each.named
    bounded = case.bounded
    for document in each.documents:
        for statement in document.compiled.concerning(action):
            if statement.allows and not statement.denies and reading.strength is _DIRECT:
                # One Allow is enough, and the first one found is as good as any other.
                continue
            applies = statement.applies(situation, named=named, bounded=bounded)
            if applies is False:
                continue
            clear = applies is True
            strength = statement.strength(situation) if layer is _RESOURCE else _DIRECT
            if statement.allows and strength > reading.hoped:
                reading.hoped = strength
            if clear and not statement.denies and strength <= reading.strength:
                continue
            doubt_about = None if clear else situation
            reason = statement.reason(layer, each.level, document.place, doubt_about=doubt_about, named=named)
            if statement.denies:
                case.denies.append(reason)
            elif clear:
                reading.allow = reason
                reading.strength = strength
            else:
                case.unclear.append(reason)
    return reading


def _missing(case: _Case, *, hoping: bool) -> list[Reason]:
    """The layers that do not allow.

    Args:
        case: The request.
        hoping: Whether statements that were not understood count as Allows.
    """
    strength = _HOPED if hoping else _GIVEN
    situation = case.situation
    caller = situation.caller
    name = situation.action_name
    found = [_silent(each.layer, name, each.level) for each, reading in case.gates if strength(reading) is _NONE]
    granted = strength(case.resource)
    if caller.kind is CallerKind.ANONYMOUS and situation.action.startswith("dynamodb:"):
        return [Reason(Layer.SERVICE, None, detail=_UNSIGNED), *found]
    if caller.account is None:
        return found if granted is _DIRECT else [*found, _silent(_RESOURCE, name)]
    silent_limits = [_silent(layer, name) for layer, reading in case.limits if strength(reading) is _NONE]
    entitled = caller.kind is _ROOT or strength(case.identity) is not _NONE
    if case.cross_account:
        # Both accounts have to allow, and the caller's own side is decided without the resource's policy.
        if not works_across_accounts(situation.action):
            detail = f"{name} does not work across accounts, whatever the policies say"
            found.insert(0, Reason(Layer.SERVICE, None, detail=detail))
        if granted is _NONE:
            found.append(_silent(_RESOURCE, name))
        if not entitled:
            found.append(_silent(_IDENTITY, name))
        return found + silent_limits
    if granted is _DIRECT:
        return found
    return found + _missing_inside(situation, granted, entitled=entitled) + silent_limits


def _missing_inside(situation: Situation, granted: Strength, *, entitled: bool) -> list[Reason]:
    """Who, of a resource's policy and identity policies of its own account, does not allow."""
    found = []
    key = _is_key(situation)
    if key and granted is _NONE:
        found.append(_KEY_SAYS_NOTHING)
    if not entitled and granted is not Strength.LIMITED:
        found.append(_silent(_IDENTITY, situation.action_name))
        if not key:
            found.append(_silent(_RESOURCE, situation.action_name))
    return found


def _is_key(situation: Situation) -> bool:
    """Whether the resource is a KMS key, inside whose account nobody can do without the key's policy.

    "No AWS principal, including the account root user or key creator, has any permissions to a KMS key unless they are
    explicitly allowed, and never denied, in a key policy, IAM policy, or grant", and "unless the key policy explicitly
    allows it, you cannot use IAM policies to allow access to a KMS key": it does by allowing the account, for the
    actions and under the conditions of that statement (KMS Developer Guide, "Key policies in AWS KMS" and "Default key
    policy"). Grants, which are no policies, are not known here.
    """
    segments = situation.segments
    return segments is not None and segments[2] == "kms" and segments[5].startswith("key/")


_KEY_SAYS_NOTHING: Final = Reason(_RESOURCE, None, detail=_NO_CONSENT)


@lru_cache(maxsize=1024)
def _silent(layer: Layer, action_name: str, level: int | None = None) -> Reason:
    return Reason(layer, None, level=level, detail=f"no statement allows {action_name}")


def _readings(case: _Case) -> Iterable[_Reading]:
    yield case.resource
    yield case.identity
    for _, reading in case.limits:
        yield reading
    for _, reading in case.gates:
        yield reading


def _grounds(case: _Case) -> list[Reason]:
    grounds = [reading.allow for reading in _readings(case) if reading.allow is not None]
    if not case.cross_account and case.resource.strength is Strength.ACCOUNT:
        # Naming one's own account delegates to its identity policies and grants nothing itself. They need that only to
        # allow the use of a key.
        delegation = grounds.pop(0)
        if _is_key(case.situation):
            grounds.append(delegation)
    if case.situation.caller.kind is _ROOT:
        grounds.append(Reason(_IDENTITY, Effect.ALLOW, detail=_ROOT_NEEDS_NONE))
    return grounds


_IN_THE_ACCOUNT: Final = frozenset(
    action.qualified.lower() for action in ACTIONS.values() if not action.maybe_across_accounts
)
# "you're not using an identity that belongs to the bucket owner's account": S3 answers 405, whatever the policies say.
# Source: S3 API reference, PutBucketPolicy and its siblings.
_OF_THE_OWNER: Final = frozenset({"s3:deletebucketpolicy", "s3:getbucketpolicy", "s3:putbucketpolicy"})


def works_across_accounts(action: str) -> bool:
    """Whether it works from another account, given permission on both sides.

    Args:
        action: The action in lower case, with its service. What no source tells, and an action that nobody knows, is
            taken to work: a refusal must not rest on it.
    """
    return action not in _IN_THE_ACCOUNT and action not in _OF_THE_OWNER
