"""The pages of the pushes: what became of their last runs, and what one would send."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy import text as sql

from include.records import Describe, Field
from include.warehouse.describes import keep_describe
from include.warehouse.engine import transaction
from include.warehouse.tables import apply_describe, table_of

HERE = {"sec-fetch-site": "same-origin"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
PUSH = """
push: people
org: demo
source: {object: Person__c}
destination: {platform: insider_one, connection: insider_one_test}
schedule: "0 * * * *"
gone: delete
identifiers: {uuid: Id, email: Email__c}
attributes: {name: Name}
custom_fixed: {origin: crm}
"""
ID = "a01000000000001AAA"
EXECUTIONS = "/headwater/pushes/people/runs"


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).replace("\u202f", " ").split())


@pytest.fixture
def people(warehouse: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Callable[[str], None]) -> Engine:
    """A push of one person, defined and loaded."""
    run("a_working_org.sql")
    for kind in ("orgs", "pushes", "checks"):
        (tmp_path / kind).mkdir()
    (tmp_path / "orgs" / "demo.yaml").write_text("org: demo\nconnection: c\nobjects: [Person__c]\n")
    (tmp_path / "pushes" / "people.yaml").write_text(PUSH)
    monkeypatch.setenv("HEADWATER_DEFINITIONS", str(tmp_path))
    monkeypatch.setenv("AIRFLOW_CONN_INSIDER_ONE_TEST", '{"conn_type": "insider_one", "host": "http://127.0.0.1:1",'
                       ' "login": "partner", "password": "token"}')  # fmt: skip
    names = {"Id": "id", "Name": "string", "Email__c": "email", "CreatedDate": "datetime", "SystemModstamp": "datetime"}
    fields = tuple(Field(name=name, label=name, type=kind) for name, kind in names.items())
    describe = Describe(object="Person__c", label="Person", key_prefix="a01", fields=fields)
    with transaction(warehouse) as connection:
        apply_describe(connection, table_of("demo", "salesforce_demo", describe))
        keep_describe(connection, "demo", describe)
        connection.execute(sql("UPDATE headwater.object SET first_loaded_at = now() WHERE object = 'Person__c'"))
        connection.execute(
            sql("INSERT INTO salesforce_demo.\"Person__c\" VALUES (:id, 'Canary', 'canary@example.com', now(), now())"),
            {"id": ID},
        )
    from headwater import hooks

    monkeypatch.setenv("AIRFLOW_CONN_HEADWATER_WAREHOUSE", warehouse.url.render_as_string(hide_password=False).replace(
        "postgresql+psycopg://", "postgres://"))  # fmt: skip
    hooks.warehouse_engine.cache_clear()
    return warehouse


def post(client: Any, **form: str) -> Any:
    body = "&".join(f"{name}={value}" for name, value in {"push": "people", **form}.items())
    return client.post("/headwater/pushes/preview?org=demo", content=body, headers=HERE | FORM)


def test_the_list_shows_each_push_with_its_policies(open_pages: Any, people: Engine) -> None:
    """Searchable; what never ran says so."""
    client = open_pages(lambda: people, "user")

    text = words(client.get("/headwater/pushes?org=demo").text)

    assert "people object Person__c Insider One upsert; gone: delete It has not run yet. Preview" in text
    assert "No push matches" in words(client.get("/headwater/pushes?org=demo&q=nothing").text)


def test_the_last_run_stands_beside_its_push(open_pages: Any, people: Engine) -> None:
    """State, age and the outcomes, with a link to the run."""
    with transaction(people) as connection:
        run_id = connection.execute(
            sql(
                "INSERT INTO headwater.run (run_id, kind, org, subject, dag_run_id, state, message, ended_at)"
                " OVERRIDING SYSTEM VALUE VALUES (9001, 'push', 'demo', 'people', 'manual__1', 'degraded',"
                " 'some failed', now()) RETURNING run_id"
            )
        ).scalar_one()
        connection.execute(
            sql(
                "INSERT INTO headwater.push_run (run_id, org, push, object, platform, run_key, mode, skip_hook,"
                " fast_fail, batch_size, resend, max_failed_share, selected, unchanged, delivered, rejected)"
                " VALUES (:id, 'demo', 'people', 'Person__c', 'insider_one', 'k', 'changed', false, false, 10, false,"
                " 0.5, 1234, 1200, 30, 4)"
            ),
            {"id": run_id},
        )

    page = open_pages(lambda: people).get("/headwater/pushes?org=demo").text

    assert "degraded" in page
    assert "/dags/push_people/runs/manual__1" in page
    assert re.search(r"some failed 1,234 30 1,200 0 4 0", words(page))


def test_a_preview_masks_people_unless_one_may_see_them(open_pages: Any, people: Engine) -> None:
    """Who may not read connections sees the shape only, whatever the form says."""
    masked = post(open_pages(lambda: people, "user"), unmasked="yes")
    assert masked.status_code == 200
    assert "would be sent" in masked.text
    assert "canary" not in masked.text.casefold()
    assert '"name": "•••"' in unescape(masked.text)
    assert '"origin": "crm"' in unescape(masked.text)

    hidden = post(open_pages(lambda: people, "op"))
    shown = post(open_pages(lambda: people, "op"), unmasked="yes")
    assert "canary" not in hidden.text.casefold()
    assert "canary@example.com" in shown.text


def test_a_viewer_may_not_ask_for_one(open_pages: Any, people: Engine) -> None:
    """Reading a model can be dear; and another site's page may not either."""
    viewer = open_pages(lambda: people, "viewer")
    assert post(viewer).status_code == 403
    form = viewer.get("/headwater/pushes/preview?org=demo&push=people").text
    assert "takes the right to start runs" in form
    for page in (form, viewer.get("/headwater/pushes?org=demo").text, viewer.get(f"{EXECUTIONS}?org=demo").text):
        assert "<button>" not in page
        assert 'name="records"' not in page
        assert "/pushes/preview" not in page
    client = open_pages(lambda: people, "user")
    elsewhere = {"sec-fetch-site": "cross-site"} | FORM
    assert client.post("/headwater/pushes/preview", content="push=people", headers=elsewhere).status_code == 403


