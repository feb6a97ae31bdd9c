"""Values of every type arrive as the org holds them, by REST and by Bulk: drawn at random, and the awkward ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from include.config.orgs import OrgDefinition
from include.extract.probe import probe_objects
from include.extract.run import extract_object
from include.ports import FreeMeter
from include.records import AirflowRun, RunMode
from include.salesforce.auth import Credentials
from include.salesforce.query import read_page
from include.salesforce.refusals import Attempt
from include.salesforce.rest import Call, Rest, utc_now
from include.salesforce.transport import Reply, Transport
from include.warehouse.loading.stream import records_csv
from tests.extract.test_extract_from_sandbox_org import Bench, bench, org_url

__all__ = ["bench", "org_url"]  # fixtures

ODD = ("NA", "None", "null", "NULL", "NaN", "", "#N/A", "\\N", "\\.", 'a\n\\.\nb "c"', "a\r\nb", "ends\n", ",", '"',
       "0012", "1e5", "true", "😀👩‍👩‍👧", "e\u0301", "\u00a0", "\u2028", "مرحبا", "123456789012345678",
       "=1+1", "'; DROP TABLE x --", "%s %(x)s {y}", "\ufeffbom", "tab\there")  # fmt: skip
LETTERS = st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]) | st.sampled_from('\n\t",;\\')


def words(most: int) -> st.SearchStrategy[str | None]:
    """Return texts of at most so many characters."""
    return st.none() | st.sampled_from(ODD) | st.text(LETTERS, max_size=most)


def numbers(digits: int, scale: int) -> st.SearchStrategy[Decimal | None]:
    """Return numbers of so many digits, as doubles hold them."""
    whole = st.integers(-(10 ** min(digits, 15)) + 1, 10 ** min(digits, 15) - 1)
    return st.none() | whole.map(lambda number: Decimal(number).scaleb(-scale))


EDGES = ("1700-01-01T00:00:00", "1969-12-31T23:59:59", "2026-03-29T01:00:00", "2024-02-29T23:59:59",
         "3999-12-31T23:59:59")  # fmt: skip
SECONDS = st.integers(0, 4_102_444_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
MOMENTS = st.none() | st.sampled_from([datetime.fromisoformat(f"{each}+00:00") for each in EDGES]) | SECONDS
DAYS = (
    st.none() | st.sampled_from([date(1700, 1, 1), date(1999, 12, 31)]) | st.dates(date(1900, 1, 1), date(3999, 12, 31))
)
TIMES = st.none() | st.integers(0, 86_399_999).map(
    lambda at: time(at // 3_600_000, at // 60_000 % 60, at // 1000 % 60, at % 1000 * 1000)
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "Text__c": words(80),
    "Text_Area__c": words(80),
    "Long_Text__c": words(300) | st.just("x" * 131_072),
    "Open_Choice__c": st.sampled_from(["Red", "N/A", "No longer offered"]),
    "Several__c": st.none() | st.lists(st.sampled_from(["One", "Two", "Three"]), min_size=1, unique=True).map(";".join),
    "Flag__c": st.booleans(),
    "Whole__c": numbers(15, 0),
    "Fraction__c": numbers(15, 15),
    "Money__c": numbers(15, 2),
    "Share__c": numbers(12, 4),
    "Date__c": DAYS,
    "Moment__c": MOMENTS,
    "Time__c": TIMES,
    "Place__Latitude__s": numbers(9, 7).map(lambda number: None if number is None else max(min(number, 90), -90)),
    "Address__Street__s": words(60),
    "Address__City__s": words(30),
}
RECORDS = st.lists(st.fixed_dictionaries(FIELDS), min_size=60, max_size=60)


def sent(value: Any) -> Any:
    """Return a value as JSON carries it to the org."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.000Z").rjust(24, "0")
    if isinstance(value, time):
        return value.isoformat(timespec="milliseconds") + "Z"
    return value.isoformat() if isinstance(value, date) else value


def held(value: Any) -> Any:
    """Return a value as the platform keeps it: texts without blanks around them, empty ones as null."""
    return (value.strip() or None) if isinstance(value, str) else value


def read(bench: Bench, bulk_above_rows: int) -> None:
    """Extract Everything__c into a warehouse schema of this way's own."""
    name = "bulk" if bulk_above_rows == 0 else "rest"
    org = OrgDefinition(org=name, connection="x", objects=("Everything__c",), bulk_above_rows=bulk_above_rows)
    here = replace(bench, org=org)
    run = AirflowRun(dag_id="main_extract", dag_run_id=f"{name} {here.newest_run()}", task_id="t", try_number=1)
    with here.client() as client:
        given = {"mode": RunMode.CHANGES, "run": run}
        probe_objects(here.warehouse, client, org, org.objects, **given)  # type: ignore[arg-type]
        found = extract_object(here.warehouse, client, org, "Everything__c", **given, wait_for_lock=True)  # type: ignore[arg-type]
    assert found.counts.rejected == 0
    assert found.plan.value == name


def arrived(bench: Bench, schema: str, keys: list[str]) -> list[dict[str, Any]]:
    """Return the records of these Ids as the warehouse has them, in the order of the Ids."""
    names = ", ".join(f'"{name}"' for name in FIELDS)
    rows = bench.rows(f'SELECT "Id", {names} FROM salesforce_{schema}."Everything__c"')
    by_key = {key: dict(zip(FIELDS, values, strict=True)) for key, *values in rows}
    return [by_key[key] for key in keys]


def test_values_of_every_type_survive_by_both_ways(bench: Bench) -> None:
    """Whatever was written is read, unchanged; what the platform itself changes is named in `held`."""

    @settings(
        max_examples=3, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(RECORDS)
    def holds(records: list[dict[str, Any]]) -> None:
        written = [{"Name": "x"} | {name: sent(value) for name, value in record.items()} for record in records]
        keys = bench.control("create", object="Everything__c", records=written)["ids"]
        expected = [{name: held(value) for name, value in record.items()} for record in records]
        for schema, bulk_above_rows in (("rest", 10**9), ("bulk", 0)):
            read(bench, bulk_above_rows)
            for wanted, found in zip(expected, arrived(bench, schema, keys), strict=True):
                for name, value in wanted.items():
                    assert (name, comparable(found[name])) == (name, comparable(value))

    holds()


def comparable(value: Any) -> Any:
    """Return a number as the double that the org holds."""
    return float(value) if isinstance(value, Decimal | int) and not isinstance(value, bool) else value


@pytest.mark.parametrize("text", ["123456789012345678.0", "0.12345678901234567", "9999999999999999.99", "1.0E-17"])
def test_a_number_passes_through_json_digit_by_digit(text: str) -> None:
    """The nearest binary fraction would be another number."""
    rest = Rest(
        Credentials(kind="session", access_token="x", instance_url="http://127.0.0.1"),
        transport=Transport(),
        api_version="63.0",
        meter=FreeMeter(),
        tokens=None,
        compress=None,
        clock=utc_now,
    )
    body = f'{{"totalSize":1,"done":true,"records":[{{"Number__c":{text}}}]}}'.encode()
    call = Call(path="/", doing="query Odd__c", purpose="test", exact=True)
    page = read_page(
        rest.parsed(call, Reply(status=200, headers={}, body=body)), Attempt(doing=call.doing, host="127.0.0.1")
    )
    assert Decimal(records_csv(page.records, ["Number__c"]).decode().splitlines()[1]) == Decimal(text)
