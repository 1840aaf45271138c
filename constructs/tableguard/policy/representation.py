"""The repr of value objects in errors and in Python: short, as in source code, and the same in every run."""

from __future__ import annotations

import dataclasses
import enum
import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def as_call(value: Any) -> str:
    """Return the call that makes a value object, without arguments that were left out. It is used as `__repr__`.

    Args:
        value: A dataclass that keeps the arguments of its constructor under the names of its parameters.
    """
    return f"{type(value).__name__}({', '.join(_arguments(value))})"


def shown(value: Any) -> str:
    """Return the value of an argument as Python source.

    Args:
        value: The value.
    """
    match value:
        case enum.Enum():
            return f"{type(value).__name__}.{value.name}"
        case Mapping():
            return f"{{{', '.join(f'{shown(key)}: {shown(inner)}' for key, inner in value.items())}}}"
        case list() | tuple():
            # The same text for a list and a tuple.
            return f"[{', '.join(map(shown, value))}]"
    return repr(value)


def union(
    name: str, constants: Mapping[str, frozenset[Any]], permissions: frozenset[Any]
) -> tuple[list[str], set[Any]]:
    """Split a set of permissions into constants of a class and the rest.

    Args:
        name: The name of the class.
        constants: The permissions of its constants by their names, the largest first.
        permissions: The set.
    """
    found: list[str] = []
    covered: set[Any] = set()
    for constant, part in constants.items():
        if part <= permissions and part - covered:
            found.append(f"{name}.{constant}")
            covered |= part
    return found, set(permissions) - covered


def in_order(parts: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return names, each once: first the known names in their order, then the others sorted.

    Args:
        parts: The names.
        known: The known names, in order.
    """
    order = {name: number for number, name in enumerate(known)}
    return sorted(set(parts), key=lambda name: (order.get(name, len(order)), name))


def _arguments(value: Any) -> Iterator[str]:
    made = {field.name: field for field in dataclasses.fields(value)}
    parameters = list(inspect.signature(type(value)).parameters.values())
    spread = any(each.kind is inspect.Parameter.VAR_POSITIONAL for each in parameters)
    for each in parameters:
        given = getattr(value, each.name)
        field = made[each.name]
        if each.kind is inspect.Parameter.VAR_POSITIONAL:
            yield from map(shown, given)
        elif not _left_out(given, field, each):
            named = each.kind is inspect.Parameter.KEYWORD_ONLY or spread
            yield f"{each.name}={shown(given)}" if named else shown(given)


def _left_out(given: Any, field: dataclasses.Field[Any], parameter: inspect.Parameter) -> bool:
    if field.default_factory is not dataclasses.MISSING:
        return bool(given == field.default_factory())
    if parameter.default is inspect.Parameter.empty:
        return False
    if isinstance(given, tuple) and isinstance(parameter.default, tuple):
        # Some classes sort the values that they were given.
        return sorted(map(shown, given)) == sorted(map(shown, parameter.default))
    return type(given) is type(parameter.default) and bool(given == parameter.default)
