"""Find duplicates among people whose truth is known: `python -m tools.duplicates`; ends with 1 if goals are missed."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments: list[str] | None = None) -> int:
    """Make people, find duplicates, print what was found, and return 0 when the goals are met."""
    options = _parser().parse_args(arguments)
    home: Path = options.home.resolve() / "duplicates"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    from include.warehouse.engine import open_warehouse
    from include.warehouse.migrate import migrate
    from tools.bench.machine import describe_machine
    from tools.bench.server import fresh_database, running_server
    from tools.duplicates.crowd import Crowd
    from tools.duplicates.measure import measure
    from tools.duplicates.probable import measure_probable
    from tools.duplicates.report import as_json, as_text, met

    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        server = options.postgres or stack.enter_context(running_server(home))
        machine = describe_machine(server)
        engine = open_warehouse(stack.enter_context(fresh_database(server, f"headwater_duplicates_{os.getpid()}")))
        stack.callback(engine.dispose)
        migrate(engine)
        crowd = Crowd(home, contacts=options.contacts, seed=options.seed)
        stack.callback(crowd.close)
        if options.probable:
            told = measure_probable(engine, crowd, threshold=options.probable, memory_mb=options.memory)
            print(json.dumps({"machine": machine, **told}, indent=None if options.json else 1))
            return 0
        measured = measure(engine, crowd)
    print(json.dumps(as_json(measured) | {"machine": machine}) if options.json else f"{machine}\n\n{as_text(measured)}")
    return 0 if met(measured) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.duplicates", description=__doc__)
    parser.add_argument("--home", type=Path, default=Path(os.environ.get("HEADWATER_HOME") or _ROOT / ".headwater"))
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", default="", help="a server of yours; a database is made and dropped there")
    parser.add_argument("--probable", type=float, default=0, help="measure Splink instead, from this probability on")
    parser.add_argument("--memory", type=int, default=1000, help="MB that Splink's engine may take")
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
