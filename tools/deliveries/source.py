"""Contacts in the warehouse, in tables made as the extract makes them, whose values follow from their number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text

from include.records import Describe, Field
from include.warehouse.describes import keep_describe
from include.warehouse.engine import transaction
from include.warehouse.tables import apply_describe, table_of

ORG = "demo"
_TEXT = {"type": "string", "length": 255}
_CONTACT = Describe(
    object="Contact",
    label="Contact",
    key_prefix="003",
    fields=(
        Field(name="Id", label="Contact ID", type="id"),
        Field(name="FirstName", label="First Name", **_TEXT),  # type: ignore[arg-type]
        Field(name="LastName", label="Last Name", **_TEXT),  # type: ignore[arg-type]
        Field(name="Title", label="Title", **_TEXT),  # type: ignore[arg-type]
        Field(name="MailingCity", label="Mailing City", **_TEXT),  # type: ignore[arg-type]
        Field(name="Email", label="Email", type="email"),
        Field(name="Score__c", label="Score", type="double", custom=True),
        Field(name="CreatedDate", label="Created Date", type="datetime"),
        Field(name="SystemModstamp", label="System Modstamp", type="datetime"),
    ),
)
TOUCHED_EVERY = 20  # between the cycles one contact in so many changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacts:
    """Hold the contacts of a campaign.

    Args:
        engine: the warehouse.
        count: how many.
        began: the full second in which the campaign began.
    """

    engine: Engine
    count: int
    began: datetime

    def lay_out(self) -> None:
        """Fill the warehouse as a first load does."""
        with transaction(self.engine) as connection:
            apply_describe(connection, table_of(ORG, f"salesforce_{ORG}", _CONTACT))
            keep_describe(connection, ORG, _CONTACT)
            connection.execute(text("UPDATE headwater.object SET first_loaded_at = now()"))
            connection.execute(
                text(
                    'INSERT INTO salesforce_demo."Contact" ("Id", "FirstName", "LastName", "Title", "MailingCity",'
                    ' "Email", "Score__c", "CreatedDate", "SystemModstamp")'
                    " SELECT '003' || lpad(n::text, 12, '0') || 'AAA', 'Ada ' || n, 'Lovelace ' || n,"
                    " 'Title ' || n % 7, 'City ' || n % 100, 'p' || n || '@example.com', n % 100 + 0.5, :at, :at"
                    " FROM generate_series(1, :count) AS n"
                ),
                {"count": self.count, "at": self.changed_at},
            )
            connection.execute(text('ANALYZE salesforce_demo."Contact"'))

    def touch(self) -> None:
        """Change every twentieth contact, an hour later."""
        with transaction(self.engine) as connection:
            connection.execute(
                text(
                    'UPDATE salesforce_demo."Contact" SET "Title" = \'Chief \' || "Title", "SystemModstamp" = :at'
                    ' WHERE substr("Id", 4, 12)::bigint % :every = 0'
                ),
                {"at": self.changed_at + timedelta(hours=1), "every": TOUCHED_EVERY},
            )

    @property
    def changed_at(self) -> datetime:
        """Return when the contacts last changed in the org."""
        return self.began - timedelta(days=1)

    def values(self, number: int, *, touched: bool) -> dict[str, Any]:
        """Return what a contact is, by field, before or after the change between the cycles."""
        changed = touched and number % TOUCHED_EVERY == 0
        return {
            "Id": contact_id(number),
            "FirstName": f"Ada {number}",
            "LastName": f"Lovelace {number}",
            "Title": f"{'Chief ' if changed else ''}Title {number % 7}",
            "MailingCity": f"City {number % 100}",
            "Email": f"p{number}@example.com",
            "Score__c": number % 100 + 0.5,
            "events": 2 if changed else 1,
        }


def contact_id(number: int) -> str:
    """Return the Id of a contact."""
    return f"003{number:012d}AAA"


def this_second() -> datetime:
    """Return now, to the second."""
    return datetime.now(UTC).replace(microsecond=0)
