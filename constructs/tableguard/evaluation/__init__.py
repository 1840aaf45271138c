"""Decides requests as AWS does: who may do what, and because of which statement.

Offline and exact: identity and resource policies, service and resource control policies, permissions boundaries,
session policies and VPC endpoint policies, within one account and across accounts, with DynamoDB's own rules.
"""

from tableguard.evaluation.decision import Decision, DocumentLocation, Effect, Layer, Outcome, Reason
from tableguard.evaluation.documents import Document
from tableguard.evaluation.evaluator import evaluate
from tableguard.evaluation.open_answers import Open, OpenAnswer
from tableguard.evaluation.policies import AnyDocument, Policies
from tableguard.evaluation.request import ContextValue, Request
from tableguard.evaluation.wire import decision_to_json, policies_from_json, request_from_json

__all__ = [
    "AnyDocument",
    "ContextValue",
    "Decision",
    "Document",
    "DocumentLocation",
    "Effect",
    "Layer",
    "Open",
    "OpenAnswer",
    "Outcome",
    "Policies",
    "Reason",
    "Request",
    "decision_to_json",
    "evaluate",
    "policies_from_json",
    "request_from_json",
]
