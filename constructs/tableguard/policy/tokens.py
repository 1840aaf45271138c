"""Recognizes values that are known only at deployment, without importing the CDK.

The CDK encodes such a value in a string as `${Token[NAME.NUMBER]}`, in a list as `#{Token[…]}`. This library passes
them through: it does not check, sort or measure them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_HINT: Final = "{Token["
_TOKEN: Final = re.compile(r"[$#]\{Token\[[^\]]*\]\}")


def is_unresolved(value: str) -> bool:
    """Whether the string is, or contains, a value that is known only at deployment."""
    # Called many times for every value, and nearly all values are literal.
    return _HINT in value and _TOKEN.search(value) is not None


def literal_part(value: str) -> str:
    """Return a string without its unresolved values: the part that can be checked and measured now."""
    return _TOKEN.sub("", value)


def ordered(values: Iterable[str]) -> tuple[str, ...]:
    """Return each value once: literals sorted, then unresolved values in the order in which they were declared.

    A token's text has a number that changes when an unrelated construct is added, so sorting by the text would reorder
    policies.
    """
    unique = tuple(dict.fromkeys(values))
    if len(unique) == 1:
        return unique
    unresolved = [value for value in unique if is_unresolved(value)]
    if not unresolved:
        return tuple(sorted(unique))
    return (*sorted(set(unique).difference(unresolved)), *unresolved)
