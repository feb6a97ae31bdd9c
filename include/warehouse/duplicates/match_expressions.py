"""Say in SQL by what records are compared: names, addresses and numbers reduced to what two spellings share. Pure.

Nothing here needs an extension or a function of our own, so that it runs on any PostgreSQL from 15 on.
"""

from __future__ import annotations

import unicodedata

# Letters that decompose into no base letter; and the marks that decomposing leaves behind.
_SINGLE = {"ø": "o", "đ": "d", "ł": "l", "ı": "i", "ħ": "h", "ŧ": "t"}
_MARKS = "".join(chr(each) for each in (*range(0x300, 0x332), 0x338))
_DOUBLE = (("ß", "ss"), ("æ", "a"), ("œ", "o"), ("þ", "th"), ("ð", "d"))
_FOLDED = (("ae", "a"), ("oe", "o"), ("ue", "u"))
_BETWEEN = " .,;:'\"`-_/()&+*!?’‘´“”–—\t\n\r\u00a0"
_SUFFIX = r"[\s,]+(jr|junior|sr|senior|ii|iii|iv)\.?\s*$"
_LEGAL = (
    *("gmbh", "mbh", "gmbh co kg", "co kg", "kg", "ag", "ug", "ohg", "se", "eg", "ev"),
    *("ltd", "limited", "plc", "llp", "llc", "inc", "incorporated", "corp", "corporation", "co", "company", "pty"),
    *("sa", "sas", "sarl", "sasu", "sl", "slu", "srl", "spa", "snc", "lda", "ltda", "bv", "nv", "vof", "cv"),
    *("ab", "as", "asa", "aps", "oy", "oyj", "sp z oo", "spzoo", "doo", "kft", "zrt", "sro", "kk", "ooo", "ltd sti"),
    *("pte", "pvt", "pvt ltd", "sdn bhd", "bhd", "holding", "group"),
)
# Numbers that people type to get past a form.
_NO_NUMBERS = ("12345678", "01234567", "23456789", "34567890", "87654321")
# Sites where many companies have a page: their address says nothing.
_SHARED_SITES = (
    *("facebook.com", "linkedin.com", "instagram.com", "twitter.com", "x.com", "youtube.com", "google.com"),
    *("sites.google.com", "wixsite.com", "wordpress.com", "blogspot.com", "github.io", "business.site", "jimdo.com"),
    *("xing.com", "yelp.com", "etsy.com", "amazon.com", "ebay.com", "myshopify.com", "tumblr.com", "medium.com"),
)
_NO_BIRTHDAYS = ("1900-01-01", "1901-01-01", "1970-01-01", "1904-01-01", "1753-01-01")


def literal(text: str) -> str:
    """Return a text as a literal of SQL, in which a backslash stands for itself."""
    return "'" + unicodedata.normalize("NFC", text).replace("'", "''") + "'"


def plain(text: str) -> str:
    """Return an expression's text in small letters without accents, null where it is empty.

    What is pure ASCII, as most is, takes the short way.
    """
    simple = f"lower({text})"
    stripped = f"translate(normalize({simple}, NFKD), '{''.join(_SINGLE)}{_MARKS}', '{''.join(_SINGLE.values())}')"
    for letter, letters in _DOUBLE:
        stripped = f"replace({stripped}, '{letter}', '{letters}')"
    return f"CASE WHEN octet_length({text}) = length({text}) THEN {simple} ELSE {stripped} END"


def bare_name(plain_text: str) -> str:
    """Return a plain name without blanks, hyphens and signs, null where nothing is left."""
    return f"nullif(translate({plain_text}, {literal(_BETWEEN)}, ''), '')"


def folded(bare: str) -> str:
    """Return a bare name with its diphthongs as umlauts without dots, so that Mueller is Müller."""
    for letters, letter in _FOLDED:
        bare = f"replace({bare}, '{letters}', '{letter}')"
    return bare


def without_suffix(plain_text: str) -> str:
    """Return a plain last name without a Jr. or III at its end."""
    return f"CASE WHEN {_several(plain_text)} THEN regexp_replace({plain_text}, '{_SUFFIX}', '') ELSE {plain_text} END"


