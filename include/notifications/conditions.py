"""Decide what people should know: what holds now, what no longer does, and what happened once; pure.

A condition bears a key, so that the same trouble of the next run is no news.
What a run did not look at keeps its state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from include.config.notify import Event
from include.warehouse.notable import FieldNews, LastRun, Notable

_LONGEST_MESSAGE = 600
_WORDS = {"extract": "Extract", "reconcile": "Comparison", "health": "Health assessment", "push": "Push"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Say of one matter whether it holds; `once` is for what happens and is over at once."""

    key: str
    event: Event
    holds: bool
    title: str = ""
    message: str = ""
    path: str = ""  # of the page or run that shows it
    once: bool = False
    subject: str = ""  # the check that it is about, if it is about one
    to: str = ""  # a team's address: it alone is told; "": the channels of the org


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedTask:
    """Say how a task of a DAG run ended; `message` is ours, "" when it says nothing of its own."""

    dag_id: str
    dag_run_id: str
    task_id: str
    state: str
    message: str = ""


def conditions_of(
    org: str, notable: Notable, tasks: Sequence[EndedTask], used_by: dict[tuple[str, str], tuple[str, ...]]
) -> list[Condition]:
    """Return what is known of everything that this run looked at.

    Args:
        org: name of the org's definition.
        notable: what the ledgers say.
        tasks: how the tasks of this DAG run ended.
        used_by: the pushes and checks that use a field, by (object, field).
    """
    found = [
        *_failures(org, notable),
        *_degradations(org, notable),
        *_disappearances(org, notable),
        *_refusals(notable),
        *_tasks(notable, tasks),
        *(_field(org, each, used_by.get((each.object, each.field), ())) for each in notable.fields),
    ]
    ended = _onboarding(org, notable)
    return [*found, ended] if ended else found


def waits_for_calls(dag_id: str, dag_run_id: str, message: str, *, holds: bool = True) -> Condition:
    """Return the condition of a DAG whose run waits for API calls."""
    return Condition(
        key=f"budget_paused:{dag_id}",
        event=Event.BUDGET_PAUSED,
        holds=holds,
        title=f"{dag_id} waits for API calls",
        message=_short(message),
        path=run_path(dag_id, dag_run_id),
    )


def run_path(dag_id: str, dag_run_id: str) -> str:
    """Return where Airflow shows a run, or "" when it is none of Airflow's."""
    return f"/dags/{quote(dag_id, safe='')}/runs/{quote(dag_run_id, safe='')}" if dag_id and dag_run_id else ""


def _failures(org: str, notable: Notable) -> Iterator[Condition]:
    for run in notable.last_runs:
        if run.run_id in notable.quarantined_by or run.run_id in notable.held_by_refusal:
            continue  # told as a mass disappearance, or with the connection
        first = run.kind == "extract" and not run.loaded
        yield Condition(
            key=f"failed:{run.kind}:{run.subject}",
            event=Event.ONBOARDING_FAILED if first else Event.RUN_FAILED,
            holds=run.state == "failed",
            title=f"{'First load' if first else _WORDS[run.kind]} of {run.subject_in(org)} failed",
            message=_short(run.message),
            path=run_path(run.dag_id, run.dag_run_id),
        )


def _degradations(org: str, notable: Notable) -> Iterator[Condition]:
    for run in notable.last_judged:
        what = "push" if run.kind == "push" else "copy"
        yield Condition(
            key=f"degraded:{what}:{run.subject}",
            event=Event.RUN_DEGRADED,
            holds=run.state == "degraded",
            title=f"{_WORDS[run.kind] if what == 'push' else 'The copy'} of {run.subject_in(org)} is degraded",
            message=_short(run.message),
            path=_page(org, "extracts", run.subject) if what == "copy" else run_path(run.dag_id, run.dag_run_id),
        )


def _disappearances(org: str, notable: Notable) -> Iterator[Condition]:
    for each in notable.comparisons:
        yield Condition(
            key=f"mass_disappearance:{each.object}",
            event=Event.MASS_DISAPPEARANCE,
            holds=each.quarantined,
            title=f"{each.vanished:,} records of {each.object} are gone from the org at once",
            message="They were not marked as deleted. Check the rights of the connection's user; if they were really"
            f" purged, trigger {org}_reconcile with {each.vanished} at 'Accept what vanished'.",
            path=_page(org, "extracts", each.object),
        )


def _refusals(notable: Notable) -> Iterator[Condition]:
    """Tell once of a connection that its platform refuses, however many pushes it holds up."""
    refused = {each.connection: each for each in notable.refused}
    for connection in notable.connections:
        found = refused.get(connection)
        yield Condition(
            key=f"credentials_refused:{connection}",
            event=Event.CREDENTIALS_REFUSED,
            holds=found is not None,
            title=f"The platform refuses the connection {connection}",
            message=_short(
                f"{found.reason}. Every push over it is held until the connection is mended or its check succeeds; one"
                f" tries it again at {found.probe_at:%Y-%m-%d %H:%M} UTC."
            )
            if found
            else "",
            path="/connections",
        )


