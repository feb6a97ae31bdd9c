"""Keep the salt of each org, with which its values are hashed before they leave."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, text


def salt_of(connection: Connection, org: str) -> bytes:
    """Return the org's salt; the first who asks makes it, and it stays for good: hashes must stay comparable."""
    connection.execute(
        text("INSERT INTO headwater.salt (org, salt) VALUES (:org, :salt) ON CONFLICT (org) DO NOTHING"),
        {"org": org, "salt": secrets.token_bytes(32)},
    )
    return bytes(
        connection.execute(text("SELECT salt FROM headwater.salt WHERE org = :org"), {"org": org}).scalar_one()
    )
