"""Run the local Insider One: ``python -m include.sandbox.insider_one --port 8091 --home DIR``."""

from __future__ import annotations

import argparse
import gc
from pathlib import Path

import uvicorn

from include.sandbox.insider_one.app import make_app


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m include.sandbox.insider_one", description="A local Insider One.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8091)
    parser.add_argument("--home", type=Path, required=True, help="folder of the database; it is made if missing")
    parser.add_argument("--requests-per-minute", type=int, default=25_000)
    options = parser.parse_args()
    app = make_app(options.home, requests_per_minute=options.requests_per_minute)
    gc.set_threshold(200_000, 20, 20)  # a request is a tree of 20,000 values that lives for a moment and has no cycles
    # Longer than a client's pause between two batches: a connection closed in that moment looks like a lost answer.
    uvicorn.run(
        app, host=options.host, port=options.port, log_level="warning", access_log=False, timeout_keep_alive=300
    )


if __name__ == "__main__":
    main()
