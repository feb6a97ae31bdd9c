"""Who somebody is reaches no log, no XCom, no error and no ledger that pages and mails are made of."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import urllib3
from sqlalchemy import Engine, text

from headwater.operators import (
    AssessHealthOperator,
    DescribeObjectsOperator,
    ExtractObjectOperator,
    PushProfilesOperator,
    SelectProfilesOperator,
)
from include.errors import PushFailed

PUSH = "contacts_to_insider_one"
CANARY = "zwitscherlein"
# Kept in the warehouse beside the records they belong to, and shown by no page and no message.
_KEYS = "match_keys_"  # of records, by which duplicates are found
_RECORDS_THEMSELVES = {("probe", "page"), ("reject", "source"), ("sent", "identifiers")}


def _plant(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        connection.execute(
            text(
                'UPDATE salesforce_demo."Contact" SET "LastName" = :name, "FirstName" = upper(:name),'
                " \"Email\" = CASE WHEN right(\"Id\", 4) < '0100' THEN :name || '@@nowhere'"
                " ELSE :name || \"Id\" || '@example.com' END,"
                ' "Phone" = :name, "MailingCity" = :name, "SystemModstamp" = now()'
            ),
            {"name": CANARY},
        )
        others = connection.execute(
            text(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = 'salesforce_demo'"
                " AND table_name = 'Contact' AND data_type = 'text' AND column_name !~ 'Id$' AND column_name <> ALL"
                " (ARRAY['LastName', 'FirstName', 'Email', 'Phone', 'MailingCity'])"
            )
        ).scalars()
        for column in others:  # each its own name, so that what is found tells where it came from
            value = f"{CANARY} of {column}"
            connection.execute(text(f'UPDATE salesforce_demo."Contact" SET "{column}" = :value'), {"value": value})


def _ledgers(warehouse: Engine) -> dict[str, str]:
    """Return every text and JSON value of our own schema, by table and column."""
    with warehouse.connect() as connection:
        columns = connection.execute(
            text(
                "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'headwater'"
                " AND data_type IN ('text', 'json', 'jsonb', 'bytea', 'ARRAY')"
            )
        ).all()
        return {
            f"{table}.{column}": str(
                connection.execute(text(f'SELECT array_agg("{column}"::text) FROM headwater."{table}"')).scalar_one()
            )
            for table, column in columns
            if (table, column) not in _RECORDS_THEMSELVES and not table.startswith(_KEYS)
        }


@pytest.mark.slow
def test_a_person_s_data_stays_in_their_record(
    site: dict[str, str], warehouse: Engine, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Through extract, assessment and a push that is refused, throttled and cut off, nothing names the person."""
    caplog.set_level(logging.DEBUG)
    told: list[Any] = []
    for name in ("Account", "Contact"):
        told.append(ExtractObjectOperator(task_id=f"e_{name}", org="demo", sobject=name).execute({}))
    _plant(warehouse)
    told.append(AssessHealthOperator(task_id="a", org="demo").execute({}))
    told.append(DescribeObjectsOperator(task_id="m", org="demo").execute({}))
    for fault in ({"reject_all": True}, {"status": 503}, {"drop_answer": True}, {"status": 200, "body": "not json"}):
        urllib3.request("POST", f"{site['platform']}/sandbox/faults", body=json.dumps(fault | {"times": 3}).encode())
        selection = SelectProfilesOperator(task_id="s", push=PUSH, mode="all").execute({})
        told.append(selection)
        try:
            told.append(PushProfilesOperator(task_id="d", push=PUSH, selection=selection).execute({}))
        except PushFailed as error:
            told += [str(error), repr(error.__cause__), *getattr(error, "__notes__", ())]

    out, err = capfd.readouterr()
    everything = {"log": caplog.text, "out": out, "err": err, "xcom and errors": json.dumps(told, default=str)}
    found = [place for place, words in (everything | _ledgers(warehouse)).items() if CANARY in words.casefold()]
    assert found == []
    with warehouse.connect() as connection:
        looked = connection.execute(text("SELECT count(*) FROM headwater.field_content")).scalar_one()
        assert looked > 0
        failed = connection.execute(text("SELECT count(*) FROM headwater.sync_error")).scalar_one()
    assert failed > 0
