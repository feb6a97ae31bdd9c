"""Search over names, mail addresses, phones and short texts: SOSL and the parameterized search."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import orjson

from include.sandbox.org.http import querying
from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.readers import reader_of
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.soql.plan import plan_query
from include.sandbox.org.soql.render import keys_sql

_MOST = 2_000
_SCOPES = {"ALL": ("string", "email", "phone"), "NAME": (), "EMAIL": ("email",), "PHONE": ("phone",), "SIDEBAR": ()}
_SOSL = re.compile(
    r"\s*FIND\s*(?:\{(?P<term>(?:[^{}\\]|\\.)*)\}|'(?P<quoted>(?:[^'\\]|\\.)*)')"
    r"(?:\s+IN\s+(?P<scope>\w+)\s+FIELDS)?(?:\s+RETURNING\s+(?P<returning>.*?))?(?:\s+LIMIT\s+(?P<limit>\d+))?\s*",
    re.IGNORECASE | re.DOTALL,
)
_RETURNED = re.compile(r"\s*(\w+)\s*(?:\(((?:[^()']|'(?:[^'\\]|\\.)*'|\([^()]*\))*)\))?\s*(?:,|$)")
_FIELDS_END = re.compile(r"\s(?:WHERE|ORDER\s+BY|LIMIT|OFFSET)\s", re.IGNORECASE)
_WORD = re.compile(r'"([^"]+)"|([^\s"]+)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Say what to return of one object: its fields, and what follows them in a query."""

    object: str
    fields: str = "Id"
    where: str = ""
    tail: str = ""


def search(call: Call) -> Answer:
    """Answer GET /search?q=FIND {…}."""
    match = _SOSL.fullmatch(call.params.get("q", ""))
    if match is None:
        message = "No search term found. The search term must be enclosed in braces."
        raise Refusal(400, "MALFORMED_SEARCH", message)
    term = match["term"] if match["term"] is not None else match["quoted"]
    wanted = [_returned(*each) for each in _RETURNED.findall(match["returning"] or "") if each[0]]
    if match["returning"] and not wanted:
        raise Refusal(400, "MALFORMED_SEARCH", f"unexpected token: {match['returning']}")
    return _answer(call, term, match["scope"] or "ALL", wanted, int(match["limit"] or _MOST))


def search_by_parameters(call: Call) -> Answer:
    """Answer GET and POST /parameterizedSearch."""
    asked: dict[str, Any] = dict(call.params) if call.method != "POST" else call.json()
    named = asked.get("sobjects")
    if named is None:
        named = [_by_query_string(call, name) for name in [call.params.get("sobject", "")] if name]
    default = asked.get("defaultLimit", _MOST)
    shared = _listed(asked.get("fields")) or "Id"
    if not isinstance(named, list) or not all(isinstance(each, dict) for each in named):
        raise Refusal(400, "JSON_PARSER_ERROR", "sobjects must be a list of objects with a name")
    wanted = [_parametrized(each, shared, default) for each in named]
    return _answer(call, str(asked.get("q", "")), str(asked.get("in", "ALL")), wanted, asked.get("overallLimit", _MOST))


def _parametrized(asked: dict[str, Any], fields: str, limit: Any) -> Wanted:
    order = f" ORDER BY {asked['orderBy']}" if asked.get("orderBy") else ""
    return Wanted(
        object=str(asked.get("name", "")), fields=_listed(asked.get("fields")) or fields,
        where=str(asked.get("where") or ""), tail=f"{order} LIMIT {asked.get('limit', limit)}",
    )  # fmt: skip


def _by_query_string(call: Call, name: str) -> dict[str, Any]:
    keys = ("fields", "where", "limit", "orderBy")
    found = {key: call.params[f"{name}.{key}"] for key in keys if f"{name}.{key}" in call.params}
    return {"name": name, **found}


def _listed(fields: Any) -> str:
    return ", ".join(map(str, fields)) if isinstance(fields, list) else str(fields or "")


def _returned(name: str, inside: str) -> Wanted:
    """Return what RETURNING asks of one object: X(A, B WHERE … LIMIT …)."""
    end = _FIELDS_END.search(inside + " ")
    fields, rest = (inside[: end.start()], inside[end.start() :]) if end else (inside, "")
    split = re.match(r"\s*WHERE\s+(.*?)(\s(?:ORDER\s+BY|LIMIT|OFFSET)\s.*)?$", rest, re.IGNORECASE | re.DOTALL)
    where, tail = (split[1], split[2] or "") if split else ("", rest)
    return Wanted(object=name, fields=fields.strip() or "Id", where=where, tail=tail)


def _answer(call: Call, term: str, scope: str, wanted: list[Wanted], limit: Any) -> Answer:
    words = [phrase or word for phrase, word in _WORD.findall(re.sub(r"\\(.)", r"\1", term))]
    words = [each for each in words if each.upper() not in ("AND", "OR")]
    if not words:
        raise Refusal(400, "MALFORMED_SEARCH", "No search term found. The search term must be enclosed in braces.")
    if len("".join(words).strip("*?")) < 2:
        raise Refusal(400, "MALFORMED_SEARCH", f"search term must be longer than one character: {term}")
    if scope.upper() not in _SCOPES or not str(limit).isdigit():
        raise Refusal(400, "MALFORMED_SEARCH", f"unexpected token: {scope}")
    objects = wanted or [Wanted(object=name) for name in call.org.catalogue.objects]
    records: list[bytes] = []
    for each in objects:
        records += _found(call, each, words, _SCOPES[scope.upper()])
    return Answer(body={"searchRecords": [orjson.Fragment(each) for each in records[: min(int(limit), _MOST)]]})


def _found(call: Call, wanted: Wanted, words: list[str], kinds: tuple[str, ...]) -> list[bytes]:
    target = call.org.catalogue.find(wanted.object)
    if target is None:
        raise Refusal(400, "INVALID_TYPE", f"sObject type '{wanted.object}' is not supported.")
    names = _searched(target, kinds)
    if not names:
        return []
    condition = " AND ".join(_contains(names, word) for word in words)
    extra = f" AND ({wanted.where})" if wanted.where else ""
    query = f"SELECT {wanted.fields} FROM {target.name} WHERE ({condition}){extra}{wanted.tail}"
    reader = reader_of(call.org, call.user_id, call.version, query)
    plan = plan_query(query, call.org.catalogue, deleted=False, reader=reader)
    keys = call.org.database.numbers(keys_sql(plan), plan.values)[:_MOST]
    return querying.render(call, plan, keys) if len(keys) else []


def _searched(target: SObject, kinds: tuple[str, ...]) -> list[str]:
    """Return the fields that a search looks at; ids, picklists and long texts are none."""
    return [
        each.name
        for each in target.fields
        if each.filterable and (each.type in kinds or (each.name_field and (not kinds or "string" in kinds)))
    ]


def _contains(names: list[str], word: str) -> str:
    escaped = re.sub(r"([\\'%_])", r"\\\1", word).replace("*", "%").replace("?", "_")
    return "(" + " OR ".join(f"{name} LIKE '%{escaped}%'" for name in names) + ")"
