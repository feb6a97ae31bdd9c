"""Airflow offers a connection type with a form for every platform, and its Test button says what is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from importlib import import_module, resources
from typing import Any

import jsonschema
import pytest

from headwater import check_connection
from headwater.connection_types import KlaviyoHook
from include.config.connection_types import provider_info
from include.config.platforms import PLATFORMS
from include.local.connections import SANDBOXED, sandbox_access
from include.settings import PROJECT_ROOT
from tests.headwater.connected import connect
from tests.sandbox.running import Running, free_port, running

TYPES = {each["connection-type"]: each for each in provider_info()["connection-types"]}
PACKAGE = PROJECT_ROOT / "headwater_platforms-1.dist-info"


@pytest.fixture(scope="module")
def platforms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running("destinations", tmp_path_factory.mktemp("destinations")) as sandbox:
        yield sandbox


def hook_of(name: str) -> Any:
    module, _, cls = TYPES[name]["hook-class-name"].rpartition(".")
    return getattr(import_module(module), cls)


def connect_to(name: str, platforms: Running, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> str:
    held = sandbox_access(name, platforms.url) | changes
    connect(monkeypatch, f"{name}_try", conn_type=name, **held)
    return f"{name}_try"


def test_there_is_a_type_for_every_platform() -> None:
    """And each names a hook of that type."""
    assert set(TYPES) == set(PLATFORMS) == set(SANDBOXED)
    for name in TYPES:
        assert (hook_of(name).conn_type, hook_of(name).hook_name) == (name, TYPES[name]["hook-name"])


def test_what_airflow_is_told_is_what_it_understands() -> None:
    """By its own schema; one mistake there and no process of Airflow starts."""
    schema = json.loads((resources.files("airflow") / "provider_info.schema.json").read_text())
    jsonschema.validate(provider_info(), schema)
    parser = ConfigParser()
    parser.read(PACKAGE / "entry_points.txt")
    module, _, function = parser["apache_airflow_provider"]["provider_info"].partition(":")
    assert getattr(import_module(module), function) is provider_info
    name = next(line for line in (PACKAGE / "METADATA").read_text().splitlines() if line.startswith("Name: "))
    assert name == f"Name: {provider_info()['package-name']}"


@pytest.mark.slow
def test_airflow_offers_the_types_with_their_forms(tmp_path: Any) -> None:
    """As its form asks for them, in a process that has no more than the project root on its path."""
    ask = (
        "from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService as service\n"
        "import json\n"
        "label = lambda each: getattr(getattr(each.standard_fields, 'password', None), 'title', None)\n"
        "found = {each.connection_type: [label(each), sorted(each.extra_fields or {})]"
        " for each in service.hook_meta_data()}\n"
        "print('FOUND', json.dumps(found))"
    )
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "PYTHONPATH": str(PROJECT_ROOT),
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT_ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    answer = subprocess.run(
        [sys.executable, "-c", ask], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    found = next((line for line in answer.stdout.splitlines() if line.startswith("FOUND ")), "")
    assert found, answer.stderr[-2000:]
    offered = json.loads(found.removeprefix("FOUND "))
    assert set(PLATFORMS) <= set(offered)
    assert offered["klaviyo"] == ["Private API key", []]
    assert offered["webhook"] == ["Signing secret", ["allow_private", "former_secret", "path"]]


@pytest.mark.parametrize("name", SANDBOXED)
def test_the_button_tells_that_a_connection_works(
    name: str, platforms: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By one reading call."""
    conn_id = connect_to(name, platforms, monkeypatch)
    works, said = hook_of(name)(conn_id).test_connection()
    assert works, said
    assert TYPES[name]["hook-name"] in said


@pytest.mark.parametrize("name", SANDBOXED)
def test_the_button_tells_what_is_wrong(name: str, platforms: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which key to mend, without showing it."""
    wrong = "whsec_d3JvbmctYnV0LW9mLXRoZS1yaWdodC1mb3JtLW9r" if name == "webhook" else "wrong-secret"
    conn_id = connect_to(name, platforms, monkeypatch, password=wrong)
    works, said = hook_of(name)(conn_id).test_connection()
    assert not works
    assert "check" in said
    assert wrong not in said


def test_the_button_tells_that_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the address."""
    port = free_port()
    connect(monkeypatch, "klaviyo_try", conn_type="klaviyo", host=f"http://127.0.0.1:{port}", password="pk_x")
    works, said = KlaviyoHook("klaviyo_try").test_connection()
    assert not works
    assert str(port) in said


def test_a_command_checks_a_platform_too(
    platforms: Running,
    site: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It tells what can be promised there, and ends with 1 when something is wrong."""
    conn_id = connect_to("klaviyo", platforms, monkeypatch)
    assert check_connection.main(["--connection", conn_id]) == 0
    said = capsys.readouterr().out
    assert f"ok  {conn_id}: Klaviyo takes the credentials" in said
    assert "yes  skip hook" in said
    assert "no   gone: archive" in said
    connect_to("klaviyo", platforms, monkeypatch, password="pk_wrong")
    assert check_connection.main(["--connection", conn_id]) == 1
    assert "refused the private API key" in capsys.readouterr().out
    assert check_connection.main(["--connection", "nothing_there"]) == 2
    connect(monkeypatch, "smtp_try", conn_type="smtp", host="localhost")
    assert check_connection.main(["--connection", "smtp_try"]) == 2
