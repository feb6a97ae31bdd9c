"""Make the plan: which services an installation has, and with which commands and environment they start."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from include.local.postgres import Cluster, server_url
from include.local.services import Service
from include.local.site import ADMIN, Site
from include.settings import PROJECT_ROOT

AIRFLOW_DATABASE = "airflow"
WAREHOUSE_DATABASE = "warehouse"


def postgres_service(site: Site, cluster: Cluster) -> Service:
    """Return the warehouse's server; a fast stop is SIGINT to the postmaster alone."""
    return Service(
        name="postgres",
        command=cluster.command(site.settings.warehouse_port),
        log=str(site.log("postgres")),
        layer=0,
        port=site.settings.warehouse_port,
        port_variable="WAREHOUSE_PORT",
        environment=cluster.environment(),
        bare_environment=True,
        uid=cluster.account.uid,
        gid=cluster.account.gid,
        stop_signal=signal.SIGINT,
        stop_group=False,
        stop_seconds=60,
        cluster=str(cluster.folder),
    )


def sandbox_services(site: Site) -> list[Service]:
    """Return the stand-ins: the org, the platforms (one process for all of them) and the mail sink."""
    settings = site.settings
    home = site.home / "sandbox"
    mail_http = _derived(settings.mail_port, 10_000)
    mail = ["--http-port", str(mail_http), "--home", str(home / "mail")]
    org = org_command(site, settings.org_port, home / "org")
    platforms = sandbox_command("destinations", settings.dest_port, ["--home", str(home)])
    return [
        _sandbox(site, "org", settings.org_port, "ORG_PORT", org),
        # Named after the platform at its root, as ever: a plan of before must not start a second one on its port.
        _sandbox(site, "insider_one", settings.dest_port, "DEST_PORT", platforms),
        _sandbox(
            site,
            "mail",
            settings.mail_port,
            "MAIL_PORT",
            sandbox_command("mail", settings.mail_port, mail),
            ready_port=mail_http,
        ),
    ]


def org_command(site: Site, port: int, home: Path) -> list[str]:
    """Return the command that runs a sandbox org with its store in `home`."""
    contacts, seed = str(site.settings.contacts), str(site.settings.seed)
    return sandbox_command("org", port, ["--home", str(home), "--contacts", contacts, "--seed", seed])


def secure_ports(port: int) -> dict[str, tuple[str, int]]:
    """Return by option the variable and the port of an org's other doors: https, and the proxy for host names."""
    return {
        option: (variable, int(os.environ.get(variable) or _derived(port, distance)))
        for option, variable, distance in (("--tls-port", "TLS_PORT", 8_000), ("--proxy-port", "PROXY_PORT", 9_000))
    }


def sandbox_command(name: str, port: int, options: list[str]) -> list[str]:
    """Return the command that runs one of the sandbox programs on loopback."""
    return [sys.executable, "-m", f"include.sandbox.{name}", "--host", "127.0.0.1", "--port", str(port), *options]


def _sandbox(
    site: Site, name: str, port: int, variable: str, command: list[str], *, ready_port: int | None = None
) -> Service:
    return Service(
        name=name,
        command=command,
        log=str(site.log(name)),
        layer=1,
        port=port,
        port_variable=variable,
        ready_url=f"http://127.0.0.1:{ready_port or port}/sandbox/health",
        environment=_common(),
        folder=str(PROJECT_ROOT),
    )


def airflow_services(site: Site) -> list[Service]:
    """Return Airflow's four components, the scheduler last: its workers need the api-server."""
    port = site.settings.port
    programs = {
        "api-server": ["api-server", "--host", "127.0.0.1", "--port", str(port)],
        "dag-processor": ["dag-processor"],
        "triggerer": ["triggerer"],
        "scheduler": ["scheduler"],
    }
    ports = {"api-server": port, "triggerer": triggerer_log_port(port), "scheduler": worker_log_port(port)}
    return [
        Service(
            name=name,
            command=[sys.executable, "-m", "airflow", *arguments],
            log=str(site.log(name)),
            layer=2 if name == "scheduler" else 1,
            port=ports.get(name, 0),
            port_variable="PORT",
            ready_url=f"{site.url}/api/v2/monitor/health" if name == "api-server" else "",
            environment=airflow_environment(site),
            folder=str(PROJECT_ROOT),
            stop_seconds=20,
        )
        for name, arguments in programs.items()
    ]


def worker_log_port(port: int) -> int:
    """Return the port on which the scheduler's machine shows the logs of running tasks."""
    return _derived(port, 10_000)


def triggerer_log_port(port: int) -> int:
    """Return the port on which the triggerer shows its logs."""
    return _derived(port, 12_000)


def _derived(port: int, distance: int) -> int:
    # Downward where upward would meet the ports that the system gives to outgoing connections (from 32768 on Linux).
    return port + distance if port + distance < 32_768 else port - distance


def airflow_environment(site: Site) -> dict[str, str]:
    """Return what every Airflow process of this installation must find in its environment."""
    settings, secrets = site.settings, site.secrets()
    site.passwords()
    database = server_url(settings.warehouse_port, secrets.postgres_password, AIRFLOW_DATABASE)
    own = {
        "CORE__DAGS_FOLDER": str(PROJECT_ROOT / "dags"),
        "CORE__PLUGINS_FOLDER": str(PROJECT_ROOT / "plugins"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "6",  # each is a forked worker that waits; the default of 32 costs a gigabyte
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "CORE__FERNET_KEY": secrets.fernet_key,
        "CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(filter(None, (f"{ADMIN}:admin", settings.users))),
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(site.passwords_file),
        "CORE__EXECUTION_API_SERVER_URL": f"{site.url}/execution/",
        "CORE__TEST_CONNECTION": "Enabled",
        "DATABASE__SQL_ALCHEMY_CONN": database.replace("postgresql://", "postgresql+psycopg2://"),
        "API__BASE_URL": site.url,
        "API__SECRET_KEY": secrets.api_secret,
        "API__INSTANCE_NAME": "Headwater",
        "API_AUTH__JWT_SECRET": secrets.jwt_secret,
        "LOGGING__BASE_LOG_FOLDER": str(settings.airflow_home / "logs"),
        "LOGGING__WORKER_LOG_SERVER_PORT": str(worker_log_port(settings.port)),
        "LOGGING__TRIGGER_LOG_SERVER_PORT": str(triggerer_log_port(settings.port)),
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "DAG_PROCESSOR__REFRESH_INTERVAL": "15",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "15",
        "DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "120",  # a busy laptop is no reason to lose a DAG
    }
    return {
        **_common(),
        "AIRFLOW_HOME": str(settings.airflow_home),
        "HEADWATER_HOME": str(site.home),
        "HEADWATER_DEFINITIONS": str(settings.definitions),
        **{f"AIRFLOW__{name}": value for name, value in own.items()},
    }


def _common() -> dict[str, str]:
    return {
        "PYTHONPATH": str(PROJECT_ROOT),
        "PYTHONUNBUFFERED": "1",
        "SPT_NOENV": "1",  # a process that renames itself keeps its environment readable: we know it by its mark
        "NO_PROXY": "127.0.0.1,localhost",  # components speak to each other on loopback, whatever proxy is set
        "no_proxy": "127.0.0.1,localhost",
        "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES",  # macOS: Airflow forks
    }
