"""Kill deliveries at any step, many times: `python -m tests.faults.push`; ends with 1 if an event is doubled or lost.

Each round changes some records, delivers them in a process that kills itself at a random moment (before a commit, or
around a request), drops some answers besides, and delivers again. At the end every change must have made one event at
a platform that dedupes or can be read back; elsewhere at most one, and a missing one must be an `unknown`.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from include.activation.options import PushRunOptions
from include.local.postgres import temporary_server
from include.warehouse.engine import open_warehouse
from include.warehouse.migrate import migrate
from tests.activation.dying import Dying, kill_in_child
from tests.activation.source import Org, contact_id, definition, deliver, select
from tests.faults.counting import Counting, Ledger, counting_platform

_MOMENTS = ("commit", "before_send", "after_send")
_RECORDS = 12
OPTIONS = PushRunOptions(batch_size=3, max_failed_share=1.0)


@dataclass(kw_only=True)
class Tally:
    """What a campaign did and what it found."""

    promise: str
    kills: int = 0
    rounds: int = 0
    changes: int = 0
    stored: int = 0
    doubled: int = 0
    lost: int = 0  # neither at the platform nor an unknown
    unknown: int = 0

    def __str__(self) -> str:
        return (
            f"{self.promise:10} {self.kills:5} kills {self.rounds:5} rounds {self.changes:6} changes"
            f" {self.stored:6} events stored {self.doubled:4} doubled {self.lost:4} lost {self.unknown:5} unknown"
        )


def campaign(engine: Engine, promise: str, *, kills: int, seed: int) -> Tally:
    """Kill so many deliveries to a platform of one kind, and count what became of the events."""
    chance, tally = random.Random(seed), Tally(promise=promise)
    org, push = Org(engine), definition(identifiers={"uuid": "Id"})
    org.lay_out()
    org.add_contacts(_RECORDS)
    tally.changes = _RECORDS
    with counting_platform(promise) as (ledger, url):
        while tally.kills < kills:
            tally.rounds += 1
            if tally.rounds > 1:
                for number in chance.sample(range(1, _RECORDS + 1), 6):
                    tally.changes += 1
                    org.touch(number, minutes=60 * tally.rounds, Title=f"Nr {tally.rounds}")
            if chance.random() < 0.3:
                ledger.drop.add(ledger.requests + chance.randint(1, 3))
            run = select(engine, push)
            _kill(engine, url, promise, run.run_id, chance)
            tally.kills += _was_killed(org, run.run_id)
            deliver(engine, push, Counting(url, promise), run.run_id, options=OPTIONS)
        # What is unknown and may be sent again goes with the next run, whatever its turn.
        for _ in range(3):
            run = select(engine, push)
            ledger.drop.clear()
            deliver(engine, push, Counting(url, promise), run.run_id, options=OPTIONS)
        _judge(org, ledger, tally)
    return tally


def _kill(engine: Engine, url: str, promise: str, run_id: int, chance: random.Random) -> None:
    moment, number = chance.choice(_MOMENTS), chance.randint(1, 6)
    kill_in_child(
        engine.url.render_as_string(hide_password=False),
        run_id,
        moment,
        number,
        platform=lambda before, after: Dying(Counting(url, promise), before, after),
        push=definition(identifiers={"uuid": "Id"}),
        options=OPTIONS,
    )


def _was_killed(org: Org, run_id: int) -> int:
    (row,) = org.run("SELECT state FROM headwater.run WHERE run_id = :id", id=run_id)
    return int(row.state == "running")


def _judge(org: Org, ledger: Ledger, tally: Tally) -> None:
    tally.stored = len(ledger.stored)
    tally.doubled = sum(count > 1 for count in ledger.stored.values())
    open_unknown = org.run(
        "SELECT event_key FROM headwater.sync_error WHERE settled_at IS NULL AND outcome = 'unknown'"
    )
    unknown = {row.event_key for row in open_unknown}
    tally.unknown = len(unknown)
    tally.lost = tally.changes - len({key for key, count in ledger.stored.items() if count} | unknown)
    assert len(ledger.profiles) == _RECORDS, "a profile is missing"
    latest = org.run('SELECT "Id" AS id, "FirstName" AS name FROM salesforce_demo."Contact"')
    assert {row.id for row in latest} == {contact_id(number) for number in range(1, _RECORDS + 1)}


@contextmanager
def fresh_warehouse(server: str) -> Iterator[Engine]:
    """Yield a database of its own on a PostgreSQL server."""
    name = f"push_faults_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
    engine = open_warehouse(make_url(server).set(database=name).render_as_string(hide_password=False))
    try:
        migrate(engine)
        yield engine
    finally:
        engine.dispose()
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def _server(given: str) -> Iterator[str]:
    """Yield the URL of the server that was named, or of one that lives as long as this."""
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="headwater-push-faults-") as folder, temporary_server(Path(folder)) as url:
        yield url


def main(arguments: list[str] | None = None) -> int:
    """Lead a campaign against each kind of platform and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.push", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="of deliveries, for each kind of platform")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--postgres", default=os.environ.get("HEADWATER_TEST_POSTGRES", ""), help="a server's URL; none: one is started"
    )
    options = parser.parse_args(arguments)
    bad = 0
    for promise in ("dedupes", "reads_back", "neither"):
        with _server(options.postgres) as server, fresh_warehouse(server) as engine:
            tally = campaign(engine, promise, kills=options.kills, seed=options.seed)
        sys.stdout.write(f"{tally}\n")
        sys.stdout.flush()
        bad += tally.doubled + tally.lost + (tally.unknown if promise != "neither" else 0)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
