"""Run the sandbox org alone: `python -m include.sandbox.org --port 18100 --home .headwater/org`."""

from __future__ import annotations

import argparse
import shutil
import socket
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from include.sandbox.org import sheet
from include.sandbox.org.generator.run import RECORDS, generate
from include.sandbox.org.http.app import build_app
from include.sandbox.org.latency import PROFILES
from include.sandbox.org.life import Settings
from include.sandbox.org.life.team import begin_life
from include.sandbox.org.org import open_org
from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.serving import Doors, serve
from include.sandbox.org.store.database import Database
from include.sandbox.org.tls.authority import open_certificate
from include.sandbox.org.tls.proxy import LOOPBACK
from include.sandbox.org.token_store import FILE


def main(arguments: list[str] | None = None) -> int:
    """Open or make the org, print its sheet, and serve until stopped."""
    options = _parser().parse_args(arguments)
    home: Path = options.home.resolve()
    doors = Doors(host=options.host, port=options.port, tls_port=options.tls_port, proxy_port=options.proxy_port)
    for name, host, port in _listened(doors):
        if _taken(host, port):
            return _refuse(f"Port {port} of {host} is taken. Stop what listens there, or choose another --{name}.")
    if options.fresh and home.exists():
        _clear(home)
    home.mkdir(parents=True, exist_ok=True)
    catalogue = Catalogue()
    try:
        database = Database(home / "org.duckdb", catalogue, memory=options.memory, threads=options.threads)
    except duckdb.IOException as error:
        return _refuse(f"{home} can't be opened; another org may be running on it. {error}")
    try:
        problem = _filled(database, catalogue, options)
    except BaseException:
        database.close()
        raise
    if problem:
        database.close()
        return _refuse(problem)
    org = open_org(home, database, catalogue, daily_calls=options.daily_calls, idle_seconds=options.session_seconds,
                   rotate=options.rotate)  # fmt: skip
    org.allocation.long_calls.most = options.long_calls
    org.latency.choose(options.latency)
    if options.life:
        begin_life(org, Settings(changes_per_minute=options.life, seed=int(database.meta()["seed"])))
    secure = doors.tls_port is not None or doors.proxy_port is not None
    certificate = open_certificate(home / "tls") if secure else None
    if not options.quiet:
        sys.stdout.write(sheet.text(doors, org, certificate))
        sys.stdout.flush()
    app = build_app(org, control_from_anywhere=options.control_from_anywhere, host=options.host)
    serve(app, doors, certificate)
    return 0


def _refuse(problem: str) -> int:
    sys.stderr.write(problem + "\n")
    return 2


def _listened(doors: Doors) -> list[tuple[str, str, int]]:
    """Return option, host and port of every door."""
    found = [("port", doors.host, doors.port), ("tls-port", doors.host, doors.tls_port),
             ("proxy-port", LOOPBACK, doors.proxy_port)]  # fmt: skip
    return [(name, host, port) for name, host, port in found if port is not None]


def _taken(host: str, port: int) -> bool:
    """Say whether something listens there already; found out before minutes go into making records."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m include.sandbox.org", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=18100)
    parser.add_argument("--tls-port", type=int, help="answer https there too, with a certificate authority of its own")
    parser.add_argument(
        "--proxy-port", type=int, help="run a proxy there that leads Salesforce's host names to the org"
    )
    parser.add_argument("--home", type=Path, required=True, help="folder that keeps the records")
    parser.add_argument("--contacts", type=int, help="how many contacts a fresh org gets (default 20000)")
    parser.add_argument("--seed", type=int, help="seed of a fresh org's records (default 1)")
    parser.add_argument("--today", type=date.fromisoformat, help="day on which a fresh org's history ends (UTC)")
    parser.add_argument("--fresh", action="store_true", help="throw away what the home holds and begin anew")
    parser.add_argument("--daily-calls", type=int, default=100_000, help="API calls allowed in 24 hours")
    parser.add_argument("--long-calls", type=int, default=25, help="calls of 20 s and more allowed at once")
    parser.add_argument("--latency", choices=tuple(PROFILES), default="none", help="how slow answers and jobs are")
    parser.add_argument("--life", type=float, default=0, metavar="RATE", help="changes a minute that people make")
    parser.add_argument("--session-seconds", type=float, default=7200.0, help="a session dies after so much inactivity")
    parser.add_argument("--rotate", action="store_true", help="let every refresh token be redeemed only once")
    parser.add_argument("--memory", default="500MB", help="what the store may use")
    parser.add_argument("--threads", type=int, default=2, help="threads of the store")
    parser.add_argument("--control-from-anywhere", action="store_true", help="answer /sandbox/ to other machines too")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    return parser


def _filled(database: Database, catalogue: Catalogue, options: argparse.Namespace) -> str | None:
    """Make the records of a fresh org; return what is wrong if the home holds another one than was asked for."""
    meta = database.meta()
    if "generated" in meta:
        if meta.get("records") != RECORDS:
            return f"{options.home} holds records as an older version made them. Start with --fresh to make them anew."
        for name in ("contacts", "seed"):
            asked = getattr(options, name)
            if asked is not None and str(asked) != meta[name]:
                return (
                    f"{options.home} holds an org with {name} {meta[name]}, not {asked}. "
                    "Start with --fresh to make it anew, or choose another --home."
                )
        return None
    if any(database.rows(f'SELECT 1 FROM "{each}" LIMIT 1') for each in catalogue.objects):
        return f"{options.home} holds an org that was not finished. Start with --fresh to make it anew."
    contacts = options.contacts if options.contacts is not None else 20_000
    seed = options.seed if options.seed is not None else 1
    today = options.today or datetime.now(tz=UTC).date()
    began = time.monotonic()

    def say(text: str) -> None:
        if not options.quiet:
            sys.stdout.write(f"{text} ({time.monotonic() - began:.1f} s)\n")
            sys.stdout.flush()

    generate(database, catalogue, contacts=contacts, seed=seed, today=today, say=say)
    database.remember(
        {
            "contacts": str(contacts), "seed": str(seed), "today": today.isoformat(),
            "created": datetime.now(tz=UTC).isoformat(timespec="seconds"), "generated": "yes", "records": RECORDS,
        }
    )  # fmt: skip
    return None


def _clear(home: Path) -> None:
    """Remove what an org keeps in its home, and nothing else."""
    for name in ("org.duckdb", "org.duckdb.wal", "clock.json", "allocation.json", FILE, f"{FILE}-wal", f"{FILE}-shm"):
        (home / name).unlink(missing_ok=True)
    for name in ("jobs", "spill"):
        shutil.rmtree(home / name, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
