"""What every peer is: a client that is installed into a folder of its own and does one stage after the other."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

PATIENCE = 600  # seconds for one command of a client


class Skipped(Exception):
    """Say why a client can't be tried here."""


class Broken(Exception):
    """Carry what a client said when it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Hold where a client of the org finds everything, and where it leaves what it read."""

    org: Mapping[str, Any]  # sign-in, hosts, proxy, CA
    objects: Mapping[str, Sequence[str]]  # fields that are compared, by object
    environment: Mapping[str, str]
    out: Path  # out/<way>/<object>.jsonl
    state: Path  # kept between the stages
    since: str = ""  # the increment begins here


class Peer(Protocol):
    """Install itself, and do the stages describe, full, increment, write and error; some also `everything`."""

    name: str
    ways: Mapping[str, bool]  # how it reads everything, and whether it sees deleted records on that way

    def install(self, folder: Path) -> str:
        """Install the client and return its version; raise Skipped when that can't be done here."""

    def run(self, stage: str, sight: Sight) -> dict[str, Any]:
        """Do one stage and return what is to be told of it."""


def run(
    command: Sequence[str | Path], environment: Mapping[str, str], *, folder: Path | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run one command of a client; raise Broken with the end of what it said when it fails."""
    words = [str(each) for each in command]
    try:
        done = subprocess.run(
            words, env=dict(environment), cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Broken(f"{Path(words[0]).name} did not end within {PATIENCE} s") from error
    if check and done.returncode != 0:
        raise Broken(f"{Path(words[0]).name} ended with {done.returncode}: {gist(done.stderr or done.stdout)}")
    return done


def gist(said: str) -> str:
    """Return the line of a client's last words that names an error."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"\w*(Error|Exception|Malformed|Refused)\b.*:", line)]
    return (telling or lines or ["nothing was said"])[-1][:600]


def each_way(ways: Iterable[str], read: Callable[[str], None]) -> None:
    """Read on every way, and raise Broken at the end if some of them failed."""
    failed = []
    for way in ways:
        try:
            read(way)
        except Broken as error:
            failed.append(f"{way}: {error}")
    if failed:
        raise Broken("; ".join(failed))


def keep_rows(out: Path, way: str, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Leave the rows of some objects, read on one way, where they are compared."""
    folder = out / way
    folder.mkdir(parents=True, exist_ok=True)
    for name, found in rows.items():
        with (folder / f"{name}.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in found)
