"""Whether a policy could let somebody through at all, in whatever circumstances: where it could not, nobody need ask.

Most of those whom a rule asks about are named by no statement of a table's policy. Their requests are refused by its
silence, whenever and from wherever they come: that is decided once for all circumstances.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from tableguard.aws.condition_keys import About, keys_about
from tableguard.evaluation import Document, Request
from tableguard.evaluation.request import Situation
from tableguard.review.picture import Table
from tableguard.review.rules.people import TriedCaller
from tableguard.review.sentences import Sentence, Shelf

# Who the caller is: the same in all circumstances.
ABOUT_CALLERS: Final = keys_about(About.CALLER)
# Stands for a statement that has no number, or is no object.
_UNREADABLE: Final = -1
_SOME_TABLE: Final = "arn:aws:dynamodb:eu-west-1:000000000000:table/any"


class RelevantStatements:
    """Keeps what it found out about policies, callers and actions.

    Args:
        shelf: Where the statements of documents are read.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        # The callers and documents are kept, so that no other one gets the id of one that is gone.
        self._about: dict[tuple[int, str, str], frozenset[int]] = {}
        self._naming: dict[tuple[int, int], frozenset[int]] = {}
        self._kept: dict[int, object] = {}
        self._relaxed: dict[int, tuple[tuple[int, Document | None], ...]] = {}

    def is_silent(self, table: Table, caller: TriedCaller, resource: str, action: str) -> bool:
        """Whether a request is refused because no statement could allow it, whatever the circumstances.

        Args:
            table: The table.
            caller: Who asks. The policies of its own account are taken to allow everything, unless all are known.
            resource: What the request goes to.
            action: The action, with its service.
        """
        if caller.account == table.account:
            identity = caller.identity
            if identity is None or not is_closed(table, caller) or self.grants(identity.documents, action):
                return False
        policy = table.stream_policy if f"{table.arn}/stream/" in resource else table.policy
        return not self.has(policy, caller, resource, action)

    def has(self, policy: Document | None, caller: TriedCaller, resource: str, action: str) -> bool:
        """Whether a statement of a table's or stream's policy may allow a caller an action; None has no statement.

        Args:
            policy: The policy.
            caller: Who asks.
            resource: What the request goes to.
            action: The action, with its service.
        """
        if policy is None:
            return False
        about = self._statements_about(policy, action, resource)
        return bool(about) and not about.isdisjoint(self._statements_naming(policy, caller))

    @staticmethod
    def grants(documents: Iterable[Document], action: str) -> bool:
        """Whether a statement of identity policies may allow an action.

        Args:
            documents: The policies.
            action: The action, with its service.
        """
        low = action.lower()
        return any(statement.allows for document in documents for statement in document.compiled.concerning(low))

    def _statements_about(self, policy: Document, action: str, resource: str) -> frozenset[int]:
        key = (id(policy), action, resource)
        if key not in self._about:
            self._kept[id(policy)] = policy
            situation = Request(principal="anonymous", action=action, resource=resource).situation
            sentences = {sentence.number: sentence for sentence in self._shelf.sentences(policy)}
            found = [each for each in policy.compiled.concerning(action.lower()) if each.allows]
            self._about[key] = frozenset(
                _UNREADABLE if each.index is None else each.index
                for each in found
                if each.index not in sentences or _is_about(sentences[each.index], situation)
            )
        return self._about[key]

    def _statements_naming(self, policy: Document, caller: TriedCaller) -> frozenset[int]:
        key = (id(policy), id(caller))
        if key not in self._naming:
            self._kept[id(caller)] = caller
            situation = Request(
                principal=caller.principal, action="dynamodb:GetItem", resource=_SOME_TABLE, context=caller.facts
            ).situation
            self._naming[key] = frozenset(
                number
                for number, alone in self._without_circumstances(policy)
                if alone is None or alone.compiled.statements[0].applies(situation, named=True) is not False
            )
        return self._naming[key]

    def _without_circumstances(self, policy: Document) -> tuple[tuple[int, Document | None], ...]:
        """The statements that may allow, by number, with the conditions on who the caller is alone."""
        if id(policy) not in self._relaxed:
            self._kept[id(policy)] = policy
            sentences = {sentence.number: sentence for sentence in self._shelf.sentences(policy)}
            self._relaxed[id(policy)] = tuple(
                (_UNREADABLE, None) if each.index is None else (each.index, _relaxed(sentences.get(each.index)))
                for each in policy.compiled.statements
                if each.allows
            )
        return self._relaxed[id(policy)]


def is_closed(table: Table, caller: TriedCaller) -> bool:
    """Whether the templates show all identity policies that a caller can have.

    Args:
        table: The table that it asks for.
        caller: The caller.
    """
    behind = caller.identity
    return behind is not None and behind.account == table.account and behind.in_assembly and not behind.unread


def _is_about(sentence: Sentence, situation: Situation) -> bool:
    bare = {key: value for key, value in sentence.source.items() if key not in ("Condition", "NotPrincipal")}
    # What a variable in a resource comes to depends on the circumstances.
    if "${" in json.dumps([bare.get("Resource"), bare.get("NotResource")], default=str):
        return True
    return _alone({**bare, "Principal": "*"}).compiled.statements[0].applies(situation, named=True) is not False


def _relaxed(sentence: Sentence | None) -> Document | None:
    """A statement about anything, with those of its conditions that say who the caller is; None for no object."""
    if sentence is None:
        return None
    kept = ("Effect", "Principal", "NotPrincipal")
    bare: dict[str, Any] = {key: value for key, value in sentence.source.items() if key in kept}
    condition: dict[str, dict[str, list[str]]] = {}
    for test in sentence.tests:
        if test.low_key in ABOUT_CALLERS and not any("${" in value for value in test.values):
            condition.setdefault(test.operator, {})[test.key] = list(test.values)
    return _alone({**bare, "Action": "*", "Resource": "*", **({"Condition": condition} if condition else {})})


def _alone(statement: dict[str, Any]) -> Document:
    return Document({"Version": "2012-10-17", "Statement": [statement]})
