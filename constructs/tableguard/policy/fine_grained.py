"""Conditions on what a request touches: items by their partition keys, and attributes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tableguard.aws.dynamodb import Action
from tableguard.policy.conditions import Clause, Condition, texts
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.representation import as_call
from tableguard.policy.tokens import literal_part

# The key for each attribute of a partition key that is made of several, in order.
_PARTITION_KEYS: Final = (
    "dynamodb:LeadingKeys",
    "dynamodb:SecondPartitionKeyValues",
    "dynamodb:ThirdPartitionKeyValues",
    "dynamodb:FourthPartitionKeyValues",
)
ATTRIBUTES: Final = "dynamodb:Attributes"
_SELECT: Final = "dynamodb:Select"
_RETURN_VALUES: Final = "dynamodb:ReturnValues"

# What LeadingKeys and Attributes stand for, in lower case: IAM does not tell cases of keys apart.
_BY_KEY: Final = frozenset(key.lower() for key in (*_PARTITION_KEYS, "dynamodb:FirstPartitionKeyValues"))
_BY_ATTRIBUTE: Final = frozenset(key.lower() for key in (ATTRIBUTES, _SELECT, _RETURN_VALUES))
_VARIABLE: Final = re.compile(r"\$\{([*?$]|[^*?$}][^}]*)\}")


@dataclass(frozen=True, slots=True, init=False)
class LeadingKeys(Condition):
    """Only items with these partition keys.

    Rendered so that a request that names no partition key is refused: `ForAllValues` alone is true for it.
    On an index, these are values of the index's own partition key. Where that is another attribute than the table's,
    the same values restrict something else: grant the table and each such index separately.
    Source: DynamoDB developer guide, "Using IAM policy conditions for fine-grained access control".

    Args:
        keys: Values of the partition key as strings (numbers and binary keys in the form in which DynamoDB's JSON
            writes them). `*` and `?` are wildcards, so a prefix is "ProductCatalog-*". IAM policy variables work:
            "${aws:PrincipalTag/tenant}" lets each caller reach the items that belong to it. A literal `*`, `?` or
            `$` is written `${*}`, `${?}`, `${$}`.
        attribute: Which attribute of the partition key, 1 to 4, where it is made of several; 1 when left out. Such a
            table is restricted by one condition for each attribute: narrowing the first alone leaves the others open.

    Raises:
        InvalidInputError: No key, an empty one, a pattern that matches every key, a "${" that opens no variable, or
            an attribute beyond the fourth.
    """

    keys: tuple[str, ...]
    attribute: int

    __repr__ = as_call

    def __init__(self, *keys: str, attribute: int = 1) -> None:
        if type(attribute) is not int or attribute not in range(1, len(_PARTITION_KEYS) + 1):
            raise InvalidInputError("the attribute of LeadingKeys", value=attribute, allowed="1, 2, 3 or 4")
        for key in texts("LeadingKeys", keys):
            if re.fullmatch(r"[*?]+", key) and "*" in key:
                raise InvalidInputError(
                    "a key of LeadingKeys",
                    value=key,
                    allowed="a key or a pattern that leaves some keys out",
                    fix="Leave the condition away to allow every key.",
                )
            if "${" in _VARIABLE.sub("", key):
                raise InvalidInputError(
                    "a key of LeadingKeys",
                    value=key,
                    allowed='"${" only where it opens a policy variable such as "${aws:PrincipalTag/tenant}"',
                    fix='Write a literal "$" as "${$}".',
                )
        object.__setattr__(self, "keys", tuple(keys))
        object.__setattr__(self, "attribute", attribute)

    def clauses(self, action: Action) -> tuple[Clause, ...]:
        if not action.by_key:
            raise InvalidInputError(
                "LeadingKeys",
                value=action.qualified,
                allowed="actions whose requests name partition keys",
                fix=f"{action.name} cannot be narrowed to keys. Use Access.READ_ITEMS, Access.query() or on_table(…).",
            )
        pattern = any(re.search(r"[*?]", _VARIABLE.sub("", key)) for key in self.keys)
        operator = "StringLike" if pattern else "StringEquals"
        key = _PARTITION_KEYS[self.attribute - 1]
        return (Clause(f"ForAllValues:{operator}", key, self.keys), Clause("Null", key, ("false",)))

    @property
    def label(self) -> str:
        which = "" if self.attribute == 1 else f" (attribute {self.attribute})"
        return f"partition keys{which} {', '.join(self.keys)}"

    @property
    def fine_grained(self) -> bool:
        return True


@dataclass(frozen=True, slots=True, init=False)
class Attributes(Condition):
    """Only these attributes of an item.

    `dynamodb:Attributes` looks at what a request names, not at what comes back: so a read must also ask for specific
    attributes, and a write may return nothing but what it changed. All key attributes of the table, and of the index
    that is read, must be in the list, or no request matches.

    UpdateItem deserves a second look: an update whose condition fails can be asked to return the item as it is
    (ReturnValuesOnConditionCheckFailure), and no condition key is documented to forbid that. Leave UpdateItem out where
    the other attributes are secret.
    Source: DynamoDB developer guide, "Using IAM policy conditions for fine-grained access control".

    Args:
        attributes: Names of top-level attributes, the key attributes among them.

    Raises:
        InvalidInputError: No attribute, an empty one, or one that IAM would read as a policy variable.
    """

    attributes: tuple[str, ...]

    __repr__ = as_call

    def __init__(self, *attributes: str) -> None:
        for attribute in texts("Attributes", attributes):
            if "${" in literal_part(attribute):
                raise InvalidInputError(
                    "an attribute of Attributes",
                    value=attribute,
                    allowed='names without "${": it opens a policy variable, and the caller would choose the attribute',
                )
        object.__setattr__(self, "attributes", attributes)

    def clauses(self, action: Action) -> tuple[Clause, ...]:
        # PutItem and BatchWriteItem replace a whole item and DeleteItem removes it: attributes that are not in the
        # list would be lost without being named.
        if not action.by_attribute or action.name in ("PutItem", "DeleteItem", "BatchWriteItem"):
            raise InvalidInputError(
                "Attributes",
                value=action.qualified,
                allowed="reads of items, and UpdateItem",
                fix=f"{action.name} reaches attributes that it does not name. Leave it out with Access.on_table(…).",
            )
        named = (
            Clause("ForAllValues:StringEquals", ATTRIBUTES, self.attributes),
            Clause("Null", ATTRIBUTES, ("false",)),
        )
        if action.name in ("UpdateItem", "ConditionCheckItem"):
            changed_only = ("NONE", "UPDATED_NEW", "UPDATED_OLD")
            return (*named, Clause("StringEqualsIfExists", _RETURN_VALUES, changed_only))
        return (*named, Clause("StringEquals", _SELECT, ("SPECIFIC_ATTRIBUTES",)))

    @property
    def label(self) -> str:
        return f"attributes {', '.join(self.attributes)}"

    @property
    def fine_grained(self) -> bool:
        return True


def check_not_by_hand(condition: Condition) -> None:
    """Check that a condition on items or attributes was not written as a bare clause.

    One clause alone restricts nothing: `ForAllValues` holds for a request that lacks the key, and actions that never
    carry it would be granted without a restriction.

    Args:
        condition: A condition as it was given to a grant.

    Raises:
        InvalidInputError: It is a `Clause` on a key that `LeadingKeys` or `Attributes` stands for.
    """
    if not isinstance(condition, Clause):
        return
    key = condition.key.lower()
    instead = "LeadingKeys" if key in _BY_KEY else "Attributes" if key in _BY_ATTRIBUTE else ""
    if instead:
        raise InvalidInputError(
            "a condition of a TableGrant",
            value=condition,
            allowed=f"a Clause on keys that no other condition stands for; {instead} stands for {condition.key}",
            fix=f"Use {instead}(…): it also refuses requests without the key, and actions that it cannot narrow.",
        )
