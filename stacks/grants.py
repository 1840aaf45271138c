"""Everything that anybody outside the central account may do with its table, and why: one page for a reviewer."""

from __future__ import annotations

from datetime import date

import tableguard as tg
from stacks.organization import Organization

BY_DATE = "by-date"


class Grants:
    """The grants of the organization. Each is rendered twice: in the central account, and in the consumer's."""

    def __init__(self, organization: Organization) -> None:
        # Readers get one item at a time, by its key. Nobody needs to know more of the table than that.
        self.tenants = {
            tenant: tg.TableGrant(
                tg.Role(account=place.account, name=f"{tenant.lower()}-reader"),
                tg.Access.on_table("GetItem"),
                reason=f"ADR-7: tenant {tenant} shows the products of the central catalogue",
            )
            for tenant, place in organization.tenants.items()
        }

        # DescribeTable reads no item: it is how a consumer learns the stream's ARN, which ends in the moment at which
        # the stream was enabled. ListStreams does not work across accounts.
        self.etl = tg.TableGrant(
            tg.Role(account=organization.etl.account, name="catalogue-etl"),
            tg.Access.query(index=BY_DATE) | tg.Access.STREAM | tg.Access.on_table("DescribeTable"),
            reason="ADR-9: the warehouse loads the catalogue by date, then follows its changes",
        )

        self.writer = tg.TableGrant(
            tg.Role(account=organization.writer.account, name="catalogue-writer"),
            tg.Access.on_table("PutItem"),
            reason="ADR-11: purchasing puts new items into the catalogue, and reads none",
        )

        # The account and not a role of it: how the vendor names its roles is the vendor's business. DynamoDB needs the
        # key attributes in the list; without them no request would match.
        self.vendor = tg.TableGrant(
            tg.Account(organization.vendor),
            tg.Access.query(index=BY_DATE),
            reason="contract 12: stock and delivery dates of the products that the vendor supplies",
            until=date(2036, 12, 31),
            conditions=[
                tg.FromNetwork("192.0.2.0/24", "2001:db8:1234::/48"),
                tg.LeadingKeys("ProductCatalog-*"),
                tg.Attributes("category", "item", "time", "ProductName", "Inventory", "DueDate"),
            ],
        )

    @property
    def all(self) -> list[tg.TableGrant]:
        return [*self.tenants.values(), self.etl, self.writer, self.vendor]
