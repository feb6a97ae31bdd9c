"""A token store in memory, as `include.ports.TokenStore` wants it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta


class Drawer(dict[str, str]):
    """Session texts by key; a test may set what earlier turns left behind."""

    def __init__(self) -> None:
        super().__init__()
        self.sent_ago: timedelta | None = None
        self.refused_ago: timedelta | None = None
        self.notes: list[str] = []
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, key: str) -> Iterator[Turn]:
        with self._lock:
            yield Turn(self, key)


class Turn:
    def __init__(self, drawer: Drawer, key: str) -> None:
        self.stored = drawer.get(key)
        self.stored_before = self.stored is not None
        self.sent_ago = drawer.sent_ago
        self.refused_ago = drawer.refused_ago
        self._drawer = drawer
        self._key = key

    def sending(self) -> None:
        self._drawer.notes.append("sending")

    def unspent(self) -> None:
        self._drawer.notes.append("unspent")

    def refused(self) -> None:
        self._drawer.notes.append("refused")

    def keep(self, token: str) -> None:
        self._drawer.notes.append("kept")
        self._drawer[self._key] = token
