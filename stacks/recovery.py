"""The recovery account: it restores what the vault has sealed, once a week, and says whether it came back whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

import tableguard as tg
from stacks.alarms_topic import AlarmsTopic
from stacks.backup_findings import excuse, executions, files, named
from stacks.backup_reader import BackupReader
from stacks.backups import RESTORE

# An item of the catalogue that no tenant can take for a product: no other has this category.
CANARY = tg.Canary(key={"category": {"S": "tableguard#canary"}, "item": {"S": "canary"}}, every_minutes=60)


class Recovery(cdk.Stack):
    """Restores the central table into tables of its own, and drills that.

    An account of its own, because a restored table is a living copy of the data: in the vault's account it would be one
    more reason to get in there, and in the table's account it would be gone with it. It may read what is sealed of this
    table and change nothing in the vault.

    The restored tables have no policy: nobody of another account reaches them, whatever the table's grants say. To
    give the table back to its consumers, make it with `TableBlueprint.like(table)`, policies and all.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        env: cdk.Environment,
        sealed: tg.SealedReference,
        table: tg.CrossAccountTable,
    ) -> None:
        """Make the restore and its drill.

        Args:
            scope: The app.
            construct_id: The stack's name.
            env: Account and region.
            sealed: The vault.
            table: The table, of another stack: its keys, indexes and settings are taken from it.
        """
        super().__init__(scope, construct_id, env=env)
        topic = AlarmsTopic(self, "Alarms")
        self.restore = tg.TableRestore(
            self,
            "Restore",
            blueprint=tg.TableBlueprint.like(table.table, policy=None, deletion_protection=False),
            sealed=sealed,
            source=table.reference,
            table_prefix="restored-",
            role_name=RESTORE,
        )
        self.drill = tg.RestoreDrill(
            self,
            "Drill",
            restore=self.restore,
            schedule=scheduler.ScheduleExpression.rate(cdk.Duration.days(7)),
            alarm_after=cdk.Duration.days(8),
            canary=CANARY,
            alarms_topic=topic.topic,
        )
        self.people = BackupReader(self, "People", sealed=sealed, table=table.reference)
        self._excuse(sealed, table.reference)

    @property
    def readers(self) -> Sequence[tg.Role]:
        """The roles that the vault has to let read."""
        return (*self.restore.reader_roles, self.people.reader)

    def _excuse(self, sealed: tg.SealedReference, table: tg.TableReference) -> None:
        restored = f"arn:aws:dynamodb:{self.region}:{self.account}:table/restored-"
        of_table = f"{table.account}/{table.region}/{table.name}/*"
        work = named(cast("cdk.CfnResource", self.restore.work_bucket.node.default_child), "Arn")
        machines = [
            named(cast("cdk.CfnResource", machine.node.default_child), "Name")
            for machine in (self.restore.machine, self.drill.check_machine, self.drill.machine)
        ]
        wildcards = {
            **files(f"{work}/*", f"{work}/results/*", f"{work}/*/problems/*"),
            **files(*(f"{sealed.bucket_arn}/{kind}/{of_table}" for kind in ("exports", "catalogue"))),
            **dict.fromkeys(
                (f"{restored}*", f"{restored}*/stream/*", f"{restored}*/index/*", f"{restored}drill-*"),
                "A restored table has no name before an execution gives it one, with this beginning.",
            ),
            **executions(self.region, self.account, *machines),
        }
        for construct in (self.restore, self.drill):
            excuse(construct, wildcards)
