"""Ways around a protection that no request tried: then it does not count as one.

A Deny protects but for its exemptions, and a policy that has to allow protects but for what its Allows let through.
Requests are made up from the conditions of every policy that bears on them; what a condition can mean has no end all
the same. So for each condition it is kept whether a request got to its other side. Where none did, the rule is tried
once more without that Deny, or with that Allow free of conditions: what goes through then is not known to be refused.

The Allows of a table's own policy are `untried`'s to watch.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from tableguard.evaluation import Document
from tableguard.evaluation.match import MalformedError, Match
from tableguard.evaluation.request import Situation
from tableguard.evaluation.variables import parse, variables_of
from tableguard.review.picture import Picture, Table
from tableguard.review.rules.untried import principals_of
from tableguard.review.samples import TIMES
from tableguard.review.sentences import Sentence, Shelf, Test

# What follows from the resource alone, so that no other request could have another value, or is tried by moments.
_SETTLED: Final = frozenset(
    {"aws:requestedregion", "aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths", *TIMES}
)
# Every session of a role has one, and no template tells which: those who are made up go without.
_NEVER_MADE_UP: Final = "aws:userid"
_EVERYWHERE: Final = ""
_NAMED: Final = ("Principal", "NotPrincipal")


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """One way around a protection.

    Args:
        sentence: The statement.
        said: What it takes, in words.
        taken: Whether a request takes it.
    """

    sentence: Sentence
    said: str
    taken: Callable[[Situation], bool]


class Ways:
    """Keeps count of the ways around the protections of a picture, until a request has taken each of them.

    Args:
        picture: The picture.
        shelf: Where the statements of documents are read.
    """

    def __init__(self, picture: Picture, shelf: Shelf) -> None:
        self._picture = picture
        self._shelf = shelf
        self._known: dict[int, Document] = {}
        self._open: dict[str, list[Way]] = {}
        self._shared = [policy.document for policy in picture.organization_policies]
        self._shared += [endpoint.policy for endpoint in picture.endpoints if endpoint.policy is not None]

    def expect(self, table: Table, own: Iterable[Document]) -> None:
        """Note the ways around what protects a table.

        Args:
            table: The table.
            own: The identity policies and boundaries of a caller.
        """
        key = self._picture.key(table.key_arn)
        for policy in (table.policy, table.stream_policy):
            self._note(table.arn, policy, allows=False)
        self._note(table.arn, key.policy if key is not None else None, allows=True)
        for document in (*self._shared, *own):
            self._note(_EVERYWHERE, document, allows=True)

    def pending(self, table: Table) -> bool:
        """Whether a request about a table could take a way that none took.

        Args:
            table: The table.
        """
        return bool(self._open.get(table.arn) or self._open.get(_EVERYWHERE))

    def meet(self, table: Table, situation: Situation) -> None:
        """Note the ways that a request takes.

        Args:
            table: The table that it is about.
            situation: The request.
        """
        for scope in (table.arn, _EVERYWHERE):
            ways = self._open.get(scope)
            if ways and any(way.taken(situation) for way in ways):
                self._open[scope] = [way for way in ways if not way.taken(situation)]

    @property
    def remaining(self) -> tuple[Way, ...]:
        """The ways that no request took."""
        return tuple(way for ways in self._open.values() for way in ways)

    def without_protection(self) -> Picture:
        """The picture in which a protection that a way was left around does not protect."""
        weak: dict[int, set[int]] = {}
        for way in self.remaining:
            weak.setdefault(id(way.sentence.document), set()).add(way.sentence.number)

        def weakened(document: Document) -> Document:
            return _weakened(document, weak[id(document)]) if id(document) in weak else document

        def perhaps(document: Document | None) -> Document | None:
            return None if document is None else weakened(document)

        picture = self._picture
        return replace(
            picture,
            tables=tuple(
                replace(each, policy=perhaps(each.policy), stream_policy=perhaps(each.stream_policy))
                for each in picture.tables
            ),
            identities=tuple(
                replace(
                    each,
                    documents=tuple(map(weakened, each.documents)),
                    boundary=tuple(map(weakened, each.boundary)),
                )
                for each in picture.identities
            ),
            endpoints=tuple(replace(each, policy=perhaps(each.policy)) for each in picture.endpoints),
            organization_policies=tuple(
                replace(each, document=weakened(each.document)) for each in picture.organization_policies
            ),
            keys=tuple(replace(each, policy=perhaps(each.policy)) for each in picture.keys),
        )

    def _note(self, scope: str, document: Document | None, *, allows: bool) -> None:
        if document is None or id(document) in self._known:
            return
        self._known[id(document)] = document
        for sentence in self._shelf.sentences(document):
            if sentence.denies or (allows and sentence.allows):
                self._open.setdefault(scope, []).extend(_ways(sentence))


def _ways(sentence: Sentence) -> Iterator[Way]:
    tests = [test for test in sentence.tests if _is_open(test)]
    if sentence.allows:
        if tests:
            yield Way(sentence, " and ".join(map(_words, tests)), _all_hold(sentence, tests))
        for who, principal in principals_of(sentence.source, "Principal"):
            if principal is not None:
                yield Way(sentence, who, _named(sentence, {"Principal": principal}, applies=True))
        return
    for test in tests:
        for part in _parts(test):
            yield Way(sentence, f"not {_words(part)}", _fails(sentence, part))
    if "NotPrincipal" in sentence.source:
        for who, principal in principals_of(sentence.source, "NotPrincipal"):
            yield Way(sentence, who, _named(sentence, {"NotPrincipal": principal}, applies=False))


def _is_open(test: Test) -> bool:
    return test.low_key not in _SETTLED and not test.low_key.startswith("kms:")


def _parts(test: Test) -> Iterator[Test]:
    """One test for each value that a Deny makes an exemption of."""
    if test.negated and test.base != "Null" and len(test.values) > 1:
        yield from (Test(test.operator, test.key, (value,)) for value in test.values)
    else:
        yield test


def _all_hold(sentence: Sentence, tests: Collection[Test]) -> Callable[[Situation], bool]:
    if any(test.low_key == _NEVER_MADE_UP for test in tests):
        return lambda situation: False
    answers = [_answer(sentence, test) for test in tests]
    return lambda situation: all(answer(situation) is True for answer in answers)


def _fails(sentence: Sentence, test: Test) -> Callable[[Situation], bool]:
    if test.low_key == _NEVER_MADE_UP:
        return lambda situation: False
    answer = _answer(sentence, test)
    return lambda situation: answer(situation) is False


def _answer(sentence: Sentence, test: Test) -> Callable[[Situation], Match]:
    """Whether a condition holds for a request: the values of its key and of its variables are all that counts."""
    statement = sentence.alone(test)
    keys = (test.low_key, *_variables(test))
    known: dict[tuple[object, ...], Match] = {}

    def answer(situation: Situation) -> Match:
        values = tuple(map(situation.context.get, keys))
        if values not in known:
            known[values] = statement.applies(situation, named=False)
        return known[values]

    return answer


def _variables(test: Test) -> Iterator[str]:
    for value in test.values:
        try:
            yield from (variable.key for variable in variables_of(parse(value, variables=True)))
        except MalformedError:  # which no request makes better
            continue


def _named(sentence: Sentence, named: Mapping[str, Any], *, applies: bool) -> Callable[[Situation], bool]:
    effect = sentence.source.get("Effect")
    alone = Document(
        {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": "*", "Resource": "*", **named}]}
    )
    return lambda situation: alone.compiled.statements[0].applies(situation, named=True) is applies


def _words(test: Test) -> str:
    return f"{test.operator} {test.key} {', '.join(test.values)}"


def _weakened(document: Document, numbers: Collection[int]) -> Document:
    """A document whose Denies of these numbers are left out, and whose Allows have no conditions."""
    source = document.source
    stated = source.get("Statement") if isinstance(source, Mapping) else None
    kept = []
    for number, statement in enumerate(stated if isinstance(stated, (list, tuple)) else [stated]):
        if number not in numbers or not isinstance(statement, Mapping):
            kept.append(statement)
        elif statement.get("Effect") == "Allow":
            bare = {key: value for key, value in statement.items() if key != "Condition"}
            kept.append({**bare, "Principal": "*"} if not set(_NAMED).isdisjoint(bare) else bare)
    whole = source if isinstance(source, Mapping) else {}
    return Document({**whole, "Statement": kept}, document.place)
