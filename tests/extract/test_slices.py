"""Large windows: cut into slices, a job each; what is too slow is halved; what is complete stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include.errors import BudgetPaused, ConnectionLost, JobFailed, QueryRefused
from include.extract.plan import Plan
from include.extract.run import Extracted, ExtractState, abort_extract, extract_object
from include.extract.split import MOST_HALVINGS
from include.records import RunMode
from include.warehouse.engine import transaction
from tests.extract.conftest import Desk

SLICE = 10


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """Yield a desk before 40 contacts in two dense heaps far apart; ten make a slice, eight a page, two jobs run."""
    desk.org.records["Contact"].clear()
    for number in range(40):
        heap = 0 if number < 25 else 7 * 10**13
        desk.org.put("Contact", heap + number * 1000, LastName=f"Name {number}", IsDeleted=number == 7)
        desk.org.tick(minutes=1)
    desk.org.tick(hours=1)
    changes = {"objects": ("Contact",), "slice_rows": SLICE, "jobs_at_once": 2}
    desk.definition = desk.definition.model_copy(update=changes)
    return desk


def whole(desk: Desk) -> None:
    """Let everything be one slice."""
    desk.definition = desk.definition.model_copy(update={"slice_rows": 1000})


def slow_above(desk: Desk, rows: int) -> Callable[[str], str]:
    """Return what lets the jobs fail that would bring more rows than this."""
    return lambda soql: "Failed QUERY_TIMEOUT: Your query was too slow" if desk.org.rows_of(soql) > rows else ""


def states(desk: Desk) -> dict[str, int]:
    return dict(desk.rows("SELECT state, count(*)::int FROM headwater.slice GROUP BY 1"))  # type: ignore[arg-type]


def message(desk: Desk) -> str:
    [(found,)] = desk.rows("SELECT message FROM headwater.run WHERE subject = 'Contact' ORDER BY run_id DESC LIMIT 1")
    assert isinstance(found, str)
    return found


def equal(desk: Desk) -> bool:
    """Return whether both sides hold the same, and the cursor stands at the org's now."""
    return desk.here() == desk.there() and desk.cursor() == desk.org.now


def test_a_large_window_is_read_in_slices_of_about_the_same_size(desk: Desk) -> None:
    """Wherever its Ids lie; together the slices are all of it, and the cursor moves with the last."""
    extracted = desk.extract()["Contact"]
    assert (extracted.counts.read, extracted.counts.inserted, extracted.counts.deleted) == (40, 40, 1)
    assert equal(desk)
    sizes = [job["numberRecordsProcessed"] for job in desk.org.jobs.values()]
    assert sum(sizes) == 40
    assert max(sizes) <= SLICE
    assert len(sizes) <= 6
    assert states(desk) == {"split": 1, "done": len(sizes)}
    assert f"read in {len(sizes)} slices" in extracted.message
    assert f"read in {len(sizes)} slices" in message(desk)
    roots = desk.rows("SELECT count(*), count(DISTINCT root_id) FROM headwater.slice WHERE parent_id IS NOT NULL")
    assert roots == [(len(sizes), 1)]


def test_finding_the_cuts_costs_few_calls(desk: Desk) -> None:
    """Each looks into one span; the probe is one more."""
    desk.next_run()
    desk.extract_one(desk.same_run())
    assert desk.org.calls.count("POST composite") <= 2 + 1 + 2 * 4


def test_a_window_that_is_read_again_is_cut_by_the_rows_that_are_here(desk: Desk) -> None:
    """The org is asked nothing for it."""
    desk.extract()
    desk.org.tick(hours=1)
    desk.org.calls.clear()
    desk.org.jobs.clear()
    extracted = desk.extract_one(desk.next_run(), mode=RunMode.FULL)
    assert extracted.counts.unchanged == 40
    assert desk.org.calls.count("POST composite") == 1
    sizes = [job["numberRecordsProcessed"] for job in desk.org.jobs.values()]
    assert (len(sizes), sum(sizes), max(sizes)) == (4, 40, SLICE + 1)
    assert equal(desk)


