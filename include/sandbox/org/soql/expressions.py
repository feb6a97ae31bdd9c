"""The parts of a query that stand inside its clauses: fields, functions, conditions, values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.sandbox.org.soql.complaint import malformed
from include.sandbox.org.soql.lexer import Kind, Token, unescape
from include.sandbox.org.soql.stream import TokenStream
from include.sandbox.org.soql.tree import (
    Among,
    Call,
    Compare,
    Condition,
    Includes,
    Joined,
    Literal,
    LiteralKind,
    Not,
    Path,
    Term,
)  # fmt: skip

if TYPE_CHECKING:
    from include.sandbox.org.soql.tree import Query

_OPERATORS = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})
_DEEPEST = 100  # parentheses, NOT, functions within functions


class Expressions(TokenStream):
    """Parse terms and conditions by recursive descent."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def query(self) -> Query:
        """Parse a whole query; the clauses belong to another class."""
        raise NotImplementedError

    # -- fields and functions

    def _path(self) -> Path:
        first = self._name()
        parts = [first.text]
        while self._take("."):
            parts.append(self._name().text)
        return Path(parts=tuple(parts), position=first.position)

    def _term(self) -> Term:
        if self._token.kind == Kind.NAME and self._following.text == "(":
            return self._call()
        return self._path()

    def _call(self) -> Call:
        name = self._name()
        self._expect("(")
        self._descend()
        argument: Path | Call | None = None
        more: list[Literal | Call] = []
        if not self._is(")"):
            if self._token.kind == Kind.NAME:
                argument = self._term()
            else:
                more.append(self._literal())
            while self._take(","):
                more.append(self._call() if self._following.text == "(" else self._literal())
        self._expect(")")
        self._depth -= 1
        return Call(name=name.word, argument=argument, position=name.position, more=tuple(more))

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
        if self._is("NOT"):
            self._next()
            self._descend()
            inner = self._negatable()
            self._depth -= 1
            return Not(inner=inner)
        if self._take("("):
            self._descend()
            inner = self._condition()
            self._depth -= 1
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
        if self._is("(") and self._following.word == "SELECT":
            self._next()
            self._descend()
            inner = self.query()
            self._depth -= 1
            self._expect(")")
            return Among(left=left, negated=negated, query=inner)
        return Among(left=left, negated=negated, values=self._literals())

    def _descend(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise malformed(self._text, self._token.position, "Query is too deeply nested")

    # -- values

    def _literals(self) -> tuple[Literal, ...]:
        self._expect("(")
        values = [self._literal()]
        while self._take(","):
            values.append(self._literal())
        self._expect(")")
        return tuple(values)

    def _literal(self) -> Literal:
        token = self._token
        position = token.position
        match token.kind:
            case Kind.TEXT:
                self._next()
                value = unescape(self._text, token)
                pattern = unescape(self._text, token, pattern=True)
                return Literal(kind=LiteralKind.TEXT, text=value, pattern=pattern, position=position)
            case Kind.NUMBER | Kind.DATE | Kind.DATETIME | Kind.TIME:
                self._next()
                return Literal(kind=LiteralKind(token.kind.value), text=token.text, position=position)
            case Kind.NAME:
                self._next()
                return self._named_literal(token)
        raise self._unexpected(token)

    def _named_literal(self, token: Token) -> Literal:
        if token.word in ("TRUE", "FALSE"):
            return Literal(kind=LiteralKind.BOOLEAN, text=token.word, position=token.position)
        if token.word == "NULL":
            return Literal(kind=LiteralKind.NULL, text="NULL", position=token.position)
        count = self._whole_number() if self._take(":") else None
        return Literal(kind=LiteralKind.RELATIVE, text=token.word, count=count, position=token.position)
