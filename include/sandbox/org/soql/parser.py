"""SOQL tokens to a tree, by recursive descent: one method a rule of the grammar."""

from __future__ import annotations

from include.sandbox.org.refusals import Refusal
from include.sandbox.org.soql.complaint import malformed
from include.sandbox.org.soql.lexer import Kind, Token, tokenize, unescape
from include.sandbox.org.soql.tree import (
    Among,
    Call,
    Compare,
    Condition,
    Fields,
    Includes,
    Item,
    Joined,
    Literal,
    LiteralKind,
    Not,
    Order,
    Path,
    Query,
    Term,
)  # fmt: skip

_OPERATORS = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})
_CLAUSES = frozenset(
    {"FROM", "WHERE", "WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "USING", "ALL", "AND", "OR", "ASC",
     "DESC", "NULLS", "UPDATE"}
)  # fmt: skip
_MAX_LENGTH = 100_000


def parse(query: str) -> Query:
    """Return the tree of a query, or refuse it as MALFORMED_QUERY."""
    if len(query) > _MAX_LENGTH:
        raise Refusal(400, "QUERY_TOO_COMPLICATED", "SOQL statements cannot be longer than 100000 characters.")
    parser = _Parser(query)
    tree = parser.query()
    parser.expect_end()
    return tree


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokenize(text)
        self._at = 0

    # -- tokens

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    def _next(self) -> Token:
        token = self._token
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _is(self, *words: str) -> bool:
        return self._token.kind in (Kind.NAME, Kind.MARK) and self._token.word in words

    def _take(self, *words: str) -> bool:
        if self._is(*words):
            self._next()
            return True
        return False

    def _unexpected(self) -> Refusal:
        return malformed(self._text, self._token.position, f"unexpected token: '{self._token.text}'")

    def _expect(self, word: str) -> Token:
        if not self._is(word):
            raise self._unexpected()
        return self._next()

    def _name(self) -> Token:
        if self._token.kind != Kind.NAME:
            raise self._unexpected()
        return self._next()

    def _whole_number(self) -> int:
        if self._token.kind != Kind.NUMBER or not self._token.text.isdigit():
            raise self._unexpected()
        return int(self._next().text)

    def expect_end(self) -> None:
        if self._token.kind != Kind.END:
            raise self._unexpected()

    # -- clauses

    def query(self) -> Query:
        position = self._expect("SELECT").position
        items = [self._item()]
        while self._take(","):
            items.append(self._item())
        self._expect("FROM")
        target = self._name()
        alias = self._alias()
        if self._take("USING"):
            self._expect("SCOPE")
            self._name()
        where = self._condition() if self._take("WHERE") else None
        if self._take("WITH"):
            self._name()
        groups = self._groups() if self._take("GROUP") else ()
        having = self._condition() if self._take("HAVING") else None
        orders = self._orders() if self._take("ORDER") else ()
        limit = self._whole_number() if self._take("LIMIT") else None
        offset = self._whole_number() if self._take("OFFSET") else None
        self._hints()
        return Query(
            text=self._text, items=tuple(items), object=target.text, object_position=target.position, alias=alias,
            where=where, groups=groups, having=having, orders=orders, limit=limit, offset=offset, position=position,
        )  # fmt: skip

    def _alias(self) -> str | None:
        self._take("AS")
        if self._token.kind == Kind.NAME and self._token.word not in _CLAUSES:
            return self._next().text
        return None

    def _hints(self) -> None:
        while self._take("FOR", "UPDATE"):
            self._name()

    def _item(self) -> Item:
        if self._is("("):
            self._next()
            inner = self.query()
            self._expect(")")
            return Item(term=inner)
        token = self._token
        if token.word == "FIELDS" and self._tokens[self._at + 1].text == "(":
            self._next()
            self._expect("(")
            group = self._name().word
            if group not in ("ALL", "STANDARD", "CUSTOM"):
                raise malformed(self._text, token.position, f"unexpected token: '{group}'")
            self._expect(")")
            return Item(term=Fields(group=group, position=token.position))
        term = self._term()
        alias = None
        if self._token.kind == Kind.NAME and self._token.word not in _CLAUSES:
            alias = self._next().text
        return Item(term=term, alias=alias)

    def _term(self) -> Term:
        first = self._name()
        if self._take("("):
            argument = None if self._is(")") else self._term()
            self._expect(")")
            return Call(name=first.word, argument=argument, position=first.position)
        parts = [first.text]
        while self._take("."):
            parts.append(self._name().text)
        return Path(parts=tuple(parts), position=first.position)

    def _groups(self) -> tuple[Term, ...]:
        self._expect("BY")
        groups = [self._term()]
        while self._take(","):
            groups.append(self._term())
        return tuple(groups)

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

    # -- conditions

    def _condition(self) -> Condition:
        first = self._negatable()
        if not self._is("AND", "OR"):
            return first
        word = self._token.word
        parts = [first]
        while self._take(word):
            parts.append(self._negatable())
        if self._is("AND", "OR"):  # the two may not be mixed on one level
            raise self._unexpected()
        return Joined(word=word, parts=tuple(parts))

    def _negatable(self) -> Condition:
        if self._take("NOT"):
            return Not(inner=self._negatable())
        if self._take("("):
            inner = self._condition()
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        left = self._term()
        if self._token.text in _OPERATORS:
            op = self._next().text
            return Compare(left=left, op="!=" if op == "<>" else op, value=self._literal())
        if self._take("LIKE"):
            return Compare(left=left, op="LIKE", value=self._literal())
        if self._is("INCLUDES", "EXCLUDES"):
            negated = self._next().word == "EXCLUDES"
            return Includes(left=left, negated=negated, values=self._literals())
        negated = self._take("NOT")
        if not self._take("IN"):
            raise self._unexpected()
        if self._is("(") and self._tokens[self._at + 1].word == "SELECT":
            self._next()
            inner = self.query()
            self._expect(")")
            return Among(left=left, negated=negated, query=inner)
        return Among(left=left, negated=negated, values=self._literals())

    def _literals(self) -> tuple[Literal, ...]:
        self._expect("(")
        values = [self._literal()]
        while self._take(","):
            values.append(self._literal())
        self._expect(")")
        return tuple(values)

    def _literal(self) -> Literal:
        token = self._next()
        position = token.position
        match token.kind:
            case Kind.TEXT:
                value = unescape(self._text, token)
                pattern = unescape(self._text, token, pattern=True)
                return Literal(kind=LiteralKind.TEXT, text=value, pattern=pattern, position=position)
            case Kind.NUMBER | Kind.DATE | Kind.DATETIME:
                return Literal(kind=LiteralKind(token.kind.value), text=token.text, position=position)
            case Kind.NAME:
                return self._named_literal(token)
        self._at -= 1 if token.kind != Kind.END else 0
        raise malformed(self._text, position, f"unexpected token: '{token.text}'")

    def _named_literal(self, token: Token) -> Literal:
        if token.word in ("TRUE", "FALSE"):
            return Literal(kind=LiteralKind.BOOLEAN, text=token.word, position=token.position)
        if token.word == "NULL":
            return Literal(kind=LiteralKind.NULL, text="NULL", position=token.position)
        count = self._whole_number() if self._take(":") else None
        return Literal(kind=LiteralKind.RELATIVE, text=token.word, count=count, position=token.position)
