"""The Singer taps: one program with a configuration, a catalogue and a state; rows come out as lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.peers.installing import find_source, install_python
from tools.peers.peer import Sight, each_way, gist, keep_rows, run


class SingerTap:
    """A tap that signs in with a refresh token."""

    def __init__(self, name: str, ways: Mapping[str, str], requirement: str, repository: str = "", variable: str = "",
                 commit: str = "") -> None:  # fmt: skip
        self.name = name
        self.ways: Mapping[str, bool] = dict.fromkeys(ways, True)
        self._api_types = ways
        self._requirement, self._repository, self._variable, self._commit = requirement, repository, variable, commit

    def install(self, folder: Path) -> str:
        wanted = self._requirement
        if self._repository:
            wanted = str(find_source(folder, self._variable, self._repository, self._commit))
        self._bin = install_python(folder, wanted)
        code = "import importlib.metadata as m; print(m.version('tap-salesforce'))"
        version = run([self._bin / "python", "-c", code], {}).stdout.strip()
        return f"{version}, source {self._commit[:7]}" if self._repository else version

    def run(self, stage: str, sight: Sight) -> dict[str, Any]:
        sight.state.mkdir(parents=True, exist_ok=True)
        if stage == "describe":
            return self._describe(sight)
        if stage in ("full", "increment"):
            each_way(self.ways, lambda way: self._read(way, sight))
        if stage == "error":
            broken = self._config(sight, "REST", refresh_token="5Aep861wrong")
            said = run([self._tap, "--config", broken, "--discover"], sight.environment, check=False)
            return {"errors": [gist(said.stderr)] if said.returncode else []}
        return {}

    @property
    def _tap(self) -> Path:
        return self._bin / "tap-salesforce"

    def _describe(self, sight: Sight) -> dict[str, Any]:
        streams = {}
        for way in self.ways:
            config = self._config(sight, way)
            catalogue = json.loads(run([self._tap, "--config", config, "--discover"], sight.environment).stdout)
            streams = {each["stream"]: each for each in catalogue["streams"]}
            chosen = [streams[name] for name in sight.objects]
            for stream in chosen:
                for each in stream["metadata"]:
                    if not each["breadcrumb"]:
                        chosen_so = {"replication-method": "INCREMENTAL", "replication-key": "SystemModstamp"}
                        each["metadata"].update(chosen_so, selected=True)
            _catalogue(sight, way).write_text(json.dumps({"streams": chosen}))
        return {"objects": len(streams), "fields": len(streams["Contact"]["schema"]["properties"])}

    def _read(self, way: str, sight: Sight) -> None:
        state = sight.state / f"state {way}.json"
        command: list[str | Path] = [
            self._tap,
            "--config",
            self._config(sight, way),
            "--properties",
            _catalogue(sight, way),
        ]
        if state.exists():
            command += ["--state", state]
        rows: dict[str, list[dict[str, Any]]] = {name: [] for name in sight.objects}
        for line in run(command, sight.environment).stdout.splitlines():
            message = json.loads(line)
            if message["type"] == "RECORD":
                rows[message["stream"]].append(message["record"])
            elif message["type"] == "STATE":
                state.write_text(json.dumps(message["value"]))
        keep_rows(sight.out, way, rows)

    def _config(self, sight: Sight, way: str, **other: str) -> Path:
        config = {
            "client_id": sight.org["client_id"], "client_secret": sight.org["client_secret"],
            "refresh_token": sight.org["refresh_token"], "start_date": "2000-01-01T00:00:00Z",
            "api_type": self._api_types.get(way, "REST"), "select_fields_by_default": True, "is_sandbox": "false",
            **other,
        }  # fmt: skip
        file = sight.state / f"config {way}{' wrong' if other else ''}.json"
        file.write_text(json.dumps(config))
        return file


def _catalogue(sight: Sight, way: str) -> Path:
    return sight.state / f"catalogue {way}.json"
