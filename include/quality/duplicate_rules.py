"""The rules by which two records are one: which keys bring them together, and what must not speak against it. Pure.

A block's rules are tried in order, and the first that holds names the pair. What speaks against: two birthdays, two
suffixes, two first names that are no forms of one name. Whoever shares a mailbox of a role, a switchboard or a home
does share it; only a name beside it makes them one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from include.warehouse.duplicates.match_expressions import folded

SIMILAR = "similar"


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRule:
    """Hold a rule of a block: its name, the condition on the records `a` and `b`, and how sure it is."""

    rule: str
    when: str
    score: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Hold which columns bring records together, in any of them, and the rules for those that meet there."""

    name: str
    columns: tuple[str, ...]
    rules: tuple[PairRule, ...]


def _slip(name: str) -> str:
    """Return the condition that two names differ by one slip: a letter more, less, another, or two changed over.

    The slip is where they first differ, so that a long name costs by its length and not by its square.
    """
    a, b = f"a.{name}", f"b.{name}"
    letters = f"ROWS FROM (string_to_table({a}, NULL), string_to_table({b}, NULL)) WITH ORDINALITY"
    return (
        f"({a} <> {b} AND abs(length({a}) - length({b})) <= 1 AND least(length({a}), length({b})) >= 2"
        f" AND EXISTS (SELECT FROM (SELECT min(place)::integer AS i FROM {letters} AS each(one, other, place)"
        f" WHERE one IS DISTINCT FROM other) AS slip WHERE substr({a}, i + 1) = substr({b}, i)"
        f" OR substr({a}, i) = substr({b}, i + 1) OR (length({a}) >= 4 AND substr({a}, i + 1) = substr({b}, i + 1))"
        f" OR (substr({a}, i + 2) = substr({b}, i + 2) AND substr({a}, i, 1) = substr({b}, i + 1, 1)"
        f" AND substr({a}, i + 1, 1) = substr({b}, i, 1))))"
    )


def _key(name: str) -> str:
    """Return a name as it is in the keys: `first` and `last` keep their diphthongs, so that slips are seen in them."""
    return folded(name)


_A_FIRST, _A_LAST, _B_FIRST, _B_LAST = (_key(each) for each in ("a.first", "a.last", "b.first", "b.last"))
_SAME = f"({_A_FIRST} = {_B_FIRST} AND {_A_LAST} = {_B_LAST})"
_CROSSWISE = f"({_A_FIRST} = {_B_LAST} AND {_A_LAST} = {_B_FIRST} AND {_A_FIRST} <> {_A_LAST})"
_NICKNAME = f"(({_A_FIRST}, {_B_FIRST}) IN (SELECT name, other FROM nickname_pair WHERE is_direct))"
# Two forms of one name may be two sisters, unless more speaks for it.
_TWO_FORMS = f"(({_A_FIRST}, {_B_FIRST}) IN (SELECT name, other FROM nickname_pair))"
_INITIAL = (
    "(a.first <> b.first AND least(length(a.first), length(b.first)) = 1 AND left(a.first, 1) = left(b.first, 1))"
)
_LONGER = (
    "(least(length(a.first), length(b.first)) >= 3"
    " AND (starts_with(a.first, b.first) OR starts_with(b.first, a.first)))"
)
_FORMS = f"{_NICKNAME} OR {_INITIAL} OR {_LONGER} OR {_slip('first')}"
_ONE_FIRST = f"coalesce({_A_FIRST} = {_B_FIRST} OR {_FORMS}, a.last = b.last, true)"
# Nothing speaks against it: no two birthdays, no two suffixes. A suffix beside none may be father and son.
_NOT_AGAINST = "coalesce(a.born = b.born, true) AND coalesce(a.suffix = b.suffix, true)"
_AGREED = "coalesce(a.born = b.born, a.suffix IS NOT DISTINCT FROM b.suffix) AND coalesce(a.suffix = b.suffix, true)"
_ONE_COMPANY = "a.company = b.company"
# Of one last name at one company: another address and another number, both known. Two people may share a name; a
# birthday in common says that they are one, two unknown ones say nothing.
_ELSEWHERE = (
    "coalesce(a.place_last <> b.place_last AND a.phone_last <> b.phone_last AND (a.born = b.born) IS NOT TRUE, false)"
)


def _surer(score: float) -> str:
    """Return a score that grows where the birthdays are the same."""
    return f"CASE WHEN a.born = b.born THEN {1 - (1 - score) / 2:.3f} ELSE {score} END"


def blocks_of(kind: str, *, off: Collection[str], trigrams: bool, min_similarity: float) -> tuple[Block, ...]:
    """Return the blocks with the rules that are used.

    Args:
        kind: person or company.
        off: rules that are switched off.
        trigrams: whether the warehouse can compare by trigrams.
        min_similarity: from which similarity on names are similar.
    """
    blocks = _PERSON if kind == "person" else _COMPANY
    left_out = {*off, *(() if trigrams else (SIMILAR,))}
    chosen = (
        Block(
            name=block.name,
            columns=block.columns,
            rules=tuple(
                PairRule(rule=each.rule, when=each.when.replace("{least}", str(min_similarity)), score=each.score)
                for each in block.rules
                if each.rule not in left_out
            ),
        )
        for block in blocks
    )
    return tuple(block for block in chosen if block.rules)


