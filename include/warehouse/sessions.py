"""Keep an org's session, encrypted, so that the tasks of a run share one sign-in."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine, text

from include.warehouse.engine import transaction


class WarehouseTokens:
    """Keep session texts in headwater.session (`include.ports.TokenStore`).

    Args:
        engine: the warehouse.
        encrypt: makes the stored text of a session text.
        decrypt: gives it back, or None when the text was encrypted with a key that is no longer known.
    """

    def __init__(self, engine: Engine, *, encrypt: Callable[[str], str], decrypt: Callable[[str], str | None]) -> None:
        self._engine = engine
        self._encrypt = encrypt
        self._decrypt = decrypt

    def get(self, key: str) -> str | None:
        """Return the stored session text of this connection, or None."""
        with transaction(self._engine) as connection:
            stored = connection.execute(
                text("SELECT token FROM headwater.session WHERE key = :key"), {"key": key}
            ).scalar_one_or_none()
        return None if stored is None else self._decrypt(stored)

    def put(self, key: str, token: str) -> None:
        """Store a session text, encrypted."""
        with transaction(self._engine) as connection:
            connection.execute(
                text(
                    "INSERT INTO headwater.session (key, token) VALUES (:key, :token)"
                    " ON CONFLICT (key) DO UPDATE SET token = excluded.token, stored_at = now()"
                ),
                {"key": key, "token": self._encrypt(token)},
            )
