"""What matching can say: yes, no, or that it cannot be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Match: TypeAlias = bool | None
"""True, False, or None for "cannot be told", which an Allow reads as no and a Deny as yes."""

Context: TypeAlias = Mapping[str, tuple[str, ...]]
"""The context of a request: lower-case keys, since IAM ignores their case, and one or more values each."""


class MalformedError(ValueError):
    """A part of a policy that IAM's grammar does not allow. Never leaves the evaluation: it becomes a reason."""
