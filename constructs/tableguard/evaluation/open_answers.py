"""What AWS documents no answer for, or two: no access and no protection rests on it.

An Allow that needs such an answer is not given, and a Deny that needs it does not protect: both readings are possible.
Each entry names where the answer was looked for. The IAM User Guide is meant where nothing else is named; "policy
checks" is its "IAM Access Analyzer policy check reference". All were read in 2026-11.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OpenAnswer:
    """A situation whose answer is open.

    Args:
        when: The situation, in words that follow the operator and its key.
        why: What is documented, and what is missing or contradicts it.
        source: Where it was looked for.
    """

    when: str
    why: str
    source: str


class Open(enum.Enum):
    """Every situation whose answer is open."""

    FOR_ANY_VALUE_IF_EXISTS = OpenAnswer(
        "the request lacks the key, and ForAnyValue is combined with IfExists",
        "without the key IfExists is true and ForAnyValue is false; AWS does not say which of them counts",
        '"Condition operators", IfExists; "Single-valued vs. multivalued context keys", ForAnyValue',
    )
    NO_SET_OPERATOR = OpenAnswer(
        "the key has several values, or can have them, and is compared without ForAllValues or ForAnyValue",
        "such keys require one of the two; AWS does not say what happens without",
        '"Single-valued vs. multivalued context keys"; policy checks, "Missing qualifier"',
    )
    EMPTY_TEXT_IN_SET = OpenAnswer(
        "it depends on an empty text among the request's values",
        "an empty text is a null data set, true for ForAllValues; AWS does not say whether it counts among other"
        " values, and no longer says that it is false for ForAnyValue",
        '"Single-valued vs. multivalued context keys"; "Multivalued context key examples"',
    )
    NULL_OF_EMPTY_TEXT = OpenAnswer(
        "the request's value is an empty text",
        "Null asks whether the key exists and its value is not null, and an empty text is called null; AWS does not say"
        " whether a key with one counts as there",
        '"Condition operators", Null; "Condition", the request context',
    )
    EMPTY_LIST = OpenAnswer(
        "the list of values is empty",
        "AWS says that such a condition is true, and that its statement then permits nothing",
        'policy checks, "Empty array condition"',
    )
    EMPTY_LIST_NEGATED = OpenAnswer(
        "the list of values is empty, and the operator is negated",
        "AWS describes an empty list after a set operator or IfExists for operators that are not negated",
        'policy checks, "Empty array condition" with ForAllValues, ForAnyValue and IfExists',
    )
    EMPTY_CONDITION = OpenAnswer(
        "the Condition element is empty",
        "AWS says that an empty element does not affect the policy, and that its statement has no effect",
        'policy checks, "Empty object condition"',
    )
    SEVERAL_BOOLEANS = OpenAnswer(
        "both true and false are given",
        "Bool and Null take one value; with several, the match might not return what one expects",
        'policy checks, "Invalid condition multiple Boolean"',
    )
    BOOLEAN_FORMAT = OpenAnswer(
        "the value is spelt neither 'true' nor 'false'",
        "AWS takes such a policy with a warning, capitals included, and does not say what it matches",
        '"Condition operators", Boolean and Null; policy checks, "Type mismatch Boolean"',
    )
    NUMBER_FORMAT = OpenAnswer(
        "the value is no integer or decimal of at most 15 digits on either side of the point",
        "AWS takes other numbers with a warning, and does not say how it reads exponents, signs or more digits",
        '"Condition operators", Numeric; policy checks, "Type mismatch number"',
    )
    DATE_FORMAT = OpenAnswer(
        "the value is no complete date, with a zone if it has a time, and no whole seconds since 1970",
        "AWS names ISO 8601 and epoch time; it does not say which moment a year or a month stands for, or what zone is"
        " meant, and four digits are both a year and seconds",
        '"Condition operators", Date; policy checks, "Invalid date value" and "Type mismatch date"',
    )
    ADDRESS_FORMAT = OpenAnswer(
        "the value is neither a CIDR block nor an IPv4 address",
        "AWS adds /32 to an address without a prefix, which is a single one in IPv4 and 2^96 of them in IPv6",
        '"Condition operators", IP address; policy checks, "Type mismatch IP range"',
    )
    VARIABLE_FOR_OPERATOR = OpenAnswer(
        "the value holds a policy variable",
        "variables are for string and ARN operators; AWS does not say what they are elsewhere, and says both for Bool",
        '"Condition operators", Boolean; "Variables and tags"; policy checks, "Invalid variable for operator"',
    )
    VARIABLE_OF_SEVERAL_VALUES = OpenAnswer(
        "a policy variable stands for a key that has several values, or can have them",
        "such keys cannot be used as variables; AWS does not say what happens if one is",
        '"Single-valued vs. multivalued context keys", key points',
    )
    VARIABLE_OF_EMPTY_TEXT = OpenAnswer(
        "a policy variable stands for an empty text",
        "an empty text is called null, and a variable without a value fits nothing; AWS does not say whether it is put"
        " in",
        '"Variables and tags", policy variables with no value; "Condition", the request context',
    )
    VARIABLE_IF_EXISTS = OpenAnswer(
        "the request lacks a policy variable, and the operator ends in IfExists",
        "a variable without a value fits nothing; AWS also advises IfExists against that, and does not say how it"
        " helps",
        '"Variables and tags", introduction and policy variables with no value',
    )
    VARIABLE_IN_NOT_RESOURCE = OpenAnswer(
        "the request lacks a policy variable of an exception",
        "AWS says that the exception then matches nothing, and that the statement might be invalid",
        '"Variables and tags", introduction and policy variables with no value',
    )

    @property
    def id(self) -> str:
        """Its name for programs: "for-any-value-if-exists"."""
        return self.name.lower().replace("_", "-")

    @property
    def words(self) -> str:
        """The situation, and why its answer is open."""
        return f"{self.value.when}: {self.value.why}"
