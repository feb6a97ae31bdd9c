"""What a scraper gets, and that nobody else gets it."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, text

from include.settings import PROJECT_ROOT
from include.warehouse.engine import open_warehouse, transaction

TOKEN = "a-token-for-tests"

Scrape = Callable[..., Any]


@pytest.fixture
def scraper(token_of: Callable[[str], str]) -> Callable[..., Any]:
    """Yield a function that opens the pages as Airflow mounts them, for a client that signs in nowhere."""
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    from headwater.ui.app import build_pages

    def opened(engine: Callable[[], Engine], token: str = TOKEN) -> TestClient:
        airflow = FastAPI()
        airflow.mount("/headwater", build_pages(engine, metrics_token=lambda: token))
        return TestClient(airflow, raise_server_exceptions=False)

    return opened


@pytest.fixture
def scrape(scraper: Callable[..., Any], warehouse: Engine) -> Scrape:
    """Yield a function that scrapes and returns the samples by name and labels."""

    def scraped() -> dict[str, float]:
        answer = scraper(lambda: warehouse).get("/headwater/metrics", headers={"authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200, answer.text
        return samples(answer.text)

    return scraped


def samples(exposition: str) -> dict[str, float]:
    return {
        f"{sample.name}{{{','.join(f'{key}={value}' for key, value in sorted(sample.labels.items()))}}}": sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
    }


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer  "},
        {"authorization": "Bearer another"},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": f"Bearer {TOKEN[:-1]}"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": TOKEN},
        {"authorization": "Bearer t\u00f6ken".encode("latin-1")},
        {"cookie": f"_token={TOKEN}"},
    ],
)
def test_nobody_without_the_token_gets_a_figure(scraper, warehouse, headers):
    """The answer says that a token is needed, and nothing else."""
    answer = scraper(lambda: warehouse).get("/headwater/metrics", headers=headers)
    assert (answer.status_code, "headwater_" in answer.text) == (401, False)
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("given", ["", " ", "anything"])
@pytest.mark.parametrize("kept", ["", "  "])
def test_without_a_token_in_the_connection_nobody_gets_anything(scraper, warehouse, caplog, given, kept):
    """No connection and an empty password are the same: closed, and the log says what to do."""
    with caplog.at_level(logging.WARNING):
        client = scraper(lambda: warehouse, kept)
        answer = client.get("/headwater/metrics", headers={"authorization": f"Bearer {given}"})
    assert answer.status_code == (404 if given.strip() else 401)
    assert "headwater_warehouse" not in answer.text
    assert ("headwater_metrics" in caplog.text) is bool(given.strip())
    assert given.strip() == "" or given not in caplog.text


def test_a_login_of_airflow_is_no_token(scraper, warehouse, token_of):
    """An administrator's login opens the pages, not this: the two are apart."""
    answer = scraper(lambda: warehouse).get(
        "/headwater/metrics", headers={"authorization": f"Bearer {token_of('admin')}"}
    )
    assert answer.status_code == 401


def test_the_token_opens_nothing_else(scraper, warehouse):
    """It is no login."""
    client = scraper(lambda: warehouse)
    for path in ("/headwater/overview", "/headwater/api/v1/orgs", "/headwater/api/openapi.json"):
        answer = client.get(path, headers={"authorization": f"Bearer {TOKEN}"})
        assert answer.status_code in (401, 403), path


