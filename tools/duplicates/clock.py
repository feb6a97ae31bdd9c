"""Measure stages: wall time, processor time of ours, and of the server where it runs on this machine.

Of what the product does in one go, its statements are told apart by what they do.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil
from sqlalchemy import Engine, event, text


@dataclass(slots=True, kw_only=True)
class Stage:
    """Hold what a stage cost, in seconds."""

    name: str
    wall: float = 0.0
    ours: float = 0.0  # processor time of this process
    server: float | None = 0.0  # processor time of all of the server's processes; None: it runs elsewhere


class Clock:
    """Measure stages one after the other, and kinds of statements inside them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._postmaster = _postmaster(engine)
        self.stages: list[Stage] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Measure what happens inside."""
        found = Stage(name=name)
        self.stages.append(found)
        began = self._now()
        yield found
        self._add(found, began)

    @contextmanager
    def statements(self, kinds: dict[str, tuple[str, ...]]) -> Iterator[None]:
        """Measure what happens inside by kind of statement: the first kind one of whose words stands in it."""
        found = {name: Stage(name=name) for name in kinds}
        self.stages += found.values()
        begun: list[tuple[float, float, float | None]] = []

        def before(*_: Any) -> None:
            begun.append(self._now())

        def after(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            name = next((name for name, words in kinds.items() if any(word in statement for word in words)), "")
            if name:
                self._add(found[name], begun[-1])

        event.listen(self._engine, "before_cursor_execute", before)
        event.listen(self._engine, "after_cursor_execute", after)
        try:
            yield
        finally:
            event.remove(self._engine, "before_cursor_execute", before)
            event.remove(self._engine, "after_cursor_execute", after)

    def _add(self, stage: Stage, began: tuple[float, float, float | None]) -> None:
        ended = self._now()
        stage.wall += ended[0] - began[0]
        stage.ours += ended[1] - began[1]
        if ended[2] is None or began[2] is None or stage.server is None:
            stage.server = None
        else:
            stage.server += ended[2] - began[2]

    def _now(self) -> tuple[float, float, float | None]:
        return time.perf_counter(), time.process_time(), self._spent()

    def _spent(self) -> float | None:
        """Return the processor time of the server's processes, those that have ended included."""
        if self._postmaster is None:
            return None
        times = self._postmaster.cpu_times()
        spent = times.user + times.system + times.children_user + times.children_system
        for each in self._postmaster.children():
            try:
                spent += sum(each.cpu_times()[:2])
            except psutil.NoSuchProcess:  # it ended between two breaths
                continue
        return float(spent)


def _postmaster(engine: Engine) -> psutil.Process | None:
    with engine.connect() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    try:
        found = psutil.Process(pid).parent()
        return found if found is not None and "postgres" in found.name() else None
    except psutil.Error:
        return None
