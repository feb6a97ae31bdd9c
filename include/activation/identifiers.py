"""Decide by which identifiers a record is known at a platform: valid ones only. Pure."""

from __future__ import annotations

import re
from typing import Any

# A little stricter than platforms are: one @, no blanks, something on both sides of the last dot.
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
# What forms and imports leave behind where nobody is; as an identifier it would join strangers into one profile.
JUNK = frozenset(
    {
        "", "0", "1", "-", "--", ".", "?", "x", "xx", "xxx", "n/a", "#n/a", "n.a.", "na", "nan", "nil", "none", "null",
        "(null)", "undefined", "unknown", "anonymous", "test", "true", "false", "[object object]", "not provided",
    }
)  # fmt: skip
_JUNK_EMAILS = frozenset({"none", "null", "undefined", "unknown", "anonymous", "noemail", "no-email", "na", "n/a"})


def valid_email(value: Any) -> str | None:
    """Return the address, trimmed, or None when it is none or stands for nobody (``none@none.com``)."""
    text = _text(value)
    if text is None or not _EMAIL.fullmatch(text):
        return None
    return None if text.partition("@")[0].casefold() in _JUNK_EMAILS else text


def valid_key(value: Any) -> str | None:
    """Return an Id of ours or another system's as text, or None when it is blank or a placeholder."""
    return _text(value)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, bool | float | list | dict):
        return None
    text = str(value).strip()
    return None if text.casefold() in JUNK else text
