"""Identifiers, phone numbers and countries as people write them."""

from __future__ import annotations

import random
from typing import Any

import phonenumbers
import pytest

from include.activation.countries import country_code
from include.activation.identifiers import identifier, valid_email
from include.activation.phones import e164, parsed

rphonenumbers = pytest.importorskip("rphonenumbers")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Germany", "DE"), ("DE", "DE"), ("de", "DE"), ("Deutschland", "DE"), ("DEU", "DE"), ("Allemagne", "DE"),
        ("USA", "US"), ("U.S.A.", "US"), ("United States", "US"), ("united states of america", "US"),
        ("UK", "GB"), ("United Kingdom", "GB"), ("Türkiye", "TR"), ("Brasil", "BR"), ("日本", "JP"),
        (" Netherlands ", "NL"), ("South Korea", "KR"), ("Atlantis", None), ("", None), ("XX", None),
    ],
)  # fmt: skip
def test_countries_are_read_as_people_write_them(text: str, code: str | None) -> None:
    """Codes of two and three letters, names in many languages, and what everybody says."""
    assert country_code(text) == code


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" ada@example.com ", "ada@example.com"), ("Ada@Example.com", "Ada@Example.com"), ("ada@example", None),
        ("a b@example.com", None), ("a@b@example.com", None), ("none@none.com", None),
        ("ada@example.com\n", "ada@example.com"),
        (None, None), (5, None), ("null", None), ("ö@ü.de", "ö@ü.de"),
    ],
)  # fmt: skip
def test_an_email_is_an_address_of_somebody(value: Any, expected: str | None) -> None:
    """Blanks around it go; what is no address, or nobody's, is none."""
    assert valid_email(value) == expected


@pytest.mark.parametrize("junk", ["", " ", "0", "1", "null", "NULL", "undefined", "Anonymous", "n/a", None, True, 1.5])
def test_placeholders_identify_nobody(junk: Any) -> None:
    """A placeholder as an identifier would join strangers."""
    assert identifier("uuid", junk, None) is None


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        ("(415) 555-2671", "US", "+14155552671"), ("+49 (0)30 123456", "US", "+4930123456"),
        ("0049 30 123456", "DE", "+4930123456"), ("555-2671", "US", None), ("030 123456", None, None),
        ("12345", "DE", None), ("abc", "US", None), ("", "US", None), ("415-555-2671 ext. 5", "US", "+14155552671"),
    ],
)  # fmt: skip
def test_phones_become_e164_or_nothing(raw: str, country: str | None, expected: str | None) -> None:
    """A number that no network would connect is none."""
    assert e164(raw, country) == expected


def test_both_parsers_say_the_same() -> None:
    """The fast parser may stand in for the reference: same answers for plausible and for broken numbers."""
    random.seed(7)
    countries = ["US", "DE", "GB", "FR", "TR", "IN", "BR", "JP", "AU", "ES", "IT", "NL", None]
    shapes = [
        "{0}",
        "+{0}",
        "00{0}",
        "({0:.3}) {0}",
        "0{0}",
        "{0} ext. 12",
        "+49 (0){0}",
        "{0}/{0}",
        "tel: {0}",
        "{0}x",
    ]
    raws = [random.choice(shapes).format(str(random.randrange(10 ** random.randint(3, 13)))) for _ in range(4_000)]
    raws += [
        "+1 415 555 2671",
        "1-800-FLOWERS",
        "０３０ １２３４５６",
        "+",
        "++",
        "\u202a+4930123456\u202c",
        "tel:+1-415",
    ]

    for raw in raws:
        country = random.choice(countries)
        assert parsed(rphonenumbers, raw, country) == parsed(phonenumbers, raw, country), (raw, country)
