"""The org of the campaign: the sandbox org as a process that can be killed, its people and its faults."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from include.sandbox.org import credentials
from tools.faults.ports import free_port

_ROOT = Path(__file__).resolve().parent.parent.parent
_PATIENCE = 300.0
_WORKING: Mapping[str, Any] = {"changes_per_minute": 200, "late_share": 0.15, "late_seconds": 1500}


class OrgServer:
    """Run the org, and count what its faults and its people did before and after each of its deaths."""

    def __init__(self, home: Path, *, contacts: int, seed: int) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._home, self._contacts, self._seed = home, contacts, seed
        self._port = free_port()
        self._server: subprocess.Popen[bytes] | None = None
        self._up = threading.RLock()  # held while the org is being killed and started again
        self._plan: Mapping[str, Any] | None = None
        self._at_work = False
        self._lives = 0
        self._before: Counter[str] = Counter()  # what was met before the last death
        self._changes_before: Counter[str] = Counter()
        self.url = f"http://127.0.0.1:{self._port}"

    @property
    def signed(self) -> dict[str, str]:
        """Return what signs in."""
        return {
            "kind": "client_credentials", "login_url": self.url, "client_id": credentials.CLIENT_ID,
            "client_secret": credentials.CLIENT_SECRET,
        }  # fmt: skip

    def start(self) -> None:
        """Start the org and return when it answers."""
        command = [
            sys.executable, "-m", "include.sandbox.org", "--port", str(self._port), "--home", str(self._home),
            "--contacts", str(self._contacts), "--seed", str(self._seed), "--quiet",
        ]  # fmt: skip
        log = self._home / "org.log"
        with log.open("ab") as output:
            self._server = subprocess.Popen(
                command, cwd=_ROOT, env={**os.environ, "PYTHONPATH": str(_ROOT)}, stdout=output, stderr=output
            )
        until = time.monotonic() + _PATIENCE
        while not self._answers():
            if self._server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the org did not start; see {log}")
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill the org with -9 and start it again; its faults and its people go on."""
        assert self._server is not None
        with self._up:
            self._before, self._changes_before = self.met(), self.changes()
            self._server.kill()
            self._server.wait()
            self._lives += 1
            self.start()
            if self._plan is not None:
                self.follow({**self._plan, "seed": int(self._plan["seed"]) + self._lives})
            if self._at_work:
                self.work()

    def end(self) -> None:
        """Stop the org."""
        if self._server is not None and self._server.poll() is None:
            self._server.terminate()
            self._server.wait(timeout=60)

    def follow(self, plan: Mapping[str, Any] | None) -> None:
        """Let the calls from now on run into this plan, or into nothing."""
        self._plan = plan
        if plan is None:
            self.command("faults", clear=True)
        else:
            self.command("faults/plan", **plan)

    def work(self) -> None:
        """Let the org's people work in the background."""
        self._at_work = True
        self.command("life", seed=self._seed + 1000 * self._lives, **_WORKING)

    def rest(self) -> None:
        """Let the org's people stop."""
        self._at_work = False
        self.command("life", stop=True)

    def met(self) -> Counter[str]:
        """Return how often each kind of fault was met so far."""
        return self._before + Counter(self.look("faults")["met"])

    def changes(self) -> Counter[str]:
        """Return what the people did so far."""
        return self._changes_before + Counter(self.look("life")["records"])

    def now(self) -> datetime:
        """Return the org's clock."""
        return datetime.fromisoformat(self.look("clock")["now"])

    def command(self, name: str, **body: Any) -> Any:
        """Give an order to the control plane; None if the org refuses it, because a record is locked, say."""
        with self._up:
            try:
                return self._asked(name, json.dumps(body).encode())
            except urllib.error.HTTPError as error:
                if error.code >= 500:
                    raise
                return None

    def look(self, name: str) -> Any:
        """Ask the control plane."""
        with self._up:
            return self._asked(name, None)

    def _asked(self, name: str, body: bytes | None) -> Any:
        with urllib.request.urlopen(
            urllib.request.Request(f"{self.url}/sandbox/{name}", data=body), timeout=60
        ) as answer:
            return json.loads(answer.read())

    def _answers(self) -> bool:
        try:
            self._asked("health", None)
        except OSError:
            return False
        return True
