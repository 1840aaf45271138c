"""Rules about who may do what, and trying them on the picture of an organization."""

from tableguard.review.rules.around import NoWayAround
from tableguard.review.rules.check import MOST_REQUESTS, Results, check
from tableguard.review.rules.meaning import (
    EVERY_ACCESS,
    ITEMS,
    EveryGrantEnds,
    KeepsAccess,
    NobodyCan,
    OnlyAccounts,
    OnlyFrom,
)
from tableguard.review.rules.question import Question
from tableguard.review.rules.rule import Failure, Rule, RuleOutcome
from tableguard.review.rules.trial import TriedRule

__all__ = [
    "EVERY_ACCESS",
    "ITEMS",
    "MOST_REQUESTS",
    "EveryGrantEnds",
    "Failure",
    "KeepsAccess",
    "NoWayAround",
    "NobodyCan",
    "OnlyAccounts",
    "OnlyFrom",
    "Question",
    "Results",
    "Rule",
    "RuleOutcome",
    "TriedRule",
    "check",
]
