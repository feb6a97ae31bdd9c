"""Name the machine that a bench ran on, and what else ran on it."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import psutil
import psycopg


def describe_machine(postgres: str) -> str:
    """Return one line: processor, cores, memory, versions, and the load before the bench began."""
    with psycopg.connect(postgres) as connection:
        row = connection.execute("SELECT current_setting('server_version'), current_setting('fsync')").fetchone()
        assert row is not None
        version, fsync = row
    memory = psutil.virtual_memory().total / 2**30
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB; {platform.system()} {platform.release()};"
        f" PostgreSQL {version} (fsync {fsync}); Python {platform.python_version()};"
        f" load of 1, 5 and 15 minutes when it began: {load}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
