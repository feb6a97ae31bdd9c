"""Figures of delivery: ready payloads against a bare loop that posts them, and pushes of new and known records."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tools.bench.bench import ROOT, Bench, environment
from tools.bench.figures import Figure, Goal, against
from tools.bench.server import free_port, fresh_database, settle

_WHOLE_SECONDS = 60.0  # for a million new profiles on two cores
_IDLE_SECONDS = 3.0  # for a million of which none changed


def measure_delivery(bench: Bench) -> Iterator[Figure]:
    """Yield the figures."""
    with fresh_database(bench.server, "bench_delivery") as warehouse, _platform() as platform:
        bench.say(f"make {bench.rows:,} contacts")
        _work("fill", warehouse, platform, bench.rows)
        settle(warehouse)
        bench.say("deliver ready payloads, and post the same bodies in a bare loop")
        alone = _work("alone", warehouse, platform, bench.rows)
        yield against(
            "delivery.alone", alone["rows"] / alone["seconds"], "rows/s", alone["rows"] / alone["bare"],
            Goal(at_least=0.6),
            note=f"outbox to receipts, {alone['rows']:,} ready payloads of {alone['mib']:,.0f} MiB; the limit is a bare"
            f" loop posting the same bodies; {alone['cpu']:.1f} s of our CPU",
        )  # fmt: skip
        bench.say("push them all, then again, then after a change of every thousandth")
        whole = _work("whole", warehouse, platform, bench.rows)
        scale = bench.rows / 1_000_000
        yield against(
            "delivery.whole_push", whole["first"], "s", _WHOLE_SECONDS * scale, Goal(at_most=1),
            note=f"{whole['rows']:,} new profiles with an event each, selection to last receipt;"
            f" {whole['cpu']:.1f} s of our CPU",
        )  # fmt: skip
        yield against(
            "delivery.nothing_changed", whole["again"], "s", max(_IDLE_SECONDS * scale, 0.5), Goal(at_most=1),
            note="the same push again",
        )  # fmt: skip
        yield Figure(
            name="delivery.thousandth_changed", value=whole["changed"], unit="s",
            note=f"{whole['sent']:,} of {whole['rows']:,} records changed",
        )  # fmt: skip
        yield Figure(name="delivery.peak_memory", value=whole["peak_mib"], unit="MiB")


@contextmanager
def _platform() -> Iterator[str]:
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "tools.bench.answers", "--port", str(port)], cwd=ROOT, env=environment()
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                httpx.post(url, content=b"{}", trust_env=False, timeout=5)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=30)


def _work(what: str, warehouse: str, platform: str, rows: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tools.bench.delivering", what, "--warehouse", warehouse]
    command += ["--platform", platform, "--rows", str(rows)]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{what} failed: {done.stderr.strip()[-1500:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))
