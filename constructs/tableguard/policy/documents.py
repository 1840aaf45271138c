"""Policy documents: statements are merged as far as possible, minified, and kept in a stable order."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tableguard.policy.conditions import Clause
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.principals import PRINCIPAL_ARN
from tableguard.policy.representation import as_call
from tableguard.policy.tokens import is_unresolved, ordered

VERSION: Final = "2012-10-17"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AllowStatement:
    """A statement with `"Effect": "Allow"`.

    Args:
        actions: Actions with their service prefix.
        resources: ARNs, or "*".
        kind: The kind of principal, "AWS" or "Service"; None in an identity policy.
        principals: The principals of that kind.
        clauses: The conditions, all of which must hold.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    kind: str | None = None
    principals: tuple[str, ...] = ()
    clauses: tuple[Clause, ...] = ()

    __repr__ = as_call

    def to_json(self) -> Json:
        """The statement as IAM reads it, minified."""
        json_: Json = {"Effect": "Allow"}
        if self.kind is not None:
            values = ordered(self.principals)
            json_["Principal"] = "*" if values == ("*",) else {self.kind: scalar(values)}
        json_["Action"] = scalar(ordered(self.actions))
        json_["Resource"] = scalar(ordered(self.resources))
        if self.clauses:
            json_["Condition"] = condition_element(self.clauses)
        return json_


def merged(statements: Iterable[AllowStatement]) -> tuple[AllowStatement, ...]:
    """Merge statements by principals, then by actions, as far as possible. No decision on a request changes.

    Two statements that differ only in their principals become one. If the principals are accounts narrowed by
    `aws:PrincipalArn`, the accounts and the ARNs are joined as well: an ARN contains its account, so no ARN can match
    together with another statement's account.
    """
    current = tuple(statements)
    while True:
        fewer = _merge(_merge(current, _but_principals, _with_principals), _but_actions, _with_actions)
        if len(fewer) == len(current):
            return tuple(sorted(fewer, key=_position(fewer)))
        current = fewer


def document(statements: Iterable[AllowStatement]) -> Json:
    """Return a whole policy document of the given statements, merged.

    Raises:
        InvalidInputError: There is no statement: an empty policy is invalid.
    """
    rendered = [statement.to_json() for statement in merged(statements)]
    if not rendered:
        raise InvalidInputError("the statements of a policy document", value=(), allowed="at least one statement")
    return {"Version": VERSION, "Statement": rendered}


def minified(json_: object) -> str:
    """Return JSON without white space, which counts in some limits."""
    return json.dumps(json_, separators=(",", ":"), ensure_ascii=False)


def scalar(values: Sequence[str]) -> str | list[str]:
    """Return a single value alone and several as a list: the shortest form that IAM accepts."""
    return values[0] if len(values) == 1 else list(values)


def condition_element(clauses: Iterable[Clause]) -> Json:
    """The `Condition` element of clauses, all of which must hold.

    Raises:
        InvalidInputError: Two clauses with the same operator and key.
    """
    condition: Json = {}
    for clause in sorted(clauses, key=lambda c: (c.operator, c.key)):
        keys = condition.setdefault(clause.operator, {})
        if clause.key.lower() in map(str.lower, keys):
            raise InvalidInputError(
                "the conditions of a statement",
                value=f"{clause.operator} on {clause.key} twice",
                allowed="one clause for an operator and a key, since the second would replace the first",
            )
        keys[clause.key] = scalar(ordered(clause.values))
    return condition


def _canonical(clauses: Iterable[Clause]) -> frozenset[Clause]:
    # Creating a clause checks it, which takes time, so a clause with sorted values is kept.
    return frozenset(
        clause if (values := ordered(clause.values)) == clause.values else replace(clause, values=values)
        for clause in clauses
    )


def _pin(statement: AllowStatement) -> Clause | None:
    """The clause that narrows accounts to their ARNs, if it can safely be joined with that of another statement."""
    pins = [clause for clause in statement.clauses if clause.key == PRINCIPAL_ARN]
    if len(pins) != 1 or pins[0].operator not in ("ArnEquals", "ArnLike"):
        return None
    accounts = {_account(arn) for arn in pins[0].values}
    # Each account must have an ARN, and each ARN must be of one of the accounts. Anything else (a wildcard, a variable,
    # a value that is known only at deployment) could match together with another statement's account.
    return pins[0] if accounts == set(statement.principals) else None


def _account(arn: str) -> str | None:
    found = re.match(r"arn:[^:]*:[^:]*:[^:]*:(\d{12}):", arn, re.ASCII)
    return found[1] if found and not is_unresolved(arn) else None


def _but_principals(statement: AllowStatement) -> Hashable:
    pin = _pin(statement)
    return (
        statement.kind,
        ordered(statement.actions),
        ordered(statement.resources),
        _canonical(clause for clause in statement.clauses if clause != pin),
        pin and pin.operator,
    )


def _with_principals(alike: Sequence[AllowStatement]) -> AllowStatement:
    first = alike[0]
    clauses = first.clauses
    pins = [pin for statement in alike if (pin := _pin(statement)) is not None]
    if pins:
        joined = replace(pins[0], values=ordered(value for pin in pins for value in pin.values))
        clauses = tuple(joined if clause == pins[0] else clause for clause in clauses)
    principals = ordered(principal for statement in alike for principal in statement.principals)
    return replace(first, principals=principals, clauses=clauses)


def _but_actions(statement: AllowStatement) -> Hashable:
    return (
        statement.kind,
        ordered(statement.principals),
        ordered(statement.resources),
        _canonical(statement.clauses),
    )


def _with_actions(alike: Sequence[AllowStatement]) -> AllowStatement:
    return replace(alike[0], actions=ordered(action for statement in alike for action in statement.actions))


def _merge(
    statements: Iterable[AllowStatement],
    but: Callable[[AllowStatement], Hashable],
    join: Callable[[Sequence[AllowStatement]], AllowStatement],
) -> tuple[AllowStatement, ...]:
    """Join the statements that differ in one element only."""
    groups: dict[Hashable, list[AllowStatement]] = {}
    for statement in statements:
        groups.setdefault(but(statement), []).append(statement)
    return tuple(map(join, groups.values()))


def _position(statements: Sequence[AllowStatement]) -> Callable[[AllowStatement], tuple[int, int, str]]:
    """Sort literal statements by their text, then those with unresolved values in the order of their declaration."""
    declared = dict(zip(map(id, statements), itertools.count(), strict=False))

    def position(statement: AllowStatement) -> tuple[int, int, str]:
        text = minified(statement.to_json())
        return (1, declared[id(statement)], "") if is_unresolved(text) else (0, 0, text)

    return position
