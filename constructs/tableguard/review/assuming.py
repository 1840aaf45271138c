"""The one reader of trust policies: what one says as a policy, who may assume the role by it, and who is handed it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from tableguard.evaluation import AnyDocument, Decision, Document, Layer, Policies, Request, evaluate
from tableguard.review.sentences import Shelf
from tableguard.review.subjects import principals_of

BY_SAML: Final = "sts:assumerolewithsaml"
ASSUMING: Final = ("sts:assumerole", BY_SAML, "sts:assumerolewithwebidentity")
"""The ways of assuming a role, in lower case."""


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


def lets_sign_in(trust: AnyDocument | None) -> bool:
    """Whether people sign in with a role by SAML.

    Args:
        trust: The role's trust policy; None where it is not known.
    """
    return trust is not None and any(each.allows for each in completed(trust).compiled.concerning(BY_SAML))


def services(trust: AnyDocument | None, shelf: Shelf) -> Iterable[str]:
    """The services that a role can be passed to: those that its trust policy names otherwise than to deny them.

    Args:
        trust: The role's trust policy; None where it is not known.
        shelf: The statements of documents.
    """
    found = (
        value
        for sentence in (shelf.sentences(completed(trust)) if trust is not None else ())
        if not sentence.denies
        for kind, value in principals_of(sentence)
        if kind == "Service"
    )
    return dict.fromkeys(found)


def _on_everything(statement: object) -> object:
    return {**statement, "Resource": "*"} if isinstance(statement, Mapping) else statement
