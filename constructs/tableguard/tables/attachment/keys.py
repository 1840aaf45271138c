"""Key policies of grants: a customer-managed key must also allow the consumer to decrypt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_kms as kms

from tableguard.policy import (
    AllowStatement,
    Limits,
    TableguardError,
    TableReference,
    check_size,
    document,
    minified,
)
from tableguard.policy.documents import VERSION, Json
from tableguard.tables.attachment.overlay import PropertyOverlay, laid_on
from tableguard.tables.attachment.stack_policies import StackPolicies

KEY_POLICY: Final = "tableguard:key-policy"
_TOO_LARGE: Final = (
    "To make it fit: grant to an Account or an Organization instead of many roles, or give tables keys of their own."
)


def key_policy_warning(which: str, table: TableReference, statements: Sequence[AllowStatement]) -> str:
    """The text of the warning about a key policy that this app cannot change.

    Args:
        which: Which key: "the key", or "the key in eu-west-1" for a replica.
        table: The table.
        statements: The statements that the key policy needs.
    """
    return (
        f"The policy of {which} of table {table.name} is written elsewhere. Consumers of other accounts cannot read "
        f"the table until that policy has these statements: {minified(document(statements)['Statement'])}"
    )


class KeyPolicy:
    """Adds statements for consumers to the policy of one key. Several tables may share the key.

    Args:
        resource: The L1 resource of the key.
        home: The policies of the key's stack.
    """

    @staticmethod
    def of(key: kms.IKey, home: StackPolicies | None = None) -> KeyPolicy | None:
        """Return the policy of a key, creating it on the first call; None if the key is not of this app.

        Args:
            key: The key.
            home: The policies of the key's stack; looked up when left out.
        """
        resource = key.node.default_child
        if not isinstance(resource, kms.CfnKey):
            return None
        stack = home or StackPolicies.of(cdk.Stack.of(resource))
        return stack.holder(resource, lambda: KeyPolicy(resource, stack))

    def __init__(self, resource: kms.CfnKey, home: StackPolicies) -> None:
        self.resource = resource
        self.overlays = (PropertyOverlay(resource, "key_policy", self._edit),)
        self._home = home
        self._statements: list[AllowStatement] = []
        self._ours: list[Json] = []
        self._limits = Limits()

    def __str__(self) -> str:
        return str(self.resource.node.path)

    def add(self, statements: list[AllowStatement], limits: Limits | None) -> None:
        """Add statements for the consumers of a table.

        Args:
            statements: Statements of a key policy.
            limits: The limits on the size of the whole document; unchanged when None.
        """
        self._statements.extend(statements)
        self._ours = document(self._statements)["Statement"]
        self._limits = limits or self._limits
        self._home.added(self, minified(self._ours))

    def _edit(self, policy: Any) -> Any:
        theirs = (policy or {}).get("Statement") or []
        return {
            "Version": VERSION,
            **(policy or {}),
            "Statement": [*(theirs if isinstance(theirs, list) else [theirs]), *self._ours],
        }

    def refresh(self) -> None:
        """Do nothing: the statements for a table do not change after they are added."""

    def whole(self, below: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
        """The key's properties with our statements, and the problems of the whole policy.

        Args:
            below: The resolved properties without our statements.
        """
        whole = laid_on(below, self.overlays)
        try:
            check_size(whole["keyPolicy"], self._limits.key, owner=self, fix=_TOO_LARGE)
        except TableguardError as error:
            return whole, [str(error)]
        return whole, []
