"""Read from a predicate whether it looks at other records by their Id alone. Pure.

Such a verdict can only change with the record itself or with one that it points at, so after a small change few records
have to be judged again. `EXISTS (SELECT 1 FROM {Account} AS parent WHERE {parent.Id} = {row.AccountId} AND …)` is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from include.config.predicates import ROW, Predicate, Token

_OPENING = ("exists", "(", "select", "1", "from")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Name the object that is looked at, and the field of the judged record that holds the Id."""

    object: str
    field: str


def lookups_of(predicate: Predicate) -> tuple[Lookup, ...] | None:
    """Return what the predicate looks up by Id, () when it looks at no other record, None when at others otherwise."""
    found: list[Lookup] = []
    for position, token in enumerate(predicate.tokens):
        if token.kind == "duplicates":
            return None
        if token.kind == "table":
            lookup = _lookup(predicate.tokens, position)
            if lookup is None:
                return None
            found.append(lookup)
    return tuple(dict.fromkeys(found))


def _lookup(tokens: Sequence[Token], position: int) -> Lookup | None:
    """Return the lookup that the table at this position is for, or None when it is used in any other way."""
    before = tuple(_word(each) for each in tokens[max(0, position - 5) : position])
    if before != _OPENING or len(tokens) < position + 7:
        return None
    as_, name, where, left, equals, right = tokens[position + 1 : position + 7]
    if (_word(as_), _word(where), _word(equals)) != ("as", "where", "="):
        return None
    sides = {(each.alias, each.text) for each in (left, right) if each.kind == "field"}
    own = [text for alias, text in sides if alias == ROW]
    if len(sides) != 2 or (name.text, "Id") not in sides or not own:
        return None
    return Lookup(object=tokens[position].text, field=own[0]) if _only_narrowed(tokens, position + 7) else None


def _only_narrowed(tokens: Sequence[Token], position: int) -> bool:
    """Return whether what follows the comparison, up to the end of the sub-select, can only take records away."""
    if _word(tokens[position]) not in ("and", ")"):
        return False
    depth = 0
    for token in tokens[position:]:
        word = _word(token)
        depth += (word == "(") - (word == ")")
        if depth < 0:
            return True
        if depth == 0 and word in ("or", "group", "having", "join", "select"):
            return False
    return False


def _word(token: Token) -> str:
    return token.text.lower() if token.kind == "text" else ""
