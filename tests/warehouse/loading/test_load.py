from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import Connection, Engine, text

from include.errors import ConnectionLost, FatalError, ServerFault, WarehouseDown
from include.records import RowCounts
from include.warehouse.engine import transaction
from include.warehouse.loading.load import finish_straight, load_rows
from include.warehouse.loading.stream import csv_source, records_csv
from include.warehouse.tables import Table
from tests.warehouse.conftest import contact_describe, make_contact, new_run, rows_of

STAMP = "2026-11-20T10:00:00.000Z"
LATER = "2026-11-20T11:00:00.000Z"


def record(number: int, **values: object) -> dict[str, object]:
    """Return a contact as REST gives it."""
    return {
        "Id": f"003{number:015d}",
        "LastName": f"Name {number}",
        "IsDeleted": False,
        "SystemModstamp": STAMP,
    } | values


def load(engine: Engine, table: Table, *records: dict[str, object], straight: bool = False) -> RowCounts:
    return load_csv(engine, table, records_csv(records, list(table.columns)), straight=straight)


def load_csv(engine: Engine, table: Table, content: bytes, *, straight: bool = False) -> RowCounts:
    run_id = new_run(engine)
    with transaction(engine) as connection:
        counts = load_rows(connection, table, csv_source(content), run_id=run_id, straight=straight)
        if straight:
            finish_straight(connection, table)
        return counts


def rejects(engine: Engine) -> list[tuple[object, ...]]:
    with transaction(engine) as connection:
        query = "SELECT record_id, column_name, cause, settled_at IS NULL FROM headwater.reject ORDER BY reject_id"
        return [tuple(row) for row in connection.execute(text(query))]


def test_a_first_load_goes_straight_into_the_table(any_warehouse: Engine, contact: Table) -> None:
    """Every row of a first load is inserted, with the run that brought it and the time."""
    counts = load(any_warehouse, contact, record(1), record(2, IsDeleted=True), straight=True)
    assert counts == RowCounts(read=2, inserted=2)
    rows = rows_of(any_warehouse, "_run_id IS NOT NULL, _loaded_at IS NOT NULL, _deleted_at IS NOT NULL")
    assert rows == [(True, True, False), (True, True, True)]


def test_a_straight_load_that_meets_a_known_row_becomes_a_merge(any_warehouse: Engine, contact: Table) -> None:
    """A page that an abandoned load left behind makes the next one a merge, not an error."""
    load(any_warehouse, contact, record(1), straight=True)
    counts = load(any_warehouse, contact, record(1), record(2), straight=True)
    assert counts == RowCounts(read=2, inserted=1, unchanged=1)


def test_a_second_load_counts_what_is_new_changed_and_the_same(any_warehouse: Engine, contact: Table) -> None:
    """A merge tells inserted, updated and unchanged rows apart by every column."""
    load(any_warehouse, contact, record(1), record(2))
    counts = load(any_warehouse, contact, record(1), record(2, LastName="New", SystemModstamp=LATER), record(3))
    assert counts == RowCounts(read=3, inserted=1, updated=1, unchanged=1)
    assert [row[1] for row in rows_of(any_warehouse)] == ["Name 1", "New", "Name 3"]


def test_loading_the_same_rows_twice_changes_nothing(any_warehouse: Engine, contact: Table) -> None:
    """An unchanged row keeps its time and its run."""
    load(any_warehouse, contact, record(1), record(2))
    before = rows_of(any_warehouse, "*")
    assert load(any_warehouse, contact, record(1), record(2)).changed == 0
    assert rows_of(any_warehouse, "*") == before


def test_an_older_row_never_replaces_a_newer_one(any_warehouse: Engine, contact: Table) -> None:
    """What was read late, but changed early, is left out."""
    load(any_warehouse, contact, record(1, LastName="New", SystemModstamp=LATER))
    counts = load(any_warehouse, contact, record(1, LastName="Old"))
    assert counts == RowCounts(read=1, unchanged=1)
    assert rows_of(any_warehouse)[0][1] == "New"


