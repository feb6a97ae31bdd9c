"""Decide by which identifiers a record is known at a platform: valid ones only, or as the push's policy says. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from include.activation.phones import e164
from include.activation.transforms import Convert, Unconvertible, compile_transforms, hashed_with
from include.config.push_mapping import Identifiers, InvalidPolicy, MappedField
from include.errors import InvalidIdentifier

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
_LONGEST_JUNK = max(map(len, JUNK))  # folding case never makes a text shorter
_NO_KEYS = (bool, float, list, dict)
_CAUSES = {"email": "invalid_email", "phone_number": "invalid_phone"}

Found = tuple[dict[str, str], dict[str, str]]  # standard, custom


@dataclass(frozen=True, slots=True)
class InvalidValue:
    """Say that a record is not to be sent because a value is no valid identifier; it never holds the value."""

    cause: str
    message: str


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Hold one identifier: its name, and the fields it may come from, each with what is done to the value."""

    name: str
    kind: str  # of the rule: email, phone_number, or any other key
    custom: bool
    sources: tuple[tuple[str, Convert | None, Convert | None], ...]  # path, before and after the rule


def compile_identifiers(
    definition: Identifiers, *, salt: bytes
) -> Callable[[Mapping[str, Any], str | None, str], Found | InvalidValue]:
    """Return a function from (row, country, record Id) to the identifiers, standard and custom.

    Under the policy ``fail_run`` it raises InvalidIdentifier.
    """
    wanted = [
        _Wanted(name, name, False, tuple(_source(each, salt) for each in fields))
        for name, fields in definition.standard.items()
    ]
    wanted += [_Wanted(name, "key", True, (_source(each, salt),)) for name, each in definition.custom.items()]
    policy = definition.invalid

    def identify(row: Mapping[str, Any], country: str | None, record_id: str) -> Found | InvalidValue:
        standard: dict[str, str] = {}
        custom: dict[str, str] = {}
        for each in wanted:
            value, invalid = _first_valid(each, row, country)
            if value is None and invalid is not None:
                verdict = _by_policy(policy, each, invalid, record_id)
                if isinstance(verdict, InvalidValue):
                    return verdict
                value = verdict
            if value is not None:
                (custom if each.custom else standard)[each.name] = value
        return standard, custom

    return identify


def identifier(kind: str, value: Any, country: str | None) -> str | None:
    """Return the value as a valid identifier of its kind, or None."""
    if kind == "email":
        return valid_email(value)
    key = _text(value)
    if kind == "phone_number":
        return e164(key, country) if key else None
    return key


def valid_email(value: Any) -> str | None:
    """Return the address, trimmed, or None when it is none or stands for nobody (``none@none.com``)."""
    text = _text(value)
    if text is None or not _EMAIL.fullmatch(text):
        return None
    return None if text.partition("@")[0].casefold() in _JUNK_EMAILS else text


def _source(field: MappedField, salt: bytes) -> tuple[str, Convert | None, Convert | None]:
    """Return a field with what is done before its value is judged, and after: a hash is no e-mail address."""
    hashes = field.transform[-1:] == ("hash",)
    before = field.transform[:-1] if hashes else field.transform
    return (
        field.field,
        compile_transforms(before, salt=salt) if before else None,
        hashed_with(salt) if hashes else None,
    )


def _first_valid(wanted: _Wanted, row: Mapping[str, Any], country: str | None) -> tuple[str | None, Any]:
    """Return the first valid value, or None and the first value that is there and is not valid."""
    invalid: Any = None
    for path, before, after in wanted.sources:
        value = row[path]
        if value is None:
            continue
        try:
            said = before(value) if before else value
        except Unconvertible:
            said = None
        found = identifier(wanted.kind, said, country)
        if found is not None:
            return (after(found) if after else found), None
        if invalid is None and str(value).strip():
            invalid = value if said is None else said
    return None, invalid


def _by_policy(policy: InvalidPolicy, wanted: _Wanted, value: Any, record_id: str) -> str | InvalidValue | None:
    if policy == "drop_identifier":
        return None
    fields = " or ".join(path for path, _, _ in wanted.sources)
    if policy == "skip_record":
        message = f"{fields} holds no valid {wanted.name}, and the push says: identifiers.invalid: skip_record"
        return InvalidValue(_CAUSES.get(wanted.kind, "invalid_identifier"), message)
    if policy == "fail_run":
        raise InvalidIdentifier(
            f"{fields} of the record {record_id} holds no valid {wanted.name}, and the push says: identifiers.invalid:"
            " fail_run. Mend the record, or choose another policy; what was sent before stays sent"
        )
    hashes = any(after for _, _, after in wanted.sources)
    return None if hashes else str(value).strip()  # nobody could tell that a hash is of something invalid


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        if value is None or isinstance(value, _NO_KEYS):
            return None
        value = str(value)
    text: str = value.strip()
    return None if len(text) <= _LONGEST_JUNK and text.casefold() in JUNK else text
