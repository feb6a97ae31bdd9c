"""Say which keys are kept of an object's records, and the statements that make them. Pure.

A block is a column of hashes: records of one hash are compared with each other. Beside the blocks stand the names and
days that tell a duplicate from somebody who only looks like one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from include.warehouse.duplicates.match_expressions import (
    bare_name,
    birthday,
    company_name,
    folded,
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
from include.warehouse.engine import quoted

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
    """Hold how the keys of an object are made.

    Args:
        raw: the fields, as text or date, over a row `t`.
        stages: what is made of them, each stage over the ones before.
        columns: the keys, over the last stage.
        fields: which field plays which role; those that the org does not have are not among them.
        alive: the condition that a row `t` is compared at all.
        key: the column of Ids.
    """

    raw: Mapping[str, str]
    stages: tuple[Mapping[str, str], ...]
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
        made = ", ".join(f"CASE WHEN alive THEN {column.made} END AS {quoted(column.name)}" for column in self.columns)
        source = (
            f"SELECT t.{quoted(self.key)} AS record_id, {self.alive} AS alive, {_listed(self.raw)} FROM {rows} AS t"
        )
        for number, stage in enumerate(self.stages):
            # OFFSET 0: what a stage makes is computed once, however often the next one names it.
            source = f"SELECT *, {_listed(stage)} FROM ({source} OFFSET 0) AS stage_{number}"
        return f"SELECT record_id, NOT alive AS gone, {made} FROM ({source} OFFSET 0) AS made"

    def version(self, server: int) -> str:
        """Return what another way of making keys would change; hashes may differ between servers' versions."""
        said = f"{_VERSION}|{server}|{self.select('rows')}|{[(each.name, each.type) for each in self.columns]}"
        return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()


def _listed(expressions: Mapping[str, str]) -> str:
    return ", ".join(f"{made} AS {quoted(name)}" for name, made in expressions.items())


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
    company = folded(company_name(plain("raw_company"))) if "company" in fields else _NONE
    reduced = {
        "first": bare_name("plain_first"),
        "last": bare_name(without_suffix("plain_last")),
        "suffix": suffix_of("plain_last", "lower(raw_suffix)" if "suffix" in fields else _NONE),
        "mail": mailbox("raw_email") if "email" in fields else _NONE,
        "phone": number_key("raw_phone") if "phone" in fields else _NONE,
        "mobile": number_key("raw_mobile") if "mobile" in fields else _NONE,
        "company": f"coalesce(raw_account, {company})",
        "place": place("raw_zip", "raw_city") if {"zip", "city"} & set(fields) else _NONE,
        "born": birthday("raw_birthdate"),
    }
    keys = {"first_key": folded("first"), "last_key": folded("last")}
    least, greatest = (f'{which}(first_key COLLATE "C", last_key COLLATE "C")' for which in ("least", "greatest"))
    both = {"names": f"CASE WHEN first_key IS NOT NULL AND last_key IS NOT NULL THEN {least} || '|' || {greatest} END"}
    return Layout(
        raw=raw,
        stages=(
            {"plain_first": plain("raw_first_name"), "plain_last": plain("raw_last_name")},
            reduced,
            keys,
            both,
        ),
        columns=(*_told_by_name("first", "last", "suffix"), *_person_blocks(role_mailboxes)),
        fields=dict(fields),
        alive=alive,
        key=key,
    )


def _told_by_name(*names: str) -> tuple[KeyColumn, ...]:
    return tuple(KeyColumn(name=name, type="text", made=name) for name in names)


def _person_blocks(role_mailboxes: Sequence[str]) -> tuple[KeyColumn, ...]:
    boxes = ", ".join(literal(each) for each in role_mailboxes) or "''"
    # A mailbox of a role belongs to several people: only one of the same name is the same.
    of_role = f"split_part(mail, '@', 1) IN ({boxes})"
    blocks = {
        "email": f"CASE WHEN {of_role} THEN {hashed('mail', 'names')} ELSE {hashed('mail')} END",
        "phone_names": hashed("phone", "names"),
        "mobile_names": hashed("mobile", "names"),
        "phone_last": hashed("phone", "last_key"),
        "mobile_last": hashed("mobile", "last_key"),
        "company_names": hashed("company", "names"),
        "place_last": hashed("company", "place", "last_key"),
        "place_first": hashed("company", "place", "first_key"),
    }
    return (
        KeyColumn(name="born", type="date", made="born"),
        KeyColumn(name="company", type="bigint", made=hashed("company")),
        *(KeyColumn(name=name, type="bigint", made=made, block=True) for name, made in blocks.items()),
    )


def _company(fields: Mapping[str, str], alive: str, role_mailboxes: Sequence[str], key: str) -> Layout:
    reduced = {
        "name": folded(company_name("plain_name")),
        "site": site("raw_website") if "website" in fields else _NONE,
        "phone": number_key("raw_phone") if "phone" in fields else _NONE,
        "place": place("raw_zip", "raw_city") if {"zip", "city"} & set(fields) else _NONE,
    }
    blocks = {
        "site": hashed("site"),
        "name_place": hashed("name", "place"),
        "phone_name": hashed("phone", "name"),
    }
    return Layout(
        raw=_raw(fields, ("name", "website", "phone", "zip", "city")),
        stages=({"plain_name": plain("raw_name")}, reduced),
        columns=(
            *_told_by_name("name"),
            *(KeyColumn(name=name, type="bigint", made=made, block=True) for name, made in blocks.items()),
        ),
        fields=dict(fields),
        alive=alive,
        key=key,
    )
