"""How value objects are shown in errors and in Python: short, as one would write them, and the same in every run."""

from __future__ import annotations

import dataclasses
import enum
import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def as_call(value: Any) -> str:
    """The call that makes a value object, without arguments that were left out. It stands in for `__repr__`.

    Args:
        value: A dataclass that keeps what its constructor was given under the names of its parameters.
    """
    return f"{type(value).__name__}({', '.join(_arguments(value))})"


def shown(value: Any) -> str:
    """A value of an argument as Python would write it.

    Args:
        value: The value.
    """
    match value:
        case enum.Enum():
            return f"{type(value).__name__}.{value.name}"
        case Mapping():
            return f"{{{', '.join(f'{shown(key)}: {shown(inner)}' for key, inner in value.items())}}}"
        case list() | tuple():
            # One and the same whether it was given as a list or not.
            return f"[{', '.join(map(shown, value))}]"
    return repr(value)


def union(
    name: str, constants: Mapping[str, frozenset[Any]], permissions: frozenset[Any]
) -> tuple[list[str], set[Any]]:
    """The constants of a class that a set of permissions is made of, and what is left of it.

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
    """The names of what something is made of, each once: those that are known in their order, the others sorted.

    Args:
        parts: The names.
        known: The names that have an order.
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
        # Some keep their values sorted, whatever the order in which they were given.
        return sorted(map(shown, given)) == sorted(map(shown, parameter.default))
    return type(given) is type(parameter.default) and bool(given == parameter.default)
