"""What keeps a Deny from a request that it would deny otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tableguard.evaluation.request import Situation
from tableguard.review.samples import TIMES
from tableguard.review.sentences import Sentence, Test


def what_exempts(sentence: Sentence, situation: Situation, about: Sequence[Test]) -> tuple[Test, ...]:
    """The conditions of a Deny that keep it from a request: the time only where nothing else does.

    Args:
        sentence: The Deny.
        situation: The request.
        about: Those of its conditions that say who the caller is. They hold.
    """
    others = [test for test in sentence.tests if test not in about and test.low_key not in TIMES]
    dates = [test for test in sentence.tests if test.low_key in TIMES and not sentence.holds(test, situation)]
    if not dates or not all(sentence.holds(test, situation) for test in others):
        return tuple(others)
    return (*about_callers(about), *dates)


def about_callers(tests: Iterable[Test]) -> tuple[Test, ...]:
    """The conditions that say who the caller is.

    Args:
        tests: Conditions.
    """
    return tuple(test for test in tests if test.low_key.startswith("aws:principal"))
