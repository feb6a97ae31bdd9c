"""Read the predicate of a check: one SQL expression that is true for a bad row, and nothing but that.

A predicate is written by a person and runs in the warehouse, so it is read token by token against a list of what it may
say: comparisons, functions that only compute, and sub-selects over tables that are named by placeholder. Whatever is
not on the list is refused with its reason. What a predicate needs is read from it, so it cannot be declared wrongly.

Placeholders::

    {row.Email}             a field of the record that is judged
    {Account} AS parent     the live records of another object, under a name
    {parent.Name}           a field of those
    {now}  {today}          the moment and the day of the assessment, UTC
    IN {list.countries}     the entries of a list that comes with Headwater, see LISTS
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

ROW = "row"

Kind = Literal["text", "string", "field", "table", "now", "today", "list", "duplicates"]

LISTS = frozenset({"countries", "us_states", "free_mail_domains", "disposable_mail_domains", "role_mailboxes"})

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<string>'(?:[^']|'')*')
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<placeholder>\{[^{}]*\})
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<comment>--|/\*)
    |(?P<operator>::|!~\*|!~|~\*|~|<>|!=|<=|>=|\|\||[-=<>+*/%(),])
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_FIELD = re.compile(r"(?P<alias>[a-z][a-z0-9_]{0,40})\.(?P<field>[A-Za-z][A-Za-z0-9_]{0,79})\Z")
_OBJECT = re.compile(r"[A-Z][A-Za-z0-9_]{0,79}\Z")
_ALIAS = re.compile(r"[a-z][a-z0-9_]{0,40}\Z")

_EXPRESSION_WORDS = frozenset(
    {"and", "or", "not", "in", "is", "null", "true", "false", "like", "ilike", "between", "exists"}
    | {"case", "when", "then", "else", "end", "interval"}
)
_SELECT_WORDS = frozenset(
    {"select", "distinct", "from", "where", "join", "left", "inner", "on", "as", "group", "by", "having"}
)
_WORDS = _EXPRESSION_WORDS | _SELECT_WORDS
_TYPES = frozenset({"text", "date", "interval", "numeric"})
_FUNCTIONS = frozenset(  # they compute, and nothing else: no time, no chance, no file, no setting, no sleep
    {"abs", "age", "avg", "btrim", "ceil", "char_length", "coalesce", "concat", "count", "date_part", "date_trunc"}
    | {"floor", "greatest", "initcap", "least", "left", "length", "lower", "ltrim", "make_date", "max", "md5", "min"}
    | {"mod", "nullif", "regexp_replace", "replace", "reverse", "right", "round", "rtrim", "split_part", "starts_with"}
    | {"strpos", "substr", "sum", "translate", "upper"}
)
_NEVER_BEFORE_A_BRACKET = frozenset({"null", "true", "false", "end", "left", "is", "interval"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Hold one piece of a predicate: text that is taken over as it stands, or what a placeholder stands for."""

    kind: Kind
    text: str  # the word, operator, number or quoted string; the field's or object's API name
    alias: str = ""  # of a field: whose
    among: str = ""  # of duplicates: of which object the other record is; the text holds the rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicate:
    """Hold a predicate that was read and found harmless, and the objects and fields that it needs."""

    tokens: tuple[Token, ...]
    needs: Mapping[str, tuple[str, ...]]

    @property
    def reads_other_rows(self) -> bool:
        """Return whether the verdict on a record depends on other records."""
        return any(token.kind in ("table", "duplicates") for token in self.tokens)

    @property
    def reads_the_clock(self) -> bool:
        """Return whether the verdict can change without a change of data."""
        return any(token.kind in ("now", "today") for token in self.tokens)


@lru_cache(maxsize=1024)
def duplicate_predicate(judged: str, among: str, rules: tuple[str, ...]) -> Predicate:
    """Return the predicate that one of these rules found a record of `judged` to be one with another of `among`."""
    found = Token(kind="duplicates", text=",".join(rules), alias=judged, among=among)
    tokens = (Token(kind="field", text="Id", alias=ROW), Token(kind="text", text="IN"), found)
    return Predicate(tokens=tokens, needs=MappingProxyType(dict.fromkeys(sorted({judged, among}), ("Id",))))


@lru_cache(maxsize=1024)
def read_predicate(source: str, judged: str) -> Predicate:
    """Return the predicate that `source` says about records of the object `judged`.

    Raises:
        ValueError: it says something that a predicate may not say; the message names it.
    """
    tokens = _tokens(source)
    if not tokens:
        raise ValueError("the predicate is empty; write a condition such as {row.Email} IS NULL")
    aliases = _aliases(tokens, judged)
    _check_words(tokens, frozenset(aliases))
    _check_lists(tokens)
    _check_nesting(tokens)
    return Predicate(tokens=tokens, needs=_needs(tokens, aliases))


def _tokens(source: str) -> tuple[Token, ...]:
    found: list[Token] = []
    for match in _TOKEN.finditer(source):
        kind, piece = str(match.lastgroup), match.group()
        if kind == "placeholder":
            found.append(_placeholder(piece[1:-1].strip()))
        elif kind == "string":
            found.append(_string(piece, source[: match.start()]))
        elif kind in ("comment", "other"):
            hint = "; write field names as {row.Field}" if piece in ('"', ".", "`") else ""
            raise ValueError(f"{piece!r} may not stand in a predicate{hint}")
        elif kind != "space":
            found.append(Token(kind="text", text=piece))
    return tuple(found)


