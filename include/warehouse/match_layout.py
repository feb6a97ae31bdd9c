"""Say which keys are kept of an object's records, and the statements that make them. Pure.

A block is a column of hashes: records of one hash are compared with each other. Beside the blocks stand the names and
days that tell a duplicate from somebody who only looks like one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from include.warehouse.engine import quoted
from include.warehouse.match_expressions import (
    birthday,
    company_name,
    folded_name,
    hashed,
    literal,
    mailbox,
    number_key,
    place,
    plain,
    site,
    suffix_of,
    without_suffix,
)

_VERSION = 1  # another one: what the keys mean has changed, and all are made anew
_NONE = "NULL::text"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyColumn:
    """Name a column of keys, its type, how it is made of the stage before, and whether it is a block."""

    name: str
    type: str
    made: str
    block: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Hold how the keys of an object are made: three stages of expressions, each over the one before.

    Args:
        raw: the fields, as text or date.
        plain: the same without accents and case.
        columns: the keys.
        fields: which field plays which role; those that the org does not have are not among them.
        alive: the condition that a row `t` is compared at all.
    """

    raw: Mapping[str, str]
    plain: Mapping[str, str]
    reduced: Mapping[str, str]
    columns: tuple[KeyColumn, ...]
    fields: Mapping[str, str]
    alive: str
    key: str = "Id"

    @property
    def blocks(self) -> tuple[str, ...]:
        """Return the columns by which records are brought together."""
        return tuple(column.name for column in self.columns if column.block)

    @property
    def names(self) -> tuple[str, ...]:
        """Return all columns of keys."""
        return tuple(column.name for column in self.columns)

    def select(self, rows: str) -> str:
        """Return the statement that makes the keys of these rows: record_id, gone, and the keys, null if it is gone."""
        raw = ", ".join(f"{made} AS {quoted(name)}" for name, made in self.raw.items())
        plain_ = ", ".join(f"{made} AS {quoted(name)}" for name, made in self.plain.items())
        reduced = ", ".join(f"{made} AS {quoted(name)}" for name, made in self.reduced.items())
        made = ", ".join(f"CASE WHEN alive THEN {column.made} END AS {quoted(column.name)}" for column in self.columns)
        return (
            f"SELECT record_id, NOT alive AS gone, {made} FROM ("  # OFFSET 0: each stage is computed once
            f"SELECT record_id, alive, {reduced} FROM (SELECT *, {plain_} FROM ("
            f"SELECT t.{quoted(self.key)} AS record_id, {self.alive} AS alive, {raw} FROM {rows} AS t OFFSET 0"
            f") AS raw OFFSET 0) AS plain OFFSET 0) AS reduced"
        )

    def version(self, server: int) -> str:
        """Return what another way of making keys would change; hashes may differ between servers' versions."""
        said = f"{_VERSION}|{server}|{self.select('rows')}|{[(each.name, each.type) for each in self.columns]}"
        return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()


def layout_of(
    kind: str,
    fields: Mapping[str, str],
    types: Mapping[str, str],
    *,
    leave_out: str,
    role_mailboxes: Sequence[str],
    key: str = "Id",
) -> Layout:
    """Return how the keys of an object are made.

    Args:
        kind: person or company.
        fields: the field of each role.
        types: the PostgreSQL type of each column that the table has; a role whose field is not there is not used.
        leave_out: the column of a checkbox that takes a record out, or "".
        role_mailboxes: what stands before the @ of mailboxes that belong to no single person.
        key: the column of Ids.
    """
    here = {role: field for role, field in fields.items() if field in types and _usable(role, types[field])}
    alive = "t._deleted_at IS NULL"
    if leave_out and types.get(leave_out) == "boolean":
        alive = f"({alive} AND NOT coalesce(t.{quoted(leave_out)}, false))"
    return (_person if kind == "person" else _company)(here, alive, role_mailboxes, key)


def _usable(role: str, type: str) -> bool:
    return type == "date" if role == "birthdate" else True


def _raw(fields: Mapping[str, str], roles: Sequence[str]) -> dict[str, str]:
    return {f"raw_{role}": f"t.{quoted(fields[role])}::text" if role in fields else _NONE for role in roles}


