"""Keep the planned services running: one supervisor a home, and everything that it starts is its child.

It reads `plan.json` (what should run; SIGHUP: read again), writes `state.json` (what does run), reaps and restarts what
dies, and stops everything on SIGTERM. If it is killed itself, the services go on; the next one finds them in
`state.json`, knows each by number and birth, and watches them without being their parent.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from include.errors import SetupFailed
from include.local.postgres import vacate
from include.local.running import MARK, Running, end, marked, running, send, wait_for_end
from include.local.services import Service, read_plan
from include.local.site import Site, read_json, write_privately

_LONGEST_PAUSE_SECONDS = 30.0
_STEADY_SECONDS = 60.0  # one that ran this long has recovered: its next restart waits for nothing
_LOG_BYTES = 20_000_000


@dataclass(slots=True, kw_only=True)
class Watched:
    """Remember one service that we watch; `child` is None when a former supervisor started it."""

    service: Service
    process: Running | None = None
    child: subprocess.Popen[bytes] | None = None
    began: float = field(default_factory=time.monotonic)
    started_at: str = ""
    restarts: int = 0
    failures: int = 0
    start_after: float = 0.0
    problem: str = ""

    @property
    def alive(self) -> bool:
        """Say whether it runs; reaps it when it is our child and has ended."""
        if self.child is not None and self.child.poll() is not None:
            return False
        return self.process is not None and self.process.alive


class Supervisor:
    """Watch the services of one home."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._watched: dict[str, Watched] = {}
        self._stopping = False
        self._read_again = True

    def run(self) -> None:
        """Watch until SIGTERM, then stop everything.

        Raises:
            SetupFailed: another supervisor watches this home.
        """
        with _only_one(self._site.home / "supervisor.lock"):
            wake = self._listen()
            self._adopt()
            self._write_state()
            while not self._stopping:
                if self._read_again:
                    self._read_again = False
                    self._follow(read_plan(self._site))
                self._mend()
                select.select([wake], [], [], 1.0)
                _drain(wake)
            self._stop([*self._watched.values()])
            self._watched = {}
            self._write_state()

    def _listen(self) -> int:
        """Let signals wake the loop: a dead child, a new plan, the end."""
        read_end, write_end = os.pipe()
        os.set_blocking(read_end, False)
        os.set_blocking(write_end, False)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGHUP, lambda *_: setattr(self, "_read_again", True))
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: setattr(self, "_stopping", True))
        return read_end

    def _adopt(self) -> None:
        plan = read_plan(self._site)
        for name, process, kept in recorded(self._site):
            if name in plan and process.alive:
                service = plan[name] if plan[name].fingerprint == kept.get("fingerprint") else None
                if service is None:
                    self._stop_process(plan[name], process)
                    continue
                self._watched[name] = Watched(
                    service=service,
                    process=process,
                    started_at=str(kept.get("started_at", "")),
                    restarts=int(str(kept.get("restarts", 0))),
                )

    def _follow(self, plan: dict[str, Service]) -> None:
        """Make the watched services those of the plan: new ones are added, changed ones stopped and started anew."""
        changed = [
            each
            for name, each in self._watched.items()
            if name in plan and plan[name].fingerprint != each.service.fingerprint
        ]
        self._stop(changed)
        for name, service in plan.items():
            if name not in self._watched or self._watched[name] in changed:
                self._watched[name] = Watched(service=service)

    def _mend(self) -> None:
        """Start what does not run, unless it died so often that it must wait."""
        before = json.dumps(self._state())
        for each in self._watched.values():
            if each.alive:
                continue
            if each.process is not None:
                self._bury(each)
            if time.monotonic() >= each.start_after:
                self._start(each)
        if json.dumps(self._state()) != before:
            self._write_state()

    def _bury(self, watched: Watched) -> None:
        """Take note of a death, and end what the dead one left behind: it would hold ports and run work twice."""
        code = watched.child.returncode if watched.child else None
        watched.problem = f"ended with {code}" if code is not None else "ended"
        end(self._family(watched.service), patience_seconds=3)
        if time.monotonic() - watched.began > _STEADY_SECONDS:
            watched.failures = 0
        self._postpone(watched)
        watched.process = watched.child = None

    def _postpone(self, watched: Watched) -> None:
        pause = min(_LONGEST_PAUSE_SECONDS, 0.5 * 2**watched.failures) if watched.failures else 0.0
        watched.failures += 1
        watched.restarts += 1
        watched.start_after = time.monotonic() + pause

    def _start(self, watched: Watched) -> None:
        service = watched.service
        try:
            if service.cluster:
                vacate(Path(service.cluster))
            watched.child = _spawn(service, {MARK: self._mark(service)})
        except (OSError, SetupFailed) as error:
            watched.problem = str(error)
            self._postpone(watched)
            return
        watched.process = running(watched.child.pid) or Running(pid=watched.child.pid, birth="unknown")
        watched.began = time.monotonic()
        watched.started_at = datetime.now(UTC).isoformat(timespec="seconds")

    def _stop(self, watched: Iterable[Watched]) -> None:
        """Stop services, those of the highest layer first; within a layer all at once."""
        todo = [each for each in watched if each.process is not None]
        for layer in sorted({each.service.layer for each in todo}, reverse=True):
            level = [each for each in todo if each.service.layer == layer]
            for each in level:
                ask_to_end(each.service, each.process)
            for each in level:
                self._stop_process(each.service, each.process, asked=True)
                if each.child is not None:
                    each.child.poll()
                each.process = each.child = None

    def _stop_process(self, service: Service, process: Running | None, *, asked: bool = False) -> None:
        if not asked:
            ask_to_end(service, process)
        if process is not None:
            wait_for_end([process], patience_seconds=service.stop_seconds)
            end([process], how=service.stop_signal, patience_seconds=1)
        end(self._family(service), patience_seconds=3)

    def _family(self, service: Service) -> list[Running]:
        return marked(self._mark(service))

    def _mark(self, service: Service) -> str:
        return f"{self._site.mark}:{service.name};"

    def _state(self) -> dict[str, object]:
        return {
            "services": {
                name: {
                    "pid": each.process.pid if each.process else None,
                    "birth": each.process.birth if each.process else "",
                    "fingerprint": each.service.fingerprint,
                    "started_at": each.started_at,
                    "restarts": each.restarts,
                    "problem": each.problem,
                }
                for name, each in self._watched.items()
            }
        }

    def _write_state(self) -> None:
        me = running(os.getpid())
        own = {"pid": os.getpid(), "birth": me.birth if me else ""}
        write_privately(self._site.state_file, json.dumps({"supervisor": own, **self._state()}, indent=1))