def _placeholder(inside: str) -> Token:
    if inside == "now":
        return Token(kind="now", text=inside)
    if inside == "today":
        return Token(kind="today", text=inside)
    if inside.startswith("list."):
        return _list(inside.removeprefix("list."))
    if match := _FIELD.match(inside):
        return Token(kind="field", text=match["field"], alias=match["alias"])
    if _OBJECT.match(inside):
        return Token(kind="table", text=inside)
    raise ValueError(
        f"{{{inside}}} is no placeholder; write {{row.Field}}, {{Object}} AS name, {{name.Field}}, {{list.name}},"
        " {now} or {today}"
    )


def _list(name: str) -> Token:
    if name not in LISTS:
        raise ValueError(f"{{list.{name}}} is no list; there are: {', '.join(sorted(LISTS))}")
    return Token(kind="list", text=name)


def _string(piece: str, before: str) -> Token:
    if re.search(r"[A-Za-z0-9_&]\Z", before):
        raise ValueError("a string may have no prefix such as E or U&; a backslash stands for itself")
    if "\x00" in piece:
        raise ValueError("a string holds the character NUL, which no field can hold")
    if re.search(r"(?<!\w):\w", piece):
        raise ValueError(f"{piece} holds a colon before a word; in a pattern write \\s for [[:space:]] and the like")
    return Token(kind="string", text=piece)


def _aliases(tokens: Sequence[Token], judged: str) -> dict[str, str]:
    """Return which object each alias stands for; a table must follow FROM or JOIN and be named."""
    aliases = {ROW: judged}
    for position, token in enumerate(tokens):
        if token.kind != "table":
            continue
        before = _word(tokens, position - 1)
        following = [_raw(tokens, position + 1), _raw(tokens, position + 2)]
        name = following[1] if following[0].lower() == "as" else ""
        if before not in ("from", "join") or not _ALIAS.match(name):
            raise ValueError(f"write a table as FROM {{{token.text}}} AS name, the name in lower case")
        if name in aliases or name in _WORDS | _FUNCTIONS | _TYPES:
            raise ValueError(f"{name!r} is taken; give {{{token.text}}} another name")
        aliases[name] = token.text
    return aliases


def _check_words(tokens: Sequence[Token], aliases: frozenset[str]) -> None:
    for position, token in enumerate(tokens):
        word = _word(tokens, position)
        if not word:
            continue
        follows, precedes = _raw(tokens, position + 1), _raw(tokens, position - 1)
        if precedes.lower() == "as" and token.text in aliases:
            continue
        if precedes == "::" and word in _TYPES:
            continue
        if word == "from" and not _names_a_source(tokens, position):
            raise ValueError("after FROM comes a table such as {Account} AS name")
        if word == "join" and _kind(tokens, position + 1) != "table":
            raise ValueError("after JOIN comes a table such as {Account} AS name")
        allowed = _FUNCTIONS | (_WORDS - _NEVER_BEFORE_A_BRACKET) if follows == "(" else _WORDS
        if word not in allowed:
            what = "function" if follows == "(" else "word"
            raise ValueError(f"the {what} {token.text!r} may not stand in a predicate; write fields as {{row.Field}}")


def _check_lists(tokens: Sequence[Token]) -> None:
    for position, token in enumerate(tokens):
        if token.kind == "list" and _word(tokens, position - 1) != "in":
            raise ValueError(f"write {{list.{token.text}}} after IN or NOT IN")


def _names_a_source(tokens: Sequence[Token], position: int) -> bool:
    is_distinct_from = _word(tokens, position - 1) == "distinct" and _word(tokens, position - 2) in ("is", "not")
    return is_distinct_from or _kind(tokens, position + 1) == "table"


def _check_nesting(tokens: Sequence[Token]) -> None:
    depth = 0
    for position, token in enumerate(tokens):
        text = token.text.lower() if token.kind == "text" else ""
        depth += (text == "(") - (text == ")")
        if depth < 0:
            raise ValueError("a bracket is closed that was not opened")
        if text == "select" and _raw(tokens, position - 1) != "(":
            raise ValueError("SELECT stands in brackets of its own")
        outside = text == "," or (text in _SELECT_WORDS and not _is_expression_word(tokens, position))
        if depth == 0 and outside:
            raise ValueError(f"{token.text!r} stands outside brackets; a predicate is one condition")
    if depth:
        raise ValueError("a bracket is opened that is not closed")


def _is_expression_word(tokens: Sequence[Token], position: int) -> bool:
    """Return whether a word of SELECT is here a part of an expression: left(…), IS [NOT] DISTINCT FROM."""
    word = _word(tokens, position)
    if word == "left":
        return _raw(tokens, position + 1) == "("
    if word == "distinct":
        return _word(tokens, position - 1) in ("is", "not")
    return word == "from" and _word(tokens, position - 1) == "distinct"


def _needs(tokens: Sequence[Token], aliases: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    needs: dict[str, set[str]] = {name: set() for name in aliases.values()}
    for token in tokens:
        if token.kind == "field":
            if token.alias not in aliases:
                known = ", ".join(sorted(aliases))
                raise ValueError(f"{{{token.alias}.{token.text}}} names no table; there are: {known}")
            needs[aliases[token.alias]].add(token.text)
    return MappingProxyType({name: tuple(sorted(fields)) for name, fields in sorted(needs.items())})


def _raw(tokens: Sequence[Token], position: int) -> str:
    return tokens[position].text if 0 <= position < len(tokens) and tokens[position].kind == "text" else ""


def _word(tokens: Sequence[Token], position: int) -> str:
    raw = _raw(tokens, position)
    return raw.lower() if raw[:1].isalpha() or raw[:1] == "_" else ""


def _kind(tokens: Sequence[Token], position: int) -> str:
    return tokens[position].kind if 0 <= position < len(tokens) else ""
