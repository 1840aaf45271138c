"""An analyzer that reports external access, except the access that grants declare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import aws_cdk as cdk
import jsii
from aws_cdk import aws_accessanalyzer as accessanalyzer
from constructs import Construct, IValidation

from tableguard.aws.limits import ARCHIVE_RULES
from tableguard.policy import InvalidInputError, TableReference
from tableguard.policy.archive_rules import ArchiveRule, SharedTable, archive_rules
from tableguard.policy.lists import listed
from tableguard.policy.tokens import is_unresolved
from tableguard.tables.cross_account_table import CrossAccountTable
from tableguard.tables.identities import converted
from tableguard.tables.table_access import TableAccess

AnyShared: TypeAlias = CrossAccountTable | TableAccess | SharedTable


class ExternalAccessAnalyzer(Construct):
    """Makes an IAM Access Analyzer for external access, with archive rules for the access that grants declare.

    Access that no grant declares stays an active finding: a statement added to a policy by hand, a replaced principal,
    a removed condition. When you remove a grant, its rule is removed too. Remove the statement from the policy as well:
    findings that the rule has archived stay archived as long as the statement exists.

    An analyzer covers one region. The quota for this type is one a region for an account, five for an organization.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        tables: Sequence[AnyShared],
        whole_organization: bool = False,
        analyzer_name: str | None = None,
        most_rules: int = ARCHIVE_RULES.most,
    ) -> None:
        """Make the analyzer.

        Args:
            scope: The parent construct, in a stack of the tables' region.
            construct_id: The construct's id, unique below its parent.
            tables: The tables whose grants are archived: `CrossAccountTable` or `TableAccess`, with all grants that
                they have when the app is synthesized; `SharedTable` for tables of another app. Of a table with
                replicas, the replica in the stack's region counts.
            whole_organization: True reports access from outside the organization, in all its accounts; deploy the
                stack in the management account or the delegated administrator account for Access Analyzer. False, the
                default, reports access from outside the stack's account, to which all tables must belong.
            analyzer_name: The analyzer's name; CloudFormation chooses one when left out.
            most_rules: The quota of archive rules for the analyzer; 100 when left out.

        Raises:
            InvalidInputError: A table is of another account or region, or its ARN is not known to this stack.
        """
        super().__init__(scope, construct_id)
        self._tables = self._checked(tables, whole_organization=whole_organization)
        self._most_rules = most_rules
        self._analyzer = accessanalyzer.CfnAnalyzer(
            self,
            "Default",
            type="ORGANIZATION" if whole_organization else "ACCOUNT",
            analyzer_name=analyzer_name,
            archive_rules=cdk.Lazy.any(_Rules(self)),
        )
        # Rendered late, since grants can be added until the end of the synthesis.
        self.node.add_validation(_Room(self))

    @property
    def analyzer(self) -> accessanalyzer.CfnAnalyzer:
        """The analyzer."""
        return self._analyzer

    @property
    def archive_rules(self) -> tuple[ArchiveRule, ...]:
        """The rules for the grants made so far."""
        return archive_rules(map(self._shared, self._tables))

    @property
    def most_rules(self) -> int:
        """The quota of archive rules for the analyzer."""
        return self._most_rules

    def _checked(self, tables: object, *, whole_organization: bool) -> tuple[AnyShared, ...]:
        what = f"the tables of {self.node.path}"
        allowed = "a list of CrossAccountTable, TableAccess and SharedTable"
        stack = cdk.Stack.of(self)
        given = listed(what, tables, allowed=allowed)
        for table in given:
            if not isinstance(table, AnyShared):
                raise InvalidInputError(what, value=table, allowed=allowed)
            reference = _reference(table)
            elsewhere = not isinstance(table, SharedTable) and cdk.Stack.of(table) is not stack
            if elsewhere and is_unresolved(reference.arn):
                raise InvalidInputError(
                    what,
                    value="a table whose ARN is known at deployment only",
                    allowed="tables of the analyzer's own stack, or with a name, account and region that are known",
                )
            if not whole_organization and _differ(reference.account, stack.account):
                raise InvalidInputError(
                    what,
                    value=reference.arn,
                    allowed=f"tables of account {stack.account}, the only one that this analyzer covers",
                    fix="Make an analyzer in that account, or one with whole_organization=True.",
                )
            regions = (reference.region, *reference.replica_regions)
            if all(_differ(region, stack.region) for region in regions):
                raise InvalidInputError(
                    what, value=reference.arn, allowed=f"tables of {stack.region}: an analyzer covers one region"
                )
        return given

    def _shared(self, table: AnyShared) -> SharedTable:
        reference = _reference(table)
        region = cdk.Stack.of(self).region
        here = reference.in_region(region) if region in reference.replica_regions else reference
        if isinstance(table, SharedTable):
            return SharedTable(here, table.grants)
        stack = cdk.Stack.of(table)
        grants = [one.grant for grant in table.table_grants for one in converted(grant, stack, reference)]
        return SharedTable(here, grants)


def _reference(table: AnyShared) -> TableReference:
    return table.table if isinstance(table, SharedTable) else table.reference


def _differ(one: str, other: str) -> bool:
    return one != other and not is_unresolved(one) and not is_unresolved(other)


def _rendered(rule: ArchiveRule) -> dict[str, Any]:
    filters: list[dict[str, Any]] = [{"property": key, "eq": list(values)} for key, values in rule.criteria]
    if rule.streams:
        filters.append({"property": "resource", "contains": list(rule.streams)})
    return {"ruleName": rule.name, "filter": filters}


@jsii.implements(cdk.IStableAnyProducer)
class _Rules:
    """Renders the rules at the end of the synthesis, when all grants are known."""

    def __init__(self, owner: ExternalAccessAnalyzer) -> None:
        self._owner = owner

    def produce(self) -> Any:
        return [_rendered(rule) for rule in self._owner.archive_rules] or None


@jsii.implements(IValidation)
class _Room:
    """Checks that the rules are within the quota."""

    def __init__(self, owner: ExternalAccessAnalyzer) -> None:
        self._owner = owner

    def validate(self) -> list[str]:
        count, most = len(self._owner.archive_rules), self._owner.most_rules
        if count <= most:
            return []
        message = (
            f"The grants come to {count} archive rules. Allowed: {most} (IAM user guide, IAM Access Analyzer quotas). "
            "Make an analyzer for some of the tables in each account, or pass most_rules=… if your quota is higher."
        )
        return [message]
