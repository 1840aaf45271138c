"""The pytest plugin: assertions on decisions, and template snapshots, as fixtures.

It is installed with tableguard; `pytest -p no:tableguard` turns it off.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.fixture(name="assert_allowed", scope="session")
def _assert_allowed() -> Callable[..., None]:
    """`tableguard.testing.assert_allowed`: assert that a request is allowed."""
    # Imported on first use, since pytest loads the plugin in every run.
    from tableguard.testing.decisions import assert_allowed  # noqa: PLC0415

    return assert_allowed


@pytest.fixture(name="assert_denied", scope="session")
def _assert_denied() -> Callable[..., None]:
    """`tableguard.testing.assert_denied`: assert that a request is denied."""
    from tableguard.testing.decisions import assert_denied  # noqa: PLC0415 - as above

    return assert_denied


@pytest.fixture(name="template_snapshots")
def _template_snapshots(request: pytest.FixtureRequest) -> object:
    """Syrupy's `snapshot` with `TemplateSnapshotExtension`: `assert stack == template_snapshots`."""
    from tableguard.testing.syrupy import TemplateSnapshotExtension  # noqa: PLC0415 - as above

    return request.getfixturevalue("snapshot").use_extension(TemplateSnapshotExtension)