@pytest.mark.parametrize("refused", [{"Id"}, set()], ids=["ids are not ordered", "ids are of another kind"])
def test_stamps_are_the_second_choice(desk: Desk, refused: set[str]) -> None:
    """Where the org does not order Ids, or they are none."""
    if not refused:
        for key, record in list(desk.org.records["Contact"].items()):
            del desk.org.records["Contact"][key]
            desk.org.records["Contact"][f"x-{key}"] = record | {"Id": f"x-{key}"}
    desk.org.unordered = refused
    desk.extract()
    assert equal(desk)
    assert desk.rows("SELECT count(*) >= 3 FROM headwater.slice WHERE stamp_from IS NOT NULL AND id_from = ''") == [
        (True,)
    ]


def test_no_more_jobs_run_at_once_than_the_definition_says(desk: Desk) -> None:
    """The next begins when one is complete."""
    desk.org.job_state = "InProgress"
    most = 0

    def time_passes(seconds: float) -> None:
        nonlocal most
        running = [job for job in desk.org.jobs.values() if job["state"] == "InProgress"]
        most = max(most, len(running))
        running[-1]["state"] = "JobComplete"  # the younger one first: it is loaded while the other goes on

    run = desk.next_run()
    with desk.client(run) as client:
        extract_object(
            desk.warehouse,
            client,
            desk.definition,
            "Contact",
            mode=RunMode.CHANGES,
            run=run,
            wait_for_lock=True,
            sleep=time_passes,
        )
    assert most == 2
    assert equal(desk)


def test_a_job_that_takes_the_org_too_long_is_halved_until_it_does_not(desk: Desk) -> None:
    """The message says so, and the ledger keeps what was split into what."""
    whole(desk)
    desk.org.job_ends = slow_above(desk, 12)
    extracted = desk.extract()["Contact"]
    assert extracted.counts.inserted == 40
    assert equal(desk)
    found = states(desk)
    assert found["done"] == found["split"] + 1
    assert f"read in {found['done']} slices, of which {found['split']} took the org too long" in message(desk)
    assert desk.rows("SELECT DISTINCT state FROM headwater.run WHERE subject = 'Contact'") == [("success",)]


def test_halving_ends(desk: Desk) -> None:
    """A query that is too slow whatever its size fails after a few jobs, says so, and moves nothing."""
    whole(desk)
    desk.org.job_ends = slow_above(desk, 0)
    with pytest.raises(JobFailed, match="was not halved"):
        desk.extract_one(desk.next_run())
    assert len(desk.org.jobs) <= 1 + 2 * MOST_HALVINGS
    assert desk.cursor() is None
    assert "was not halved" in message(desk)


def test_what_was_too_slow_once_goes_on_in_halves(desk: Desk) -> None:
    """The next try doesn't begin with the whole again."""
    whole(desk)
    desk.org.job_ends = slow_above(desk, 0)
    with pytest.raises(JobFailed):
        desk.extract_one(desk.next_run())
    desk.org.job_ends = slow_above(desk, 30)
    desk.org.jobs.clear()
    desk.extract_one(desk.same_run(try_number=2))
    assert equal(desk)
    assert all(each["numberRecordsProcessed"] <= 30 for each in desk.org.jobs.values())


def test_a_job_that_fails_for_another_reason_is_not_halved(desk: Desk) -> None:
    """What is complete stays; the next try makes that one job anew."""
    victim: list[str] = []

    def ends(soql: str) -> str:
        victim.extend([soql] if len(desk.org.jobs) == 1 else [])
        return "Failed INVALID_FIELD: no" if soql in victim else ""

    desk.org.job_ends = ends
    with pytest.raises(JobFailed, match="INVALID_FIELD"):
        desk.extract_one(desk.next_run())
    assert desk.cursor() is None
    assert states(desk)["split"] == 1
    loaded = len(desk.here())
    assert loaded > 0
    desk.org.job_ends = lambda soql: ""
    desk.org.calls.clear()
    extracted = desk.extract_one(desk.same_run(try_number=2))
    assert extracted.counts.read == 40 - loaded
    assert equal(desk)
    assert victim[0] in [job["soql"] for job in desk.org.jobs.values() if job["state"] == "JobComplete"]


