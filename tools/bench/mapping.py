"""Figures of what a push does before it sends: mapping on one core, and a selection in which nothing changed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from statistics import median
from typing import Any

from sqlalchemy import Engine, text

from headwater.runs import spare_collections
from include.activation.fingerprint import mapping_seed
from include.activation.mapping import compile_mapping
from include.activation.options import PushMode, PushRunOptions
from include.activation.prepare import Candidate, Row, prepare_row
from include.activation.rows import source_of
from include.activation.select import select_push
from include.config.pushes import PushDefinition
from include.destinations.insider_one.destination import InsiderOne
from include.records import AirflowRun, Describe, Field
from include.warehouse.describes import keep_describe
from include.warehouse.engine import open_warehouse, transaction
from include.warehouse.migrate import migrate
from include.warehouse.tables import apply_describe, table_of
from tools.bench.bench import Bench
from tools.bench.figures import Figure, Goal, against, skipped
from tools.bench.server import fresh_database

_NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
_PER_SECOND = 25_000
_PEOPLE = 20_000
_TYPES = {"Email": "email", "MobilePhone": "phone", "Birthdate": "date", "HasOptedOutOfEmail": "boolean"}
_NAMES = ("FirstName", "LastName", "Email", "MobilePhone", "Birthdate", "MailingCity", "Title", "HasOptedOutOfEmail")
_PUSH = PushDefinition.model_validate(
    {
        "push": "bench",
        "org": "bench",
        "source": {"object": "Contact"},
        "destination": {"platform": "insider_one", "connection": "bench"},
        "schedule": "0 * * * *",
        "identifiers": {"email": "Email", "phone_number": "MobilePhone", "uuid": "Id"},
        "attributes": {"name": "FirstName", "surname": "LastName", "birthday": "Birthdate", "city": "MailingCity"},
        "custom_attributes": {"title": "Title", "opted_out": "HasOptedOutOfEmail"},
        "custom_fixed": {"source": "salesforce"},
        "phone": {"default_country": "US"},
        "event": {"name": "contact_updated", "custom_params": {"title": "Title"}},
    }
)


def measure_mapping(bench: Bench) -> Iterator[Figure]:
    """Yield the figures of mapping, and of a selection in which nothing changed."""
    people = [_person(number) for number in range(_PEOPLE)]
    spare_collections()  # as the task that delivers does
    ours = _fastest(bench, lambda: _map(people))
    yield against(
        "activation.map", _PEOPLE / ours, "profiles/s", _PER_SECOND, Goal(at_least=1.0),
        note="mapping, fingerprint, check and serialisation on one core, processor time, phones warm",
    )  # fmt: skip
    yield _against_pandas(bench, people, ours)
    with fresh_database(bench.server, "bench_select") as warehouse:
        engine = open_warehouse(warehouse)
        _fill(engine, bench.rows)
        seconds = [_select(engine) for _ in range(bench.repeats)]
        yield against(
            "activation.select_unchanged", median(seconds), "s", 3.0 * bench.rows / 1_000_000, Goal(at_most=1.0),
            note=f"nothing changed among {bench.rows:,} records; limit: 3 s for a million",
        )  # fmt: skip
        engine.dispose()


def _map(people: Sequence[Mapping[str, Any]]) -> int:
    """Do with rows what a delivery does before it sends; return how many requests they become."""
    mapper = compile_mapping(_PUSH)
    platform = InsiderOne(base_url="http://127.0.0.1:1", partner="bench", token="bench")
    requests = 0
    for begin in range(0, len(people), 1000):
        found = [
            prepare_row(mapper, platform, _row(each), run="bench", repeat=False, now=_NOW)
            for each in people[begin : begin + 1000]
        ]
        profiles = [each.profile for each in found if isinstance(each, Candidate)]
        requests += sum(1 for _ in platform.build(profiles, skip_hook=False))
    return requests


def _against_pandas(bench: Bench, people: Sequence[Mapping[str, Any]], ours: float) -> Figure:
    """Measure the script that one would write: a frame, `apply` row by row, phonenumbers."""
    try:
        import pandas
        import phonenumbers
    except ImportError as error:
        return skipped("activation.map_against_pandas", str(error))
    frame = pandas.DataFrame(people)

    def user(row: Any) -> dict[str, Any]:
        number = phonenumbers.parse(row["MobilePhone"], "US")
        valid = phonenumbers.is_valid_number(number)
        phone = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if valid else None
        custom = {"title": row["Title"], "opted_out": bool(row["HasOptedOutOfEmail"]), "source": "salesforce"}
        return {
            "identifiers": {"email": row["Email"].strip(), "phone_number": phone, "uuid": row["Id"]},
            "attributes": {
                "name": row["FirstName"],
                "surname": row["LastName"],
                "birthday": f"{row['Birthdate']}T00:00:00Z",
                "city": row["MailingCity"],
                "custom": custom,
            },
            "events": [
                {
                    "event_name": "contact_updated",
                    "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "event_params": {"custom": {"title": row["Title"]}},
                }
            ],
        }

    def bodies() -> int:
        users = frame.apply(user, axis=1).to_list()
        return sum(len(json.dumps({"users": users[begin : begin + 1000]})) for begin in range(0, len(users), 1000))

    theirs = _fastest(bench, bodies)
    return against(
        "activation.map_against_pandas", theirs / ours, "times", 3.0, Goal(at_least=1.0),
        note="times faster than pandas apply, phonenumbers and json, which check nothing and compare nothing",
    )  # fmt: skip


def _fastest(bench: Bench, work: Callable[[], object]) -> float:
    """Return the least processor seconds of some tries, after one that warms up."""
    work()
    found = []
    for _ in range(max(bench.repeats, 1)):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def _person(number: int) -> dict[str, Any]:
    return {
        "Id": f"003{number:012d}AAA",
        "FirstName": "Ada",
        "LastName": f"Nr {number}",
        "Email": f"person{number}@example.com",
        "MobilePhone": f"(415) 555-{number % 10_000:04d}",
        "Birthdate": date(1990, 1, 1 + number % 28),
        "MailingCity": "Zürich",
        "Title": "Head of Sales" if number % 3 else None,
        "HasOptedOutOfEmail": number % 7 == 0,
    }


def _row(values: Mapping[str, Any]) -> Row:
    return Row(
        ordinal=1, record_id=values["Id"], exists=True, stamp=_NOW, row_hash=1, sent_fingerprint=None, values=values
    )


def _fill(engine: Engine, rows: int) -> None:
    """Fill a warehouse with contacts that were all delivered as they are."""
    migrate(engine)
    kinds = {"Id": "id", **{name: _TYPES.get(name, "string") for name in _NAMES}}
    stamps = {"CreatedDate": "datetime", "SystemModstamp": "datetime"}
    fields = tuple(Field(name=name, label=name, type=kind) for name, kind in {**kinds, **stamps}.items())
    describe = Describe(object="Contact", label="Contact", key_prefix="003", fields=fields)
    with transaction(engine) as connection:
        table = table_of("bench", "salesforce_bench", describe)
        apply_describe(connection, table)
        keep_describe(connection, "bench", describe)
        connection.execute(text("UPDATE headwater.object SET first_loaded_at = now()"))
        connection.execute(
            text(
                f"INSERT INTO {table.name} SELECT '003' || lpad(n::text, 12, '0') || 'AAA', 'Ada', 'Nr ' || n,"
                " 'person' || n || '@example.com', '+1415555' || lpad((n % 10000)::text, 4, '0'), '1990-01-02',"
                " 'Zürich', 'Head of Sales', false, now(), now() FROM generate_series(1, :rows) AS n"
            ),
            {"rows": rows},
        )
        query = source_of(connection, _PUSH)
        connection.execute(
            text(
                "INSERT INTO headwater.sent (push, record_id, row_hash, fingerprint, outcome, run_id)"
                f" SELECT 'bench', {query.key}, {query.row_hash}, decode('00', 'hex'), 'delivered', 1"
                f" FROM {query.table}"
            ),
            {"seed": mapping_seed(_PUSH)},
        )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


def _select(engine: Engine) -> float:
    began = time.perf_counter()
    found = select_push(engine, _PUSH, mode=PushMode.CHANGED, run=AirflowRun(), options=PushRunOptions())
    if found.to_send:
        raise RuntimeError(f"{found.to_send:,} records would be sent of a source in which nothing changed")
    return time.perf_counter() - began
