"""Run the bench: `python -m tools.bench --rows 200000`; ONLY=extract, JSON=1."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from tools.bench.airflow import measure_airflow
from tools.bench.bench import ROOT, Bench
from tools.bench.delivery import measure_delivery
from tools.bench.extract import measure_extract
from tools.bench.figures import Figure, as_line, as_table
from tools.bench.health import measure_health
from tools.bench.killed import measure_killed
from tools.bench.later import measure_activation
from tools.bench.machine import describe_machine
from tools.bench.mapping import measure_mapping
from tools.bench.others import measure_peers
from tools.bench.pages import measure_pages
from tools.bench.server import running_server

# What is measured, by area: each entry yields figures. An area that is new has a place here.
AREAS: Mapping[str, tuple[Callable[[Bench], Iterator[Figure]], ...]] = {
    "extract": (measure_extract, measure_killed, measure_airflow, measure_peers),
    "health": (measure_health,),
    "activation": (measure_mapping, measure_activation, measure_delivery),
    "pages": (measure_pages,),
}


def main(arguments: list[str] | None = None) -> int:
    """Measure the chosen areas and print the table, or one line of JSON for each figure."""
    options = _parser().parse_args(arguments)
    chosen = [each for each in options.only.split(",") if each] or list(AREAS)
    unknown = [each for each in chosen if each not in AREAS]
    if unknown:
        print(f"No area is called {', '.join(unknown)}; there are {', '.join(AREAS)}.", file=sys.stderr)
        return 2
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped, too

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {text}", file=sys.stderr, flush=True)

    home: Path = options.home.resolve() / "bench"
    home.mkdir(parents=True, exist_ok=True)
    figures: list[Figure] = []
    with ExitStack() as stack:
        server = options.postgres or stack.enter_context(running_server(home))
        machine = describe_machine(server)
        bench = Bench(
            home=home, server=server, rows=options.rows, repeats=options.repeats or (3 if options.rows <= 10**6 else 1),
            peer_rows=min(options.rows, options.peer_rows), say=say,
            peers=tuple(each for each in options.peers.split(",") if each),
        )  # fmt: skip
        for measure in (each for area in chosen for each in AREAS[area]):
            for figure in measure(bench):
                figures.append(figure)
                if options.json:
                    print(as_line(figure), flush=True)
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{machine}; when it ended: {load}", file=sys.stderr if options.json else sys.stdout)
    if not options.json:
        print(f"\n{as_table(figures)}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--home", type=Path, default=Path(os.environ.get("HEADWATER_HOME") or ROOT / ".headwater"))
    parser.add_argument("--only", default="", help=f"areas, with commas between: {', '.join(AREAS)}; all when empty")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=0, help="of what is compared; 3, above a million rows 1")
    parser.add_argument("--peers", default="", help="names, with commas between; all when empty, - for none")
    parser.add_argument("--peer-rows", type=int, default=50_000, help="the most that other clients are given to load")
    parser.add_argument("--postgres", default="", help="URL of a server's database postgres; its own when empty")
    parser.add_argument("--json", action="store_true", help="one line of JSON for each figure")
    return parser


if __name__ == "__main__":
    sys.exit(main())
