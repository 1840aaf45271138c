"""Actions that a table's policy allows to somebody for whom they cannot work, whatever else is allowed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tableguard.aws.dynamodb import ACTIONS, Action, Resource, ResourcePolicySupport
from tableguard.policy.wildcards import Glob, tokens
from tableguard.review.picture import Picture, Table
from tableguard.review.sentences import Sentence, Shelf, texts
from tableguard.review.subjects import Subject, accounts_named, allowed_by

_ON_TABLES: Final = frozenset({Resource.TABLE, Resource.INDEX})
_ON_STREAMS: Final = frozenset({Resource.STREAM})


def without_effect(picture: Picture, table: Table, shelf: Shelf) -> Iterator[tuple[Sentence, str, bool]]:
    """The Allows of a table's policies with actions that cannot work; why, and whether that goes for all of theirs.

    Args:
        picture: The picture.
        table: The table.
        shelf: The statements of the picture's documents.
    """
    for sentence, named in allowed_by(picture, table, shelf):
        patterns = texts(sentence.source.get("Action"))
        outside = _all_outside(sentence, named, table)
        on_stream = sentence.document is table.stream_policy
        reasons = {pattern: _reason(_matched(pattern), outside=outside, on_stream=on_stream) for pattern in patterns}
        useless = {pattern: reason for pattern, reason in reasons.items() if reason is not None}
        whom = ", ".join(dict.fromkeys(subject.label for subject in named)) or "anybody"
        for reason in dict.fromkeys(useless.values()):
            actions = ", ".join(each.removeprefix("dynamodb:") for each, why in useless.items() if why == reason)
            of = "the stream of " if on_stream else ""
            said = f"statement {sentence.number} of the policy of {of}{table.name} allows {whom} {actions}: {reason}"
            yield sentence, said, len(useless) == len(patterns)


def _matched(pattern: str) -> Sequence[Action]:
    glob = Glob(tokens(pattern.lower()))
    return [action for action in ACTIONS.values() if glob.matches(action.qualified.lower())]


def _reason(actions: Sequence[Action], *, outside: bool, on_stream: bool) -> str | None:
    """Why none of some actions can work; None where one can, or where none is DynamoDB's."""
    kinds = _ON_STREAMS if on_stream else _ON_TABLES
    if not actions:
        return None
    if not any(action.resources & kinds for action in actions):
        return f"it is no action on {'streams' if on_stream else 'tables'}"
    if all(action.resource_policy is ResourcePolicySupport.IDENTITY_ONLY for action in actions):
        return "only an identity policy can allow it"
    if outside and not any(action.maybe_across_accounts and action.resources & kinds for action in actions):
        return "it does not work across accounts"
    return None


def _all_outside(sentence: Sentence, named: Sequence[Subject], table: Table) -> bool:
    """Whether a statement names nobody but principals of other accounts."""
    others = [subject.account for subject in named]
    return bool(others) and None not in others and table.account not in (*others, *accounts_named(sentence))
