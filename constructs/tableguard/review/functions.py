"""CloudFormation's functions as they stand in a template: where one is, and where one is left unresolved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

# What makes other keys, or changes those around it, when it is deployed.
_GENERATORS: Final = ("Fn::Transform", "Fn::ForEach")


def has_unknown(value: Any) -> bool:
    """Whether a function that nobody could resolve stands in the value.

    Args:
        value: What `Resolver.resolve` returned.
    """
    if isinstance(value, Mapping):
        # A macro or a loop beside other keys changes them, too.
        return function_of(value) is not None or any(map(is_generator, value)) or any(map(has_unknown, value.values()))
    if isinstance(value, list):
        return any(map(has_unknown, value))
    # A dynamic reference: the value of a secret or of a parameter in the account.
    return isinstance(value, str) and "{{resolve:" in value


def is_generator(key: object) -> bool:
    """Whether a key makes other keys, or changes those around it, at deployment: a macro, or a loop.

    Args:
        key: A key of a template.
    """
    return str(key).startswith(_GENERATORS)


def is_function(value: object) -> bool:
    """Whether a value is one of CloudFormation's functions.

    Args:
        value: JSON of a template.
    """
    return isinstance(value, Mapping) and function_of(value) is not None


def function_of(value: Mapping[str, Any]) -> tuple[str, Any] | None:
    """The name and the argument of a function; None for an object that is none.

    Args:
        value: The object.
    """
    if len(value) != 1:
        return None
    ((name, argument),) = value.items()
    return (name, argument) if name == "Ref" or str(name).startswith("Fn::") else None
