"""Statements packed into as few policies as fit."""

from __future__ import annotations

from collections.abc import Sequence

from tableguard.policy.deny_statements import DenyStatement, denying
from tableguard.policy.documents import Json, minified
from tableguard.policy.errors import InvalidInputError, PolicyTooLargeError
from tableguard.policy.limits import Limit, check_size, measured


def packed(
    denials: Sequence[DenyStatement],
    limit: Limit,
    *,
    principal: str | None = None,
    at_most: int | None = None,
    owner: str,
) -> tuple[Json, ...]:
    """Pack denials into as few documents as fit, each within its limit, the same ones for the same denials.

    Largest first, each into the first document that has room: that is never more than a quarter above the fewest
    possible, and adding a small statement rarely moves the others.

    Args:
        denials: At least one.
        limit: The limit of one document.
        principal: "*" for policies of resources; None for policies that name no principal.
        at_most: How many documents there may be; no matter how many when left out.
        owner: Whose policies they are, for the message.

    Raises:
        InvalidInputError: There is no denial, or two of the same name.
        PolicyTooLargeError: One statement alone is over the limit, or there are more documents than allowed.
    """
    named = {denial.sid: denial for denial in denials}
    if len(named) < len(denials):
        twice = sorted({d.sid for d in denials if sum(other.sid == d.sid for other in denials) > 1})
        raise InvalidInputError(f"the statements of {owner}", value=twice, allowed="statements of different names")
    position = {sid: index for index, sid in enumerate(named)}
    bins: list[list[DenyStatement]] = []
    for denial in sorted(denials, key=lambda d: (-len(minified(d.to_json(principal=principal))), d.sid)):
        for candidate in bins:
            if measured(denying([*candidate, denial], principal=principal), limit).size <= limit.size:
                candidate.append(denial)
                break
        else:
            document = denying([denial], principal=principal)
            check_size(document, limit, owner=f"{owner} (statement {denial.sid})", fix=_TOO_LARGE)
            bins.append([denial])
    if at_most is not None and len(bins) > at_most:
        raise PolicyTooLargeError(
            f"{owner} takes {len(bins)} policies. Allowed: {at_most} ({limit.source}). {_TOO_LARGE}"
        )
    # The largest statement decides which document is first, the statements' own order what it looks like.
    return tuple(
        denying(sorted(documents, key=lambda d: position[d.sid]), principal=principal)
        for documents in sorted(bins, key=lambda b: min(position[d.sid] for d in b))
    )


_TOO_LARGE = (
    "To make it fit: exempt a RoleOfEveryAccount instead of one role of each account, render it for fewer accounts, "
    "trust VPC endpoints or fewer regions, attach part of it to another level of the organization, or leave open what "
    "AWS adds later (unclassified_open of the perimeter), which takes one statement for each region of its VPCs."
)
