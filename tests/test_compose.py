"""docker-compose.yaml is right as far as that can be known without a Docker engine."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = ROOT / "docker-compose.yaml"
IMAGE = re.compile(r"^[a-z0-9./_-]+:(?P<tag>[A-Za-z0-9][A-Za-z0-9._-]{0,127})$")
COMPONENTS = {"airflow-api-server", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load(COMPOSE.read_text()))


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    return dict(compose["services"])


def airflow_sections() -> dict[str, set[str]]:
    """Return every section and key that Airflow 3.3.2 and the providers it knows read, from their own defaults."""
    import airflow

    templates = Path(airflow.__file__).parent / "config_templates"
    known = {
        section: set(content["options"])
        for section, content in yaml.safe_load((templates / "config.yml").read_text()).items()
    }
    fallback = configparser.ConfigParser(interpolation=None)
    fallback.read(templates / "provider_config_fallback_defaults.cfg")
    for section in fallback.sections():
        known.setdefault(section, set()).update(fallback[section])
    known["celery"].add("result_backend")  # the provider's own; it has no default, so the fallback leaves it out
    return known


def environment(service: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in (service.get("environment") or {}).items()}


def test_it_is_valid_by_the_compose_specification() -> None:
    """No unknown key, no wrong type."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_every_airflow_setting_exists(services: dict[str, Any]) -> None:
    """A misspelt AIRFLOW__SECTION__KEY would be ignored in silence."""
    known = airflow_sections()
    unknown = []
    for name, service in services.items():
        for variable in environment(service):
            if variable.startswith("AIRFLOW__"):
                _, section, key = variable.split("__", 2)
                if key.lower() not in known.get(section.lower(), set()):
                    unknown.append(f"{name}: {variable}")
    assert unknown == []


def test_the_launchers_airflow_settings_exist_as_well(tmp_path: Path) -> None:
    """The same holds for what `make up` sets."""
    from include.local.plan import airflow_environment
    from include.local.site import read_site

    site = read_site({"HEADWATER_HOME": str(tmp_path)})
    site.prepare()
    known = airflow_sections()
    names = [name.split("__", 2)[1:] for name in airflow_environment(site) if name.startswith("AIRFLOW__")]
    assert [f"{section}.{key}" for section, key in names if key.lower() not in known[section.lower()]] == []


