"""AWS CDK constructs that share DynamoDB tables across accounts, and show who may do what.

The public API is the list of names in `__init__.pyi`. They are imported when they are first used, so that the language
and the review work without the AWS CDK and Node, and the command line answers at once.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Final


def _public() -> dict[str, str]:
    """The module of each public name."""
    listed = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    imports = (node for node in listed.body if isinstance(node, ast.ImportFrom))
    return {alias.name: str(node.module) for node in imports for alias in node.names}


_MODULES: Final = _public()
__all__ = sorted(_MODULES)  # noqa: PLE0605  type checkers take it from the list


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
