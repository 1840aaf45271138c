"""Where templates say what this library meant, and of which version what they say is."""

from __future__ import annotations

from typing import Final

METADATA_KEY: Final = "tableguard"
"""The key in the metadata of resources. What stands there is a claim: no decision ever rests on it."""
STACK_METADATA_KEY: Final = "tableguard:policies"
"""The key in the metadata of stacks."""
VERSION: Final = 1
"""The version of what is written. It changes when a reader of the former one would misunderstand what stands there."""
VERSION_KEY: Final = "version"
