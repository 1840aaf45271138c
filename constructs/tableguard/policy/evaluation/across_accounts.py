"""Which operations a caller of another account can use at all."""

from __future__ import annotations

from typing import Final

from tableguard.policy.actions import ACTIONS

_WORKING: Final = frozenset(f"dynamodb:{name}".lower() for name, action in ACTIONS.items() if action.across_accounts)
# "you're not using an identity that belongs to the bucket owner's account": S3 answers 405, whatever the policies say.
# Source: S3 API reference, PutBucketPolicy and its siblings.
_OF_THE_OWNER: Final = frozenset({"s3:deletebucketpolicy", "s3:getbucketpolicy", "s3:putbucketpolicy"})


def works_across_accounts(action: str) -> bool:
    """Whether it works from another account, given permission on both sides.

    Args:
        action: The action in lower case, with its service. Other services' actions are taken to work; a DynamoDB
            action that nobody knows is taken not to.
    """
    if action.startswith("dynamodb:"):
        return action in _WORKING
    return action not in _OF_THE_OWNER
