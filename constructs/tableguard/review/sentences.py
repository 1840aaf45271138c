"""The statements of policy documents as somebody wrote them, and which part of one fits a request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tableguard.evaluation import Document, Reason
from tableguard.evaluation.match import Match
from tableguard.evaluation.policies import LayerDocuments, Policies
from tableguard.evaluation.request import Situation
from tableguard.evaluation.statements import CompiledStatement

_CONDITION: Final = "Condition"


@dataclass(frozen=True, slots=True)
class Test:
    """One line of a Condition element.

    Args:
        operator: The operator as it is written, prefix and suffix included.
        key: The condition key as it is written.
        values: Its values as text.
    """

    __test__ = False  # nothing for pytest to collect

    operator: str
    key: str
    values: tuple[str, ...]

    @property
    def low_key(self) -> str:
        """The key in lower case: IAM does not tell cases of keys apart."""
        return self.key.lower()

    @property
    def base(self) -> str:
        """The operator without prefix and suffix."""
        return self.operator.rpartition(":")[2].removesuffix("IfExists")

    @property
    def negated(self) -> bool:
        """Whether it holds for values that do not fit."""
        return "Not" in self.base


class Sentence:
    """One statement where it stands.

    Args:
        document: Its document.
        number: Its number in the document, counted from 0.
        source: The statement.
    """

    __slots__ = ("_bare", "_single", "_version", "document", "number", "source", "tests")

    def __init__(self, document: Document, number: int, source: Mapping[str, Any]) -> None:
        self.document = document
        self.number = number
        self.source = source
        self.tests = tuple(_tests(source.get(_CONDITION)))
        whole = document.source
        self._version = whole.get("Version") if isinstance(whole, Mapping) else None
        self._bare: Document | None = None
        self._single: dict[Test, Document] = {}

    @property
    def allows(self) -> bool:
        """Whether it is an Allow."""
        return self.source.get("Effect") == "Allow"

    @property
    def denies(self) -> bool:
        """Whether it is a Deny."""
        return self.source.get("Effect") == "Deny"

    @property
    def resources(self) -> tuple[str, ...]:
        """Its resources; none for NotResource."""
        return texts(self.source.get("Resource"))

    def fits(self, situation: Situation, *, named: bool, bounded: bool = False) -> Match:
        """Whether it applies to a request about an action that it concerns; None when that cannot be told."""
        found = next((each for each in self.document.compiled.statements if each.index == self.number), None)
        return None if found is None else found.applies(situation, named=named, bounded=bounded)

    def fits_but_for_conditions(self, situation: Situation, *, named: bool, bounded: bool = False) -> Match:
        """Whether it would apply without its conditions, to a caller with a permissions boundary or without one."""
        if not self.tests:
            return self.fits(situation, named=named, bounded=bounded)
        if self._bare is None:
            bare = {key: value for key, value in self.source.items() if key != _CONDITION}
            self._bare = self._document(bare)
        return self._bare.compiled.statements[0].applies(situation, named=named, bounded=bounded)

    def holds(self, test: Test, situation: Situation) -> Match:
        """Whether one of its conditions holds; None when that cannot be told."""
        return self.alone(test).applies(situation, named=False)

    def alone(self, test: Test) -> CompiledStatement:
        """A Deny of everything with one of its conditions."""
        if test not in self._single:
            condition = {test.operator: {test.key: list(test.values)}}
            self._single[test] = self._document(
                {"Effect": "Deny", "Action": "*", "Resource": "*", _CONDITION: condition}
            )
        return self._single[test].compiled.statements[0]

    def _document(self, statement: Mapping[str, Any]) -> Document:
        return Document({"Version": self._version or "2008-10-17", "Statement": [statement]}, self.document.place)


class Shelf:
    """The statements of documents, each read once."""

    def __init__(self) -> None:
        # The documents are kept, so that no other one gets the id of one that is gone.
        self._read: dict[int, tuple[Document, tuple[Sentence, ...]]] = {}

    def sentences(self, document: Document) -> tuple[Sentence, ...]:
        """The statements of a document; those that are no objects are left out."""
        found = self._read.get(id(document))
        if found is None:
            found = (document, tuple(_sentences(document)))
            self._read[id(document)] = found
        return found[1]

    def about(self, action: str, layer: LayerDocuments) -> Iterator[Sentence]:
        """The statements of a layer that concern an action in lower case."""
        for document in layer.documents:
            concerned = document.compiled.concerning(action)
            if concerned:
                numbers = {statement.index for statement in concerned}
                yield from (sentence for sentence in self.sentences(document) if sentence.number in numbers)

    def deciding(self, reason: Reason, policies: Policies) -> Sentence | None:
        """The statement behind a reason; None where it is a layer's silence.

        Args:
            reason: The reason.
            policies: The policies that the decision was made with.
        """
        if reason.statement is None:
            return None
        for layer in policies.layers:
            if layer.layer is not reason.layer or layer.level != reason.level:
                continue
            for document in layer.documents:
                for sentence in self.sentences(document) if document.place == reason.place else ():
                    if sentence.number == reason.statement and _is_of(reason, sentence):
                        return sentence
        return None


def texts(value: object) -> tuple[str, ...]:
    """The texts among one or several values.

    Args:
        value: An element of a statement.
    """
    values = value if isinstance(value, (list, tuple)) else [value]
    return tuple(each for each in values if isinstance(each, str))


def _is_of(reason: Reason, sentence: Sentence) -> bool:
    """Tells apart policies in one place, as those that a role and its groups share."""
    return reason.sid is None or reason.sid == sentence.source.get("Sid")


def _sentences(document: Document) -> Iterator[Sentence]:
    source = document.source
    stated = source.get("Statement") if isinstance(source, Mapping) else None
    for number, statement in enumerate(stated if isinstance(stated, (list, tuple)) else [stated]):
        if isinstance(statement, Mapping):
            yield Sentence(document, number, statement)


def _tests(condition: object) -> Iterator[Test]:
    for operator, keys in condition.items() if isinstance(condition, Mapping) else ():
        for key, value in keys.items() if isinstance(keys, Mapping) else ():
            values = value if isinstance(value, (list, tuple)) else [value]
            yield Test(str(operator), str(key), tuple(map(_text, values)))


def _text(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
