"""In which circumstances a rule asks: contexts in which an Allow applies, or a Deny does not.

Made from the conditions of the policies themselves, so that "only through vpce-1" is tried from inside and from
outside, and every exemption of a Deny is tried as a way around it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

from tableguard.policy.evaluation import Document

Context: TypeAlias = Mapping[str, tuple[str, ...]]
"""Condition keys in lower case, with their values."""
_Changes: TypeAlias = Mapping[str, tuple[str, ...] | None]
"""What to change in a context; None takes a key out."""

MOST: Final = 48
"""At most so many circumstances for one action of one caller on one resource."""

NETWORK_KEYS: Final = frozenset({"aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip"})
_FORWARDED: Final = frozenset({"aws:viaawsservice", "aws:calledvia", "aws:calledviafirst", "aws:calledvialast"})

INTERNET: Final[Context] = {"aws:sourceip": ("203.0.113.77",), "aws:securetransport": ("true",)}
STRANGE_VPC: Final[Context] = {
    "aws:securetransport": ("true",),
    "aws:sourcevpc": ("vpc-00000000000000bad",),
    "aws:sourcevpce": ("vpce-00000000000000bad",),
    "aws:vpcsourceip": ("10.99.99.99",),
}

# Who the caller is, what the resource is and what time it is: nobody chooses that for a request.
_FACTS: Final = frozenset(
    {
        "aws:currenttime",
        "aws:epochtime",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalisawsservice",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalservicename",
        "aws:principalservicenameslist",
        "aws:principaltype",
        "aws:requestedregion",
        "aws:resourceaccount",
        "aws:resourceorgid",
        "aws:resourceorgpaths",
        "aws:userid",
        "aws:username",
    }
)
_VARIABLE: Final = re.compile(r"\$\{\s*([^\s,{}'*?$]+)[^}]*\}|\$\{([*?$])\}")
_OTHER: Final = "something-else"
_FILLER: Final = "x"


def circumstances(documents: Iterable[Document], action: str) -> tuple[tuple[Context, ...], int]:
    """The contexts to ask in, and how many were left out because there would have been more than `MOST`.

    Args:
        documents: The policies that bear on the request.
        action: The action, with its service.
    """
    allows: list[_Changes] = [{}]
    escapes: list[_Changes] = [{}]
    for document in documents:
        made = _of_document(document, action.lower())
        allows += made[0]
        escapes += made[1]
    found: dict[tuple[tuple[str, tuple[str, ...]], ...], Context] = {}
    for escape in escapes:
        for base in (INTERNET, STRANGE_VPC):
            for allow in allows:
                context = _merged(base, allow, escape)
                found.setdefault(tuple(sorted(context.items())), context)
    contexts = tuple(found.values())
    return contexts[:MOST], max(0, len(contexts) - MOST)


def is_forwarded(context: Context) -> bool:
    """Whether an AWS service makes the request on the caller's behalf.

    Args:
        context: The context.
    """
    return context.get("aws:viaawsservice") == ("true",) or any(key in context for key in _FORWARDED - {"aws:viaawsservice"})


def _of_document(document: Document, action: str) -> tuple[list[_Changes], list[_Changes]]:
    allows: list[_Changes] = []
    escapes: list[_Changes] = []
    concerning = {statement.index for statement in document.compiled.concerning(action)}
    for index, statement in enumerate(_statements(document.source)):
        if index not in concerning or not isinstance(statement, Mapping):
            continue
        tests = list(_tests(statement.get("Condition")))
        if statement.get("Effect") == "Allow":
            met = _met(tests)
            if met:
                allows.append(met)
                if NETWORK_KEYS & met.keys():
                    allows.append({key: value for key, value in met.items() if key not in NETWORK_KEYS})
        else:
            escapes += [changes for test in tests if (changes := _unmet(*test))]
    return allows, escapes


def _statements(source: object) -> Sequence[object]:
    found = source.get("Statement") if isinstance(source, Mapping) else None
    return found if isinstance(found, (list, tuple)) else [found]


def _tests(block: object) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for operator, keys in block.items() if isinstance(block, Mapping) else ():
        for key, value in keys.items() if isinstance(keys, Mapping) else ():
            values = value if isinstance(value, (list, tuple)) else [value]
            if values and all(isinstance(each, (str, bool, int, float)) for each in values):
                yield str(operator), str(key).lower(), tuple(map(_text, values))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _merged(base: Context, *changes: _Changes) -> Context:
    context = dict(base)
    for each in changes:
        network = {key for key, value in each.items() if key in NETWORK_KEYS and value is not None}
        if network:
            # A request through an endpoint has no public address, and the other way round.
            context = {key: value for key, value in context.items() if key not in NETWORK_KEYS}
        for key, value in each.items():
            if value is None:
                context.pop(key, None)
            elif key not in _FACTS:
                context[key] = value
    return context


def _met(tests: Iterable[tuple[str, str, tuple[str, ...]]]) -> _Changes:
    """What lets every test hold."""
    changes: dict[str, tuple[str, ...] | None] = {}
    for operator, key, values in tests:
        if operator == "Null":
            changes[key] = None if "true" in values else changes.get(key) or (_FILLER,)
        elif "Not" in operator:
            changes.setdefault(key, None)
        else:
            changes[key] = (_fitting(operator, values[0]),)
            changes |= {variable: (_FILLER,) for variable in _variables(values[0])}
    return {key: value for key, value in changes.items() if key not in _FACTS}


def _unmet(operator: str, key: str, values: tuple[str, ...]) -> _Changes:
    """What lets one test fail."""
    if key in _FACTS:
        return {}
    if operator == "Null":
        return {key: (_FILLER,) if "true" in values else None}
    if "Not" in operator:
        return {key: (_fitting(operator, values[0]),)}
    if "Bool" in operator:
        return {key: ("false" if values[0].lower() == "true" else "true",)}
    return {key: (_different(operator),)} if "IfExists" in operator or "ForAllValues" in operator else {key: None}


def _variables(value: str) -> Iterator[str]:
    for found in _VARIABLE.finditer(value):
        if found[1]:
            yield found[1].lower()


@lru_cache(maxsize=4096)
def _fitting(operator: str, value: str) -> str:
    """A value of a request that a value of a policy fits."""
    if "IpAddress" in operator:
        try:
            return str(ipaddress.ip_network(value, strict=False)[0])
        except ValueError:
            return value
    if "Less" in operator or "Greater" in operator:
        return _beside(operator, value)
    if "Like" in operator or "Arn" in operator:
        value = _VARIABLE.sub(lambda found: found[0] if found[2] else _FILLER, value)
        marks = {"${*}": "\0", "${?}": "\1", "${$}": "\2"}
        for text, mark in marks.items():
            value = value.replace(text, mark)
        value = value.replace("*", _FILLER).replace("?", "0")
        return value.replace("\0", "*").replace("\1", "?").replace("\2", "$")
    return _VARIABLE.sub(lambda found: found[2] or _FILLER, value)


def _beside(operator: str, value: str) -> str:
    try:
        number = float(value)
    except ValueError:
        return "1970-01-02T00:00:00Z" if "Less" in operator else "2999-01-01T00:00:00Z"
    return f"{number - 1 if 'Less' in operator else number + 1:g}"


def _different(operator: str) -> str:
    for part, value in (("IpAddress", "203.0.113.99"), ("Numeric", "999999999"), ("Date", "2999-01-01T00:00:00Z")):
        if part in operator:
            return value
    return _OTHER
