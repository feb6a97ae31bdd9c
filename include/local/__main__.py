"""Run the launcher: `python -m include.local up | down | status | reset | org | check-definitions`."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable
from typing import NoReturn

from include.errors import HeadwaterError, SetupFailed
from include.local.site import Site, read_site
from include.settings import PROJECT_ROOT, read_settings


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m include.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, words in _COMMANDS.items():
        commands.add_parser(name, help=words, add_help=name not in _HAND_ON)
    parsed, rest = parser.parse_known_args(arguments)
    if rest and parsed.command not in _HAND_ON:
        parser.error(f"unknown arguments: {' '.join(rest)}")
    try:
        site = read_site()
        if parsed.command in _HAND_ON:
            return _HAND_ON[parsed.command](site, rest)
        return _RUN[parsed.command](site)
    except HeadwaterError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # … | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


_KEPT_FOLDERS = ("postgres", "airflow", "sandbox", "logs")
_KEPT_FILES = ("settings.json", "secrets.json", "plan.json", "state.json", "up.lock", "supervisor.lock")
_COMMANDS = {
    "up": "start everything and wait for the first extract, assessment and push",
    "down": "stop everything that up started",
    "status": "show services, objects, health and deliveries (JSON=1: as one object)",
    "reset": "stop everything and delete all that is kept (YES=1: without asking)",
    "check-definitions": "check the definitions, with the org if it answers",
    "check-connection": "check what a connection can do, and why it does not (ORG= or CONNECTION= of a platform)",
    "forget": "list what is kept of an org or one of its objects, and drop it once confirmed (ORG=, OBJECT=, YES=1)",
    "org": "run the sandbox org alone, in the foreground (PORT=, TLS_PORT=, PROXY_PORT=, CONTACTS=, SEED=, FRESH=1)",
    "airflow": "run Airflow's own command line with this installation's settings, e.g. airflow dags list",
    "sql": "open the warehouse with psql, e.g. sql -c 'select count(*) from headwater.run'",
    "supervise": "keep the services running (started by up)",
}


def _up(site: Site) -> int:
    from include.local.status import report
    from include.local.tables import logins_text, summary_text
    from include.local.up import bring_up

    print(f"Headwater below {site.home}", flush=True)
    bring_up(site)
    print(f"\n{summary_text(report(site))}\n{logins_text(site.passwords())}")
    return 0


def _down(site: Site) -> int:
    from include.local.supervision import shut_down

    stopped = shut_down(site)
    print(f"stopped {', '.join(stopped)}" if stopped else "nothing was running")
    return 0


def _status(site: Site) -> int:
    from include.local.status import report
    from include.local.tables import logins_text, status_text

    found = report(site)
    if os.environ.get("JSON", "0") not in ("", "0"):
        print(json.dumps(found, indent=1, default=str))
        return 0
    print(f"Headwater below {site.home}\n")
    print(status_text(found))
    if (site.home / "secrets.json").exists():
        print(logins_text(site.passwords()))
    return 0


def _reset(site: Site) -> int:
    from include.local.account import system_place
    from include.local.running import processes_below
    from include.local.supervision import shut_down

    if os.environ.get("YES") not in ("1", "yes", "true"):
        print(f"This deletes {site.home}: the warehouse, Airflow's history, the sandbox. Type yes to go on: ", end="")
        try:
            agreed = input().strip().lower() == "yes"
        except EOFError:
            agreed = False
        if not agreed:
            raise SetupFailed("nothing was deleted (YES=1 answers without asking)")
    shut_down(site)
    alone = processes_below(site.home / "sandbox")
    if alone:
        raise SetupFailed(
            f"nothing was deleted: a sandbox org that was started alone works below {site.home / 'sandbox'}"
            f" (pid {', '.join(map(str, alone))}); stop it first (Ctrl-C where `make org` runs)"
        )
    # Only what is ours: HEADWATER_HOME may point to a folder that holds other things as well.
    for name in _KEPT_FOLDERS:
        shutil.rmtree(site.home / name, ignore_errors=True)
    for name in _KEPT_FILES:
        (site.home / name).unlink(missing_ok=True)
    shutil.rmtree(system_place(site.home), ignore_errors=True)
    if site.home.exists() and not any(site.home.iterdir()):
        site.home.rmdir()
    print(f"deleted what was kept below {site.home}")
    return 0


def _org(site: Site) -> NoReturn:
    from include.local.plan import org_command, secure_ports
    from include.local.ports import refuse_taken_port

    # Here PORT is the org's own, so what `make up` was told does not count.
    port = read_settings({"PORT": os.environ.get("PORT") or str(site.settings.org_port)}).port
    refuse_taken_port(port, "PORT", "the sandbox org", command="make org")
    command = org_command(site, port, site.home / "sandbox" / f"org-{port}")
    for option, (variable, other) in secure_ports(port).items():
        refuse_taken_port(other, variable, "the sandbox org", command="make org")
        command += [option, str(other)]
    if os.environ.get("FRESH") in ("1", "yes", "true"):
        command.append("--fresh")
    os.chdir(PROJECT_ROOT)
    sys.stdout.flush()
    os.execv(command[0], command)


def _check_definitions(site: Site) -> int:
    from include.local.definitions_check import check_definitions

    return check_definitions(site)


def _check_connection(site: Site) -> int:
    from include.local.in_airflow import run_in_airflow

    platform = _named("CONNECTION")
    return run_in_airflow(
        site, "headwater.check_connection", ["--connection", *platform] if platform else _named("ORG")
    )


def _forget(site: Site) -> int:
    from include.local.in_airflow import run_in_airflow

    return run_in_airflow(site, "headwater.forget", [*_named("ORG", "OBJECT"), *_yes()])


def _yes() -> list[str]:
    return ["--yes"] if os.environ.get("YES") in ("1", "yes", "true") else []


def _named(*variables: str) -> list[str]:
    return [value for value in (os.environ.get(name, "").strip() for name in variables) if value]


def _airflow(site: Site, arguments: list[str]) -> NoReturn:
    from include.local.plan import airflow_environment

    command = [sys.executable, "-m", "airflow", *arguments]
    os.chdir(PROJECT_ROOT)
    sys.stdout.flush()
    os.execve(command[0], command, {**os.environ, **airflow_environment(site)})


def _sql(site: Site, arguments: list[str]) -> NoReturn:
    from include.local.binaries import find_binaries
    from include.local.plan import WAREHOUSE_DATABASE
    from include.local.postgres import USER

    command = [
        find_binaries().psql, "--host", "127.0.0.1", "--port", str(site.settings.warehouse_port), "--username", USER,
        "--dbname", WAREHOUSE_DATABASE, *arguments,
    ]  # fmt: skip
    sys.stdout.flush()
    os.execve(command[0], command, {**os.environ, "PGPASSWORD": site.secrets().postgres_password})


def _supervise(site: Site) -> int:
    from include.local.supervisor import Supervisor

    Supervisor(site).run()
    return 0


_RUN: dict[str, Callable[[Site], int]] = {
    "up": _up,
    "down": _down,
    "status": _status,
    "reset": _reset,
    "check-definitions": _check_definitions,
    "check-connection": _check_connection,
    "forget": _forget,
    "org": _org,
    "supervise": _supervise,
}

# These hand their arguments on to another program, which takes this one's place.
_HAND_ON: dict[str, Callable[[Site, list[str]], int]] = {"airflow": _airflow, "sql": _sql}

if __name__ == "__main__":
    sys.exit(main())
