"""Know a running program again: by its number and its birth, by the mark it carries, or by the folder it works in.

A process number alone means nothing: numbers are given again. Nothing here ever signals a process on its number alone.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import psutil

MARK = "HEADWATER_SERVICE"  # in the environment of everything that we start, inherited by all that it starts


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Name one process for good: its number and its birth (boot and clock tick, so that neither is met twice)."""

    pid: int
    birth: str

    @property
    def alive(self) -> bool:
        """Say whether this very process still runs; a zombie does not."""
        return bool(self.birth) and _birth(self.pid) == self.birth


def running(pid: int) -> Running | None:
    """Return the process that has this number now, or None."""
    birth = _birth(pid)
    return Running(pid=pid, birth=birth) if birth else None


def _birth(pid: int) -> str:
    try:
        if Path("/proc/self/stat").exists():
            # psutil's create_time moves with the system clock; the tick since boot does not.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
            return "" if fields[0] in "ZX" else f"{boot}:{fields[19]}"
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except (OSError, IndexError, psutil.Error):
        return ""


def marked(prefix: str) -> list[Running]:
    """Return every living process whose mark begins like this, whoever its parent is by now."""
    found = []
    for process in _all_processes():
        try:
            if process.environ().get(MARK, "").startswith(prefix):
                found.append(running(process.pid))
        except (psutil.Error, OSError):
            continue
    return [each for each in found if each]


def working_in(folder: Path, program: str) -> list[Running]:
    """Return the living processes of a program whose working folder is this one (PostgreSQL's, in its cluster)."""
    found = []
    for process in _all_processes():
        try:
            if program in process.name() and process.cwd() == str(folder.resolve()):
                found.append(running(process.pid))
        except (psutil.Error, OSError):
            continue
    return [each for each in found if each]


def end(processes: Iterable[Running], *, how: int = signal.SIGTERM, patience_seconds: float = 10) -> None:
    """Ask processes to end, and kill those that have not after a while."""
    left = list(processes)
    for each in left:
        send(each, how)
    left = wait_for_end(left, patience_seconds=patience_seconds)
    for each in left:
        send(each, signal.SIGKILL)
    wait_for_end(left, patience_seconds=5)


def send(process: Running, how: int) -> None:
    """Send a signal to this very process; one that is gone is no error."""
    if process.alive:
        try:
            os.kill(process.pid, how)
        except ProcessLookupError:
            return


def wait_for_end(processes: Iterable[Running], *, patience_seconds: float) -> list[Running]:
    """Return those that still run after a while; returns at once when none is left."""
    deadline = time.monotonic() + patience_seconds
    left = [each for each in processes if each.alive]
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [each for each in left if each.alive]
    return left


def _all_processes() -> list[psutil.Process]:
    return list(psutil.process_iter())


def processes_below(folder: Path) -> list[int]:
    """Return the numbers of programs that were told to work in a folder below this one, whoever started them."""
    inside = f"{folder}{os.sep}"
    found = []
    for each in psutil.process_iter(["pid", "cmdline"]):
        arguments = each.info["cmdline"] or []
        home = next((value for option, value in pairwise(arguments) if option == "--home"), "")
        if home.startswith(inside):
            found.append(int(each.info["pid"]))
    return found
