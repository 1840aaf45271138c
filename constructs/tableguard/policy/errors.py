"""The errors this library raises: all of them `ValueError`s that say what to do about it."""

from __future__ import annotations

from typing import Final

_MOST: Final = 200  # characters of a value in a message, which is read on a terminal


class TableguardError(ValueError):
    """The base of every error that this library raises.

    A `ValueError`, so that callers who know nothing of this library can still catch it.
    """


class InvalidInputError(TableguardError):
    """An argument, or a combination of arguments, that must not reach a template.

    Args:
        what: What the argument is ("the account of a Role").
        value: What was given.
        allowed: What is allowed instead.
        fix: The shortest way to get there, when it does not follow from `allowed`.
    """

    def __init__(self, what: str, *, value: object, allowed: str, fix: str = "") -> None:
        self.what = what
        self.value = value
        self.allowed = allowed
        self.fix = fix
        shown = repr(value)
        shown = shown if len(shown) <= _MOST else f"{shown[:_MOST]}… ({len(shown)} characters)"
        super().__init__(f"{what}: got {shown}. Allowed: {allowed}." + (f" {fix}" if fix else ""))


class PublicPolicyError(TableguardError):
    """A statement that Block Public Access refuses, or that it lets through only by accident."""


class PolicyTooLargeError(TableguardError):
    """A document that is over the limit of its kind."""
