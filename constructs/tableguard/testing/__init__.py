"""Help for the tests of applications that share tables, with any snapshot library.

def test_data_stack(snapshot):
    assert template_snapshot(DataStack(app, "Data")) == snapshot
"""

from __future__ import annotations

from tableguard.testing.snapshots import scrubbed, template_snapshot

__all__ = ["scrubbed", "template_snapshot"]
