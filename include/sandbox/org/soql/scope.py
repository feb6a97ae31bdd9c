"""Which table a field path means: the queried object, and the parents that are joined to reach it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.schema.field import Field, SObject, flag, plain, reference, text
from include.sandbox.org.soql.complaint import complain
from include.sandbox.org.soql.tree import Path
from include.sandbox.org.store.tables import visible_sql
from include.sandbox.org.store.values import coordinates_of, value_sql

_LEVELS = 5
_MOST_PARENTS = 55
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
        text("Username", "Username", 80),
        text("Alias", "Alias", 8),
        flag("IsActive", "Active"),
        reference("ProfileId", "Profile ID", "Profile"),
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

    @property
    def coordinates(self) -> tuple[str, str] | None:
        """Return latitude and longitude of a compound field, or None if it has none."""
        names = coordinates_of(self.field)
        found = [self.object.field(each) for each in names]
        if len(found) != 2 or not all(found):
            return None
        return f'{self.table}."{names[0]}"', f'{self.table}."{names[1]}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """Hold a joined parent, or the record that everything starts from."""

    table: str
    object: SObject
    steps: tuple[str, ...] = ()
    join: str = ""


@dataclass(slots=True, kw_only=True)
class Scope:
    """Resolve paths of one query and remember the joins they need."""

    catalogue: Catalogue
    query: str
    object: SObject
    alias: str | None
    now: int
    table: str = "t"
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _joins: dict[tuple[str, ...], Parent] = field(default_factory=dict)

    def column(self, path: Path, start: Parent | None = None) -> Column:
        """Return the field that a path means, joining parents as needed; TYPEOF starts from a parent."""
        parts = path.parts if start else self._without_alias(path)
        at = start or Parent(table=self.table, object=self.object)
        if len(parts) > _LEVELS + 1:
            message = f"Relationship path has more than {_LEVELS} levels: {path.text}"
            raise complain("MALFORMED_QUERY", self.query, path.position, message)
        for step in parts[:-1]:
            at = self._parent(at, step, path.position)
        found = at.object.field(parts[-1])
        if found is None:
            message = f"No such column '{parts[-1]}' on entity '{at.object.name}'. {_COLUMN_HINT} {_HINT}"
            raise complain("INVALID_FIELD", self.query, path.position, message)
        return Column(field=found, object=at.object, table=at.table, steps=at.steps)

    def named(self, name: str, path: Path) -> None:
        """Remember a further name of FROM for a parent: c.Account a."""
        parts = self._without_alias(path)
        if name.lower() in self.aliases or not parts:
            raise complain("MALFORMED_QUERY", self.query, path.position, f"duplicate alias: {name}")
        at = Parent(table=self.table, object=self.object)
        for step in parts:
            at = self._parent(at, step, path.position)
        self.aliases[name.lower()] = parts

    def polymorphic(self, path: Path) -> tuple[Parent, Field]:
        """Return where the relationship of TYPEOF starts, and the reference field behind it."""
        parts = self._without_alias(path)
        at = Parent(table=self.table, object=self.object)
        for step in parts[:-1]:
            at = self._parent(at, step, path.position)
        link = at.object.parent_field(parts[-1])
        if link is None:
            raise self._no_relation(parts[-1], path.position)
        if len(link.parents) < 2:
            message = f"TYPEOF is only allowed on polymorphic relationships: {parts[-1]}"
            raise complain("MALFORMED_QUERY", self.query, path.position, message)
        return at, link

    def one_kind(self, start: Parent, link: Field, target: SObject | None) -> Parent:
        """Join a polymorphic parent as one object of those it may be, or as Name."""
        steps = (*start.steps, str(link.relationship), f"#{target.name if target else 'Name'}")
        key = tuple(each.lower() for each in steps)
        if key not in self._joins:
            source, at = self._source(link, [target] if target else self._known(link))
            self._joins[key] = self._joined(start, link, source, at, steps)
        return self._joins[key]

    def source_sql(self) -> str:
        """Return the FROM text: the object and every joined parent."""
        return f'"{self.object.name}" {self.table}{self.joins_sql()}'

    def joins_sql(self) -> str:
        """Return the joins alone."""
        return "".join(each.join for each in self._joins.values())

    def table_of(self, steps: Iterable[str]) -> tuple[str, SObject]:
        """Return the alias and object behind a chain of relationships that was resolved before."""
        parent = self._joins[tuple(step.lower() for step in steps)]
        return parent.table, parent.object

    def _without_alias(self, path: Path) -> tuple[str, ...]:
        first = path.parts[0].lower()
        if len(path.parts) > 1 and first in self.aliases:
            return (*self.aliases[first], *path.parts[1:])
        named = {self.object.name.lower(), (self.alias or self.object.name).lower()}
        if len(path.parts) > 1 and first in named and self.object.parent_field(first) is None:
            return path.parts[1:]
        return path.parts

    def _parent(self, start: Parent, step: str, position: int) -> Parent:
        link = start.object.parent_field(step)
        known = self._known(link) if link else []
        if link is None or not known:
            raise self._no_relation(step, position)
        steps = (*start.steps, str(link.relationship))
        key = tuple(each.lower() for each in steps)
        if key not in self._joins:
            if len(self._joins) >= _MOST_PARENTS:
                message = f"Number of child to parent relationships exceeds the limit of {_MOST_PARENTS}"
                raise complain("MALFORMED_QUERY", self.query, position, message)
            source, parent = self._source(link, known)
            self._joins[key] = self._joined(start, link, source, parent, steps)
        return self._joins[key]

    def _known(self, link: Field) -> list[SObject]:
        found = [self.catalogue.find(name) for name in link.parents]
        return [each for each in found if each is not None]

    def _source(self, link: Field, known: list[SObject]) -> tuple[str, SObject]:
        """Return what to join: an object's own table, or one of names where the parent may be of several kinds."""
        if len(known) == 1 and (len(link.parents) == 1 or known[0] is not NAME):
            return f'"{known[0].name}"', known[0]
        return f"({_union_sql(known, self.now)})", NAME

    def _joined(self, start: Parent, link: Field, source: str, parent: SObject, steps: tuple[str, ...]) -> Parent:
        alias = f"{self.table}{len(self._joins) + 1}"
        seen = f" AND {visible_sql(alias, str(self.now))}" if parent is not NAME else ""
        join = f' LEFT JOIN {source} {alias} ON {alias}."Id" = {value_sql(link, start.table)}{seen}'
        return Parent(table=alias, object=parent, steps=steps, join=join)

    def _no_relation(self, step: str, position: int) -> Refusal:
        message = f"Didn't understand relationship '{step}' in field path. {_RELATION_HINT} {_HINT}"
        return complain("INVALID_FIELD", self.query, position, message)


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
