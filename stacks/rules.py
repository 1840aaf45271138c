"""What must hold whatever the templates say in detail: a synth that breaks one of these rules fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import tableguard as tg
from stacks.backups import EXPORTER, PRIVATE_EXPORTER
from stacks.grants import Grants
from stacks.organization import Organization
from stacks.private_workload import PrivateWorkload


def rules(
    organization: Organization, grants: Grants, table: tg.TableReference, workload: PrivateWorkload
) -> tg.TableguardRules:
    tenants = [place.account for place in organization.tenants.values()]
    writer = organization.writer.account
    ours = [*tenants, organization.etl.account, writer]
    readers = [*tenants, organization.etl.account, organization.vendor]
    return tg.TableguardRules(
        [
            tg.OnlyAccounts(id="only-readers-read", accounts=readers, access=tg.Access.READ, tables=[table]),
            # A write can return the item that is there already, so the writer's account may see items, too.
            tg.OnlyAccounts(accounts=[*readers, writer], tables=[table]),
            tg.NobodyCan(
                id="settings-stay-ours",
                access=tg.Access.on_table("DeleteTable", "PutResourcePolicy", "DeleteResourcePolicy", "UpdateTable"),
                except_=[tg.Account(organization.central.account)],
                tables=[table],
            ),
            # Contract 12, the longest, ends with 2036.
            tg.EveryGrantEnds(
                within=timedelta(days=11 * 365), except_=[tg.Account(account) for account in ours], tables=[table]
            ),
            *_kept(grants, table),
            *_private(organization, workload),
            *_exported(organization, table, workload.table.reference),
        ]
    )


def _kept(grants: Grants, table: tg.TableReference) -> Iterator[tg.KeepsAccess]:
    """Whoever has a role in the app: the vendor's side is not ours to see."""
    consumers = {f"tenant-{tenant}": grant for tenant, grant in grants.tenants.items()}
    for name, grant in {**consumers, "etl": grants.etl, "writer": grants.writer}.items():
        yield tg.KeepsAccess(id=f"{name}-keeps-access", principals=[grant.subject], access=grant.access, tables=[table])


def _private(organization: Organization, workload: PrivateWorkload) -> Iterator[tg.OnlyAccounts | tg.KeepsAccess]:
    """What holds for the private table. That it is reached from inside alone is decided in the tests: `OnlyFrom` takes
    no VPC whose id is known only once it is deployed.
    """
    table = workload.table.reference
    yield tg.OnlyAccounts(id="private-stays-private", accounts=[organization.private.account], tables=[table])
    yield tg.KeepsAccess(
        id="private-keeps-access",
        principals=[workload.grant.subject],
        access=workload.grant.access,
        context=workload.inside,
        tables=[table],
    )


def _exported(
    organization: Organization, table: tg.TableReference, private: tg.TableReference
) -> Iterator[tg.NobodyCan | tg.KeepsAccess]:
    """Each table is exported from its own account alone, and its exports keep working whatever is restricted.

    What is sealed of them is no table: who reaches that is decided in the tests, for everybody of every account.
    """
    exports = tg.Access.on_table("ExportTableToPointInTime")
    for name, reference, account, exporter in (
        ("catalogue", table, organization.central.account, EXPORTER),
        ("private", private, organization.private.account, PRIVATE_EXPORTER),
    ):
        yield tg.NobodyCan(
            id=f"{name}-is-exported-from-its-account-alone",
            access=exports,
            except_=[tg.Account(account)],
            tables=[reference],
        )
        yield tg.KeepsAccess(
            id=f"{name}-is-exported",
            principals=[tg.Role(account=account, name=exporter)],
            access=exports,
            tables=[reference],
        )
