"""How large a policy of each kind may be, and the error for a larger one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Final

from tableguard.aws import limits
from tableguard.policy.documents import minified
from tableguard.policy.errors import InvalidInputError, PolicyTooLargeError
from tableguard.policy.tokens import is_unresolved, literal_part

# The shortest value of each pseudo parameter: a lower bound for values that are known only at deployment.
_SHORTEST: Final[Mapping[str, int]] = MappingProxyType(
    {"AWS::AccountId": 12, "AWS::Partition": 3, "AWS::Region": 9, "AWS::URLSuffix": 10}
)

_UNITS: Final = ("bytes", "characters")


@dataclass(frozen=True, slots=True)
class Limit:
    """The largest size of one kind of policy.

    Args:
        kind: The kind of policy, for messages.
        size: The largest size, in `unit`s of the minified document, 1 or more.
        unit: "bytes" or "characters".
        source: The AWS page that states the limit.

    Raises:
        InvalidInputError: The size is not a positive integer, or the unit is another one.
    """

    kind: str
    size: int
    unit: str
    source: str

    def __post_init__(self) -> None:
        if type(self.size) is not int or self.size < 1:
            raise InvalidInputError(f"the size of the Limit of a {self.kind}", value=self.size, allowed="1 or more")
        if self.unit not in _UNITS:
            raise InvalidInputError(
                f"the unit of the Limit of a {self.kind}", value=self.unit, allowed=" or ".join(map(repr, _UNITS))
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limit of each kind of policy that this library writes. Pass your own if AWS has raised yours.

    Args:
        table: A table's resource policy, its indexes included.
        stream: A stream's resource policy.
        key: A KMS key policy.
        inline: All inline policies of one role together. White space does not count.
        managed: One managed policy. White space does not count.
        service_control: An SCP.
        resource_control: An RCP.
        endpoint: The policy of a VPC endpoint.
        bucket: A bucket's policy.

    Raises:
        InvalidInputError: An argument is not a `Limit`.
    """

    table: Limit = Limit("table policy", *limits.TABLE_POLICY.described)
    stream: Limit = Limit("stream policy", *limits.STREAM_POLICY.described)
    key: Limit = Limit("key policy", *limits.KEY_POLICY.described)
    inline: Limit = Limit("inline policy", *limits.INLINE_POLICIES.described)
    managed: Limit = Limit("managed policy", *limits.MANAGED_POLICY.described)
    service_control: Limit = Limit("SCP", *limits.SERVICE_CONTROL_POLICY.described)
    resource_control: Limit = Limit("RCP", *limits.RESOURCE_CONTROL_POLICY.described)
    endpoint: Limit = Limit("endpoint policy", *limits.ENDPOINT_POLICY.described)
    bucket: Limit = Limit("bucket policy", *limits.BUCKET_POLICY.described)

    def __post_init__(self) -> None:
        for kind in fields(self):
            limit = getattr(self, kind.name)
            if not isinstance(limit, Limit):
                raise InvalidInputError(
                    f"{kind.name} of Limits",
                    value=limit,
                    allowed="a Limit",
                    fix=f"Change what your quota changes: dataclasses.replace(Limits().{kind.name}, size=…).",
                )


DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Measure:
    """The size of a document.

    Args:
        size: The size of the minified document.
        exact: False if the document has values that are known only at deployment. Then the size is a lower bound.
    """

    size: int
    exact: bool


def measured(json_: object, limit: Limit) -> Measure:
    """Measure a document. CloudFormation intrinsics and CDK tokens count with the shortest value that they can have.

    Args:
        json_: The document, or a part of it, resolved as far as possible.
        limit: The limit for the document, which decides the unit.
    """
    text = minified(json_)
    if not is_unresolved(text) and '"Ref"' not in text and '"Fn::' not in text:
        return Measure(_length(text, limit), exact=True)
    literal, shortest, exact = _literal(json_)
    return Measure(_length(minified(literal), limit) + shortest, exact)


def _length(text: str, limit: Limit) -> int:
    return len(text.encode()) if limit.unit == "bytes" else len(text)


def check_size(document: Mapping[str, Any], limit: Limit, *, owner: object, fix: str) -> Measure:
    """Check that a document is within its limit.

    Args:
        document: The whole document.
        limit: Its limit.
        owner: Whose policy it is, for the message: a text, or an object whose str() is called only for an error.
        fix: How to make it fit, for the message.

    Raises:
        PolicyTooLargeError: It is over the limit.
    """
    measure = measured(document, limit)
    if measure.size <= limit.size:
        return measure
    at_least = "" if measure.exact else "at least "
    note = "" if measure.exact else " Values that are known only at deployment count with their shortest length."
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    largest = sorted(
        ((measured(statement, limit).size, position, statement) for position, statement in enumerate(statements)),
        key=lambda entry: -entry[0],
    )[:3]
    contributors = "; ".join(
        f"statement {position} ({_words(statement)}) {size:,}" for size, position, statement in largest
    )
    raise PolicyTooLargeError(
        f"the {limit.kind} of {owner} is {at_least}{measure.size:,} {limit.unit}. Allowed: {limit.size:,} "
        f"({limit.source}).{note} Biggest contributors: {contributors}. {fix}"
    )


def _words(statement: Mapping[str, Any]) -> str:
    actions = statement.get("Action", statement.get("NotAction", "no action"))
    principal = statement.get("Principal", {})
    values = principal.get("AWS", []) if isinstance(principal, Mapping) else [principal]
    count = len(values) if isinstance(values, list) else 1
    first = actions if isinstance(actions, str) else str(actions[0])
    more = "" if isinstance(actions, str) or len(actions) == 1 else f" and {len(actions) - 1} more"
    return f"{first}{more}" + (f" for {count} principals" if count > 1 else "")


def _literal(value: object) -> tuple[Any, int, bool]:
    """Return the value without its unresolved parts, the shortest length of these parts, and whether there are none."""
    match value:
        case {"Ref": name, **others} if not others:
            return "", _SHORTEST.get(str(name), 1), False
        case {"Fn::Join": [separator, [*parts]], **others} if not others:
            pieces, shortest, _ = _literals(parts)
            return str(separator).join(map(str, pieces)), shortest, False
        case Mapping() if len(value) == 1 and str(next(iter(value))).startswith("Fn::"):
            return "", 1, False
        case Mapping():
            keys, inner = _literals(value.keys()), _literals(value.values())
            return dict(zip(keys[0], inner[0], strict=True)), keys[1] + inner[1], keys[2] and inner[2]
        case list() | tuple():
            return _literals(value)
    unresolved = isinstance(value, str) and is_unresolved(value)
    return (literal_part(str(value)), 1, False) if unresolved else (value, 0, True)


def _literals(values: Iterable[object]) -> tuple[list[Any], int, bool]:
    parts = [_literal(value) for value in values]
    return [part[0] for part in parts], sum(part[1] for part in parts), all(part[2] for part in parts)