def _tasks(notable: Notable, tasks: Sequence[EndedTask]) -> Iterator[Condition]:
    """Tell of tasks that failed before they could write a run down, e.g. because nobody can sign in."""
    first = any(run.kind == "extract" and not run.loaded for run in notable.last_runs) or notable.unmet
    # All tasks of a push work on one run of ours, which the first of them began: its failure is told as the push's.
    pushes = {
        (run.dag_id, run.dag_run_id) for run in (*notable.last_runs, *notable.last_judged) if _is_failed_push(run)
    }
    for task in tasks:
        if task.state not in ("failed", "success", "skipped"):
            continue  # upstream_failed tells nothing of the task itself
        written = (task.dag_id, task.dag_run_id) in pushes or (
            task.dag_run_id,
            task.task_id,
        ) in notable.failures_written
        yield Condition(
            key=f"failed:task:{task.dag_id}:{task.task_id}",
            event=Event.ONBOARDING_FAILED if first else Event.RUN_FAILED,
            holds=task.state == "failed" and not written,
            title=f"{task.dag_id}: the task {task.task_id} failed",
            message=_short(task.message) or "Its log in Airflow says why.",
            path=run_path(task.dag_id, task.dag_run_id),
        )


def _is_failed_push(run: LastRun) -> bool:
    return run.kind == "push" and run.state in ("failed", "degraded")


def _field(org: str, news: FieldNews, users: tuple[str, ...]) -> Condition:
    key = f"schema_changed:{news.object}.{news.field}"
    if news.role != "word":
        key += f":{news.change_id}"
    elif news.kind == "type":
        key += f":{news.after}"
    matters = bool(users) and news.stands and not news.waits  # what waits is told as such
    return Condition(
        key=key,
        event=Event.SCHEMA_CHANGED,
        holds=news.waits if news.role == "held" else matters,
        once=news.role == "passing",
        title=f"{news.object}.{news.field} {_what(news)}",
        message=f"{_decision(org, news)}It is used by {', '.join(users)}."
        if users
        else f"{_decision(org, news)}Nothing of ours uses it.",
        path=_page(org, "schema", news.field),
    )


def _what(news: FieldNews) -> str:
    span = f": {news.before} before, {news.after} now" if news.before and news.after else ""
    words = {
        "added": "is new in the org",
        "returned": "is there again",
        "removed": "is gone from the org",
        "type": "has another type",
        "length": "has another size",
        "formula": "is another kind of field",
        "picklist": "has other picklist values",
        "label": "has another label",
    }[news.kind]
    return f"{words}{span}" if news.kind != "picklist" else words


def _decision(org: str, news: FieldNews) -> str:
    """Return what a change that a policy held back waits for, or nothing."""
    if not news.waits:
        return ""
    key = f"schema_changes.{news.change_class}"
    if news.state == "failed":
        return (
            f"{news.object} is not read until it is decided ({key}: fail): accept the change on the page CRM → Schema,"
            f" change the policy in orgs/{org}.yaml, or take it back in Salesforce. "
        )
    return f"The warehouse stays as it was ({key}: freeze); accept the change on the page CRM → Schema to follow it. "


def _onboarding(org: str, notable: Notable) -> Condition | None:
    onboarding = notable.onboarding
    if onboarding is None or onboarding.incomplete:
        return None
    began, ended = onboarding.began_at, onboarding.ended_at
    seconds = (ended - began).total_seconds()
    took = f"{seconds / 60:,.0f} minutes" if seconds >= 120 else f"{seconds:,.0f} seconds"
    objects = "load of 1 object is" if onboarding.objects == 1 else f"loads of {onboarding.objects:,} objects are"
    return Condition(
        key=f"onboarding_ended:{onboarding.last_forecast_at.isoformat()}",
        event=Event.ONBOARDING_ENDED,
        holds=True,
        once=True,
        title=f"Onboarding of {org} ended",
        message=f"The first {objects} complete: {onboarding.rows:,} rows in {took}, from"
        f" {began:%Y-%m-%d %H:%M} to {ended:%Y-%m-%d %H:%M} UTC. From now on only changes are read.",
        path=_page(org, "extracts"),
    )


def _page(org: str, page: str, search: str = "") -> str:
    return f"/headwater/{page}?org={quote(org, safe='')}" + (f"&q={quote(search, safe='')}" if search else "")


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _LONGEST_MESSAGE else f"{words[: _LONGEST_MESSAGE - 1]}…"