def test_image_tags_are_pinned(services: dict[str, Any]) -> None:
    """A tag that moves to another major version would change the installation by itself."""
    for name, service in services.items():
        match = IMAGE.match(service["image"])
        assert match, f"{name}: {service['image']}"
        assert re.search(r"\d+\.\d+", match["tag"]), f"{name} is not pinned: {service['image']}"
    [base] = re.findall(r"^FROM (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert base.startswith("apache/airflow:")
    assert (
        f"apache-airflow=={re.search(r'3[.][0-9]+[.][0-9]+', base)[0]} "
        in (  # type: ignore[index]
            ROOT / "docker" / "requirements.txt"
        ).read_text()
    ), "the image's Airflow is the locked one"


def test_postgresql_is_18_with_two_databases(services: dict[str, Any]) -> None:
    """Airflow's metadata and the warehouse do not share a database."""
    assert services["postgres"]["image"].startswith("postgres:18.")
    script = (ROOT / "docker" / "databases.sql").read_text()
    assert services["postgres"]["environment"]["POSTGRES_DB"] == "airflow"
    assert "CREATE DATABASE warehouse" in script
    shared = environment(services["airflow-scheduler"])
    assert shared["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].endswith("@postgres:5432/airflow")
    assert shared["HEADWATER_WAREHOUSE_URL"].endswith("@postgres:5432/warehouse")


def test_the_database_script_runs(warehouse_url: str) -> None:
    """On a real server of 17 or newer; the database that it makes is UTF-8 with the builtin locale."""
    import psycopg

    statement = re.sub(r"^--.*$", "", (ROOT / "docker" / "databases.sql").read_text(), flags=re.MULTILINE)
    name = f"compose_{Path(warehouse_url).name[-12:]}"
    with psycopg.connect(warehouse_url, autocommit=True) as connection:
        if connection.info.server_version < 170000:
            pytest.skip("the builtin locale came with PostgreSQL 17")
        connection.execute(statement.replace("DATABASE warehouse", f'DATABASE "{name}"'))  # type: ignore[arg-type]
        row = connection.execute(
            "SELECT pg_encoding_to_char(encoding), datlocale FROM pg_database WHERE datname = %s", (name,)
        ).fetchone()
        connection.execute(f'DROP DATABASE "{name}"')  # type: ignore[arg-type]
    assert row == ("UTF8", "C.UTF-8")


def test_the_four_components_use_fab_and_local_executor(services: dict[str, Any]) -> None:
    """Each is a service of its own, started by a command that Airflow has."""
    assert services.keys() >= COMPONENTS
    for name in COMPONENTS:
        assert services[name]["command"] == [name.removeprefix("airflow-")]
        settings = environment(services[name])
        assert settings["AIRFLOW__CORE__AUTH_MANAGER"].endswith("fab_auth_manager.FabAuthManager")
        assert settings["AIRFLOW__CORE__EXECUTOR"] == "${HEADWATER_EXECUTOR:-LocalExecutor}"


def test_components_share_their_secrets_and_none_is_written_down(services: dict[str, Any]) -> None:
    """Secrets come from .env, which docker/make-env writes; without it compose refuses to start."""
    for name in (*COMPONENTS, "airflow-worker", "airflow-init"):
        settings = environment(services[name])
        for key in ("CORE__FERNET_KEY", "API__SECRET_KEY", "API_AUTH__JWT_SECRET"):
            assert re.fullmatch(r"\$\{HEADWATER_[A-Z_]+:\?.+\}", settings[f"AIRFLOW__{key}"]), (name, key)
    needed = set(re.findall(r"\$\{(HEADWATER_[A-Z_]+):\?", COMPOSE.read_text()))
    assert needed == set(re.findall(r"^(HEADWATER_[A-Z_]+)=", (ROOT / "docker" / "make-env").read_text(), re.MULTILINE))


def test_make_env_writes_secrets_that_airflow_takes(tmp_path: Path) -> None:
    """The Fernet key is one; a second run changes nothing; nobody else can read the file."""
    from cryptography.fernet import Fernet

    script = tmp_path / "docker" / "make-env"
    script.parent.mkdir()
    script.write_text((ROOT / "docker" / "make-env").read_text())
    subprocess.run(["bash", str(script)], check=True, capture_output=True)
    written = (tmp_path / ".env").read_text()
    values = dict(line.split("=", 1) for line in written.splitlines())
    Fernet(values["HEADWATER_FERNET_KEY"].encode())
    assert re.fullmatch(r"[A-Za-z0-9_=-]+", values["HEADWATER_POSTGRES_PASSWORD"]), "it stands in URLs"
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    subprocess.run(["bash", str(script)], check=True, capture_output=True)
    assert (tmp_path / ".env").read_text() == written


def test_what_starts_tasks_waits_for_the_api_server(services: dict[str, Any]) -> None:
    """A task that starts before the api-server listens fails."""
    for name in ("airflow-scheduler", "airflow-worker", "airflow-triggerer"):
        assert services[name]["depends_on"]["airflow-api-server"]["condition"] == "service_healthy"


def test_conditions_can_come_true(services: dict[str, Any]) -> None:
    """service_healthy needs a health check, service_completed_successfully something that ends."""
    for name, service in services.items():
        for other, wish in (service.get("depends_on") or {}).items():
            assert other in services, f"{name} waits for {other}"
            if wish["condition"] == "service_healthy":
                assert "healthcheck" in services[other], f"{name} waits for the health of {other}"
            if wish["condition"] == "service_completed_successfully":
                assert services[other]["restart"] == "no"
            profiles = set(services[other].get("profiles", []))
            assert profiles <= set(service.get("profiles", [])), f"{name} waits for {other}, which may not be started"


def test_every_lasting_service_has_a_health_check(services: dict[str, Any]) -> None:
    """What does not end can hang."""
    assert [name for name, each in services.items() if each["restart"] != "no" and "healthcheck" not in each] == []


def test_http_health_checks_ask_routes_that_exist(services: dict[str, Any]) -> None:
    """Airflow's own route, the scheduler's health server, and the sandbox's control plane."""
    from airflow.api_fastapi.common import http_access_log

    api_server, scheduler = (services[f"airflow-{each}"]["healthcheck"]["test"] for each in ("api-server", "scheduler"))
    assert api_server[-1].removeprefix("http://localhost:8080") in http_access_log._HEALTH_PATHS
    assert scheduler[-1] == f"http://localhost:{scheduler_health_port()}/health"
    assert environment(services["airflow-scheduler"])["AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK"] == "true"
    for name in ("sandbox-org", "sandbox-insider-one", "sandbox-mail"):
        url = services[name]["healthcheck"]["test"][-1]
        port = re.fullmatch(r"http://localhost:(\d+)/sandbox/health", url)
        assert port, name
        assert port[1] in services[name]["command"], f"{name} listens on another port"


def scheduler_health_port() -> str:
    import airflow

    templates = Path(airflow.__file__).parent / "config_templates"
    options = yaml.safe_load((templates / "config.yml").read_text())["scheduler"]["options"]
    return str(options["scheduler_health_check_server_port"]["default"])


def test_command_health_checks_are_commands_that_exist(services: dict[str, Any]) -> None:
    """`airflow jobs check` knows the job types that we ask for."""
    from airflow.cli.cli_parser import get_parser
    from airflow.jobs.dag_processor_job_runner import DagProcessorJobRunner
    from airflow.jobs.triggerer_job_runner import TriggererJobRunner

    parser = get_parser()
    for name, runner in (("dag-processor", DagProcessorJobRunner), ("triggerer", TriggererJobRunner)):
        _, program, *arguments = services[f"airflow-{name}"]["healthcheck"]["test"]
        assert program == "airflow"
        asked = parser.parse_args(arguments)
        assert asked.job_type == runner.job_type
        assert asked.local


def test_the_preparation_uses_commands_that_exist() -> None:
    """Each `airflow …` of prepare.sh is one that Airflow or its FAB provider has, with those options."""
    from airflow.cli.cli_parser import get_parser

    script = (ROOT / "docker" / "prepare.sh").read_text()
    for command in (
        ["db", "migrate"],
        ["pools", "import", "/opt/airflow/include/local/pools.json"],
        ["connections", "get", "x"],
        ["connections", "add", "x", "--conn-json", "{}"],
    ):
        assert (
            "airflow "
            + " ".join(part for part in command if part not in ("x", "{}"))
            .replace("get", 'get "$1"')
            .replace("add", 'add "$1"')
            in script
        )
        get_parser().parse_args(command)
    assert subprocess.run(["bash", "-n", str(ROOT / "docker" / "prepare.sh")]).returncode == 0


def test_what_is_mounted_is_in_the_tree_or_declared(compose: dict[str, Any]) -> None:
    """A missing file would be made as an empty folder by Docker."""
    for name, service in compose["services"].items():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), f"{name}: {mount}"
            else:
                assert source in compose["volumes"], f"{name}: {mount}"


def test_the_image_holds_what_the_services_run() -> None:
    """Every package of the lock of `make up` is in the image's lock, and celery is below 5.7."""
    lock = (ROOT / "docker" / "requirements.txt").read_text()
    pinned = {line.split("==")[0]: line.split("==")[1].split()[0] for line in lock.splitlines() if "==" in line[:80]}
    own = (ROOT / "requirements.txt").read_text()
    names = {line.split("==")[0] for line in own.splitlines() if re.match(r"^[a-z0-9]", line)}
    assert names <= pinned.keys()
    assert pinned.keys() >= {"apache-airflow-providers-fab", "apache-airflow-providers-celery", "redis"}
    assert tuple(map(int, pinned["celery"].split(".")[:2])) < (5, 7)
    for source in re.findall(r"^COPY (?:--\S+ )?(\S+) ", (ROOT / "Dockerfile").read_text(), re.MULTILINE):
        assert (ROOT / source).exists()


def test_profiles_hold_what_they_promise(services: dict[str, Any]) -> None:
    """Without a profile: Airflow and PostgreSQL, nothing else."""
    by_profile: dict[str, set[str]] = {}
    for name, service in services.items():
        for profile in service.get("profiles", [""]):
            by_profile.setdefault(profile, set()).add(name)
    assert by_profile[""] == COMPONENTS | {"postgres", "airflow-init"}
    assert by_profile["celery"] == {"redis", "airflow-worker"}
    assert by_profile["sandbox"] == {"sandbox-org", "sandbox-insider-one", "sandbox-mail", "sandbox-connections"}


def test_only_loopback_is_opened(services: dict[str, Any]) -> None:
    """What has fixed sign-ins must not be reachable from outside."""
    ports = [port for each in services.values() for port in each.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
