"""What a written value must be: the checks of Salesforce, with its words, and the value as the store keeps it.

Clients write JSON values, or text where the format knows nothing else (CSV, XML); both end as the same stored values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from include.sandbox.org.ids import canonical
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.field import NUMBER_TYPES, Field, SObject

_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_EARLIEST, _LATEST = 1700, 4000
_MOST_WHOLE = 2**31 - 1
# Fields that an administrator can open for the insert of migrated records.
AUDIT_FIELDS = frozenset({"CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById"})
_IGNORED = frozenset({"attributes", "fieldstonull"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentKey:
    """Hold a reference that is written as an external Id of its parent."""

    field: Field
    object: str | None  # of several possible parents
    key: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Hold what a client wrote, checked: stored values by field name, and references still to be looked up."""

    values: dict[str, Any]
    parents: tuple[ParentKey, ...] = ()


def checked(target: SObject, given: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
    """Return stored values by field name for what a client wrote, or refuse it."""
    return read_row(target, given, creating=creating).values


def read_row(
    target: SObject, given: Mapping[str, Any], *, creating: bool, csv: bool = False, audit: bool = False
) -> Written:
    """Check one written record; `csv` leaves empty cells alone and takes `#N/A` for null."""
    values: dict[str, Any] = {}
    parents: list[ParentKey] = []
    readonly: list[str] = []
    for name, value in given.items():
        if name.lower() in _IGNORED or (csv and value == ""):
            continue
        if csv and value == "#N/A":
            value = None
        field = target.by_name.get(name.lower())
        if field is None:
            parents.append(_parent_key(target, name, value))
        elif not _may_write(field, creating=creating, audit=audit):
            readonly.append(field.name)
        else:
            values[field.name] = _checked_value(field, value, csv=csv)
    values |= _emptied(target, given)
    if readonly:
        raise _readonly(readonly)
    _refuse_missing(target, values, parents, creating=creating)
    return Written(values=values, parents=tuple(parents))


def _may_write(field: Field, *, creating: bool, audit: bool) -> bool:
    if creating and audit and field.name in AUDIT_FIELDS:
        return True
    return field.createable if creating else field.updateable


def _emptied(target: SObject, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return nulls for the names that SOAP lists in fieldsToNull."""
    names = given.get("fieldsToNull") or ()
    emptied: dict[str, Any] = {}
    for name in (names,) if isinstance(names, str) else names:
        field = target.field(name)
        if field is None:
            raise no_such_column(name, target)
        emptied[field.name] = False if field.type == "boolean" else None
    return emptied


def _parent_key(target: SObject, name: str, value: Any) -> ParentKey:
    """Return the reference behind `Account: {Key__c: x}`, `Account.Key__c` or `Lead:Owner.Key__c`."""
    path, _, key = name.partition(".")
    kind, _, relationship = path.rpartition(":")
    field = target.parent_field(relationship)
    if field is None or not (key or isinstance(value, Mapping)):
        raise no_such_column(name, target)
    if not (field.createable or field.updateable):
        raise _readonly([field.name])
    if isinstance(value, Mapping):
        kind = _type_in(value)
        keys = {each: found for each, found in value.items() if each not in ("attributes", "type")}
        if len(keys) != 1:
            message = f"The relationship {relationship} must name its record by exactly one external Id"
            raise Refusal(400, "INVALID_FIELD", message, [relationship])
        key, value = next(iter(keys.items()))
    return ParentKey(field=field, object=kind or None, key=key, value=value)


def _type_in(value: Mapping[str, Any]) -> str:
    """Return the object that a reference says it means, if it says so."""
    attributes = value.get("attributes")
    named = attributes.get("type") if isinstance(attributes, Mapping) else None
    return str(named or value.get("type") or "")


def no_such_column(name: str, target: SObject) -> Refusal:
    """Return the refusal of an unknown field."""
    return Refusal(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {target.name}")


def _readonly(names: list[str]) -> Refusal:
    message = (
        f"Unable to create/update fields: {', '.join(names)}. Please check the security settings of this field "
        "and verify that it is read/write for your profile or permission set."
    )
    return Refusal(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message, names)


def _refuse_missing(
    target: SObject, values: Mapping[str, Any], parents: list[ParentKey], *, creating: bool
) -> None:  # fmt: skip
    linked = {each.field.name for each in parents}
    missing = [
        each.name
        for each in target.fields
        if each.required
        and (creating or each.name in values)
        and values.get(each.name) is None
        and each.name not in linked
    ]
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise Refusal(400, "REQUIRED_FIELD_MISSING", message, missing)


def _checked_value(field: Field, value: Any, *, csv: bool) -> Any:
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "":
        return False if field.type == "boolean" else None
    kind = "text" if field.is_text else "double" if field.type in NUMBER_TYPES else field.type
    try:
        check: Callable[[Field, Any], Any] = _CHECKS.get(kind, _text)
        return check(field, value)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise _unreadable(field, value, csv=csv) from error


def _text(field: Field, value: Any) -> str:
    if isinstance(value, dict | list):
        raise TypeError(value)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if field.length and len(text) > field.length:
        message = f"{field.label}: data value too large: {text} (max length={field.length})"
        raise Refusal(400, "STRING_TOO_LONG", message, [field.name])
    if field.type == "email" and not _MAIL.fullmatch(text):
        message = f"{field.label}: invalid email address: {text}"
        raise Refusal(400, "INVALID_EMAIL_ADDRESS", message, [field.name])
    if field.restricted:
        bad = [each for each in text.split(";") if each not in field.picklist or each in field.inactive]
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
        raise TypeError(value)
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    if field.precision and abs(number) >= 10.0 ** (field.precision - field.scale):
        raise _out_of_range(field, str(number))
    # Salesforce rounds half up what has more places than the field; a double can't tell beyond 15 digits.
    if field.scale < 15 and number != round(number, field.scale):
        return float(Decimal(repr(number)).quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP)) + 0.0
    return number + 0.0  # there is no zero below zero


def _whole(field: Field, value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError(value)
    number = float(value)
    if not number.is_integer():
        raise ValueError(value)
    if abs(number) > _MOST_WHOLE or (field.precision and abs(number) >= 10.0**field.precision):
        raise _out_of_range(field, str(int(number)))
    return int(number)


def _flag(_field: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word not in ("true", "false", "1", "0"):
        raise ValueError(value)
    return word in ("true", "1")


def _date(field: Field, value: Any) -> date:
    day = date.fromisoformat(str(value)[:10])
    if not _EARLIEST <= day.year <= _LATEST:
        raise _invalid_date(field, value)
    return day


def _datetime(field: Field, value: Any) -> datetime:
    moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    if not _EARLIEST <= moment.year <= _LATEST:
        raise _invalid_date(field, value)
    return moment.replace(microsecond=0)


def _time(_field: Field, value: Any) -> time:
    return time.fromisoformat(str(value).removesuffix("Z"))


def _invalid_date(field: Field, value: Any) -> Refusal:
    return Refusal(400, "FIELD_INTEGRITY_EXCEPTION", f"{field.label}: invalid date: {value}", [field.name])


def _out_of_range(field: Field, value: str) -> Refusal:
    message = f"{field.label}: value outside of valid range on numeric field: {value}"
    return Refusal(400, "NUMBER_OUTSIDE_VALID_RANGE", message, [field.name])


def _unreadable(field: Field, value: Any, *, csv: bool) -> Refusal:
    """Return the refusal of a value of the wrong type: a parser's error in JSON, a row's error in CSV."""
    if csv:
        message = f"{field.label}: value not of required type: {value}"
        return Refusal(400, "INVALID_TYPE_ON_FIELD_IN_RECORD", message, [field.name])
    kind = "VALUE_STRING" if isinstance(value, str) else "VALUE_TRUE" if value is True else "VALUE"
    message = (
        f"Cannot deserialize instance of {field.type} from {kind} value {value} "
        "or request may be missing a required field"
    )
    return Refusal(400, "JSON_PARSER_ERROR", message)


_CHECKS: dict[str, Callable[[Field, Any], Any]] = {
    "text": _text,
    "id": _reference,
    "reference": _reference,
    "double": _number,
    "int": _whole,
    "long": _whole,
    "boolean": _flag,
    "date": _date,
    "datetime": _datetime,
    "time": _time,
}
