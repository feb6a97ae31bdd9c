"""What counts as equal while an org moves under two readers: the rule behind `make parity`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tools.parity.compare import Agreement, Reading, agree
from tools.parity.report import exit_status
from tools.parity.story import Compared, Told
from tools.parity.values import formed

SETTLED = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
BEFORE, AFTER = "2026-03-01T11:59:00.000+00:00", "2026-03-01T12:00:01.000+00:00"
LATER = "2026-03-01T12:00:05.000+00:00"


def record(stamp: str = BEFORE, **values: str) -> dict[str, str]:
    return {"Id": "1", "SystemModstamp": stamp, "Name": "Ada", "Total": "1.0", "IsDeleted": "false"} | values


def found(one: dict[str, str] | None, two: dict[str, str] | None, *, moving: bool = True, **more: Any) -> Agreement:
    settled = SETTLED if moving else None
    return agree(
        Reading(name="ours", rows={"1": one} if one else {}, settled=settled),
        Reading(name="theirs", rows={"1": two} if two else {}, settled=settled, **more),
        calculated=frozenset({"Total"}),
    )


def test_a_version_that_both_hold_must_be_equal_in_every_value() -> None:
    """One other value is told with the record, the field and both values."""
    assert found(record(), record()).wrong == []
    assert found(record(), record(Name="Eve")).wrong == ["Name of 1 is 'Ada' for ours and 'Eve' for theirs"]
    gone = found(record(IsDeleted="true"), record(IsDeleted="true"))
    assert (gone.records, gone.deleted, gone.values) == (1, 1, 4)


@pytest.mark.parametrize(("one", "two"), [(record(), None), (None, record()), (record(), record(stamp=AFTER))])
def test_a_version_that_only_one_holds_must_have_come_after_the_other_began(
    one: dict[str, str] | None, two: dict[str, str] | None
) -> None:
    """What changed after a reader began may be missing from it; what changed before may not."""
    result = found(one, two)
    if two is None or one is None:
        assert "missed 1" in result.wrong[0]
    else:
        assert (result.wrong, result.moved) == ([], 1)
        assert found(record(stamp=AFTER), record(stamp=LATER)).moved == 1
        assert found(record(stamp=AFTER), record(stamp=LATER), moving=False).wrong


def test_an_older_version_than_the_reader_should_have_seen_is_a_miss() -> None:
    """Whoever holds the older one is named."""
    older = record(stamp="2026-03-01T11:00:00.000+00:00")
    assert found(older, record()).wrong[0].startswith("ours missed 1")
    assert found(record(), older).wrong[0].startswith("theirs missed 1")


def test_values_under_a_stamp_that_is_not_settled_say_nothing() -> None:
    """A second change within that second would bear the same stamp."""
    assert found(record(stamp=AFTER), record(stamp=AFTER, Name="Eve")).moved == 1


def test_calculated_values_are_compared_once_nothing_moves() -> None:
    """They change without a stamp."""
    assert found(record(), record(Total="2.0")).wrong == []
    assert found(record(), record(Total="2.0"), moving=False).wrong


def test_folded_newlines_are_counted_for_readers_that_fold_only() -> None:
    """Ours must be exact."""
    one, two = record(Name="a\r\nb"), record(Name="a\nb")
    assert found(one, two, folds_newlines=True).folded == 1
    assert found(one, two).wrong


def test_nothing_compared_is_no_success() -> None:
    """Nor is one difference among many."""
    stage = {"stage": "still", "reader": "theirs", "way": "REST"}
    assert exit_status(Told()) == 1
    assert exit_status(Told(compared=[Compared(**stage, agreement=Agreement())])) == 1
    assert exit_status(Told(compared=[Compared(**stage, agreement=Agreement(records=1))])) == 0
    wrong = Compared(**stage, agreement=Agreement(records=1, wrong=["x"]))
    assert exit_status(Told(compared=[Compared(**stage, agreement=Agreement(records=1)), wrong])) == 1


def test_values_are_equal_however_they_were_written() -> None:
    """JSON, CSV and the warehouse's own types."""
    from decimal import Decimal

    fields = {"N": "currency", "B": "boolean", "D": "date", "M": "datetime", "T": "time", "X": "string"}
    moment = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    ours = {"N": Decimal("12.50"), "B": True, "D": moment.date(), "M": moment, "T": moment.time(), "X": None}
    json = {"N": 12.5, "B": True, "D": "2026-03-01", "M": "2026-03-01T12:00:00.000+0000", "T": "12:00:00.000Z"}
    csv = {"N": "12.5", "B": "true", "D": "2026-03-01", "M": "2026-03-01T12:00:00.000Z", "T": "12:00:00.000Z", "X": ""}
    assert formed(ours, fields) == formed(json, fields) == formed(csv, fields)
    assert formed(ours | {"X": "null"}, fields) != formed(ours, fields)