def test_the_newest_of_twins_in_one_batch_wins(any_warehouse: Engine, contact: Table) -> None:
    """A record that appears twice in one result is loaded once, as it was last."""
    twins = (record(1, LastName="New", SystemModstamp=LATER), record(1, LastName="Old"), record(1, LastName="Older"))
    assert load(any_warehouse, contact, *twins) == RowCounts(read=3, inserted=1, unchanged=2)
    assert rows_of(any_warehouse) == [("003000000000000001", "New")]


def test_a_deleted_record_is_marked_and_unmarked_when_it_comes_back(any_warehouse: Engine, contact: Table) -> None:
    """`_deleted_at` is the moment we learnt of the deletion; it stays while the record stays deleted."""
    load(any_warehouse, contact, record(1))
    assert load(any_warehouse, contact, record(1, IsDeleted=True, SystemModstamp=LATER)).deleted == 1
    [(learnt,)] = rows_of(any_warehouse, "_deleted_at")
    assert learnt is not None
    load(any_warehouse, contact, record(1, IsDeleted=True, LastName="Purged", SystemModstamp=LATER))
    assert rows_of(any_warehouse, "_deleted_at") == [(learnt,)]
    load(any_warehouse, contact, record(1, SystemModstamp="2026-11-20T12:00:00.000Z"))
    assert rows_of(any_warehouse, "_deleted_at") == [(None,)]


def test_text_arrives_exactly(any_warehouse: Engine, contact: Table) -> None:
    """Words that look like nulls, quotes, newlines, markers of COPY and other scripts stay as they are."""
    names = [
        "NA",
        "None",
        "null",
        "NULL",
        "\\N",
        'say "hi", ok',
        "two\nlines",
        "cr\r\nlf",
        "a\n\\.\nb",
        "\\.",
        "ØÅ 漢字 🙂",
        " x ",
    ]
    load(any_warehouse, contact, *(record(number, LastName=name) for number, name in enumerate(names)))
    assert [row[1] for row in rows_of(any_warehouse)] == names


def test_an_empty_text_is_null_by_rest_as_by_bulk(any_warehouse: Engine, contact: Table) -> None:
    """The org stores no empty text and Bulk cannot tell it from null, so both ways give null."""
    load(any_warehouse, contact, record(1, LastName=""), record(2, LastName=None))
    assert [row[1] for row in rows_of(any_warehouse)] == [None, None]


def test_numbers_arrive_exactly(any_warehouse: Engine, contact: Table) -> None:
    """No number passes through binary floating point on its way."""
    load(
        any_warehouse,
        contact,
        record(1, Amount__c=Decimal("0.1"), Serial__c=123456789012345678),
        record(2, Amount__c=Decimal("9.5E8")),
        record(3, Amount__c=Decimal("123456789012345678.12")),
    )
    rows = rows_of(any_warehouse, '"Amount__c", "Serial__c"')
    assert rows == [
        (Decimal("0.1"), 123456789012345678),
        (Decimal("9.5E8"), None),
        (Decimal("123456789012345678.12"), None),
    ]


def test_times_and_dates_arrive_in_both_spellings(any_warehouse: Engine, contact: Table) -> None:
    """REST writes +0000 where Bulk writes Z; both are the same moment."""
    load(
        any_warehouse,
        contact,
        record(1, SystemModstamp="2026-11-20T10:00:00.000+0000", Birthdate="1980-02-29", Opens__c="10:30:00.000Z"),
    )
    assert load(any_warehouse, contact, record(1, Birthdate="1980-02-29", Opens__c="10:30:00.000Z")).unchanged == 1
    assert rows_of(any_warehouse, '"SystemModstamp"') == [(datetime(2026, 11, 20, 10, tzinfo=UTC),)]


def test_nul_bytes_are_removed_and_counted(any_warehouse: Engine, contact: Table) -> None:
    """PostgreSQL cannot hold U+0000."""
    counts = load(any_warehouse, contact, record(1, LastName="a\0b\0"))
    assert counts == RowCounts(read=1, inserted=1, nul_removed=2)
    assert rows_of(any_warehouse)[0][1] == "ab"


