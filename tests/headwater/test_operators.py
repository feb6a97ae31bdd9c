"""The operators as a hand-written DAG uses them: real connections, a real org, a real platform, a real warehouse."""

from __future__ import annotations

import json
from typing import Any

import pytest
import urllib3
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowSkipException
from sqlalchemy import Engine, text

from headwater import hooks
from headwater.operators import (
    ApprovePushOperator,
    AssessHealthOperator,
    CertifyExtractOperator,
    DescribeObjectsOperator,
    ExtractObjectOperator,
    FollowDeletionsOperator,
    HealthGateOperator,
    ProbeObjectsOperator,
    PushProfilesOperator,
    ReconcileObjectOperator,
    SelectProfilesOperator,
)
from headwater.salesforce_hook import HeadwaterSalesforceHook
from include.errors import (
    AppUnknown,
    AuthError,
    DefinitionError,
    GateClosed,
    NotReady,
    PushFailed,
    QueryRefused,
    Unreachable,
)
from include.sandbox.org import credentials as org_credentials
from include.settings import PROJECT_ROOT
from tests.headwater.connected import CONTACTS, client_credentials, connect, free_port

OBJECTS = ("Account", "Contact", "Lead", "Opportunity")
PUSH = "contacts_to_insider_one"


def extract(*names: str) -> dict[str, Any]:
    return {name: ExtractObjectOperator(task_id=f"e_{name}", org="demo", sobject=name).execute({}) for name in names}


def sent(site: dict[str, str], what: str) -> int:
    return int(urllib3.request("GET", f"{site['platform']}/sandbox/counts").json()[what])


def test_an_object_is_extracted_without_a_probe_before_it(site: dict[str, str], warehouse: Engine) -> None:
    """The operator probes by itself; a second run finds nothing new."""
    counts = extract("Contact")["Contact"]

    assert (counts["state"], counts["inserted"]) == ("loaded", CONTACTS)
    with warehouse.connect() as connection:
        assert connection.execute(text('SELECT count(*) FROM salesforce_demo."Contact"')).scalar_one() == CONTACTS
    with pytest.raises(AirflowSkipException):
        extract("Contact")


def test_a_probe_says_how_much_there_is(site: dict[str, str]) -> None:
    """What it returns are counts and names."""
    probe = ProbeObjectsOperator(task_id="p", org="demo", objects=OBJECTS)

    assert probe.execute({}) == {"Account": 75, "Contact": CONTACTS, "Lead": 150, "Opportunity": 75}


def test_an_object_that_the_org_does_not_read_is_refused(site: dict[str, str]) -> None:
    """A typo in the trigger form would otherwise read nothing and look green."""
    probe = ProbeObjectsOperator(task_id="p", org="demo", objects=OBJECTS)

    for operator in (probe, ExtractObjectOperator(task_id="e", org="demo", sobject="Contact")):
        with pytest.raises(DefinitionError, match="'demo' does not read Contakt; it reads Account, Contact"):
            operator.execute({"params": {"objects": ["Contakt"]}})
    with pytest.raises(AirflowSkipException, match="not chosen"):
        ExtractObjectOperator(task_id="e", org="demo", sobject="Contact").execute({"params": {"objects": ["Lead"]}})


def test_a_comparison_says_what_it_found(site: dict[str, str]) -> None:
    """Before the first load there is nothing to compare; afterwards both sides are equal."""
    compare = ReconcileObjectOperator(task_id="r", org="demo", sobject="Contact")
    with pytest.raises(AirflowSkipException, match="the first load of Contact is not complete"):
        compare.execute({})
    extract("Contact")

    found = compare.execute({})

    assert (found["in_org"], found["changed"], found["remaining"]) == (CONTACTS, 0, 0)
    with pytest.raises(AirflowSkipException, match="not chosen"):
        compare.execute({"params": {"objects": ["Lead"]}})
    with pytest.raises(DefinitionError, match="'demo' does not read Contakt"):
        compare.execute({"params": {"objects": ["Contakt"]}})


