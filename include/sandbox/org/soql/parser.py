"""SOQL tokens to a tree, by recursive descent: one method a clause of the grammar."""

from __future__ import annotations

from include.sandbox.org.refusals import Refusal
from include.sandbox.org.soql.complaint import malformed
from include.sandbox.org.soql.expressions import Expressions
from include.sandbox.org.soql.lexer import Kind
from include.sandbox.org.soql.tree import Fields, Item, Order, Path, Query, Term, TypeOf, When

_CLAUSES = frozenset(
    {"FROM", "WHERE", "WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "USING", "ALL", "AND", "OR", "ASC",
     "DESC", "NULLS", "UPDATE", "EXCLUDES", "FIRST", "IN", "INCLUDES", "LAST", "LIKE", "NOT", "NULL", "SELECT"}
)  # fmt: skip
_MAX_LENGTH = 100_000
_LONGEST_ALIAS = 25
_MODES = ("SECURITY_ENFORCED", "USER_MODE", "SYSTEM_MODE")


def parse(query: str) -> Query:
    """Return the tree of a query, or refuse it as MALFORMED_QUERY."""
    if len(query) > _MAX_LENGTH:
        raise Refusal(400, "MALFORMED_QUERY", f"SOQL statements can not be longer than {_MAX_LENGTH} characters.")
    parser = _Parser(query)
    tree = parser.query()
    parser.expect_end()
    return tree


class _Parser(Expressions):
    def query(self) -> Query:
        position = self._expect("SELECT").position
        items = [self._item()]
        while self._take(","):
            items.append(self._item())
        self._expect("FROM")
        source = self._path()
        alias = self._alias()
        aliases = self._further_names()
        using = self._scope()
        where = self._condition() if self._take("WHERE") else None
        self._with()
        groups, subtotals = self._groups() if self._take("GROUP") else ((), "")
        having = self._condition() if groups and self._take("HAVING") else None
        orders = self._orders() if self._take("ORDER") else ()
        limit = self._whole_number() if self._take("LIMIT") else None
        offset = self._whole_number() if self._take("OFFSET") else None
        return Query(
            text=self._text, items=tuple(items), object=source.parts[-1], object_position=source.position,
            above=source.parts[:-1], alias=alias, aliases=aliases, using=using, where=where, groups=groups,
            subtotals=subtotals, having=having, orders=orders, limit=limit, offset=offset, purposes=self._purposes(),
            position=position,
        )  # fmt: skip

    # -- FROM

    def _alias(self) -> str | None:
        self._take("AS")
        if self._token.kind == Kind.NAME and self._token.word not in _CLAUSES:
            return self._next().text
        return None

    def _further_names(self) -> tuple[tuple[str, Path], ...]:
        """Parse the rest of FROM Contact c, c.Account a."""
        names = []
        while self._take(","):
            path = self._path()
            names.append((self._alias() or path.parts[-1], path))
        return tuple(names)

    def _scope(self) -> str | None:
        if not self._take("USING"):
            return None
        self._expect("SCOPE")
        return self._name().text

    def _with(self) -> None:
        """Parse WITH: the modes change nothing for a user who sees everything, the rest is for other objects."""
        if self._take("WITH") and not self._take(*_MODES):
            raise self._unexpected()

    def _purposes(self) -> tuple[str, ...]:
        purposes = []
        while self._is("FOR", "UPDATE", "ALL"):
            word = self._next()
            if word.word == "ALL":
                raise malformed(self._text, word.position, "ALL ROWS not allowed in this context")
            known = ("VIEW", "REFERENCE", "UPDATE") if word.word == "FOR" else ("TRACKING", "VIEWSTAT")
            if not self._is(*known):
                raise self._unexpected()
            purposes.append(self._next().word)
            while self._take(","):
                purposes.append(self._name().word)
        return tuple(purposes)

    # -- SELECT

    def _item(self) -> Item:
        if self._take("("):
            self._descend()
            inner = self.query()
            self._depth -= 1
            self._expect(")")
            return Item(term=inner)
        token = self._token
        if token.word == "FIELDS" and self._following.text == "(":
            return Item(term=self._fields())
        if token.word == "TYPEOF" and self._following.kind == Kind.NAME:
            return Item(term=self._typeof())
        term = self._term()
        alias = None
        if self._token.kind == Kind.NAME and self._token.word not in _CLAUSES:
            named = self._next()
            alias = named.text
            if len(alias) > _LONGEST_ALIAS:
                message = f"alias is too long, maximum of {_LONGEST_ALIAS} characters: {alias}"
                raise malformed(self._text, named.position, message)
        return Item(term=term, alias=alias)

    def _fields(self) -> Fields:
        position = self._next().position
        self._expect("(")
        group = self._name()
        if group.word not in ("ALL", "STANDARD", "CUSTOM"):
            raise self._unexpected(group)
        self._expect(")")
        return Fields(group=group.word, position=position)

    def _typeof(self) -> TypeOf:
        position = self._next().position
        path = self._path()
        branches = []
        while self._is("WHEN"):
            self._next()
            kind = self._name()
            self._expect("THEN")
            branches.append(When(object=kind.text, position=kind.position, paths=self._paths()))
        if not branches:
            raise self._unexpected()
        if self._is("ELSE"):
            otherwise = self._next().position
            branches.append(When(object="", position=otherwise, paths=self._paths()))
        self._expect("END")
        return TypeOf(path=path, branches=tuple(branches), position=position)

    def _paths(self) -> tuple[Path, ...]:
        paths = [self._path()]
        while self._take(","):
            paths.append(self._path())
        return tuple(paths)

    # -- GROUP BY and ORDER BY

    def _groups(self) -> tuple[tuple[Term, ...], str]:
        self._expect("BY")
        if self._is("ROLLUP", "CUBE") and self._following.text == "(":
            word = self._next().word
            self._expect("(")
            groups = self._terms()
            self._expect(")")
            return groups, word
        return self._terms(), ""

    def _terms(self) -> tuple[Term, ...]:
        terms = [self._term()]
        while self._take(","):
            terms.append(self._term())
        return tuple(terms)

    def _orders(self) -> tuple[Order, ...]:
        self._expect("BY")
        orders = [self._order()]
        while self._take(","):
            orders.append(self._order())
        return tuple(orders)

    def _order(self) -> Order:
        term = self._term()
        descending = self._take("DESC")
        if not descending:
            self._take("ASC")
        nulls_last = False
        if self._take("NULLS"):
            nulls_last = self._is("LAST")
            if not self._take("FIRST", "LAST"):
                raise self._unexpected()
        return Order(term=term, descending=descending, nulls_last=nulls_last)
