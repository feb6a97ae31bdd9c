"""A small org in the warehouse for pushes: contacts and accounts in tables made as the extract makes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text

from include.activation.deliver import deliver_push
from include.activation.options import PushMode, PushRunOptions
from include.activation.select import Selection, select_push
from include.config.pushes import PushDefinition
from include.destinations.insider_one.destination import InsiderOne
from include.destinations.line import Patience
from include.destinations.protocol import Destination
from include.records import AirflowRun, Describe, Field, OutcomeCounts, Window
from include.sandbox.insider_one.credentials import PARTNER, TOKEN
from include.warehouse.describes import keep_describe
from include.warehouse.engine import transaction
from include.warehouse.tables import apply_describe, table_of

CHANGED_AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
OPTIONS = PushRunOptions()
_STRING = {"type": "string", "length": 255}


def describe(object: str, *fields: Field) -> Describe:
    own = (
        Field(name="Id", label="Record ID", type="id"),
        *fields,
        Field(name="CreatedDate", label="Created Date", type="datetime"),
        Field(name="SystemModstamp", label="System Modstamp", type="datetime"),
    )
    return Describe(object=object, label=object, key_prefix=None, fields=own)


ACCOUNT = describe(
    "Account",
    Field(name="Name", label="Account Name", **_STRING),
    Field(name="Industry", label="Industry", type="picklist"),
)
CONTACT = describe(
    "Contact",
    *(Field(name=name, label=name, **_STRING) for name in ("FirstName", "LastName", "Title", "MailingCity")),
    Field(name="Email", label="E-mail", type="email"),
    Field(name="MobilePhone", label="Mobile", type="phone"),
    Field(name="Phone", label="Business Phone", type="phone"),
    Field(name="MailingCountry", label="Mailing Country", **_STRING),
    Field(name="Birthdate", label="Birthdate", type="date"),
    Field(name="Score__c", label="Score", type="double", custom=True),
    Field(name="HasOptedOutOfEmail", label="Email Opt Out", type="boolean"),
    Field(name="AccountId", label="Account ID", type="reference", reference_to=("Account",)),
)


def contact_id(number: int) -> str:
    return f"003{number:012d}AAA"


def account_id(number: int) -> str:
    return f"001{number:012d}AAA"


@dataclass(frozen=True)
class Org:
    """The org `demo` in a warehouse."""

    engine: Engine

    def lay_out(self) -> None:
        with transaction(self.engine) as connection:
            for each in (ACCOUNT, CONTACT):
                apply_describe(connection, table_of("demo", "salesforce_demo", each))
                keep_describe(connection, "demo", each)
            connection.execute(text("UPDATE headwater.object SET first_loaded_at = now()"))

    def run(self, statement: str, **values: Any) -> Any:
        with transaction(self.engine) as connection:
            result = connection.execute(text(statement), values)
            return result.all() if result.returns_rows else result.rowcount

    def add_account(self, number: int, **values: Any) -> None:
        self._add("Account", {"Id": account_id(number), "Name": f"Firm {number}", **values})

    def add_contact(self, number: int, **values: Any) -> None:
        plain = {
            "Id": contact_id(number),
            "FirstName": "Ada",
            "LastName": f"Nr {number}",
            "Email": f"ada{number}@example.com",
            "Birthdate": date(1990, 1, 2),
            "HasOptedOutOfEmail": False,
        }
        self._add("Contact", plain | values)

    def add_contacts(self, count: int, **values: Any) -> None:
        for number in range(1, count + 1):
            self.add_contact(number, **values)

    def touch(self, number: int, *, minutes: int = 60, **values: Any) -> None:
        """Change a contact: its fields and its time stamp."""
        sets = ", ".join(f'"{name}" = :{name}' for name in values)
        self.run(
            f'UPDATE salesforce_demo."Contact" SET "SystemModstamp" = :at{", " if sets else ""}{sets} WHERE "Id" = :id',
            id=contact_id(number),
            at=CHANGED_AT + timedelta(minutes=minutes),
            **values,
        )

    def outcomes(self, run_id: int) -> dict[str, str]:
        rows = self.run("SELECT record_id, outcome FROM headwater.outcome WHERE run_id = :run_id", run_id=run_id)
        return {row.record_id: row.outcome for row in rows}

    def causes(self, run_id: int) -> dict[str, str]:
        rows = self.run("SELECT record_id, cause FROM headwater.outcome WHERE run_id = :run_id", run_id=run_id)
        return {row.record_id: row.cause for row in rows}

    def open_errors(self) -> list[tuple[str, str, int]]:
        rows = self.run(
            "SELECT record_id, outcome, attempts FROM headwater.sync_error WHERE settled_at IS NULL ORDER BY error_id"
        )
        return [(row.record_id, row.outcome, row.attempts) for row in rows]

    def _add(self, object: str, values: dict[str, Any]) -> None:
        values = {"SystemModstamp": CHANGED_AT, "CreatedDate": CHANGED_AT, **values}
        names = ", ".join(f'"{name}"' for name in values)
        binds = ", ".join(f":{name}" for name in values)
        self.run(f'INSERT INTO salesforce_demo."{object}" ({names}) VALUES ({binds})', **values)


def definition(**changes: Any) -> PushDefinition:
    """A push of contacts with an event, plus what the test cares about."""
    plain = {
        "push": "contacts",
        "org": "demo",
        "source": {"object": "Contact"},
        "destination": {"platform": "insider_one", "connection": "insider_one_demo"},
        "schedule": "30 * * * *",
        "identifiers": {"uuid": "Id", "email": "Email"},
        "attributes": {"name": "FirstName", "surname": "LastName", "birthday": "Birthdate"},
        "custom_attributes": {"title": "Title", "account_name": "Account.Name"},
        "custom_fixed": {"source": "salesforce"},
        "event": {"name": "contact_updated", "custom_params": {"title": "Title"}},
    }
    return PushDefinition.model_validate({**plain, **changes})


def insider_one(url: str, **options: Any) -> InsiderOne:
    return InsiderOne(
        base_url=url, partner=PARTNER, token=TOKEN, patience=Patience(sleep=lambda seconds: None), **options
    )


def select(
    engine: Engine,
    push: PushDefinition,
    *,
    mode: PushMode = PushMode.CHANGED,
    interval: Window | None = None,
    resend: bool = False,
    record_ids: tuple[str, ...] = (),
    run: AirflowRun | None = None,
    options: PushRunOptions = OPTIONS,
) -> Selection:
    return select_push(
        engine,
        push,
        mode=mode,
        interval=interval,
        resend=resend,
        record_ids=record_ids,
        run=run or AirflowRun(),
        options=options,
    )


def deliver(
    engine: Engine,
    push: PushDefinition,
    destination: Destination,
    run_id: int,
    *,
    options: PushRunOptions = OPTIONS,
    resend: bool = False,
    now: datetime = NOW,
) -> OutcomeCounts:
    return deliver_push(
        engine,
        push,
        destination,
        run_id=run_id,
        skip_hook=options.skip_hook,
        fast_fail=options.fast_fail,
        batch_size=options.batch_size,
        resend=resend,
        now=lambda: now,
    )
