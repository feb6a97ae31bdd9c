"""Run the fault campaign: `python -m tools.faults`; ends with 1 if anything was lost, doubled or became older."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments: list[str] | None = None) -> int:
    """Lead a campaign, print its tables, and return 0 when the warehouse equals the org."""
    options = _parser().parse_args(arguments)
    home: Path = options.home.resolve() / "faults"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    # The tasks use our retry policy, and Airflow writes into its home as soon as it is imported.
    os.environ["AIRFLOW_HOME"] = str(home / "airflow")
    from tools.faults.campaign import Campaign
    from tools.faults.ledger import RunLedger
    from tools.faults.report import counts, report

    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped, too

    def say(text: str) -> None:
        if not options.quiet:
            print(f"[{time.monotonic() - began:5.0f} s] {text}", file=sys.stderr, flush=True)

    campaign = Campaign(
        home, faults=options.faults, kills=options.kills, seed=options.seed, contacts=options.contacts, say=say
    )
    try:
        campaign.lead()
        print(report(campaign, RunLedger(campaign.warehouse.url), seed=options.seed))
    finally:
        campaign.end()
    found = counts(campaign)
    quiet_end = all(each.told.state != "failed" for each in campaign.tally.peace)
    return 0 if quiet_end and not (found["lost"] or found["doubled"] or found["regressed"]) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.faults", description=__doc__)
    parser.add_argument("--home", type=Path, default=Path(os.environ.get("HEADWATER_HOME") or _ROOT / ".headwater"))
    parser.add_argument("--faults", type=int, default=500, help="go on until so many calls were disturbed")
    parser.add_argument("--kills", type=int, default=100, help="and so many processes were killed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--contacts", type=int, default=2200, help="of the org; the other objects follow")
    parser.add_argument("--quiet", action="store_true", help="print the tables only")
    return parser


if __name__ == "__main__":
    sys.exit(main())