def test_a_killed_task_aborts_what_runs_and_keeps_what_is_complete(desk: Desk) -> None:
    """One of two jobs is complete: the next try loads it, and begins only the other anew."""

    class Killed(BaseException):
        pass

    def kill(seconds: float) -> None:
        raise Killed

    desk.org.job_state = "InProgress"
    run = desk.next_run()
    with desk.client(run) as client:
        with pytest.raises(Killed):
            extract_object(
                desk.warehouse,
                client,
                desk.definition,
                "Contact",
                mode=RunMode.CHANGES,
                run=run,
                wait_for_lock=True,
                sleep=kill,
            )
        first, second = desk.org.jobs
        desk.org.jobs[first]["state"] = "JobComplete"
        assert abort_extract(desk.warehouse, client, desk.definition, "Contact", run=run) == (second,)
    assert desk.org.jobs[second]["state"] == "Aborted"
    desk.org.job_state = "JobComplete"
    desk.extract_one(desk.same_run(try_number=2))
    assert equal(desk)
    again = [job["soql"] for job in desk.org.jobs.values()].count(desk.org.jobs[second]["soql"])
    assert (again, [job["soql"] for job in desk.org.jobs.values()].count(desk.org.jobs[first]["soql"])) == (2, 1)


def test_a_job_that_the_org_forgot_is_begun_anew(desk: Desk) -> None:
    """Results are kept for seven days; the other slices are not read again."""
    desk.org.before_result = lambda locator: setattr(desk.org, "cut_results", 99 if len(desk.here()) >= 20 else 0)
    with pytest.raises(Exception, match=r"announced|broke off"):
        desk.extract_one(desk.next_run())
    desk.org.before_result = lambda locator: setattr(desk.org, "cut_results", 0)
    here = len(desk.here())
    for job in desk.org.jobs.values():
        job["state"] = "Aborted"
    extracted = desk.extract_one(desk.same_run(try_number=2))
    assert equal(desk)
    assert extracted.counts.inserted == 40 - here


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "REQUEST_LIMIT_EXCEEDED"),
        (400, "LIMIT_EXCEEDED"),
        (400, "EXCEEDED_QUOTA"),
        (400, "OPERATION_TOO_LARGE"),
        (400, "QUERY_TOO_COMPLICATED"),
    ],
)
@pytest.mark.parametrize("rows", [SLICE, 1000])
def test_no_limit_of_the_org_sends_a_load_from_bulk_to_rest(desk: Desk, status: int, code: str, rows: int) -> None:
    """Forty rows by REST would be one call; forty million would be twenty thousand."""
    desk.definition = desk.definition.model_copy(update={"slice_rows": rows})
    desk.org.bulk_refusal = (status, code)
    with pytest.raises((BudgetPaused, QueryRefused)):
        desk.extract_one(desk.next_run())
    assert not [call for call in desk.org.calls if call.startswith("GET quer")]
    assert desk.here() == {}
    desk.org.bulk_refusal = None
    assert desk.extract_one(desk.next_run()).plan is Plan.BULK
    assert equal(desk)


def test_a_limit_that_is_met_between_two_jobs_loses_nothing(desk: Desk) -> None:
    """The job that runs is found again when calls are back."""

    def ends(soql: str) -> str:
        desk.org.bulk_refusal = (403, "REQUEST_LIMIT_EXCEEDED")
        return ""

    desk.org.job_ends = ends
    with pytest.raises(BudgetPaused):
        desk.extract_one(desk.next_run())
    assert len(desk.org.jobs) == 1
    desk.org.job_ends, desk.org.bulk_refusal = lambda soql: "", None
    desk.extract_one(desk.same_run(try_number=2))
    assert equal(desk)
    assert len({job["soql"] for job in desk.org.jobs.values()}) == len(desk.org.jobs)


def test_an_object_without_bulk_is_read_by_rest_whatever_its_size(desk: Desk) -> None:
    """Its slices are given up, and queries that are too slow are halved."""
    desk.org.bulk_refused = True
    desk.org.too_slow = lambda soql: desk.org.rows_of(soql) > 12
    extracted: Extracted = desk.extract()["Contact"]
    assert (extracted.state, extracted.plan) == (ExtractState.LOADED, Plan.REST)
    assert equal(desk)
    assert "open" not in states(desk)


