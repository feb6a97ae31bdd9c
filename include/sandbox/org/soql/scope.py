"""Which table a field path means: the queried object, and the parents that are joined to reach it."""

from __future__ import annotations

from dataclasses import dataclass, field

from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.schema.field import Field, SObject, plain, text
from include.sandbox.org.soql.complaint import complain
from include.sandbox.org.soql.tree import Path
from include.sandbox.org.store.tables import visible_sql
from include.sandbox.org.store.values import value_sql

_LEVELS = 5
_HINT = "Please reference your WSDL or the describe call for the appropriate names."
_COLUMN_HINT = "If you are attempting to use a custom field, be sure to append the '__c' after the custom field name."
_RELATION_HINT = (
    "If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship "
    "name."
)

# What a polymorphic relationship shows of whoever stands behind it.
NAME = SObject(
    name="Name",
    label="Name",
    plural="Names",
    prefix="",
    fields=(
        plain("Id", "ID", "id", 18),
        text("Name", "Name", 255, name_field=True),
        text("Type", "Type", 40),
        text("FirstName", "First Name", 40),
        text("LastName", "Last Name", 80),
        text("Title", "Title", 128),
        plain("Email", "Email", "email", 80),
        plain("Phone", "Phone", "phone", 40),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Hold a resolved field: its table alias, and the names of the relationships that lead to it."""

    field: Field
    object: SObject
    table: str
    steps: tuple[str, ...] = ()

    @property
    def sql(self) -> str:
        """Return the expression of the raw value."""
        return value_sql(self.field, self.table)


@dataclass(slots=True, kw_only=True)
class Scope:
    """Resolve paths of one query and remember the joins they need."""

    catalogue: Catalogue
    query: str
    object: SObject
    alias: str | None
    now: int
    table: str = "t"
    _joins: dict[tuple[str, ...], tuple[str, SObject, str]] = field(default_factory=dict)

    def column(self, path: Path) -> Column:
        """Return the field that a path means, joining parents as needed."""
        parts = self._without_alias(path)
        steps: tuple[str, ...] = ()
        table, target = self.table, self.object
        if len(parts) > _LEVELS + 1:
            raise complain("MALFORMED_QUERY", self.query, path.position, f"Relationship path too long: {path.text}")
        for step in parts[:-1]:
            table, target, steps = self._parent(table, target, steps, step, path)
        found = target.field(parts[-1])
        if found is None:
            message = f"No such column '{parts[-1]}' on entity '{target.name}'. {_COLUMN_HINT} {_HINT}"
            raise complain("INVALID_FIELD", self.query, path.position, message)
        return Column(field=found, object=target, table=table, steps=steps)

    def source_sql(self) -> str:
        """Return the FROM text: the object and every joined parent."""
        joins = "".join(each[2] for each in self._joins.values())
        return f'"{self.object.name}" {self.table}{joins}'

    def joins_sql(self) -> str:
        """Return the joins alone."""
        return "".join(each[2] for each in self._joins.values())

    def table_of(self, steps: tuple[str, ...]) -> tuple[str, SObject]:
        """Return the alias and object behind a chain of relationships that was resolved before."""
        table, target, _ = self._joins[tuple(step.lower() for step in steps)]
        return table, target

    def _without_alias(self, path: Path) -> tuple[str, ...]:
        first = path.parts[0].lower()
        named = {self.object.name.lower(), (self.alias or self.object.name).lower()}
        if len(path.parts) > 1 and first in named and self.object.parent_field(first) is None:
            return path.parts[1:]
        return path.parts

    def _parent(
        self, table: str, target: SObject, steps: tuple[str, ...], step: str, path: Path
    ) -> tuple[str, SObject, tuple[str, ...]]:
        link = target.parent_field(step)
        if link is None and step.lower().endswith("__r"):
            link = target.parent_field(step)
        parents = [self.catalogue.find(name) for name in link.parents] if link else []
        known = [each for each in parents if each is not None]
        if link is None or not known:
            message = f"Didn't understand relationship '{step}' in field path. {_RELATION_HINT} {_HINT}"
            raise complain("INVALID_FIELD", self.query, path.position, message)
        chain = (*steps, str(link.relationship))
        key = tuple(each.lower() for each in chain)
        if key not in self._joins:
            alias = f"{self.table}{len(self._joins) + 1}"
            parent = known[0] if len(known) == 1 else NAME
            source = f'"{parent.name}"' if parent is not NAME else f"({_union_sql(known, self.now)})"
            seen = f" AND {visible_sql(alias, str(self.now))}" if parent is not NAME else ""
            join = f' LEFT JOIN {source} {alias} ON {alias}."Id" = {table}."{link.name}"{seen}'
            self._joins[key] = (alias, parent, join)
        alias, parent, _ = self._joins[key]
        return alias, parent, chain


def _union_sql(objects: list[SObject], now: int) -> str:
    parts = []
    for each in objects:
        columns = []
        for wanted in NAME.fields:
            found = each.field(wanted.name)
            value = f"'{each.name}'" if wanted.name == "Type" else value_sql(found, "u") if found else "NULL"
            columns.append(f'{value} AS "{wanted.name}"')
        parts.append(f'SELECT {", ".join(columns)} FROM "{each.name}" u WHERE {visible_sql("u", str(now))}')
    return " UNION ALL ".join(parts)
