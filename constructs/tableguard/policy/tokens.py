"""Values that only a deployment knows, recognized without importing what made them.

The CDK encodes such a value into a string as `${Token[NAME.NUMBER]}`, into a list as `#{Token[…]}`. The language
passes them through: it neither checks, sorts nor measures what it cannot see.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_TOKEN: Final = re.compile(r"[$#]\{Token\[[^\]]*\]\}")


def is_unresolved(value: str) -> bool:
    """Whether the string is, or contains, a value that is known only at deployment."""
    return _TOKEN.search(value) is not None


def literal_part(value: str) -> str:
    """What is left of a string without its unresolved values: what can be checked and measured today."""
    return _TOKEN.sub("", value)


def ordered(values: Iterable[str]) -> tuple[str, ...]:
    """Each value once: literals sorted, then unresolved values in the order in which they were declared.

    A token's text holds a number that shifts when an unrelated construct is added, so sorting by it would reorder
    policies for no reason.
    """
    unique = dict.fromkeys(values)
    literals = sorted(value for value in unique if not is_unresolved(value))
    return (*literals, *(value for value in unique if is_unresolved(value)))