@pytest.mark.parametrize("straight", [True, False])
def test_a_row_that_does_not_fit_is_kept_as_reject_and_the_rest_is_loaded(
    any_warehouse: Engine, contact: Table, straight: bool
) -> None:
    """One bad value costs its row, and the cause names the column and never the value."""
    bad = (
        record(2, Visits__c="soon"),
        record(3, Birthdate="2026-02-31"),
        record(4, Visits__c=99999999999),
        record(5, Opens__c="late"),
    )
    counts = load(any_warehouse, contact, record(1), *bad, record(6, LastName="x\0"), straight=straight)
    assert counts == RowCounts(read=6, inserted=2, rejected=4, nul_removed=1)
    assert [row[0] for row in rows_of(any_warehouse)] == ["003000000000000001", "003000000000000006"]
    assert rejects(any_warehouse) == [
        ("003000000000000002", "Visits__c", "22P02 invalid text representation", True),
        ("003000000000000003", "Birthdate", "22008 datetime field overflow", True),
        ("003000000000000004", "Visits__c", "22003 numeric value out of range", True),
        ("003000000000000005", "Opens__c", "22007 invalid datetime format", True),
    ]


def test_a_reject_keeps_the_row_as_it_came(any_warehouse: Engine, contact: Table) -> None:
    """Nothing of a rejected row is lost."""
    load(any_warehouse, contact, record(2, Visits__c="soon", LastName="O'Neil"))
    with transaction(any_warehouse) as connection:
        source = connection.execute(text("SELECT source FROM headwater.reject")).scalar_one()
    assert (source["Visits__c"], source["LastName"], source["IsDeleted"]) == ("soon", "O'Neil", "false")


def test_a_later_load_that_takes_the_record_settles_its_reject(any_warehouse: Engine, contact: Table) -> None:
    """A reject is open until the record is in; rejected again, it is open once."""
    load(any_warehouse, contact, record(2, Visits__c="soon"))
    load(any_warehouse, contact, record(2, Visits__c="later", SystemModstamp=LATER))
    assert [row[3] for row in rejects(any_warehouse)] == [True]
    load(any_warehouse, contact, record(2, Visits__c=3, SystemModstamp=LATER))
    assert [row[3] for row in rejects(any_warehouse)] == [False]


def test_a_first_load_settles_rejects_too(any_warehouse: Engine, contact: Table) -> None:
    """A straight load knows no staging table, and settles all the same."""
    load(any_warehouse, contact, record(2, Visits__c="soon"), straight=True)
    load(any_warehouse, contact, record(2, Visits__c=3), straight=True)
    assert [row[3] for row in rejects(any_warehouse)] == [False]


def test_a_row_without_an_id_is_rejected(any_warehouse: Engine, contact: Table) -> None:
    """Without its Id a record cannot be found again."""
    assert load(any_warehouse, contact, record(1), record(2, Id=None)).rejected == 1
    assert rejects(any_warehouse)[0][:3] == ("", "Id", "23502 not null violation")


def test_bytes_that_are_no_text_cost_their_row_only(any_warehouse: Engine, contact: Table) -> None:
    """Broken UTF-8 and lone surrogates make a reject."""
    content = records_csv([record(1), record(2, LastName="\ud83d"), record(3, LastName="B?d")], list(contact.columns))
    counts = load_csv(any_warehouse, contact, content.replace(b"B?d", b"B\xffd"))
    assert (counts.inserted, counts.rejected) == (1, 2)
    assert {row[2] for row in rejects(any_warehouse)} == {"22021 character not in repertoire"}


def test_csv_that_breaks_off_loads_nothing(any_warehouse: Engine, contact: Table) -> None:
    """A row with too few fields means a broken answer: another try asks again, and no message quotes the row."""
    content = records_csv([record(1)], list(contact.columns)) + b'"003000000000000002","true","Secret"\n'
    with pytest.raises(ServerFault) as caught:
        load_csv(any_warehouse, contact, content)
    assert "Secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert rows_of(any_warehouse) == []


