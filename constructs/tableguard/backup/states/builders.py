"""Builders for the states that call nothing, as plain dicts. `Tasks` builds those that do.

Each state names its query language; in a machine of JSONata `machine` takes that off again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tableguard.policy.documents import Json

JSONATA: Final = "JSONata"
JSONPATH: Final = "JSONPath"
CALL_SECONDS: Final = 960  # a call of a function is given up: the longest that one runs, and a minute


def machine(comment: str, states: Mapping[str, Json], *, start: str, seconds: int, language: str = JSONPATH) -> Json:
    """A definition.

    Args:
        comment: What the machine does.
        states: Its states.
        start: The first of them.
        seconds: When an execution is given up.
        language: Its query language. In a machine of `JSONATA` no state can have another one.
    """
    return {
        "Comment": comment,
        "QueryLanguage": language,
        "TimeoutSeconds": seconds,
        "StartAt": start,
        "States": _without_language(states) if language == JSONATA else dict(states),
    }


def _without_language(states: Mapping[str, Json]) -> dict[str, Json]:
    found = {
        name: {field: value for field, value in state.items() if (field, value) != ("QueryLanguage", JSONATA)}
        for name, state in states.items()
    }
    for state in found.values():
        if (processor := state.get("ItemProcessor")) is not None:
            state["ItemProcessor"] = {**processor, "States": _without_language(processor["States"])}
    return found


def expression(text: str) -> str:
    """A JSONata expression as a state's field has it."""
    return f"{{% {text} %}}"


def catch(target: str, *errors: str, **more: Any) -> Json:
    """A catcher; of everything when no error is named.

    Args:
        target: The state that follows.
        errors: Names of errors.
        **more: Further fields: `Assign` and `Output`.
    """
    return {"ErrorEquals": list(errors) or ["States.ALL"], "Next": target, **more}


def rule(condition: str, target: str, **more: Any) -> Json:
    """A rule of a choice.

    Args:
        condition: When it holds.
        target: The state that follows then.
        **more: Further fields: `Assign`.
    """
    return {"Condition": expression(condition), **more, "Next": target}


def choice(rules: Sequence[tuple[str, str] | Json], otherwise: str) -> Json:
    """A choice in JSONata.

    Args:
        rules: Conditions, each with the state that follows where it holds; or what `rule` makes.
        otherwise: The state that follows where none does.
    """
    return {
        "Type": "Choice",
        "QueryLanguage": JSONATA,
        "Choices": [rule(*each) if isinstance(each, tuple) else each for each in rules],
        "Default": otherwise,
    }


def wait(seconds: int, then: str) -> Json:
    """A pause."""
    return {"Type": "Wait", "QueryLanguage": JSONATA, "Seconds": seconds, "Next": then}


def passing(then: str | None, *, assign: Mapping[str, Any] | None = None, output: Any = None) -> Json:
    """A state that computes."""
    return ended({"Type": "Pass", "QueryLanguage": JSONATA}, then, assign=assign, output=output)


def succeed() -> Json:
    """An end without anything wrong."""
    return {"Type": "Succeed"}


def fail(error: str, cause: str) -> Json:
    """An end that says what went wrong: a text, or an expression."""
    return {"Type": "Fail", "QueryLanguage": JSONATA, "Error": error, "Cause": cause}


def ended(
    state: Json,
    then: str | None,
    *,
    catches: Sequence[Json] = (),
    assign: Mapping[str, Any] | None = None,
    output: Any = None,
) -> Json:
    """A state with what follows it.

    Args:
        state: The state.
        then: The next one; the end when None.
        catches: Its catchers.
        assign: Variables that it sets.
        output: What it hands on; the result when None.
    """
    return {
        **state,
        **({"Catch": list(catches)} if catches else {}),
        **({"Assign": dict(assign)} if assign else {}),
        **({} if output is None else {"Output": output}),
        **({"End": True} if then is None else {"Next": then}),
    }
