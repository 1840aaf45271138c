"""Policy documents, compiled once and kept within a fixed amount of memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tableguard.evaluation.cache import ContentCache
from tableguard.evaluation.decision import DocumentLocation
from tableguard.evaluation.statements import CompiledStatement

_VARIABLES_SINCE: Final = "2012-10-17"
_VERSIONS: Final = frozenset({"2008-10-17", _VARIABLES_SINCE})
_ELEMENTS: Final = frozenset({"Version", "Id", "Statement"})

# Enough for whoever reads the same policies again for each request. What is kept costs time as well: Python's garbage
# collector walks it, and everything of the caller's with it, the more often the more there is.
_GENERATION_BYTES: Final = 1024 * 1024
_REMEMBERED_ACTIONS: Final = 100


class CompiledDocument:
    """The statements of a document, and which of them concern an action.

    Args:
        statements: The statements.
    """

    __slots__ = ("_by_action", "statements")

    def __init__(self, statements: tuple[CompiledStatement, ...]) -> None:
        self.statements = statements
        self._by_action: dict[str, tuple[CompiledStatement, ...]] = {}

    def concerning(self, action: str) -> tuple[CompiledStatement, ...]:
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
    place: DocumentLocation | None = None
    compiled: CompiledDocument = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "compiled", _CACHE.of(self.source))


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
            CompiledStatement(statement, index=index, variables=variables, problem=problem)
            for index, statement in enumerate(statements)
        )
    )


def _unreadable(problem: str) -> CompiledDocument:
    """Stands for a document that could say anything."""
    return CompiledDocument((CompiledStatement(None, index=None, variables=False, problem=problem),))


_CACHE: Final = ContentCache(_compile, generation_bytes=_GENERATION_BYTES)
