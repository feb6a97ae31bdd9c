"""Run one platform's sandbox as a program of its own: ``python -m include.sandbox.intercom --home DIR``."""

from __future__ import annotations

import argparse
import gc
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette


def parser(name: str, what: str) -> argparse.ArgumentParser:
    """Return the options that every platform has."""
    options = argparse.ArgumentParser(prog=f"python -m include.sandbox.{name}", description=what)
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=8091)
    options.add_argument("--home", type=Path, required=True, help="folder of the database; it is made if missing")
    return options


def serve(options: argparse.Namespace, make: Callable[[], Starlette]) -> None:
    """Serve until told to stop."""
    app = make()
    gc.set_threshold(200_000, 20, 20)  # a request is a tree of many values that lives for a moment and has no cycles
    # Longer than a client's pause between two batches: a connection closed in that moment looks like a lost answer.
    uvicorn.run(
        app, host=options.host, port=options.port, log_level="warning", access_log=False, timeout_keep_alive=300
    )
