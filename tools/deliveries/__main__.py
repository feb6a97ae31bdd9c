"""Push contacts to every platform while it fails: `python -m tools.deliveries`; ends with 1 if a record is wrong."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.deliveries.campaign import Verdict

_ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments: list[str] | None = None) -> int:
    """Lead a campaign on each platform, print a table, and return 0 when every record is where it should be."""
    options = _parser().parse_args(arguments)
    home: Path = options.home.resolve() / "deliveries"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    from include.warehouse.engine import open_warehouse
    from include.warehouse.migrate import migrate
    from tools.bench.server import free_port, fresh_database, running_server
    from tools.deliveries.campaign import carry_out, running_platform
    from tools.deliveries.source import Contacts, this_second

    verdicts: list[Verdict] = []
    with running_server(home) as server:
        for name in options.platforms:
            with ExitStack() as stack:
                engine = open_warehouse(stack.enter_context(fresh_database(server, f"deliveries_{name}")))
                stack.callback(engine.dispose)
                migrate(engine)
                contacts = Contacts(engine=engine, count=options.records, began=this_second())
                contacts.lay_out()
                held = stack.enter_context(running_platform(name, home, options.port or free_port()))
                verdict = carry_out(contacts, name, held, transient=options.transient, permanent=options.permanent)
                verdicts.append(verdict)
                print(line(verdict), flush=True)
                for fault in verdict.faults[:20]:
                    print(f"    !! {fault}", flush=True)
    shutil.rmtree(home, ignore_errors=True)
    wrong = sum(len(verdict.faults) for verdict in verdicts)
    print(f"{len(verdicts)} platforms, {options.records:,} records each: {wrong or 'nothing'} wrong")
    return 1 if wrong else 0


def line(verdict: Verdict) -> str:
    """Return one line of the table."""
    first, second = verdict.cycles
    return (
        f"{verdict.platform:<12} cycle 1: {first.delivered:,} delivered, {first.failed:,} failed;"
        f" cycle 2: {second.delivered:,} delivered, {second.failed:,} failed;"
        f" refused for good {verdict.refused:,}; {verdict.requests:,} requests, {verdict.disturbed:,} answered 503;"
        f" {verdict.seconds:,.1f} s; {len(verdict.faults) or 'nothing'} wrong"
    )


def _parser() -> argparse.ArgumentParser:
    from tools.deliveries.grounds import GROUNDS

    parser = argparse.ArgumentParser(prog="python -m tools.deliveries", description=__doc__)
    parser.add_argument("--home", type=Path, default=Path(os.environ.get("HEADWATER_HOME") or _ROOT / ".headwater"))
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--platforms", nargs="+", choices=sorted(GROUNDS), default=list(GROUNDS))
    parser.add_argument("--transient", type=float, default=0.05, help="share of requests that are answered 503")
    parser.add_argument("--permanent", type=float, default=0.01, help="share of records that are refused for good")
    parser.add_argument("--port", type=int, default=0, help="of the sandbox; any free one if 0")
    return parser


if __name__ == "__main__":
    sys.exit(main())
