"""The Salesforce CLI: one command a step, answers as JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.peers.installing import install_node
from tools.peers.peer import Broken, Sight, each_way, gist, keep_rows, run

_QUIET = {
    "SF_DISABLE_TELEMETRY": "true", "SF_AUTOUPDATE_DISABLE": "true", "SF_DISABLE_DNS_CHECK": "true",
    "SF_SKIP_NEW_VERSION_CHECK": "true", "SF_DISABLE_LOG_FILE": "true", "SF_USE_GENERIC_UNIX_KEYCHAIN": "true",
    "SF_HIDE_RELEASE_NOTES": "true",
}  # fmt: skip
# What the release was published with; the newest that fits its ranges needs a newer Node.
_PUBLISHED_WITH = {"@jsforce/jsforce-node": "3.10.14"}


class SalesforceCli:
    """`sf`: signs in by JWT, queries by REST, exports and imports by Bulk 2.0."""

    name = "sf CLI"
    ways: Mapping[str, bool] = {"REST": False, "Bulk 2.0": False}
    _pin = "2.130.9"

    def install(self, folder: Path) -> str:
        self._sf = (
            install_node(folder, f"@salesforce/cli@{self._pin}", pinned=_PUBLISHED_WITH)
            / "node_modules"
            / ".bin"
            / "sf"
        )
        return self._pin

    def run(self, stage: str, sight: Sight) -> dict[str, Any]:
        sight.out.mkdir(parents=True, exist_ok=True)
        sight.state.mkdir(parents=True, exist_ok=True)
        stages = {
            "describe": self._describe, "full": self._full, "increment": self._increment, "write": self._write,
            "error": self._error,
        }  # fmt: skip
        return stages[stage](sight)

    def _describe(self, sight: Sight) -> dict[str, Any]:
        self._ask(
            sight, "org", "login", "jwt", "--client-id", sight.org["client_id"], "--jwt-key-file", sight.org["jwt_key"],
            "--username", sight.org["username"], "--instance-url", sight.org["tls_url"], "--set-default",
        )  # fmt: skip
        objects = self._ask(sight, "sobject", "list", "--sobject", "all")
        fields = self._ask(sight, "sobject", "describe", "--sobject", "Contact")["fields"]
        self._ask(sight, "org", "list", "limits")
        return {"objects": len(objects), "fields": len(fields)}

    def _full(self, sight: Sight) -> dict[str, Any]:
        each_way(self.ways, lambda way: self._read(way, sight))
        return {}

    def _read(self, way: str, sight: Sight) -> None:
        for name, fields in sight.objects.items():
            soql = f"SELECT {', '.join(fields)} FROM {name}"
            if way == "REST":
                keep_rows(sight.out, way, {name: self._query(sight, soql)})
                continue
            file = sight.out / f"{name}.csv"
            self._ask(sight, "data", "export", "bulk", "--query", soql, "--output-file", file, "--wait", "10",
                      "--result-format", "csv")  # fmt: skip
            with file.open(encoding="utf-8", newline="") as content:
                keep_rows(sight.out, way, {name: list(csv.DictReader(content))})

    def _increment(self, sight: Sight) -> dict[str, Any]:
        for name, fields in sight.objects.items():
            soql = f"SELECT {', '.join(fields)} FROM {name} WHERE SystemModstamp >= {sight.since}"
            keep_rows(sight.out, "REST", {name: self._query(sight, soql)})
            gone = self._query(sight, f"{soql} AND IsDeleted = TRUE", "--all-rows")
            keep_rows(sight.out, "deleted rows", {name: gone})
        return {}

    def _write(self, sight: Sight) -> dict[str, Any]:
        contact = ("--sobject", "Contact")
        made = self._ask(
            sight, "data", "create", "record", *contact, "--values", "LastName=Cli Email=cli@peers.example"
        )
        chosen = ("--record-id", made["id"])
        self._ask(sight, "data", "update", "record", *contact, *chosen, "--values", "Title=Changed")
        if self._ask(sight, "data", "get", "record", *contact, *chosen)["Title"] != "Changed":
            raise Broken("the change of a record was lost")
        file = sight.out / "import.csv"
        file.write_text("LastName,Email\n" + "".join(f"Cli {n},cli.{n}@peers.example\n" for n in range(20)))
        self._ask(sight, "data", "import", "bulk", *contact, "--file", file, "--wait", "10", "--line-ending", "LF")
        found = self._query(sight, "SELECT Id FROM Contact WHERE Email LIKE 'cli.%@peers.example'")
        if len(found) != 20:
            raise Broken(f"20 records were imported and {len(found)} are there")
        file.write_text("Id\n" + "".join(f"{each['Id']}\n" for each in found))
        self._ask(sight, "data", "delete", "bulk", *contact, "--file", file, "--wait", "10", "--line-ending", "LF")
        self._ask(sight, "data", "delete", "record", *contact, *chosen)
        return {"write": "create, update, delete; Bulk 2.0 import and delete of 20"}

    def _error(self, sight: Sight) -> dict[str, Any]:
        said = []
        for words in (
            ("data", "query", "--query", "SELECT Nonsense FROM Contact"),
            ("data", "create", "record", "--sobject", "Contact", "--values", "FirstName=Nobody"),
        ):
            answer = self._answer(sight, *words)
            if answer.get("status"):
                said.append(f"{answer['name']}: {answer['message']}")
        return {"errors": said}

    def _query(self, sight: Sight, soql: str, *flags: str) -> list[dict[str, Any]]:
        return list(self._ask(sight, "data", "query", "--query", soql, *flags)["records"])

    def _ask(self, sight: Sight, *words: str | Path) -> Any:
        answer = self._answer(sight, *words)
        if answer.get("status"):
            raise Broken(f"sf {' '.join(str(each) for each in words[:3])}: {answer.get('message')}")
        return answer["result"]

    def _answer(self, sight: Sight, *words: str | Path) -> dict[str, Any]:
        # Its Bulk export takes no proxy, so it meets the org at the TLS port, on all its ways.
        given = {name: value for name, value in sight.environment.items() if "PROXY" not in name.upper()}
        environment = {**given, **_QUIET, "HOME": str(sight.state)}
        done = run([self._sf, *words, "--json"], environment, folder=sight.state, check=False)
        try:
            return dict(json.loads(done.stdout))
        except json.JSONDecodeError as error:
            raise Broken(f"sf {words[0]}: {gist(done.stderr or done.stdout)}") from error
