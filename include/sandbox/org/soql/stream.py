"""A query's tokens, one after the other."""

from __future__ import annotations

from include.sandbox.org.refusals import Refusal
from include.sandbox.org.soql.complaint import malformed
from include.sandbox.org.soql.lexer import Kind, Token, tokenize


class TokenStream:
    """Look at the next token, take it, or refuse it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokenize(text)
        self._at = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    @property
    def _following(self) -> Token:
        return self._tokens[min(self._at + 1, len(self._tokens) - 1)]

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

    def _unexpected(self, token: Token | None = None) -> Refusal:
        token = token or self._token
        return malformed(self._text, token.position, f"unexpected token: '{token.text}'")

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
        """Refuse whatever is left."""
        if self._token.kind != Kind.END:
            raise self._unexpected()
