"""Take apart the SOQL that a person wrote: its columns, and what stands behind them; pure.

Only as far as a typed table and a window need it. Whether the rest is right the org says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PLACEHOLDER = "{lastSyncTime}"

_TEXT = re.compile(r"'(?:[^'\\]|\\.)*'", re.DOTALL)
_PATH = re.compile(r"[A-Za-z]\w*(?:\.[A-Za-z]\w*){0,5}")
_CALL = re.compile(r"([A-Za-z]\w*)\s*\(\s*([\w.]*)\s*\)\s*([A-Za-z]\w*)?")
_FROM = re.compile(r"\bFROM\s+([A-Za-z]\w*)", re.IGNORECASE)
_UNABLE = {
    r"\bFIELDS\s*\(": "FIELDS(…) names no columns; list the fields",
    r"\bTYPEOF\b": "TYPEOF gives no table; name the fields",
    r"\bFOR\s+(VIEW|REFERENCE|UPDATE)\b": "FOR … changes records in the org; leave it out",
    r"--|/\*": "SOQL knows no comments; write them into the YAML",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Hold one column: the field it shows, the function around it if any, and its name in the result."""

    path: str  # "" for COUNT()
    function: str = ""  # upper case
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryText:
    """Hold a query in parts: ``SELECT selected tail``; the tail begins with FROM."""

    object: str
    columns: tuple[Column, ...]
    selected: str
    tail: str

    @property
    def is_plain(self) -> bool:
        """Return whether its rows are records, so that columns may be added."""
        return all(not each.function for each in self.columns) and not re.search(
            r"\bGROUP\s+BY\b", _without_texts(self.tail), re.IGNORECASE
        )


def read_query(soql: str) -> QueryText:
    """Return the parts of a query.

    Raises:
        ValueError: it cannot become a table; the message says what to write instead.
    """
    text = " ".join(soql.split()) if "'" not in soql else soql.strip()
    plain = _without_texts(text)
    for pattern, why in _UNABLE.items():
        if re.search(pattern, plain, re.IGNORECASE):
            raise ValueError(why)
    found = _FROM.search(plain)
    if not re.match(r"SELECT\s", plain, re.IGNORECASE) or found is None:
        raise ValueError("a query begins with SELECT and names its object behind FROM")
    selected = text[len("SELECT") : found.start()].strip()
    if re.search(r"\(\s*SELECT\b", plain[: found.end()], re.IGNORECASE):
        raise ValueError("a query inside SELECT gives lists, not columns; read the children by a query of their own")
    if ";" in plain:
        raise ValueError("a query ends without a semicolon")
    columns = tuple(_column(each.strip()) for each in selected.split(","))
    _refuse_twins(columns)
    return QueryText(object=found[1], columns=columns, selected=selected, tail=text[found.start() :])


def placeholders(soql: str) -> tuple[int, int]:
    """Return how many placeholders for the last run's time stand in the query, and how many of them inside texts."""
    inside = sum(each.count(PLACEHOLDER) for each in _TEXT.findall(soql))
    return soql.count(PLACEHOLDER), inside


def has_limit(soql: str) -> bool:
    """Return whether the query asks for a part of its rows."""
    return bool(re.search(r"\b(LIMIT|OFFSET)\s+\d", _without_texts(soql), re.IGNORECASE))


def _column(text: str) -> Column:
    if _PATH.fullmatch(text):
        return Column(path=text, name=text)
    call = _CALL.fullmatch(text)
    if call is None:
        raise ValueError(f"{text!r} is neither a field, such as Account.Name, nor a function with a name behind it")
    function, path, name = call[1].upper(), call[2], call[3]
    if name is None:
        raise ValueError(f"give {text} a name to be the column's: {text} my_name")
    return Column(path=path, function=function, name=name)


def _refuse_twins(columns: tuple[Column, ...]) -> None:
    names = [each.name.lower() for each in columns]
    twice = sorted({each for each in names if names.count(each) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} is selected twice")


def _without_texts(soql: str) -> str:
    """Return the query with its texts blanked, so that nothing inside them is taken for a word of SOQL."""
    return _TEXT.sub(lambda found: "'" + " " * (len(found[0]) - 2) + "'", soql)
