"""A guardrail for KMS keys, without which tables, backups and exports are lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from tableguard.aws.actions import Category, Effect, qualified_names
from tableguard.aws.kms import ACTIONS
from tableguard.policy import names
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.guardrails.guardrail import Guardrail, Protection, Rendering
from tableguard.policy.lists import texts_of
from tableguard.policy.perimeter import IamPrincipal
from tableguard.policy.representation import as_call

# Importing a key's material again restores the key, so it is not denied.
_OF_A_KEY: Final = qualified_names(ACTIONS, Effect.CHANGES_PROTECTION, on="key", but=(Category.RESTORE,))
# Of no key. An RCP cannot hold them: they are about no resource that it knows.
_OF_A_STORE: Final = qualified_names(ACTIONS, Effect.CHANGES_PROTECTION, on="")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectKeys(Guardrail):
    """Denies everybody but the administrators to delete or disable KMS keys, change their policies or revoke grants.

    It does not deny using keys, rotating them and cancelling a deletion. Only AWS Support can repair a key policy that
    locks out its owner; a guardrail cannot help there.

    Args:
        keys: ARNs of keys; all keys of the accounts when left out.
        exempt_principals: Further principals that may do this; none when left out.

    Raises:
        InvalidInputError: A key's ARN is malformed, or an exempt principal is not a role, user or permission set.
    """

    keys: Sequence[str] = ()

    in_rcp: ClassVar[bool] = True
    costs: ClassVar[str] = "deleting keys and changing key policies by hand, those of tests included"

    __repr__ = as_call

    def __post_init__(self) -> None:
        Guardrail.__post_init__(self)
        keys = texts_of("the keys of ProtectKeys", self.keys)
        for key in keys:
            names.arn("a key of ProtectKeys", key)
            if ":key/" not in key:
                raise InvalidInputError(
                    "a key of ProtectKeys", value=key, allowed="the ARN of a key, not of an alias: arn:…:key/…"
                )
        object.__setattr__(self, "keys", keys)

    def denials(self, rendering: Rendering) -> tuple[DenyStatement, ...]:
        unless = rendering.unless(self.let_through(rendering.administrators))
        resources = tuple(self.keys) or ("*",)
        keys = Protection(sid="ProtectKeys", actions=_OF_A_KEY, resources=resources, clauses=unless)
        if rendering.at_resource:
            return (keys,)
        return (keys, Protection(sid="ProtectKeys", actions=_OF_A_STORE, clauses=unless))

    @property
    def details(self) -> Mapping[str, Sequence[str | IamPrincipal]]:
        return {"keys": self.keys}
