"""Decides the requests that rules ask about."""

from __future__ import annotations

from collections.abc import Iterator

from tableguard.evaluation import DocumentLocation, Request
from tableguard.review.decide import ANY_IDENTITY, Verdict, decide
from tableguard.review.picture import Picture
from tableguard.review.rules.doubts import Doubts, resource_at
from tableguard.review.rules.people import opened, without
from tableguard.review.rules.question import Question
from tableguard.review.rules.reach import ABOUT_CALLERS, RelevantStatements, is_closed
from tableguard.review.unknown import UnknownKind


class Deciding:
    """Decides the questions of rules, with the identity policies as they stand or as they might be.

    Args:
        picture: The picture.
    """

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self._as_they_might_be = opened(picture)
        perhaps = {resource_at(each.place) for each in picture.unknowns if each.kind is UnknownKind.CONDITION}
        documents = [document for each in picture.identities for document in each.documents]
        self._doubtful = {each.place for each in documents if each.place and resource_at(each.place) in perhaps}
        self._doubts = Doubts(picture)
        self._without_doubtful = without(picture, self._doubtful)

    def doubts(
        self, question: Question, request: Request, verdict: Verdict
    ) -> Iterator[tuple[str, DocumentLocation | None]]:
        """What may take an access away that was decided, in words, with its place.

        Args:
            question: The question, whose request goes through.
            request: Its request.
            verdict: What was decided.
        """
        if self._doubtful and not decide(self._without_doubtful, request).allowed:
            for reason in verdict.because:
                if reason.place in self._doubtful:
                    yield "whether its condition holds, and nothing else allows it", reason.place
        yield from self._doubts.about(question, request, verdict)

    def surely_refuses(self, question: Question, reach: RelevantStatements) -> bool:
        """Whether a request is refused because no statement could allow it, whatever the circumstances.

        Args:
            question: The question.
            reach: What the statements reach.
        """
        return ABOUT_CALLERS.isdisjoint(question.context) and reach.is_silent(
            question.table, question.caller, question.resource, question.action.qualified
        )

    def decide(self, question: Question, request: Request) -> Verdict:
        """Decide a question.

        Args:
            question: The question.
            request: Its request.
        """
        if question.allowed:
            return decide(self.picture, request)
        known = is_closed(question.table, question.caller)
        return decide(self.picture if known else self._as_they_might_be, request, outsider=ANY_IDENTITY)
