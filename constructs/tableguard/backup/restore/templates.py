"""Policies in a definition that is written before the restored table has a name."""

from __future__ import annotations

import re
from typing import Any, Final

# Stands for the name that an execution is given, in everything that is rendered before there is one.
PLACEHOLDER: Final = "tableguard-restored-table"
# CloudFormation reads "${" in a definition as a variable of its own.
_BRACE: Final = "tableguard-dollar-brace"
_VARIABLE: Final = re.compile(r"\$\{(?!Token\[)")


def without_braces(policy: Any) -> Any:
    """A policy as a definition can hold it.

    Args:
        policy: The policy, or a part of it.
    """
    if isinstance(policy, str):
        return _VARIABLE.sub(_BRACE, policy)
    if isinstance(policy, list):
        return [without_braces(inner) for inner in policy]
    if isinstance(policy, dict):
        return {without_braces(key): without_braces(inner) for key, inner in policy.items()}
    return policy


def named(policy: Any, name: str) -> Any:
    """A policy with a name in the place of PLACEHOLDER, to measure it.

    Args:
        policy: The policy, or a part of it.
        name: The name.
    """
    if isinstance(policy, str):
        return policy.replace(PLACEHOLDER, name)
    if isinstance(policy, list):
        return [named(inner, name) for inner in policy]
    if isinstance(policy, dict):
        return {key: named(inner, name) for key, inner in policy.items()}
    return policy


def rendered(name: str) -> str:
    """An expression for the text of a policy with the table's name in it.

    By splitting and joining, so that nothing in a name is read as a pattern.

    Args:
        name: The name of the policy in the variable "template".
    """
    named = f"$join($split($string($template.{name}), '{PLACEHOLDER}'), $table)"
    return f"$join($split({named}, '{_BRACE}'), '$' & '{{')"
