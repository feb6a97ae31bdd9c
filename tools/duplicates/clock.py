"""Measure a stage: wall time, processor time of ours, and of the server where it runs on this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil
from sqlalchemy import Engine, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Hold what a stage cost, in seconds."""

    name: str
    wall: float
    ours: float  # processor time of this process
    server: float | None  # processor time of all of the server's processes; None: it runs elsewhere


@dataclass(slots=True)
class Clock:
    """Measure stages one after the other."""

    engine: Engine
    stages: list[Stage] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure what happens inside."""
        wall, ours, server = time.perf_counter(), time.process_time(), self._server()
        yield
        wall, ours, after = time.perf_counter() - wall, time.process_time() - ours, self._server()
        spent = after - server if after is not None and server is not None else None
        self.stages.append(Stage(name=name, wall=wall, ours=ours, server=spent))

    def _server(self) -> float | None:
        """Return the processor time of the server's processes, those that have ended included."""
        with self.engine.connect() as connection:
            pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        try:
            postmaster = psutil.Process(pid).parent()
            if postmaster is None or "postgres" not in postmaster.name():
                return None
            times = [postmaster.cpu_times()]
            spent = times[0].user + times[0].system + times[0].children_user + times[0].children_system
            for each in postmaster.children():
                spent += sum(each.cpu_times()[:2])
        except psutil.Error:
            return None
        return spent
