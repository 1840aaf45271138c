"""Text in lines of a width that a terminal has."""

from __future__ import annotations

import textwrap
from typing import Final

LEAST: Final = 40
"""The narrowest width that is respected, in characters."""


def wrapped(text: str, width: int, *, head: str = "", indent: str | None = None, whole: bool = False) -> list[str]:
    """A text in lines: broken between words, and within a word only where it is longer than a line.

    Args:
        text: The text.
        width: The width in characters.
        head: What the first line begins with.
        indent: What the others begin with; as many spaces as the head has characters when left out.
        whole: Whether to leave even such a word whole: somebody will copy it.
    """
    return textwrap.wrap(
        text,
        width,
        initial_indent=head,
        subsequent_indent=" " * len(head) if indent is None else indent,
        break_on_hyphens=False,
        break_long_words=not whole,
    )
