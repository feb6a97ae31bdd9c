"""How a value leaves the store: SQL expressions that render fields for REST (JSON) and for Bulk (CSV).

Rendering inside the engine is what makes serving cheaper than reading.
"""

from __future__ import annotations

from include.sandbox.org.schema.field import Field

_ADDRESS_KEYS = ("City", "Country", "GeocodeAccuracy", "Latitude", "Longitude", "PostalCode", "State", "Street")


def value_sql(each: Field, table: str) -> str:
    """Return the raw value of a field of a table alias."""
    if each.formula is not None:
        return "(" + each.formula.replace("{t}", table) + ")"
    return f'{table}."{each.name}"'


def json_sql(each: Field, table: str) -> str:
    """Return a field's value as `json_object` should get it."""
    if each.type == "address":
        return _address_sql(each, table)
    return json_value(value_sql(each, table), each.type)


def json_value(value: str, kind: str) -> str:
    """Return a value of a Salesforce type as `json_object` should get it."""
    if kind == "datetime":
        return f"strftime({value}, '%Y-%m-%dT%H:%M:%S.000+0000')"
    if kind == "date":
        return f"strftime({value}, '%Y-%m-%d')"
    return value


def csv_sql(each: Field, table: str) -> str:
    """Return a field's value as the text of a Bulk CSV cell, without the quotes around it; null becomes empty."""
    value = value_sql(each, table)
    if each.type == "datetime":
        value = f"strftime({value}, '%Y-%m-%dT%H:%M:%S.000Z')"
    elif each.is_text:
        value = f"replace({value}, '\"', '\"\"')"
    elif not each.is_id:
        value = f"({value})::VARCHAR"
    return f"coalesce({value}, '')"


def _address_sql(each: Field, table: str) -> str:
    prefix = each.name.removesuffix("Address")
    columns = {key: f'{table}."{prefix}{key}"' for key in _ADDRESS_KEYS}
    pairs = ", ".join(f"'{key[0].lower() + key[1:]}', {column}" for key, column in columns.items())
    nothing = " AND ".join(f"{column} IS NULL" for column in columns.values())
    return f"CASE WHEN {nothing} THEN NULL ELSE json_object({pairs}) END"
