"""The errors of this library. All of them are `ValueError`s whose message says how to fix the problem."""

from __future__ import annotations

from typing import Final

_MOST: Final = 200  # characters of a value in a message, which is read on a terminal


class TableguardError(ValueError):
    """The base class of all errors that this library raises.

    It is a `ValueError`, so that code that does not import this library can catch it.
    """


class InvalidInputError(TableguardError):
    """An argument, or a combination of arguments, is not allowed.

    Args:
        what: The argument in words, such as "the account of a Role".
        value: The value that was given.
        allowed: What is allowed instead.
        fix: How to fix it, as a sentence; empty if that follows from `allowed`.
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
    """A statement makes a policy public, even if Block Public Access would accept it."""


class PolicyTooLargeError(TableguardError):
    """A policy is larger than AWS allows for its kind."""
