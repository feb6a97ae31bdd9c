"""Who somebody is stands on no page, in no file and in no answer for those who may not see people, until it is decided.

Every route is asked, and every page that links lead to: a new page is looked at without a line here.
"""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import Engine, text

from headwater import hooks
from include.warehouse.duplicates.ledger import FoundPair, store_pairs
from include.warehouse.engine import transaction
from include.warehouse.personal.fields import decide_fields
from tests.ui.crawling import BASE, KNOWN, crawl, every_route, filled

ID = "003D000000QV9nlIAD"
TWIN = "003000000000001AAA"
SAME = {"sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}
# A value of its own in every field that holds something of a person: (type in Salesforce, column, value, how it reads).
CANARIES = {
    "LastName": ("string", "text", "Zwitscherlast", "zwitscherlast"),
    "FirstName": ("string", "text", "Zwitscherfirst", "zwitscherfirst"),
    "Email": ("email", "text", "zwitscher@vogel.example", "zwitscher@vogel"),
    "Phone": ("phone", "text", "+49 30 5550198276", "5550198276"),
    "MailingCity": ("string", "text", "Zwitscherstadt", "zwitscherstadt"),
    "Title": ("string", "text", "Zwitscherin", "zwitscherin"),
    "Description": ("textarea", "text", "she said zwitscherlied", "zwitscherlied"),
    "Level__c": ("picklist", "text", "Zwitscherstufe", "zwitscherstufe"),
    "AccountId": ("reference", "text", "001D000000ZwitsIAC", "zwitsiac"),
    "Birthdate": ("date", "date", "1907-03-04", "1907-03-04"),
    "Last_Visit__c": ("datetime", "timestamptz", "1911-10-09T12:00:00Z", "1911-10-09"),
    "Score__c": ("double", "numeric", "9081726354.5", "9081726354"),
}
CHECK = (
    "checks:\n  - check: email_missing\n    title: Contacts without e-mail\n    why: They get no mail\n"
    "    category: Incomplete\n    severity: error\n    object: Contact\n    bad_when: '{bad}'\n"
)
PUSH = """
push: contacts
org: demo
source: {object: Contact}
destination: {platform: insider_one, connection: insider_one_test}
schedule: "0 * * * *"
identifiers: {uuid: Id, email: Email, phone_number: Phone}
attributes: {name: FirstName, surname: LastName, birthday: {field: Birthdate, transform: datetime}, city: MailingCity}
custom_attributes: {title: Title, notes: Description, level: Level__c, score: Score__c, account: AccountId,
  visit: {field: Last_Visit__c, transform: datetime}}
event: {name: seen, custom_params: {title: Title, town: MailingCity}}
"""


def _definitions(folder: Path) -> None:
    for kind in ("orgs", "pushes", "checks"):
        (folder / kind).mkdir()
    (folder / "orgs" / "demo.yaml").write_text("org: demo\nconnection: c\nobjects: [Contact]\n")
    (folder / "pushes" / "contacts.yaml").write_text(PUSH)
    bad = " OR ".join(f"{{row.{name}}} IS NULL" for name in CANARIES)
    (folder / "checks" / "mail.yaml").write_text(CHECK.replace("{bad}", bad))


@pytest.fixture
def planted(warehouse: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Callable[[str], None]) -> Engine:
    """Yield a warehouse in which two records, and what we keep beside records, hold a canary in every field."""
    folder = tmp_path / "definitions"
    folder.mkdir()
    _definitions(folder)
    monkeypatch.setenv("HEADWATER_DEFINITIONS", str(folder))
    monkeypatch.setenv("AIRFLOW_CONN_INSIDER_ONE_TEST", '{"conn_type": "insider_one", "host": "http://127.0.0.1:1",'
                       ' "login": "partner", "password": "token"}')  # fmt: skip
    url = warehouse.url.set(drivername="postgres").render_as_string(hide_password=False)
    monkeypatch.setenv("AIRFLOW_CONN_HEADWATER_WAREHOUSE", url)
    hooks.warehouse_engine.cache_clear()
    run("a_working_org.sql")
    run("a_record.sql")
    run("a_push.sql")
    everything = " ".join(value for _, _, value, _ in CANARIES.values())
    with transaction(warehouse) as connection:
        for place, (name, (kind, column, value, _)) in enumerate(CANARIES.items()):
            connection.execute(
                text(f'ALTER TABLE salesforce_demo."Contact" ADD COLUMN IF NOT EXISTS "{name}" {column}')
            )
            connection.execute(
                text(f'UPDATE salesforce_demo."Contact" SET "{name}" = CAST(:value AS {column})'), {"value": value}
            )
            connection.execute(
                text(
                    "INSERT INTO headwater.field (org, object, position, name, label, type)"
                    " VALUES ('demo', 'Contact', :place, :name, :name, :kind) ON CONFLICT DO NOTHING"
                ),
                {"place": 20 + place, "name": name, "kind": kind},
            )
        connection.execute(text('UPDATE salesforce_demo."Contact" SET _deleted_at = NULL, "MasterRecordId" = NULL'))
        connection.execute(text("UPDATE headwater.object SET first_loaded_at = now() WHERE object = 'Contact'"))
        connection.execute(
            text(
                "INSERT INTO headwater.reject (run_id, org, object, record_id, column_name, cause, source) VALUES"
                " (2, 'demo', 'Contact', :id, 'Score__c', '22003 out of range',"
                " jsonb_build_object('x', CAST(:all AS text)))"
            ),
            {"id": ID, "all": everything},
        )
        key = {"key": CANARIES["Email"][2]}  # of a model whose rows are known by an address
        connection.execute(
            text(
                "INSERT INTO headwater.outcome (run_id, record_id, outcome, cause) VALUES (60, :key, 'rejected', 'c')"
            ),
            key,
        )
        connection.execute(
            text(
                "INSERT INTO headwater.sync_error (error_id, org, push, platform, object, record_id, outcome, cause,"
                " first_run_id, last_run_id) OVERRIDING SYSTEM VALUE"
                " VALUES (900, 'demo', 'people', 'klaviyo', 'people', :key, 'rejected', 'c', 60, 60)"
            ),
            key,
        )
        connection.execute(text("INSERT INTO headwater.match_set (org, object) VALUES ('demo', 'Contact')"))
        store_pairs(
            connection, "demo", "Contact", "rules", [FoundPair(left_id=TWIN, right_id=ID, rule="phone", score=0.9)]
        )
        cluster = connection.execute(text("SELECT cluster_id FROM headwater.duplicate_cluster")).scalar_one()
    monkeypatch.setitem(KNOWN, "cluster_id", str(cluster))
    monkeypatch.setitem(KNOWN, "record_id", ID)
    monkeypatch.setitem(KNOWN, "error_id", "900")
    monkeypatch.setitem(KNOWN, "run_id", "60")
    monkeypatch.setitem(KNOWN, "push", "people")
    return warehouse


def _texts(answer: Any) -> str:
    """Return what can be read in an answer, files included, in small letters and without separators of thousands."""
    body = answer.content
    if body[:4] == b"PAR1":
        body = _parquet(body).encode()
    elif body[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(body)) as parts:
            sheets = " ".join(parts.read(name).decode() for name in parts.namelist())
            body = re.sub(r"<v>(\d{1,5}(?:\.\d+)?)</v>", _day, sheets).encode()
    headers = " ".join(f"{name}: {value}" for name, value in answer.headers.items())
    return re.sub(
        r"(?<=\d)[,\u202f\u00a0](?=\d)", "", unescape(f"{headers} {body.decode('utf-8', 'replace')}")
    ).casefold()


def _day(cell: re.Match[str]) -> str:
    """Return a number of a workbook as the day that it may mean."""
    return f"{cell[0]} {(date(1899, 12, 30) + timedelta(days=int(float(cell[1])))).isoformat()}"


def _parquet(body: bytes) -> str:
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        file.write(body)
        file.flush()
        return str(duckdb.connect().execute("SELECT COLUMNS(*)::VARCHAR FROM read_parquet(?)", [file.name]).fetchall())


def _seen(answer: Any) -> set[str]:
    """Return the fields whose canary an answer holds."""
    words = _texts(answer)
    return {name for name, (*_, reads) in CANARIES.items() if reads in words}


def _everything(client: Any) -> dict[str, set[str]]:
    """Return what every route and every page that links lead to show of the person, by path."""
    found: dict[str, set[str]] = {}
    for path, answer in crawl(client, f"{BASE}/overview?org=demo", f"{BASE}/record/{ID}?org=demo", most=80):
        found[path] = _seen(answer)
    for route in every_route():
        if "GET" not in route.methods:
            continue
        forms = ("csv", "parquet", "xlsx") if "{form}" in route.path else ("",)
        for form in forms:
            path = BASE + filled(route.path.replace("{form}", form or "{form}"))
            answer = client.get(f"{path}?org=demo")
            assert answer.status_code < 500, path
            found[path] = _seen(answer)
    return found


def _decide(warehouse: Engine, *fields: str, personal: bool) -> None:
    with transaction(warehouse) as connection:
        decide_fields(connection, "demo", "Contact", fields, personal=personal, by="admin")


def _preview(client: Any) -> set[str]:
    answer = client.post(f"{BASE}/pushes/preview?org=demo", content=f"push=contacts&records={ID}", headers=SAME)
    assert answer.status_code == 200
    assert '"attributes"' in unescape(answer.text), answer.text.partition("<main")[2]
    return _seen(answer)


@pytest.mark.slow
@pytest.mark.parametrize("role", ["viewer", "user"])
def test_nobody_is_named_to_those_who_may_not_see_people(
    open_pages: Callable[..., Any], planted: Engine, role: str, caplog: pytest.LogCaptureFixture
) -> None:
    """On no page, in no file, in no answer to a program, in no log: whatever route there is."""
    found = _everything(open_pages(lambda: planted, role))
    assert {path: names for path, names in found.items() if names} == {}
    assert len(found) > 40
    logged = caplog.text.casefold()
    assert [name for name, (*_, reads) in CANARIES.items() if reads in logged] == []


@pytest.mark.slow
def test_what_was_planted_is_there_for_those_who_may_see_people(
    open_pages: Callable[..., Any], planted: Engine
) -> None:
    """So the test above looks where people stand: record, twins, files and the answer to a program."""
    seen = _everything(open_pages(lambda: planted, "admin"))
    found = {path for path, names in seen.items() if names == set(CANARIES)}
    assert seen[f"{BASE}/errors"] == seen[f"{BASE}/errors/900"] == {"Email"}
    for place in (
        f"{BASE}/record/{ID}",
        f"{BASE}/duplicates/{KNOWN['cluster_id']}",
        f"{BASE}/api/v1/orgs/demo/records/{ID}",
        *(f"{BASE}/health/issue/email_missing/export/{form}" for form in ("csv", "parquet", "xlsx")),
    ):
        assert place in found


def test_a_decision_holds_from_the_next_request_on_everywhere(open_pages: Callable[..., Any], planted: Engine) -> None:
    """A field that is not personal is shown to everybody, and nothing but it; personal again, it vanishes."""
    viewer, user = open_pages(lambda: planted, "viewer"), open_pages(lambda: planted, "user")
    places = (
        f"{BASE}/record/{ID}?org=demo",
        f"{BASE}/duplicates/{KNOWN['cluster_id']}?org=demo",
        f"{BASE}/api/v1/orgs/demo/records/{ID}",
        *(f"{BASE}/health/issue/email_missing/export/{form}?org=demo" for form in ("csv", "parquet", "xlsx")),
    )

    def shown() -> list[set[str]]:
        return [*(_seen(viewer.get(place)) for place in places), _preview(user)]

    nothing = [set[str]() for _ in (*places, "preview")]
    assert shown() == nothing
    for chosen in ({"MailingCity"}, {"Title", "Level__c"}):
        _decide(planted, *chosen, personal=False)
        assert shown() == [chosen for _ in nothing]
        _decide(planted, *chosen, personal=True)
        assert shown() == nothing