def _person(fields: Mapping[str, str], alive: str, role_mailboxes: Sequence[str], key: str) -> Layout:
    roles = ("first_name", "last_name", "suffix", "email", "phone", "mobile", "account", "company", "zip", "city")
    raw = _raw(fields, roles)
    raw["raw_birthdate"] = f"t.{quoted(fields['birthdate'])}" if "birthdate" in fields else "NULL::date"
    last = "plain_last"
    company = folded_name(company_name(plain("raw_company"))) if "company" in fields else _NONE
    reduced = {
        "first": folded_name("plain_first"),
        "last": folded_name(without_suffix(last)),
        "suffix": suffix_of(last, "lower(raw_suffix)") if "suffix" in fields else suffix_of(last, _NONE),
        "mail": mailbox("raw_email") if "email" in fields else _NONE,
        "phone": number_key("raw_phone") if "phone" in fields else _NONE,
        "mobile": number_key("raw_mobile") if "mobile" in fields else _NONE,
        "company": f"coalesce(raw_account, {company})",
        "place": place("raw_zip", "raw_city") if {"zip", "city"} & set(fields) else _NONE,
        "born": birthday("raw_birthdate"),
    }
    names = 'least(first COLLATE "C", last COLLATE "C") || \'|\' || greatest(first COLLATE "C", last COLLATE "C")'
    both = f"CASE WHEN first IS NOT NULL AND last IS NOT NULL THEN {names} END"
    boxes = ", ".join(literal(each) for each in role_mailboxes) or "''"
    of_role = f"split_part(mail, '@', 1) IN ({boxes})"
    columns = (
        KeyColumn(name="first", type="text", made="first"),
        KeyColumn(name="last", type="text", made="last"),
        KeyColumn(name="suffix", type="text", made="suffix"),
        KeyColumn(name="born", type="date", made="born"),
        KeyColumn(name="company", type="bigint", made=hashed("company")),
        KeyColumn(
            name="email",
            type="bigint",
            made=f"CASE WHEN {of_role} THEN {hashed('mail', both)} ELSE {hashed('mail')} END",
            block=True,
        ),
        KeyColumn(name="phone_names", type="bigint", made=hashed("phone", both), block=True),
        KeyColumn(name="mobile_names", type="bigint", made=hashed("mobile", both), block=True),
        KeyColumn(name="phone_last", type="bigint", made=hashed("phone", "last"), block=True),
        KeyColumn(name="mobile_last", type="bigint", made=hashed("mobile", "last"), block=True),
        KeyColumn(name="company_names", type="bigint", made=hashed("company", both), block=True),
        KeyColumn(name="place_last", type="bigint", made=hashed("company", "place", "last"), block=True),
        KeyColumn(name="place_first", type="bigint", made=hashed("company", "place", "first"), block=True),
    )
    return Layout(
        raw=raw,
        plain={"plain_first": plain("raw_first_name"), "plain_last": plain("raw_last_name")},
        reduced=reduced,
        columns=columns,
        fields=dict(fields),
        alive=alive,
        key=key,
    )


def _company(fields: Mapping[str, str], alive: str, role_mailboxes: Sequence[str], key: str) -> Layout:
    reduced = {
        "name": folded_name(company_name("plain_name")),
        "site": site("raw_website") if "website" in fields else _NONE,
        "phone": number_key("raw_phone") if "phone" in fields else _NONE,
        "place": place("raw_zip", "raw_city") if {"zip", "city"} & set(fields) else _NONE,
    }
    columns = (
        KeyColumn(name="name", type="text", made="name"),
        KeyColumn(name="site", type="bigint", made=hashed("site"), block=True),
        KeyColumn(name="name_place", type="bigint", made=hashed("name", "place"), block=True),
        KeyColumn(name="phone_name", type="bigint", made=hashed("phone", "name"), block=True),
    )
    return Layout(
        raw=_raw(fields, ("name", "website", "phone", "zip", "city")),
        plain={"plain_name": plain("raw_name")},
        reduced=reduced,
        columns=columns,
        fields=dict(fields),
        alive=alive,
        key=key,
    )
