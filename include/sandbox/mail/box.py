"""Keep received mails as files, one a mail, and show them as plain values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

_NAME = re.compile(r"[0-9]{8}T[0-9]{12}-[0-9]{6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """Hold what a person wants to see of a mail."""

    id: str
    at: datetime
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    html: str
    attachments: tuple[str, ...]

    def summary(self) -> dict[str, Any]:
        """Return the mail as JSON values."""
        return {
            "id": self.id,
            "at": self.at.isoformat(),
            "from": self.sender,
            "to": list(self.recipients),
            "subject": self.subject,
            "text": self.text,
            "html": self.html,
            "attachments": list(self.attachments),
        }


class Box:
    """Be the folder of received mails."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "mails"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._number = 0

    def put(self, sender: str, recipients: list[str], content: bytes, now: datetime) -> str:
        """Store a mail with its envelope and return its id."""
        self._number = (self._number + 1) % 1_000_000
        name = f"{now:%Y%m%dT%H%M%S%f}-{self._number:06d}"
        envelope = f"X-Sandbox-From: {_line(sender)}\r\nX-Sandbox-To: {_line(', '.join(recipients))}\r\n"
        unfinished = self._folder / f"{name}.part"
        unfinished.write_bytes(envelope.encode() + content)
        unfinished.rename(self._folder / f"{name}.eml")
        return name

    def count(self) -> int:
        """Return how many mails there are."""
        return len(self._names())

    def newest(self, limit: int, offset: int = 0) -> list[Mail]:
        """Return mails, the newest first."""
        found = [self.get(name) for name in self._names()[offset : offset + limit]]
        return [mail for mail in found if mail is not None]

    def get(self, name: str) -> Mail | None:
        """Return one mail, or None if there is none of this id."""
        file = self._folder / f"{name}.eml"
        if not _NAME.fullmatch(name) or not file.exists():
            return None
        message = message_from_bytes(file.read_bytes(), policy=policy.default)
        return Mail(
            id=name,
            at=datetime.strptime(name[:21], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC),
            sender=str(message.get("X-Sandbox-From", "")),
            recipients=tuple(filter(None, str(message.get("X-Sandbox-To", "")).split(", "))),
            subject=str(message.get("Subject", "")),
            text=_part(message, "plain"),
            html=_part(message, "html"),
            attachments=tuple(part.get_filename() or "unnamed" for part in message.iter_attachments()),
        )

    def reset(self) -> None:
        """Delete all mails."""
        for file in self._folder.glob("*.eml"):
            file.unlink(missing_ok=True)

    def _names(self) -> list[str]:
        return sorted((file.stem for file in self._folder.glob("*.eml")), reverse=True)


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body(preferencelist=(kind,))
    if body is None:
        return ""
    content = body.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    charset = body.get_content_charset() or "utf-8"
    try:
        return content.decode(charset, "replace")
    except LookupError:  # a charset that nobody knows
        return content.decode("utf-8", "replace")


def _line(text: str) -> str:
    return " ".join(text.split())
