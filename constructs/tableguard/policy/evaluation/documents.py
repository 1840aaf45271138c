"""Policy documents, compiled once and kept within a fixed amount of memory."""

from __future__ import annotations

import marshal
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tableguard.policy.evaluation.decision import Place
from tableguard.policy.evaluation.statements import Statement

_VARIABLES_SINCE: Final = "2012-10-17"
_VERSIONS: Final = frozenset({"2008-10-17", _VARIABLES_SINCE})
_ELEMENTS: Final = frozenset({"Version", "Id", "Statement"})

# Two generations of at most this many bytes of source each; compiled documents take some ten times their source.
_GENERATION_BYTES: Final = 4 * 1024 * 1024
# Version 2 of the format writes equal documents as equal bytes; later ones depend on who else refers to a text.
_MARSHAL_VERSION: Final = 2
# A policy has eight levels, and at most some thousand parts on one of them.
_DEEPEST: Final = 16
_BROADEST: Final = 100_000
_CONTAINERS: Final = frozenset({dict, list, tuple})
_REMEMBERED_ACTIONS: Final = 100


class CompiledDocument:
    """The statements of a document, and which of them concern an action.

    Args:
        statements: The statements.
    """

    __slots__ = ("_by_action", "statements")

    def __init__(self, statements: tuple[Statement, ...]) -> None:
        self.statements = statements
        self._by_action: dict[str, tuple[Statement, ...]] = {}

    def concerning(self, action: str) -> tuple[Statement, ...]:
        """The statements that may concern an action (in lower case)."""
        found = self._by_action.get(action)
        if found is None:
            found = tuple([each for each in self.statements if each.concerns(action) is not False])
            if len(self._by_action) < _REMEMBERED_ACTIONS:
                self._by_action[action] = found
        return found


@dataclass(frozen=True, slots=True)
class Document:
    """A policy document, with the place where it stands.

    The source is read at once; changing it later has no effect. Equal sources share their compiled form.

    Args:
        source: The document: a mapping as JSON gives it. Anything else is a document that cannot be understood.
        place: Where it stands; reasons repeat it.
    """

    source: object
    place: Place | None = None
    compiled: CompiledDocument = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "compiled", _CACHE.compiled(self.source))


class _Cache:
    """Compiled documents by content. When a generation is full, the one before it is dropped."""

    def __init__(self, generation_bytes: int) -> None:
        self._limit = generation_bytes
        self._young: dict[bytes, CompiledDocument] = {}
        self._old: dict[bytes, CompiledDocument] = {}
        self._bytes = 0

    def compiled(self, source: object) -> CompiledDocument:
        if not _is_shallow(source):
            return _compile(None)
        try:
            key = marshal.dumps(source, _MARSHAL_VERSION)  # type: ignore[arg-type]
        except ValueError:
            # Something else than JSON's own types is in it.
            plain = _plain(source, _DEEPEST)
            if not _is_shallow(plain):
                return _compile(None)
            key = marshal.dumps(plain, _MARSHAL_VERSION)  # type: ignore[arg-type]
        young = self._young
        found = young.get(key)
        if found is not None:
            return found
        found = self._old.get(key)
        if found is None:
            # The copy cuts the compiled form loose from a mapping that the caller may change.
            found = _compile(marshal.loads(key))
        if self._bytes + len(key) > self._limit:
            self._old, self._young, self._bytes = young, {}, 0
        if len(key) <= self._limit:
            self._young[key] = found
            self._bytes += len(key)
        return found


def _is_shallow(value: object) -> bool:
    """Whether it is nested no deeper, and branches no more, than any policy; a structure within itself is not."""
    level = [value] if type(value) in _CONTAINERS else []
    for _ in range(_DEEPEST):
        if not level:
            return True
        inside = [item for each in level for item in (each.values() if isinstance(each, dict) else each)]  # type: ignore[attr-defined]
        if len(inside) > _BROADEST:
            return False
        level = [item for item in inside if type(item) in _CONTAINERS]
    return False


def _plain(value: object, depth: int) -> object:
    """Copy what JSON could hold, however deep; the rest becomes None, which is understood nowhere in a policy."""
    if depth <= 0:
        return None
    if isinstance(value, Mapping):
        return {
            str.__str__(key) if isinstance(key, str) else None: _plain(item, depth - 1) for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth - 1) for item in value]
    if isinstance(value, str):
        return str.__str__(value)
    return value if type(value) in (bool, int, float) else None


def _compile(source: object) -> CompiledDocument:
    if not isinstance(source, Mapping):
        return _unreadable("the document is no object")
    problem = None
    if not _ELEMENTS.issuperset(source):
        strange = min(map(str, source.keys() - _ELEMENTS))
        problem = f"{strange!r} is no element of a policy document"
    version = source.get("Version", "2008-10-17")
    if not isinstance(version, str) or version not in _VERSIONS:
        problem = f"the Version {version!r} is none that IAM knows"
    statements = source.get("Statement")
    if isinstance(statements, Mapping):
        statements = [statements]
    if not isinstance(statements, (list, tuple)):
        return _unreadable("the document has no list of statements")
    if problem is not None and not statements:
        return _unreadable(problem)
    variables = version == _VARIABLES_SINCE
    return CompiledDocument(
        tuple(
            Statement(statement, index=index, variables=variables, problem=problem)
            for index, statement in enumerate(statements)
        )
    )


def _unreadable(problem: str) -> CompiledDocument:
    """Stands for a document that could say anything."""
    return CompiledDocument((Statement(None, index=None, variables=False, problem=problem),))


_CACHE: Final = _Cache(_GENERATION_BYTES)
