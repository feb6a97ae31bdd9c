"""Read the environment, once and here only.

Every variable is optional. Everything that Headwater keeps on this machine lies under `HEADWATER_HOME`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Hold what the environment says about this installation. Ports are TCP ports on loopback."""

    home: Path
    definitions: Path
    port: int
    org_port: int
    dest_port: int
    mail_port: int
    warehouse_port: int
    contacts: int
    seed: int

    @property
    def airflow_home(self) -> Path:
        """Return the folder that is AIRFLOW_HOME in every Airflow process."""
        return self.home / "airflow"


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of this process.

    Raises:
        ValueError: a variable that must be a number is none; the message names it.
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
