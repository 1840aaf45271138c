"""What a row of the table of faults is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.integration.backup.stage import Stage


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that goes wrong.

    Args:
        name: What tells it from the others.
        injected: What goes wrong, in words.
        by: Who lets it: our `extension` of the emulator, or the `emulator` as it is, by an ordinary request.
        must: What must come of it.
        run: Lets it go wrong, and sees what comes of it.
    """

    name: str
    injected: str
    by: Literal["extension", "emulator"]
    must: str
    run: Callable[[Stage], None]
