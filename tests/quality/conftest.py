"""An org in the warehouse, as an extract leaves it: tables with some records, and what is known of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, text

from include.config.checks import CheckDefinition
from include.config.orgs import OrgDefinition
from include.quality.assess import Assessment, assess_org
from include.records import AirflowRun
from include.warehouse.engine import quoted

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

COLUMNS = {
    "Account": {
        **dict.fromkeys(("Name", "Website", "OwnerId", "Phone", "Industry", "ParentId"), "text"),
        **dict.fromkeys(("BillingCity", "BillingState", "BillingCountry", "CurrencyIsoCode"), "text"),
        "LastModifiedDate": "timestamptz",
    },
    "Contact": {
        "FirstName": "text",
        "LastName": "text",
        "Email": "text",
        "Phone": "text",
        "MobilePhone": "text",
        "AccountId": "text",
        "OwnerId": "text",
        "Birthdate": "date",
        **dict.fromkeys(("MailingCountry", "IndividualId", "ReportsToId"), "text"),
        "EmailBouncedDate": "timestamptz",
        "LastModifiedDate": "timestamptz",
    },
    "Lead": {
        "FirstName": "text",
        "LastName": "text",
        "Company": "text",
        "Email": "text",
        "Phone": "text",
        "OwnerId": "text",
        "IsConverted": "boolean",
        "LastModifiedDate": "timestamptz",
        **dict.fromkeys(("Country", "LeadSource", "Website", "ConvertedContactId"), "text"),
        "CreatedDate": "timestamptz",
        "EmailBouncedDate": "timestamptz",
    },
    "Opportunity": {
        "AccountId": "text",
        "StageName": "text",
        "Amount": "numeric",
        "CloseDate": "date",
        "IsClosed": "boolean",
        "IsWon": "boolean",
        "Probability": "numeric",
        **dict.fromkeys(("OwnerId", "NextStep", "CurrencyIsoCode"), "text"),
        "CreatedDate": "timestamptz",
        "LastStageChangeDate": "timestamptz",
    },
    "User": {"IsActive": "boolean"},
    "Task": {"WhatId": "text"},
    "Event": {"WhatId": "text"},
    "OpportunityContactRole": {"OpportunityId": "text"},
}


class WarehouseOrg:
    """Write records into the warehouse copy of an org, and assess it."""

    def __init__(self, engine: Engine, objects: Sequence[str]) -> None:
        self.engine = engine
        self.definition = OrgDefinition(org="acme", connection="acme", objects=tuple(objects))
        self._execute("CREATE SCHEMA salesforce_acme")
        for name in objects:
            self.add_object(name)

    def add_object(self, name: str) -> None:
        columns = {"Id": "text PRIMARY KEY", **COLUMNS[name], "_deleted_at": "timestamptz"}
        listed = ", ".join(f"{quoted(column)} {type}" for column, type in columns.items())
        self._execute(f"CREATE TABLE {quoted('salesforce_acme', name)} ({listed})")
        self._execute(
            "INSERT INTO headwater.object (org, object, first_loaded_at) VALUES ('acme', :object, now())", object=name
        )
        for position, column in enumerate(["Id", *COLUMNS[name]]):
            self._execute(
                "INSERT INTO headwater.field (org, object, position, name, label, type)"
                " VALUES ('acme', :object, :position, :name, :name, 'string')",
                object=name,
                position=position,
                name=column,
            )

    def put(self, name: str, *records: Mapping[str, Any]) -> None:
        """Insert records, or replace those of the same Id."""
        table = quoted("salesforce_acme", name)
        with self.engine.begin() as connection:
            for record in records:
                columns = ", ".join(map(quoted, record))
                values = ", ".join(f":{column}" for column in record)
                connection.execute(text(f'DELETE FROM {table} WHERE "Id" = :Id'), {"Id": record["Id"]})
                connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({values})"), dict(record))

    def clear(self, name: str) -> None:
        """Take every record out, as if there had never been one."""
        self._execute(f"TRUNCATE {quoted('salesforce_acme', name)}")

    def extracted(self, name: str, rows: int = 1) -> None:
        """Note that a run changed rows of an object, as an extract does."""
        self._execute(
            "WITH r AS (INSERT INTO headwater.run (kind, org, subject, state) VALUES ('extract', 'acme', :object,"
            " 'success') RETURNING run_id) INSERT INTO headwater.extract (run_id, org, object, mode, high, updated)"
            " SELECT run_id, 'acme', :object, 'changes', now(), :rows FROM r",
            object=name,
            rows=rows,
        )

    def delete(self, name: str, record_id: str) -> None:
        self._execute(
            f'UPDATE {quoted("salesforce_acme", name)} SET _deleted_at = now() WHERE "Id" = :id', id=record_id
        )

    def lose_field(self, name: str, field: str) -> None:
        self._execute(
            "UPDATE headwater.field SET gone_at = now() WHERE object = :object AND name = :name",
            object=name,
            name=field,
        )

    def assess(self, *checks: CheckDefinition, now: datetime = NOW) -> Assessment:
        named = {check.check: check for check in checks}
        return assess_org(self.engine, self.definition, named, now=now, run=AirflowRun())

    def _execute(self, statement: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)


@pytest.fixture
def make_org(warehouse: Engine) -> Callable[..., WarehouseOrg]:
    """Return a function that makes an org with these objects, the default ones unless named."""

    def make(*objects: str) -> WarehouseOrg:
        return WarehouseOrg(warehouse, objects or ("Account", "Contact", "Lead", "Opportunity"))

    return make


@pytest.fixture
def shared_org(make_org: Callable[..., WarehouseOrg]) -> WarehouseOrg:
    """Return an org that all examples of a property share."""
    return make_org()


@pytest.fixture
def make_check() -> Callable[..., CheckDefinition]:
    """Return a function that makes a check of Contact; keys replace the usual ones."""

    def make(check: str = "no_email", **keys: Any) -> CheckDefinition:
        usual: dict[str, Any] = {
            "check": check,
            "title": f"Title of {check}",
            "why": "because",
            "category": "Incomplete",
            "severity": "warning",
            "object": "Contact",
        }
        if "expect" not in keys:
            usual["bad_when"] = "{row.Email} IS NULL"
        return CheckDefinition.model_validate(usual | keys)

    return make
