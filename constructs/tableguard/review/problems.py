"""Which statements of a policy the evaluation cannot understand, or Block Public Access would not let pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tableguard.evaluation import Document, Request
from tableguard.policy.errors import PublicPolicyError
from tableguard.policy.public_access import check_not_public
from tableguard.review.functions import has_unknown
from tableguard.review.sentences import Sentence, Shelf

_ACTION: Final = "dynamodb:getitem"
_SITUATION: Final = Request(
    principal="arn:aws:iam::111122223333:role/anybody",
    action=_ACTION,
    resource="arn:aws:dynamodb:us-east-1:111122223333:table/any",
).situation
_PARTS: Final = (("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource"), ("Condition",))


def not_understood(document: Document, shelf: Shelf, *, named: bool) -> Iterator[tuple[int | None, str]]:
    """The statements that cannot be understood, by number, and why. What is only unknown yet is left out.

    Args:
        document: The document.
        shelf: The statements of documents.
        named: Whether policies of its kind name principals.
    """
    source = document.source
    if not isinstance(source, Mapping) or not isinstance(source.get("Statement"), (Mapping, list)):
        if not has_unknown(source):
            yield None, "it is no policy document"
        return
    read = {sentence.number: sentence for sentence in shelf.sentences(document)}
    statements = source["Statement"]
    for number in range(len(statements) if isinstance(statements, list) else 1):
        sentence = read.get(number)
        problem = "it is no object" if sentence is None else _problem(sentence, source, named=named)
        if problem is not None:
            yield number, problem


def public(document: Document, shelf: Shelf) -> Iterator[tuple[int, str]]:
    """The statements that allow everybody, by number, and how.

    Args:
        document: A table's or stream's policy.
        shelf: The statements of documents.
    """
    for sentence in shelf.sentences(document):
        try:
            check_not_public({"Statement": [sentence.source]}, owner="")
        except PublicPolicyError as error:
            yield sentence.number, str(error).split(" of  ", 1)[-1].partition(" Allowed: ")[0]
        except (AttributeError, TypeError):
            # Conditions that are no conditions: that the statement is not understood is said elsewhere.
            continue


def _problem(sentence: Sentence, document: Mapping[str, Any], *, named: bool) -> str | None:
    if has_unknown(sentence.source):
        return None
    for part in _PARTS:
        # One part at a time, since the evaluation stops reading at the first one that does not fit.
        probe: dict[str, Any] = {key: value for key, value in sentence.source.items() if not _is_other(key, part)}
        for names in _PARTS[:3]:
            if names is not part and not (names[0] == "Principal" and not named):
                probe[names[0]] = "*"
        compiled = Document({**document, "Statement": [probe]}).compiled.statements[0]
        if compiled.concerns(_ACTION) is None or compiled.applies(_SITUATION, named=named) is None:
            return compiled.doubt(_SITUATION, named=named)[0]
    return None


def _is_other(key: str, part: tuple[str, ...]) -> bool:
    return key not in part and any(key in names for names in _PARTS)
