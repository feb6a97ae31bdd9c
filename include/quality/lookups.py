"""Read from a predicate by what it finds other records, so that few have to be judged again after a change. Pure.

A sub-select that compares an expression of the other record with one of the judged record, and takes those that are
equal, says nothing else as long as no record changes that is found so. These are read:

    … (SELECT … FROM {Account} AS parent WHERE {parent.Id} = {row.AccountId} AND …)
    lower({row.Company}) IN (SELECT lower({account.Name}) FROM {Account} AS account WHERE …)
    {row.Email} IN (SELECT {other.Email} FROM {Contact} AS other GROUP BY {other.Email} HAVING …)

The last two only where it makes no difference whether IN says no or does not know: joined by AND and OR alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from include.config.predicates import ROW, Predicate, Token

# They say the same of the same values and refuse none.
_FUNCTIONS = frozenset(
    {"btrim", "coalesce", "concat", "initcap", "left", "length", "lower", "ltrim", "md5", "nullif", "replace"}
    | {"reverse", "right", "rtrim", "translate", "upper"}
)
_ELSE_ALLOWED = frozenset({"(", ")", ",", "||"})
_NEVER_BESIDE = frozenset({"or", "select", "join", "case"})
_OPENS = frozenset({"and", "or", "where", "("})
_CLOSES = frozenset({"and", "or", "group", ")"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Say by what a check finds records of an object.

    Args:
        object: whose records are found.
        alias: the name of such a record in `theirs`.
        theirs: the expression of the record that is found.
        own: the expression of the judged record that must be equal.
        fields: all that is read of the record that is found, beside its Id.
    """

    object: str
    alias: str
    theirs: tuple[Token, ...]
    own: tuple[Token, ...]
    fields: frozenset[str]


def lookups_of(predicate: Predicate) -> tuple[Lookup, ...] | None:
    """Return by what the predicate finds other records, () when it looks at none, None when it can't be told."""
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


def own_fields(predicate: Predicate) -> frozenset[str]:
    """Return what the predicate reads of the record that is judged, beside its Id."""
    return frozenset(each.text for each in predicate.tokens if each.kind == "field" and each.alias == ROW) - {"Id"}


def _lookup(tokens: Sequence[Token], position: int) -> Lookup | None:
    """Return the lookup that the table at this position is for, or None when it is used in any other way."""
    begin = _opening(tokens, position)
    end = _closing(tokens, position)
    if _word(tokens[position - 1]) != "from" or _word(tokens[begin + 1]) != "select":
        return None
    alias = tokens[position + 2].text
    body = list(_clauses(tokens[position + 3 : end]))
    if any(name not in ("", "where", "group", "having") for name, _ in body) or body[0][1]:
        return None
    clauses = dict(body)
    pair = _compared(clauses.get("where", ()), alias) or _listed(tokens, begin, position, end, clauses)
    if pair is None:
        return None
    theirs, own = pair
    fields = frozenset(each.text for each in tokens if each.kind == "field" and each.alias == alias) - {"Id"}
    return Lookup(object=tokens[position].text, alias=alias, theirs=theirs, own=own, fields=fields)


def _clauses(tokens: Sequence[Token]) -> Iterator[tuple[str, tuple[Token, ...]]]:
    """Yield the clauses of a sub-select after the name of its table, each with the word that begins it."""
    name, begin, depth = "", 0, 0
    for position, token in enumerate(tokens):
        word = _word(token)
        depth += (word == "(") - (word == ")")
        if depth == 0 and word in ("where", "group", "having", "join", "left", "inner", "on", "select", "from"):
            if word in ("left", "from"):  # left(…), IS DISTINCT FROM: parts of an expression, or of a join
                continue
            yield name, tuple(tokens[begin:position])
            name, begin = word, position + 1
    yield name, tuple(tokens[begin:])


def _compared(where: Sequence[Token], alias: str) -> tuple[tuple[Token, ...], tuple[Token, ...]] | None:
    """Return the two sides of an equality that every record that is found meets."""
    for part in _conjuncts(where):
        words = [_word(each) for each in part]
        if words.count("=") != 1:
            continue
        middle = words.index("=")
        sides = part[:middle], part[middle + 1 :]
        for theirs, own in (sides, sides[::-1]):
            if _said_of(theirs, alias) and _said_of(own, ROW):
                return theirs, own
    return None


