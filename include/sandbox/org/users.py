"""Who may sign in: every active user of the org, all with the one development password."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from include.sandbox.org.credentials import PASSWORD, SECURITY_TOKEN
from include.sandbox.org.store.database import Database
from include.sandbox.org.store.tables import FOREVER

_COLUMNS = (
    "Id", "Username", "FirstName", "LastName", "Email", "CommunityNickname", "TimeZoneSidKey", "LocaleSidKey",
    "LanguageLocaleKey", "UserType", "ProfileId", "IsActive", "LastModifiedDate",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Hold what sign-in knows and tells of a user."""

    id: str
    username: str
    first_name: str
    last_name: str
    email: str
    nickname: str
    time_zone: str
    locale: str
    language: str
    type: str
    profile_id: str
    active: bool
    modified: datetime

    @property
    def name(self) -> str:
        """Return the full name."""
        return f"{self.first_name} {self.last_name}".strip()


def user_by_id(database: Database, user_id: str) -> User | None:
    """Return the user of an Id, or None."""
    return _user(database, '"Id" = $1', user_id)


def user_by_name(database: Database, username: str) -> User | None:
    """Return the user of a username in any spelling of case, or None."""
    return _user(database, 'lower("Username") = lower($1)', username)


def password_fits(password: str) -> bool:
    """Say whether this is the development password, with the security token behind it or without."""
    return password in (PASSWORD, PASSWORD + SECURITY_TOKEN)


def _user(database: Database, condition: str, value: str) -> User | None:
    columns = ", ".join(f'"{name}"' for name in _COLUMNS)
    rows = database.rows(f'SELECT {columns} FROM "User" WHERE {condition} AND _until = {FOREVER} LIMIT 1', [value])
    if not rows:
        return None
    *texts, active, modified = rows[0]
    user_id, username, first, last, email, nickname, zone, locale, language, kind, profile = (
        each or "" for each in texts
    )
    return User(
        id=user_id, username=username, first_name=first, last_name=last, email=email, nickname=nickname, time_zone=zone,
        locale=locale, language=language, type=kind, profile_id=profile, active=bool(active), modified=modified,
    )  # fmt: skip
