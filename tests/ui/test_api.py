"""The JSON API: what its document promises is what its routes answer, to those who may ask."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from fastapi.openapi.models import OpenAPI
from jsonschema import Draft202012Validator
from sqlalchemy import Engine, text

from include.warehouse.engine import open_warehouse, transaction

V1 = "/headwater/api/v1"
RECORD = "003D000000QV9nlIAD"
# Every operation that reads, with addresses that it answers.
ANSWERED = {
    "/orgs": [""],
    "/orgs/{org}/overview": [""],
    "/orgs/{org}/assessments": ["", "?limit=1"],
    "/orgs/{org}/assessments/{assessment}": ["", "#1"],
    "/orgs/{org}/assessments/{assessment}/issues": ["", "?severity=error&show=failing&q=mail&object=Contact"],
    "/orgs/{org}/assessments/{assessment}/issues/{check_id}": [""],
    "/orgs/{org}/assessments/{assessment}/issues/{check_id}/findings": ["", "?limit=2", "?new=true", "?q=0030"],
    "/orgs/{org}/assessments/{assessment}/objects/{object}/suite": [""],
    "/orgs/{org}/assessments/{assessment}/objects/{object}/validation": [""],
    "/orgs/{org}/objects": [""],
    "/orgs/{org}/objects/{object}/certificates": ["", "?limit=1"],
    "/orgs/{org}/extracts": ["", "?limit=1", "?state=failed&q=lead"],
    "/orgs/{org}/onboarding": [""],
    "/orgs/{org}/pushes": [""],
    "/orgs/{org}/pushes/{push}/runs": ["", "?limit=1"],
    "/orgs/{org}/push-runs/{run_id}": [""],
    "/orgs/{org}/push-runs/{run_id}/outcomes": ["", "?limit=2", "?outcome=rejected&cause=invalid_email"],
    "/orgs/{org}/errors": ["", "?limit=1", "?shown=all&cause_class=permanent&age=week&q=mail"],
    "/orgs/{org}/errors/{error_id}": [""],
    "/orgs/{org}/records/{record_id}": [""],
    "/orgs/{org}/duplicates": [""],
    "/orgs/{org}/duplicates/{object}": ["", "?limit=1", "?order=newest&limit=1", "?rule=email", f"?record={RECORD}"],
    "/orgs/{org}/duplicate-clusters/{cluster_id}": [""],
    "/orgs/{org}/fields": ["", "?q=contact"],
    "/orgs/{org}/objects/{object}/fields": ["", "?state=undecided&q=mail"],
    "/orgs/{org}/audit": ["", "?limit=1", "?object=Contact&q=email"],
    "/orgs/{org}/schema-changes": ["", "?limit=1", "?kind=label&state=followed"],
    "/orgs/{org}/usage": ["", "?q=extract"],
    "/orgs/{org}/notifications": ["", "?limit=1", "?state=open"],
}
NAMES = {
    "org": "demo", "assessment": "latest", "check_id": "email_missing", "object": "Contact", "push": "people",
    "run_id": "61", "error_id": "7", "record_id": RECORD,
    "cluster_id": "1",
}  # fmt: skip


@pytest.fixture(scope="module")
def filled(module_warehouse_url: str) -> Iterator[Engine]:
    """Yield a warehouse with an org, a record and a push, that all tests of this file read."""
    engine = open_warehouse(module_warehouse_url)
    with transaction(engine) as connection:
        for name in ("a_working_org.sql", "a_record.sql", "a_push.sql", "some_duplicates.sql"):
            statement = (Path(__file__).parent / name).read_text(encoding="utf-8")
            connection.execute(text(statement.replace(":", r"\:")))
        connection.execute(
            text("INSERT INTO headwater.onboarding VALUES ('demo', 'Lead', 5000, 40, 'rest', 3, 12.5, true, now())")
        )
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def api(token_of: Callable[[str], str], filled: Engine) -> Iterator[Callable[..., Any]]:
    """Yield a function that asks the API as a role, signed in by a bearer token as programs do."""
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    from headwater.ui.app import build_pages

    airflow = FastAPI()
    airflow.mount("/headwater", build_pages(lambda: filled))
    client = TestClient(airflow, raise_server_exceptions=False)
    tokens = {role: token_of(role) for role in ("viewer", "user", "op", "admin")}

    def asked(path: str, role: str | None = "viewer", method: str = "GET", **given: Any) -> Any:
        signed = {"authorization": f"Bearer {tokens[role]}"} if role else {}
        headers = {"accept": "application/json", **signed, **given.pop("headers", {})}
        return client.request(method, path if path.startswith("/headwater") else V1 + path, headers=headers, **given)

    yield asked
    client.close()


def every_address() -> list[tuple[str, str]]:
    addresses = []
    for template, variants in ANSWERED.items():
        for variant in variants:
            names = {**NAMES, "assessment": variant[1:]} if variant.startswith("#") else NAMES
            addresses.append((template, template.format(**names) + ("" if variant.startswith("#") else variant)))
    return addresses


@pytest.fixture(scope="module")
def document(api: Callable[..., Any]) -> dict[str, Any]:
    answer = api("/headwater/api/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(method, path, each) for path, item in document["paths"].items() for method, each in item.items()]


def test_the_document_is_openapi(document):
    """It is OpenAPI 3.1, its schemas are JSON Schema, and every reference leads somewhere."""
    OpenAPI.model_validate(document)
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": "/headwater"}]
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert named == set(document["components"]["schemas"])


def test_every_operation_says_what_it_does_takes_and_answers(document):
    """Summary, description, unique name, bounds of what is given, and how it refuses."""
    found = operations(document)
    assert len({each["operationId"] for _, _, each in found}) == len(found) == len(ANSWERED) + 1
    for method, path, each in found:
        name = f"{method} {path}"
        assert each["summary"], name
        assert each["description"], name
        assert set(each["responses"]) >= {"200", "401", "403", "404", "422", "503"}, name
        assert set(re.findall(r"{(\w+)}", path)) == {p["name"] for p in each.get("parameters", []) if p["in"] == "path"}
        for status, answer in each["responses"].items():
            if status != "200":
                assert answer["content"] == {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                }, name
        for parameter in each.get("parameters", []):
            assert bounded(parameter["schema"]), f"{name}: {parameter['name']} is not bounded"


def bounded(schema: dict[str, Any]) -> bool:
    kinds = schema.get("anyOf", [schema])
    return all(
        {"maxLength", "enum", "pattern", "const"} & set(each)
        or (each.get("type") == "integer" and {"minimum", "maximum"} <= set(each))
        or each.get("type") in ("boolean", "null")
        for each in kinds
    )


def test_every_operation_that_reads_is_tried_here(document):
    """Whoever adds one adds an address that it answers."""
    assert [path for method, path, _ in operations(document) if method == "get"] == [
        f"/api/v1{one}" for one in ANSWERED
    ]


@pytest.mark.parametrize(("template", "address"), every_address(), ids=lambda value: value)
def test_each_answer_is_what_the_document_says(api, document, template, address):
    """By the very schema of the operation; times are in UTC and say so."""
    answer = api(address)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), answer.text
    schema = document["paths"][f"/api/v1{template}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, "components": document["components"]}).validate(answer.json())
    for name, value in named_values(answer.json()):
        if name.endswith("_at") and value is not None:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value), (name, value)


def named_values(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, held in value.items():
            yield name, held
            yield from named_values(held)
    elif isinstance(value, list):
        for each in value:
            yield from named_values(each)


def test_strangers_are_refused_in_the_same_words_everywhere(api, document):
    """401 as a problem, before anything else is looked at: neither the org nor the body."""
    for method, path, _ in operations(document):
        address = "/headwater" + re.sub(r"{\w+}", "x", path)
        answer = api(address, None, method, content=b"{", headers={"content-type": "application/json"})
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json"), address
        assert answer.json()["title"] == "Unauthorized"
    for address in ("/headwater/api/openapi.json", "/headwater/api/"):
        assert api(address, None).status_code == 401


def test_a_cookie_opens_it_as_well(open_pages, filled):
    """A page of this site asks with the login that it has."""
    client = open_pages(lambda: filled, role="viewer")
    assert client.get(f"{V1}/orgs").json()["items"][0]["org"] == "demo"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/orgs/nobody/overview", 404),
        ("/orgs/nobody/errors", 404),
        ("/orgs/%00/overview", 404),
        ("/orgs/demo/assessments/99", 404),
        ("/orgs/demo/assessments/first", 422),
        ("/orgs/demo/assessments/99999999999999999999", 422),
        ("/orgs/demo/assessments/latest/issues/none", 404),
        ("/orgs/demo/assessments/latest/issues/%00", 404),
        ("/orgs/demo/assessments/latest/issues/case_orphan/findings", 404),
        ("/orgs/demo/assessments/latest/objects/Lead/suite", 404),
        ("/orgs/demo/push-runs/1", 404),
        ("/orgs/demo/push-runs/1/outcomes", 404),
        ("/orgs/demo/push-runs/0", 422),
        ("/orgs/demo/errors/8", 404),
        ("/orgs/demo/errors/x", 422),
        ("/orgs/demo/duplicate-clusters/9", 404),
        ("/orgs/demo/duplicate-clusters/0", 422),
        ("/orgs/demo/duplicates/Contact?after=' OR 1=1", 422),
        ("/orgs/demo/objects/Nothing/fields", 404),
        ("/orgs/demo/audit?limit=501", 422),
        ("/orgs/demo/records/003000000000099AAA", 404),
        ("/orgs/demo/records/' OR 1=1 --", 404),
        ("/orgs/demo/extracts?limit=0", 422),
        ("/orgs/demo/extracts?limit=501", 422),
        ("/orgs/demo/extracts?limit=ten", 422),
        ("/orgs/demo/extracts?after=-1", 422),
        ("/orgs/demo/extracts?after=1' OR 1=1", 422),
        ("/orgs/demo/extracts?state=dreaming", 422),
        (f"/orgs/demo/extracts?q={'x' * 201}", 422),
        ("/orgs/demo/push-runs/61/outcomes?after=anna@example.test", 422),
        ("/orgs/demo/assessments/latest/issues/email_missing/findings?after=%00", 422),
        ("/nothing", 404),
    ],
)
def test_what_cannot_be_answered_is_a_problem(api, address, status):
    """With status, title and a sentence, as RFC 9457 has it; what was sent is not repeated."""
    answer = api(address)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    told = answer.json()
    assert {"type", "title", "status", "detail"} <= set(told)
    assert told["status"] == status
    assert "1=1" not in answer.text
    assert ("errors" in told) == (status == 422)


def test_a_method_that_there_is_not_is_a_problem(api):
    """405, as elsewhere."""
    answer = api("/orgs", "admin", "DELETE")
    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")


def test_a_warehouse_that_does_not_answer_is_a_problem(open_pages):
    """503, with the time after which to ask again."""
    gone = open_warehouse("postgresql://nobody@127.0.0.1:9/nothing")
    answer = open_pages(lambda: gone).get(f"{V1}/orgs", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert answer.headers["retry-after"] == "30"


@pytest.mark.parametrize(
    ("address", "key", "whole"),
    [
        ("/orgs/demo/assessments", "assessment_id", 2),
        ("/orgs/demo/assessments/latest/issues/email_missing/findings", "record_id", 61),
        ("/orgs/demo/objects/Contact/certificates", "certificate_id", 2),
        ("/orgs/demo/extracts", "run_id", 3),
        ("/orgs/demo/pushes/people/runs", "run_id", 2),
        ("/orgs/demo/errors", "error_id", 3),
        ("/orgs/demo/audit", "audit_id", 3),
        ("/orgs/demo/duplicates/Contact?order=newest", "cluster_id", 2),
        ("/orgs/demo/schema-changes", "change_id", 3),
        ("/orgs/demo/notifications", "notification_id", 2),
        ("/orgs/demo/push-runs/61/outcomes", "record_id", 12),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 500])
def test_pages_hold_everything_once(api, address, key, whole, limit):
    """Going from `next` to `next` gives the list, whole and without a double, in the order of its key."""
    found, after = [], ""  # as a shell script begins
    for _ in range(100):
        path, _, query = address.partition("?")
        asked = dict(parse_qsl(query)) | {"limit": limit, "after": after}
        # Who may not see people is not shown who looked at them, which other tests of this file do.
        answer = api(path, "user" if path.endswith("/audit") else "op", params=asked).json()
        assert len(answer["items"]) <= limit
        found += [each[key] for each in answer["items"]]
        after = answer["next"]
        if after is None:
            break
    assert len(found) == len(set(found)) == whole
    assert found == sorted(found, reverse=isinstance(found[0], int))


def test_totals_count_all_pages(api):
    """The total is that of the search, whatever page is asked for."""
    first = api("/orgs/demo/extracts", params={"limit": 1}).json()
    second = api("/orgs/demo/extracts", params={"limit": 1, "after": first["next"]}).json()
    assert (first["total"], second["total"]) == (3, 3)


def test_keys_that_may_be_a_persons_stand_in_no_address_and_no_masked_answer(api):
    """An outcome of a model's row has the model's key, which may be an address; its page is found by its place."""
    masked = api("/orgs/demo/push-runs/61/outcomes")
    assert "@" not in masked.text
    assert [each["record_id"] for each in masked.json()["items"]].count("•••") == 3
    shown = api("/orgs/demo/push-runs/61/outcomes", "op", params={"limit": 10}).json()
    assert shown["items"][-1]["record_id"] == "anna@example.test"
    assert "@" not in shown["next"]


def test_a_sync_error_masks_such_a_key_too(api, filled):
    """In the list and alone."""
    with transaction(filled) as connection:
        number = connection.execute(
            text(
                "INSERT INTO headwater.sync_error (org, push, platform, object, record_id, outcome, cause,"
                " first_run_id, last_run_id, settled_at) VALUES ('demo', 'people', 'klaviyo', 'model',"
                " 'dora@example.test', 'rejected', 'invalid', 61, 61, now()) RETURNING error_id"
            )
        ).scalar_one()
    for address in ("/orgs/demo/errors?shown=settled", f"/orgs/demo/errors/{number}"):
        assert "@" not in api(address).text
        assert "dora@example.test" in api(address, "op").text


def test_a_record_shows_who_somebody_is_to_those_who_may_see_it(api):
    """The same rule as the page: a masked value does not leave the database."""
    seen = {role: api(f"/orgs/demo/records/{RECORD}", role) for role in ("viewer", "user", "op", "admin")}
    for role, answer in seen.items():
        values = {each["name"]: each for each in answer.json()["row"]["values"]}
        may = role in ("op", "admin")
        assert ("alert" in answer.text) is may, role
        assert values["LastName"]["masked"] is not may
        assert (values["LastName"]["value"] is not None) is may
        assert (values["Id"]["value"], values["Id"]["masked"]) == (RECORD, False)
        assert (values["Email"]["value"], values["Email"]["masked"]) == (None, False)  # it is empty, for everybody


def test_no_other_answer_names_anybody(api):
    """Whoever asks: values of records are in the answers about a record and a cluster, and nowhere else."""
    for template, address in every_address():
        if "records" not in template and "duplicate-clusters" not in template:
            answer = api(address, "admin")
            assert "Loser" not in answer.text, address
            assert "loser@example.com" not in answer.text, address


def test_records_side_by_side_show_who_somebody_is_to_those_who_may_see_it(api):
    """A cluster's values follow the same register as a record's."""
    for role, may in (("viewer", False), ("op", True)):
        answer = api("/orgs/demo/duplicate-clusters/1", role)
        assert len(answer.json()["members"]) == 3
        assert ("loser@example.com" in answer.text) is may
    ended = api("/orgs/demo/duplicate-clusters/3").json()
    assert (ended["merged_into"], ended["members"]) == (1, [])


def test_a_field_says_whether_it_is_personal_and_who_uses_it(api):
    """What nobody decided counts as personal, with a suggestion and its reason."""
    fields = {each["name"]: each for each in api("/orgs/demo/objects/Contact/fields").json()["items"]}
    assert (fields["Id"]["personal"], fields["Id"]["state"]) == (False, "fixed")
    assert (fields["Email"]["personal"], fields["Email"]["state"]) == (True, "undecided")
    assert fields["Email"]["suggestion"]["personal"] is True
    assert fields["Email"]["suggestion"]["reason"]


def test_an_issue_has_its_trend(api):
    """One line an assessment up to the one that is looked at."""
    trend = api("/orgs/demo/assessments/latest/issues/email_missing").json()["over_time"]
    assert [(each["assessment_id"], each["failing"]) for each in trend] == [(1, 55), (2, 60)]
    older = api("/orgs/demo/assessments/1/issues/email_missing").json()["over_time"]
    assert [each["assessment_id"] for each in older] == [1]


def test_an_execution_says_why_records_did_not_arrive(api):
    """Causes with their counts, those that were left out before among them."""
    run = api("/orgs/demo/push-runs/61").json()
    assert {(each["outcome"], each["cause"]): each["records"] for each in run["causes"]} == {
        ("held", "stopped"): 3,
        ("accepted", ""): 1,
        ("rejected", "invalid_email"): 1,
        ("rejected", "server_error"): 1,
        ("skipped", "no_consent"): 1,
        ("skipped", "still_skipped"): 2,
    }


def test_the_figures_are_those_of_the_pages(api):
    """One reader behind both."""
    overview = api("/orgs/demo/overview").json()
    assert (overview["grade"], overview["here"], overview["in_org"]) == (0.85, 20002, 20004)
    assert overview["grade_change"] == pytest.approx(0.05)
    assert overview["errors"]["open"] == 3
    assert api("/orgs/demo/usage").json()["budget"]["left"] == 85787
    lead = api("/orgs/demo/onboarding").json()["onboarding"]["objects"][0]
    assert (lead["object"], lead["expected"], lead["share"]) == ("Lead", 5000, 0.0)


def test_the_reference_page_names_every_operation(open_pages, filled, document):
    """Made from the document, with nothing from elsewhere and no code in it."""
    page = open_pages(lambda: filled).get("/headwater/api/")
    assert page.status_code == 200
    for method, path, _ in operations(document):
        assert f"<code>{method.upper()} {path}</code>" in page.text
    for name in document["components"]["schemas"]:
        assert f'id="{name}"' in page.text
    assert not re.search(r"<script(?![^>]*\bsrc=)", page.text)
    assert not re.search(r"""(?:src|href)="https?://""", page.text)


def test_behind_a_path_the_document_says_so(open_pages, filled):
    """A proxy may serve Airflow below a path; the server's address has it."""
    client = open_pages(lambda: filled, below="/tools")
    assert client.get("/tools/headwater/api/openapi.json").json()["servers"] == [{"url": "/tools/headwater"}]
