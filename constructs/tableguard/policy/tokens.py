"""Values that only a deployment knows, recognized without importing what made them.

The CDK encodes such a value into a string as `${Token[NAME.NUMBER]}`, into a list as `#{Token[…]}`. The language
passes them through: it neither checks, sorts nor measures what it cannot see.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_HINT: Final = "{Token["
_TOKEN: Final = re.compile(r"[$#]\{Token\[[^\]]*\]\}")


def is_unresolved(value: str) -> bool:
    """Whether the string is, or contains, a value that is known only at deployment."""
    # Asked of every value many times, and nearly all of them are literal.
    return _HINT in value and _TOKEN.search(value) is not None


def literal_part(value: str) -> str:
    """What is left of a string without its unresolved values: what can be checked and measured today."""
    return _TOKEN.sub("", value)


def ordered(values: Iterable[str]) -> tuple[str, ...]:
    """Each value once: literals sorted, then unresolved values in the order in which they were declared.

    A token's text holds a number that shifts when an unrelated construct is added, so sorting by it would reorder
    policies for no reason.
    """
    unique = tuple(dict.fromkeys(values))
    if len(unique) == 1:
        return unique
    unresolved = [value for value in unique if is_unresolved(value)]
    if not unresolved:
        return tuple(sorted(unique))
    return (*sorted(set(unique).difference(unresolved)), *unresolved)
