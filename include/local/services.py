"""Say what a service is: how it is started, how it is stopped, how one sees that it is ready."""

from __future__ import annotations

import hashlib
import json
import signal
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from include.local.site import Site, read_json, write_privately


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Describe one long-running program.

    Services of a higher `layer` need those of the lower ones: they are stopped first.
    `environment` is added to the supervisor's own.
    """

    name: str
    command: list[str]
    log: str
    layer: int
    port: int = 0
    port_variable: str = ""
    ready_url: str = ""  # ready when a GET answers 200; empty: ready when it runs
    environment: dict[str, str] = field(default_factory=dict)
    bare_environment: bool = False  # nothing but `environment`
    folder: str = "/"
    uid: int | None = None
    gid: int | None = None
    stop_signal: int = signal.SIGTERM
    stop_group: bool = True  # its children are asked to end as well
    stop_seconds: float = 15
    cluster: str = ""  # the PostgreSQL cluster that must be vacant before it starts

    @property
    def fingerprint(self) -> str:
        """Return a text that changes when the service must be started anew."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]


def read_plan(site: Site) -> dict[str, Service]:
    """Return the services that should run, by name, in the order in which they were planned."""
    plan = read_json(site.plan_file)
    return {name: Service(**_fields(content)) for name, content in plan.items()}


def add_to_plan(site: Site, services: list[Service]) -> None:
    """Plan services; those of the same names are replaced, the others stay."""
    plan = read_plan(site) | {each.name: each for each in services}
    write_privately(site.plan_file, json.dumps({name: asdict(each) for name, each in plan.items()}, indent=1))


def tail(log: Path | str, *, lines: int = 12) -> str:
    """Return the end of a log file."""
    try:
        with Path(log).open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - 20_000))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def _fields(content: object) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise TypeError("plan.json does not hold services; remove it and run make up again")
    return content
