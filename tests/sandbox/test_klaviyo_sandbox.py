"""The local Klaviyo refuses what the real one refuses, by its own words; what it holds can be read back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from include.sandbox.klaviyo.credentials import KEY, REVISION
from tests.sandbox.running import Running, running

HEADERS = {
    "Authorization": f"Klaviyo-API-Key {KEY}",
    "revision": REVISION,
    "Content-Type": "application/vnd.api+json",
}
JOBS = "/api/profile-bulk-import-jobs"


@pytest.fixture(scope="module")
def one_klaviyo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("klaviyo")
    with running("klaviyo", home, "--job-seconds", "0", "--pace", "1000", headers=HEADERS) as sandbox:
        yield sandbox


@pytest.fixture
def klaviyo(one_klaviyo: Running) -> Running:
    one_klaviyo.post("/sandbox/reset")
    return one_klaviyo


def profile(number: int = 1, **attributes: Any) -> dict[str, Any]:
    return {"type": "profile", "attributes": {"email": f"p{number}@example.com", **attributes}}


def job(*profiles: Any) -> dict[str, Any]:
    return {"data": {"type": "profile-bulk-import-job", "attributes": {"profiles": {"data": list(profiles)}}}}


def event(number: int = 1, key: str = "k1", **attributes: Any) -> dict[str, Any]:
    metric = {"data": {"type": "metric", "attributes": {"name": "Won"}}}
    own = {"properties": {}, "metric": metric, "unique_id": key, "profile": {"data": profile(number)}}
    return {"data": {"type": "event", "attributes": own | attributes}}


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": "Bearer x"}, 401, "not_authenticated"),
        ({"Authorization": "Klaviyo-API-Key pk_wrong"}, 401, "authentication_failed"),
        ({"revision": "2023-02-22"}, 400, "invalid"),
        ({"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
    ],
)
def test_who_asks_wrongly_is_refused(klaviyo: Running, headers: dict[str, str], status: int, code: str) -> None:
    """Key, revision and kind of content."""
    found, answer, _ = klaviyo.call("POST", JOBS, job(profile()), **headers)
    assert (found, answer["errors"][0]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        (profile(2, nickname="x"), "/attributes/nickname"),
        (profile(2, first_name=5), "/attributes/first_name"),
        (profile(2, location={"planet": "x"}), "/attributes/location/planet"),
        (profile(2, properties={"note": "x" * 100_001}), ""),
        ({"type": "person", "attributes": {}}, "/type"),
    ],
)
def test_a_wrong_shape_refuses_the_whole_import_and_points_to_the_place(
    klaviyo: Running, wrong: Any, pointer: str
) -> None:
    """Nothing of it is taken."""
    status, answer, _ = klaviyo.call("POST", JOBS, job(profile(1), wrong))
    assert status == 400
    assert answer["errors"][0]["source"]["pointer"] == f"/data/attributes/profiles/data/1{pointer}"
    assert klaviyo.counts["profiles"] == 0


def test_a_wrong_value_is_told_when_the_job_is_done(klaviyo: Running) -> None:
    """The others are imported."""
    nobody = {"type": "profile", "attributes": {}}
    _, answer, _ = klaviyo.call("POST", JOBS, job(profile(1), profile(2, phone_number="12345"), nobody))
    number = answer["data"]["id"]
    status, answer, _ = klaviyo.call("GET", f"{JOBS}/{number}")
    assert (status, answer["data"]["attributes"]["status"]) == (200, "complete")
    assert (answer["data"]["attributes"]["failed_count"], klaviyo.counts["profiles"]) == (2, 1)
    _, answer, _ = klaviyo.call("GET", f"{JOBS}/{number}/import-errors")
    pointers = [each["attributes"]["source"]["pointer"] for each in answer["data"]]
    where = "/data/attributes/profiles/data"
    assert pointers == [f"{where}/1/attributes/phone_number", f"{where}/2/attributes"]


def test_too_many_and_too_much_are_refused(klaviyo: Running) -> None:
    """10,000 profiles, 5 MB, 1,000 events."""
    assert klaviyo.call("POST", JOBS, job(*(profile(n) for n in range(10_001))))[0] == 400
    large = job(*(profile(n, properties={"note": "x" * 90_000}) for n in range(60)))
    assert klaviyo.call("POST", JOBS, large)[0] == 413


def test_a_null_clears_at_one_endpoint_and_means_nothing_at_the_other(klaviyo: Running) -> None:
    """As the vendor's guide says of bulk imports."""
    klaviyo.call("POST", JOBS, job(profile(1, first_name="Ada", title="CTO")))
    klaviyo.counts  # noqa: B018 - whoever looks has the job carried out
    klaviyo.call("POST", JOBS, job(profile(1, first_name=None)))
    assert klaviyo.all("profiles")[0]["attributes"]["first_name"] == "Ada"
    klaviyo.call("POST", "/api/profile-import", {"data": profile(1, first_name=None)})
    assert klaviyo.all("profiles")[0]["attributes"] == {"email": "p1@example.com", "title": "CTO"}


