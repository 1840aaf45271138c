"""What matching can say: yes, no, or that it cannot be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from tableguard.evaluation.open_answers import Open

Match: TypeAlias = bool | None
"""True, False, or None for "cannot be told", which an Allow reads as no and a Deny as yes."""

Context: TypeAlias = Mapping[str, tuple[str, ...]]
"""The context of a request: lower-case keys, since IAM ignores their case, and one or more values each."""

Doubt: TypeAlias = tuple[str, Open | None]
"""Why something cannot be told, in words, and the open answer behind it; None for what is malformed or unreadable."""


class MalformedError(ValueError):
    """A part of a policy that cannot be understood. Never leaves the evaluation: it becomes a reason.

    Args:
        message: What is wrong with it.
        answer: The open answer that it needs; None where IAM's grammar does not allow it.
    """

    def __init__(self, message: str, answer: Open | None = None) -> None:
        super().__init__(message)
        self.answer = answer
