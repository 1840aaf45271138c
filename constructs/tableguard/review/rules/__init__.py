"""Rules about who may do what, and trying them on the picture of an organization."""

from tableguard.review.rules.around import NoWayAround
from tableguard.review.rules.check import MOST_REQUESTS, Failure, Results, check
from tableguard.review.rules.meaning import (
    EVERY_ACCESS,
    ITEMS,
    EveryGrantEnds,
    KeepsAccess,
    NobodyCan,
    OnlyAccounts,
    OnlyFrom,
    Question,
    Rule,
)

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
    "check",
]