def test_an_identifier_of_somebody_else_is_a_conflict(klaviyo: Running) -> None:
    """The answer names the other profile."""
    for number in (1, 2):
        klaviyo.call("POST", "/api/profile-import", {"data": profile(number, external_id=f"u{number}")})
    status, answer, _ = klaviyo.call("POST", "/api/profile-import", {"data": profile(2, external_id="u1")})
    assert (status, answer["errors"][0]["code"]) == (409, "duplicate_profile")
    assert answer["errors"][0]["meta"]["duplicate_profile_id"].endswith("2")


def test_a_single_event_of_a_known_key_stays_the_first(klaviyo: Running) -> None:
    """A bulk request with one is refused, and nothing of it is stored."""
    assert klaviyo.call("POST", "/api/events", event(properties={"n": 1}))[0] == 202
    assert klaviyo.call("POST", "/api/events", event(properties={"n": 2}))[0] == 202
    events = [{"type": "event", "attributes": event(key=key)["data"]["attributes"]} for key in ("k2", "k1")]
    for each in events:
        del each["attributes"]["profile"]
    content = {"profile": {"data": profile(1)}, "events": {"data": events}}
    group = {"type": "event-bulk-create", "attributes": content}
    bulk = {"data": {"type": "event-bulk-create-job", "attributes": {"events-bulk-create": {"data": [group]}}}}
    status, answer, _ = klaviyo.call("POST", "/api/event-bulk-create-jobs", bulk)
    assert (status, len(answer["errors"])) == (400, 1)
    assert answer["errors"][0]["source"]["pointer"].endswith("/data/0/attributes/events/data/1/attributes/unique_id")
    assert [each["properties"] for each in klaviyo.all("events")] == [{"n": 1}]


def test_a_job_takes_a_while_and_outlives_a_restart(tmp_path: Any) -> None:
    """Queued, processing, complete; what it holds is imported when its time has come."""
    with running("klaviyo", tmp_path, "--job-seconds", "3600", headers=HEADERS) as slow:
        _, answer, _ = slow.call("POST", JOBS, job(profile()))
        number = answer["data"]["id"]
        assert answer["data"]["attributes"]["status"] == "queued"
        assert (slow.counts["profiles"], slow.counts["jobs_open"]) == (0, 1)
    with running("klaviyo", tmp_path, headers=HEADERS) as again:
        assert again.call("GET", f"{JOBS}/{number}")[1]["data"]["attributes"]["status"] == "queued"


def test_the_windows_are_told_in_headers(tmp_path: Any) -> None:
    """What is left, and how long to wait."""
    with running("klaviyo", tmp_path, headers=HEADERS) as strict:
        answers = [strict.call("GET", JOBS) for _ in range(200)]
    statuses = {status for status, _, _ in answers}
    assert statuses == {200, 429}
    fine = next(headers for status, _, headers in answers if status == 200)
    assert fine["RateLimit-Limit"] == "10, 10;w=1, 150;w=60"
    throttled = next(headers for status, _, headers in answers if status == 429)
    assert 1 <= int(throttled["Retry-After"]) <= 60