def test_fields_and_deletions_are_followed_between_extracts(site: dict[str, str]) -> None:
    """Before the first load there is nothing to ask for; afterwards each task says what it found, as counts."""
    describe = DescribeObjectsOperator(task_id="describe", org="demo")
    deletions = FollowDeletionsOperator(task_id="deletions", org="demo")
    assert describe.execute({}) == {}
    assert deletions.execute({}) == {"told": 0, "changed": 0}
    extract("Contact", "Lead")
    added = {"change": "add_field", "object": "Lead", "name": "Between__c", "type": "text", "length": 20}
    assert urllib3.request("POST", f"{site['org']}/sandbox/metadata", json=added).status == 200

    assert describe.execute({}) == {"Contact": 0, "Lead": 1}
    assert describe.execute({}) == {"Contact": 0, "Lead": 0}
    assert deletions.execute({})["changed"] == 0
    removed = {"change": "remove_field", "object": "Lead", "field": "Between__c"}
    assert urllib3.request("POST", f"{site['org']}/sandbox/metadata", json=removed).status == 200


def test_the_whole_way_by_hand(site: dict[str, str]) -> None:
    """Extract, assess, gate and push: each contact arrives once, and a second push sends nothing."""
    extract(*OBJECTS)
    assessed = AssessHealthOperator(task_id="a", org="demo").execute({})
    opened = HealthGateOperator(task_id="g", push=PUSH).execute({})
    first = PushProfilesOperator(task_id="d", push=PUSH, skip_hook=True).execute({})
    second = PushProfilesOperator(task_id="d", push=PUSH).execute({})

    assert assessed["records"] == CONTACTS * 2
    assert 0 < assessed["grade"] < 1
    assert opened
    assert first["delivered"] + first["skipped"] + first["rejected"] == first["selected"] == CONTACTS
    assert second["unchanged"] + second["skipped"] + second["rejected"] == CONTACTS
    assert sent(site, "events") == first["delivered"]
    assert sent(site, "journeys") == 0


def test_a_run_whose_records_all_fail_is_red(site: dict[str, str]) -> None:
    """The platform answers 200 and refuses every record."""
    extract("Account", "Contact")
    fault = {"reject_all": True, "times": 9}
    urllib3.request("POST", f"{site['platform']}/sandbox/faults", body=json.dumps(fault).encode())

    with pytest.raises(PushFailed, match="none did"):
        PushProfilesOperator(task_id="d", push=PUSH).execute({})


def test_chosen_records_are_the_only_ones(site: dict[str, str], warehouse: Engine) -> None:
    """One record to try a mapping with, before all of them."""
    extract("Account", "Contact")
    with warehouse.connect() as connection:
        record = connection.execute(
            text('SELECT "Id" FROM salesforce_demo."Contact" WHERE "Email" LIKE \'%@%.%\' ORDER BY 1 LIMIT 1')
        ).scalar_one()

    selection = SelectProfilesOperator(task_id="s", push=PUSH, record_ids=[record]).execute({})
    counts = PushProfilesOperator(task_id="d", push=PUSH, selection=selection).execute({})

    assert (selection["selected"], counts["selected"], counts["delivered"]) == (1, 1, 1)


def test_a_guard_holds_a_delivery_of_which_nobody_was_asked(site: dict[str, str]) -> None:
    """A selection that needs approval goes nowhere without a task that asks for it."""
    extract("Account", "Contact")
    selection = SelectProfilesOperator(task_id="s", push=PUSH, skip_hook=False, approve_above=0).execute({})
    assert selection["guard"]

    with pytest.raises(NotReady, match="Nobody was asked"):
        PushProfilesOperator(task_id="d", push=PUSH, selection=selection).execute({})

    assert sent(site, "events") == 0


def test_what_was_selected_to_start_no_journeys_starts_none(site: dict[str, str]) -> None:
    """The guard judges journeys only where they may start; the other way round is no danger."""
    extract("Account", "Contact")
    selection = SelectProfilesOperator(task_id="s", push=PUSH, skip_hook=True, approve_above=0).execute({})
    assert selection["guard"] is None

    with pytest.raises(NotReady, match="give both tasks the same"):
        PushProfilesOperator(task_id="d", push=PUSH, selection=selection, skip_hook=False).execute({})
    assert sent(site, "events") == 0

    loud = SelectProfilesOperator(task_id="s", push=PUSH, skip_hook=False, approve_above=10**6).execute({})
    PushProfilesOperator(task_id="d", push=PUSH, selection=loud, skip_hook=True).execute({})
    assert (sent(site, "events") > 0, sent(site, "journeys")) == (True, 0)


def test_a_delivery_behind_an_approval_trusts_it() -> None:
    """Whoever stands beside the approval does not."""
    with DAG("asking", schedule=None):
        select = SelectProfilesOperator(task_id="s", push=PUSH)
        approve = ApprovePushOperator(task_id="a", push=PUSH, selection=select.output)
        behind = PushProfilesOperator(task_id="d", push=PUSH, selection=select.output)
        beside = PushProfilesOperator(task_id="e", push=PUSH, selection=select.output)
        select >> approve >> behind

    assert (behind.is_asked_before, beside.is_asked_before) == (True, False)