def test_columns_that_were_not_asked_for_are_refused(any_warehouse: Engine, contact: Table) -> None:
    """A header tells which columns come; an unknown one is the org's fault."""
    with pytest.raises(ServerFault, match="Nickname__c"):
        load_csv(any_warehouse, contact, b'"Id","Nickname__c"\n"003000000000000002","x"\n')


def test_an_empty_result_loads_nothing(any_warehouse: Engine, contact: Table) -> None:
    """A header without rows, or not even that."""
    assert load(any_warehouse, contact) == RowCounts()
    assert load_csv(any_warehouse, contact, b"") == RowCounts()


def test_an_answer_that_breaks_off_leaves_the_warehouse_as_it_was(any_warehouse: Engine, contact: Table) -> None:
    """What the source raises is what the caller sees, and the transaction holds nothing."""

    @contextmanager
    def broken() -> Iterator[Iterable[bytes]]:
        def chunks() -> Iterator[bytes]:
            yield records_csv([record(1)], list(contact.columns))
            raise ConnectionLost("the answer broke off")

        yield chunks()

    run_id = new_run(any_warehouse)
    with pytest.raises(ConnectionLost, match="broke off"), transaction(any_warehouse) as connection:
        load_rows(connection, contact, broken, run_id=run_id)
    assert rows_of(any_warehouse) == []


def test_a_byte_order_mark_and_small_chunks_do_no_harm(any_warehouse: Engine, contact: Table) -> None:
    """The header may arrive in pieces."""
    content = b"\xef\xbb\xbf" + records_csv([record(1)], list(contact.columns))

    @contextmanager
    def dripping() -> Iterator[Iterable[bytes]]:
        yield (content[at : at + 3] for at in range(0, len(content), 3))

    run_id = new_run(any_warehouse)
    with transaction(any_warehouse) as connection:
        assert load_rows(connection, contact, dripping, run_id=run_id).inserted == 1


@pytest.mark.parametrize("straight", [True, False])
def test_a_warehouse_that_goes_away_is_an_error_of_ours(any_warehouse: Engine, contact: Table, straight: bool) -> None:
    """The server is stopped in the middle of a COPY: the same load may work later."""
    run_id = new_run(any_warehouse)
    backend = 0

    @contextmanager
    def stopped() -> Iterator[Iterable[bytes]]:
        def chunks() -> Iterator[bytes]:
            yield records_csv([record(1)], list(contact.columns))
            with transaction(any_warehouse) as other:
                other.execute(text("SELECT pg_terminate_backend(:backend, 5000)"), {"backend": backend})
            yield from (records_csv([record(n)], list(contact.columns), header=False) for n in range(2, 9999))

        yield chunks()

    def load_and_stop() -> None:
        nonlocal backend
        with transaction(any_warehouse) as connection:
            backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            load_rows(connection, contact, stopped, run_id=run_id, straight=straight)

    with pytest.raises(WarehouseDown):
        load_and_stop()
    assert rows_of(any_warehouse) == []


def test_a_warehouse_that_goes_away_between_statements_is_one_too(any_warehouse: Engine) -> None:
    """Whatever the transaction was doing."""

    def lose(connection: Connection) -> None:
        backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with transaction(any_warehouse) as other:
            other.execute(text("SELECT pg_terminate_backend(:backend, 5000)"), {"backend": backend})
        connection.execute(text("SELECT 1"))

    with pytest.raises(WarehouseDown), transaction(any_warehouse) as connection:
        lose(connection)


@pytest.mark.parametrize("straight", [True, False])
def test_a_record_that_no_row_can_hold_fails_for_good_and_says_what_to_do(warehouse: Engine, straight: bool) -> None:
    """800 short texts: no retry makes them fit."""
    names = [f"Field_{number}__c" for number in range(800)]
    table = make_contact(warehouse, contact_describe(**dict.fromkeys(names, "string")))
    with pytest.raises(FatalError, match="fills more of its 811 columns"):
        load(warehouse, table, record(1, **dict.fromkeys(names, "thirty letters in each of them")), straight=straight)
    assert load(warehouse, table, record(1, Field_799__c="alone"), straight=straight).inserted == 1