_PERSON = (
    Block(
        name="email",
        columns=("email",),
        rules=(
            PairRule(
                rule="email",
                when=f"{_NOT_AGAINST} AND ({_ONE_FIRST} OR {_CROSSWISE})",
                score="CASE WHEN a.last = b.last THEN 0.98 ELSE 0.9 END",
            ),
        ),
    ),
    Block(
        name="phone_names",
        columns=("phone_names", "mobile_names"),
        rules=(
            PairRule(rule="phone", when=f"{_AGREED} AND {_SAME}", score=_surer(0.96)),
            PairRule(rule="swapped", when=f"{_AGREED} AND {_CROSSWISE}", score=_surer(0.94)),
        ),
    ),
    Block(
        name="phone_last",
        columns=("phone_last", "mobile_last"),
        rules=(
            PairRule(rule="nickname", when=f"{_AGREED} AND {_NICKNAME}", score=_surer(0.92)),
            PairRule(rule="nickname", when=f"{_AGREED} AND {_TWO_FORMS} AND {_ONE_COMPANY}", score=_surer(0.84)),
            PairRule(rule="nickname", when=f"{_AGREED} AND {_INITIAL} AND {_ONE_COMPANY}", score=_surer(0.8)),
            PairRule(rule="typo", when=f"{_AGREED} AND {_slip('first')} AND {_ONE_COMPANY}", score=_surer(0.9)),
            PairRule(
                rule=SIMILAR,
                when=f"{_AGREED} AND {_ONE_COMPANY} AND a.first <> b.first"
                " AND similarity(a.first, b.first) >= {least}",
                score="0.78",
            ),
        ),
    ),
    Block(
        name="company_names",
        columns=("company_names",),
        rules=(
            PairRule(rule="name", when=f"{_AGREED} AND {_SAME} AND NOT {_ELSEWHERE}", score=_surer(0.8)),
            PairRule(rule="swapped", when=f"{_AGREED} AND {_CROSSWISE}", score=_surer(0.85)),
        ),
    ),
    Block(
        name="place_last",
        columns=("place_last",),
        rules=(
            PairRule(rule="nickname", when=f"{_AGREED} AND {_TWO_FORMS}", score=_surer(0.86)),
            PairRule(rule="typo", when=f"{_AGREED} AND {_slip('first')}", score=_surer(0.9)),
            PairRule(
                rule=SIMILAR,
                when=f"{_AGREED} AND a.first <> b.first AND similarity(a.first, b.first) >= {{least}}",
                score="0.8",
            ),
        ),
    ),
    Block(
        name="place_first",
        columns=("place_first",),
        rules=(
            PairRule(rule="typo", when=f"{_AGREED} AND {_slip('last')}", score=_surer(0.9)),
            PairRule(
                rule=SIMILAR,
                when=f"{_AGREED} AND a.last <> b.last AND similarity(a.last, b.last) >= {{least}}",
                score="0.8",
            ),
        ),
    ),
)

_ONE_NAME = (
    f"(a.name = b.name OR {_slip('name')} OR (least(length(a.name), length(b.name)) >= 4"
    " AND (starts_with(a.name, b.name) OR starts_with(b.name, a.name))))"
)
_COMPANY = (
    Block(
        name="site",
        columns=("site",),
        rules=(
            PairRule(rule="website", when=_ONE_NAME, score="CASE WHEN a.name = b.name THEN 0.97 ELSE 0.9 END"),
            PairRule(rule=SIMILAR, when="similarity(a.name, b.name) >= {least}", score="0.8"),
        ),
    ),
    Block(
        name="name_place",
        columns=("name_place",),
        rules=(PairRule(rule="name_place", when="a.name = b.name", score="0.9"),),
    ),
    Block(
        name="phone_name",
        columns=("phone_name",),
        rules=(PairRule(rule="company_phone", when="a.name = b.name", score="0.93"),),
    ),
)

# By rule, which roles must have a field: one of each tuple. Without it, the rule is not assessed.
NEEDS: Mapping[str, Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "person": {
        "email": (("email",),),
        "phone": (("phone", "mobile"), ("first_name",)),
        "swapped": (("phone", "mobile", "account", "company"), ("first_name",)),
        "nickname": (("phone", "mobile", "account", "company"), ("first_name",)),
        "typo": (("account", "company"), ("first_name",)),
        "similar": (("account", "company"), ("first_name",)),
        "name": (("account", "company"), ("first_name",)),
    },
    "company": {
        "website": (("website",),),
        "name_place": (("zip", "city"),),
        "company_phone": (("phone",),),
        "similar": (("website",),),
    },
}


def unusable(
    kind: str,
    roles: Collection[str],
    *,
    off: Collection[str],
    trigrams: bool,
    absent: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """Return, by rule that cannot be used, what it lacks; `absent` says of roles why their field is not there."""
    reasons: dict[str, str] = {}
    for rule, needed in NEEDS[kind].items():
        lacking = [group for group in (*needed, _NAMED[kind]) if not set(group) & set(roles)]
        if rule in off:
            reasons[rule] = "it is switched off (rules_off)"
        elif lacking:
            named = [absent[role] for group in lacking for role in group if role in absent]
            unnamed = [" or ".join(group) for group in lacking if not set(group) & set(absent)]
            if unnamed:
                named.append(f"no field is known as {', nor as '.join(unnamed)}")
            reasons[rule] = "; ".join(named)
        elif rule == SIMILAR and not trigrams:
            reasons[rule] = "the warehouse lacks the extension pg_trgm: CREATE EXTENSION pg_trgm"
    return reasons


_NAMED = {"person": ("last_name",), "company": ("name",)}
