"""Airbyte's source connector: check, discover and read, with messages as lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.peers.installing import install_python
from tools.peers.peer import Broken, Sight, each_way, keep_rows, run


class Airbyte:
    """Read incrementally: by the way that the connector chooses for each object, and by Bulk for all of them."""

    name = "airbyte-source-salesforce"
    ways: Mapping[str, bool] = {"its choice": True, "Bulk 2.0": True}
    _pin = "2.10.3"

    def install(self, folder: Path) -> str:
        self._source = install_python(folder, f"airbyte-source-salesforce=={self._pin}") / "source-salesforce"
        return self._pin

    def run(self, stage: str, sight: Sight) -> dict[str, Any]:
        sight.state.mkdir(parents=True, exist_ok=True)
        if stage == "describe":
            return self._describe(sight)
        if stage == "everything":  # as if for the first time; it always reads deleted records too
            for way in self.ways:
                (sight.state / f"state {way}.json").unlink(missing_ok=True)
        if stage in ("full", "increment", "everything"):
            each_way(self.ways, lambda way: self._read(way, sight))
        if stage == "error":
            config = self._config(sight, "its choice", refresh_token="5Aep861wrong")
            (status,) = self._said("CONNECTION_STATUS", ["check", "--config", config], sight)
            refused = status["connectionStatus"]
            return {"errors": [refused["message"]] if refused["status"] == "FAILED" else []}
        return {}

    def _describe(self, sight: Sight) -> dict[str, Any]:
        config = self._config(sight, "its choice")
        (status,) = self._said("CONNECTION_STATUS", ["check", "--config", config], sight)
        if status["connectionStatus"]["status"] != "SUCCEEDED":
            raise Broken(f"check: {status['connectionStatus']}")
        (found,) = self._said("CATALOG", ["discover", "--config", config], sight)
        streams = {each["name"]: each for each in found["catalog"]["streams"]}
        chosen = [
            {
                "stream": streams[name], "sync_mode": "incremental", "destination_sync_mode": "append",
                "cursor_field": ["SystemModstamp"],
            }
            for name in sight.objects
        ]  # fmt: skip
        (sight.state / "catalogue.json").write_text(json.dumps({"streams": chosen}))
        return {"objects": len(streams), "fields": len(streams["Contact"]["json_schema"]["properties"])}

    def _read(self, way: str, sight: Sight) -> None:
        state = sight.state / f"state {way}.json"
        command: list[str | Path] = ["read", "--config", self._config(sight, way)]
        command += ["--catalog", sight.state / "catalogue.json"]
        if state.exists():
            command += ["--state", state]
        rows: dict[str, list[dict[str, Any]]] = {name: [] for name in sight.objects}
        states: dict[str, Any] = {}
        for message in self._messages(command, sight):
            if message["type"] == "RECORD":
                rows[message["record"]["stream"]].append(message["record"]["data"])
            elif message["type"] == "STATE":
                states[message["state"]["stream"]["stream_descriptor"]["name"]] = message["state"]
            elif message["type"] == "TRACE" and message["trace"]["type"] == "ERROR":
                raise Broken(f"{way}: {message['trace']['error']['message']}")
        state.write_text(json.dumps(list(states.values())))
        keep_rows(sight.out, way, rows)

    def _said(self, kind: str, command: list[str | Path], sight: Sight) -> list[dict[str, Any]]:
        messages = self._messages(command, sight)
        found = [each for each in messages if each["type"] == kind]
        if not found:
            raise Broken(f"{command[0]}: {messages[-1] if messages else 'nothing was said'}")
        return found

    def _messages(self, command: list[str | Path], sight: Sight) -> list[dict[str, Any]]:
        done = run([self._source, *command], sight.environment, folder=sight.state, check=False)
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def _config(self, sight: Sight, way: str, **other: str) -> Path:
        config = {
            "client_id": sight.org["client_id"], "client_secret": sight.org["client_secret"],
            "refresh_token": sight.org["refresh_token"], "start_date": "2015-01-01T00:00:00Z",
            "stream_slice_step": "P9999D",  # slices of 30 days would make hundreds of jobs of a few records
            "force_use_bulk_api": way == "Bulk 2.0", "preserve_na_values": True, **other,
        }  # fmt: skip
        file = sight.state / f"config {way}{' wrong' if other else ''}.json"
        file.write_text(json.dumps(config))
        return file
