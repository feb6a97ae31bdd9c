"""What a written value must be: the checks of Salesforce, with its words, and the value as the store keeps it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from include.sandbox.org.ids import canonical
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.field import NUMBER_TYPES, Field, SObject

_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def checked(target: SObject, given: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
    """Return stored values by field name for what a client wrote, or refuse it."""
    values: dict[str, Any] = {}
    readonly: list[str] = []
    for name, value in given.items():
        if name == "attributes":
            continue
        field = target.field(name)
        if field is None:
            raise Refusal(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {target.name}")
        if not (field.createable if creating else field.updateable):
            readonly.append(field.name)
            continue
        values[field.name] = _checked_value(field, value)
    if readonly:
        message = (
            f"Unable to create/update fields: {', '.join(readonly)}. Please check the security settings of this field "
            "and verify that it is read/write for your profile or permission set."
        )
        raise Refusal(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message, readonly)
    _refuse_missing(target, values, creating=creating)
    return values


def _refuse_missing(target: SObject, values: Mapping[str, Any], *, creating: bool) -> None:
    missing = [
        each.name
        for each in target.fields
        if each.required and (creating or each.name in values) and values.get(each.name) is None
    ]
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise Refusal(400, "REQUIRED_FIELD_MISSING", message, missing)


def _checked_value(field: Field, value: Any) -> Any:
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "":
        return False if field.type == "boolean" else None
    if field.is_text:
        return _text(field, value)
    kind = "double" if field.type in NUMBER_TYPES else field.type
    return _CHECKS[kind](field, value)


def _text(field: Field, value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if len(text) > field.length:
        message = f"{field.label}: data value too large: {text} (max length={field.length})"
        raise Refusal(400, "STRING_TOO_LONG", message, [field.name])
    if field.type == "email" and not _MAIL.fullmatch(text):
        message = f"{field.label}: invalid email address: {text}"
        raise Refusal(400, "INVALID_EMAIL_ADDRESS", message, [field.name])
    if field.restricted:
        bad = [each for each in text.split(";") if each not in field.picklist]
        if bad:
            message = f"{field.label}: bad value for restricted picklist field: {bad[0]}"
            raise Refusal(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [field.name])
    return text


def _reference(field: Field, value: Any) -> str:
    right = canonical(str(value))
    if right is None:
        raise Refusal(400, "MALFORMED_ID", f"{field.label}: id value of incorrect type: {value}", [field.name])
    return right


def _number(field: Field, value: Any) -> float:
    if isinstance(value, bool):
        raise _undeserializable(field, value)
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise _undeserializable(field, value) from error


def _whole(field: Field, value: Any) -> int:
    return int(_number(field, value))


def _flag(field: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("true", "false", "1", "0"):
        return str(value).lower() in ("true", "1")
    raise _undeserializable(field, value)


def _date(field: Field, value: Any) -> date:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError as error:
        raise _undeserializable(field, value) from error


def _datetime(field: Field, value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError as error:
        raise _undeserializable(field, value) from error
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.replace(microsecond=0)


def _undeserializable(field: Field, value: Any) -> Refusal:
    kind = "VALUE_STRING" if isinstance(value, str) else "VALUE_TRUE" if value is True else "VALUE"
    message = (
        f"Cannot deserialize instance of {field.type} from {kind} value {value} "
        "or request may be missing a required field"
    )
    return Refusal(400, "JSON_PARSER_ERROR", message)


_CHECKS: dict[str, Callable[[Field, Any], Any]] = {
    "id": _reference,
    "reference": _reference,
    "double": _number,
    "int": _whole,
    "boolean": _flag,
    "date": _date,
    "datetime": _datetime,
}
