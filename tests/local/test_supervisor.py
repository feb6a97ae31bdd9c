"""The supervisor keeps services running, is replaced safely, and stops what it started and nothing else."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from include.errors import SetupFailed
from include.local.running import marked, running
from include.local.services import Service
from include.local.site import Site, read_json, read_site
from include.local.supervision import (
    ensure_services,
    ensure_supervisor,
    find_supervisor,
    is_running,
    shut_down,
    wait_for_service,
)
from include.local.supervisor import recorded

Program = Callable[..., Service]


def started(site: Site, *services: Service) -> list[int]:
    ensure_supervisor(site)
    ensure_services(site, list(services))
    for each in services:
        wait_for_service(site, each, patience_seconds=20)
    return [pid_of(site, each.name) for each in services]


def pid_of(site: Site, name: str) -> int:
    return next(process.pid for each, process, _ in recorded(site) if each == name)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_a_killed_service_is_started_again(site: Site, program: Program) -> None:
    """What dies comes back, as another process, and the restart is counted."""
    service = program()
    [before] = started(site, service)
    os.kill(before, signal.SIGKILL)
    until(lambda: is_running(site, service) and pid_of(site, "small") != before)
    assert read_json(site.state_file)["services"]["small"]["restarts"] == 1  # type: ignore[index]


def test_services_outlive_their_supervisor_and_the_next_one_adopts_them(site: Site, program: Program) -> None:
    """kill -9 of the supervisor stops nothing; the next one watches the same process and restarts it when it dies."""
    service = program()
    [before] = started(site, service)
    first = find_supervisor(site)
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: not first.alive)
    assert is_running(site, service)

    assert ensure_supervisor(site)
    until(lambda: find_supervisor(site) is not None)
    assert ensure_services(site, [service]) == []
    assert pid_of(site, "small") == before

    os.kill(before, signal.SIGKILL)
    until(lambda: is_running(site, service) and pid_of(site, "small") != before)


def test_a_second_supervisor_is_not_started(site: Site, program: Program) -> None:
    """One home has one supervisor; one that is started all the same ends with a message."""
    started(site, program())
    assert not ensure_supervisor(site)
    answer = subprocess.run(
        [sys.executable, "-m", "include.local", "supervise"],
        env={**os.environ, "HEADWATER_HOME": str(site.home)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 1
    assert "another supervisor" in answer.stderr


def test_a_service_whose_description_changed_is_started_anew_and_the_others_are_left(
    site: Site, program: Program
) -> None:
    """Another port or command replaces that process only."""
    changed, other = program(name="changed"), program(name="other")
    before, untouched = started(site, changed, other)
    again = program("import time; time.sleep(601)", name="changed")
    assert ensure_services(site, [again, other]) == ["changed"]
    wait_for_service(site, again, patience_seconds=20)
    assert pid_of(site, "changed") != before
    assert pid_of(site, "other") == untouched


def test_a_service_that_ends_again_and_again_is_reported_with_its_log(site: Site, program: Program) -> None:
    """The message holds the path of the log and its last words."""
    ensure_supervisor(site)
    # Nobody answers there: a slow machine shows the process running for a moment, which is not being ready.
    service = program("raise SystemExit('no such colour')", ready_url="http://127.0.0.1:9/")
    ensure_services(site, [service])
    with pytest.raises(SetupFailed, match=r"small ends again and again; its log is .*small\.log:\n.*no such colour"):
        wait_for_service(site, service, patience_seconds=120)


def test_a_taken_port_is_refused_with_the_variable_to_set(site: Site, program: Program) -> None:
    """Nothing is started, and the message names who has the port and what to do."""
    ensure_supervisor(site)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SetupFailed, match=rf"port {port} for small is taken.*make up ORG_PORT="):
            ensure_services(site, [program(port=port, port_variable="ORG_PORT")])
    assert not site.plan_file.exists()


def test_down_ends_the_descendants_of_a_service_wherever_they_hide(site: Site, program: Program) -> None:
    """A grandchild in a session of its own, whose parent is gone, is ended as well."""
    sleeper = "import time; time.sleep(600)"
    hide = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', '{sleeper}'], start_new_session=True)"
    started(site, program(f"{hide}; {sleeper}"))
    until(lambda: len(marked(f"{site.mark}:small;")) == 2)
    assert shut_down(site) == ["small"]
    assert marked(f"{site.mark}:") == []
    assert find_supervisor(site) is None


def test_down_works_after_the_supervisor_was_killed(site: Site, program: Program) -> None:
    """The services are found without it."""
    [pid] = started(site, program())
    process, supervisor = running(pid), find_supervisor(site)
    assert process is not None
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    until(lambda: not supervisor.alive)
    shut_down(site)
    assert not process.alive


def test_down_kills_what_ignores_its_stop_signal(site: Site, program: Program) -> None:
    """After its time is over a service is killed."""
    service = program(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    [pid] = started(site, service)
    until(lambda: "deaf" in site.log("small").read_text())
    process = running(pid)
    assert process is not None
    shut_down(site)
    assert not process.alive


def test_a_foreign_process_of_a_recorded_number_is_never_touched(site: Site, program: Program) -> None:
    """Numbers are given again: what has another birth is somebody else's, for down and for the next supervisor."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as stranger:
        try:
            started(site, program())
            shut_down(site)
            entry = {"pid": stranger.pid, "birth": "another boot:1", "fingerprint": program().fingerprint}
            site.state_file.write_text(json.dumps({"supervisor": entry, "services": {"small": entry}}))
            site.plan_file.write_text(json.dumps({}))
            assert find_supervisor(site) is None
            [pid] = started(site, program())
            assert pid != stranger.pid
            shut_down(site)
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_two_homes_do_not_touch_each_other(
    site: Site, program: Program, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Checkouts run side by side: down of the one leaves the other."""
    other = read_site({"HEADWATER_HOME": str(tmp_path_factory.mktemp("other"))})
    other.prepare()
    try:
        [mine] = started(site, program())
        [theirs] = started(other, program())
        shut_down(other)
        assert running(mine) is not None
        assert running(theirs) is None
        assert is_running(site, program())
    finally:
        shut_down(other)