def test_a_query_by_rest_that_is_too_slow_whatever_its_size_fails(desk: Desk) -> None:
    """After some halvings, and nothing of it is kept."""
    desk.org.bulk_refused = True
    desk.org.too_slow = lambda soql: True
    with pytest.raises(Exception, match="took too long"):
        desk.extract_one(desk.next_run())
    assert len([call for call in desk.org.calls if call.startswith("GET queryAll")]) <= 8
    assert desk.here() == {}


def test_a_window_whose_size_nobody_could_count_is_cut_by_what_the_org_counts_of_the_object(desk: Desk) -> None:
    """The probe was too slow to say how much there is."""
    desk.org.slow_queries = {"Contact"}
    desk.extract()
    assert equal(desk)
    assert len(desk.org.jobs) >= 4


@pytest.mark.parametrize("rows", [SLICE, 1000])
def test_a_result_that_ends_before_all_its_job_has_read_is_not_complete(desk: Desk, rows: int) -> None:
    """The cursor stays, and the next try makes a new job for what is missing."""
    desk.definition = desk.definition.model_copy(update={"slice_rows": rows})
    [lost] = [key for key, each in desk.org.records["Contact"].items() if each["LastName"] == "Name 24"]

    def forget_one(locator: str) -> None:
        for job in desk.org.jobs.values():
            job["rows"] = [each for each in job["rows"] if each["Id"] != lost]

    desk.org.before_result = forget_one
    with pytest.raises(JobFailed, match="ends after"):
        desk.extract_one(desk.next_run())
    assert desk.cursor() is None
    desk.org.before_result = lambda locator: None
    desk.extract_one(desk.same_run(try_number=2))
    assert equal(desk)


def test_a_result_that_leads_in_a_circle_ends(desk: Desk) -> None:
    """Each page is committed; the same again would be loaded for ever."""
    whole(desk)
    answered = desk.org.results

    def circling(job: dict[str, Any], at: int, most: int) -> tuple[bytes, dict[str, str], bool]:
        content, headers, cut = answered(job, at, most)
        return content, headers | {"Sforce-Locator": "8"}, cut

    desk.org.results = circling  # type: ignore[method-assign]
    with pytest.raises(JobFailed, match="the same page again"):
        desk.extract_one(desk.next_run())
    del desk.org.results
    desk.extract_one(desk.same_run(try_number=2))
    assert equal(desk)


def test_a_load_whose_lock_was_lost_does_not_end_what_another_run_has_given_up(desk: Desk) -> None:
    """The database ended the session that held the object's lock, and a full refresh began meanwhile."""

    class Killed(BaseException):
        pass

    def lose_the_lock(locator: str) -> None:
        desk.org.before_result = lambda locator: None
        with transaction(desk.warehouse) as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        refresh = desk.next_run("manual")

        def kill(seconds: float) -> None:
            raise Killed

        desk.org.job_state = "InProgress"
        with desk.client(refresh) as client, pytest.raises(Killed):
            extract_object(
                desk.warehouse,
                client,
                desk.definition,
                "Contact",
                mode=RunMode.FULL,
                run=refresh,
                wait_for_lock=True,
                sleep=kill,
            )

    desk.org.before_result = lose_the_lock
    with pytest.raises(ConnectionLost, match="another run began to read Contact"):
        desk.extract_one(desk.next_run())
    assert desk.cursor() is None
    desk.org.job_state = "JobComplete"
    desk.extract_one(desk.next_run())
    assert equal(desk)


def test_a_task_that_is_killed_while_it_waits_aborts_no_other_ones_job(desk: Desk) -> None:
    """A backfill waits for the run that reads the object; stopping it costs that run nothing."""
    desk.org.job_state = "InProgress"
    run, waiting = desk.next_run(), desk.next_run("backfill")

    def time_passes(seconds: float) -> None:
        with desk.client(waiting) as client:
            assert abort_extract(desk.warehouse, client, desk.definition, "Contact", run=waiting) == ()
        for job in desk.org.jobs.values():
            assert job["state"] != "Aborted"
            job["state"] = "JobComplete"

    with desk.client(run) as client:
        extract_object(
            desk.warehouse,
            client,
            desk.definition,
            "Contact",
            mode=RunMode.CHANGES,
            run=run,
            wait_for_lock=True,
            sleep=time_passes,
        )
    assert equal(desk)
