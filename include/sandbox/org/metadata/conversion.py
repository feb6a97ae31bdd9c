"""What becomes of a field's values when its type changes, as the guide's notes on changing field types say."""

from __future__ import annotations

from include.sandbox.org.schema.field import NUMBER_TYPES, Field

_WORDS = frozenset({"string", "textarea", "picklist", "combobox", "email", "phone", "url"})
_PLAIN_NUMBER = r"'\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*'"


def converted_sql(old: Field, new: Field) -> str:
    """Return the expression of the new value over the old column; what can't be converted is lost."""
    column = f'"{old.name}"'
    if old.type == new.type or (old.is_text and new.is_text):
        value = _resized(column, old, new)
    elif old.is_text:
        value = _from_text(column, new)
    elif old.type in NUMBER_TYPES or old.type == "int":
        value = _from_number(column, new)
    else:
        value = _from_date(column, old, new)
    if new.type == "boolean":
        return f"coalesce({value}, FALSE)"
    return value


def _resized(column: str, old: Field, new: Field) -> str:
    if new.type in NUMBER_TYPES:
        return _fitting(column, new)
    if "multipicklist" in (old.type, new.type) and not {old.type, new.type} <= {"multipicklist", "picklist"}:
        return "NULL" if new.type == "multipicklist" else _cut(column, new)
    return _cut(column, new) if old.is_text and new.length < old.length else column


def _from_text(column: str, new: Field) -> str:
    if new.type in NUMBER_TYPES:
        number = f"CASE WHEN regexp_full_match({column}, {_PLAIN_NUMBER}) THEN TRY_CAST({column} AS DOUBLE) END"
        return _fitting(f"({number})", new)
    if new.type == "boolean":
        return f"lower({column}) IN ('true', '1')"
    return f"TRY_CAST({column} AS {new.sql_type})"


def _from_number(column: str, new: Field) -> str:
    if new.type in _WORDS:
        whole = f"{column} = trunc({column}) AND abs({column}) < 1e15"
        return _cut(f"(CASE WHEN {whole} THEN {column}::BIGINT::VARCHAR ELSE {column}::VARCHAR END)", new)
    if new.type in NUMBER_TYPES:
        return _fitting(f"{column}::DOUBLE", new)
    return "NULL"


def _from_date(column: str, old: Field, new: Field) -> str:
    """Dates keep what they can; a checkbox keeps nothing."""
    if {old.type, new.type} == {"date", "datetime"}:
        return f"{column}::{new.sql_type}"
    if old.type in ("date", "datetime") and new.type in _WORDS:
        shape = "%Y-%m-%d" if old.type == "date" else "%Y-%m-%d %H:%M:%S"
        return _cut(f"strftime({column}, '{shape}')", new)
    return "NULL"


def _fitting(value: str, new: Field) -> str:
    """Round to the decimals of a number field; what has too many digits is lost."""
    return f"(CASE WHEN abs({value}) < 1e{new.precision - new.scale} THEN round({value}, {new.scale}) END)"


def _cut(value: str, new: Field) -> str:
    return f"substr({value}, 1, {new.length})"
