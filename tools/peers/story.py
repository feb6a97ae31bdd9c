"""What happens to the peers: all read everything, the org changes, all read the change, then each writes and errs."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.peers.org import PeersOrg
from tools.peers.peer import Broken, Peer, Sight, Skipped
from tools.peers.rows import OBJECTS, Row, digest, first_difference, read_rows

_SIDE_BY_SIDE = 4
_TOUCHED = {"Account": 7, "Contact": 11, "Lead": 5, "Opportunity": 5, "Task": 3}
_DELETED = {"Contact": 4, "Task": 2}


@dataclass(slots=True, kw_only=True)
class Visit:
    """Hold what one client told and saw."""

    peer: Peer
    version: str = ""
    skipped: str = ""
    described: str = ""
    reads: dict[str, dict[str, tuple[int, str]]] = field(default_factory=dict)  # way, object: rows, digest
    increments: dict[str, dict[str, str]] = field(default_factory=dict)  # way, object: rows
    deleted: dict[str, str] = field(default_factory=dict)  # way: how many deleted records it saw
    write: str = ""
    errors: tuple[str, ...] = ()
    wrong: list[str] = field(default_factory=list)


class Story:
    """Lead the peers through the stages, side by side, so that all of them see the same org at each."""

    def __init__(self, org: PeersOrg, home: Path, peers: Sequence[Peer], say: Any) -> None:
        self._org, self._home, self._say = org, home, say
        self.visits = [Visit(peer=peer) for peer in peers]
        self.truth: dict[bool, dict[str, list[Row]]] = {}

    def tell(self) -> None:
        """Do everything."""
        self._install()
        self._each("describe", self._describe)
        self.truth = {deleted: self._org.rows(deleted=deleted) for deleted in (False, True)}
        self._each("full", self._full)
        time.sleep(1.1)  # stamps are whole seconds: the change begins in a second of its own
        since = self._org.now()
        for name, number in _TOUCHED.items():
            self._org.command("touch", object=name, n=number, seed=3)
        for name, number in _DELETED.items():
            self._org.command("delete", object=name, n=number, seed=4)
        changed = {
            deleted: self._org.rows(f"WHERE SystemModstamp >= {since}", deleted=deleted) for deleted in (False, True)
        }
        self._each("increment", lambda visit: self._increment(visit, since, changed))
        self._each("write", self._write)
        self._each("error", self._error)

    def _install(self) -> None:
        for visit in self.visits:
            self._say(f"install {visit.peer.name}")
            folder = self._home / visit.peer.name.replace(" ", "-")
            folder.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(folder / "run", ignore_errors=True)
            try:
                visit.version = visit.peer.install(folder)
            except Skipped as reason:
                visit.skipped = str(reason)

    def _each(self, stage: str, do: Any) -> None:
        def take_turn(visit: Visit) -> None:
            began = time.monotonic()
            try:
                do(visit)
            except Broken as error:
                visit.wrong.append(f"{stage}: {error}")
            self._say(f"{stage} {visit.peer.name} ({time.monotonic() - began:.1f} s)")

        # Reading, they mostly wait for their own pauses; writing, each has the org to itself.
        with ThreadPoolExecutor(1 if stage == "write" else _SIDE_BY_SIDE) as turns:
            list(turns.map(take_turn, [visit for visit in self.visits if not visit.skipped]))

    def _describe(self, visit: Visit) -> None:
        said = visit.peer.run("describe", self._sight(visit, "describe"))
        visit.described = f"{said['objects']} objects" + (f", {said['fields']} fields" if said["fields"] else "")

    def _full(self, visit: Visit) -> None:
        sight = self._sight(visit, "full")
        done = self._try(visit, "full", sight)
        for way, sees_deleted in visit.peer.ways.items():
            visit.reads[way] = {}
            for name in OBJECTS:
                rows, truth = read_rows(sight.out / way, name), self.truth[sees_deleted][name]
                visit.reads[way][name] = (len(rows), digest(rows, name))
                unread = not rows and not done
                if not unread and digest(rows, name) != digest(truth, name):
                    visit.wrong.append(f"{way}, {name}: {first_difference(rows, truth, name)}")

    def _increment(self, visit: Visit, since: str, changed: Mapping[bool, Mapping[str, list[Row]]]) -> None:
        sight = self._sight(visit, "increment", since)
        self._try(visit, "increment", sight)
        gone = {name: _ids(changed[True][name]) - _ids(changed[False][name]) for name in OBJECTS}
        for folder in sorted(each for each in sight.out.iterdir() if each.is_dir()):
            rows = {name: read_rows(folder, name) for name in OBJECTS}
            seen = {name: _ids(found) for name, found in rows.items()}
            deletions_alone = folder.name.startswith("deleted")
            if not deletions_alone:
                visit.increments[folder.name] = {}
                for name in OBJECTS:
                    wanted = _ids(changed[visit.peer.ways.get(folder.name, False)][name])
                    again = len(seen[name] - wanted)
                    told = f"{len(seen[name] & wanted)}" + (f"+{again}" if again else "")
                    visit.increments[folder.name][name] = told
                    if missing := wanted - seen[name]:
                        visit.wrong.append(f"increment by {folder.name}, {name}: {len(missing)} missing")
            if deletions_alone or visit.peer.ways.get(folder.name):
                found = {name: seen[name] if deletions_alone else _deleted(rows[name]) for name in OBJECTS}
                visit.deleted[folder.name] = str(sum(len(found[name] & gone[name]) for name in OBJECTS))
                if any(found[name] != gone[name] for name in OBJECTS):
                    differing = {name: len(found[name] ^ gone[name]) for name in OBJECTS if found[name] != gone[name]}
                    visit.wrong.append(f"deleted by {folder.name}: differs in {differing}")

    def _try(self, visit: Visit, stage: str, sight: Sight) -> bool:
        """Let a client read and say whether it could; what it read before it failed is looked at all the same."""
        sight.out.mkdir(parents=True, exist_ok=True)
        try:
            visit.peer.run(stage, sight)
        except Broken as error:
            visit.wrong.append(f"{stage}: {error}")
            return False
        return True

    def _write(self, visit: Visit) -> None:
        before = self._present()
        visit.write = str(visit.peer.run("write", self._sight(visit, "write")).get("write", "does not write"))
        if self._present() != before:
            visit.wrong.append(f"write: what it made and removed does not add up: {before} and {self._present()}")

    def _error(self, visit: Visit) -> None:
        visit.errors = tuple(visit.peer.run("error", self._sight(visit, "error")).get("errors", ()))
        if not visit.errors:
            visit.wrong.append("error: it took what should have been refused")

    def _present(self) -> dict[str, int]:
        counts = self._org.counts()
        return {name: counts[name]["present"] for name in OBJECTS}

    def _sight(self, visit: Visit, stage: str, since: str = "") -> Sight:
        home = self._home / visit.peer.name.replace(" ", "-")
        return Sight(
            org=self._org.settings(),
            objects={name: list(fields) for name, fields in OBJECTS.items()},
            environment={**self._org.environment(), "HOME": str(home / "run")},
            out=home / "run" / stage,
            state=home / "run" / "state",
            since=since,
        )


def _ids(rows: Sequence[Row]) -> set[str]:
    return {str(row["Id"]) for row in rows}


def _deleted(rows: Sequence[Row]) -> set[str]:
    return {str(row["Id"]) for row in rows if str(row.get("IsDeleted")).lower() == "true"}
