"""What every area of a bench is given: a place, a server, a size, and how to run one load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tools.bench.server import free_port

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Hold what the areas measure with."""

    home: Path
    server: str  # URL of its database postgres
    rows: int
    repeats: int
    peer_rows: int
    peers: tuple[str, ...]  # names; empty: all of them
    say: Callable[[str], None]

    def load(self, warehouse: str, org_url: str, *, mode: str = "changes", run: str, **options: str) -> dict[str, Any]:
        """Run one load in a process of its own and return what it took."""
        command = [sys.executable, "-m", "tools.bench.load", "--warehouse", warehouse, "--org", org_url]
        command += ["--mode", mode, "--run", run, "--bulk-above", str(min(10_000, self.rows // 2))]
        for name, value in options.items():
            command += [f"--{name}", value] if value else [f"--{name}"]
        done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"a load failed: {done.stderr.strip()[-1500:]}")
        return dict(json.loads(done.stdout.splitlines()[-1]))


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a child that finds our modules."""
    return {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}", **more}


@contextmanager
def running_shelf(folder: Path, org_url: str) -> Iterator[str]:
    """Yield the URL of a shelf of the org's answers, in a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "tools.bench.shelf", "--port", str(port), "--folder", str(folder)]
    server = subprocess.Popen([*command, "--org", org_url], cwd=ROOT, env=environment())
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                httpx.get(f"{url}/services/data", trust_env=False, timeout=30)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=30)