def suffix_of(plain_last: str, plain_suffix: str) -> str:
    """Return which of several of one name somebody is: jr, sr, ii …, from its own field or the end of the last name."""
    own = f"substring(' ' || {plain_suffix} from '{_SUFFIX}')"
    ending = f"CASE WHEN {_several(plain_last)} THEN substring({plain_last} from '{_SUFFIX}') END"
    return f"replace(replace(coalesce({own}, {ending}), 'junior', 'jr'), 'senior', 'sr')"


def _several(plain_text: str) -> str:
    """Return the condition that a name may end with a suffix; a search for a pattern costs ten times as much."""
    return f"(strpos({plain_text}, ' ') > 0 OR strpos({plain_text}, ',') > 0)"


def number_key(text: str) -> str:
    """Return the last eight digits of a telephone number without its extension, null where it is none."""
    head = f"split_part(split_part(lower({text}), 'x', 1), '#', 1)"
    return (
        f"(SELECT right(d, 8) FROM (SELECT translate(h, translate(h, '0123456789', ''), '') AS d"
        f" FROM (SELECT {head} AS h OFFSET 0) AS head OFFSET 0) AS digits"
        f" WHERE length(d) >= 7 AND translate(right(d, 7), right(d, 1), '') <> ''"
        f" AND right(d, 8) NOT IN ({', '.join(map(literal, _NO_NUMBERS))}))"
    )


def mailbox(text: str) -> str:
    """Return an e-mail address without what differs in spelling only, null where it is none."""
    return (
        f"(SELECT CASE WHEN host IN ('gmail.com', 'googlemail.com') THEN replace(box, '.', '') || '@gmail.com'"
        f" ELSE box || '@' || host END FROM (SELECT split_part(split_part(a, '@', 1), '+', 1) AS box,"
        f" split_part(a, '@', 2) AS host FROM (SELECT lower(btrim({text})) AS a OFFSET 0) AS address"
        f" WHERE a LIKE '_%@_%.__%' AND a NOT LIKE '%@%@%' AND a NOT LIKE '% %' OFFSET 0) AS parts WHERE box <> '')"
    )


def company_name(plain_text: str) -> str:
    """Return a plain company's name without its legal form, blanks and signs."""
    legal = "|".join(sorted(_LEGAL, key=lambda each: -len(each)))
    blanks = literal(" " * len(_BETWEEN))
    words = f"btrim(translate(replace({plain_text}, '.', ''), {literal(_BETWEEN)}, {blanks}))"
    return (
        f"(SELECT nullif(replace(coalesce(nullif(regexp_replace(regexp_replace(w, '\\s+', ' ', 'g'),"
        f" '( ({legal}))+$', ''), ''), w), ' ', '') , '') FROM (SELECT {words} AS w OFFSET 0) AS words)"
    )


def site(text: str) -> str:
    """Return the host of a website without www, null where it is none or a site that many companies share."""
    host = f"substring(lower(btrim({text})) from '^(?:https?://)?(?:www\\d?\\.)?([^/?#:\\s]+\\.[^/?#:\\s.]{{2,}})')"
    shared = ", ".join(map(literal, _SHARED_SITES))
    return f"(SELECT h FROM (SELECT {host} AS h OFFSET 0) AS host WHERE h NOT IN ({shared}))"


def place(zip_text: str, city_text: str) -> str:
    """Return the postal code without blanks, or the city where there is none."""
    return f"coalesce(nullif(translate(upper({zip_text}), ' -', ''), ''), {bare_name(plain(city_text))})"


def birthday(day: str) -> str:
    """Return a birthday, null where it is one that stands for an unknown one."""
    return f"CASE WHEN {day} NOT IN ({', '.join(f'{literal(each)}' for each in _NO_BIRTHDAYS)}) THEN {day} END"


def hashed(*parts: str) -> str:
    """Return a number of 64 bits for these parts together, null where one of them is."""
    return f"hashtextextended({' || chr(31) || '.join(parts)}, 0)"
