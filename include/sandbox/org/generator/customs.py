"""Records of the custom objects: subscriptions, and values of every type, the odd ones among them."""

from __future__ import annotations

from collections.abc import Mapping

from include.sandbox.org.generator import parts
from include.sandbox.org.generator import vocabulary as words
from include.sandbox.org.generator.dice import Dice, chosen
from include.sandbox.org.generator.recipe import Recipe, Sizes
from include.sandbox.org.ids import id_sql
from include.sandbox.org.schema.everything import CHOICES, SEVERAL
from include.sandbox.org.schema.places import COUNTRIES
from include.sandbox.org.schema.subscription import PLANS

_TEXTS = (
    "plain", "Null", "null", "NULL", "NA", "N/A", "None", "-", "0", "00012", "1e5", "true", "test", "=1+1", "+1", "@A1",
    'say "hi"', "a,b;c|d", "tab\there", "non\u00a0breaking", "עברית", "مرحبا بالعالم", "日本語テキスト",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 family", "e\u0301 decomposed", "é composed", "𝒳 beyond the plane",
    "back\\slash", "'; DROP TABLE x --", "<b>tag</b> &amp;", "%41", '{"a": 1}', "#N/A", None,
)  # fmt: skip
_RICH = (
    '<p>Dear <b>Ms. Øvergård</b>,<br>see <a href="https://www.example.com/?a=1&amp;b=2">this</a>.</p>',
    "<ul><li>日本</li><li>&quot;quoted&quot;</li></ul>",
    "<p>Line one</p>\n<p>Line two</p>",
    None,
)
_WHOLES = (
    "0", "-1", "1", "42", "999999999999999", "123456789012345678", "-999999999999999999", "9007199254740993", "NULL",
)  # fmt: skip
_FRACTIONS = (
    "0.1", "0.30000000000000004", "-0.00000000000000001", "0.12345678901234567", "1.0", "3.14159265358979312", "NULL",
)  # fmt: skip
_MONEY = ("0.0", "0.01", "-19.99", "9999999999999.99", "950000000.0", "1234.5", "NULL")
_MOMENTS = (
    "1970-01-01 00:00:00", "1969-12-31 23:59:59", "2024-02-29 12:00:00", "2000-01-01 00:00:00", "2025-03-30 02:30:00",
    "1700-01-01 00:00:00", "4000-12-31 00:00:00", "2026-05-31 23:59:59", None,
)  # fmt: skip
_TIMES = ("00:00:00", "23:59:59.999", "10:30:00", "12:00:00.001", None)


def subscription_recipe(seed: int, sizes: Sizes) -> Recipe:
    """Return how subscriptions are made."""
    dice = Dice(seed=seed, kind=11)
    columns = {
        "Account__c": id_sql("001", sizes.number("Account", dice, 10)),
        "Contact__c": parts.maybe(dice, 11, 70, id_sql("003", sizes.number("Contact", dice, 12))),
        "Plan__c": dice.pick(PLANS, 13),
        "Status__c": dice.pick(("Active", "Active", "Active", "Paused", "Cancelled"), 14),
        "Amount__c": f"CASE WHEN {dice.chance(15, 97)} THEN {dice.roll(16, 5_000_000)} / 100.0 END",
        "Seats__c": f"{dice.roll(17, 500)}",
        "Start_Date__c": f"today - {dice.roll(18, 900)}",
        "End_Date__c": f"today + {dice.roll(19, 700)} - 100",
        "Auto_Renew__c": dice.chance(20, 65),
        "Cancel_Reason__c": parts.maybe(dice, 21, 12, dice.pick(("Price", "Zu teuer", "N/A", 'Went to "other"'), 22)),
        "External_Key__c": "'S-' || lpad(n::VARCHAR, 9, '0')",
    }
    return Recipe(object="Subscription__c", dice=dice, columns=columns)


def everything_recipe(seed: int, sizes: Sizes) -> Recipe:
    """Return how records with values of every type are made; each odd value comes up among the first few."""
    dice = Dice(seed=seed, kind=12)
    columns = {
        "Name": "'Everything ' || n",
        "OwnerId": parts.active_user(dice, 10),
        **_texts(),
        **_choices(),
        **_numbers(),
        **_moments(),
        "Flag__c": "(n % 2 = 0)",
        "On__c": "(n % 3 <> 0)",
        "Lookup__c": parts.maybe(dice, 11, 60, id_sql("001", sizes.number("Account", dice, 12))),
        "User__c": parts.active_user(dice, 13),
        "Parent__c": f"CASE WHEN n > 1 AND n % 3 = 0 THEN {id_sql('a01', '(n // 3)')} END",
        **_places(dice),
    }
    return Recipe(object="Everything__c", dice=dice, columns=columns)