def _conjuncts(tokens: Sequence[Token]) -> list[tuple[Token, ...]]:
    """Return what AND joins at the top, up to where it may mean something else; nothing where OR joins."""
    parts: list[tuple[Token, ...]] = []
    begin, depth = 0, 0
    whole = True
    for position, token in enumerate(tokens):
        word = _word(token)
        depth += (word == "(") - (word == ")")
        if depth == 0 and word in _NEVER_BESIDE:
            return []
        if depth == 0 and word == "between":
            whole = False
        if depth == 0 and word == "and" and whole:
            parts.append(tuple(tokens[begin:position]))
            begin = position + 1
    return [*parts, tuple(tokens[begin:])] if whole else parts


def _listed(
    tokens: Sequence[Token], begin: int, position: int, end: int, clauses: dict[str, tuple[Token, ...]]
) -> tuple[tuple[Token, ...], tuple[Token, ...]] | None:
    """Return the two sides of `own IN (SELECT theirs FROM …)`, or None where it is anything else."""
    alias = tokens[position + 2].text
    theirs = tuple(tokens[begin + 2 : position - 1])
    if theirs and _word(theirs[0]) == "distinct":
        theirs = theirs[1:]
    grouped = clauses.get("group")
    if ("having" in clauses and grouped is None) or (grouped is not None and grouped[1:] != theirs):
        return None
    if _word(tokens[begin - 1]) != "in" or not _said_of(theirs, alias):
        return None
    first = _first_of(tokens, begin - 1)
    own = tuple(tokens[first : begin - 1])
    return (theirs, own) if _said_of(own, ROW) and _only_joined(tokens, first - 1, end + 1) else None


def _first_of(tokens: Sequence[Token], end: int) -> int:
    """Return where the expression begins that ends before a position."""
    depth = 0
    for position in range(end - 1, -1, -1):
        word = _word(tokens[position])
        depth += (word == ")") - (word == "(")
        if depth < 0 or (depth == 0 and word in ("and", "or", "where", "not", "when", "then", "else", "on", "having")):
            return position + 1
    return 0


def _only_joined(tokens: Sequence[Token], before: int, after: int) -> bool:
    """Return whether what stands between two positions is joined with the rest by AND and OR alone, on each level."""
    if any(_word(each) == "case" for each in tokens):
        return False
    while True:
        opens = _word(tokens[before]) if before >= 0 else ""
        closes = _word(tokens[after]) if after < len(tokens) else ""
        if (before >= 0 and opens not in _OPENS) or (after < len(tokens) and closes not in _CLOSES):
            return False
        begin, end = _opening(tokens, before + 1), _closing(tokens, after - 1)
        if begin < 0:
            return True
        if _word(tokens[begin + 1]) == "select":  # its condition takes what is true, and nothing else
            return _clause_at(tokens, begin, before + 1) in ("where", "having")
        before, after = begin - 1, end + 1


def _clause_at(tokens: Sequence[Token], begin: int, position: int) -> str:
    """Return the word that begins the clause of a sub-select in which a position stands."""
    depth, found = 0, ""
    for token in tokens[begin + 1 : position]:
        word = _word(token)
        depth += (word == "(") - (word == ")")
        if depth == 0 and word in ("select", "from", "on", "where", "group", "having"):
            found = word
    return found


def _opening(tokens: Sequence[Token], position: int) -> int:
    """Return where the bracket is opened that a position stands in; -1 when it stands in none."""
    depth = 0
    for each in range(position - 1, -1, -1):
        word = _word(tokens[each])
        depth += (word == ")") - (word == "(")
        if depth < 0:
            return each
    return -1


def _closing(tokens: Sequence[Token], position: int) -> int:
    """Return where the bracket is closed that a position stands in; the number of tokens when it stands in none."""
    depth = 0
    for each in range(position + 1, len(tokens)):
        word = _word(tokens[each])
        depth += (word == "(") - (word == ")")
        if depth < 0:
            return each
    return len(tokens)


def _said_of(tokens: Sequence[Token], alias: str) -> bool:
    """Return whether an expression follows from fields of one record alone, and is sure to be computed."""
    fields = [each for each in tokens if each.kind == "field"]
    return bool(fields) and all(
        (each.kind == "field" and each.alias == alias)
        or each.kind == "string"
        or (each.kind == "text" and (each.text.isdigit() or _word(each) in _FUNCTIONS | _ELSE_ALLOWED))
        for each in tokens
    )


def _word(token: Token) -> str:
    return token.text.lower() if token.kind == "text" else ""
