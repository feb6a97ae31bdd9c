"""Fill an empty store: one INSERT … SELECT an object, so that the engine makes the rows and Python makes none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from include.sandbox.org.generator.activities import event_recipe, task_recipe
from include.sandbox.org.generator.administration import administration
from include.sandbox.org.generator.companies import account_dice, account_recipe
from include.sandbox.org.generator.complaints import attachment_recipe, case_recipe
from include.sandbox.org.generator.contacts import contact_recipe
from include.sandbox.org.generator.customs import detail_recipe, everything_recipe, subscription_recipe
from include.sandbox.org.generator.deals import opportunity_recipe, role_recipe
from include.sandbox.org.generator.leads import lead_recipe
from include.sandbox.org.generator.marketing import campaign_recipe, member_recipe
from include.sandbox.org.generator.recipe import Recipe, Sizes
from include.sandbox.org.generator.staff import organization, users
from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.store.database import Database
from include.sandbox.org.store.tables import FOREVER

RECORDS = "2"  # moves when other records come of the same seed, or when their defects are marked otherwise
_CHUNK = 500_000  # rows a transaction: flat memory, and progress to tell


def recipes(seed: int, sizes: Sizes) -> tuple[Recipe, ...]:
    """Return how the records of every large object are made."""
    return (
        account_recipe(seed),
        contact_recipe(seed, sizes),
        lead_recipe(seed, sizes, account_dice(seed)),
        opportunity_recipe(seed, sizes),
        role_recipe(seed, sizes),
        task_recipe(seed, sizes),
        event_recipe(seed, sizes),
        campaign_recipe(seed, sizes),
        member_recipe(seed, sizes),
        case_recipe(seed, sizes),
        subscription_recipe(seed, sizes),
        everything_recipe(seed, sizes),
        detail_recipe(seed, sizes),
        attachment_recipe(seed, sizes),
    )


def generate(
    database: Database, catalogue: Catalogue, *, contacts: int, seed: int, today: date, say: Callable[[str], None]
) -> None:
    """Make all records of a fresh org."""
    sizes = Sizes(contacts=contacts)
    for recipe in recipes(seed, sizes):
        target = catalogue.objects[recipe.object]
        count = sizes.counts[recipe.object]
        for first in range(1, count + 1, _CHUNK):
            with database.write() as cursor:
                cursor.execute(recipe.insert_sql(target, today, first, min(count, first + _CHUNK - 1)))
        say(f"made {count:,} {target.plural}")
    base = datetime.combine(today, time(), tzinfo=UTC).replace(tzinfo=None)
    rows = {"User": users(base), "Organization": [organization(base, seed)], **administration(base)}
    with database.write() as cursor:
        for name, values in rows.items():
            _insert(cursor, catalogue.objects[name], values)


def _insert(cursor: Any, target: SObject, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a handful of rows, all with the same fields; what the object has no column for is left out."""
    columns = {each.name for each in target.columns}
    own = {"_from": 0, "_until": FOREVER, "_defects": 0}
    defaults = {each.name: False for each in target.columns if each.type == "boolean"}
    filled = [
        own | defaults | {name: value for name, value in row.items() if name in columns or name == "_n"} for row in rows
    ]
    names = ", ".join(f'"{name}"' for name in filled[0])
    marks = "(" + ", ".join("?" for _ in filled[0]) + ")"
    values = [value for row in filled for value in row.values()]
    cursor.execute(f'INSERT INTO "{target.name}" ({names}) VALUES {", ".join([marks] * len(filled))}', values)
