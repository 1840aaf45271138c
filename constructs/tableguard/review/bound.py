"""Which accounts the assembly's SCPs and RCPs bind, and which they exclude."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from tableguard.aws.dynamodb import AS_OF, SERVICE
from tableguard.review.exempted import Exemptions
from tableguard.review.picture import OrganizationPolicy, Picture
from tableguard.review.report import ControlReport, ExcludedAccount, Finding, FindingKind
from tableguard.review.sentences import Shelf, texts

_SHORT: Final[Mapping[str, str]] = {"SERVICE_CONTROL_POLICY": "SCP", "RESOURCE_CONTROL_POLICY": "RCP"}
_ACCOUNTS: Final = frozenset({"aws:principalaccount", "aws:resourceaccount"})


def controls(picture: Picture, shelf: Shelf, now: dt.datetime) -> Iterator[tuple[ControlReport, tuple[Finding, ...]]]:
    """The SCPs and RCPs, each with where its metadata and its statements disagree.

    Args:
        picture: The picture.
        shelf: The statements of documents.
        now: The moment of the review, with a time zone.
    """
    accounts = sorted({table.account for table in picture.tables})
    for policy in picture.organization_policies:
        if policy.kind in _SHORT:
            exempted = _exempted(policy, shelf)
            stated = policy.stated.excluded_accounts if policy.stated is not None else {}
            bound = [each for each in accounts if each not in exempted and each != policy.managed_from]
            sure = {each for each in bound if policy.binds(each, picture.accounts)}
            open_ = any(not target.isdecimal() for target in policy.targets) and not policy.on_root
            yield (
                ControlReport(
                    kind=_SHORT[policy.kind],
                    name=policy.name,
                    targets=policy.targets,
                    binds=tuple(each for each in bound if each in sure),
                    perhaps=tuple(each for each in bound if open_ and each not in sure),
                    excluded_accounts=tuple(
                        ExcludedAccount(account=each, reason=stated.get(each)) for each in exempted
                    ),
                    exempted=Exemptions(
                        policy=policy,
                        account=_some_account(policy, bound),
                        region=next((table.region for table in picture.tables), "us-east-1"),
                        excluded_accounts=exempted,
                        shelf=shelf,
                        now=now,
                    ).exempted(),
                    lists_as_of=AS_OF if _lists(policy, shelf) else None,
                    place=policy.place,
                ),
                tuple(_findings(policy, exempted, stated)),
            )


def _lists(policy: OrganizationPolicy, shelf: Shelf) -> bool:
    """Whether what it denies of DynamoDB is a list."""
    denied = (a for s in shelf.sentences(policy.document) if s.denies for a in texts(s.source.get("Action")))
    return _SHORT[policy.kind] == "RCP" and any(action.lower().startswith(f"{SERVICE}:") for action in denied)


def _some_account(policy: OrganizationPolicy, bound: Sequence[str]) -> str:
    """An account that a policy binds, as far as anything tells."""
    return next((each for each in (*bound, *policy.targets) if each.isdecimal()), "000000000000")


def _exempted(policy: OrganizationPolicy, shelf: Shelf) -> tuple[str, ...]:
    """The accounts that every Deny of a policy exempts."""
    denies = [sentence for sentence in shelf.sentences(policy.document) if sentence.denies]
    exempted = [
        {value for test in sentence.tests if test.negated and test.low_key in _ACCOUNTS for value in test.values}
        for sentence in denies
    ]
    return tuple(sorted(set.intersection(*exempted))) if exempted else ()


def _findings(policy: OrganizationPolicy, exempted: Collection[str], stated: Mapping[str, str]) -> Iterator[Finding]:
    what = f"{_SHORT[policy.kind]} {policy.name}"
    for account in stated:
        if account not in exempted:
            message = f"the metadata says that {account} is excluded, and {what} binds it"
            yield Finding(kind=FindingKind.METADATA, message=message, place=policy.place)
    for account in exempted if policy.stated is not None else ():
        if account not in stated:
            message = f"{what} exempts {account}, and no metadata says why"
            yield Finding(kind=FindingKind.METADATA, message=message, place=policy.place)
