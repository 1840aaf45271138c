"""Values of templates that may be anything, since others wrote them: taken for what they should be, or for nothing."""

from __future__ import annotations

from typing import Any

from tableguard.review.functions import has_unknown


def text_of(value: Any) -> str | None:
    """A text that is known; None for anything else.

    Args:
        value: JSON of a template, resolved.
    """
    return value if isinstance(value, str) and value and not has_unknown(value) else None


def texts_of(value: Any) -> tuple[tuple[str, ...], bool]:
    """The texts of a list, and whether anything else stands in it, or it is no list.

    Args:
        value: JSON of a template, resolved.
    """
    if not isinstance(value, list):
        return (), value is not None
    known = tuple(text for each in value if (text := text_of(each)) is not None)
    return known, len(known) < len(value)
