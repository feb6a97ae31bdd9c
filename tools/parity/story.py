"""What happens: people work in the org while ours and the peers read it, round after round; then they stop."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tools.parity.compare import STAMP, Agreement, Reading, agree
from tools.parity.ours import Ours
from tools.parity.values import NOT_COMPARED, formed
from tools.peers.org import PeersOrg
from tools.peers.peer import Peer, Sight
from tools.peers.rows import read_rows

# The defaults, what people change most besides, and one object with every type of field and odd values in each.
OBJECTS = ("Account", "Contact", "Lead", "Opportunity", "Task", "Everything__c")
LATE_SECONDS = 6  # so long after its stamp a slow commit shows up at most
# More is thrown away, fetched back and merged than usual, so that deleted records are compared, too.
_WEIGHTS = {"delete": 150, "restore": 40, "merge_duplicates": 80}  # of about a thousand
_FOLDS_NEWLINES = ("airbyte-source-salesforce",)
_PAUSE = 2.0  # between two of our runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Hold what one comparison of ours with one reader found."""

    stage: str
    reader: str
    way: str
    agreement: Agreement


@dataclass(slots=True)
class Told:
    """Hold everything that is to be reported."""

    compared: list[Compared] = field(default_factory=list)
    runs: int = 0  # of our extract, while people worked
    read: int = 0  # rows by them
    changes: int = 0  # that people made meanwhile
    mended: str = ""  # what the reconciliation found after they stopped


class Story:
    """Lead ours and the peers through the rounds."""

    def __init__(
        self, org: PeersOrg, ours: Ours, home: Path, peers: Sequence[Peer], say: Callable[[str], None]
    ) -> None:
        self._org, self._ours, self._home, self._peers, self._say = org, ours, home, peers, say
        self.fields: dict[str, dict[str, str]] = {}
        self.calculated: dict[str, frozenset[str]] = {}
        self.told = Told()

    def install(self) -> None:
        """Install every peer, and let it look at what there is."""
        for peer in self._peers:
            folder = self._folder(peer)
            folder.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(folder / "run", ignore_errors=True)
            self._say(f"install {peer.name} {peer.install(folder)}")
        for name in OBJECTS:
            described = [each for each in self._org.described(name) if each["type"] not in NOT_COMPARED]
            self.fields[name] = {each["name"]: each["type"] for each in described}
            self.calculated[name] = frozenset(each["name"] for each in described if each["calculated"])
        for peer in self._peers:
            peer.run("describe", self._sight(peer, "describe"))

    def live(self, rounds: int, *, changes_per_minute: int, seed: int) -> None:
        """Let people work, and compare in every round what was read meanwhile."""
        self._org.command(
            "life", changes_per_minute=changes_per_minute, seed=seed, late_share=0.2, late_seconds=LATE_SECONDS,
            weights=_WEIGHTS,
        )  # fmt: skip
        for number in range(1, rounds + 1):
            stage = f"round {number}"
            since = self._moment()
            stop = threading.Event()
            with ThreadPoolExecutor(1 + len(self._peers)) as pool:
                extracting = pool.submit(self._extract_until, stop)
                reading = [pool.submit(self._read, peer, stage) for peer in self._peers]
                try:
                    for each in reading:
                        each.result()
                finally:
                    stop.set()
                ours_since = extracting.result()
            ours = self._ours_read(ours_since - timedelta(seconds=LATE_SECONDS + 1))
            self._compare(stage, ours, since - timedelta(seconds=LATE_SECONDS + 1))
        self.told.changes = sum(self._org.look("life")["changes"].values())
        self._org.command("life", stop=True)

    def still(self) -> None:
        """Compare everything once nothing moves any more."""
        time.sleep(LATE_SECONDS + 2)  # the last slow commits, and the second of the last change
        # Accounts roll these up, and nothing moves an account's stamp for that.
        self._org.command("delete", object="Subscription__c", n=40, seed=7)
        time.sleep(2)
        self._ours.extract()
        found = self._ours.reconcile()
        mended = [(each.object, each.fetched, each.recalculated) for each in found if each.changed]
        self.told.mended = ", ".join(
            f"{name} ({fetched} read again, {recalculated} with new formulas)" for name, fetched, recalculated in mended
        )
        for peer in self._peers:
            self._read(peer, "still")
        ours = self._ours_read(None)
        self._compare("still", ours, None)
        truth = {name: self._org.records(name, self.fields[name]) for name in OBJECTS}
        self._add("still", "the org itself", "queryAll", ours, truth, None)

    def _extract_until(self, stop: threading.Event) -> datetime:
        """Extract again and again, and return when the last run began by the org's clock."""
        while True:
            last, began = stop.is_set(), self._moment()
            self.told.read += sum(self._ours.extract().values())
            self.told.runs += 1
            if last:
                return began
            stop.wait(_PAUSE)

    def _read(self, peer: Peer, stage: str) -> None:
        began = time.monotonic()
        sight = self._sight(peer, stage)
        sight.out.mkdir(parents=True, exist_ok=True)
        peer.run("everything", sight)
        self._say(f"{stage}: {peer.name} read everything ({time.monotonic() - began:.1f} s)")

    def _ours_read(self, settled: datetime | None) -> dict[str, Reading]:
        return {name: self._reading("Headwater", name, self._ours.rows(name), settled) for name in OBJECTS}

    def _compare(self, stage: str, ours: Mapping[str, Reading], settled: datetime | None) -> None:
        for peer in self._peers:
            out = self._sight(peer, stage).out
            for folder in sorted(each for each in out.iterdir() if each.is_dir()):
                rows = {name: read_rows(folder, name) for name in OBJECTS}
                self._add(stage, peer.name, folder.name, ours, rows, settled)

    def _add(
        self, stage: str, reader: str, way: str, ours: Mapping[str, Reading], rows: Mapping[str, Sequence[Any]],
        settled: datetime | None,
    ) -> None:  # fmt: skip
        found = Agreement()
        for name in OBJECTS:
            theirs = self._reading(reader, name, rows[name], settled)
            if len(theirs.rows) != len(rows[name]) and settled is None:
                found.wrong.append(f"{reader} has {len(rows[name]) - len(theirs.rows)} of {name} twice")
            found.add(agree(ours[name], theirs, calculated=self.calculated[name]))
        self.told.compared.append(Compared(stage=stage, reader=reader, way=way, agreement=found))
        first = f", such as: {found.wrong[0]}" if found.wrong else ""
        self._say(f"{stage}: {reader}, {way}: {found.records} records, {len(found.wrong)} wrong{first}")

    def _reading(self, reader: str, name: str, rows: Sequence[Any], settled: datetime | None) -> Reading:
        every = sorted((formed(each, self.fields[name]) for each in rows), key=lambda row: row[STAMP])
        newest = {each["Id"]: each for each in every}
        return Reading(name=reader, rows=newest, settled=settled, folds_newlines=reader in _FOLDS_NEWLINES)

    def _moment(self) -> datetime:
        return datetime.fromisoformat(self._org.now())

    def _folder(self, peer: Peer) -> Path:
        return self._home / peer.name.replace(" ", "-")

    def _sight(self, peer: Peer, stage: str) -> Sight:
        run = self._folder(peer) / "run"
        return Sight(
            org=self._org.settings(),
            objects={name: list(fields) for name, fields in self.fields.items()},
            environment={**self._org.environment(), "HOME": str(run)},
            out=run / stage.replace(" ", "-"),
            state=run / "state",
        )
