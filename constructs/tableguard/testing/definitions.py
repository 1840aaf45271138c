"""Shows the definition of a state machine state by state, instead of the one line of text in a template."""

from __future__ import annotations

import json
from typing import Any, Final

_MACHINE: Final = "AWS::StepFunctions::StateMachine"


def with_definitions(template: Any) -> Any:
    """Return a copy of a template in which the definitions of state machines are JSON instead of text.

    A reference inside a definition is written as in Fn::Sub, "${Function.Arn}"; any other function as JSON in such
    braces. A definition that is not JSON stays text.

    Args:
        template: A template, or any other JSON. It is not changed.
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
    """A reference, escaped for the inside of a JSON string."""
    match value:
        case {"Ref": str(name)}:
            said = name
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            said = f"{name}.{attribute}"
        case _:
            said = json.dumps(value, sort_keys=True)
    return json.dumps(f"${{{said}}}")[1:-1]
