"""Definitions of state machines as a person reviews them: state by state, where a template has one line of text."""

from __future__ import annotations

import json
from typing import Any, Final

_MACHINE: Final = "AWS::StepFunctions::StateMachine"


def with_definitions(template: Any) -> Any:
    """A template whose definitions of state machines are JSON in place of text.

    A reference inside of the text stands as Fn::Sub writes it, "${Function.Arn}", and any other function as JSON in
    such braces. A text that is no JSON then stays as it is.

    Args:
        template: A template, or any other JSON, which has none. It stays as it is.
    """
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        return template
    return {**template, "Resources": {name: _opened(each) for name, each in template["Resources"].items()}}


def _opened(resource: Any) -> Any:
    if not isinstance(resource, dict) or resource.get("Type") != _MACHINE:
        return resource
    properties = resource.get("Properties", {})
    try:
        definition = json.loads(_text(properties.get("DefinitionString")))
    except ValueError:
        return resource
    return {**resource, "Properties": {**properties, "DefinitionString": definition}}


def _text(value: Any) -> str:
    match value:
        case str():
            return value
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(part if isinstance(part, str) else _reference(part) for part in parts)
    return ""


def _reference(value: Any) -> str:
    """A reference, as the inside of a JSON string has it."""
    match value:
        case {"Ref": str(name)}:
            said = name
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            said = f"{name}.{attribute}"
        case _:
            said = json.dumps(value, sort_keys=True)
    return json.dumps(f"${{{said}}}")[1:-1]
