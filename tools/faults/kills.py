"""Kill processes with -9 at moments that nobody chose."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter

from include.local.running import send
from tools.faults.org import OrgServer
from tools.faults.postgres import WarehouseServer
from tools.faults.scheduler import Scheduler

TASK, POSTMASTER, SESSION, ORG = "task", "warehouse (postmaster)", "warehouse (a session)", "org"
_SHARES = {TASK: 66, POSTMASTER: 11, SESSION: 10, ORG: 13}
_NEAR = 2.5  # seconds: a moment within the work of a round


class Killer:
    """Kill so many processes in all, some in each round, while its tasks run."""

    def __init__(
        self, dice: random.Random, wanted: int, scheduler: Scheduler, warehouse: WarehouseServer, org: OrgServer
    ) -> None:
        self._dice, self._wanted = dice, wanted
        self._scheduler, self._warehouse, self._org = scheduler, warehouse, org
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self.done: Counter[str] = Counter()

    @property
    def left(self) -> int:
        """Return how many are still to be killed."""
        return max(0, self._wanted - self.done.total())

    def begin_round(self, most: int) -> None:
        """Kill up to `most` processes from now on, until the round ends."""
        self._over.clear()
        victims = self._dice.choices(tuple(_SHARES), tuple(_SHARES.values()), k=min(most, self.left))
        moments = [(victim, self._dice.uniform(0.05, _NEAR)) for victim in victims]
        self._thread = threading.Thread(target=self._kill, args=(moments,), name="killer")
        self._thread.start()

    def end_round(self) -> None:
        """Return when everything that was killed stands again."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._failure is not None:
            raise self._failure

    def _kill(self, moments: list[tuple[str, float]]) -> None:
        try:
            for victim, pause in moments:
                if self._over.wait(pause):
                    return  # what isn't at work isn't worth a kill
                if self._killed(victim):
                    self.done[victim] += 1
        except BaseException as error:
            self._failure = error
            raise

    def _killed(self, victim: str) -> bool:
        if victim == TASK:
            return self._kill_a_task()
        if victim == ORG:
            self._org.kill()
        elif victim == POSTMASTER:
            self._warehouse.kill()
        else:
            return self._warehouse.kill_a_session(self._dice)
        return True

    def _kill_a_task(self) -> bool:
        until = time.monotonic() + 1.0
        while not (running := self._scheduler.running()):
            if self._over.is_set() or time.monotonic() > until:
                return False
            time.sleep(0.005)
        victim = self._dice.choice(running)
        if not victim.alive:
            return False
        send(victim, signal.SIGKILL)
        return True
