"""Comes last: what all integration tests together may cost."""

from __future__ import annotations

import resource

from tests.integration.conftest import spent

BUDGET = 180.0  # seconds


def test_takes_no_more_than_three_minutes() -> None:
    """On a busy machine they take longer: there, what counts is how long the processors worked for them."""
    worked = sum(resource.getrusage(who).ru_utime for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    assert min(sum(spent), worked) < BUDGET