def recorded(site: Site) -> list[tuple[str, Running, dict[str, object]]]:
    """Return the services that a supervisor wrote down: name, process and what else it noted."""
    services = read_json(site.state_file).get("services")
    found = []
    for name, kept in (services if isinstance(services, dict) else {}).items():
        if isinstance(kept, dict) and kept.get("pid"):
            found.append((str(name), Running(pid=int(kept["pid"]), birth=str(kept["birth"])), kept))
    return found


def ask_to_end(service: Service, process: Running | None) -> None:
    """Send a service its stop signal; to its whole group where its children want to know as well."""
    if process is None or not process.alive:
        return
    if service.stop_group and os.getpgid(process.pid) == process.pid:
        os.killpg(process.pid, service.stop_signal)
    else:
        send(process, service.stop_signal)


def _spawn(service: Service, mark: dict[str, str]) -> subprocess.Popen[bytes]:
    log = Path(service.log)
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    base = {} if service.bare_environment else dict(os.environ)
    with log.open("ab") as output:
        return subprocess.Popen(
            service.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**base, **service.environment, **mark},
            cwd=service.folder,
            user=service.uid,
            group=service.gid,
            extra_groups=None if service.uid is None else [],
            start_new_session=True,
        )


def _only_one(path: Path) -> IO[bytes]:
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise SetupFailed(f"another supervisor watches {path.parent} already") from error
    return file


def _drain(pipe: int) -> None:
    try:
        while os.read(pipe, 4096):
            continue
    except BlockingIOError:
        return