def detail_recipe(seed: int, sizes: Sizes) -> Recipe:
    """Return how details of those records are made; a third of the records has none."""
    dice = Dice(seed=seed, kind=13)
    columns = {
        "Everything__c": id_sql("a01", f"(1 + (n * 3 + n % 2) % {sizes.counts['Everything__c']})"),
        "Amount__c": f"CASE WHEN {dice.chance(10, 90)} THEN {dice.roll(11, 900_000)} / 100.0 END",
        "Date__c": f"today - {dice.roll(12, 400)}",
    }
    return Recipe(object="Everything_Detail__c", dice=dice, columns=columns)


def _turn(values: tuple[str | None, ...]) -> str:
    return chosen(values, f"(n % {len(values)})")


def _raw(values: tuple[str, ...]) -> str:
    return f"[{', '.join(f'{each}::DOUBLE' for each in values)}][n % {len(values)} + 1]"


def _texts() -> Mapping[str, str]:
    return {
        "Text__c": _turn(_TEXTS),
        # Two records differ by case alone.
        "External_Id__c": "'Key' || chr(65 + (n % 2 * 32)::INTEGER) || (n // 2)",
        "Unique_Text__c": "CASE WHEN n % 5 <> 0 THEN 'unique ' || n END",
        "Text_Area__c": f"CASE WHEN n % 4 <> 0 THEN {_turn(words.NOTES)} END",
        "Long_Text__c": (
            f"CASE n % 50 WHEN 1 THEN repeat('0123456789abcdef', 8192) WHEN 2 THEN {parts.WIDE_TEXT}"
            f" WHEN 3 THEN NULL ELSE {_turn(words.NOTES)} END"
        ),
        "Rich_Text__c": _turn(_RICH),
        "Secret__c": "CASE WHEN n % 6 <> 0 THEN '4000-0000-' || lpad(n::VARCHAR, 4, '0') END",
        "Email__c": "CASE WHEN n % 4 <> 0 THEN 'every.thing+' || n || '@example.com' END",
        "Phone__c": "CASE WHEN n % 4 <> 1 THEN '+49 151 ' || lpad(n::VARCHAR, 8, '0') END",
        "Website__c": "CASE WHEN n % 4 <> 2 THEN 'https://www.example.com/?n=' || n || '&q=ä' END",
    }


def _choices() -> Mapping[str, str]:
    several = ", ".join(f"CASE WHEN n // {1 << place} % 2 = 1 THEN '{each}' END" for place, each in enumerate(
        each.replace(";", ",") for each in SEVERAL))  # fmt: skip
    return {
        "Choice__c": _turn((*CHOICES, None)),
        "Open_Choice__c": _turn((*CHOICES, "No longer offered", None)),
        "Several__c": f"nullif(concat_ws(';', {several}), '')",
    }


def _numbers() -> Mapping[str, str]:
    return {
        "External_Number__c": "(1000000000000 + n)::DOUBLE",
        "Whole__c": _raw(_WHOLES),
        "Fraction__c": _raw(_FRACTIONS),
        "Money__c": _raw(_MONEY),
        "Share__c": _raw(("0.0", "12.3456", "100.0", "-0.5", "NULL")),
    }


def _moments() -> Mapping[str, str]:
    return {
        "Date__c": f"{_turn(_MOMENTS)}::TIMESTAMP::DATE",
        "Moment__c": f"{_turn(_MOMENTS)}::TIMESTAMP",
        "Time__c": f"{_turn(_TIMES)}::TIME",
    }


def _places(dice: Dice) -> Mapping[str, str]:
    empty = "n % 4 = 0"
    return {
        "Place__Latitude__s": f"CASE WHEN NOT {empty} THEN {dice.roll(20, 1_800_001)} / 10000.0 - 90 END",
        "Place__Longitude__s": f"CASE WHEN NOT {empty} THEN {dice.roll(21, 3_600_001)} / 10000.0 - 180 END",
        "Address__Street__s": f"CASE WHEN NOT {empty} THEN 'Market Street ' || n || chr(10) || 'Floor 2' END",
        "Address__City__s": f"CASE WHEN NOT {empty} THEN {dice.pick(('Köln', 'San José', '東京', None), 22)} END",
        "Address__PostalCode__s": f"CASE WHEN NOT {empty} THEN lpad({dice.roll(23, 99_999)}::VARCHAR, 5, '0') END",
        "Address__CountryCode__s": f"CASE WHEN NOT {empty} THEN {dice.pick((*COUNTRIES, None), 24)} END",
    }
