"""First figures of activation: one push of every contact to the sandbox Insider One."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tools.bench.bench import ROOT, Bench, environment
from tools.bench.figures import Figure
from tools.bench.org import running_org
from tools.bench.server import free_port, fresh_database, settle


def measure_activation(bench: Bench) -> Iterator[Figure]:
    """Yield how many contacts a second are delivered."""
    with (
        _loaded(bench, "bench_activation", "Account,Contact") as warehouse,
        _platform(bench.home / "platform") as platform,
    ):
        bench.say("deliver")
        told = _work("push", warehouse, "--platform", platform)
    yield Figure(
        name="activation.deliver", value=told["selected"] / told["seconds"], unit="rows/s",
        note=f"{told['delivered']:,} of {told['selected']:,} delivered, the sandbox Insider One on the same cores",
    )  # fmt: skip
    yield Figure(name="activation.select", value=told["seconds_select"], unit="s", note="what has to be sent, in SQL")
    yield Figure(name="activation.peak_memory", value=told["peak_mib"], unit="MiB")


@contextmanager
def _loaded(bench: Bench, database: str, objects: str) -> Iterator[str]:
    with (
        running_org(bench.home / f"org-{bench.rows}", contacts=bench.rows) as org,
        fresh_database(bench.server, database) as warehouse,
    ):
        bench.say(f"load {objects}")
        bench.load(warehouse, org.url, run="first", name="demo", objects=objects, migrate="")
        settle(warehouse)
        yield warehouse


@contextmanager
def _platform(home: Path) -> Iterator[str]:
    shutil.rmtree(home, ignore_errors=True)
    port = free_port()
    command = [sys.executable, "-m", "include.sandbox.insider_one", "--port", str(port), "--home", str(home)]
    command += ["--requests-per-minute", "10000000"]
    server = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                httpx.get(f"{url}/sandbox/counts", trust_env=False, timeout=5).raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=30)


def _work(what: str, warehouse: str, *options: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tools.bench.work", what, "--warehouse", warehouse, *options]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{what} failed: {done.stderr.strip()[-1500:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))
