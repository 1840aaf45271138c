"""The key side of a grant: a customer-managed key must let the consumer in as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import aws_cdk as cdk
import jsii
from aws_cdk import aws_kms as kms
from constructs import Construct, IValidation

from tableguard.policy import (
    Limits,
    Statement,
    TableguardError,
    TableReference,
    check_size,
    document,
    minified,
)
from tableguard.policy.documents import VERSION
from tableguard.tables.overlay import PropertyOverlay, resolved_properties

KEY_POLICY: Final = "tableguard:key-policy"
_CHILD_ID: Final = "TableguardKeyPolicy"
_TOO_LARGE: Final = (
    "To make it fit: grant to an Account or an Organization instead of many roles, or give tables keys of their own."
)


def key_policy_warning(which: str, table: TableReference, statements: Sequence[Statement]) -> str:
    """The text of the warning that somebody else has to change a key's policy.

    Args:
        which: Which key, "the key" or one of a replica.
        table: The table.
        statements: What the policy lacks.
    """
    return (
        f"The policy of {which} of table {table.name} is written elsewhere. Consumers of other accounts can read "
        f"nothing until it holds: {minified(document(statements)['Statement'])}"
    )


@jsii.implements(IValidation)
class _Validate:
    def __init__(self, policy: KeyPolicy) -> None:
        self._policy = policy

    def validate(self) -> list[str]:
        return self._policy.problems()


class KeyPolicy(Construct):
    """What consumers of tables may do with one key. It hangs below the key, which several tables may share."""

    @staticmethod
    def of(key: kms.IKey) -> KeyPolicy | None:
        """The policy of a key, made when first asked for; None where the key is not of this app."""
        resource = key.node.default_child
        if not isinstance(resource, kms.CfnKey):
            return None
        found = resource.node.try_find_child(_CHILD_ID)
        return found if isinstance(found, KeyPolicy) else KeyPolicy(resource)

    def __init__(self, resource: kms.CfnKey) -> None:
        super().__init__(resource, _CHILD_ID)
        self._resource = resource
        self._statements: list[Statement] = []
        self._limits = Limits()
        self._overlay = PropertyOverlay(resource, "key_policy", self._edit)
        self.node.add_validation(_Validate(self))

    def add(self, statements: list[Statement], limits: Limits | None) -> None:
        """Add statements for the consumers of a table.

        Args:
            statements: Statements of a key policy.
            limits: The limits to hold the whole document against; unchanged when None.
        """
        self._statements.extend(statements)
        self._limits = limits or self._limits

    def _edit(self, policy: Any) -> Any:
        theirs = (policy or {}).get("Statement") or []
        ours = document(self._statements)["Statement"] if self._statements else []
        return {
            "Version": VERSION,
            **(policy or {}),
            "Statement": [*(theirs if isinstance(theirs, list) else [theirs]), *ours],
        }

    def problems(self) -> list[str]:
        """What is wrong with the whole document, statements of others included."""
        # At the last moment, in case somebody has assigned the policy anew since the last grant.
        whole = resolved_properties(cdk.Stack.of(self._resource), self._resource, [self._overlay])["keyPolicy"]
        try:
            check_size(whole, self._limits.key, owner=self._resource.node.path, fix=_TOO_LARGE)
        except TableguardError as error:
            return [str(error)]
        return []
