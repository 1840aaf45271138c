"""Who may become a role: what its trust policy says, in a reviewer's words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tableguard.evaluation import Document, Request
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.wildcards import Glob, tokens
from tableguard.review.assuming import ASSUMING, completed
from tableguard.review.functions import has_unknown
from tableguard.review.picture import Identity, account_of
from tableguard.review.sentences import Sentence, Shelf, Test, texts
from tableguard.review.subjects import STRANGER, account_in, is_limit, kind_of, label_of, principals_of
from tableguard.review.wording import ends, last_day, phrases

_SAML: Final = ":saml-provider/"
# What tells one of an identity provider's subjects, or one of Cognito's pools, from all others.
_SUBJECTS: Final = (":sub", "cognito-identity.amazonaws.com:aud")
_ARN: Final = "aws:principalarn"
_ORGANIZATIONS: Final = {"aws:principalorgid", "aws:principalorgpaths"}
_EVERYBODY: Final = "everybody"
_IDENTITIES: Final = frozenset({"role", "user", "federated user"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """Somebody whom a role's trust policy lets assume it.

    Args:
        principal: As the policy names it: an ARN, an account, a host name, "*".
        label: What a reader calls it.
        kind: "role", "user", "role session", "federated user", "account", "service", "identity provider", "everybody",
            or "other", such as a unique id.
        account: Its account; None where it has none, or any.
        conditions: What must hold, in words.
        limits: The condition keys, in lower case, that limit who of them may.
        accounts: The accounts that conditions limit them to; "*" for any.
        statement: The number of the statement, counted from 0.
    """

    principal: str
    label: str
    kind: str
    account: str | None
    conditions: tuple[str, ...]
    limits: frozenset[str]
    accounts: tuple[str, ...]
    statement: int

    @property
    def words(self) -> str:
        """It with its conditions."""
        return f"{self.label} ({'; '.join(self.conditions)})" if self.conditions else self.label


def trusted_by(identity: Identity | None, shelf: Shelf) -> tuple[Trusted, ...] | None:
    """Who may become a role; None where that is not known, as of a role that no template makes.

    Whoever is let in by no request that the policy's Denies would exempt is left out. Nobody can become a user.

    Args:
        identity: What the picture holds of the role; None for nothing.
        shelf: The statements of documents.
    """
    if identity is None or not identity.in_assembly:
        return None
    if identity.kind != "role":
        return ()
    if identity.trust is None or not _is_readable(identity.trust):
        return None
    sentences = shelf.sentences(completed(identity.trust))
    if not all(tuple(principals_of(sentence)) for sentence in sentences if sentence.allows):
        return None
    denies = [sentence for sentence in sentences if sentence.denies and _actions(sentence)]
    found = (
        exempted
        for sentence in sentences
        if sentence.allows and _actions(sentence)
        for each in _named(sentence)
        if (exempted := _exempted(each, _actions(sentence)[0], denies, identity)) is not None
    )
    return tuple(dict.fromkeys(found))


def _is_readable(document: Document) -> bool:
    return not has_unknown(document.source) and bool(document.compiled.statements)


def _actions(sentence: Sentence) -> Sequence[str]:
    """The ways of assuming a role that a statement is about, in lower case."""
    stated = texts(sentence.source.get("Action"))
    return [each for each in ASSUMING if any(Glob(tokens(pattern.lower())).matches(each) for pattern in stated)]


def _named(sentence: Sentence) -> Iterator[Trusted]:
    conditions = _in_words(sentence.tests)
    limiting = [test for test in sentence.tests if not test.negated and is_limit(test) and set(test.values) - {"*"}]
    limits = frozenset(test.low_key for test in limiting)
    accounts = tuple(dict.fromkeys(each for test in limiting for each in _accounts(test)))
    for kind, value in principals_of(sentence):
        label, what, account = _of(kind, value)
        yield Trusted(
            principal=value,
            label=label,
            kind=what,
            account=account,
            conditions=conditions,
            limits=limits,
            accounts=accounts,
            statement=sentence.number,
        )


def _of(kind: str, value: str) -> tuple[str, str, str | None]:
    """The label, the kind and the account of a principal."""
    if kind == "Service":
        return value, "service", None
    if kind == "Federated":
        _, _, name = value.partition("-provider/")
        return f"identity provider {name or value}", "identity provider", account_of(value)
    if kind == "AWS" and value == "*":
        return _EVERYBODY, _EVERYBODY, None
    account = account_in(value)
    if account is not None:
        return f"account {account}", "account", account
    if kind == "AWS" and value.startswith("arn:") and account_of(value):
        found = kind_of(value)
        return label_of(value), found if found in _IDENTITIES else "role session", account_of(value)
    return value, "other", None


def _in_words(tests: Sequence[Test]) -> tuple[str, ...]:
    end = ends(tests)
    said = phrases(tests, callers=True)
    return said if end is None else (*said, f"until {last_day(end).isoformat()}")


def _accounts(test: Test) -> tuple[str, ...]:
    """The accounts that a condition limits callers to."""
    if test.low_key == "aws:principalaccount":
        return test.values
    return tuple(account_of(value) or "*" for value in test.values) if test.low_key == _ARN else ()


def _exempted(found: Trusted, action: str, denies: Sequence[Sentence], identity: Identity) -> Trusted | None:
    """The same with what the Denies ask for besides; None where one of them is for all of its requests."""
    request = _request(found, action, identity)
    if request is None:
        return found
    more: dict[str, None] = {}
    for sentence in denies:
        if action in _actions(sentence) and sentence.fits_but_for_conditions(request.situation, named=True):
            alternatives = phrases(sentence.tests, holds=False, callers=True)
            if not sentence.tests:
                return None
            if alternatives:
                more[" or ".join(alternatives)] = None
    return replace(found, conditions=tuple(dict.fromkeys((*found.conditions, *more))))


def _request(found: Trusted, action: str, identity: Identity) -> Request | None:
    """A request of somebody trusted; None where none can stand for it."""
    partition = identity.arn.split(":")[1]
    principal = found.principal
    if found.kind in ("account", _EVERYBODY):
        principal = f"arn:{partition}:iam::{found.account or STRANGER}:role/{{any}}"
    elif found.kind == "identity provider":
        return None
    try:
        return Request(principal=principal, action=action, resource=identity.arn)
    except InvalidInputError:
        return None


def worth_a_look(found: Trusted, identity: Identity, accounts: Sequence[str]) -> str | None:
    """Why somebody should have decided that a role trusts somebody; None for what goes without saying.

    Args:
        found: Who is trusted.
        identity: The role.
        accounts: The accounts of the assembly.
    """
    outside = [account for account in found.accounts if account not in accounts]
    if found.kind == _EVERYBODY:
        if not found.limits & _ORGANIZATIONS and (not found.accounts or "*" in found.accounts):
            return "anybody in any account may become it"
        return "not all of those accounts are the assembly's" if outside and "*" not in outside else None
    if found.kind == "identity provider":
        is_known = _SAML in found.principal or any(key.endswith(_SUBJECTS) for key in found.limits)
        return None if is_known else "whomever the provider knows may become it"
    if found.account is not None and found.account not in accounts:
        return "that account is none of the assembly's"
    if found.kind == "account" and found.account != identity.account and not found.limits & {_ARN, "aws:userid"}:
        return "its administrators choose who may become it"
    return "its account cannot be told" if found.kind == "other" else None
