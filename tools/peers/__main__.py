"""Run the peers: `python -m tools.peers`; PEERS=jsforce,dlt names some of them."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from tools.peers.airbyte import Airbyte
from tools.peers.org import running_org
from tools.peers.peer import Peer
from tools.peers.report import exit_status, report
from tools.peers.scripted import Dlt, Jsforce, SimpleSalesforce
from tools.peers.sf_cli import SalesforceCli
from tools.peers.singer import SingerTap
from tools.peers.story import Story

_ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments: list[str] | None = None) -> int:
    """Lead the chosen clients through the org, print what they saw, and return 1 unless they ran and saw the same."""
    parser = argparse.ArgumentParser(prog="python -m tools.peers", description=__doc__)
    parser.add_argument("--home", type=Path, default=Path(os.environ.get("HEADWATER_HOME") or _ROOT / ".headwater"))
    parser.add_argument("--contacts", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peers", default="", help="names, with commas between; all when empty")
    options = parser.parse_args(arguments)
    chosen = [each for each in options.peers.split(",") if each]
    peers = [each for each in _peers() if not chosen or each.name in chosen]
    if not peers:
        known = ", ".join(each.name for each in _peers())
        print(f"No client is called {options.peers}; there are {known}. Nothing was compared.", file=sys.stderr)
        return 2
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the org is stopped, too

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {text}", file=sys.stderr, flush=True)

    home = options.home.resolve() / "peers"
    with running_org(home / "org", contacts=options.contacts, seed=options.seed) as org:
        story = Story(org, home, peers, say)
        story.tell()
    print(report(story))
    return exit_status(story.visits)


def _peers() -> list[Peer]:
    return [
        SimpleSalesforce(),
        Jsforce(),
        SalesforceCli(),
        Airbyte(),
        Dlt(),
        SingerTap("tap-salesforce", {"REST": "REST", "Bulk 1.0": "BULK"}, "tap-salesforce==2.8.1"),
        SingerTap(
            "tap-salesforce (newest)", {"REST": "REST", "Bulk 1.0": "BULK"}, "", "singer-io/tap-salesforce",
            "SINGER_TAP", "1a51ba055610e3c3f662d4cfe00f715901bce6d5",
        ),
        SingerTap(
            "tap-salesforce (Meltano)", {"REST": "REST", "Bulk 1.0": "BULK", "Bulk 2.0": "BULK2"}, "",
            "MeltanoLabs/tap-salesforce", "MELTANO_TAP", "9915ca2683860f8810d8067792719b9b76e9995c",
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
