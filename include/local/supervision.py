"""Ask the supervisor of a home for services, from another process; stop everything that a home ever started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from include.errors import SetupFailed
from include.local.ports import refuse_taken_port
from include.local.postgres import answers, vacate
from include.local.running import MARK, Running, end, marked, send, wait_for_end
from include.local.services import Service, add_to_plan, read_plan, tail
from include.local.site import Site, read_json
from include.local.supervisor import ask_to_end, recorded
from include.settings import PROJECT_ROOT


def ensure_supervisor(site: Site) -> bool:
    """Start a supervisor unless one watches this home, and return whether it was started."""
    if find_supervisor(site) is not None:
        return False
    log = site.log("supervisor")
    with log.open("ab") as output:
        subprocess.Popen(
            [sys.executable, "-m", "include.local", "supervise"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=PROJECT_ROOT,
            env={**_inherited(), "HEADWATER_HOME": str(site.home), MARK: f"{site.mark}:supervisor;"},
            start_new_session=True,
        )
    deadline = time.monotonic() + 30
    while find_supervisor(site) is None:
        if time.monotonic() > deadline:
            raise SetupFailed(f"the supervisor did not start; see {log}:\n{tail(log)}")
        time.sleep(0.1)
    return True


def find_supervisor(site: Site) -> Running | None:
    """Return the supervisor that watches this home now, or None."""
    kept = read_json(site.state_file).get("supervisor")
    if not isinstance(kept, dict):
        return None
    process = Running(pid=int(kept["pid"]), birth=str(kept["birth"]))
    return process if process.alive else None


def is_running(site: Site, service: Service) -> bool:
    """Say whether a service runs as it is described now, whoever watches it."""
    return any(
        name == service.name and process.alive and kept.get("fingerprint") == service.fingerprint
        for name, process, kept in recorded(site)
    )


def ensure_services(site: Site, services: list[Service]) -> list[str]:
    """Have these services running as described, and return the names of those that were not.

    Raises:
        SetupFailed: a port is taken by somebody else.
    """
    plan = read_plan(site)
    state = {name: process for name, process, _ in recorded(site) if process.alive}
    wanted = [each for each in services if each.name not in state or plan[each.name].fingerprint != each.fingerprint]
    for each in wanted:
        holds_it = each.name in state and plan[each.name].port == each.port
        if each.port and not holds_it:
            refuse_taken_port(each.port, each.port_variable, each.name)
    if wanted:
        add_to_plan(site, wanted)
        supervisor = find_supervisor(site)
        if supervisor is not None:
            send(supervisor, signal.SIGHUP)
    return [each.name for each in wanted]


def wait_for_service(site: Site, service: Service, *, url: str = "", patience_seconds: float = 120) -> None:
    """Return when a service is ready; `url` is the database URL for the server.

    Raises:
        SetupFailed: it keeps ending, or is not ready in time; the message shows its log.
    """
    deadline = time.monotonic() + patience_seconds
    before = _restarts(site, service.name)
    while not is_ready(site, service, url=url):
        problem = ""
        if _restarts(site, service.name) >= before + 3:
            problem = f"{service.name} ends again and again"
        elif time.monotonic() > deadline:
            problem = f"{service.name} was not ready within {patience_seconds:.0f} seconds"
        if problem:
            raise SetupFailed(f"{problem}; its log is {service.log}:\n{tail(service.log)}")
        time.sleep(0.2)


def is_ready(site: Site, service: Service, *, url: str = "") -> bool:
    """Say whether a service runs and does its work."""
    if not is_running(site, service):
        return False
    if service.cluster:
        return answers(url)
    return not service.ready_url or responds(service.ready_url)


def responds(url: str) -> bool:
    """Say whether a GET is answered with 200; proxies are not asked, it is this machine."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def shut_down(site: Site) -> list[str]:
    """Stop everything that was started for this home, and return the names of what ran.

    The supervisor does it in order; what it cannot do any more, because it was killed, is done here.
    """
    names = [name for name, process, _ in recorded(site) if process.alive]
    supervisor = find_supervisor(site)
    if supervisor is not None:
        send(supervisor, signal.SIGTERM)
        wait_for_end([supervisor], patience_seconds=150)
        end([supervisor], how=signal.SIGKILL)
    plan = read_plan(site)
    left = [(plan[name], process) for name, process, _ in recorded(site) if process.alive and name in plan]
    for service, process in sorted(left, key=lambda each: -each[0].layer):
        ask_to_end(service, process)
        wait_for_end([process], patience_seconds=service.stop_seconds)
    end(marked(f"{site.mark}:"), patience_seconds=5)
    for service in plan.values():
        if service.cluster:
            vacate(Path(service.cluster))
    site.state_file.unlink(missing_ok=True)
    site.plan_file.unlink(missing_ok=True)
    return names


def _restarts(site: Site, name: str) -> int:
    services = read_json(site.state_file).get("services")
    kept = services.get(name) if isinstance(services, dict) else None
    return int(kept["restarts"]) if isinstance(kept, dict) else 0


def _inherited() -> dict[str, str]:
    """Return our environment without what make and a virtual environment left in it."""
    dropped = ("MAKE", "MFLAGS", "VIRTUAL_ENV", "PYTHONHOME")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