def test_what_is_not_there_is_said(open_pages: Any, people: Engine) -> None:
    """A record that the source does not hold, a push that nobody defined, a field that is gone."""
    client = open_pages(lambda: people, "user")
    assert "a01000000000009AAA is not in the source" in words(post(client, records="a01000000000009AAA").text)
    assert client.get("/headwater/pushes/preview?push=nobody").status_code == 404
    with transaction(people) as connection:
        connection.execute(sql("UPDATE headwater.field SET gone_at = now() WHERE name = 'Email__c'"))
    assert "There is nothing to preview: pushes/people: identifiers.email" in words(post(client).text)


def test_the_form_asks_for_what_the_platform_can_do(open_pages: Any, people: Engine) -> None:
    """Labels, a limit, and no box for what one may not see."""
    page = open_pages(lambda: people, "user").get("/headwater/pushes/preview?org=demo&push=people").text

    assert 'name="skip_hook"' in page
    assert 'max="100"' in page
    assert 'name="unmasked"' not in page


def test_executions_stand_newest_first_and_lead_to_what_became_of_their_records(
    open_pages: Any, people: Engine, run: Callable[[str], None]
) -> None:
    """From the push to its executions, to one of them, to the records with one cause."""
    run("a_push.sql")
    client = open_pages(lambda: people)
    assert f"{EXECUTIONS}?org=demo" in client.get("/headwater/pushes?org=demo").text

    listed = words(client.get(f"{EXECUTIONS}?org=demo").text)
    assert re.search(r"2026-03-01 10:00:00 UTC .* running changed 12 5 1 1 3 2 0 0 goes on", listed)
    assert re.search(r"2026-03-01 09:00:00 UTC .* success changed 4 3 0 1 0 0 0 0 30\.0 s", listed)
    assert listed.index("10:00:00") < listed.index("09:00:00")

    one = client.get(f"{EXECUTIONS}/61?org=demo")
    assert "rejected 2 16.7 % it was refused invalid_email 1" in words(one.text)
    assert "still skipped 2" in words(one.text)
    chosen = unescape(one.text).split("outcome=rejected&cause=invalid_email")
    assert len(chosen) == 2
    records = words(client.get(f"{EXECUTIONS}/61?org=demo&outcome=rejected&cause=invalid_email").text)
    assert "003000000000006AAA" in records
    assert "003000000000007AAA" not in records


def test_an_execution_shows_a_page_of_records_at_a_time(
    open_pages: Any, people: Engine, run: Callable[[str], None]
) -> None:
    """The next page begins where this one ends, also among keys that are somebody's and stand in no address."""
    run("a_push.sql")
    with transaction(people) as connection:
        connection.execute(
            sql("INSERT INTO headwater.outcome (run_id, record_id, outcome, cause, message, at)"
                " SELECT 60, 'p' || lpad(n::text, 3, '0') || '@example.test', 'delivered', '', '', now()"
                " FROM generate_series(1, 120) AS n")
        )  # fmt: skip
    for role in ("viewer", "op"):
        client, pages = open_pages(lambda: people, role), []
        link = f"{EXECUTIONS}/60?org=demo"
        while link and len(pages) < 5:
            html = client.get(link).text
            pages.append(len(re.findall(r'<span class="badge state-success">delivered</span></td>', html)))
            assert ("p001@example.test" in html) == (role == "op" and len(pages) == 1)
            found = re.search(r'rel="next" href="([^"#]+)', html)
            link = unescape(found[1]) if found else ""
            assert "example" not in link
        assert pages == [50, 50, 20]


def test_what_is_no_execution_is_said(open_pages: Any, people: Engine, run: Callable[[str], None]) -> None:
    """A push that nobody defined and that never ran, an execution of another push, nonsense."""
    run("a_push.sql")
    client = open_pages(lambda: people)
    for path in ("/headwater/pushes/nobody/runs", "/headwater/pushes/other/runs/61", f"{EXECUTIONS}/nonsense"):
        assert client.get(f"{path}?org=demo").status_code == 404
    assert "Nothing earlier is kept" in client.get(f"{EXECUTIONS}?org=demo&after=1").text
    assert "No record of this execution matches" in client.get(f"{EXECUTIONS}/61?org=demo&cause=none").text
