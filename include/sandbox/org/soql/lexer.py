"""SOQL text to tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from include.sandbox.org.soql.complaint import malformed


class Kind(StrEnum):
    """Say what a token is."""

    NAME = "name"
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    MARK = "mark"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """Hold one token and where it stands."""

    kind: Kind
    text: str
    position: int

    @property
    def word(self) -> str:
        """Return the text as keywords are compared."""
        return self.text.upper()


_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<datetime>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|[+-]\d{2}:?\d{2}))
    |(?P<date>\d{4}-\d{2}-\d{2}(?![\dT]))
    |(?P<time>\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?Z?)
    |(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<text>'(?:[^'\\]|\\.)*')
    |(?P<mark><=|>=|!=|<>|[(),.=<>:])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)


def tokenize(query: str) -> list[Token]:
    """Return the tokens of a query, ended by an END token."""
    tokens = []
    position = 0
    while position < len(query):
        match = _TOKEN.match(query, position)
        if match is None:
            raise malformed(query, position, f"unexpected token: '{query[position]}'")
        kind = match.lastgroup or ""
        if kind != "space":
            tokens.append(Token(Kind(kind), match.group(), position))
        position = match.end()
    tokens.append(Token(Kind.END, "<EOF>", len(query)))
    return tokens


def unescape(query: str, token: Token, *, pattern: bool = False) -> str:
    r"""Return the value of a text token; for LIKE, `\%` and `\_` keep their backslash, and so does `\\`."""

    def replaced(match: re.Match[str]) -> str:
        escape = match.group(1)
        if escape.startswith("u") and len(escape) == 5:
            return chr(int(escape[1:], 16))
        if pattern and escape in "%_\\":
            return "\\" + escape
        if escape in "%_":
            return "\\" + escape
        if escape.lower() not in _ESCAPES:
            raise malformed(
                query,
                token.position,
                f"Illegal character sequence '\\{escape}' in string literal",
            )
        return _ESCAPES[escape.lower()]

    return _ESCAPE.sub(replaced, token.text[1:-1])
