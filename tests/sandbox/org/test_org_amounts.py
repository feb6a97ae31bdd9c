"""Numbers with places after the point: what is shown is what is found."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from include.sandbox.org.schema.field import NUMBER_TYPES
from tests.sandbox.org.conftest import RunningOrg, V

_EXACT = 15


@pytest.fixture(scope="module")
def paid(start_org: Callable[..., RunningOrg]) -> RunningOrg:
    # With this seed, some sums of a hundred and of cents are no cents as binary fractions.
    return start_org(contacts=300, seed=10)


def _amount(org: RunningOrg, record_id: str) -> float:
    return float(org.http.get(f"{V}/sobjects/Opportunity/{record_id}?fields=Amount").json()["Amount"])


def test_no_number_has_more_places_than_its_field(paid: RunningOrg) -> None:
    """In no object, formulas and roll-ups included; nor is there a zero below zero."""
    noisy: dict[str, list[float]] = {}
    for target in paid.org.catalogue.objects.values():
        for each in target.fields:
            if each.type not in NUMBER_TYPES or each.scale >= _EXACT or not target.createable:
                continue
            rows = paid.query(f"SELECT {each.name} FROM {target.name} WHERE {each.name} != null LIMIT 2000")["records"]
            values = [row[each.name] for row in rows]
            found = [value for value in values if value != round(value, each.scale) or str(value) == "-0.0"]
            noisy |= {f"{target.name}.{each.name}": found[:3]} if found else {}
    assert not noisy


def test_an_amount_is_found_by_what_is_shown(paid: RunningOrg) -> None:
    """Every single one."""
    shown = [each["Amount"] for each in paid.query("SELECT Amount FROM Opportunity WHERE Amount != null")["records"]]
    for start in range(0, len(shown), 20):
        some = shown[start : start + 20]
        listed = ", ".join(f"{each:.2f}" for each in some)
        found = paid.query(f"SELECT COUNT() FROM Opportunity WHERE Amount IN ({listed})")["totalSize"]
        assert found >= len(some)


def test_a_touch_and_a_sum_bring_no_noise(paid: RunningOrg) -> None:
    """2047.03 + 1 is 2048.03, as it is on paper."""
    rows = [
        {"Name": f"Cents {number}", "StageName": "Prospecting", "CloseDate": "2099-12-31", "Amount": amount}
        for number, amount in enumerate((2047.03, 0.1, 0.2))
    ]
    first, *_ = ids = paid.command("create", object="Opportunity", records=rows)["ids"]
    paid.command("touch", object="Opportunity", ids=[first])
    assert _amount(paid, first) == 2048.03
    listed = ", ".join(f"'{each}'" for each in ids)
    (summed,) = paid.query(f"SELECT SUM(Amount) total FROM Opportunity WHERE Id IN ({listed})")["records"]
    assert summed["total"] == 2048.33
    (some,) = paid.query(f"SELECT SUM(Amount) total FROM Opportunity WHERE Id IN ('{ids[1]}', '{ids[2]}')")["records"]
    assert some["total"] == 0.3


def test_a_zero_below_zero_is_zero(paid: RunningOrg) -> None:
    """As a client writes it, and as rounding makes it."""
    (made,) = paid.command("create", object="Opportunity", records=[
        {"Name": "Zero", "StageName": "Prospecting", "CloseDate": "2099-12-31", "Amount": -0.0}])["ids"]  # fmt: skip
    for written in (-0.0, -0.001, "-0.00"):
        assert paid.http.patch(f"{V}/sobjects/Opportunity/{made}", json={"Amount": written}).status_code == 204
        assert str(_amount(paid, made)) == "0.0"
