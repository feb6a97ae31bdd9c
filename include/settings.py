"""Read the environment, once and here only.

Every variable is optional. Everything that Headwater keeps on this machine lies under `HEADWATER_HOME`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent
_USER = re.compile(r"([A-Za-z0-9._@-]+):(viewer|user|op|admin)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Hold what the environment says about this installation. Ports are TCP ports on loopback.

    `users` are the logins beside the administrator's, as Airflow's simple login reads them: `ann:viewer,bob:op`.
    """

    home: Path
    definitions: Path
    port: int
    org_port: int
    dest_port: int
    mail_port: int
    warehouse_port: int
    contacts: int
    seed: int
    users: str

    @property
    def airflow_home(self) -> Path:
        """Return the folder that is AIRFLOW_HOME in every Airflow process."""
        return self.home / "airflow"


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of this process.

    Raises:
        ValueError: a variable holds what it may not; the message names it.
    """
    env = os.environ if environment is None else environment
    return Settings(
        home=Path(env.get("HEADWATER_HOME") or PROJECT_ROOT / ".headwater").resolve(),
        definitions=Path(env.get("HEADWATER_DEFINITIONS") or PROJECT_ROOT / "include" / "definitions").resolve(),
        port=_number(env, "PORT", 8080),
        org_port=_number(env, "ORG_PORT", 8090),
        dest_port=_number(env, "DEST_PORT", 8091),
        mail_port=_number(env, "MAIL_PORT", 8092),
        warehouse_port=_number(env, "WAREHOUSE_PORT", 5480),
        contacts=_number(env, "CONTACTS", 20_000),
        seed=_number(env, "SEED", 1),
        users=_users(env.get("USERS", "")),
    )


def _number(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, "").strip()
    if not text:
        return default
    try:
        return int(text.replace("_", ""))
    except ValueError as error:
        message = f"{name}={text!r} is not a whole number; unset it or give one such as {name}={default}"
        raise ValueError(message) from error


def _users(text: str) -> str:
    # A word, because an empty variable means "as before": what was said once is remembered.
    if text.strip() == "none":
        return ""
    named = text.replace(",", " ").split()
    for each in named:
        found = _USER.fullmatch(each)
        if found is None or found[1] == "admin":
            message = (
                f"USERS={text!r}: {each!r} is no login; write e.g. USERS=ann:viewer,bob:op"
                " (roles: viewer, user, op, admin; the login admin is there already; USERS=none removes all others)"
            )
            raise ValueError(message)
    return ",".join(named)
