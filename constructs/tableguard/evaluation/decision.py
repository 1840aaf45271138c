"""What an evaluation answers, and why."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from tableguard.evaluation.open_answers import Open


class Outcome(enum.Enum):
    """The three answers of AWS."""

    ALLOWED = "Allowed"
    IMPLICITLY_DENIED = "ImplicitlyDenied"
    EXPLICITLY_DENIED = "ExplicitlyDenied"


class Layer(enum.Enum):
    """Where a reason comes from: a kind of policy, or the rules that no policy changes."""

    SERVICE = "service"
    """DynamoDB itself: it has no unsigned access, and not every operation works across accounts."""
    SERVICE_CONTROL = "service_control"
    RESOURCE_CONTROL = "resource_control"
    ENDPOINT = "endpoint"
    RESOURCE = "resource"
    IDENTITY = "identity"
    BOUNDARY = "boundary"
    SESSION = "session"


class Effect(enum.Enum):
    """What a statement says."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLocation:
    """Where a document stands, as far as the caller of the evaluation knows.

    Args:
        policy: The policy's name.
        stack: The stack that holds it.
        logical_id: The resource in the stack's template.
        path: The path of the document in the template, as in `Resources/Orders/Properties/ResourcePolicy`.
    """

    policy: str | None = None
    stack: str | None = None
    logical_id: str | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """One statement that decided, or one layer that did not allow.

    Args:
        layer: The kind of policy.
        effect: The statement's effect; None for a layer in which no statement allows the request.
        sid: The statement's Sid, if it has one.
        place: Where the document stands, if the caller said so.
        statement: The statement's number in its document, counted from 0; None when no statement decided.
        level: For organization policies: the level, counted from 0 in the order given.
        understood: False for a statement that cannot be understood. Such a Deny denies, such an Allow grants nothing,
            and neither is protection that anybody may rely on.
        detail: Why it was not understood, or what is missing.
        open: What AWS documents no answer for, when it is not understood because of that.
    """

    layer: Layer
    effect: Effect | None
    sid: str | None = None
    place: DocumentLocation | None = None
    statement: int | None = None
    level: int | None = None
    understood: bool = True
    detail: str | None = None
    open: Open | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one request.

    Args:
        outcome: Allowed, implicitly or explicitly denied.
        because: When allowed, the statements that allow it, a grant first. When explicitly denied, all statements that
            deny it. When implicitly denied, the layers that do not allow it.
        understood: False when a denial rests only on statements that cannot be understood: read otherwise, they would
            let the request through. Whoever wants to show that nobody can do something must count it as unknown.
    """

    outcome: Outcome
    because: tuple[Reason, ...]
    understood: bool = True

    @property
    def allowed(self) -> bool:
        """Whether the request goes through."""
        return self.outcome is Outcome.ALLOWED
