"""What was not tried: a statement of a table's policy that allows somebody, but none of those who were asked about.

Rules ask about people that are made up from what the policies say. Whom a policy can mean has no end: unique ids,
identity providers, patterns. So an Allow that no request met is not taken for one that nobody can use.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tableguard.aws.condition_keys import About, keys_about
from tableguard.evaluation import Document, DocumentLocation, Request
from tableguard.evaluation.request import Situation
from tableguard.review.picture import Table
from tableguard.review.samples import TIMES
from tableguard.review.sentences import Sentence, Shelf, Test

_EVERYBODY: Final = ("*", {"AWS": "*"}, {"AWS": ["*"]})
_BELOW_TABLES: Final = ("/index/", "/stream/")
_WHO: Final = keys_about(About.CALLER) | {"aws:federatedprovider"}


@dataclass(frozen=True, slots=True)
class _Meant:
    """One of those whom an Allow means: a principal of it, or a value that it compares one with."""

    who: str
    sentence: Sentence
    alone: Document

    def may_be_in(self, situation: Situation) -> bool:
        return self.alone.compiled.statements[0].applies(situation, named=True) is not False

    @property
    def said(self) -> str:
        sid = self.sentence.source.get("Sid")
        which = f"statement {sid!r}" if isinstance(sid, str) else f"statement {self.sentence.number}"
        return f"Not tried: {which} allows {self.who}, and no request that was made up meets it"


class Untried:
    """Keeps count of those whom the policies of tables allow, until a request has met each of them.

    When it is left aside: so whether a grant has ended does not matter here.

    Args:
        shelf: Where the statements of documents are read.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._pending: dict[tuple[str, bool, str], list[_Meant]] = {}
        self._open: dict[tuple[str, bool, int], tuple[_Meant, ...]] = {}
        self._known: set[tuple[str, str]] = set()
        self._met: set[int] = set()

    def expect(self, table: Table, resource: str, action: str) -> None:
        """Note those whom the table's or its stream's policy allows an action on a resource.

        Args:
            table: The table.
            resource: What the request goes to.
            action: The action, with its service.
        """
        policy, key = _policy(table, resource)
        if policy is None or (resource, action) in self._known:
            return
        self._known.add((resource, action))
        situation = Request(principal="anonymous", action=action, resource=resource).situation
        concerning = {statement.index for statement in policy.compiled.concerning(action.lower())}
        sentences = [each for each in self._shelf.sentences(policy) if each.number in concerning]
        if any(_denies_everybody(each, situation) for each in sentences):
            return
        found = self._pending.setdefault((*key, action.lower()), [])
        for sentence in sentences:
            if sentence.allows and _is_about(sentence, situation):
                found += (each for each in self._meant(key, sentence) if each not in found)

    def pending(self, table: Table, resource: str, action: str) -> bool:
        """Whether a request for an action could meet anybody who was not met.

        Args:
            table: The table.
            resource: What the request goes to.
            action: The action, with its service.
        """
        return bool(self._of(table, resource, action))

    def meet(self, table: Table, situation: Situation) -> None:
        """Note whom a request stands for.

        Args:
            table: The table.
            situation: The request.
        """
        pending = self._of(table, situation.resource, situation.action)
        for each in [each for each in pending if each.may_be_in(situation)]:
            self._met.add(id(each))

    def remaining(self) -> Iterator[tuple[str, DocumentLocation | None, str]]:
        """Those whom no request met, in words, with the place of the policy, and the policy."""
        left = {id(each): each for found in self._pending.values() for each in found if id(each) not in self._met}
        for each in left.values():
            document = each.sentence.document
            yield each.said, document.place, json.dumps(document.source, sort_keys=True, default=str)

    def _of(self, table: Table, resource: str, action: str) -> list[_Meant]:
        key = (*_policy(table, resource)[1], action.lower())
        found = self._pending.get(key)
        if found and not self._met.isdisjoint(map(id, found)):
            found = self._pending[key] = [each for each in found if id(each) not in self._met]
        return found or []

    def _meant(self, key: tuple[str, bool], sentence: Sentence) -> tuple[_Meant, ...]:
        place = (*key, sentence.number)
        if place not in self._open:
            self._open[place] = tuple(_meant_by(sentence))
        return self._open[place]


