"""What the store holds about the records that others on their way refer to; always for many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from include.sandbox.org.ids import number_of
from include.sandbox.org.schema.field import Field, SObject
from include.sandbox.org.store.tables import FOREVER

if TYPE_CHECKING:
    from include.sandbox.org.org import Org


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Say how a record stands that readers see now."""

    id: str
    deleted: bool
    locked: bool
    marks: tuple[Any, ...]


def states(org: Org, target: SObject, numbers: Iterable[int], *marks: str) -> dict[int, State]:
    """Return how records stand, by number, with the values of some fields; unknown numbers are missing."""
    wanted = list(set(numbers))
    if not wanted:
        return {}
    now = org.clock.milliseconds()
    deleted = 't."IsDeleted"' if target.field("IsDeleted") else "FALSE"
    values = "".join(f', t."{name}"' for name in marks)
    sql = (
        f'SELECT t._n, t._from > {now}, t."Id", {deleted}{values} FROM "{target.name}" t WHERE t._until > {now}'
        f" AND t._n BETWEEN {min(wanted)} AND {max(wanted)} AND t._n IN (SELECT unnest($1::BIGINT[]))"
    )
    rows = org.database.rows(sql, [wanted])
    pending = {row[0] for row in rows if row[1]}
    return {
        row[0]: State(id=row[2], deleted=row[3], locked=row[0] in pending, marks=row[4:]) for row in rows if not row[1]
    }


def holders(org: Org, target: SObject, field: Field, values: Sequence[Any]) -> Mapping[Any, list[str]]:
    """Return the Ids of present records by the value of a field; text without regard to case, unless it matters."""
    column = f't."{field.name}"'
    if field.is_text and not field.case_sensitive:
        column = f"lower({column})"
    present = ' AND NOT t."IsDeleted"' if target.field("IsDeleted") else ""
    kind = field.sql_type
    sql = (
        f'SELECT {column}, t."Id" FROM "{target.name}" t WHERE t._until = {FOREVER}{present}'
        f" AND {column} IN (SELECT unnest($1::{kind}[])) ORDER BY t._n"
    )
    found: dict[Any, list[str]] = defaultdict(list)
    wanted = list({key_of(field, value) for value in values})
    if field.type == "id":
        wanted = [each for each in wanted if number_of(each) is not None]
    for value, record_id in org.database.rows(sql, [wanted]):
        found[value].append(record_id)
    return found


def key_of(field: Field, value: Any) -> Any:
    """Return what a value of a field is compared by."""
    return str(value).lower() if field.is_text and not field.case_sensitive else value


def old_values(org: Org, target: SObject, numbers: Sequence[int], names: Sequence[str]) -> dict[int, dict[str, Any]]:
    """Return the newest values of some fields of records, by number."""
    if not numbers:
        return {}
    listed = ", ".join(f't."{name}"' for name in names)
    sql = (
        f'SELECT t._n, {listed} FROM "{target.name}" t WHERE t._until = {FOREVER}'
        f" AND t._n BETWEEN {min(numbers)} AND {max(numbers)} AND t._n IN (SELECT unnest($1::BIGINT[]))"
    )
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in org.database.rows(sql, [list(numbers)])}
