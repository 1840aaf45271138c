"""Decides a request over the picture of an organization, the key behind an encrypted table included."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from tableguard.aws.condition_keys import About, keys_about
from tableguard.aws.dynamodb import ACTIONS
from tableguard.aws.partitions import dns_suffix_of, partition_of
from tableguard.evaluation import (
    ContextValue,
    Decision,
    Document,
    DocumentLocation,
    Layer,
    Outcome,
    Policies,
    Reason,
    Request,
    evaluate,
)
from tableguard.evaluation.callers import CallerKind
from tableguard.review.picture import Picture, Table, account_of

ANY_IDENTITY: Final = (
    Document(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
        DocumentLocation(policy="assumed: the caller's own side allows everything"),
    ),
)
"""What a principal outside the picture may hold: any identity policy at all."""

# Those whom no identity policy speaks of.
_WITHOUT_IDENTITY: Final = (CallerKind.ROOT, CallerKind.SERVICE, CallerKind.ANONYMOUS)

# DynamoDB decrypts to read and write items, and to read what happened to them.
_DATA: Final = frozenset(action.qualified.lower() for action in ACTIONS.values() if action.decrypts)
# What a request says of the network that it came from; lost when DynamoDB calls KMS for the caller.
NETWORK: Final = keys_about(About.NETWORK)
_CONTEXT: Final = "kms:encryptioncontext:aws:dynamodb:"
_AWS_MANAGED: Final = "the key that AWS manages for DynamoDB cannot be used from another account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The decision of a request over a picture.

    Args:
        request: The request.
        decision: What the policies around the table decide.
        policies: Those policies.
        key_request: The request that DynamoDB makes to KMS as the caller; None where the key needs none.
        key: What the policies around the key decide; None where no key has a say.
        key_policies: Those policies.
        unknown_key: The table's key, when it stands in no template, so that its policy is not known.
        assumed: Whether the caller stands outside the picture, and identity policies were assumed for it.
    """

    request: Request
    decision: Decision
    policies: Policies
    key_request: Request | None = None
    key: Decision | None = None
    key_policies: Policies | None = None
    unknown_key: str | None = None
    assumed: bool = False

    @property
    def allowed(self) -> bool:
        """Whether the request goes through: both decisions allow it."""
        return self.decision.allowed and (self.key is None or self.key.allowed)

    @property
    def understood(self) -> bool:
        """Whether a denial stands on statements that are understood."""
        decisive = [each for each in (self.decision, self.key) if each is not None and not each.allowed]
        return not decisive or any(each.understood for each in decisive)

    @property
    def because(self) -> tuple[Reason, ...]:
        """The reasons, those of the decision first, then the key's."""
        return (*self.decision.because, *(self.key.because if self.key is not None else ()))


def decide(
    picture: Picture,
    request: Request,
    *,
    outsider: Iterable[Document] | None = None,
    even_if_known: bool = False,
) -> Verdict:
    """Decide a request with every policy of the picture that bears on it.

    Reading and writing the items of a table with a customer-managed key takes kms:Decrypt as well: DynamoDB asks KMS
    for it as the caller, and says which table it is for. What the request says of its network is lost on the way.

    Args:
        picture: The picture.
        request: The request.
        outsider: Identity policies to assume for a principal that the picture does not hold, such as `ANY_IDENTITY`;
            none when left out, so that nothing is granted on its own side.
        even_if_known: Assume those for a principal that the picture holds as well, in place of its own.
    """
    assumed = None
    unknown = even_if_known or picture.identity_of(request.principal) is None
    if outsider is not None and unknown and request.situation.caller.kind not in _WITHOUT_IDENTITY:
        assumed = tuple(outsider)
    policies = _policies(picture, request, assumed)
    verdict = Verdict(
        request=request, decision=evaluate(request, policies), policies=policies, assumed=assumed is not None
    )
    table = picture.table_of(request.resource)
    if table is None or request.situation.action not in _DATA:
        return verdict
    return _with_key(picture, table, verdict, assumed)


def _with_key(picture: Picture, table: Table, verdict: Verdict, assumed: Iterable[Document] | None) -> Verdict:
    caller = verdict.request.situation.caller
    if table.aws_managed_key and caller.account not in (None, table.account):
        reason = Reason(Layer.SERVICE, None, detail=_AWS_MANAGED)
        return replace(verdict, key=Decision(Outcome.IMPLICITLY_DENIED, (reason,)))
    if table.key_arn is None or caller.account is None:
        return verdict
    key = picture.key(table.key_arn)
    if key is None:
        return replace(verdict, unknown_key=table.key_arn)
    request = _to_kms(verdict.request, table, key.arn)
    policies = _policies(picture, request, assumed)
    return replace(verdict, key_request=request, key=evaluate(request, policies), key_policies=policies)


def _policies(picture: Picture, request: Request, assumed: Iterable[Document] | None) -> Policies:
    policies = picture.policies_for(request)
    if assumed is None:
        return policies
    held = list(assumed)
    if request.situation.caller.kind is CallerKind.FEDERATED_USER:
        # Whose session can do nothing without session policies.
        return replace(policies, identity=held, session=held)
    return replace(policies, identity=held)


def _to_kms(request: Request, table: Table, key_arn: str) -> Request:
    known = request.situation.context.items()
    # A key of the table's account is in the organization that the table is in.
    same = account_of(key_arn) == table.account
    kept = {
        key: values[0] if len(values) == 1 else values
        for key, values in known
        if _lasts(key) or (same and key in ("aws:resourceorgid", "aws:resourceorgpaths"))
    }
    context: dict[str, ContextValue] = {
        **kept,
        "aws:viaawsservice": "true",
        "aws:calledvia": ["dynamodb.amazonaws.com"],
        "aws:calledviafirst": "dynamodb.amazonaws.com",
        "aws:calledvialast": "dynamodb.amazonaws.com",
        "kms:viaservice": f"dynamodb.{table.region}.{dns_suffix_of(partition_of(table.region))}",
        "kms:calleraccount": request.situation.caller.account,
        f"{_CONTEXT}tablename": table.name,
        f"{_CONTEXT}subscriberid": table.account,
        "kms:encryptioncontextkeys": ["aws:dynamodb:tableName", "aws:dynamodb:subscriberId"],
        "aws:resourceaccount": account_of(key_arn),
    }
    return Request(
        principal=request.principal,
        action="kms:Decrypt",
        resource=key_arn,
        context=context,
        federated_by=request.federated_by,
        management_account=request.management_account,
    )


def _lasts(key: str) -> bool:
    """Whether a condition key says the same when DynamoDB calls KMS for the caller."""
    return key not in NETWORK and not key.startswith(("dynamodb:", "aws:resource"))