def _policy(table: Table, resource: str) -> tuple[Document | None, tuple[str, bool]]:
    stream = f"{table.arn}/stream/" in resource
    return table.stream_policy if stream else table.policy, (table.arn, stream)


def _denies_everybody(sentence: Sentence, situation: Situation) -> bool:
    everybody = sentence.source.get("Principal") in _EVERYBODY
    return everybody and sentence.denies and not sentence.tests and sentence.fits(situation, named=True) is True


def _is_about(sentence: Sentence, situation: Situation) -> bool:
    """Whether it is about the resource of a request, whoever makes it, or about something of the same kind.

    It may name a stream by the moment at which that was enabled, which no template tells, or another index.
    """
    bare = {key: value for key, value in sentence.source.items() if key not in ("Condition", "NotPrincipal")}
    for kind in _BELOW_TABLES:
        if kind in situation.resource and any(kind in resource for resource in sentence.resources):
            bare["Resource"] = "*"
    alone = _document(sentence, {**bare, "Principal": "*"})
    return alone.compiled.statements[0].applies(situation, named=True) is not False


def _meant_by(sentence: Sentence) -> Iterator[_Meant]:
    """Its principals one by one, and the values one by one that it compares them with.

    Not every principal with every value: each of them has to mean somebody, whoever that is.
    """
    tests = [test for test in sentence.tests if test.low_key not in TIMES]
    for who, principal in principals_of(sentence.source, "Principal"):
        source = {**sentence.source, **({} if principal is None else {"Principal": principal})}
        yield _Meant(who, sentence, _document(sentence, _with(source, tests)))
    for test in tests:
        for value in test.values if _names(test) and len(test.values) > 1 else ():
            if _can_be(test, value):
                narrowed = [Test(test.operator, test.key, (value,)) if each is test else each for each in tests]
                alone = _document(sentence, _with(sentence.source, narrowed))
                yield _Meant(f"{test.key} {value}", sentence, alone)


def principals_of(source: Mapping[str, Any], element: str) -> Iterator[tuple[str, object]]:
    """The principals of a statement one by one; all at once, as None, where they are not understood.

    Args:
        source: The statement.
        element: "Principal" or "NotPrincipal".
    """
    named = source.get(element)
    if not isinstance(named, Mapping) or not named:
        yield str(named), None
        return
    for kind, values in named.items():
        for value in values if isinstance(values, (list, tuple)) else [values]:
            yield f"{kind} {value}", {kind: value}


def _names(test: Test) -> bool:
    """Whether it says who the caller is, by one of its values."""
    return test.low_key in _WHO and not test.negated and test.base != "Null" and ":" not in test.operator


def _can_be(test: Test, value: str) -> bool:
    """Whether the key can have a value: aws:PrincipalArn is the role's ARN for every session of it."""
    return test.low_key != "aws:principalarn" or ":assumed-role/" not in value


def _with(source: Mapping[str, Any], tests: list[Test]) -> Mapping[str, Any]:
    """A statement with other conditions; as it is where its conditions cannot be read as such."""
    if not isinstance(source.get("Condition"), Mapping):
        return source
    condition: dict[str, dict[str, object]] = {}
    for test in tests:
        condition.setdefault(test.operator, {})[test.key] = _as_written(source, test)
    bare = {key: value for key, value in source.items() if key != "Condition"}
    return {**bare, "Condition": condition} if condition else bare


def _as_written(source: Mapping[str, Any], test: Test) -> object:
    written = source["Condition"][test.operator][test.key]
    listed = written if isinstance(written, (list, tuple)) else [written]
    return list(test.values) if len(test.values) < len(listed) else written


def _document(sentence: Sentence, source: Mapping[str, Any]) -> Document:
    whole = sentence.document.source
    version = whole.get("Version") if isinstance(whole, Mapping) else None
    return Document({"Version": version or "2008-10-17", "Statement": [source]}, sentence.document.place)
