"""The SCPs and RCPs of an assembly, as the JSON that an organization attaches."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tableguard.policy import minified
from tableguard.policy.limits import DEFAULT_LIMITS, measured
from tableguard.review.assembly import SynthesizedStack
from tableguard.review.functions import has_unknown
from tableguard.review.intrinsics import Resolver

TYPES: Final[Mapping[str, str]] = {"scp": "SERVICE_CONTROL_POLICY", "rcp": "RESOURCE_CONTROL_POLICY"}
"""The types by their short names."""


@dataclass(frozen=True, slots=True)
class ControlPolicyDocument:
    """One SCP or RCP.

    Args:
        kind: "scp" or "rcp".
        name: Its name, or the logical id of its resource where CloudFormation has yet to learn it.
        stack: The stack that makes it.
        targets: What it is attached to.
        document: The document; None where parts of it are known at deployment only.
    """

    kind: str
    name: str
    stack: str
    targets: tuple[str, ...]
    document: Mapping[str, Any] | None

    @property
    def size(self) -> int:
        """Its size in characters, minified."""
        limits = {"scp": DEFAULT_LIMITS.service_control, "rcp": DEFAULT_LIMITS.resource_control}
        return measured(self.document, limits[self.kind]).size if self.document is not None else 0

    @property
    def file_name(self) -> str:
        """A name for a file that holds it."""
        return f"{re.sub(r'[^a-zA-Z0-9_.-]+', '-', self.name).strip('.') or 'policy'}.{self.kind}.json"

    @property
    def text(self) -> str:
        """The document, minified: white space counts in its limit."""
        return minified(self.document)


def control_policies(
    stacks: Sequence[SynthesizedStack],
    *,
    kinds: Iterable[str] = tuple(TYPES),
    parameters: Mapping[str, str] | None = None,
) -> Iterator[ControlPolicyDocument]:
    """All SCPs and RCPs of an assembly, in the order of its stacks.

    Args:
        stacks: The stacks.
        kinds: Which of "scp" and "rcp".
        parameters: Values for template parameters, by "STACK.PARAMETER".
    """
    wanted = {TYPES[kind]: kind for kind in kinds}
    resolver = Resolver(stacks, parameters)
    for stack in stacks:
        for logical_id, _ in stack.resources("AWS::Organizations::Policy"):
            properties = resolver.properties(stack, logical_id)
            kind = wanted.get(str(properties.get("Type")))
            if kind is None or resolver.exists(stack, logical_id) is False:
                continue
            content, targets = properties.get("Content"), properties.get("TargetIds")
            name = properties.get("Name")
            yield ControlPolicyDocument(
                kind=kind,
                name=name if isinstance(name, str) else logical_id,
                stack=stack.name,
                targets=tuple(
                    target if isinstance(target, str) else "known at deployment"
                    for target in (targets if isinstance(targets, list) else ())
                ),
                document=_document(content),
            )


def _document(content: object) -> Mapping[str, Any] | None:
    if isinstance(content, str):
        try:
            content = json.loads(content)
        except ValueError:
            return None
    return content if isinstance(content, Mapping) and not has_unknown(content) else None
