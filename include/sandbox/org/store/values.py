"""How a value leaves the store: SQL expressions that render fields for REST (JSON) and for Bulk (CSV).

Rendering inside the engine is what makes serving cheaper than reading.
"""

from __future__ import annotations

from include.sandbox.org.schema.field import Field
from include.sandbox.org.schema.places import named_sql

_ADDRESS_KEYS = ("City", "Country", "GeocodeAccuracy", "Latitude", "Longitude", "PostalCode", "State", "Street")
_TIME = "strftime(DATE '2000-01-01' + {0}, '%H:%M:%S.%gZ')"


def value_sql(each: Field, table: str) -> str:
    """Return the raw value of a field of a table alias."""
    if each.formula is not None:
        return "(" + each.formula.replace("{t}", table) + ")"
    return f'{table}."{each.name}"'


def coordinates_of(each: Field) -> tuple[str, ...]:
    """Return the names of latitude and longitude of a compound field, or nothing."""
    if each.type == "location":
        stem = each.name.removesuffix("__c")
        return f"{stem}__Latitude__s", f"{stem}__Longitude__s"
    if each.type == "address":
        return tuple(_part(each, key) for key in ("Latitude", "Longitude"))
    return ()


def json_sql(each: Field, table: str) -> str:
    """Return a field's value as `json_object` should get it."""
    if each.type == "address":
        return _address_sql(each, table)
    if each.type == "location":
        latitude, longitude = (f'{table}."{name}"' for name in coordinates_of(each))
        return _compound_sql({"latitude": latitude, "longitude": longitude})
    return json_value(_shown_sql(each, table), each.type)


def json_value(value: str, kind: str) -> str:
    """Return a value of a Salesforce type as `json_object` should get it."""
    if kind == "datetime":
        return f"strftime({value}, '%Y-%m-%dT%H:%M:%S.000+0000')"
    if kind == "date":
        return f"strftime({value}, '%Y-%m-%d')"
    if kind == "time":
        return _TIME.format(value)
    return value


def csv_sql(each: Field, table: str) -> str:
    """Return a field's value as the text of a Bulk CSV cell, without the quotes around it; null becomes empty."""
    return csv_value(_shown_sql(each, table), each.type, quotable=not each.is_id)


def csv_value(value: str, kind: str, *, quotable: bool = True) -> str:
    """Return a value of a Salesforce type as the text of a Bulk CSV cell."""
    if kind == "datetime":
        value = f"strftime({value}, '%Y-%m-%dT%H:%M:%S.000Z')"
    elif kind == "time":
        value = _TIME.format(value)
    elif kind in ("boolean", "int", "double", "currency", "percent", "date"):
        value = f"({value})::VARCHAR"
    elif quotable:
        value = f"replace({value}, '\"', '\"\"')"
    return f"coalesce({value}, '')"


def _shown_sql(each: Field, table: str) -> str:
    """Return what a reader gets of a value: encrypted text comes masked."""
    value = value_sql(each, table)
    if each.type != "encryptedstring":
        return value
    shown = 4 if each.mask == "lastFour" else 0
    return f"(repeat('*', greatest(length({value}) - {shown}, 0)) || right({value}, {shown}))"


def _address_sql(each: Field, table: str) -> str:
    if not each.custom:
        return _compound_sql({key[0].lower() + key[1:]: f'{table}."{_part(each, key)}"' for key in _ADDRESS_KEYS})
    columns = {key: f'{table}."{_part(each, key)}"' for key in (*_ADDRESS_KEYS, "CountryCode", "StateCode")
               if key not in ("Country", "State")}  # fmt: skip
    # A custom address keeps codes; the names behind them are the platform's.
    columns["Country"] = named_sql(columns["CountryCode"])
    columns["State"] = columns["StateCode"]
    return _compound_sql({key[0].lower() + key[1:]: columns[key] for key in sorted(columns)})


def _part(each: Field, key: str) -> str:
    """Return the name of a part of an address."""
    return each.name.removesuffix("__c") + f"__{key}__s" if each.custom else each.name.removesuffix("Address") + key


def _compound_sql(columns: dict[str, str]) -> str:
    pairs = ", ".join(f"'{key}', {column}" for key, column in columns.items())
    nothing = " AND ".join(f"{column} IS NULL" for column in columns.values())
    return f"CASE WHEN {nothing} THEN NULL ELSE json_object({pairs}) END"
