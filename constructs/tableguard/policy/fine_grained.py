"""Conditions on the items (by partition key) and the attributes that a request may touch."""

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

# The condition keys of LeadingKeys and Attributes, in lower case, since IAM ignores the case of condition keys.
_BY_KEY: Final = frozenset(key.lower() for key in (*_PARTITION_KEYS, "dynamodb:FirstPartitionKeyValues"))
_BY_ATTRIBUTE: Final = frozenset(key.lower() for key in (ATTRIBUTES, _SELECT, _RETURN_VALUES))
_VARIABLE: Final = re.compile(r"\$\{([*?$]|[^*?$}][^}]*)\}")


@dataclass(frozen=True, slots=True, init=False)
class LeadingKeys(Condition):
    """Allows only items with these partition keys.

    A request that names no partition key is denied, although `ForAllValues` alone would be true for it. On an index,
    the values are those of the index's own partition key. If that is another attribute than the table's, grant the
    table and the index separately, since the same values would restrict another attribute.
    Source: DynamoDB developer guide, "Using IAM policy conditions for fine-grained access control".

    Args:
        keys: Values of the partition key as strings; write numbers and binary keys as in DynamoDB's JSON. `*` and `?`
            are wildcards: a prefix is "ProductCatalog-*". IAM policy variables work: "${aws:PrincipalTag/tenant}"
            allows each caller the items of its own tenant. Write a literal `*`, `?` or `$` as `${*}`, `${?}`, `${$}`.
        attribute: The number of the attribute, 1 to 4, if the partition key has several; 1 when left out. Use one
            condition for each attribute: a condition on the first does not restrict the others.

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
    """Allows only these attributes of an item.

    List all key attributes of the table, and of the index that is read; otherwise no request matches.
    `dynamodb:Attributes` tests the attributes that a request names, not those that it returns. So the grant also
    requires that a read asks for specific attributes, and that a write returns only what it changed.

    Leave UpdateItem out if the other attributes are secret: an update whose condition fails can return the whole item
    (ReturnValuesOnConditionCheckFailure), and no condition key is documented to forbid that.
    Source: DynamoDB developer guide, "Using IAM policy conditions for fine-grained access control".

    Args:
        attributes: Names of top-level attributes, including the key attributes.

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
        # PutItem and BatchWriteItem replace a whole item and DeleteItem removes it, with attributes that are not in the
        # list and that the request does not name.
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
    """Check that a condition on items or attributes is not written as a `Clause`.

    One clause alone restricts nothing: `ForAllValues` is true for a request without the key, and actions whose requests
    never have the key would be granted without a restriction.

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