def test_the_parameters_of_a_run_override_the_operator(site: dict[str, str]) -> None:
    """The trigger form decides, whatever the DAG says."""
    extract("Account", "Contact")

    PushProfilesOperator(task_id="d", push=PUSH, skip_hook=False).execute({"params": {"skip_hook": True}})

    assert sent(site, "events") > 0
    assert sent(site, "journeys") == 0


def test_nothing_is_pushed_before_the_first_load(site: dict[str, str]) -> None:
    """The message names what to run."""
    with pytest.raises(NotReady, match="demo_extract"):
        PushProfilesOperator(task_id="d", push=PUSH).execute({})


def test_the_gate_is_closed_without_an_assessment(site: dict[str, str]) -> None:
    """And opens when a person says so."""
    with pytest.raises(GateClosed):
        HealthGateOperator(task_id="g", push=PUSH).execute({})
    assert HealthGateOperator(task_id="g", push=PUSH).execute({"params": {"override_gate": True}})


def test_nothing_is_assessed_before_anything_was_extracted(site: dict[str, str]) -> None:
    """A skip says what to run; an empty assessment would open the gate for nothing."""
    with pytest.raises(AirflowSkipException, match="run demo_extract first"):
        AssessHealthOperator(task_id="a", org="demo").execute({})


def test_nothing_is_certified_when_nothing_changed(site: dict[str, str]) -> None:
    """A skip emits no asset, so nothing downstream runs."""
    with pytest.raises(AirflowSkipException):
        CertifyExtractOperator(task_id="c", org="demo", objects=OBJECTS).execute({})


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"consumer_secret": "wrong"}, AuthError, "consumer_secret"),
        ({"consumer_key": "wrong"}, AppUnknown, "consumer_key"),  # or a new app, which is waited for
        ({"login_url": f"http://127.0.0.1:{free_port()}"}, Unreachable, "127.0.0.1"),
    ],
)
def test_a_wrong_connection_fails_and_says_what_to_mend(
    site: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    warehouse: Engine,
    change: dict[str, str],
    error: type[Exception],
    words: str,
) -> None:
    """Nothing was read, the cursor has not moved."""
    connect(monkeypatch, "salesforce_demo", conn_type="salesforce", extra=client_credentials(site["org"], **change))

    with pytest.raises(error, match=words):
        extract("Contact")
    with warehouse.connect() as connection:
        assert connection.execute(text("SELECT count(cursor_at) FROM headwater.object")).scalar_one() == 0


def test_a_missing_connection_says_how_to_make_it(site: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A tired person reads its name and its type."""
    monkeypatch.delenv("AIRFLOW_CONN_SALESFORCE_DEMO")

    with pytest.raises(NotReady, match="'salesforce_demo' does not exist; create it \\(type Salesforce\\)"):
        extract("Contact")


@pytest.mark.parametrize("way", ["client_credentials", "refresh_token", "jwt", "password"])
def test_own_tasks_get_a_simple_salesforce_client(
    site: dict[str, str], monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Every way to sign in works over plain http, which simple-salesforce does not know."""
    extra = client_credentials(site["org"])
    login: dict[str, Any] = {}
    if way == "refresh_token":
        extra["refresh_token"] = org_credentials.REFRESH_TOKEN
    if way == "jwt":
        key = PROJECT_ROOT / "include" / "sandbox" / "org" / "dev_jwt_private.pem"
        login, extra["private_key"] = {"login": org_credentials.USERNAME}, key.read_text(encoding="utf-8")
    if way == "password":
        login = {"login": org_credentials.USERNAME, "password": org_credentials.PASSWORD}
        extra["security_token"] = org_credentials.SECURITY_TOKEN
    connect(monkeypatch, "mine", conn_type="salesforce", extra=extra, **login)

    found = HeadwaterSalesforceHook("mine").get_conn().query("SELECT COUNT() FROM Contact")

    assert found["totalSize"] == CONTACTS


def test_malformed_soql_is_refused_with_its_code(site: dict[str, str]) -> None:
    """The client that the operators use says what the org refused."""
    client = hooks.salesforce_client(hooks.org_definition("demo"))

    with client, pytest.raises(QueryRefused) as caught:
        client.count("SELECT COUNT( FROM Contact")
    assert caught.value.code == "MALFORMED_QUERY"
