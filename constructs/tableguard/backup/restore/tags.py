"""The tags by which everybody tells a table that a restore has made, and how far it is."""

from __future__ import annotations

from typing import Final

RESTORE_TAG: Final = "tableguard:restore"
STATE_TAG: Final = "tableguard:restore-state"
REACHED_TAG: Final = "tableguard:restore-reaches"
VERIFIED_TAG: Final = "tableguard:verified"
INCOMPLETE: Final = "incomplete"
VERIFIED: Final = "verified"
ALL_TAGS: Final = (RESTORE_TAG, STATE_TAG, REACHED_TAG, VERIFIED_TAG)
"""Every tag that a restore sets."""
