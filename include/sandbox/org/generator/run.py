"""Fill an empty store: one INSERT … SELECT an object, so that the engine makes the rows and Python makes none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

from include.sandbox.org.generator import vocabulary as words
from include.sandbox.org.generator.companies import DUPLICATE as TWIN_ACCOUNT
from include.sandbox.org.generator.companies import account_columns
from include.sandbox.org.generator.deals import opportunity_columns, task_columns
from include.sandbox.org.generator.defects import bit, find, mark_sql
from include.sandbox.org.generator.dice import Dice
from include.sandbox.org.generator.parts import audit_columns, own_id, stamp
from include.sandbox.org.generator.persons import DUPLICATE as TWIN_CONTACT
from include.sandbox.org.generator.persons import contact_columns, lead_columns
from include.sandbox.org.generator.staff import organization, users
from include.sandbox.org.ids import id_sql
from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.store.database import Database
from include.sandbox.org.store.tables import FOREVER

_CHUNK = 500_000  # rows a transaction: flat memory, and progress to tell


def sizes(contacts: int) -> dict[str, int]:
    """Return how many records of each generated object go with this many contacts."""
    return {
        "Account": max(1, contacts // 4),
        "Contact": contacts,
        "Lead": max(1, contacts // 2),
        "Opportunity": max(1, contacts // 4),
        "Task": max(1, contacts // 2),
    }


def generate(
    database: Database, catalogue: Catalogue, *, contacts: int, seed: int, today: date, say: Callable[[str], None]
) -> None:
    """Make all records of a fresh org."""
    counts = sizes(contacts)
    accounts = Dice(seed=seed, kind=1)
    columns = {
        "Account": (accounts, account_columns(accounts)),
        "Contact": (Dice(seed=seed, kind=2), contact_columns(Dice(seed=seed, kind=2))),
        "Lead": (
            Dice(seed=seed, kind=3),
            lead_columns(Dice(seed=seed, kind=3), accounts, contacts, counts["Opportunity"]),
        ),
        "Opportunity": (Dice(seed=seed, kind=4), opportunity_columns(Dice(seed=seed, kind=4))),
        "Task": (Dice(seed=seed, kind=5), task_columns(Dice(seed=seed, kind=5), contacts)),
    }
    for name, (dice, expressions) in columns.items():
        target = catalogue.objects[name]
        for first in range(1, counts[name] + 1, _CHUNK):
            last = min(counts[name], first + _CHUNK - 1)
            sql = _insert_sql(target, dice, expressions, counts["Account"], today, first, last)
            with database.write() as cursor:
                cursor.execute(sql)
        say(f"made {counts[name]:,} {target.plural}")
    base = datetime.combine(today, time(), tzinfo=UTC).replace(tzinfo=None)
    with database.write() as cursor:
        for row in users(base):
            _insert(cursor, catalogue.objects["User"], row)
        _insert(cursor, catalogue.objects["Organization"], organization(base, seed))


def _insert_sql(
    target: SObject, dice: Dice, expressions: dict[str, str], accounts: int, today: date, first: int, last: int
) -> str:
    base = int(datetime.combine(today, time(), tzinfo=UTC).timestamp())
    twin = {"Account": TWIN_ACCOUNT, "Contact": TWIN_CONTACT}.get(target.name)
    columns = {"Id": own_id(target.prefix), "IsDeleted": "FALSE", **audit_columns(dice), **expressions}
    filled = {
        each.name: columns.get(each.name, "FALSE" if each.type == "boolean" else "NULL") for each in target.columns
    }
    names = ", ".join(f'"{name}"' for name in filled)
    values = ", ".join(f"({sql})" for sql in filled.values())
    draw = dice.roll(1, 10_000, "n")
    mark = mark_sql(target.name, draw)
    if twin is not None:
        duplicate = _bit_of(twin)
        before = mark_sql(target.name, dice.roll(1, 10_000, "(n - 1)"))
        # Only a clean record is doubled, so that its twin differs by spelling alone.
        mark = f"CASE WHEN {mark} = {duplicate} AND (n = 1 OR {before} <> 0) THEN 0 ELSE {mark} END"
        subject = f"CASE WHEN d = {duplicate} THEN n - 1 ELSE n END"
        twin_id = f"CASE WHEN d = {duplicate} THEN {id_sql(target.prefix, '(n - 1)')} END"
    else:
        subject, twin_id = "n", "NULL"
    stage = f", ({expressions['StageName']}) AS stage" if "StageName" in expressions else ""
    return f"""
        INSERT INTO "{target.name}" (_n, _from, _until, _defects, _twin, {names})
        SELECT n, 0, {FOREVER}, d, {twin_id}, {values}
        FROM (
            SELECT *, {dice.roll(2, len(words.FIRST_NAMES), "s")} AS first,
                {dice.roll(3, len(words.LAST_NAMES), "s")} AS last,
                {dice.roll(4, len(words.COUNTRIES), "s")} AS country, (1 + {dice.roll(5, accounts, "s")}) AS account,
                ({stamp(dice, base)}) AS stamp, DATE '{today.isoformat()}' AS today,
                (d = 0 AND {dice.chance(6, 10)}) AS converted{stage}
            FROM (SELECT *, ({subject}) AS s FROM (SELECT n, ({mark}) AS d FROM range({first}, {last + 1}) numbers(n)))
        )
    """


def _bit_of(name: str) -> int:
    defect = find(name)
    assert defect is not None, name
    return bit(defect)


def _insert(cursor: Any, target: SObject, row: dict[str, Any]) -> None:
    defaults = {each.name: False for each in target.columns if each.type == "boolean"}
    filled = {"_from": 0, "_until": FOREVER, "_defects": 0, **defaults, **row}
    names = ", ".join(f'"{name}"' for name in filled)
    marks = ", ".join("?" for _ in filled)
    cursor.execute(f'INSERT INTO "{target.name}" ({names}) VALUES ({marks})', list(filled.values()))
