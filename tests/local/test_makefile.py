"""The Makefile: every target explained, nothing needed but make and Python, nothing done twice."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
TARGETS = {
    "up",
    "down",
    "status",
    "reset",
    "org",
    "peers",
    "faults",
    "deliveries",
    "duplicates",
    "push-faults",
    "parity",
    "airflow",
    "sql",
    "test",
    "check",
    "lock",
    "bench",
    "check-definitions",
    "check-connection",
    "forget",
    "format",
}


def run(*command: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    base = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "AIRFLOW"))}
    return subprocess.run(command, cwd=cwd, env={**base, **environment}, capture_output=True, text=True, timeout=120)


def test_every_target_has_one_comment() -> None:
    """`make` alone lists them."""
    shown = run("make").stdout
    assert {line.split()[0] for line in shown.splitlines()} == TARGETS | {"help"}
    assert all(len(line.split()) > 2 for line in shown.splitlines())


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_every_target_can_be_made(target: str) -> None:
    """Make understands it: what it depends on exists or has a rule."""
    answer = run("make", "--dry-run", target)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("script", ["tools/install", "tools/lock", ".ci/run", "docker/make-env", "docker/prepare.sh"])
def test_scripts_are_strict_executable_and_valid(script: str) -> None:
    """A failing command ends them."""
    path = ROOT / script
    assert os.access(path, os.X_OK)
    assert "set -euo pipefail" in path.read_text()
    assert run("bash", "-n", str(path)).returncode == 0


def test_the_gate_runs_all_tests() -> None:
    """`.ci/run` is `make test`."""
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == "make test"


def test_down_before_anything_was_installed_does_nothing(tmp_path: Path) -> None:
    """It does not install a hundred packages to stop nothing."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    answer = run("make", "down", cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (0, "nothing was ever started\n")


def test_status_and_down_of_an_empty_home_are_calm(tmp_path: Path) -> None:
    """No installation is no error."""
    down = run("make", "down", HEADWATER_HOME=str(tmp_path / "none"))
    assert (down.returncode, down.stdout) == (0, "nothing was running\n")
    python = str(ROOT / ".venv" / "bin" / "python")
    status = run(python, "-m", "include.local", "status", HEADWATER_HOME=str(tmp_path / "none"), PYTHONPATH=str(ROOT))
    assert status.returncode == 0
    assert "the warehouse is down" in status.stdout
    assert not (tmp_path / "none").exists()


def test_reset_leaves_an_org_alone_that_still_works(tmp_path: Path) -> None:
    """Its folder would vanish under it."""
    python = str(ROOT / ".venv" / "bin" / "python")
    home = tmp_path / "home" / "sandbox" / "org-1"
    home.mkdir(parents=True)
    org = subprocess.Popen([python, "-c", "import time; time.sleep(60)", "--home", str(home)])
    try:
        surroundings = {"HEADWATER_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT), "YES": "1"}
        answer = run(python, "-m", "include.local", "reset", **surroundings)
        assert answer.returncode == 1
        assert f"works below {home.parent} (pid {org.pid})" in answer.stderr
        assert home.exists()
    finally:
        org.kill()
        org.wait()


def test_reset_asks_before_it_deletes(tmp_path: Path) -> None:
    """Anything but yes deletes nothing; YES=1 answers; what is not ours stays."""
    python = str(ROOT / ".venv" / "bin" / "python")
    home = tmp_path / "home"
    (home / "airflow").mkdir(parents=True)
    (home / "mine.txt").write_text("a person's")
    command = [python, "-m", "include.local", "reset"]
    asked = run(*command, HEADWATER_HOME=str(home), PYTHONPATH=str(ROOT), YES="")
    assert asked.returncode == 1
    assert (home / "airflow").exists()
    told = run(*command, HEADWATER_HOME=str(home), PYTHONPATH=str(ROOT), YES="1")
    assert told.returncode == 0
    assert [each.name for each in home.iterdir()] == ["mine.txt"]


def test_an_installed_file_is_not_installed_again(tmp_path: Path) -> None:
    """The stamp holds what was installed: a younger file of the same content costs nothing, even offline."""
    for name in ("tools", ".venv/bin"):
        (tmp_path / name).mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "install", tmp_path / "tools")
    python = shutil.which("python3.11") or shutil.which("python3") or ""
    (tmp_path / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec "{python}" "$@"\n')
    (tmp_path / ".venv" / "bin" / "python").chmod(0o755)
    (tmp_path / "requirements.txt").write_text("")
    stamp = tmp_path / ".venv" / "stamp"
    first = run(
        str(tmp_path / "tools" / "install"), "requirements.txt", str(stamp), PATH=f"{fake_uv(tmp_path)}:/usr/bin:/bin"
    )
    assert "installed in" in first.stdout, first.stderr
    again = run(str(tmp_path / "tools" / "install"), "requirements.txt", str(stamp), PATH="/usr/bin:/bin")
    assert (again.returncode, again.stdout) == (0, "")


def fake_uv(tmp_path: Path) -> Path:
    """Put a program named uv there that installs nothing: no test reaches the internet."""
    folder = tmp_path / "fake"
    folder.mkdir()
    (folder / "uv").write_text("#!/bin/sh\nexit 0\n")
    (folder / "uv").chmod(0o755)
    return folder


def test_a_python_that_is_too_old_is_refused_in_words(tmp_path: Path) -> None:
    """The message names the versions that fit."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "install", tmp_path / "tools")
    (tmp_path / "bin").mkdir()
    for name in ("dirname", "bash", "env"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or "")
    answer = run(str(tmp_path / "tools" / "install"), "requirements.txt", "stamp", PATH=str(tmp_path / "bin"))
    assert answer.returncode == 1
    assert "needs Python 3.11, 3.12 or 3.13" in answer.stderr


def test_no_package_index_is_named() -> None:
    """Where packages come from is the machine's business."""
    for name in ("Makefile", "tools/install", "tools/lock", ".ci/run", "Dockerfile"):
        assert not re.search(r"https?://|index-url", (ROOT / name).read_text()), name
