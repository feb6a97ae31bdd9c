"""Push contacts to a platform that fails in both ways, twice; compare what it holds then with what the mapping says.

Between the cycles one contact in twenty changes. Cycle one meets transient and permanent failures, cycle two only the
permanent ones. What may be sent again without harm is not tried again within the first cycle: that is for the second.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import urllib3
from sqlalchemy import Engine, text

from include.activation.deliver import deliver_push
from include.activation.options import PushMode, options_of
from include.activation.select import select_push
from include.config.platforms import PLATFORMS, Match
from include.config.pushes import PushDefinition
from include.destinations.catalogue import entry
from include.destinations.line import Patience
from include.destinations.protocol import Destination, Policy
from include.errors import RetryableError
from include.records import AirflowRun, OutcomeCounts
from include.warehouse.engine import transaction
from tools.deliveries.grounds import GROUNDS, Held, Values, push_to, refused
from tools.deliveries.source import Contacts

_ROOT = Path(__file__).resolve().parent.parent.parent
_LOOK_AGAIN = (0.2, 0.3, 0.5, 1.0, 1.0, 2.0, 5.0)  # seconds between two questions after a job of the platform
_FOREVER = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Hold what became of a campaign on one platform; `faults` are what should not be, each as a sentence."""

    platform: str
    cycles: tuple[OutcomeCounts, ...]
    requests: int
    disturbed: int
    refused: int
    seconds: float
    faults: tuple[str, ...] = field(default=())


@contextmanager
def running_platform(name: str, home: Path, port: int) -> Iterator[Held]:
    """Run a platform's sandbox with wide windows."""
    module, options = f"include.sandbox.{name}", GROUNDS[name].options
    command = [sys.executable, "-m", module, "--port", str(port), "--home", str(home / name), *options]
    with subprocess.Popen(command, cwd=_ROOT) as process:
        try:
            held = Held(f"http://127.0.0.1:{port}")
            _wait(held, process)
            yield held
        finally:
            process.terminate()


def carry_out(
    contacts: Contacts, name: str, held: Held, *, transient: float = 0.05, permanent: float = 0.01
) -> Verdict:
    """Lead both cycles on one platform and judge the end."""
    push = push_to(name)
    began = time.monotonic()
    wrong = {"reject_share": permanent}
    held.faults(wrong, {"status": 503, "share": transient, "times": _FOREVER})
    first = _cycle(contacts, push, _opened(push, held, patient=False))
    disturbed = held.disturbed()
    waiting = _open_errors(contacts.engine, push)
    contacts.touch()
    held.faults(wrong)
    second = _cycle(contacts, push, _opened(push, held, patient=True))
    expected = {
        values["Id"]: values
        for number in range(1, contacts.count + 1)
        for values in (contacts.values(number, touched=True),)
    }
    for record in waiting:  # a change that could not be told before the next one is told with it, as one event
        expected[record]["events"] = 1
    doomed = {record for record, values in expected.items() if refused(name, values, permanent)}
    faults = [
        *_of_errors(contacts.engine, push, doomed),
        *_of_platform(GROUNDS[name].read(held), expected, doomed),
        *_of_counts(second, contacts, doomed),
    ]
    return Verdict(
        platform=name,
        cycles=(first, second),
        requests=int(held.counts()["requests"]),
        disturbed=disturbed,
        refused=len(doomed),
        seconds=time.monotonic() - began,
        faults=tuple(faults),
    )


def _opened(push: PushDefinition, held: Held, *, patient: bool) -> Destination:
    # Where a second sending could double an event, a failure that outlasts the attempts is nobody's to retry.
    attempts = 1 if _may_repeat(push.destination.platform) and not patient else 6
    patience = Patience(attempts=attempts, sleep=lambda seconds: time.sleep(min(seconds, 0.02)))
    policy = Policy(match=push.match_policy or Match.UPSERT, clear_nulls=push.nulls == "clear")
    return GROUNDS[push.destination.platform].open(held.url, patience, policy)


def _may_repeat(name: str) -> bool:
    can = PLATFORMS[name].capabilities
    return can.dedupes_events or can.reads_back


def _cycle(contacts: Contacts, push: PushDefinition, destination: Destination) -> OutcomeCounts:
    """Run a push as its DAG does: select, deliver, and deliver again while the platform asks for it."""
    options = options_of(push, skip_hook=False)
    selection = select_push(contacts.engine, push, mode=PushMode.CHANGED, run=AirflowRun(), options=options)
    for attempt in range(1, 21):
        try:
            return deliver_push(
                contacts.engine,
                push,
                destination,
                run_id=selection.run_id,
                skip_hook=False,
                fast_fail=False,
                batch_size=options.batch_size,
                parallel=entry(push.destination.platform).parallel,
                now=lambda: datetime.now(UTC),
                job_pauses=_LOOK_AGAIN,
            )
        except RetryableError:
            if attempt == 20:
                raise
    raise AssertionError


def _open_errors(engine: Engine, push: PushDefinition) -> list[str]:
    with transaction(engine) as connection:
        statement = text("SELECT record_id FROM headwater.sync_error WHERE push = :push AND settled_at IS NULL")
        return [row.record_id for row in connection.execute(statement, {"push": push.push})]


def _of_errors(engine: Engine, push: PushDefinition, doomed: set[str]) -> list[str]:
    """Say where the open sync errors are not exactly those who can never be taken."""
    with transaction(engine) as connection:
        rows = connection.execute(
            text(
                "SELECT record_id, outcome, cause FROM headwater.sync_error WHERE push = :push AND settled_at IS NULL"
            ),
            {"push": push.push},
        ).all()
    found = {row.record_id for row in rows}
    faults = [f"{record} is no sync error and should be one" for record in sorted(doomed - found)]
    faults += [
        f"{row.record_id} is a sync error ({row.outcome}, {row.cause})" for row in rows if row.record_id not in doomed
    ]
    return faults + ([f"{len(rows)} sync errors of {len(found)} records"] if len(rows) != len(found) else [])


def _of_platform(held: dict[str, Values], expected: dict[str, Values], doomed: set[str]) -> list[str]:
    """Say which records the platform holds otherwise than the mapping says."""
    faults = []
    for record, values in expected.items():
        there = held.pop(record, None)
        if record in doomed:
            faults += [f"{record} was refused and is there"] if there is not None else []
        elif there is None:
            faults.append(f"{record} is missing")
        else:
            faults += [f"{record}: {field} is {value!r}, not {values[field]!r}" for field, value in there.items()
                       if value != values[field]]  # fmt: skip
    return faults + [f"{record} is nobody" for record in held]


def _of_counts(last: OutcomeCounts, contacts: Contacts, doomed: set[str]) -> list[str]:
    """Say whether the last cycle left anything undecided."""
    left = {"accepted": last.accepted, "unknown": last.unknown, "held": last.held}
    faults = [f"{count} records ended {outcome}" for outcome, count in left.items() if count]
    return faults + ([f"{last.settled} outcomes for {last.selected} records"] if last.settled != last.selected else [])


def _wait(held: Held, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        try:
            held.counts()
        except urllib3.exceptions.HTTPError:
            if process.poll() is not None:
                raise
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(held.url)
