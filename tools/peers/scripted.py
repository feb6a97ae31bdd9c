"""Clients that are libraries: a small script of ours calls each, in the client's own environment."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.peers.installing import find_source, install_node, install_python
from tools.peers.peer import Broken, Sight, run

_CLIENTS = Path(__file__).with_name("clients")


class SimpleSalesforce:
    """simple-salesforce: REST, Bulk 1.0 and Bulk 2.0; SOAP login and three OAuth grants."""

    name = "simple-salesforce"
    ways: Mapping[str, bool] = {"REST": False, "Bulk 1.0": False, "Bulk 2.0": False}
    _pin = "1.12.10"

    def install(self, folder: Path) -> str:
        self._python = install_python(folder, f"simple-salesforce=={self._pin}") / "python"
        return self._pin

    def run(self, stage: str, sight: Sight) -> dict[str, Any]:
        return _script([self._python, _CLIENTS / "with_simple_salesforce.py"], stage, sight)


class Jsforce:
    """jsforce: REST, Bulk 1.0 and Bulk 2.0, collections, SOAP merge."""

    name = "jsforce"
    ways: Mapping[str, bool] = {"REST": False, "Bulk 1.0": False, "Bulk 2.0": False}
    _pin = "3.10.16"

    def install(self, folder: Path) -> str:
        self._folder = install_node(folder, f"jsforce@{self._pin}")
        return self._pin

    def run(self, stage: str, sight: Sight) -> dict[str, Any]:
        node = shutil.which("node") or "node"
        return _script([node, _CLIENTS / "with_jsforce.cjs"], stage, sight, JSFORCE_FOLDER=str(self._folder))


class Dlt:
    """dlt with its verified source: Bulk 1.0 in JSON, and REST where the org says that Bulk is off."""

    name = "dlt"
    ways: Mapping[str, bool] = {"Bulk 1.0": True}
    pin = "1.31.0"
    commit = "3957506893a7da821dbcc6acd51c7ca4475d1f53"

    def install(self, folder: Path) -> str:
        source = find_source(folder, "DLT_SOURCES", "dlt-hub/verified-sources", self.commit)
        wanted = (f"dlt[filesystem]=={self.pin}", "simple-salesforce==1.12.10")
        self._python = install_python(folder, *wanted) / "python"
        self._source = source / "sources"
        return f"{self.pin}, source {self.commit[:7]}"

    def run(self, stage: str, sight: Sight) -> dict[str, Any]:
        if stage == "write":
            return {}
        extra = {"source": str(self._source), "way": "Bulk 1.0"}
        return _script([self._python, _CLIENTS / "with_dlt.py"], stage, sight, extra)


def _script(
    command: list[str | Path], stage: str, sight: Sight, extra: Mapping[str, Any] | None = None, **environment: str
) -> dict[str, Any]:
    sight.out.mkdir(parents=True, exist_ok=True)
    sight.state.mkdir(parents=True, exist_ok=True)
    settings = {
        **sight.org, "objects": sight.objects, "out": str(sight.out), "state": str(sight.state), "since": sight.since,
        **(extra or {}),
    }  # fmt: skip
    file = sight.out / "settings.json"
    file.write_text(json.dumps(settings))
    said = run([*command, stage, file], {**sight.environment, **environment}, folder=sight.state).stdout.strip()
    try:
        return dict(json.loads(said.splitlines()[-1]))
    except (IndexError, json.JSONDecodeError) as error:
        raise Broken(f"its script said no JSON: {said[-300:]}") from error
