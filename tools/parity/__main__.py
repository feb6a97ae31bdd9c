"""Compare the warehouse with what other clients read while people work in the org: `python -m tools.parity`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from include.local.postgres import temporary_server
from include.salesforce.auth import Credentials
from include.warehouse.engine import open_warehouse
from include.warehouse.migrate import migrate
from tools.parity.ours import Ours
from tools.parity.report import exit_status, report
from tools.parity.story import OBJECTS, Story
from tools.peers.airbyte import Airbyte
from tools.peers.org import running_org
from tools.peers.peer import Skipped
from tools.peers.scripted import Jsforce, SimpleSalesforce

_ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments: list[str] | None = None) -> int:
    """Let all read the org while it lives and after it stopped; return 1 unless they agree on every value."""
    parser = argparse.ArgumentParser(prog="python -m tools.parity", description=__doc__)
    parser.add_argument("--home", type=Path, default=Path(os.environ.get("HEADWATER_HOME") or _ROOT / ".headwater"))
    parser.add_argument("--contacts", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--changes", type=int, default=600, help="a minute")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that org and PostgreSQL are stopped, too

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {text}", file=sys.stderr, flush=True)

    home = options.home.resolve() / "peers"
    with (
        temporary_server(_fresh(home / "parity")) as url,
        running_org(home / "org", contacts=options.contacts, seed=options.seed) as org,
    ):
        engine = open_warehouse(url)
        migrate(engine)
        settings = org.settings()
        credentials = Credentials(
            kind="client_credentials", login_url=org.url, client_id=settings["client_id"],
            client_secret=settings["client_secret"],
        )  # fmt: skip
        peers = (SimpleSalesforce(), Jsforce(), Airbyte())
        story = Story(org, Ours(engine, credentials, OBJECTS), home, peers, say)
        try:
            story.install()
        except Skipped as reason:
            print(f"A client {reason}. Nothing was compared.", file=sys.stderr)
            return 1
        story.live(options.rounds, changes_per_minute=options.changes, seed=options.seed)
        story.still()
        engine.dispose()
    print(report(story.told))
    return exit_status(story.told)


def _fresh(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