def test_only_reading_is_answered(scraper, warehouse):
    """There is nothing to change."""
    client = scraper(lambda: warehouse)
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = client.request(method, "/headwater/metrics", headers={"authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 405


def test_an_empty_warehouse_is_up(scrape):
    """Before the first org there is that much to say."""
    found = scrape()
    assert found["headwater_warehouse_up{}"] == 1
    assert not [name for name in found if "org=" in name]


def test_a_warehouse_that_does_not_answer_is_told_as_such(scraper):
    """The scraper gets an answer, so that an alert can tell this from a lost api-server."""
    gone = open_warehouse("postgresql://nobody@127.0.0.1:9/nothing")
    answer = scraper(lambda: gone).get("/headwater/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, samples(answer.text)) == (200, {"headwater_warehouse_up{}": 0})


def test_the_figures_are_those_of_the_ledgers(scrape, run, warehouse):
    """Objects, runs, calls, grade, pushes, errors: each with the labels that tell it apart."""
    run("a_working_org.sql")
    run("a_push.sql")
    found = scrape()
    expected = {
        "headwater_object_records_here{object=Contact,org=demo}": 20002,
        "headwater_object_records_in_org{object=Contact,org=demo}": 20004,
        "headwater_object_records_difference{object=Contact,org=demo}": 2,
        "headwater_object_loaded{object=Contact,org=demo}": 1,
        "headwater_object_loaded{object=Lead,org=demo}": 0,
        "headwater_run_last_state{kind=extract,org=demo,state=degraded,subject=Contact}": 1,
        "headwater_run_last_state{kind=extract,org=demo,state=success,subject=Contact}": 0,
        "headwater_run_last_state{kind=extract,org=demo,state=failed,subject=Lead}": 1,
        "headwater_run_last_duration_seconds{kind=extract,org=demo,subject=Contact}": 3,
        "headwater_run_last_success_timestamp_seconds{kind=extract,org=demo,subject=Contact}": 1772355663,
        "headwater_api_calls_used{org=demo}": 4213,
        "headwater_api_calls_allowed{org=demo}": 100000,
        "headwater_api_calls_used_ratio{org=demo}": 0.04213,
        "headwater_api_calls_left{org=demo}": 85787,
        "headwater_api_calls_quota{org=demo}": 40000,
        "headwater_api_calls_ours{org=demo}": 16,
        "headwater_health_grade_ratio{org=demo}": 0.85,
        "headwater_health_object_grade_ratio{object=Contact,org=demo}": 0.85,
        "headwater_health_issues{org=demo,severity=error,verdict=failed}": 1,
        "headwater_health_issues{org=demo,severity=critical,verdict=not_assessed}": 1,
        "headwater_health_findings{org=demo,severity=error}": 60,
        "headwater_push_last_run_records{destination=klaviyo,org=demo,outcome=delivered,push=people}": 5,
        "headwater_push_last_run_records{destination=klaviyo,org=demo,outcome=rejected,push=people}": 2,
        "headwater_push_outbox_records{destination=klaviyo,org=demo,push=people}": 3,
        "headwater_push_outbox_events{destination=klaviyo,org=demo,push=people}": 1,
        "headwater_push_settlement_records{org=demo,push=people}": 1,
        "headwater_sync_errors_open{class=permanent,destination=klaviyo,org=demo,push=people}": 1,
        "headwater_sync_errors_open{class=passing,destination=klaviyo,org=demo,push=people}": 1,
        "headwater_destination_circuit_open{connection=klaviyo_demo}": 0,
        "headwater_destination_circuit_open{connection=braze_demo}": 1,
        "headwater_destination_bucket_slowed{connection=klaviyo_demo,lane=}": 1,
        "headwater_notifications_waiting{channel=webhook pager,org=demo}": 1,
        "headwater_schema_changes_waiting{org=demo}": 0,
    }
    assert {name: found.get(name) for name in expected} == pytest.approx(expected)
    assert "headwater_object_cursor_age_seconds{object=Lead,org=demo}" not in found  # it was never read
    assert found["headwater_object_cursor_age_seconds{object=Contact,org=demo}"] > 86_400
    assert 0 < found["headwater_destination_bucket_wait_seconds{connection=klaviyo_demo,lane=}"] <= 60


def test_no_label_holds_what_belongs_to_a_person(scrape, run):
    """Ids of records, messages of errors and recipients of mails stay out; the names of labels are these."""
    run("a_working_org.sql")
    run("a_push.sql")
    found = scrape()
    names = {pair.split("=")[0] for name in found for pair in name[name.index("{") + 1 : -1].split(",") if pair}
    assert names == {
        "org", "object", "kind", "subject", "state", "severity", "verdict", "push", "destination", "outcome", "class",
        "connection", "lane", "channel",
    }  # fmt: skip
    assert not [name for name in found if "@" in name or "003" in name]


def test_names_follow_prometheus(scraper, run, warehouse):
    """Base units in the name, a HELP and a TYPE for each, and OpenMetrics for who asks for it."""
    from headwater.ui.pages.measured import FAMILIES

    run("a_working_org.sql")
    run("a_push.sql")
    client = scraper(lambda: warehouse)
    signed = {"authorization": f"Bearer {TOKEN}"}
    answer = client.get("/headwater/metrics", headers=signed)
    assert answer.headers["content-type"].startswith("text/plain; version=")
    told = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert set(told) <= set(FAMILIES)
    for name, family in told.items():
        assert (family.type, family.documentation) == ("gauge", FAMILIES[name][0])
        assert name.startswith("headwater_")
        assert not name.endswith(("_total", "_count", "_sum", "_bucket", "_minutes", "_percent", "_ms"))
    newer = client.get("/headwater/metrics", headers=signed | {"accept": "application/openmetrics-text; version=1.0.0"})
    assert newer.headers["content-type"].startswith("application/openmetrics-text")
    assert {family.name for family in read_openmetrics(newer.text)} == set(told)


def test_a_scrape_reads_no_table_of_records(scrape, run, warehouse):
    """However many records there are: every table that is read is a ledger."""
    run("a_working_org.sql")
    run("a_record.sql")
    with transaction(warehouse) as connection:
        connection.execute(text("ALTER SCHEMA salesforce_demo RENAME TO out_of_reach"))
    assert scrape()["headwater_warehouse_up{}"] == 1


def test_each_scrape_is_told_anew(scrape, run, warehouse):
    """Nothing is kept between two scrapes, nor registered in the process."""
    from prometheus_client import REGISTRY

    run("a_working_org.sql")
    assert scrape()["headwater_health_grade_ratio{org=demo}"] == 0.85
    with transaction(warehouse) as connection:
        connection.execute(text("UPDATE headwater.assessment SET grade = 0.5 WHERE assessment_id = 2"))
    assert scrape()["headwater_health_grade_ratio{org=demo}"] == 0.5
    assert not [name for name in REGISTRY._names_to_collectors if name.startswith("headwater")]


def test_the_docs_name_every_metric_and_no_other():
    """An alert on a metric that there is not would never fire."""
    import yaml

    from headwater.ui.pages.measured import FAMILIES

    page = (PROJECT_ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)`", page, re.M)) == set(FAMILIES)
    scraping, alerts = (yaml.safe_load(each) for each in re.findall(r"```yaml\n(.*?)```", page, re.S))
    assert scraping["scrape_configs"][0]["metrics_path"] == "/headwater/metrics"
    rules = [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]
    assert {name for rule in rules for name in re.findall(r"headwater_\w+", rule)} <= set(FAMILIES)
