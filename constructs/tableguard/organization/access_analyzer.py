"""An analyzer that reports what is shared, but for what the grants declare."""

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
    """IAM Access Analyzer for external access, with an archive rule for everything that grants declare.

    What nobody declared stays an active finding: a statement that somebody adds to a policy by hand, a principal that
    is replaced, a condition that is taken away. A grant that is removed takes its rule with it; findings that the rule
    has archived stay archived, though, as long as the statement is there: remove the statement as well.

    An analyzer looks at one region. An account takes one of its kind for each region, an organization five.
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
            tables: The tables whose grants are declared, `CrossAccountTable` or `TableAccess` with all grants that
                they have by the end; `SharedTable` for tables of another app. Of a table with replicas the one in the
                stack's region is meant.
            whole_organization: Whether everything outside the organization is reported, in all of its accounts: then
                the stack is one of the management account, or of the delegated administrator's for Access Analyzer.
                By default everything outside the account is, and all tables are of the stack's account.
            analyzer_name: The analyzer's name; CloudFormation chooses one when left out.
            most_rules: How many rules the analyzer has room for; 100 when left out.

        Raises:
            InvalidInputError: A table of another account or region, or one that only its own stack knows.
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
        # Grants may still come: only the end of the synthesis knows how many rules there are.
        self.node.add_validation(_Room(self))

    @property
    def analyzer(self) -> accessanalyzer.CfnAnalyzer:
        """The analyzer."""
        return self._analyzer

    @property
    def archive_rules(self) -> tuple[ArchiveRule, ...]:
        """The rules, for the grants that there are now."""
        return archive_rules(map(self._shared, self._tables))

    @property
    def most_rules(self) -> int:
        """How many rules it has room for."""
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
                    allowed=f"tables of account {stack.account}, which the analyzer looks at",
                    fix="Make an analyzer in that account, or one with whole_organization=True.",
                )
            regions = (reference.region, *reference.replica_regions)
            if all(_differ(region, stack.region) for region in regions):
                raise InvalidInputError(
                    what, value=reference.arn, allowed=f"tables of {stack.region}: an analyzer looks at one region"
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
    """Renders the rules when everything else is known."""

    def __init__(self, owner: ExternalAccessAnalyzer) -> None:
        self._owner = owner

    def produce(self) -> Any:
        return [_rendered(rule) for rule in self._owner.archive_rules] or None


@jsii.implements(IValidation)
class _Room:
    """Looks whether the rules fit."""

    def __init__(self, owner: ExternalAccessAnalyzer) -> None:
        self._owner = owner

    def validate(self) -> list[str]:
        count, most = len(self._owner.archive_rules), self._owner.most_rules
        if count <= most:
            return []
        message = (
            f"The grants come to {count} archive rules. Allowed: {most} (IAM user guide, IAM Access Analyzer quotas). "
            "Make an analyzer for some of the tables in each account, or say most_rules=… if your quota is higher."
        )
        return [message]
