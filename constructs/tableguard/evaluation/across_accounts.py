"""Which operations a caller of another account can use at all."""

from __future__ import annotations

from typing import Final

from tableguard.aws.dynamodb import ACTIONS

_IN_THE_ACCOUNT: Final = frozenset(
    action.qualified.lower() for action in ACTIONS.values() if not action.maybe_across_accounts
)
# "you're not using an identity that belongs to the bucket owner's account": S3 answers 405, whatever the policies say.
# Source: S3 API reference, PutBucketPolicy and its siblings.
_OF_THE_OWNER: Final = frozenset({"s3:deletebucketpolicy", "s3:getbucketpolicy", "s3:putbucketpolicy"})


def works_across_accounts(action: str) -> bool:
    """Whether it works from another account, given permission on both sides.

    Args:
        action: The action in lower case, with its service. What no source tells, and an action that nobody knows, is
            taken to work: a refusal must not rest on it.
    """
    return action not in _IN_THE_ACCOUNT and action not in _OF_THE_OWNER
