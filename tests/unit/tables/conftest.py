"""Fixtures of the tests of the constructs."""

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension


@pytest.fixture
def template(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """One JSON file for each snapshot, which a person can review."""
    return snapshot.use_extension(JSONSnapshotExtension)
