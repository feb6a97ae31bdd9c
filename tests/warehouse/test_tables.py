from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from include.errors import DefinitionError, SchemaFrozen, TableBusy
from include.records import Describe, Field
from include.warehouse.describes import stored_describe
from include.warehouse.engine import transaction
from include.warehouse.tables import apply_describe, existing_columns, table_of
from tests.warehouse.conftest import contact_describe, make_contact


def test_a_table_has_typed_columns_named_as_the_fields(warehouse: Engine) -> None:
    """Compound fields are left out; three columns are ours."""
    table = make_contact(warehouse)
    with transaction(warehouse) as connection:
        assert existing_columns(connection, table) == {
            "Id": "text",
            "IsDeleted": "boolean",
            "LastName": "text",
            "Email": "text",
            "Amount__c": "numeric",
            "Visits__c": "integer",
            "Serial__c": "bigint",
            "Birthdate": "date",
            "Opens__c": "time without time zone",
            "CreatedDate": "timestamp with time zone",
            "SystemModstamp": "timestamp with time zone",
            "_loaded_at": "timestamp with time zone",
            "_run_id": "bigint",
            "_deleted_at": "timestamp with time zone",
        }


def test_a_describe_is_given_back_as_it_was_kept(warehouse: Engine) -> None:
    """What is stored serves the next run without asking the org."""
    make_contact(warehouse)
    with transaction(warehouse) as connection:
        assert stored_describe(connection, "main", "Contact") == contact_describe()
        assert stored_describe(connection, "main", "Lead") is None


def test_a_new_field_becomes_a_new_column(warehouse: Engine) -> None:
    """The rows that are there keep their values, the new column is null."""
    make_contact(warehouse)
    table = table_of("main", "salesforce_main", contact_describe(Score__c="double"))
    with transaction(warehouse) as connection:
        assert apply_describe(connection, table) == ("Score__c",)
        assert existing_columns(connection, table)["Score__c"] == "numeric"


@pytest.mark.slow
def test_a_new_column_waits_for_a_reader_a_few_seconds_only(warehouse: Engine) -> None:
    """Who waits longer makes every later reader wait as well; the next try adds it."""
    make_contact(warehouse)
    table = table_of("main", "salesforce_main", contact_describe(Score__c="double"))
    with transaction(warehouse) as reader:
        reader.exec_driver_sql('SELECT count(*) FROM salesforce_main."Contact"')
        with pytest.raises(TableBusy, match="the next try changes it"), transaction(warehouse) as connection:
            apply_describe(connection, table)
    with transaction(warehouse) as connection:
        assert apply_describe(connection, table) == ("Score__c",)


def test_a_gone_field_keeps_its_column_and_is_marked(warehouse: Engine) -> None:
    """It is no longer part of the describe; when it comes back, the mark goes."""
    make_contact(warehouse)
    table = make_contact(warehouse, contact_describe(Email=None))
    gone = text("SELECT name FROM headwater.field WHERE gone_at IS NOT NULL")
    with transaction(warehouse) as connection:
        assert connection.execute(gone).scalars().all() == ["Email"]
        assert "Email" in existing_columns(connection, table)
        assert "Email" not in table.columns
    make_contact(warehouse)
    with transaction(warehouse) as connection:
        assert connection.execute(gone).scalars().all() == []


def test_a_changed_type_freezes_the_object_and_says_what_to_do(warehouse: Engine) -> None:
    """A value is never cast silently."""
    make_contact(warehouse)
    says = r"Visits__c \(integer here, text in the org now\).*reads the field for every record"
    with pytest.raises(SchemaFrozen, match=says):
        make_contact(warehouse, contact_describe(Visits__c="string"))


def test_a_changed_type_of_the_same_kind_is_no_change(warehouse: Engine) -> None:
    """A text that becomes a picklist is text still."""
    make_contact(warehouse)
    make_contact(warehouse, contact_describe(LastName="picklist"))


def test_an_object_without_a_time_stamp_is_read_whole_and_one_that_cannot_be_queried_is_refused() -> None:
    """Nothing tells what is new in the first; nothing can be read of the second."""
    describe = Describe(object="Odd", label="Odd", key_prefix=None, fields=(Field(name="Id", label="Id", type="id"),))
    assert table_of("main", "salesforce_main", describe).cursor_field == ""
    with pytest.raises(DefinitionError, match="Odd cannot be queried"):
        table_of("main", "salesforce_main", replace(describe, queryable=False))


def test_a_stamp_that_cannot_be_filtered_by_is_no_cursor() -> None:
    """The next one in line is."""
    fields = (
        Field(name="Id", label="Id", type="id"),
        Field(name="SystemModstamp", label="Stamp", type="datetime", filterable=False),
        Field(name="CreatedDate", label="Created", type="datetime"),
    )
    describe = Describe(object="Odd", label="Odd", key_prefix=None, fields=fields)
    assert table_of("main", "salesforce_main", describe).cursor_field == "CreatedDate"
