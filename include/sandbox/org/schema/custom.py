"""Fields as administrators make them: lookups, masters, roll-ups, formulas, places on a map."""

from __future__ import annotations

from typing import Any

from include.sandbox.org.schema.field import (
    ACCURACIES,
    Field,
    number,
    pick,
    plain,
    readonly,
    reference,
    text,
)  # fmt: skip
from include.sandbox.org.store.tables import FOREVER


def lookup(name: str, label: str, *parents: str, **more: Any) -> Field:
    """Return a custom reference; `__r` reaches through it."""
    return reference(name, label, *parents, relationship=name.removesuffix("__c") + "__r", **more)


def master(name: str, label: str, parent: str) -> Field:
    """Return the reference to the record that owns this one: needed, and fixed once it is set."""
    return lookup(name, label, parent, required=True, master=True, updateable=False)


def auto_number(name: str, label: str, pattern: str, **more: Any) -> Field:
    """Return a number that the org gives; `pattern` is SQL over `{t}._n`."""
    return readonly(text(name, label, 80, formula=pattern, auto_number=True, **more))


def roll_up(
    name: str, label: str, aggregate: str, child: str, link: str, *, kind: str = "double", where: str = "",
    precision: int = 18, scale: int = 0,
) -> Field:  # fmt: skip
    """Return an aggregate over child records: it changes with them, without any change of the parent itself."""
    condition = f" AND {where}" if where else ""
    rows = f'"{child}" c WHERE c."{link}" = {{t}}."Id" AND NOT c."IsDeleted" AND c._until = {FOREVER}{condition}'
    sql = f"(SELECT {aggregate} FROM {rows})"
    if kind == "date":
        return readonly(plain(name, label, kind, formula=sql, summary=True))
    total = sql if kind == "int" else f"round({sql}, {scale})"  # sums of cents are no sums of binary fractions
    whole = "BIGINT" if kind == "int" else "DOUBLE"
    return readonly(number(name, label, kind, precision, scale, formula=f"coalesce({total}, 0)::{whole}", summary=True))


def formula(name: str, label: str, kind: str, sql: str, words: str, **more: Any) -> Field:
    """Return a formula field: `sql` computes it here, `words` are what the administrator wrote."""
    return readonly(Field(name=name, label=label, type=kind, formula=sql, formula_text=words, **more))


def location(name: str, label: str) -> tuple[Field, ...]:
    """Return the two numbers of a place and the compound field over them."""
    stem = name.removesuffix("__c")
    return (
        number(f"{stem}__Latitude__s", f"{label} (Latitude)", "double", 18, 15, compound=name),
        number(f"{stem}__Longitude__s", f"{label} (Longitude)", "double", 18, 15, compound=name),
        readonly(plain(name, label, "location", groupable=False)),
    )


def custom_address(name: str, label: str, countries: tuple[str, ...]) -> tuple[Field, ...]:
    """Return the parts of a custom address, which knows states and countries by their codes, and the compound."""
    stem = name.removesuffix("__c")
    return (
        plain(f"{stem}__Street__s", f"{label} (Street)", "textarea", 255, compound=name),
        text(f"{stem}__City__s", f"{label} (City)", 40, compound=name),
        text(f"{stem}__PostalCode__s", f"{label} (Zip/Postal Code)", 20, compound=name),
        pick(f"{stem}__StateCode__s", f"{label} (State/Province Code)", (), compound=name),
        pick(f"{stem}__CountryCode__s", f"{label} (Country/Territory Code)", countries, restricted=True, compound=name),
        number(f"{stem}__Latitude__s", f"{label} (Latitude)", "double", 18, 15, compound=name),
        number(f"{stem}__Longitude__s", f"{label} (Longitude)", "double", 18, 15, compound=name),
        pick(f"{stem}__GeocodeAccuracy__s", f"{label} (Geocode Accuracy)", ACCURACIES, restricted=True, compound=name),
        readonly(plain(name, label, "address", groupable=False)),
    )
