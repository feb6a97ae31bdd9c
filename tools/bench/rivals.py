"""What users have today: each loads the contacts of the org into PostgreSQL, in processes of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.bench.bench import environment
from tools.bench.org import FIELDS, BenchOrg
from tools.peers.airbyte import Airbyte
from tools.peers.installing import find_source, install_python
from tools.peers.peer import Broken, Sight, gist
from tools.peers.scripted import Dlt
from tools.peers.singer import SingerTap

_CLIENTS = Path(__file__).with_name("clients")
_PATIENCE = 3600
_TARGET = "meltanolabs-target-postgres==0.8.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Hold what a rival has to do."""

    org: BenchOrg
    warehouse: str
    types: Mapping[str, str]  # of the columns
    folder: Path  # kept between benches: what is installed
    work: Path  # fresh

    @property
    def sight(self) -> Sight:
        """Return the same as the peers are told it."""
        return Sight(
            org=self.org.for_peers.settings(),
            objects={"Contact": list(FIELDS)},
            environment={**self.org.for_peers.environment(), "HOME": str(self.work)},
            out=self.work / "out",
            state=self.work,
        )

    def settings(self, **more: str) -> Path:
        """Return a file with everything that a script of ours needs."""
        told = {"warehouse": self.warehouse, "fields": list(FIELDS), "state": str(self.work), **more}
        types = [self.types[name] for name in FIELDS]
        file = self.work / "settings.json"
        file.write_text(json.dumps({**self.org.for_peers.settings(), **told, "types": types}))
        return file


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Hold the commands that load, each into the next one's input."""

    commands: Sequence[Sequence[str | Path]]
    more: Mapping[str, str] = field(default_factory=dict)  # environment

    def do(self, task: Task) -> None:
        """Run the commands.

        Raises:
            Broken: one of them failed.
        """
        variables = {**task.sight.environment, **self.more}
        processes: list[subprocess.Popen[bytes]] = []
        for number, command in enumerate(self.commands):
            with (task.work / f"said {number}").open("wb") as said:
                before = processes[-1].stdout if processes else subprocess.DEVNULL
                last = number == len(self.commands) - 1
                processes.append(
                    subprocess.Popen(
                        [str(word) for word in command], env=variables, cwd=task.work, stdin=before, stderr=said,
                        stdout=subprocess.DEVNULL if last else subprocess.PIPE,
                    )
                )  # fmt: skip
                if processes[:-1]:
                    before.close()  # type: ignore[union-attr]
        codes = [each.wait(_PATIENCE) for each in reversed(processes)][::-1]
        for number, code in enumerate(codes):
            if code:
                raise Broken(gist((task.work / f"said {number}").read_text(errors="replace")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Hold a name, and what installs the rival and returns the work it has to do; that part is not timed."""

    name: str
    prepare: Callable[[Task], Work]


def rivals() -> tuple[Rival, ...]:
    """Return all of them."""
    return (
        Rival(name="provider_hook_to_sql", prepare=_hook),
        Rival(name="simple_salesforce_bulk2", prepare=lambda task: _simple(task, "bulk2")),
        Rival(name="simple_salesforce_rest", prepare=lambda task: _simple(task, "rest")),
        Rival(name="dlt", prepare=_dlt),
        Rival(name="airbyte_source", prepare=_airbyte),
        Rival(name="singer_tap_bulk", prepare=lambda task: _singer(task, _singer_tap(), "Bulk 1.0")),
        Rival(name="meltano_tap_bulk2", prepare=lambda task: _singer(task, _meltano_tap(), "Bulk 2.0")),
    )


def _hook(task: Task) -> Work:
    settings = task.org.for_peers.settings()
    connection = {
        "conn_type": "salesforce", "login": settings["username"], "password": settings["password"],
        "extra": {"security_token": settings["security_token"], "domain": "login"},
    }  # fmt: skip
    home = {"AIRFLOW_HOME": str(task.work), "AIRFLOW__CORE__LOAD_EXAMPLES": "false"}
    more = {**home, "AIRFLOW_CONN_BENCH": json.dumps(connection), "PYTHONPATH": environment()["PYTHONPATH"]}
    return Work(commands=[[sys.executable, _CLIENTS / "hook_rows.py", task.settings()]], more=more)


def _simple(task: Task, way: str) -> Work:
    bin_folder = install_python(task.folder, "simple-salesforce==1.12.10", "psycopg[binary]==3.3.4")
    script = _CLIENTS / "simple_salesforce_rows.py"
    return Work(commands=[[bin_folder / "python", script, task.settings(way=way)]])


def _dlt(task: Task) -> Work:
    source = find_source(task.folder, "DLT_SOURCES", "dlt-hub/verified-sources", Dlt.commit)
    bin_folder = install_python(task.folder, f"dlt[postgres]=={Dlt.pin}", "simple-salesforce==1.12.10")
    settings = task.settings(source=str(source / "sources"))
    return Work(commands=[[bin_folder / "python", _CLIENTS / "dlt_rows.py", settings]])


def _airbyte(task: Task) -> Work:
    peer = Airbyte()
    peer.install(task.folder)
    peer.run("describe", task.sight)
    program = task.folder / "venv" / "bin" / "source-salesforce"
    config, catalogue = task.work / "config its choice.json", task.work / "catalogue.json"
    read: list[str | Path] = [program, "read", "--config", config, "--catalog", catalogue]
    return Work(commands=[read, [sys.executable, _CLIENTS / "copy_lines.py", task.warehouse]])


def _singer_tap() -> SingerTap:
    return SingerTap("tap-salesforce", {"Bulk 1.0": "BULK"}, "tap-salesforce==2.8.1")


def _meltano_tap() -> SingerTap:
    return SingerTap(
        "tap-salesforce (Meltano)", {"Bulk 2.0": "BULK2"}, "", "MeltanoLabs/tap-salesforce", "MELTANO_TAP",
        "9915ca2683860f8810d8067792719b9b76e9995c",
    )  # fmt: skip


def _singer(task: Task, tap: SingerTap, way: str) -> Work:
    tap.install(task.folder)
    target = install_python(task.folder / "target", _TARGET) / "target-postgres"
    tap.run("describe", task.sight)
    config, catalogue = task.work / f"config {way}.json", task.work / f"catalogue {way}.json"
    loader = task.work / "target.json"
    url = task.warehouse.replace("://", "+psycopg://", 1)
    loader.write_text(json.dumps({"sqlalchemy_url": url, "default_target_schema": "peer"}))
    read: list[str | Path] = [
        task.folder / "venv" / "bin" / "tap-salesforce",
        "--config",
        config,
        "--properties",
        catalogue,
    ]
    return Work(commands=[read, [target, "--config", loader]])
