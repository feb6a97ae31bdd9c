"""Read the form in the body of a request: the fields that it may have, each as often as it may stand there.

What is wrong is said with the name of the field, never with what was sent: that may be a person's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from fastapi import HTTPException, Request

from headwater.ui.bounded import bounded_body

MEDIA_TYPE = "application/x-www-form-urlencoded"
LONGEST = 100_000  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFields:
    """Name the fields of a form.

    Args:
        one: those that stand in it once at most.
        many: those that may be repeated, each with how often.
        longest: bytes of the whole form.
    """

    one: tuple[str, ...] = ()
    many: Mapping[str, int] = field(default_factory=dict)
    longest: int = LONGEST

    @property
    def most(self) -> int:
        """Return how many fields the form may have, repeated ones counted each time."""
        return len(self.one) + sum(self.many.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Hold what the fields of a form say."""

    values: Mapping[str, tuple[str, ...]]

    def one(self, name: str, default: str = "") -> str:
        """Return what a field says, or the default: it is not there."""
        return self.values.get(name, (default,))[0]

    def many(self, name: str) -> tuple[str, ...]:
        """Return what a repeated field says, in its order."""
        return self.values.get(name, ())


def wrong_field(name: str, must: str) -> HTTPException:
    """Return the refusal of a form for one of its fields, e.g. ``must="be a day that is to come"``."""
    return HTTPException(400, f"The field “{name}” of the form must {must}.")


async def read_form(request: Request, fields: FormFields) -> Form:
    """Return the form in the body of a request.

    Raises:
        HTTPException: it is none by its own word (415), too long (413), or holds what it may not (400).
    """
    body = await bounded_body(request, MEDIA_TYPE, longest=fields.longest, what="form")
    pieces = [each for each in body.split(b"&") if each]
    if len(pieces) > fields.most:
        raise HTTPException(400, f"The form has more than {fields.most:,} fields.")
    values: dict[str, list[str]] = {}
    for piece in pieces:
        name, said = _read(piece, fields)
        values.setdefault(name, []).append(said)
    for name, found in values.items():
        most = 1 if name in fields.one else fields.many[name]
        if len(found) > most:
            raise wrong_field(name, "stand in it once" if most == 1 else f"not stand in it more than {most:,} times")
    return Form(values={name: tuple(found) for name, found in values.items()})


def _read(piece: bytes, fields: FormFields) -> tuple[str, str]:
    """Return a field's name and what it says."""
    written, _, said = piece.partition(b"=")
    name = _text(written)
    if name is None or (name not in fields.one and name not in fields.many):
        known = ", ".join((*fields.one, *fields.many))
        raise HTTPException(400, f"The form has a field that is not known. It may have: {known}.")
    text = _text(said)
    if text is None:
        raise wrong_field(name, "be text in UTF-8")
    if "\x00" in text:
        raise wrong_field(name, "not hold the character NUL")
    return name, text


def _text(written: bytes) -> str | None:
    try:
        return unquote_to_bytes(written.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        return None
