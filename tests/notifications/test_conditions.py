"""What the ledgers say becomes what people are told: each line of the table is one rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include.config.notify import Event
from include.notifications.conditions import Condition, EndedTask, conditions_of, waits_for_calls
from include.warehouse.calls.circuit import OpenCircuit
from include.warehouse.notable import FieldNews, LastComparison, LastRun, Notable, Onboarding

RUN = LastRun(
    run_id=7,
    kind="extract",
    subject="Contact",
    state="failed",
    message="AuthError: the org refused us",
    dag_id="main_extract",
    dag_run_id="scheduled__2026-03-01T09:00:00+00:00",
    loaded=True,
)
TASK = EndedTask(dag_id="main_extract", dag_run_id="r1", task_id="probe", state="failed", message="AuthError: no")
GONE = FieldNews(object="Contact", field="Email", kind="removed", before="email", after="")
BEGAN = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def told(notable: Notable, *tasks: EndedTask, **users: tuple[str, ...]) -> dict[str, Condition]:
    """Return the conditions by key."""
    used_by = {("Contact", field): names for field, names in users.items()}
    return {each.key: each for each in conditions_of("main", notable, tasks, used_by)}


def holding(notable: Notable, *tasks: EndedTask, **users: tuple[str, ...]) -> list[tuple[Event, str]]:
    """Return event and title of what holds."""
    return [(each.event, each.title) for each in told(notable, *tasks, **users).values() if each.holds]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [(Event.RUN_FAILED, "Extract of Contact failed")]),
        ({"loaded": False}, [(Event.ONBOARDING_FAILED, "First load of Contact failed")]),
        ({"kind": "reconcile"}, [(Event.RUN_FAILED, "Comparison of Contact failed")]),
        (
            {"kind": "health", "subject": "assessment"},
            [(Event.RUN_FAILED, "Health assessment of main failed")],
        ),
        ({"kind": "push", "subject": "people"}, [(Event.RUN_FAILED, "Push of people failed")]),
        ({"state": "success"}, []),
        ({"state": "skipped"}, []),
    ],
)
def test_a_run_that_failed_last_is_told(changes: dict[str, Any], expected: list[tuple[Event, str]]) -> None:
    """By what it did and for what; a first load is an onboarding."""
    assert holding(Notable(last_runs=(replace(RUN, **changes),))) == expected


def test_what_is_well_again_is_looked_at_too() -> None:
    """Or nothing would ever be over."""
    (condition,) = told(Notable(last_runs=(replace(RUN, state="success"),))).values()
    assert (condition.key, condition.holds) == ("failed:extract:Contact", False)


def test_a_run_links_to_itself_in_airflow() -> None:
    """Its id holds colons and pluses."""
    (condition,) = told(Notable(last_runs=(RUN,))).values()
    assert condition.path == "/dags/main_extract/runs/scheduled__2026-03-01T09%3A00%3A00%2B00%3A00"
    assert condition.message == "AuthError: the org refused us"


def test_a_copy_is_degraded_whoever_found_it() -> None:
    """Extract and comparison judge the same copy: one key."""
    keys = {
        key
        for kind in ("extract", "reconcile")
        for key in told(Notable(last_judged=(replace(RUN, kind=kind, state="degraded"),)))
    }
    assert keys == {"degraded:copy:Contact"}
    assert holding(Notable(last_judged=(replace(RUN, state="degraded"),))) == [
        (Event.RUN_DEGRADED, "The copy of Contact is degraded")
    ]
    assert holding(Notable(last_judged=(replace(RUN, state="success"),))) == []


def test_a_mass_disappearance_is_told_as_that_and_not_as_a_failed_run() -> None:
    """One change, one message."""
    gone = LastComparison(run_id=7, object="Contact", vanished=2002, quarantined=True)
    notable = Notable(last_runs=(replace(RUN, kind="reconcile"),), comparisons=(gone,))
    assert holding(notable) == [(Event.MASS_DISAPPEARANCE, "2,002 records of Contact are gone from the org at once")]
    assert holding(replace(notable, comparisons=(replace(gone, run_id=6, quarantined=False),))) == [
        (Event.RUN_FAILED, "Comparison of Contact failed")
    ]


@pytest.mark.parametrize(
    ("notable", "task", "expected"),
    [
        (Notable(), TASK, [(Event.RUN_FAILED, "main_extract: the task probe failed")]),
        (Notable(unmet=True), TASK, [(Event.ONBOARDING_FAILED, "main_extract: the task probe failed")]),
        (Notable(failures_written=frozenset({("r1", "probe")})), TASK, []),
        (Notable(), replace(TASK, state="upstream_failed"), []),
        (Notable(), replace(TASK, state="success"), []),
    ],
)
def test_a_task_that_failed_without_a_run_of_ours_is_told(
    notable: Notable, task: EndedTask, expected: list[tuple[Event, str]]
) -> None:
    """Nobody could sign in, a gate was closed: there is no line in a ledger then."""
    assert holding(notable, task) == expected


PUSH = replace(RUN, kind="push", subject="people", dag_id="push_people", dag_run_id="r1")
DELIVER = replace(TASK, dag_id="push_people", task_id="deliver")


@pytest.mark.parametrize(
    ("notable", "task", "expected"),
    [
        (Notable(last_runs=(PUSH,)), DELIVER, [(Event.RUN_FAILED, "Push of people failed")]),
        (
            Notable(last_judged=(replace(PUSH, state="degraded"),)),
            DELIVER,
            [(Event.RUN_DEGRADED, "Push of people is degraded")],
        ),
        (  # the run of the ledger is another one: this task failed before it began one
            Notable(last_runs=(replace(PUSH, state="success", dag_run_id="r0"),)),
            DELIVER,
            [(Event.RUN_FAILED, "push_people: the task deliver failed")],
        ),
    ],
)
def test_a_push_that_failed_is_told_once(notable: Notable, task: EndedTask, expected: list[tuple[Event, str]]) -> None:
    """Not as its task as well: selecting, asking and delivering are one run of ours."""
    assert holding(notable, task) == expected


def test_a_task_that_did_not_run_keeps_its_state() -> None:
    """What failed before it says nothing of it."""
    assert told(Notable(), replace(TASK, state="upstream_failed")) == {}
    assert told(Notable(), replace(TASK, message="")) != {}


def test_a_field_that_something_uses_is_told_when_it_goes_or_changes_its_type() -> None:
    """And is over when it comes back, or when nothing uses it any more."""
    assert holding(Notable(fields=(GONE,)), Email=("push people", "check mail")) == [
        (Event.SCHEMA_CHANGED, "Contact.Email is gone from the org")
    ]
    assert holding(Notable(fields=(GONE,))) == []
    assert holding(Notable(fields=(replace(GONE, kind="returned"),)), Email=("push people",)) == []
    other = replace(GONE, kind="type", after="string")
    assert holding(Notable(fields=(other,)), Email=("push people",)) == [
        (Event.SCHEMA_CHANGED, "Contact.Email has another type: email before, string now")
    ]


HELD = FieldNews(
    object="Contact", field="Tier__c", kind="added", before="", after="string(80)",
    change_id=4, change_class="added", policy="freeze", state="frozen", role="held",
)  # fmt: skip


def test_a_change_that_a_policy_holds_back_is_told_whoever_uses_it_until_it_is_decided() -> None:
    """With what it waits for; accepted, followed and overtaken ones are over."""
    [frozen] = told(Notable(fields=(HELD,))).values()
    assert (frozen.holds, frozen.title) == (True, "Contact.Tier__c is new in the org")
    assert "schema_changes.added: freeze" in frozen.message
    failed = replace(
        HELD, kind="type", before="int", after="string", change_class="type", policy="fail", state="failed"
    )
    [condition] = told(Notable(fields=(failed,))).values()
    assert condition.title == "Contact.Tier__c has another type: int before, string now"
    assert "Contact is not read until it is decided (schema_changes.type: fail)" in condition.message
    for over in ({"accepted": True}, {"state": "followed"}, {"state": "overtaken"}):
        [condition] = told(Notable(fields=(replace(HELD, **over),))).values()
        assert (condition.holds, condition.key) == (False, frozen.key)


def test_a_change_is_told_once_and_not_by_its_last_word_too() -> None:
    """What waits is told as that; the keys differ, so that neither resolves the other."""
    waiting = replace(HELD, field="Email", kind="removed", policy="fail", state="failed")
    conditions = told(Notable(fields=(waiting, replace(waiting, role="word"))), Email=("push people",))
    assert [each.holds for each in conditions.values()] == [True, False]


def test_another_label_of_a_field_that_something_uses_is_passing_news() -> None:
    """And no news of one that nothing uses."""
    passing = replace(GONE, kind="label", before="Email", after="Mail", role="passing", change_id=9)
    [condition] = told(Notable(fields=(passing,)), Email=("check mail",)).values()
    assert (condition.holds, condition.once) == (True, True)
    assert condition.title == "Contact.Email has another label: Email before, Mail now"
    assert holding(Notable(fields=(passing,))) == []


def test_an_onboarding_ends_when_every_object_is_complete() -> None:
    """With what it took; an object that is missing keeps it open."""
    ended = Onboarding(
        objects=4,
        began_at=BEGAN,
        last_forecast_at=BEGAN,
        ended_at=BEGAN + timedelta(minutes=90),
        rows=1_234_567,
        incomplete=(),
    )
    (condition,) = told(Notable(onboarding=ended)).values()
    assert (condition.event, condition.once) == (Event.ONBOARDING_ENDED, True)
    assert condition.message.startswith("The first loads of 4 objects are complete: 1,234,567 rows in 90 minutes")
    assert told(Notable(onboarding=replace(ended, incomplete=("Lead",)))) == {}


def test_a_pause_belongs_to_its_dag() -> None:
    """Another DAG's run that goes on doesn't end it."""
    assert waits_for_calls("main_extract", "r1", "quota").key == "budget_paused:main_extract"
    assert waits_for_calls("main_extract_people", "r1", "quota").key != waits_for_calls("main_extract", "r2", "").key


def test_a_long_message_is_cut_and_stays_in_one_line() -> None:
    """It goes into a subject's mail, not into a log."""
    (condition,) = told(Notable(last_runs=(replace(RUN, message="a\nb " * 500),))).values()
    assert len(condition.message) == 600
    assert "\n" not in condition.message


def test_a_refused_connection_is_told_once_for_all_its_pushes() -> None:
    """Not each push that it holds up is a failure of its own; when the platform takes it again, that is told."""
    push = replace(RUN, kind="push", subject="people")
    refused = OpenCircuit(
        connection="insider_one_demo", reason="refused", opened_by="people", opened_at=BEGAN, probe_at=BEGAN
    )
    notable = Notable(
        last_runs=(push,),
        held_by_refusal=frozenset({push.run_id}),
        connections=("insider_one_demo",),
        refused=(refused,),
    )

    assert holding(notable) == [(Event.CREDENTIALS_REFUSED, "The platform refuses the connection insider_one_demo")]
    over = told(replace(notable, last_runs=(), refused=()))
    assert not over["credentials_refused:insider_one_demo"].holds
