"""Install pinned clients, each into its own folder, once; say plainly when that can't be done here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.peers.peer import Skipped

_PATIENCE = 900


def install_python(folder: Path, *requirements: str) -> Path:
    """Return the bin folder of a virtual environment that holds the requirements."""
    home = folder / "venv"
    if not _stands(folder, requirements):
        shutil.rmtree(home, ignore_errors=True)
        uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
        if uv:
            _install([uv, "venv", "-q", "--python", sys.executable, str(home)])
            _install([uv, "pip", "install", "-q", "--python", str(home / "bin" / "python"), *requirements])
        else:
            _install([sys.executable, "-m", "venv", str(home)])
            _install([str(home / "bin" / "python"), "-m", "pip", "install", "-q", *requirements])
        _stamp(folder, requirements)
    return home / "bin"


def install_node(folder: Path, *packages: str, pinned: Mapping[str, str] | None = None) -> Path:
    """Return the folder that holds node_modules with the packages; `pinned` holds versions of what they need."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise Skipped("needs node and npm, and they are not on the PATH")
    wanted = (*packages, *(f"{name}@{version}" for name, version in (pinned or {}).items()))
    if not _stands(folder, wanted):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "package.json").write_text(json.dumps({"private": True, "overrides": dict(pinned or {})}))
        quiet = ["--no-fund", "--no-audit", "--no-update-notifier", "--save-exact"]
        _install(["npm", "install", *quiet, "--prefix", str(folder), *packages])
        _stamp(folder, wanted)
    return folder


def find_source(folder: Path, variable: str, repository: str, commit: str) -> Path:
    """Return a checkout of a source that no registry has: the one that a variable names, else a clone at a commit."""
    given = os.environ.get(variable)
    if given:
        if not Path(given).is_dir():
            raise Skipped(f"{variable} names {given}, and that is no folder")
        return Path(given).resolve()
    clone = folder / "source"
    if not _stands(folder, (commit,), name="source.stamp"):
        shutil.rmtree(clone, ignore_errors=True)
        if shutil.which("git") is None:
            raise Skipped(f"its source is on GitHub alone and git is missing; {variable} may name a checkout")
        try:
            _install(["git", "init", "-q", str(clone)])
            _install(
                ["git", "-C", str(clone), "fetch", "-q", "--depth", "1", f"https://github.com/{repository}", commit]
            )
            _install(["git", "-C", str(clone), "checkout", "-q", "FETCH_HEAD"])
        except Skipped as error:
            raise Skipped(
                f"its source is on GitHub alone, out of reach here; {variable} may name a checkout"
            ) from error
        _stamp(folder, (commit,), name="source.stamp")
    return clone


def _install(command: list[str]) -> None:
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, env=environment, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Skipped(f"could not be installed: {error}") from error
    if done.returncode != 0:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Skipped(f"could not be installed: {lines[-1] if lines else command}")


def _stands(folder: Path, wanted: tuple[str, ...], name: str = "installed.stamp") -> bool:
    try:
        return (folder / name).read_text() == "\n".join(wanted)
    except FileNotFoundError:
        return False


def _stamp(folder: Path, wanted: tuple[str, ...], name: str = "installed.stamp") -> None:
    (folder / name).write_text("\n".join(wanted))
