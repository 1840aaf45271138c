"""How often schedules start something."""

from __future__ import annotations

import pytest

from tableguard.review.schedules import duration, longest_pause


@pytest.mark.parametrize(
    ("expression", "minutes"),
    [
        ("rate(15 minutes)", 15),
        ("rate(1 hour)", 60),
        ("rate(7 days)", 10080),
        ("cron(0 5 * * ? *)", 1440),
        ("cron(0 5 ? * * *)", 1440),
        ("cron(0 * * * ? *)", 60),
        ("cron(0/15 * * * ? *)", 15),
        ("cron(*/20 * ? * * *)", 20),
        ("cron(0 0/6 * * ? *)", 360),
        ("cron(0 8,20 * * ? *)", 720),
        ("cron(0 8,12 * * ? *)", 1200),
        ("cron(30 5 ? * MON *)", 10080),
        ("cron(30 5 ? * 2 *)", 10080),
        ("cron(30 5 1 * ? *)", 44640),
        ("cron(30 5 L * ? *)", 44640),
        # Not every month has one, or nobody can tell.
        ("cron(30 5 31 * ? *)", None),
        ("cron(0 5 ? * MON-FRI *)", None),
        ("cron(0 5 * 1 ? *)", None),
        ("cron(0 5 * * ? 2027)", None),
        ("cron(0 5,17 ? * MON *)", None),
        ("cron(61 5 * * ? *)", None),
        ("cron(0/0 5 * * ? *)", None),
        ("cron(x 5 * * ? *)", None),
        ("cron(0 5 * *)", None),
        ("at(2027-01-01T00:00:00)", None),
        ("rate(0 minutes)", None),
        ("", None),
        (None, None),
    ],
)
def test_the_longest_pause_between_two_starts(expression: str | None, minutes: int | None) -> None:
    assert longest_pause(expression) == minutes


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(15, "15 min"), (60, "1 h"), (90, "1 h 30 min"), (1440, "1 day"), (4320, "3 days"), (0, "0 min")],
)
def test_times_in_words(minutes: int, words: str) -> None:
    assert duration(minutes) == words
