"""Hold everything that belongs to one installation: its settings, its secrets and where its files lie.

What `make up` was told once is remembered below the home, so that `make status` and `make down` need not be told again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from include.errors import SetupFailed
from include.settings import PROJECT_ROOT, Settings, read_settings

_REMEMBERED = ("PORT", "ORG_PORT", "DEST_PORT", "MAIL_PORT", "WAREHOUSE_PORT", "CONTACTS", "SEED", "USERS")
_DEFINITIONS = "HEADWATER_DEFINITIONS"
ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Hold the generated secrets of an installation; the file has mode 0600."""

    postgres_password: str
    admin_password: str
    jwt_secret: str
    api_secret: str
    fernet_key: str
    metrics_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Name the files of one installation and hold its settings."""

    settings: Settings

    @property
    def home(self) -> Path:
        """Return the folder of everything that is kept."""
        return self.settings.home

    @property
    def mark(self) -> str:
        """Return the text that marks every process of this installation."""
        return hashlib.sha256(str(self.home).encode()).hexdigest()[:16]

    @property
    def plan_file(self) -> Path:
        """Return the file that says which services should run."""
        return self.home / "plan.json"

    @property
    def state_file(self) -> Path:
        """Return the file in which the supervisor says what does run."""
        return self.home / "state.json"

    @property
    def url(self) -> str:
        """Return where the UI is."""
        return f"http://127.0.0.1:{self.settings.port}"

    @property
    def org_url(self) -> str:
        """Return where the sandbox org is."""
        return f"http://127.0.0.1:{self.settings.org_port}"

    @property
    def destination_url(self) -> str:
        """Return where the sandbox Insider One is."""
        return f"http://127.0.0.1:{self.settings.dest_port}"

    def log(self, name: str) -> Path:
        """Return the log file of a service or step."""
        return self.home / "logs" / f"{name}.log"

    def prepare(self) -> None:
        """Make the home and remember the settings."""
        (self.home / "logs").mkdir(parents=True, exist_ok=True)
        self.settings.airflow_home.mkdir(exist_ok=True)
        kept = {name: str(getattr(self.settings, name.lower())) for name in _REMEMBERED}
        if self.settings.definitions != PROJECT_ROOT / "include" / "definitions":
            kept[_DEFINITIONS] = str(self.settings.definitions)
        write_privately(self.home / "settings.json", json.dumps(kept, indent=1))

    @property
    def passwords_file(self) -> Path:
        """Return the file in which Airflow's simple login finds the passwords."""
        return self.settings.airflow_home / "passwords.json"

    def passwords(self) -> dict[str, str]:
        """Return each login's password, the administrator's first; those of new logins are made, and all are kept."""
        kept = read_json(self.passwords_file)
        others = [each.partition(":")[0] for each in self.settings.users.split(",") if each]
        fresh = {ADMIN: self.secrets().admin_password, **{name: secrets.token_urlsafe(12) for name in others}}
        if not kept.keys() >= fresh.keys():
            kept = {**fresh, **kept}
            write_privately(self.passwords_file, json.dumps(kept))
        return {name: str(kept[name]) for name in fresh}

    def secrets(self) -> Secrets:
        """Return the secrets; they are made at the first call and kept."""
        path = self.home / "secrets.json"
        kept = read_json(path)
        fresh = asdict(_generated())
        if not kept.keys() >= fresh.keys():
            kept = {**fresh, **kept}
            write_privately(path, json.dumps(kept, indent=1))
        return Secrets(**{each.name: str(kept[each.name]) for each in fields(Secrets)})


def read_site(environment: Mapping[str, str] | None = None) -> Site:
    """Return this installation: what the environment says, else what was said before, else the defaults.

    Raises:
        SetupFailed: a variable holds what it may not.
    """
    env = dict(os.environ if environment is None else environment)
    try:
        home = read_settings({"HEADWATER_HOME": env.get("HEADWATER_HOME", "")}).home
        given = {name: value for name, value in env.items() if value.strip()}
        names = (*_REMEMBERED, _DEFINITIONS)
        kept = {name: str(value) for name, value in read_json(home / "settings.json").items() if name in names}
        return Site(settings=read_settings({**kept, **given}))
    except ValueError as error:
        raise SetupFailed(str(error)) from error


def read_json(path: Path) -> dict[str, object]:
    """Return the object that a file of ours holds, or an empty one; a half-written file counts as empty."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_privately(path: Path, text: str) -> None:
    """Replace a file as a whole; only its owner can read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    unfinished.replace(path)


def _generated() -> Secrets:
    return Secrets(
        postgres_password=secrets.token_urlsafe(24),
        admin_password=secrets.token_urlsafe(12),
        jwt_secret=secrets.token_urlsafe(48),
        api_secret=secrets.token_urlsafe(48),
        fernet_key=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        metrics_token=secrets.token_urlsafe(32),
    )
