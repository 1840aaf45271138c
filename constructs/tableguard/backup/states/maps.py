"""Builders for maps: in the execution itself, or with executions of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tableguard.backup.states.builders import JSONATA, JSONPATH, ended
from tableguard.backup.states.retries import retry
from tableguard.policy.documents import Json


def inline_map(
    items: Sequence[str] | str,
    states: Mapping[str, Json],
    *,
    start: str,
    then: str | None,
    concurrency: int | None = None,
    selector: Mapping[str, Any] | None = None,
    catches: Sequence[Json] = (),
    assign: Mapping[str, Any] | None = None,
    output: Any = None,
) -> Json:
    """A map whose items are gone through in the execution itself.

    Args:
        items: The items, or an expression.
        states: The states that each goes through.
        start: The first of them.
        then: The next state; the end when None.
        concurrency: How many at once; as many as there are when None.
        selector: What each is given; the item when None.
        catches: The catchers.
        assign: Variables that it sets.
        output: What it hands on; the results when None.
    """
    state: Json = {
        "Type": "Map",
        "QueryLanguage": JSONATA,
        "Items": items,
        **({} if concurrency is None else {"MaxConcurrency": concurrency}),
        **({} if selector is None else {"ItemSelector": dict(selector)}),
        "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": start, "States": dict(states)},
    }
    return ended(state, then, catches=catches, assign=assign, output=output)


def distributed(states: Mapping[str, Json], *, start: str) -> Json:
    """The processor of a map whose items are executions of their own.

    Standard: a file takes as many rounds as it needs, and an Express execution ends after five minutes.

    Args:
        states: The states of each child.
        start: The first of them.
    """
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    return {"ProcessorConfig": config, "StartAt": start, "States": dict(states)}


def distributed_map(
    states: Mapping[str, Json],
    *,
    start: str,
    label: str,
    items: Mapping[str, Any],
    concurrency: int,
    then: str | None,
    catches: Sequence[Json] = (),
    selector: Mapping[str, Any] | None = None,
    more: Mapping[str, Any] | None = None,
) -> Json:
    """A map whose items are executions of their own; in JSONPath, since readers and writers are the same in both.

    Args:
        states: The states of each child.
        start: The first of them.
        label: What its runs are named by, which is part of their ARNs.
        items: Where the items come from: an `ItemReader`, or an `ItemsPath`.
        concurrency: How many children run at once.
        then: The next state; the end when None.
        catches: Its catchers.
        selector: What each child is given; the item when None.
        more: Further fields.
    """
    state: Json = {
        "Type": "Map",
        "QueryLanguage": JSONPATH,
        "Label": label,
        **items,
        **({"ItemSelector": dict(selector)} if selector else {}),
        "MaxConcurrency": concurrency,
        "ToleratedFailureCount": 0,
        "ItemProcessor": distributed(states, start=start),
        "Retry": [retry("States.ItemReaderFailed", attempts=4)],
        **(more or {}),
    }
    return ended(state, then, catches=catches)
