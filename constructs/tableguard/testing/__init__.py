"""Helpers for tests of apps that share tables: template snapshots, and assertions on access decisions.

def test_data_stack(snapshot):
    assert template_snapshot(DataStack(app, "Data")) == snapshot

def test_readers_only_read():
    assert_allowed(app, principal=reader.principal, action="dynamodb:GetItem", resource=orders.reference)
    assert_denied(app, principal=reader.principal, action="dynamodb:PutItem", resource=orders.reference)
"""

from __future__ import annotations

from tableguard.testing.decisions import assert_allowed, assert_denied
from tableguard.testing.snapshots import scrubbed, template_snapshot

__all__ = ["assert_allowed", "assert_denied", "scrubbed", "template_snapshot"]
